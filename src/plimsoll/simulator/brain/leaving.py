"""A queue that people leave anywhere: what paper trading's model of a queue does not know.

Paper takes every cancellation to have stood behind our orders. Here a drawn part of what a level
loses beyond its prints stood ahead of them, so clients move up without anybody trading.
"""

from plimsoll.core.matching import Fill, MatchingBook
from plimsoll.core.model import Side
from plimsoll.simulator.brain.numbers import drawn_fraction


class LeavingBook(MatchingBook):
    """A matching book with such a queue."""

    def __init__(self, seed: int, name: str, queue_ppm: int) -> None:
        """Draw from the seed, for one instrument."""
        super().__init__(queue_ppm=queue_ppm)
        self._seed = seed
        self._purpose = f"queue:{name}"
        self._draws = 0
        self._printed: dict[tuple[Side, int], int] = {}
        """Prints at prices with clients' orders, since the level was set."""

    def public_trade(self, taker: Side, price_ticks: int, qty_lots: int) -> list[Fill]:
        """Apply a print; what it takes is no cancellation."""
        if self.ahead_at(taker.opposite, price_ticks):
            key = taker.opposite, price_ticks
            self._printed[key] = self._printed.get(key, 0) + qty_lots
        return super().public_trade(taker, price_ticks, qty_lots)

    def set_level(self, side: Side, price_ticks: int, qty_lots: int) -> list[Fill]:
        """Set a level; clients move up by a part of what left it."""
        printed = self._printed.pop((side, price_ticks), 0)
        left = self.displayed(side, price_ticks) - qty_lots - printed
        waiting = self.ahead_at(side, price_ticks) if left > 0 else []
        if waiting:
            self._draws += 1
            gone = int(left * drawn_fraction(self._seed, self._purpose, self._draws))
            for order in waiting:
                order.ahead_lots -= min(order.ahead_lots, gone)
        return super().set_level(side, price_ticks, qty_lots)
