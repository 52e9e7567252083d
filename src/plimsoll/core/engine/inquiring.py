"""Watches every request until its fate is known: what to ask the venue, what follows from silence.

Requirements ORD-8..10 and ACC-2. Yields decisions one at a time; it never places an order.
"""

from collections.abc import Iterator
from typing import Final

from plimsoll.core.engine.placing import Placer
from plimsoll.core.engine.state import State
from plimsoll.core.execution.inquiry import EMPTY_NEEDED, ESCALATE_NS, Ask, Inquiries, Inquiry
from plimsoll.core.model import Order, OrderState
from plimsoll.core.records import (
    AbsenceShown,
    Blocked,
    IncidentRaised,
    OrderReported,
    OutcomeLost,
    QueryAnswered,
    QueryIntended,
    Record,
    RequestAnswered,
    RetirementIntended,
)
from plimsoll.core.settings import CoreSettings

_ASKED_FOR: Final = (OrderState.INTENT, OrderState.SENT)
LEAD_NS: Final = 1_000_000_000
"""The venue's cumulative quantity may run ahead of our executions for this long (ACC-2)."""


class Inquiring:
    """All open questions about orders."""

    def __init__(self, state: State, settings: CoreSettings, placer: Placer) -> None:
        """Share the engine's state."""
        self.state = state
        self.settings = settings
        self.placer = placer
        self.inquiries = Inquiries(settings.timing)
        self.leads: dict[str, int] = {}
        """Orders whose executions lag behind the venue's count, since when."""
        self.stuck: dict[str, int] = {}
        """Orders told of as cancelled and still there."""

    def take_over(self) -> Iterator[Record]:
        """Declare unanswered orders of earlier sessions UNKNOWN: their answers went with them."""
        state = self.state
        for order in list(state.orders.working.values()):
            if order.is_paper:
                continue
            if order.state in _ASKED_FOR:
                yield OutcomeLost(*state.stamp(), order.id, "create", "the session ended")
            elif order.cancel_pending:
                yield OutcomeLost(*state.stamp(), order.id, "cancel", "the session ended")
            elif order.amend_qty_lots:
                yield OutcomeLost(*state.stamp(), order.id, "amend", "the session ended")

    def on_trade_down(self) -> Iterator[Record]:
        """Lose what was asked on the trade link: its answers went with it."""
        for order in list(self.state.orders.working.values()):
            if order.asked_ns and order.via == "trade" and not order.is_paper:
                yield from self.lose(order, "the trade link broke")

    def on_answer(self, answer: RequestAnswered) -> Iterator[Record]:
        """Ask for the order when the answer left its fate open."""
        state = self.state
        order = state.orders.find(answer.client_order_id)
        if order is None or not order.is_working:
            return
        if (
            answer.action == "cancel"
            and answer.outcome == "refused"
            and not self.placer.may_cancel(order)
        ):
            self.placer.waiting[order.id] = "again: the venue's rate was used up"
        if order.state is OrderState.UNKNOWN or answer.outcome in ("unknown", "gone"):
            self.inquiries.start(order, self.state.ts_ns)
            yield from self._ask()

    def on_report(self, record: OrderReported) -> Iterator[Record]:
        """Watch an order whose executions lag behind what the venue says is matched.

        One that was to be cancelled, and that a query still shows, is cancelled once more: the
        first cancel was lost. Further ones are for halts and stops.
        """
        order = self.state.orders.of_venue(record.client_order_id, record.venue_order_id)
        if order is None:
            return
        is_ours = order.owner in self.placer.routes and not order.is_adopted
        if is_ours and order.venue_cum_lots > order.filled_lots:
            self.leads.setdefault(order.id, self.state.ts_ns)
        self.inquiries.settle(order)
        if record.source == "query" and order.is_working and order.cancels == 1:
            yield from self.placer.cancel(order, "again: the venue still shows it")

    def on_query(self, answer: QueryAnswered) -> Iterator[Record]:
        """Take the end of a query: it may now prove absence."""
        proven = self.inquiries.answered(
            answer.query_id, self.state.ts_ns, is_ok=answer.is_ok, rows=answer.rows
        )
        if proven is not None:
            yield from self._conclude(proven)

    def on_time(self) -> Iterator[Record]:
        """Look at every unanswered request and ask what is due."""
        state, timing = self.state, self.settings.timing
        for order in list(state.orders.working.values()):
            if order.is_paper:
                continue
            limit = timing.confirm_ns if order.state is OrderState.ACKED else timing.answer_ns
            if order.asked_ns and state.ts_ns - order.asked_ns > limit:
                yield from self.lose(order, "no answer in time")
            is_lost = order.amend_qty_lots and not order.asked_ns
            if order.state is OrderState.UNKNOWN or is_lost:  # also after a restart or a lost link
                self.inquiries.start(order, state.ts_ns)
        yield from self.placer.release()
        yield from self._stuck()
        yield from self._leads()
        yield from self._ask()
        yield from self._escalate()

    def lose(self, order: Order, reason: str) -> Iterator[Record]:
        """Declare the outcome of what was asked last UNKNOWN and open an inquiry."""
        state = self.state
        if order.state in (*_ASKED_FOR, OrderState.ACKED):
            action = "create"
        elif order.cancel_pending:
            action = "cancel"
        else:
            action = "amend"
        yield OutcomeLost(*state.stamp(), order.id, action, reason)
        if order.is_working:
            self.inquiries.start(order, state.ts_ns)

    # ---- inside ----

    def _ask(self) -> Iterator[Record]:
        """Send the queries of inquiries that are due, where there is a link to answer them."""
        state = self.state
        if not state.safety.links.get("private"):
            return
        for ask in self.inquiries.due(state.ts_ns, state.orders.find):
            query = self.query(ask.order)
            self.inquiries.asked(
                ask,
                query.query_id,
                state.ts_ns,
                state.safety.clock_offset_ns,
                is_connected=state.safety.is_reconciled,
            )
            yield query
            yield from self._drain(ask)

    def _conclude(self, inquiry: Inquiry) -> Iterator[Record]:
        state = self.state
        order = state.orders.find(inquiry.order_id)
        if order is None or not order.is_working:
            return
        if order.amend_qty_lots and inquiry.unmoved >= EMPTY_NEEDED:
            evidence = f"{inquiry.unmoved} queries after the receive window show the old terms"
            yield AbsenceShown(*state.stamp(), order.id, evidence, "amend")
            self.inquiries.settle(order)
            return
        if inquiry.empties < EMPTY_NEEDED:
            return
        evidence = f"{inquiry.empties} empty queries after the receive window, streams healthy"
        if order.state in (OrderState.UNKNOWN, OrderState.INTENT):
            yield AbsenceShown(*state.stamp(), order.id, evidence)
            return
        if order.state in (OrderState.OPEN, OrderState.PARTIAL) and not inquiry.is_told:
            inquiry.is_told = True
            text = f"the venue does not know our {order.state} order any more"
            yield IncidentRaised(*state.stamp(), "order_vanished", order.id, text)
            yield from block(state, order.instrument, f"order {order.id}: {text}")

    def _drain(self, ask: Ask) -> Iterator[Record]:
        """Let the connection end on which an answer could still come, before all else is proven."""
        order = ask.order
        connection = order.create_on or order.amend_on
        is_wanted = ask.inquiry.is_overdue and not ask.inquiry.is_draining
        if connection > 0 and is_wanted:
            ask.inquiry.is_draining = True
            yield RetirementIntended(*self.state.stamp(), "trade", connection, order.id)

    def _stuck(self) -> Iterator[Record]:
        """Tell once of an order that does not go although it was cancelled."""
        state = self.state
        for order in state.orders.working.values():
            if not order.unwanted_ns or order.is_paper or order.id in self.stuck:
                continue
            if state.ts_ns - order.unwanted_ns > ESCALATE_NS:
                self.stuck[order.id] = order.unwanted_ns
                seconds = ESCALATE_NS // 1_000_000_000
                text = f"{order.state} for {seconds} s after its cancel, {order.cancels} asked"
                yield IncidentRaised(*state.stamp(), "cancel_stuck", order.id, text)
        for order_id in [one for one in self.stuck if one not in state.orders.working]:
            del self.stuck[order_id]

    def _leads(self) -> Iterator[Record]:
        """Fetch executions when the venue's count leads ours for too long (ACC-2)."""
        state = self.state
        for order_id, since in list(self.leads.items()):
            order = state.orders.find(order_id)
            if order is None or order.venue_cum_lots <= order.filled_lots:
                del self.leads[order_id]
            elif state.ts_ns - since > LEAD_NS and state.safety.links.get("private"):
                self.leads[order_id] = state.ts_ns
                yield self.query(order)

    def query(self, order: Order) -> QueryIntended:
        """Return a question about an order: by our id, or by the venue's where it has none."""
        stamp = self.state.stamp()
        category = order.instrument.partition(":")[0]  # foreign orders may be of any instrument
        ours, theirs = (order.id, "") if order.id != order.venue_id else ("", order.venue_id)
        is_plain = bool(ours) and not (order.trigger_ticks or order.is_adopted)
        return QueryIntended(
            *stamp, stamp[0], "order", category, "", order.instrument, ours, 0, theirs, is_plain
        )

    def _escalate(self) -> Iterator[Record]:
        state = self.state
        for inquiry in self.inquiries.open.values():
            order = state.orders.find(inquiry.order_id)
            if inquiry.is_told or order is None or order.state is not OrderState.UNKNOWN:
                continue
            if state.ts_ns - inquiry.opened_ns > ESCALATE_NS:
                inquiry.is_told = True
                text = f"unknown for {ESCALATE_NS // 1_000_000_000} s: {order.reason}"
                yield IncidentRaised(*state.stamp(), "order_unknown", order.id, text)


def block(state: State, instrument: str, reason: str) -> Iterator[Record]:
    """Forbid new risk on an instrument and tell a person."""
    yield Blocked(*state.stamp(), instrument, reason)
    yield IncidentRaised(*state.stamp(), "blocked", instrument, reason)
