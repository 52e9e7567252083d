"""Worst-case exposure over everything in flight (RSK-1), kept incrementally.

The live account is one scope, each paper instance one of its own. Reduce-only orders never carry a
position across zero, so they are not summed; but they may take it to zero *before* the others
match, and they pass every check themselves. So the worst case never counts on the position held:
sells must fit from zero too, with a long held or without, and buys likewise. A naive twin in the
tests sums over all orders.
"""

from typing import Final

from plimsoll.core.model import Order, Side

_BUY: Final = Side.BUY  # hot: a member read through its class costs ten times a global

LIVE_SCOPE = ""
"""Scope of the live account, all owners together."""


class Exposure:
    """Lots that may still be bought and sold, by scope and instrument."""

    def __init__(self) -> None:
        """Start with nothing in flight."""
        self.buys: dict[tuple[str, str], int] = {}
        self.sells: dict[tuple[str, str], int] = {}
        self.open_orders: dict[str, int] = {}
        self.sides: dict[tuple[str, str, Side], int] = {}
        """Working orders by scope, instrument and side, reduce-only ones included."""

    def on_order(self, order: Order, sign: int) -> None:
        """Take an order out (-1, before a change) or in (+1, after it)."""
        scope = order.owner if order.is_paper else LIVE_SCOPE
        if order.is_working:
            self.open_orders[scope] = self.open_orders.get(scope, 0) + sign
            place = (scope, order.instrument, order.side)
            self.sides[place] = self.sides.get(place, 0) + sign
        if order.reduce_only:
            return
        leaves = order.leaves_lots
        if leaves:
            side = self.buys if order.side is _BUY else self.sells
            key = (scope, order.instrument)
            side[key] = side.get(key, 0) + sign * leaves

    def worst_lots(
        self, scope: str, instrument: str, held_lots: int, buy_lots: int = 0, sell_lots: int = 0
    ) -> int:
        """Return the largest absolute position reachable, a candidate of buys or sells added."""
        key = (scope, instrument)
        longest = max(held_lots, 0) + self.buys.get(key, 0) + buy_lots
        shortest = max(-held_lots, 0) + self.sells.get(key, 0) + sell_lots
        return max(longest, shortest)
