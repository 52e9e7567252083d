"""Orders of one account: their state, and finding them."""

from collections import deque
from decimal import Decimal
from typing import Final

import msgspec

from plimsoll.core.model import Side, TimeInForce
from plimsoll.simulator.brain.listings import Listing
from plimsoll.simulator.brain.numbers import EXACT, ZERO

CLOSED_KEPT: Final = 20_000
OPEN_STATES: Final = frozenset({"New", "PartiallyFilled"})
FOK_REASON: Final = "EC_NoEnoughQtyToFill"


class Order(msgspec.Struct):
    """One order; enumerations are the venue's words. ``serial`` counts orders of the exchange."""

    uid: int
    serial: int
    listing: Listing
    order_id: str
    link_id: str
    side: Side
    kind: str
    tif: TimeInForce
    price_ticks: int
    qty_lots: int
    created_ms: int
    updated_ms: int
    asked_value: Decimal = ZERO
    """Quote coin of a spot market buy that names its value instead of its quantity."""
    market_unit: str = ""
    reduce_only: bool = False
    close_on_trigger: bool = False
    smp_type: str = "None"
    is_leverage: str = ""
    create_type: str = "CreateByUser"
    last_ticks: int = 0
    cum_lots: int = 0
    cum_value: Decimal = ZERO
    fees: dict[str, Decimal] = {}
    closed_pnl: Decimal = ZERO
    status: str = "Created"
    cancel_type: str = "UNKNOWN"
    reject_reason: str = "EC_NoError"

    @property
    def is_open(self) -> bool:
        """Return whether it works in the book."""
        return self.status in OPEN_STATES

    @property
    def leaves_lots(self) -> int:
        """Return the unfilled lots."""
        return self.qty_lots - self.cum_lots

    @property
    def average_price(self) -> Decimal:
        """Return the mean execution price, 0 before the first one."""
        if not self.cum_lots:
            return ZERO
        return EXACT.divide(self.cum_value, self.listing.qty(self.cum_lots))

    def rest(self, now_ms: int) -> None:
        """Note that it works in the book."""
        self.status = "PartiallyFilled" if self.cum_lots else "New"
        self.updated_ms = now_ms

    def fill(self, price_ticks: int, qty_lots: int, now_ms: int) -> None:
        """Note an execution."""
        self.cum_lots += qty_lots
        self.cum_value += self.listing.value(price_ticks, qty_lots)
        self.status = "PartiallyFilled" if self.leaves_lots else "Filled"
        self.updated_ms = now_ms

    def end(self, now_ms: int, cancel_type: str, reject_reason: str) -> None:
        """Cancel the rest (Bybit v5 docs, enum: spot has a state of its own for partly filled)."""
        partly = self.listing.is_spot and self.cum_lots
        self.status = "PartiallyFilledCanceled" if partly else "Cancelled"
        self.cancel_type = cancel_type
        self.reject_reason = reject_reason
        self.updated_ms = now_ms


class Orders:
    """Every order of an account that can still be asked for; client ids are never forgotten."""

    def __init__(self) -> None:
        """Start empty."""
        self.open: dict[str, Order] = {}
        self.closed: deque[Order] = deque()
        self._by_id: dict[str, Order] = {}
        self._by_link: dict[tuple[bool, str], Order] = {}
        self._links: set[tuple[bool, str]] = set()

    def is_link_used(self, listing: Listing, link_id: str) -> bool:
        """Return whether the client id was used before in this category family."""
        return (listing.is_spot, link_id) in self._links

    def add(self, order: Order) -> None:
        """Register an accepted order."""
        self._by_id[order.order_id] = order
        self.open[order.order_id] = order
        if order.link_id:
            key = (order.listing.is_spot, order.link_id)
            self._links.add(key)
            self._by_link[key] = order

    def close(self, order: Order) -> None:
        """Move an ended order to the closed ones; the oldest beyond the bound are forgotten."""
        if self.open.pop(order.order_id, None) is None:
            return
        self.closed.append(order)
        if len(self.closed) > CLOSED_KEPT:
            old = self.closed.popleft()
            del self._by_id[old.order_id]
            self._by_link.pop((old.listing.is_spot, old.link_id), None)

    def find(self, *, spot: bool, order_id: str, link_id: str) -> Order | None:
        """Return an order by id, or by client id where there is none."""
        found = self._by_id.get(order_id) if order_id else self._by_link.get((spot, link_id))
        return found if found is not None and found.listing.is_spot == spot else None

    def open_on(self, listing: Listing) -> list[Order]:
        """Return the working orders of one instrument, oldest first."""
        return [order for order in self.open.values() if order.listing is listing]
