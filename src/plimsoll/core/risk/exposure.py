"""Worst-case exposure over everything in flight (RSK-1), kept incrementally.

The live account is one scope, each paper instance one of its own. Reduce-only orders never carry a
position across zero, but they pass every check themselves and may already have matched without our
knowing. So the worst case never counts on the position held: sells must fit from zero too, with a
long held or without. And reduce-only sells beyond the long we know of may have closed a long that
is gone from our books: they count like any other (found by seed 558 of the adversarial run). Buys
likewise. A naive twin in the tests sums over all orders.
"""

from typing import Final

from plimsoll.core.model import PROTECTION_LABEL, TERMINAL, Order, Side

_BUY: Final = Side.BUY
_SELL: Final = Side.SELL  # hot: a member read through its class costs ten times a global

LIVE_SCOPE = ""
"""Scope of the live account, all owners together."""


class Exposure:
    """Lots that may still be bought and sold, by scope and instrument."""

    def __init__(self) -> None:
        """Start with nothing in flight."""
        self.buys: dict[tuple[str, str], int] = {}
        self.sells: dict[tuple[str, str], int] = {}
        self.closing_buys: dict[tuple[str, str], int] = {}
        self.closing_sells: dict[tuple[str, str], int] = {}
        """Of reduce-only orders."""
        self.guards: dict[tuple[str, str, Side], dict[str, int]] = {}
        """Of the venue's stop-loss and take-profit of a position: only one of them executes."""
        self.open_orders: dict[str, int] = {}
        self.sides: dict[tuple[str, str, Side], int] = {}
        """Working orders by scope, instrument and side, reduce-only ones included."""

    def on_order(self, order: Order, sign: int) -> None:
        """Take an order out (-1, before a change) or in (+1, after it)."""
        scope = order.owner if order.is_paper else LIVE_SCOPE
        leaves, side = order.leaves_lots, order.side
        if order.state not in TERMINAL:
            self.open_orders[scope] = self.open_orders.get(scope, 0) + sign
            place = (scope, order.instrument, side)
            self.sides[place] = self.sides.get(place, 0) + sign
        if order.label == PROTECTION_LABEL:
            self._guard(scope, order, leaves if sign > 0 else 0)
        elif leaves:
            if order.reduce_only:
                going = self.closing_buys if side is _BUY else self.closing_sells
            else:
                going = self.buys if side is _BUY else self.sells
            key = (scope, order.instrument)
            going[key] = going.get(key, 0) + sign * leaves

    def reach_lots(self, scope: str, instrument: str, held_lots: int, side: Side) -> int:
        """Return the position reachable on one side, 0 or more: long for BUY, short for SELL."""
        key = (scope, instrument)
        if side is _BUY:
            going, closing, held = self.buys, self.closing_buys, held_lots
        else:
            going, closing, held = self.sells, self.closing_sells, -held_lots
        # Hot: comparisons written out cost a third of max().
        unexplained = closing.get(key, 0) + (min(0, held))
        guards = self.guards.get((scope, instrument, side)) if self.guards else None
        if guards:
            unexplained += max(guards.values())
        reach = going.get(key, 0) + (max(0, held))
        return reach + unexplained if unexplained > 0 else reach

    def net_lots(self, scope: str, instrument: str, held_lots: int, side: Side) -> int:
        """Return the position towards one side once all of that side has matched, signed by it.

        A short of 3 lots with buys of 5 in flight is 2 towards BUY.
        """
        key = (scope, instrument)
        if side is _BUY:
            return held_lots + self.buys.get(key, 0) + self.closing_buys.get(key, 0)
        return self.sells.get(key, 0) + self.closing_sells.get(key, 0) - held_lots

    def working(self, scope: str, instruments: tuple[str, ...]) -> int:
        """Return how many orders work in these instruments."""
        sides = self.sides
        return sum(sides.get((scope, name, side), 0) for name in instruments for side in Side)

    def _guard(self, scope: str, order: Order, leaves: int) -> None:
        guards = self.guards.setdefault((scope, order.instrument, order.side), {})
        if leaves:
            guards[order.id] = leaves
        else:
            guards.pop(order.id, None)

    def worst_lots(self, scope: str, instrument: str, held_lots: int) -> int:
        """Return the largest absolute position reachable on either side."""
        up = self.reach_lots(scope, instrument, held_lots, _BUY)
        down = self.reach_lots(scope, instrument, held_lots, _SELL)
        return max(down, up)
