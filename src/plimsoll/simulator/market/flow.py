"""Order flow of one instrument: quotes that change levels, orders that take them.

Theory of operation. The best bid and ask stand one tick apart. A *quote* changes a few levels: each
in a band drawn by the profile, at a price drawn evenly in it, so that holes and levels keep the
measured balance. An *order* takes from the best price, mostly without exhausting it; now and then
it sweeps to a price drawn from the profile, and both sides of the book follow. Sides of orders
persist: most repeat the side of one of the last twenty.

The flow does not know the orders of clients; what they take comes back with the next change of
that level.
"""

from typing import Final

from plimsoll.core.model import Instrument, Side
from plimsoll.simulator.brain.messages import BookChanged, MarketEvent, Printed
from plimsoll.simulator.market.decks import DECK, Decks
from plimsoll.simulator.market.draw import Draw
from plimsoll.simulator.market.hawkes import Hawkes

_MEMORY: Final = 20
_SWEPT_PRINTS_MOST: Final = 40
_SWEPT_SHARE: Final = 0.1
"""Part of a swept level that trades; the rest is cancelled ahead of the order."""
_PRINTS_MOST: Final = 200
_LEVELS_MOST: Final = 100


class OrderFlow:
    """Makes the events of one instrument, one arrival after another."""

    def __init__(self, instrument: Instrument, decks: Decks, price_ticks: int, draw: Draw) -> None:
        """Begin with the best bid at a price, near the one the decks were made for."""
        self.name = instrument.name
        self._profile = decks.profile
        self._decks = decks
        self._grid, self._steps, self._sizes = decks.grid, decks.steps, decks.sizes
        self._draw = draw
        self._arrivals = Hawkes(decks.profile.arrivals, draw)
        self._bid = max(2, price_ticks)
        self._held: dict[Side, dict[int, int]] = {Side.BUY: {}, Side.SELL: {}}
        self._reach = decks.steps[-1] * decks.grid
        self._sides = [draw.choice((Side.BUY, Side.SELL)) for _ in range(_MEMORY)]

    @property
    def bid(self) -> int:
        """Return the best bid in ticks."""
        return self._bid

    def opening(self) -> BookChanged:
        """Return the first book."""
        for side, best in ((Side.BUY, self._bid), (Side.SELL, self._bid + 1)):
            held = self._held[side]
            held[best] = self._one_of(self._decks.touch_sizes)
            self._fill(side, best, self._steps[-1], held)
        bids, asks = (list(self._held[side].items()) for side in (Side.BUY, Side.SELL))
        return BookChanged(self.name, bids, asks, whole=True)

    def next(self) -> tuple[float, list[MarketEvent]]:
        """Return (seconds since the last arrival, what it does)."""
        waited, is_order = self._arrivals.next()
        return waited, self._order() if is_order else [self._quote()]

    def _quote(self) -> BookChanged:
        random, deck, grid = self._draw.random, self._decks.bands, self._grid
        bids: dict[int, int] = {}
        asks: dict[int, int] = {}
        if random() < self._profile.touch_share:
            if random() < 0.5:
                bids[self._bid] = self._one_of(self._decks.touch_sizes)
            else:
                asks[self._bid + 1] = self._one_of(self._decks.touch_sizes)
        sides = (
            (self._held[Side.BUY], bids, self._price(Side.BUY, 0), -grid),
            (self._held[Side.SELL], asks, self._price(Side.SELL, 0), grid),
        )
        for _ in range(min(_LEVELS_MOST, int(self._decks.counts[int(random() * DECK)] + 0.5))):
            held, rows, start, stride = sides[random() < 0.5]
            first, width, sizes, deleting, inserting = deck[int(random() * DECK)]
            price = start + (first + int(random() * width)) * stride
            if held.get(price):
                rows[price] = 0 if random() < deleting else sizes[int(random() * DECK)]
            elif random() < inserting and price > 0:
                rows[price] = sizes[int(random() * DECK)]
        self._held[Side.BUY].update(bids)
        self._held[Side.SELL].update(asks)
        return BookChanged(self.name, list(bids.items()), list(asks.items()))

    def _order(self) -> list[MarketEvent]:
        taker = self._side()
        if self._draw.random() < self._profile.move_share:
            return self._sweep(taker, max(1, round(self._one_of(self._decks.moves))))
        side = taker.opposite
        best = self._bid if side is Side.BUY else self._bid + 1
        held = self._held[side]
        if held[best] < 2:
            return self._sweep(taker, 1)
        lots = min(self._one_of(self._decks.orders), held[best] - 1)
        count = max(1, min(lots, _PRINTS_MOST, int(self._one_of(self._decks.prints))))
        held[best] -= lots
        rows = [(best, held[best])]
        bids, asks = (rows, []) if side is Side.BUY else ([], rows)
        prints = [Printed(self.name, taker, best, part) for part in self._split(lots, count)]
        return [*prints, BookChanged(self.name, bids, asks)]

    def _sweep(self, taker: Side, ticks: int) -> list[MarketEvent]:
        """Take every level up to some ticks away; the other side follows to one tick behind."""
        sign = taker.sign
        taken, following = self._held[taker.opposite], self._held[taker]
        old = self._bid + 1 if taker is Side.BUY else self._bid
        new = max(2, old + sign * ticks)
        if new == old:
            return []
        prices = [price for price in range(old, new, sign) if taken.get(price)]
        step = max(1, -(-len(prices) // _SWEPT_PRINTS_MOST))
        prints: list[MarketEvent] = [
            Printed(self.name, taker, price, max(1, int(taken[price] * _SWEPT_SHARE)))
            for price in prices[::step]
        ]
        gone: dict[int, int] = dict.fromkeys(prices, 0)
        self._bid = new - 1 if taker is Side.BUY else new
        behind = new - sign
        gained: dict[int, int] = {behind: self._one_of(self._decks.touch_sizes)}
        last = old - sign
        gained[last] = gained.get(last) or self._sizes[0][int(self._draw.random() * DECK)]
        self._fill(taker, behind, abs(behind - last) // self._grid, gained)
        gone[new] = self._one_of(self._decks.touch_sizes)
        self._grow(taker.opposite, abs(new - old), gone)
        self._trim(taker, gained)
        taken.update(gone)
        following.update(gained)
        for held in (taken, following):
            for price in [price for price, lots in held.items() if not lots]:
                del held[price]
        rows = list(gained.items()), list(gone.items())
        bids, asks = rows if taker is Side.BUY else rows[::-1]
        return [*prints, BookChanged(self.name, bids, asks)]

    def _fill(self, side: Side, best: int, count: int, rows: dict[int, int]) -> None:
        """Put levels at the first ``count`` steps behind a best price, holes as measured."""
        random, band = self._draw.random, 0
        for step in range(1, count + 1):
            while band < len(self._sizes) - 1 and step > self._steps[band + 1]:
                band += 1
            price = self._price_from(side, best, step)
            if price > 0 and price not in rows and random() < self._profile.bands[band].presence:
                rows[price] = self._sizes[band][int(random() * DECK)]

    def _grow(self, side: Side, ticks: int, rows: dict[int, int]) -> None:
        """Add levels at the far end of a side that moved away."""
        last, random = self._steps[-1], self._draw.random
        presence, sizes = self._profile.bands[-1].presence, self._sizes[-1]
        for step in range(max(1, last - ticks // self._grid), last + 1):
            price = self._price(side, step)
            if price > 0 and price not in rows and random() < presence:
                rows[price] = sizes[int(random() * DECK)]

    def _trim(self, side: Side, rows: dict[int, int]) -> None:
        """Delete the levels of a side that fell behind the reach."""
        best = self._bid if side is Side.BUY else self._bid + 1
        limit = best * side.sign - self._reach - self._grid
        for price in self._held[side]:
            if price * side.sign < limit:
                rows[price] = 0

    def _price(self, side: Side, step: int) -> int:
        return self._price_from(side, self._bid if side is Side.BUY else self._bid + 1, step)

    def _price_from(self, side: Side, best: int, step: int) -> int:
        """Return the price some steps behind another, on the grid; never better than it."""
        if side is Side.BUY:
            return (best - 1) // self._grid * self._grid - (step - 1) * self._grid
        return -(-(best + 1) // self._grid) * self._grid + (step - 1) * self._grid

    def _side(self) -> Side:
        random, sides = self._draw.random, self._sides
        if random() < self._profile.persistence:
            side = sides[-1 - int(random() ** 2 * _MEMORY)]
        else:
            side = Side.BUY if random() < 0.5 else Side.SELL
        del sides[0]
        sides.append(side)
        return side

    def _split(self, lots: int, count: int) -> list[int]:
        """Split a whole into positive parts; ``lots`` is at least ``count``."""
        if count == 1:
            return [lots]
        cuts = sorted(int(self._draw.random() * (lots - count + 1)) for _ in range(count - 1))
        return [high - low + 1 for low, high in zip((0, *cuts), (*cuts, lots - count), strict=True)]

    def _one_of(self, deck: list[int] | list[float]) -> int:
        return deck[int(self._draw.random() * DECK)]  # type: ignore[return-value]
