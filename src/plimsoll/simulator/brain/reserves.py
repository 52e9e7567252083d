"""What the open orders of one account claim: sums by instrument and side, kept as orders change.

A check of funds reads the sums and never looks at the orders; the naive twin that adds all of them
up stands in the tests.
"""

from decimal import ROUND_CEILING, Decimal

import msgspec

from plimsoll.core.model import Side
from plimsoll.simulator.brain.listings import Listing
from plimsoll.simulator.brain.orders import Order, Orders


class Claim(msgspec.Struct, frozen=True):
    """One order's part: lots, and price times lots in ticks."""

    listing: Listing
    side: Side
    lots: int
    ticks: int


class Sums(msgspec.Struct):
    """Everything claimed on one side of one instrument."""

    listing: Listing
    lots: int = 0
    ticks: int = 0


class Reserves:
    """The running sums, and which order holds which part of them."""

    def __init__(self) -> None:
        """Start with nothing claimed."""
        self.sides: dict[tuple[str, Side], Sums] = {}
        self._claims: dict[str, Claim] = {}

    def lots(self, name: str, side: Side) -> int:
        """Return the lots that open orders of a side may still trade, reduce-only ones left out."""
        found = self.sides.get((name, side))
        return found.lots if found else 0

    def ticks(self, name: str, side: Side) -> int:
        """Return their prices times lots, in ticks."""
        found = self.sides.get((name, side))
        return found.ticks if found else 0

    def note(self, order: Order, orders: Orders) -> None:
        """Take in an order of an account as it is now, and its pair where that waits with it."""
        self.put(order.order_id, claim_of(order, orders))
        pair = orders.waiting.get(order.pair_id)
        if pair is not None:
            self.put(pair.order_id, claim_of(pair, orders))

    def put(self, order_id: str, claim: Claim | None) -> Claim | None:
        """Set what an order claims, ``None`` for nothing; return what it claimed before."""
        before = self._claims.pop(order_id, None)
        if before is not None:
            self._add(before, -1)
        if claim is not None:
            self._claims[order_id] = claim
            self._add(claim, 1)
        return before

    def _add(self, claim: Claim, sign: int) -> None:
        key = claim.listing.name, claim.side
        sums = self.sides.get(key)
        if sums is None:
            sums = self.sides[key] = Sums(claim.listing)
        sums.lots += sign * claim.lots
        sums.ticks += sign * claim.ticks


def claim_of(order: Order, orders: Orders) -> Claim | None:
    """Return what an order claims, ``None`` where it only reduces, waits or is over.

    On spot what waits as ``tpslOrder`` claims at once, of a pair the older one (Bybit v5 docs,
    create-order); every other conditional order claims nothing before its trigger.
    """
    if not order.is_live or order.reduce_only:
        return None
    if order.is_waiting and not orders.locks_early(order):
        return None
    price = order.price_ticks or order.trigger_ticks
    lots = order.leaves_lots
    ticks = price * lots
    if order.asked_value and order.side is Side.BUY:  # it names what it spends, not what it buys
        ticks = ticks_worth(order.listing, order.asked_value - order.cum_value)
        lots = lots or ticks // price
    return Claim(order.listing, order.side, lots, ticks) if ticks else None


def ticks_worth(listing: Listing, value: Decimal) -> int:
    """Return a value in quote coin as price times lots in ticks, rounded up."""
    return int((value / listing.value_step).to_integral_value(ROUND_CEILING))
