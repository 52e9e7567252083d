"""All orders of the account: how each record changes them.

The store is the only place that changes an ``Order``. It is total: whatever the venue says is
booked, ignored or told, never raised. ``listener`` hears every change before and after, so that
exposure is kept incrementally.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from plimsoll.core.execution.lifecycle import Evidence, Step, next_state
from plimsoll.core.execution.owners import outsider
from plimsoll.core.execution.protection import protects
from plimsoll.core.model import (
    FOREIGN,
    NOT_OURS,
    PROTECTION_LABEL,
    TERMINAL,
    Order,
    OrderState,
    OrderType,
    Regrid,
    TimeInForce,
    is_guard,
    is_own,
)
from plimsoll.core.records import (
    AbsenceShown,
    AmendIntended,
    CancelIntended,
    ExecutionReported,
    OrderIntended,
    OrderMoved,
    OrderReported,
    OrderSent,
    OutcomeLost,
    PaperAmendIntended,
    PaperCancelIntended,
    PaperFilled,
    PaperOrderIntended,
    PaperReported,
    RequestAnswered,
    SendRefused,
)

UNKNOWN_OWN: Final = "it carries our tag and our log does not know it"
"""What contradicts an order the venue knows, ours by its id, that nobody here remembers."""

_EVIDENCE_OF: Final = {
    OrderState.OPEN: Evidence.OPEN,
    OrderState.PARTIAL: Evidence.PARTIAL,
    OrderState.FILLED: Evidence.FILLED,
    OrderState.CANCELED: Evidence.CANCELED,
    OrderState.REJECTED: Evidence.REJECTED,
    OrderState.EXPIRED: Evidence.EXPIRED,
}


_INTENT: Final = OrderState.INTENT  # hot: read through its class it costs ten times a global
_FILLED: Final = Evidence.FILLED
_PARTIAL: Final = Evidence.PARTIAL
_CONTRADICTED: Final = Step.CONTRADICTED
_ENDED_OPEN: Final = frozenset({OrderState.CANCELED, OrderState.EXPIRED})


class Contradiction(NamedTuple):
    """Evidence against what was held for certain; by default it blocks the order's instrument."""

    order: Order
    text: str
    is_stray: bool = False
    """The order lives and should not: it is cancelled where it can add risk."""
    is_intruder: bool = False
    """Somebody else sends under our tag: the whole account is blocked (LSE-9)."""
    is_late: bool = False
    """A fill after the end: booked and told, the order is asked for again; nothing is blocked."""


class OrderStore:
    """Orders by our id, the newest ``keep_closed`` closed ones included."""

    def __init__(self, tag: str, keep_closed: int = 10_000) -> None:
        """Keep at most ``keep_closed`` orders that are over; older ones stand in the log."""
        self.tag = tag
        self.keep_closed = keep_closed
        self.working: dict[str, Order] = {}
        self.closed: OrderedDict[str, Order] = OrderedDict()
        self.on_instrument: dict[str, dict[str, Order]] = {}
        """The working orders once more, by instrument."""
        self.id_of_venue_id: dict[str, str] = {}
        self.behind: dict[str, Order] = {}
        """Orders of ours whose executions lag behind what the venue says is matched (ACC-2)."""
        self.listener: Callable[[Order, int], None] = _nobody
        """Called with (order, -1) before and (order, +1) after each change."""
        self.protected_by: Callable[[str], str] = _foreign
        """Called with an instrument: whose position an exit made by the venue protects."""
        self.contradictions: list[Contradiction] = []
        """Filled while one record is applied, taken by the engine."""

    def find(self, order_id: str) -> Order | None:
        """Return the order with our id, working or recently closed."""
        return self.working.get(order_id) or self.closed.get(order_id)

    def of_venue(self, client_order_id: str, venue_order_id: str) -> Order | None:
        """Return the order a venue message speaks of, by our id or by the venue's."""
        order = self.find(client_order_id) if client_order_id else None
        if order is None and venue_order_id:
            ours = self.id_of_venue_id.get(venue_order_id)
            order = self.find(ours) if ours else None
        return order

    def of_owner(self, owner: str, instrument: str) -> Iterator[Order]:
        """Yield the working orders of one owner in one instrument, oldest first."""
        for order in self.on_instrument.get(instrument, {}).values():
            if order.owner == owner:
                yield order

    def lagging(self, owner: str, instrument: str) -> list[Order]:
        """Return an owner's orders, working or over, that have matched more than is booked."""
        if not self.behind:
            return []
        return [
            order
            for order in self.behind.values()
            if order.owner == owner and order.instrument == instrument
        ]

    def regrid(self, instrument: str, regrid: Regrid) -> None:
        """Count an instrument's orders in its new steps."""
        for order in (*self.working.values(), *self.closed.values()):
            if order.instrument == instrument:
                self.listener(order, -1)
                regrid.move(order)
                self.listener(order, +1)

    # ---- our own decisions ----

    def intend(self, record: OrderIntended | PaperOrderIntended) -> Order:
        """Add an order that passed every check."""
        order = Order(
            id=record.client_order_id,
            owner=record.owner,
            instrument=record.instrument,
            side=record.side,
            order_type=record.order_type,
            tif=record.tif,
            price_ticks=record.price_ticks,
            qty_lots=record.qty_lots,
            reduce_only=record.reduce_only,
            label=record.label,
            is_paper=type(record) is PaperOrderIntended,
            state=_INTENT,
            created_ns=record.ts_ns,
            touched_ns=record.ts_ns,
            asked_ns=record.ts_ns,
            trigger_ticks=record.trigger_ticks,
            trigger_rises=record.trigger_rises,
            trigger_by=record.trigger_by,
        )
        self._add_working(order)
        self.listener(order, +1)
        return order

    def intend_amend(self, record: AmendIntended | PaperAmendIntended) -> None:
        """Mark an amend as pending: exposure counts the larger of old and new until it ends."""
        order = self.working[record.client_order_id]
        self.listener(order, -1)
        order.amend_price_ticks = record.price_ticks
        order.amend_qty_lots = record.qty_lots
        order.amend_trigger_ticks = record.trigger_ticks
        order.asked_ns = order.touched_ns = record.ts_ns
        self.listener(order, +1)

    def intend_cancel(self, record: CancelIntended | PaperCancelIntended) -> None:
        """Mark a cancel as pending; the order counts until evidence ends it."""
        order = self.find(record.client_order_id)
        if order is not None:
            order.cancel_pending = True
            if order.state not in _UNCONFIRMED or not order.asked_ns:
                order.asked_ns = record.ts_ns  # else the create's own clock goes on
            order.cancels += 1
            order.unwanted_ns = order.unwanted_ns or record.ts_ns

    # ---- the gateway and the venue's answers ----

    def sent(self, record: OrderSent) -> None:
        """Note that a request left, and the venue-time stamp it carries."""
        order = self.find(record.client_order_id)
        if order is None:
            return
        if record.action != "cancel":  # says nothing about when a create must have arrived
            order.signed_ms = max(order.signed_ms, record.signed_ms)
        order.via = record.via
        carrier = -1 if record.via == "rest" else record.connection
        if record.action == "create":
            order.create_on = carrier
            self._move(order, Evidence.SENT)
        elif record.action == "amend":
            order.amend_on = carrier

    def disconnect(self, connection: int) -> None:
        """Note that no answer comes on a connection any more."""
        for order in self.working.values():
            if order.create_on == connection:
                order.create_on = 0
            if order.amend_on == connection:
                order.amend_on = 0

    def disconnect_all(self) -> None:
        """Note that every connection and request of the sessions before has ended with them."""
        for order in self.working.values():
            order.create_on = order.amend_on = 0

    def refused(self, record: SendRefused) -> Order | None:
        """Take back a request that certainly did not leave."""
        order = self.find(record.client_order_id)
        if order is None:
            return None
        if record.action == "create":
            order.reason = record.reason
            self._move(order, Evidence.SEND_REFUSED)
        else:
            self._end_request(order, record.action)
        return order

    def answered(self, record: RequestAnswered) -> Order | None:
        """Take the venue's answer to a create, amend or cancel."""
        order = self.find(record.client_order_id)
        if order is None:
            return None
        if record.venue_order_id and not order.venue_id:
            self._name(order, record.venue_order_id)
        if record.action == "create":
            order.create_on = 0
            self._created(order, record)
            return order
        if record.action == "amend":
            order.amend_on = 0
        if record.outcome in ("refused", "gone"):
            # Says nothing about fills (lesson 10): the order keeps its state until it is told.
            self._end_request(order, record.action)
            order.reason = record.text
        return order

    def lost(self, record: OutcomeLost) -> Order | None:
        """Note that no answer came. Only a create makes the order UNKNOWN."""
        order = self.find(record.client_order_id)
        if order is None:
            return None
        if record.action == "create":
            order.reason = record.reason
            _wait_for_rest(order, record.ts_ns)
            self._move(order, Evidence.LOST)
        elif record.action == "cancel":
            order.cancel_pending = False
            order.asked_ns = 0
        elif not order.cancel_pending:
            # A lost amend stays pending: it may have been taken, and exposure counts the larger.
            order.asked_ns = 0
        return order

    def shown_absent(self, record: AbsenceShown) -> None:
        """Release an order, or an amend, that is proven never to have come to live."""
        order = self.find(record.client_order_id)
        if order is None:
            return
        if record.action == "amend":
            self._end_request(order, "amend")
        else:
            order.reason = record.evidence
            self._move(order, Evidence.ABSENT)

    def reported(self, record: OrderReported) -> Order:
        """Take the venue's statement about an order; unknown ones are adopted."""
        order = self.of_venue(record.client_order_id, record.venue_order_id)
        if order is None:
            return self._adopt(record)
        if not order.venue_id:
            self._name(order, record.venue_order_id)
        if record.updated_ms < order.updated_ms:
            return order  # older evidence ranks below (ORD-6)
        self.listener(order, -1)
        order.updated_ms = record.updated_ms
        order.venue_cum_lots = max(order.venue_cum_lots, record.cum_lots)
        self._watch(order)
        order.order_filter = record.order_filter
        was_in_book = order.state in _IN_BOOK and not order.is_untriggered
        order.is_untriggered = record.is_untriggered and not was_in_book
        if record.reason:
            order.reason = record.reason
        # An order at the market has no price; an exit's quantity follows its position.
        if order.is_working and (record.price_ticks or order.label == PROTECTION_LABEL):
            self._take_terms(order, record)
        if order.state in _UNCONFIRMED:
            _wait_for_rest(order, record.ts_ns)
        else:
            _stop_waiting(order)
        self.listener(order, +1)
        self._move(order, _EVIDENCE_OF[record.status])
        return order

    def executed(self, record: ExecutionReported) -> Order:
        """Book an execution on its order; an unknown order is adopted."""
        order = self.of_venue(record.client_order_id, record.venue_order_id)
        if order is None:
            order = self._adopt_execution(record)
        self._book(order, record.qty_lots, record.price_ticks)
        return order

    # ---- paper ----

    def paper_reported(self, record: PaperReported) -> Order | None:
        """Take the paper venue's statement about a paper order."""
        order = self.find(record.client_order_id)
        if order is None:
            return None
        evidence = _EVIDENCE_OF[record.status]
        is_other = record.qty_lots != order.qty_lots or bool(order.amend_qty_lots)
        is_counted = is_other or _ends_or_rises(order, evidence)
        if is_counted:
            self.listener(order, -1)
        order.asked_ns = 0
        order.reason = record.reason or order.reason
        order.price_ticks, order.qty_lots = record.price_ticks, record.qty_lots
        order.amend_price_ticks = order.amend_qty_lots = order.amend_trigger_ticks = 0
        order.is_untriggered = record.is_untriggered
        order.trigger_ticks = record.trigger_ticks or order.trigger_ticks
        has_moved = self._turn(order, evidence)
        if is_counted:
            self.listener(order, +1)
        if has_moved:
            self._file(order)
        return order

    def paper_filled(self, record: PaperFilled) -> Order | None:
        """Book a paper execution on its order."""
        order = self.find(record.client_order_id)
        if order is not None:
            order.venue_cum_lots += record.qty_lots
            self._book(order, record.qty_lots, record.price_ticks)
        return order

    def move(self, record: OrderMoved) -> None:
        """Give a working order to another owner."""
        order = self.working.get(record.client_order_id)
        if order is not None:
            self.listener(order, -1)
            order.owner = record.to_owner
            self._watch(order)
            self.listener(order, +1)

    def restore(self, order: Order) -> None:
        """Take an order over as it is: from a snapshot, or first seen at the venue."""
        if order.venue_id:
            self.id_of_venue_id[order.venue_id] = order.id
        if order.is_working:
            self._add_working(order)
        else:
            self.closed[order.id] = order
        self._watch(order)
        self.listener(order, +1)

    # ---- inside ----

    def _created(self, order: Order, record: RequestAnswered) -> None:
        if record.outcome == "accepted":
            if order.state is not OrderState.ACKED and order.state in _UNANSWERED:
                order.asked_ns = record.ts_ns
            self._move(order, Evidence.ACCEPTED)
        elif record.outcome == "refused":
            order.reason = record.text
            self._move(order, Evidence.REFUSED)
        else:
            order.reason = record.text
            _wait_for_rest(order, record.ts_ns)
            self._move(order, Evidence.LOST)

    def _take_terms(self, order: Order, record: OrderReported) -> None:
        """Take price and quantity from the venue: an amend took effect, or it moved our price."""
        amended = (
            order.amend_qty_lots
            and (record.price_ticks, record.qty_lots)
            == (order.amend_price_ticks, order.amend_qty_lots)
            and order.amend_trigger_ticks in (0, record.trigger_ticks)
        )
        if amended:
            _end_amend(order)
        order.price_ticks, order.qty_lots = record.price_ticks, record.qty_lots
        order.trigger_ticks = record.trigger_ticks or order.trigger_ticks

    def _end_request(self, order: Order, action: str) -> None:
        self.listener(order, -1)
        if action == "cancel":
            order.cancel_pending = False
        elif action == "amend":
            _end_amend(order)
        if order.state not in _UNCONFIRMED:  # this says nothing about a create without an answer
            _stop_waiting(order)
        self.listener(order, +1)

    def _book(self, order: Order, qty_lots: int, price_ticks: int) -> None:
        is_over = order.state in _ENDED_OPEN
        if is_over and order.filled_lots + qty_lots > order.venue_cum_lots:
            text = f"{order.state} with {order.venue_cum_lots} lots filled, and another execution"
            self.contradictions.append(Contradiction(order, text, is_late=True))
        self.listener(order, -1)
        order.filled_lots += qty_lots
        order.filled_notional += qty_lots * price_ticks
        order.venue_cum_lots = max(order.venue_cum_lots, order.filled_lots)
        if order.qty_lots < order.filled_lots <= order.amend_qty_lots:
            order.qty_lots = order.amend_qty_lots  # so its amend took effect, told of or not
        self._watch(order)
        # An amend in flight may have taken effect: an order is full only under both terms.
        most_lots = max(order.qty_lots, order.amend_qty_lots)
        if order.filled_lots > most_lots and order.label != PROTECTION_LABEL:
            self.contradictions.append(Contradiction(order, "more was filled than ordered"))
        has_moved = self._turn(order, _FILLED if order.filled_lots >= most_lots else _PARTIAL)
        self.listener(order, +1)
        if has_moved:
            self._file(order)

    def _move(self, order: Order, evidence: Evidence) -> None:
        is_counted = _ends_or_rises(order, evidence)
        if is_counted:
            self.listener(order, -1)
        has_moved = self._turn(order, evidence)
        if is_counted:
            self.listener(order, +1)
        if has_moved:
            self._file(order)

    def _turn(self, order: Order, evidence: Evidence) -> bool:
        """Bring an order to its next state, the listener aside; return whether it is another."""
        state, step = next_state(order.state, evidence)
        if step is _CONTRADICTED:
            text = f"{order.state} order reported {evidence}"
            has_risen = order.state is OrderState.ABSENT and state in _IN_BOOK
            self.contradictions.append(Contradiction(order, text, is_stray=has_risen))
        if state is order.state:
            return False
        order.state = state
        if not order.is_working:
            order.cancel_pending = False
            _end_amend(order)
            order.asked_ns = 0
        return True

    def _file(self, order: Order) -> None:
        if order.is_working:
            self._add_working(order)
        else:
            self._close(order)

    def _watch(self, order: Order) -> None:
        is_ours = order.owner not in NOT_OURS and not order.is_adopted
        if is_ours and order.venue_cum_lots > order.filled_lots:
            self.behind[order.id] = order
        else:
            self.behind.pop(order.id, None)

    def _add_working(self, order: Order) -> None:
        self.working[order.id] = order
        self.on_instrument.setdefault(order.instrument, {})[order.id] = order
        self.closed.pop(order.id, None)

    def _close(self, order: Order) -> None:
        self.working.pop(order.id, None)
        self.on_instrument.get(order.instrument, {}).pop(order.id, None)
        self.closed[order.id] = order
        if len(self.closed) > self.keep_closed:
            _, oldest = self.closed.popitem(last=False)
            self.id_of_venue_id.pop(oldest.venue_id, None)
            self.behind.pop(oldest.id, None)

    def _name(self, order: Order, venue_id: str) -> None:
        order.venue_id = venue_id
        self.id_of_venue_id[venue_id] = order.id

    def _adopt(self, record: OrderReported) -> Order:
        order = self._found(record)
        order.price_ticks, order.qty_lots = record.price_ticks, record.qty_lots
        order.reduce_only = record.reduce_only
        order.state = record.status
        order.updated_ms = record.updated_ms
        order.is_untriggered = record.is_untriggered
        order.trigger_ticks = record.trigger_ticks
        order.venue_cum_lots = record.cum_lots
        order.reason = record.reason
        order.order_filter = record.order_filter
        self._enter(order, record.venue_order_id)
        self._doubt_own(order)
        return order

    def _doubt_own(self, order: Order) -> None:
        if is_own(order.id, self.tag):  # an old copy of the log, or another engine (LSE-9, JRN-2)
            stray = Contradiction(order, UNKNOWN_OWN, is_stray=order.is_working, is_intruder=True)
            self.contradictions.append(stray)

    def _adopt_execution(self, record: ExecutionReported) -> Order:
        order = self._found(record)
        order.price_ticks = record.price_ticks
        order.qty_lots = max(record.order_qty_lots, record.qty_lots)
        order.reduce_only = order.label == PROTECTION_LABEL
        self._enter(order, record.venue_order_id)
        self._doubt_own(order)
        return order

    def _found(self, record: OrderReported | ExecutionReported) -> Order:
        """Return an order first seen at the venue, its owner known and its terms to be filled in.

        What the venue makes to protect a position belongs to whom it protects (ORD-12).
        """
        kind = record.kind if isinstance(record, ExecutionReported) else "Trade"
        owner, label = outsider(record.create_type, kind), "adopted"
        if is_guard(record.client_order_id, self.tag):
            label = "watchdog"  # its orders only reduce, and are no intruders (RSK-11, LSE-9)
        if not record.client_order_id and protects(record.create_type, record.stop_type):
            owner, label = self.protected_by(record.instrument), PROTECTION_LABEL
        return Order(
            id=record.client_order_id or record.venue_order_id,
            owner=owner,
            instrument=record.instrument,
            side=record.side,
            order_type=OrderType.LIMIT,
            tif=TimeInForce.GTC,
            price_ticks=0,
            qty_lots=0,
            reduce_only=False,
            label=label,
            is_paper=False,
            state=OrderState.OPEN,
            created_ns=record.ts_ns,
            is_adopted=True,
        )

    def _enter(self, order: Order, venue_id: str) -> None:
        self._name(order, venue_id)
        self.restore(order)


_IN_BOOK: Final = frozenset({OrderState.OPEN, OrderState.PARTIAL})
_UNANSWERED: Final = frozenset({OrderState.INTENT, OrderState.SENT, OrderState.UNKNOWN})


_UNCONFIRMED: Final = frozenset({OrderState.INTENT, OrderState.SENT, OrderState.ACKED})
"""States in which the create itself waits, for its answer or for its confirmation."""


def _ends_or_rises(order: Order, evidence: Evidence) -> bool:
    """Return whether evidence may change what an order can still add to a position (hot).

    Between two states in which it works nothing of that changes.
    """
    state, _ = next_state(order.state, evidence)
    return order.state in TERMINAL or state in TERMINAL


def _nobody(_order: Order, _sign: int) -> None:
    """Hear nothing."""


def _foreign(_instrument: str) -> str:
    return FOREIGN


def _end_amend(order: Order) -> None:
    order.amend_price_ticks = order.amend_qty_lots = order.amend_trigger_ticks = 0


def _stop_waiting(order: Order) -> None:
    """Stop the clock of an answer, unless another request of this order still waits for its own."""
    if not order.cancel_pending and not order.amend_qty_lots:
        order.asked_ns = 0


def _wait_for_rest(order: Order, now_ns: int) -> None:
    """Let a cancel or amend wait from now on, after the create it waited behind came to an end."""
    order.asked_ns = now_ns if order.cancel_pending or order.amend_qty_lots else 0
