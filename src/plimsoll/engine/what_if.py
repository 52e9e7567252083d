"""What another strategy would have done: run on paper over the recorded inputs of a session.

Three courses of one instance stand beside each other. *Done*: what the session recorded. *Again*:
the session's own code once more, on paper. *Changed*: the other code, on paper. The first two
differ by the paper model alone, the last two by the code alone.

The market comes from the log, frame by frame; so do clock, signals, and the halts and pauses people
gave. What the account's own orders brought (answers, reports, executions) is left out: there are
none on paper. Timers are the run's own, fired when the recorded session fired them where it did.
"""

import json
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from plimsoll.core.engine import Core, Load, State
from plimsoll.core.model import Mode, OrderState, scope_of, strategy_of
from plimsoll.core.records import (
    DECISIONS,
    FRAME_KIND,
    MARKET_INPUTS,
    BarReported,
    CallbackCut,
    ClockMeasured,
    Configured,
    InstrumentListed,
    LeaseTaken,
    LinkChanged,
    OperatorCommand,
    PaperReported,
    QueryAnswered,
    QueryIntended,
    Record,
    SessionStopping,
    SignalReceived,
    SpaceChanged,
    StrategyRestored,
    StreamChanged,
    Telemetry,
    TimerFired,
    Woken,
)
from plimsoll.core.settings import CoreSettings, StrategySettings, from_text, to_text
from plimsoll.core.strategy import Strategy
from plimsoll.engine.course import Course, Parting, parting
from plimsoll.engine.guard import PAST_LIMIT_NS, CallbackHung, guarded
from plimsoll.engine.reading import EntryReader, record_of
from plimsoll.engine.replay import cut_callbacks
from plimsoll.engine.restoring import forget_news
from plimsoll.journal import MARKET, TRADING, Entry, merge, scan

_DECISIONS: Final = frozenset(DECISIONS)
_HEARD: Final = frozenset({
    *MARKET_INPUTS, LeaseTaken, InstrumentListed, ClockMeasured, StreamChanged, SpaceChanged, Woken,
    SessionStopping, TimerFired,
})  # fmt: skip
_CONDITIONS: Final = frozenset({"halt", "pause", "resume"})
"""Commands that are conditions of the session and not acts of a person in the instance's place."""
_CHANGES: Final = frozenset({"strategy-set", "strategy-reload", "executors-cancel"})
"""What people did to an instance: the same code meets it again, another one does not."""
_SLACK_NS: Final = 1_000_000
"""How late a timer of the run's own fires, as one of the process does."""
SAME_NS: Final = 1_000_000_000
"""The same request so much earlier or later is the same: fills of paper and venue are milliseconds
apart, and so are timers of the process and of the run."""
_MINUTE_MS: Final = 60_000


class WhatIf(NamedTuple):
    """The answer."""

    epoch: int
    owner: str
    mode: Mode
    """Of the instance in the session."""
    begun_ns: int
    ended_ns: int
    done: Course
    again: Course
    changed: Course
    parting: Parting | None
    """Where *done* and *changed* part: by the code, and in a live session by the paper model."""
    by_code: Parting | None
    """Where *again* and *changed* part."""
    notes: tuple[str, ...]
    """What this run in particular could not take from the log."""


class Session(NamedTuple):
    """What a session's log says of who traded in it."""

    epoch: int
    settings: CoreSettings

    def instance(self, name: str) -> StrategySettings | None:
        """Return an instance by its name."""
        return next((one for one in self.settings.strategies if one.name == name), None)


def session_of(journal_dir: Path, epoch: int) -> Session:
    """Return the settings of a session.

    Raises:
        KeyError: there is no such session, or it broke off before it was configured.
        JournalDamaged: the log is not whole.
    """
    for entry in scan(journal_dir, TRADING):
        if entry.epoch > epoch:
            break
        if entry.epoch == epoch and entry.kind != FRAME_KIND:
            record = record_of(entry)
            if isinstance(record, Configured):
                return Session(epoch, from_text(record.settings))
    raise KeyError(epoch)


def what_if(
    journal_dir: Path,
    session: Session,
    owner: str,
    changed: StrategySettings,
    load: Load,
    callback_limit_ns: int = PAST_LIMIT_NS,
) -> WhatIf:
    """Return what a changed instance would have done in a session, beside what was done.

    Args:
        journal_dir: The account's journal.
        session: The session.
        owner: The instance that is replaced.
        changed: Its settings with the other code and parameters.
        load: Makes strategies, of the session's code and of the other.
        callback_limit_ns: Processor time a callback may take, 0 = any.

    Raises:
        JournalDamaged: the logs are not whole.
        CallbackHung: a callback does not return.
    """
    entry = session.instance(owner)
    assert entry is not None
    done = _Done(owner)
    again = _Run(session.settings, entry, load, is_same=True)
    other = _Run(session.settings, changed, load, is_same=False)
    cuts = cut_callbacks(journal_dir, session.epoch)
    again_bars = _Bars(journal_dir, session.epoch)
    again.bars = other.bars = again_bars
    again.fired = other.fired = _fired(journal_dir, session.epoch)
    reader, begun_ns, ended_ns = EntryReader(), 0, 0
    with guarded(callback_limit_ns, again.core.turns, other.core.turns):
        for one in merge(scan(journal_dir, TRADING), scan(journal_dir, MARKET)):
            if one.epoch > session.epoch:
                break
            if one.epoch < session.epoch:
                _before(one, (done.core, again.core, other.core))
                continue
            record = reader.record(one)
            if record is None or isinstance(record, Telemetry):
                continue
            begun_ns, ended_ns = begun_ns or record.ts_ns, record.ts_ns
            done.take(record)
            if type(record) not in _DECISIONS:
                again.take(record)
                other.take(record)
    for run in (done, again, other):
        run.course.end(run.core.state)
    notes = list(dict.fromkeys((*again.notes, *other.notes)))
    notes += _refused(other.course)
    if cuts:
        notes.append("a callback was cut off in the session: here each takes the time it takes")
    return WhatIf(
        session.epoch,
        owner,
        entry.mode,
        begun_ns,
        ended_ns,
        done.course,
        again.course,
        other.course,
        parting(done.course, other.course, SAME_NS),
        parting(again.course, other.course),
        tuple(notes),
    )


def _refused(course: Course) -> Iterator[str]:
    """Yield what the changed code was refused at once: it asks wrongly."""
    for one in course.refused.values():
        call = f"{one.ask} {one.instrument}"
        yield f"changed: {call} refused at once, {one.times:,} x: {one.code}: {one.text}"


def _before(entry: Entry, cores: tuple[Core, ...]) -> None:
    if entry.kind == FRAME_KIND:
        return
    record = record_of(entry)
    if not isinstance(record, Telemetry):
        for core in cores:
            core.apply(record)


def _fired(journal_dir: Path, epoch: int) -> list[tuple[int, int]]:
    """Return when the session's own timers fired, and when each was due."""
    return [
        (record.ts_ns, record.due_ns)
        for entry in scan(journal_dir, TRADING)
        if entry.epoch == epoch
        and entry.kind != FRAME_KIND
        and isinstance(record := record_of(entry), TimerFired)
    ]


class _Bars:
    """The minutes a session fetched, for a run that asks for some."""

    def __init__(self, journal_dir: Path, epoch: int) -> None:
        self._by_name: defaultdict[str, dict[int, BarReported]] = defaultdict(dict)
        for entry in scan(journal_dir, TRADING):
            if entry.epoch == epoch and entry.kind != FRAME_KIND:
                record = record_of(entry)
                if isinstance(record, BarReported):
                    self._by_name[record.instrument][record.start_ms] = record

    def known(self, query: QueryIntended, now_ms: int) -> list[BarReported]:
        """Return what was fetched of an instrument and was over by now, oldest first."""
        found = self._by_name[query.instrument]
        return [
            found[start]
            for start in sorted(found)
            if query.since_ms <= start and start + _MINUTE_MS <= now_ms
        ]


class _Done:
    """The session as it was recorded."""

    def __init__(self, owner: str) -> None:
        self.core = Core()
        self.course = Course(owner)
        self._is_begun = False

    def take(self, record: Record) -> None:
        if not self._is_begun:
            self._is_begun = True
            forget_news(self.core.state)
        self.core.apply(record)
        forget_news(self.core.state)
        self.course.hear(self.core.state, record)


class _Run:
    """One instance on paper over a session's inputs; all others are there and do nothing."""

    def __init__(
        self, settings: CoreSettings, entry: StrategySettings, load: Load, *, is_same: bool
    ) -> None:
        self.owner = entry.name
        self.course = Course(entry.name)
        self.fired: list[tuple[int, int]] = []
        self.bars: _Bars | None = None
        self.notes: dict[str, None] = {}
        self._is_same = is_same
        self._is_begun = False
        self._seq = self._fired_ns = 0
        # All of them stay, so that each has its own random stream.
        self._settings = msgspec.structs.replace(
            settings, strategies=tuple(_placed(one, entry) for one in settings.strategies)
        )
        self.core = Core(lambda one: load(one) if one.name == entry.name else Strategy(), State())

    def take(self, record: Record) -> None:
        """Take an input of the session, as far as it is one of this run."""
        if not self._is_begun:
            self._begin(record)
        if not self._concerns(record):
            return
        self._timers(record)
        if isinstance(record, TimerFired):
            self._fired_ns = record.ts_ns
        if isinstance(record, Configured):
            self._put(Configured(*self._stamp(record), to_text(self._settings)))
        else:
            self._put(msgspec.structs.replace(record, seq=self._seq + 1))

    def _begin(self, first: Record) -> None:
        """End what a live session had at the venue: its orders are none of this run's."""
        self._is_begun = True
        state = self.core.state
        forget_news(state)
        self._seq = max(first.seq - 1, state.seq)
        if not self._is_same:
            state.changes.parameters.pop(strategy_of(self.owner), None)
        for other in state.checkpoints.keys() - {self.owner}:
            del state.checkpoints[other]
        for order in list(state.orders.working.values()):
            if not order.is_paper:
                self._seq += 1
                told = (order.price_ticks, order.qty_lots, "a session before")
                self.core.apply(
                    PaperReported(
                        self._seq, first.ts_ns, first.epoch, 0, order.id, OrderState.CANCELED, *told
                    )
                )
                if order.owner == self.owner:
                    self.notes["orders that worked when the session began count as cancelled"] = (
                        None
                    )
        forget_news(state)

    def _concerns(self, record: Record) -> bool:
        if type(record) in _HEARD or isinstance(record, Configured):
            return True
        if isinstance(record, LinkChanged):
            return record.link.startswith("public")
        if isinstance(record, SignalReceived | StrategyRestored):
            return record.owner == self.owner
        return isinstance(record, OperatorCommand) and self._is_condition(record)

    def _is_condition(self, command: OperatorCommand) -> bool:
        try:
            args = json.loads(command.args or "{}")
            whose = self.owner if command.cmd == "executors-cancel" else strategy_of(self.owner)
            if command.cmd in _CHANGES and args.get("strategy") == whose:
                if not self._is_same:
                    what = f"`{command.cmd.replace('-', ' ')}` of the session is not done again"
                    self.notes[what] = None
                return self._is_same
            scope = scope_of(str(args.get("scope", "")))
        except (ValueError, AttributeError):
            return False
        return command.cmd in _CONDITIONS and scope.owner in ("", self.owner)

    def _timers(self, record: Record) -> None:
        """Fire what is due before an input, but for what the session itself fired."""
        core = self.core
        while (due := core.wake_ns) and due + _SLACK_NS < record.ts_ns:
            place = bisect_left(self.fired, (max(due, self._fired_ns + 1), 0))
            if place < len(self.fired) and self.fired[place][1] <= due:
                return  # it comes as an input: one firing did for all that was due by then
            at = max(due + _SLACK_NS, core.ts_ns)
            self._put(TimerFired(self._seq + 1, at, record.epoch, 0, due))
            if core.wake_ns == due:
                return  # nothing came of it

    def _stamp(self, like: Record) -> tuple[int, int, int, int]:
        return self._seq + 1, like.ts_ns, like.epoch, 0

    def _put(self, record: Record) -> None:
        core, course = self.core, self.course
        self._seq = record.seq
        core.apply(record)
        course.hear(core.state, record)
        queries = []
        for decision in core.decide(record):
            self._seq = decision.seq
            core.apply(decision)
            course.hear(core.state, decision)
            if isinstance(decision, CallbackCut):
                raise CallbackHung(decision)
            if isinstance(decision, QueryIntended) and decision.kind == "bars":
                queries.append(decision)
        for query in queries:
            for answer in self._answers(query, record):
                self._put(answer)

    def _answers(self, query: QueryIntended, cause: Record) -> Iterator[Record]:
        """Yield the bars a strategy asks for at its start, as the session fetched them."""
        assert self.bars is not None
        now_ms = (cause.ts_ns + self.core.safety.clock_offset_ns) // 1_000_000
        found = self.bars.known(query, now_ms)
        wanted = (now_ms - query.since_ms) // _MINUTE_MS - 1
        if len(found) < wanted:
            what = f"{query.instrument}: of {wanted} minutes to begin with the log has {len(found)}"
            self.notes[what] = None
        for bar in found:
            yield msgspec.structs.replace(
                bar,
                seq=self._seq + 1,
                ts_ns=cause.ts_ns,
                query_id=query.query_id,
            )
        stamp = self._stamp(cause)
        yield QueryAnswered(*stamp, query.query_id, True, len(found), "")


def _placed(one: StrategySettings, entry: StrategySettings) -> StrategySettings:
    if one.name == entry.name:
        return msgspec.structs.replace(entry, mode=Mode.PAPER)
    return msgspec.structs.replace(one, mode=Mode.PAPER, instruments=(), frames={})
