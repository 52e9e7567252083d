"""The safety half of ``decide``: timeouts, unknown outcomes, reconciliation, halts, the stop.

Yields decisions one at a time, like the trader. It never places an order: it asks, cancels, blocks,
halts and tells.
"""

import json
from collections.abc import Iterator
from typing import Final

from plimsoll.core.engine.comparing import Comparing
from plimsoll.core.engine.doubting import Doubting
from plimsoll.core.engine.placing import Placer
from plimsoll.core.engine.state import State
from plimsoll.core.execution.inquiry import EMPTY_NEEDED, ESCALATE_NS, Inquiries, Inquiry
from plimsoll.core.model import FOREIGN, Order, OrderState
from plimsoll.core.portfolio import KNOWN_KINDS
from plimsoll.core.records import (
    AbsenceShown,
    Blocked,
    EquityMeasured,
    ExecutionReported,
    Halted,
    IncidentRaised,
    LinkChanged,
    OperatorCommand,
    OrderReported,
    OutcomeLost,
    QueryAnswered,
    QueryIntended,
    Rearmed,
    Record,
    Released,
    RequestAnswered,
    SessionStopping,
)
from plimsoll.core.settings import CoreSettings

_ASKED_FOR: Final = (OrderState.INTENT, OrderState.SENT)
LEAD_NS: Final = 1_000_000_000
"""The venue's cumulative quantity may run ahead of our executions for this long (ACC-2)."""

MEASURE_NS: Final = 1_000_000_000
"""Equity is measured once a second (trading.md 4)."""


CANCEL_NS: Final = 1_000_000_000
"""Period of cancelling again what a halt or a stop wants gone and is still there (RSK-10)."""


class Keeper:
    """Watches every order until its fate is known and the books until they agree."""

    def __init__(self, state: State, settings: CoreSettings, placer: Placer) -> None:
        """Share the engine's state."""
        self.state = state
        self.settings = settings
        self.placer = placer
        self.inquiries = Inquiries(settings.timing)
        self.comparing = Comparing(state, settings, self.inquiries)
        self.doubting = Doubting(state, settings.timing.doubt_ns)
        self.measured_ns = 0
        self.cancelled_ns = 0
        self.leads: dict[str, int] = {}
        """Orders whose executions lag behind the venue's count, since when."""

    # ---- a session begins ----

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

    # ---- links and answers ----

    def on_link(self, link: LinkChanged) -> Iterator[Record]:
        """Losing the trade link loses the answers on it; a new private link starts a comparison."""
        state = self.state
        if link.link == "trade" and not link.is_up:
            for order in list(state.orders.working.values()):
                if order.asked_ns and order.via == "trade" and not order.is_paper:
                    yield from self._lose(order, "the trade link broke")
        if link.link == "private":
            self.inquiries.reset()
            self.comparing.abandon()
            if link.is_up:
                yield from self.comparing.start("private link up")

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

    def on_report(self, record: OrderReported) -> None:
        """Watch an order whose executions lag behind what the venue says is matched."""
        order = self.state.orders.of_venue(record.client_order_id, record.venue_order_id)
        if order is None or order.owner not in self.placer.routes:
            return
        if order.venue_cum_lots > order.filled_lots:
            self.leads.setdefault(order.id, self.state.ts_ns)

    def on_execution(self, record: ExecutionReported) -> Iterator[Record]:
        """Block the instrument of an execution the ledger cannot book (ACC-3)."""
        if record.kind not in KNOWN_KINDS and record.instrument not in self.state.safety.blocks:
            yield from self._block(record.instrument, f"unknown execution type {record.kind!r}")

    def on_query(self, answer: QueryAnswered) -> Iterator[Record]:
        """Take the end of a query: a comparison's, or an inquiry's that may now prove absence."""
        if self.comparing.owns(answer.query_id):
            yield from self.comparing.answered(answer)
            if self.state.safety.is_reconciled and not self.state.losses.is_known:
                yield from self._measure()  # before any strategy may ask for an order
            return
        proven = self.inquiries.answered(
            answer.query_id, self.state.ts_ns, is_ok=answer.is_ok, rows=answer.rows
        )
        if proven is not None:
            yield from self._conclude(proven)

    # ---- time ----

    def on_time(self) -> Iterator[Record]:
        """Look at every unanswered request, ask what is due, compare when it is time."""
        state, timing = self.state, self.settings.timing
        for order in list(state.orders.working.values()):
            if order.is_paper:
                continue
            limit = timing.confirm_ns if order.state is OrderState.ACKED else timing.answer_ns
            if order.asked_ns and state.ts_ns - order.asked_ns > limit:
                yield from self._lose(order, "no answer in time")
            if order.state is OrderState.UNKNOWN:
                self.inquiries.start(order, state.ts_ns)
        yield from self.placer.release()
        yield from self._leads()
        yield from self._ask()
        yield from self._escalate()
        if state.ts_ns - self.measured_ns >= MEASURE_NS:
            yield from self._measure()
        if state.ts_ns - self.cancelled_ns >= CANCEL_NS:
            yield from self._cancel_again()
        yield from self.comparing.on_time()
        if not state.safety.is_stopping:
            yield from self.doubting.on_time()

    def on_contradictions(self) -> Iterator[Record]:
        """Block and tell where evidence contradicted what was certain (ORD-6, ORD-7)."""
        state = self.state
        found, state.orders.contradictions = state.orders.contradictions, []
        for order, text in found:
            if order.is_paper:
                continue
            yield IncidentRaised(*state.stamp(), "contradiction", order.id, text)
            if order.instrument not in state.safety.blocks:
                yield from self._block(order.instrument, f"order {order.id}: {text}")

    # ---- people ----

    def on_command(self, command: OperatorCommand) -> Iterator[Record]:
        """Carry out a person's command."""
        state = self.state
        args = json.loads(command.args or "{}")
        reason = str(args.get("reason", "")) or command.cmd
        if command.cmd == "halt":
            yield Halted(*state.stamp(), reason, command.actor)
            yield from self.cancel_risk(f"halt: {reason}")
        elif command.cmd == "resume":
            yield Rearmed(*state.stamp(), command.actor, reason)
        elif command.cmd == "cancel":
            order = state.orders.find(str(args.get("order", "")))
            if order is not None:
                yield from self.placer.cancel(order, f"{command.actor}: {reason}")
        elif command.cmd == "release":
            instrument = str(args.get("instrument", ""))
            if instrument in state.safety.blocks:
                yield Released(*state.stamp(), instrument)

    def on_stopping(self, stopping: SessionStopping) -> Iterator[Record]:
        """Apply the end policy."""
        if self.settings.end_policy == "cancel":
            yield from self.cancel_risk(f"stop: {stopping.reason}")

    def cancel_risk(self, reason: str) -> Iterator[Record]:
        """Cancel every order of ours that can add risk (RSK-10).

        Reduce-only orders protect and stay; foreign orders are not ours to end.
        """
        for order in list(self.state.orders.working.values()):
            if not order.reduce_only and order.owner != FOREIGN:
                yield from self.placer.cancel(order, reason)

    def open_ends(self) -> list[Order]:
        """Return what a stop still waits for.

        Live orders that are unanswered, unknown or being cancelled, and those whose executions
        have not all come: the session must not end with books the venue has moved past.
        """
        orders = self.state.orders
        wanted = self.settings.end_policy == "cancel"
        return [
            order
            for order in orders.working.values()
            if not order.is_paper
            and order.owner != FOREIGN
            and (order.is_busy or order.state is OrderState.ACKED or wanted)
            and not (order.reduce_only and not order.is_busy)
        ] + [order for order in orders.behind.values() if not order.is_working]

    # ---- inside ----

    def _lose(self, order: Order, reason: str) -> Iterator[Record]:
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

    def _ask(self) -> Iterator[Record]:
        """Send the queries of inquiries that are due, where there is a link to answer them."""
        state = self.state
        if not state.safety.links.get("private"):
            return
        for ask in self.inquiries.due(state.ts_ns, state.orders.find):
            stamp = state.stamp()
            self.inquiries.asked(
                ask,
                stamp[0],
                state.ts_ns,
                state.safety.clock_offset_ns,
                is_connected=state.safety.is_reconciled,
            )
            yield self._query(ask.order, stamp)

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
            yield from self._block(order.instrument, f"order {order.id}: {text}")

    def _measure(self) -> Iterator[Record]:
        state = self.state
        if not state.safety.is_reconciled and not state.ledger.cash:
            return
        equity = state.account_equity()
        if equity is not None:
            self.measured_ns = state.ts_ns
            yield EquityMeasured(*state.stamp(), equity)

    def _cancel_again(self) -> Iterator[Record]:
        """Cancel what a halt or a stop left: refused, unanswered, or turned up since."""
        safety = self.state.safety
        self.cancelled_ns = self.state.ts_ns
        if safety.is_halted:
            yield from self.cancel_risk(f"halt: {safety.halt_reason}")
        elif safety.is_stopping and self.settings.end_policy == "cancel":
            yield from self.cancel_risk("stop: still there")

    def _leads(self) -> Iterator[Record]:
        """Fetch executions when the venue's count leads ours for too long (ACC-2)."""
        state = self.state
        for order_id, since in list(self.leads.items()):
            order = state.orders.find(order_id)
            if order is None or order.venue_cum_lots <= order.filled_lots:
                del self.leads[order_id]
            elif state.ts_ns - since > LEAD_NS and state.safety.links.get("private"):
                self.leads[order_id] = state.ts_ns
                yield self._query(order, state.stamp())

    def _query(self, order: Order, stamp: tuple[int, int, int, int]) -> QueryIntended:
        category = order.instrument.partition(":")[0]  # foreign orders may be of any instrument
        return QueryIntended(*stamp, stamp[0], "order", category, "", order.instrument, order.id, 0)

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

    def _block(self, instrument: str, reason: str) -> Iterator[Record]:
        yield Blocked(*self.state.stamp(), instrument, reason)
        yield IncidentRaised(*self.state.stamp(), "blocked", instrument, reason)
