"""Rounds of reconciliation inside ``decide``: when to ask, and what follows from the verdict."""

from collections.abc import Iterator
from decimal import ROUND_HALF_EVEN
from typing import Final

from plimsoll.core.engine.state import State
from plimsoll.core.execution.inquiry import Inquiries
from plimsoll.core.execution.reconcile import (
    LOOKS_MAX,
    Mismatch,
    Round,
    Verdict,
    collect_execution,
    collect_order,
    collect_position,
    collect_wallet,
    describe,
    judge,
    questions,
)
from plimsoll.core.model import FOREIGN, decimal_of
from plimsoll.core.records import (
    Blocked,
    DifferenceFound,
    ExecutionReported,
    IncidentRaised,
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
_REASON: Final = "position differs from the venue's"


class Comparing:
    """At most one round at a time; the next one by period, by a new link, or to look again."""

    def __init__(self, state: State, settings: CoreSettings, inquiries: Inquiries) -> None:
        """Share the engine's state."""
        self.state = state
        self.settings = settings
        self.inquiries = inquiries
        self.under_way: Round | None = None
        self.next_ns = 0
        self.next_trigger = ""
        self.looks = 0
        self.told: dict[tuple[str, str], tuple[int, int]] = {}

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
        state = self.state
        self.under_way = Round(trigger, state.ts_ns, self.looks)
        since_ms = max(0, state.ledger.cursor_ms - self.settings.timing.overlap_ms)
        if not state.ledger.cursor_ms:
            since_ms = (state.ts_ns + state.safety.clock_offset_ns) // 1_000_000
        for question in questions(state.instruments):
            stamp = state.stamp()
            self.under_way.pending.add(stamp[0])
            since = since_ms if question.kind == "executions" else 0
            yield QueryIntended(
                *stamp,
                stamp[0],
                question.kind,
                question.category,
                question.settle,
                "",
                "",
                since,
            )

    def collect(self, record: Record, *, is_new: bool) -> None:
        """Note a row of the round under way. ``is_new``: an execution not booked before."""
        if self.under_way is None:
            return
        query_id = getattr(record, "query_id", 0)
        if query_id not in self.under_way.pending:
            return
        if isinstance(record, OrderReported):
            collect_order(self.under_way, record)
        elif isinstance(record, ExecutionReported):
            collect_execution(self.under_way, record, is_new=is_new)
        elif isinstance(record, PositionReported):
            collect_position(self.under_way, record)
        elif isinstance(record, WalletReported):
            collect_wallet(self.under_way, record)

    def on_position(self, record: PositionReported) -> None:
        """Compare soon where the stream's position is not ours (ACC-7): fills may be on their way.

        The stream sends a position with every order action, so most of them say nothing new.
        """
        ours = self.state.ledger.account_lots(record.instrument, self.state.paper_owners)
        soon = self.state.ts_ns + SOON_NS
        if record.qty_lots != ours and self.next_ns > soon:
            self.next_ns, self.next_trigger = soon, "position stream"

    def answered(self, answer: QueryAnswered) -> Iterator[Record]:
        """Take the end of one of the round's queries; judge after the last."""
        under_way = self.under_way
        assert under_way is not None
        under_way.pending.discard(answer.query_id)
        if not answer.is_ok:
            under_way.failed = answer.reason or "query failed"
        if under_way.pending:
            return
        self.under_way = None
        if under_way.failed:  # a failed query is not an empty answer (ORD-9)
            self._again(RETRY_NS, under_way.trigger)
            return
        state = self.state
        verdict = judge(under_way, state.orders, state.ledger, state.paper_owners)
        yield from self._follow(under_way, verdict)

    def on_time(self) -> Iterator[Record]:
        """Start the next round when it is due and the private link is up."""
        state = self.state
        if self.under_way is not None or not state.safety.links.get("private"):
            return
        if self.next_ns and state.ts_ns >= self.next_ns:
            trigger, self.next_ns = self.next_trigger, 0
            yield from self.start(trigger)

    # ---- inside ----

    def _follow(self, under_way: Round, verdict: Verdict) -> Iterator[Record]:
        state = self.state
        for order in verdict.missing:
            self.inquiries.start(order, state.ts_ns)
        is_first = not state.ledger.cash and not state.ledger.cursor_ms
        if is_first:
            yield from self._adopt(verdict.mismatches)
        elif verdict.mismatches and under_way.looks < LOOKS_MAX:
            self.looks = under_way.looks + 1
            self._again(LOOK_AGAIN_NS, under_way.trigger)
            return
        else:
            yield from self._tell(verdict.mismatches)
        for name in list(state.safety.blocks):
            agreed = all(one.key != name for one in verdict.mismatches)
            if agreed and state.safety.blocks[name] == _REASON:
                yield Released(*state.stamp(), name)
        differences = 0 if is_first else len(verdict.mismatches)
        cursor_ms = verdict.cursor_ms or (
            (under_way.started_ns + state.safety.clock_offset_ns) // 1_000_000
        )
        yield Reconciled(*state.stamp(), under_way.trigger, differences, verdict.booked, cursor_ms)
        self.looks = 0
        self._again(self.settings.timing.sweep_ns, "sweep")

    def _adopt(self, mismatches: list[Mismatch]) -> Iterator[Record]:
        """First start: what the account already holds is foreign and taken over as it is."""
        state = self.state
        for one in mismatches:
            ours, theirs = describe(one, state.instruments)
            yield DifferenceFound(*state.stamp(), one.subject, one.key, ours, theirs, "adopted")
            if one.subject == "wallet":
                yield WalletAdopted(
                    *state.stamp(), one.key, one.theirs - one.ours, "balance at first start"
                )
                continue
            instrument = state.instruments[one.key]
            entry = instrument.ticks_of(decimal_of(one.entry), rounding=ROUND_HALF_EVEN)
            cost = instrument.notional_units(entry, one.theirs)
            yield PositionAdopted(*state.stamp(), FOREIGN, one.key, one.theirs, cost)

    def _tell(self, mismatches: list[Mismatch]) -> Iterator[Record]:
        """Record each lasting difference once; a position difference blocks its instrument."""
        state = self.state
        now = {(one.subject, one.key): (one.ours, one.theirs) for one in mismatches}
        for one in mismatches:
            if self.told.get((one.subject, one.key)) == (one.ours, one.theirs):
                continue
            ours, theirs = describe(one, state.instruments)
            blocks = one.subject == "position"
            action = "blocked" if blocks else "told"
            yield DifferenceFound(*state.stamp(), one.subject, one.key, ours, theirs, action)
            yield IncidentRaised(
                *state.stamp(), f"{one.subject}_difference", one.key, f"ours {ours}, venue {theirs}"
            )
            if blocks and one.key not in state.safety.blocks:
                yield Blocked(*state.stamp(), one.key, _REASON)
        self.told = now

    def _again(self, after_ns: int, trigger: str) -> None:
        self.next_ns = self.state.ts_ns + after_ns
        self.next_trigger = trigger
