"""Orders of one account: their state, and finding them."""

from collections import deque
from decimal import Decimal
from typing import Final

import msgspec

from plimsoll.core.model import Side, TimeInForce
from plimsoll.simulator.brain.listings import Listing
from plimsoll.simulator.brain.numbers import EXACT, ZERO

CLOSED_KEPT: Final = 20_000
RECENT_KEPT: Final = 500
OPEN_STATES: Final = frozenset({"New", "PartiallyFilled"})
LIVE_STATES: Final = OPEN_STATES | {"Created", "Untriggered", "Triggered"}
RISES: Final = 1
FALLS: Final = 2


class Exit(msgspec.Struct, frozen=True):
    """A take-profit or stop-loss attached to an order; ``limit_ticks`` 0 is a market order."""

    trigger_ticks: int
    trigger_by: str
    limit_ticks: int = 0

    @property
    def kind(self) -> str:
        """Return the type of the order it becomes."""
        return "Limit" if self.limit_ticks else "Market"


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
    """Quote coin of a spot market order that names its value instead of its quantity."""
    market_unit: str = ""
    reduce_only: bool = False
    close_on_trigger: bool = False
    smp_type: str = "None"
    smp_order_id: str = ""
    is_leverage: str = ""
    last_ticks: int = 0
    filter: str = "Order"
    """Which ``orderFilter`` finds it: what it is until it triggers, ``Order`` from then on."""
    stop_type: str = ""
    """``stopOrderType``: what kind of conditional order it is or was, "" for a plain one."""
    create_type: str = "CreateByUser"
    trigger_ticks: int = 0
    trigger_direction: int = 0
    trigger_by: str = ""
    trail_ticks: int = 0
    """Distance of a trailing stop; its trigger price follows the best last price."""
    active_ticks: int = 0
    """Price a trailing stop waits for before it trails, 0 = it trails."""
    tpsl_mode: str = ""
    take_profit: Exit | None = None
    stop_loss: Exit | None = None
    parent_id: str = ""
    """The order a take-profit or stop-loss was attached to."""
    parent_link: str = ""
    pair_id: str = ""
    """The other half of a take-profit and stop-loss that were set together."""
    oco: str = ""
    bbo_side: str = ""
    bbo_level: int = 0
    slippage_type: str = "UNKNOWN"
    slippage: str = ""
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
    def is_live(self) -> bool:
        """Return whether it works or may still come to work."""
        return self.status in LIVE_STATES

    @property
    def is_waiting(self) -> bool:
        """Return whether it waits for its trigger (or to be told that it does)."""
        return self.filter != "Order" and self.status in ("Created", "Untriggered")

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

    def wait(self, now_ms: int) -> None:
        """Note that it waits for its trigger."""
        self.status = "Untriggered"
        self.updated_ms = now_ms

    def trigger(self, now_ms: int) -> None:
        """Note that its trigger was reached; it is a plain order from here on."""
        self.status = "Triggered"
        self.filter = "Order"
        self.updated_ms = now_ms

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
        """Cancel the rest (Bybit v5 docs, enum).

        Spot has a state of its own for partly filled, and so has what was never triggered.
        """
        partly = self.listing.is_spot and self.cum_lots
        ended = "PartiallyFilledCanceled" if partly else "Cancelled"
        self.status = "Deactivated" if self.is_waiting else ended
        self.cancel_type = cancel_type
        self.reject_reason = reject_reason
        self.updated_ms = now_ms

    def reject(self, now_ms: int, reject_reason: str) -> None:
        """Refuse it after it was accepted."""
        self.status = "Rejected"
        self.reject_reason = reject_reason
        self.updated_ms = now_ms


class Orders:
    """Every order of an account that can still be asked for; client ids are never forgotten."""

    def __init__(self) -> None:
        """Start empty."""
        self.open: dict[str, Order] = {}
        """Orders that count for margin: in the book, or about to get there."""
        self.waiting: dict[str, Order] = {}
        """Conditional orders that have not triggered."""
        self.closed: deque[Order] = deque()
        self.recent: dict[bool, deque[Order]] = {
            spot: deque(maxlen=RECENT_KEPT) for spot in (False, True)
        }
        """The last closed ones, linear and spot apart: the venue forgets them at a restart."""
        self._by_id: dict[str, Order] = {}
        self._by_link: dict[tuple[bool, str], Order] = {}
        self._links: set[tuple[bool, str]] = set()

    def is_link_used(self, listing: Listing, link_id: str) -> bool:
        """Return whether the client id was used before in this category family."""
        return (listing.is_spot, link_id) in self._links

    def add(self, order: Order) -> None:
        """Register an accepted order."""
        self._by_id[order.order_id] = order
        pool = self.waiting if order.is_waiting else self.open
        pool[order.order_id] = order
        if order.link_id:
            key = (order.listing.is_spot, order.link_id)
            self._links.add(key)
            self._by_link[key] = order

    def activate(self, order: Order) -> None:
        """Count a triggered order among the open ones."""
        del self.waiting[order.order_id]
        self.open[order.order_id] = order

    def close(self, order: Order) -> None:
        """Move an ended order to the closed ones; the oldest beyond the bound are forgotten."""
        pool = self.open if order.order_id in self.open else self.waiting
        if pool.pop(order.order_id, None) is None:
            return
        self.recent[order.listing.is_spot].append(order)
        self.closed.append(order)
        if len(self.closed) > CLOSED_KEPT:
            old = self.closed.popleft()
            del self._by_id[old.order_id]
            self._by_link.pop((old.listing.is_spot, old.link_id), None)

    def forget_recent(self) -> None:
        """Forget the recently closed ones, as the venue does when it restarts."""
        for recent in self.recent.values():
            recent.clear()

    def find(self, *, spot: bool, order_id: str, link_id: str) -> Order | None:
        """Return an order by id, or by client id where there is none."""
        found = self._by_id.get(order_id) if order_id else self._by_link.get((spot, link_id))
        return found if found is not None and found.listing.is_spot == spot else None

    def open_on(self, listing: Listing) -> list[Order]:
        """Return the working orders of one instrument, oldest first."""
        return [order for order in self.open.values() if order.listing is listing]

    def waiting_on(self, listing: Listing) -> list[Order]:
        """Return the untriggered orders of one instrument, oldest first."""
        return [order for order in self.waiting.values() if order.listing is listing]

    def live(self) -> list[Order]:
        """Return all working and waiting orders, oldest first."""
        return sorted((*self.open.values(), *self.waiting.values()), key=lambda one: one.serial)

    def locks_early(self, order: Order) -> bool:
        """Return whether an order locks coins while it waits: no ``StopOrder``, one of a pair."""
        pair = self.waiting.get(order.pair_id)
        is_second = pair is not None and pair.serial < order.serial
        return order.listing.is_spot and order.filter != "StopOrder" and not is_second
