"""How records about orders change the facts, and whom to tell is noted."""

from collections.abc import Callable
from typing import Any

from plimsoll.core.engine.facts import Facts
from plimsoll.core.execution.owners import outsider
from plimsoll.core.model import NOT_OURS, OUTSIDE, Order, OrderState
from plimsoll.core.portfolio import KNOWN_KINDS, Streak
from plimsoll.core.records import (
    AbsenceShown,
    AmendIntended,
    AskRefused,
    CancelIntended,
    ConnectionEnded,
    ExecutionReported,
    OrderDenied,
    OrderIntended,
    OrderReported,
    OutcomeLost,
    PaperAmendIntended,
    PaperCancelIntended,
    PaperFilled,
    PaperOrderIntended,
    PaperReported,
    PositionReported,
    Record,
    RequestAnswered,
    SendRefused,
)
from plimsoll.core.risk import group_of, pace_of


class Orders:
    """What becomes of orders."""

    def __init__(self, facts: Facts) -> None:
        """Change these."""
        self.facts = facts

    def table(self) -> dict[type[Record], Callable[[Any], None]]:
        """Return who applies which record."""
        return {
            OrderIntended: self._intended,
            AmendIntended: self._amended,
            CancelIntended: self._cancelled,
            PaperOrderIntended: self._intended,
            PaperAmendIntended: self._amended,
            PaperCancelIntended: self._cancelled,
            PaperReported: self._paper_reported,
            PaperFilled: self._paper_filled,
            OrderDenied: self._denied,
            AskRefused: self._ask_refused,
            PositionReported: self._position,
            ConnectionEnded: self._connection_ended,
            SendRefused: self._refused,
            RequestAnswered: self._answered,
            OrderReported: self._reported,
            ExecutionReported: self._executed,
            OutcomeLost: self._lost,
            AbsenceShown: self._absent,
        }

    def _intended(self, record: OrderIntended | PaperOrderIntended) -> None:
        facts = self.facts
        facts.ids.take(record.client_order_id)
        order = facts.orders.intend(record)
        self._note("create", order, record.ts_ns)
        self._habit(order, record.ts_ns, record.price_ticks, record.qty_lots)
        if isinstance(record, OrderIntended):
            facts.protections.entering(record)

    def _amended(self, record: AmendIntended | PaperAmendIntended) -> None:
        order = self.facts.orders.working.get(record.client_order_id)
        if order is not None:
            self.facts.orders.intend_amend(record)
            self._note("amend", order, record.ts_ns)
            self._habit(order, record.ts_ns, record.price_ticks, record.qty_lots)

    def _cancelled(self, record: CancelIntended | PaperCancelIntended) -> None:
        self.facts.orders.intend_cancel(record)
        order = self.facts.orders.find(record.client_order_id)
        if order is not None:
            self._note("cancel", order, record.ts_ns)

    def _habit(self, order: Order, ts_ns: int, price_ticks: int, qty_lots: int) -> None:
        facts = self.facts
        instrument = facts.instruments.get(order.instrument)
        if instrument is None or order.owner in OUTSIDE or order.trigger_ticks:
            return
        place = order.instrument + " " + order.side
        value = instrument.notional_units(price_ticks, qty_lots)
        facts.noted += 1
        facts.habits[order.owner].ordered(ts_ns, place, price_ticks, value)

    def _note(self, action: str, order: Order, ts_ns: int) -> None:
        facts = self.facts
        scope = order.owner if order.is_paper else ""
        facts.pacings[scope].note(ts_ns, group_of(action, order.instrument))
        if action != "cancel":  # an instance's and an instrument's own limits count these
            facts.pacings[pace_of(scope, order.instrument)].count(ts_ns)
            if not scope:
                facts.pacings[order.owner].count(ts_ns)

    def _denied(self, record: OrderDenied) -> None:
        self.facts.denials.append(record)

    def _ask_refused(self, record: AskRefused) -> None:
        self.facts.refused[record.owner, record.ask, record.code] = record

    def _tell(self, order: Order | None, before: OrderState | None = None) -> None:
        if order is not None and order.state is not before:
            self.facts.news.append((order, None))

    def _refused(self, record: SendRefused) -> None:
        if record.action == "protect":
            self.facts.protections.refused(record.client_order_id, record.ts_ns)
        else:
            self._tell(self.facts.orders.refused(record))

    def _answered(self, record: RequestAnswered) -> None:
        order = self.facts.orders.find(record.client_order_id)
        before = order.state if order else None
        self._tell(self.facts.orders.answered(record), before)

    def _lost(self, record: OutcomeLost) -> None:
        if record.action == "protect":
            self.facts.protections.lost(record.client_order_id, record.ts_ns)
        else:
            self._tell(self.facts.orders.lost(record))

    def _absent(self, record: AbsenceShown) -> None:
        self.facts.orders.shown_absent(record)
        self._tell(self.facts.orders.find(record.client_order_id))

    def _reported(self, record: OrderReported) -> None:
        known = self.facts.orders.of_venue(record.client_order_id, record.venue_order_id)
        before = known.state if known else None
        self._tell(self.facts.orders.reported(record), before)

    def _executed(self, record: ExecutionReported) -> None:
        facts = self.facts
        if record.kind not in KNOWN_KINDS or record.instrument not in facts.instruments:
            return  # the keeper blocks the instrument and tells a person
        if not facts.ledger.is_new(record):
            return
        if record.kind == "Funding":
            facts.ledger.book_execution(facts.holder(record.instrument), record)
            return
        # Position and profit first, then anyone is told (ACC-6).
        order = facts.orders.executed(record)
        owner = order.owner
        if owner in NOT_OURS:
            owner = outsider(record.create_type, record.kind)
        taken = facts.ledger.book_execution(owner, record)
        facts.taken += [(instance, record, units) for instance, units in taken]
        facts.protections.moved(record.instrument, record.ts_ns)
        self._streak(order, record.ts_ns, record.qty_lots)
        facts.news.append((order, record))

    def _paper_reported(self, record: PaperReported) -> None:
        known = self.facts.orders.find(record.client_order_id)
        before = known.state if known else None
        self._tell(self.facts.orders.paper_reported(record), before)

    def _paper_filled(self, record: PaperFilled) -> None:
        facts = self.facts
        order = facts.orders.paper_filled(record)
        if order is not None:
            by_bars = facts.settings is not None and facts.settings.by_bars is not None
            settled_ms = 0 if by_bars else facts.venue_ms  # the time within a bar is nobody's
            facts.ledger.book_paper(order.owner, order.instrument, order.side, record, settled_ms)
            self._streak(order, record.ts_ns, record.qty_lots)
            facts.news.append((order, record))

    def _position(self, record: PositionReported) -> None:
        if record.instrument in self.facts.instruments:
            self.facts.protections.stated(record)

    def _connection_ended(self, record: ConnectionEnded) -> None:
        self.facts.orders.disconnect(record.connection)

    def _streak(self, order: Order, ts_ns: int, lots: int) -> None:
        facts = self.facts
        if order.owner in OUTSIDE:
            return
        key = (order.owner, order.instrument)
        held = facts.ledger.qty_lots(*key)
        facts.noted += 1
        facts.habits[order.owner].filled(ts_ns, held - order.side.sign * lots, held)
        streak = facts.streaks.get(key)
        if streak is None:
            streak = facts.streaks[key] = Streak()
        streak.on_fill(held, facts.ledger.position(*key))
