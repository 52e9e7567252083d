"""Rounds of reconciliation inside ``decide``: when to ask, and the plan carried out, exactly."""

from collections.abc import Callable, Iterator
from decimal import ROUND_HALF_EVEN
from typing import Final

from plimsoll.core.engine.explaining import Explaining
from plimsoll.core.engine.state import State
from plimsoll.core.execution.inquiry import Inquiries
from plimsoll.core.execution.reconcile import (
    POSITION_DIFFERS,
    Action,
    Books,
    Plan,
    Step,
    make_plan,
)
from plimsoll.core.execution.rounds import (
    Round,
    collect_cash,
    collect_execution,
    collect_order,
    collect_position,
    collect_wallet,
    questions,
)
from plimsoll.core.model import FOREIGN, decimal_of
from plimsoll.core.records import (
    Blocked,
    CashMoved,
    DifferenceFound,
    ExecutionReported,
    IncidentRaised,
    Observed,
    ObservingEnded,
    OrderReported,
    PositionAdopted,
    PositionReported,
    QueryAnswered,
    QueryIntended,
    Reconciled,
    Record,
    Released,
    WalletAdopted,
    WalletReported,
)
from plimsoll.core.settings import CoreSettings

LOOK_AGAIN_NS: Final = 300_000_000
SOON_NS: Final = 1_000_000_000
RETRY_NS: Final = 1_000_000_000


class Comparing:
    """At most one round at a time; the next one by period, by a new link, or to look again."""

    def __init__(
        self, state: State, settings: CoreSettings, inquiries: Inquiries, explaining: Explaining
    ) -> None:
        """Share the engine's state."""
        self.state = state
        self.settings = settings
        self.inquiries = inquiries
        self.explaining = explaining
        self.under_way: Round | None = None
        self.next_ns = 0
        self.next_trigger = ""
        self.looks = 0
        self.cash_ns = 0
        """When the transaction log is read next; at once where the wallet differs."""
        self.told: dict[tuple[str, str], tuple[int, int]] = {}
        self._carriers: dict[Action, Callable[[Step], Iterator[Record]]] = {
            Action.ADOPT: self._adopt,
            Action.INQUIRE: self._inquire,
            Action.BLOCK: self._block,
            Action.TELL: self._tell,
            Action.OBSERVE: self._observe,
            Action.RELEASE: self._release,
        }
        """BOOK took effect with its row, and WAIT has none."""

    def owns(self, query_id: int) -> bool:
        """Return whether a query belongs to the round under way."""
        return self.under_way is not None and query_id in self.under_way.pending

    def abandon(self) -> None:
        """Forget the round under way: its answers will not come, or not be of one moment."""
        self.under_way = None
        self.next_ns = 0
        self.looks = 0

    def start(self, trigger: str) -> Iterator[Record]:
        """Ask all questions of a round."""
        state, ledger = self.state, self.state.ledger
        self.under_way = Round(trigger, state.ts_ns, self.looks)
        overlap_ms = self.settings.timing.overlap_ms
        since = {"executions": self._venue_ms(state.ts_ns)}
        if ledger.cursor_ms:
            since["executions"] = max(ledger.begun_ms, ledger.cursor_ms - overlap_ms)
        since["cash"] = max(ledger.begun_ms, ledger.cash_ms - overlap_ms)
        # Not at the very first start: what moved before it is in the balance that is adopted.
        with_cash = bool(ledger.cash_ms) and state.ts_ns >= self.cash_ns
        for question in questions(state.instruments, with_cash=with_cash):
            stamp = state.stamp()
            self.under_way.pending.add(stamp[0])
            self.under_way.asked[stamp[0]] = question
            since_ms = since.get(question.kind, 0)
            yield QueryIntended(*stamp, stamp[0], *question, "", "", since_ms)

    def collect(self, record: Record, *, is_new: bool) -> None:
        """Note a row of the round under way. ``is_new``: it told of something not known before."""
        if self.under_way is None:
            return
        query_id = getattr(record, "query_id", 0)
        if query_id not in self.under_way.pending:
            return
        if isinstance(record, OrderReported):
            collect_order(self.under_way, record, is_new=is_new)
        elif isinstance(record, ExecutionReported):
            collect_execution(self.under_way, record, is_new=is_new)
        elif isinstance(record, PositionReported):
            collect_position(self.under_way, record)
        elif isinstance(record, WalletReported):
            collect_wallet(self.under_way, record)
        elif isinstance(record, CashMoved):
            collect_cash(self.under_way, record, is_new=is_new)

    def on_position(self, record: PositionReported) -> None:
        """Compare soon where the stream's position is not ours (ACC-7): fills may be on their way.

        The stream sends a position with every order action, so most of them say nothing new.
        """
        ours = self.state.ledger.account_lots(record.instrument, self.state.paper_owners)
        soon = self.state.ts_ns + SOON_NS
        if record.qty_lots != ours and self.next_ns > soon:
            self.next_ns, self.next_trigger = soon, "position stream"

    def answered(self, answer: QueryAnswered) -> Iterator[Record]:
        """Take the end of one of the round's queries; make and carry out the plan after the last.

        A transaction log that could not be read spoils no round: what it would have explained stays
        unexplained for now.
        """
        under_way = self.under_way
        assert under_way is not None
        is_cash = under_way.asked[answer.query_id].kind == "cash"
        self.note(answer)
        if is_cash and not answer.is_ok:
            self.cash_ns = self.state.ts_ns + RETRY_NS
            yield from self.explaining.on_unread(answer.reason)
        if under_way.pending:
            return
        if under_way.failed:  # a failed query is not an empty answer (ORD-9)
            self.under_way = None
            self._again(RETRY_NS, under_way.trigger)
            return
        plan = self.plan()
        self.under_way = None
        yield from self._carry_out(under_way, plan)

    def note(self, answer: QueryAnswered) -> None:
        """Note the end of one of the round's queries."""
        under_way = self.under_way
        assert under_way is not None
        under_way.pending.discard(answer.query_id)
        if answer.is_ok:
            return
        reason = answer.reason or "query failed"
        if under_way.asked[answer.query_id].kind == "cash":
            under_way.cash_failed = reason
        else:
            under_way.failed = reason

    def plan(self) -> Plan:
        """Return what the finished round means for the books as they are."""
        state = self.state
        assert self.under_way is not None
        books = Books(
            state.orders,
            state.ledger,
            state.paper_owners,
            state.safety.blocks,
            state.safety.observed,
            self.told,
            self.settings.cash_slack_units,
            self.settings.first_start == "observe",
        )
        return make_plan(self.under_way, books)

    def on_time(self) -> Iterator[Record]:
        """Start the next round when it is due and the private link is up."""
        state = self.state
        if self.under_way is not None or not state.safety.links.get("private"):
            return
        if self.next_ns and state.ts_ns >= self.next_ns:
            trigger, self.next_ns = self.next_trigger, 0
            yield from self.start(trigger)

    # ---- carrying out ----

    def _carry_out(self, under_way: Round, plan: Plan) -> Iterator[Record]:
        """Do what the plan says, each step once, and nothing else."""
        state = self.state
        for step in plan.steps:
            carry = None if step.is_done else self._carriers.get(step.action)
            if carry is not None:
                yield from carry(step)
        if plan.unexplained:  # the log is asked first, before a difference is told
            self.cash_ns = state.ts_ns
        elif plan.reads_cash:
            self.cash_ns = state.ts_ns + self.settings.timing.cash_ns
        if not plan.is_final:
            self.looks = under_way.looks + 1
            self._again(LOOK_AGAIN_NS, under_way.trigger)
            return
        started_ms = self._venue_ms(under_way.started_ns)
        cash_ms = plan.cash_ms or (0 if state.ledger.cash_ms else started_ms)
        yield Reconciled(
            *state.stamp(),
            under_way.trigger,
            plan.differences,
            plan.booked,
            plan.cursor_ms or started_ms,
            cash_ms,
        )
        self.told = plan.told
        yield from self.explaining.on_compared(plan.unexplained)
        self.looks = 0
        self._again(self.settings.timing.sweep_ns, "sweep")

    def _adopt(self, step: Step) -> Iterator[Record]:
        """First start: what the account already holds is foreign and taken over as it is."""
        state = self.state
        ours, theirs = step.counts
        found = (step.subject, step.key, step.ours, step.theirs, "adopted")
        yield DifferenceFound(*state.stamp(), *found)
        if step.subject == "wallet":
            words = "balance at first start"
            yield WalletAdopted(*state.stamp(), step.key, theirs - ours, words)
            return
        instrument = state.instruments[step.key]
        entry = instrument.ticks_of(decimal_of(step.entry), rounding=ROUND_HALF_EVEN)
        cost = instrument.notional_units(entry, theirs)
        yield PositionAdopted(*state.stamp(), FOREIGN, step.key, theirs, cost)

    def _inquire(self, step: Step) -> Iterator[Record]:
        order = self.state.orders.find(step.key)
        if order is not None:
            self.inquiries.start(order, self.state.ts_ns)
        return iter(())

    def _block(self, step: Step) -> Iterator[Record]:
        yield from self._difference(step, "blocked")
        if step.key not in self.state.safety.blocks:
            yield Blocked(*self.state.stamp(), step.key, POSITION_DIFFERS)

    def _tell(self, step: Step) -> Iterator[Record]:
        yield from self._difference(step, "told")

    def _difference(self, step: Step, action: str) -> Iterator[Record]:
        state = self.state
        found = (step.subject, step.key, step.ours, step.theirs, action)
        yield DifferenceFound(*state.stamp(), *found)
        text = f"ours {step.ours}, venue {step.theirs}"
        yield IncidentRaised(*state.stamp(), f"{step.subject}_difference", step.key, text)

    def _observe(self, step: Step) -> Iterator[Record]:
        yield Observed(*self.state.stamp(), step.key, step.theirs)
        text = f"{step.theirs}; plimsoll adopt {step.key} decides whose it is"
        yield IncidentRaised(*self.state.stamp(), "observed", step.key, text)

    def _release(self, step: Step) -> Iterator[Record]:
        if step.subject == "observed":
            words = "nothing foreign is left"
            yield ObservingEnded(*self.state.stamp(), step.key, "", words)
        else:
            yield Released(*self.state.stamp(), step.key)

    def _venue_ms(self, at_ns: int) -> int:
        return (at_ns + self.state.safety.clock_offset_ns) // 1_000_000

    def _again(self, after_ns: int, trigger: str) -> None:
        self.next_ns = self.state.ts_ns + after_ns
        self.next_trigger = trigger
