"""Numbers of one instrument as they stand in frames: each text is made once and kept."""

from collections.abc import Callable
from typing import Final

from plimsoll.simulator.brain.listings import Listing

KEPT_MOST: Final = 50_000
"""Texts kept of one kind: a price that ran away must not grow them without end."""


class Texts(dict[int, str]):
    """Text by number of steps, made when first asked for."""

    def __init__(self, make: Callable[[int], str]) -> None:
        """Make missing texts with a function."""
        super().__init__()
        self._make = make

    def __missing__(self, steps: int) -> str:
        """Make, keep and return a text."""
        if len(self) >= KEPT_MOST:
            self.clear()
        text = self[steps] = self._make(steps)
        return text


class RowTexts:
    """Both halves of an order book row: ``["60000.10",`` and ``"0.123"]``; 0 lots is ``"0"``."""

    def __init__(self, listing: Listing, *, rpi: bool = False) -> None:
        """Write rows of an instrument; ``rpi`` adds the third column, always 0 here."""
        tail = ',"0"]' if rpi else "]"
        qty = listing.qtys.text
        self.prices = Texts(lambda ticks: f'["{listing.prices.text(ticks)}",')
        self.qtys = Texts(lambda lots: f'"{qty(lots) if lots else 0}"{tail}')

    def joined(self, levels: list[tuple[int, int]]) -> str:
        """Return levels (price_ticks, qty_lots) as the inside of a JSON list."""
        if not levels:
            return ""
        prices, qtys = self.prices, self.qtys
        return ",".join([prices[ticks] + qtys[lots] for ticks, lots in levels])
