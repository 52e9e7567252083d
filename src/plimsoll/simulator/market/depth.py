"""A book around a price: sixty levels a side whose quantities change all the time."""

from math import log
from typing import Final

from plimsoll.core.model import Instrument, Side
from plimsoll.simulator.brain.messages import BookChanged
from plimsoll.simulator.market.draw import Draw

LEVELS: Final = 60
_GRID: Final = 0.000005
"""Distance of two levels as a share of the price, rounded to ticks."""
_LEVEL_VALUE: Final = 20_000
_JITTER: Final = 8

Changes = list[tuple[int, int]]


class DepthMaker:
    """Remembers the levels it has set, so that each event carries changes only."""

    def __init__(self, instrument: Instrument, price_ticks: int, draw: Draw) -> None:
        """Make levels for prices near ``price_ticks``."""
        self._name = instrument.name
        self._draw = draw
        self._step = max(1, round(price_ticks * _GRID))
        self._mean = max(1.0, _LEVEL_VALUE / float(instrument.tick * price_ticks * instrument.lot))
        self._levels: dict[Side, dict[int, int]] = {Side.BUY: {}, Side.SELL: {}}

    def around(self, taker: Side, price_ticks: int) -> BookChanged:
        """Move the book to a print: its price is the best ask of a buy, the best bid of a sell."""
        ask = max(2, price_ticks) if taker is Side.BUY else price_ticks + 1
        return BookChanged(self._name, self._move(Side.BUY, ask - 1), self._move(Side.SELL, ask))

    def jitter(self) -> BookChanged:
        """Change the quantities of a few levels, mostly near the best."""
        return BookChanged(self._name, self._redraw(Side.BUY), self._redraw(Side.SELL))

    def _move(self, side: Side, best: int) -> Changes:
        held = self._levels[side]
        wanted = {best: None} | dict.fromkeys(self._grid(side, best))
        changes = [(price, 0) for price in held if price not in wanted]
        for price, _ in changes:
            del held[price]
        for place, price in enumerate(wanted):
            if price not in held or place == 0:
                held[price] = self._lots(place)
                changes.append((price, held[price]))
        return changes

    def _grid(self, side: Side, best: int) -> list[int]:
        if side is Side.BUY:
            first = (best - 1) // self._step * self._step
            prices = range(first, 0, -self._step)
        else:
            first = -(-(best + 1) // self._step) * self._step
            prices = range(first, first + LEVELS * self._step, self._step)
        return list(prices[: LEVELS - 1])

    def _redraw(self, side: Side) -> Changes:
        held = self._levels[side]
        prices = sorted(held, reverse=side is Side.BUY)
        changes: dict[int, int] = {}
        for _ in range(self._draw.randrange(1, _JITTER)):
            place = min(len(prices) - 1, int(-log(1.0 - self._draw.random()) / 0.15))
            changes[prices[place]] = held[prices[place]] = self._lots(place)
        return list(changes.items())

    def _lots(self, place: int) -> int:
        growth = 0.4 + place / LEVELS
        return int(self._mean * growth * -log(1.0 - self._draw.random())) or 1
