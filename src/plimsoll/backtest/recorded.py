"""Run strategies over recorded books and prints: the core of live trading, on paper.

Each input is made, applied and decided upon as the engine does it live, at the time it arrived;
timers fire when they are due. Paper orders meet the recorded books and prints as they do on paper:
the same queue model, the same latency. Nothing is journaled; a ``RecordedWatch`` takes notes.
"""

from collections.abc import Iterable, Iterator
from time import perf_counter
from typing import Final

from plimsoll.backtest.minutes import Minutes
from plimsoll.backtest.plan import Row
from plimsoll.backtest.recorded_watch import RecordedWatch
from plimsoll.backtest.results import Results
from plimsoll.backtest.run import Progress
from plimsoll.backtest.tapes import Arrival, RecordedPlan, arrivals_of, settings_of
from plimsoll.core.engine import Core, State
from plimsoll.core.records import (
    BarReported,
    BookChanged,
    ClockMeasured,
    Configured,
    InstrumentListed,
    LeaseTaken,
    PublicTraded,
    QueryAnswered,
    QueryIntended,
    Record,
    SessionStopping,
    TimerFired,
)
from plimsoll.core.settings import to_text
from plimsoll.engine.guard import guarded

_MS: Final = 1_000_000
_EACH: Final = 4_096
_NEVER: Final = 1 << 62


def run_recorded(plan: RecordedPlan, progress: Progress | None = None) -> Results:
    """Return what the plan's strategies would have done.

    The same plan over the same tapes gives the same results, by their hash.

    Raises:
        CallbackHung: a strategy did not return.
    """
    began = perf_counter()
    runner = Runner(plan)
    with guarded(plan.callback_limit_ns, runner.core.turns):
        runner.play(arrivals_of(plan.tapes), progress)
        runner.end()
    return runner.watch.results(perf_counter() - began)


class Runner:
    """The loop: stamps inputs, applies, decides, applies what was decided."""

    def __init__(self, plan: RecordedPlan, state: State | None = None) -> None:
        """Begin before the first input; ``state``: with what instances had by then."""
        self.plan = plan
        self.core = Core(plan.load, state)
        self.watch = RecordedWatch(plan, self.core)
        self.minutes = Minutes(plan.minutes_of, plan.delay_ns)
        self.seq = 0
        self.now_ns = 0
        self.inputs = 0
        self.due_ns = 0
        """When something happens by itself: before it no input has to ask (hot)."""
        self._alarms = 0
        """Of the core, when that was known."""
        self._asked: list[QueryIntended] = []

    def play(self, arrivals: Iterator[Arrival], progress: Progress | None = None) -> None:
        """Let everything happen that arrived, in order (hot)."""
        core, has_minutes = self.core, bool(self.plan.minutes_of)
        apply, decide, state, count = core.apply, core.decide, core.state, 0
        if self.plan.begin_ns:
            arrivals = self._after(arrivals, self.plan.begin_ns)
        for ts_ns, _, make, what in arrivals:
            if self.due_ns <= ts_ns:
                if not self.now_ns:
                    self._begin(ts_ns)
                self._until(ts_ns)
            record = make(what, self.seq + 1, ts_ns, 1)
            if record is None:
                continue
            count += 1
            if progress is not None and not count % _EACH:
                progress(count, ts_ns)
            self.seq, self.now_ns = record.seq, ts_ns
            apply(record)
            following = decide(record)
            if following:
                self._follow(following)
            elif type(record) is BookChanged and state.alarms == self._alarms:
                continue
            if has_minutes and type(record) is PublicTraded:
                self.minutes.add(record)
            self._note_due()
        self.watch.events = count

    def end(self) -> None:
        """End the session: orders are cancelled, positions are left and valued as they are."""
        if self.watch.events:
            self.watch.look(self.now_ns)
            self._take(SessionStopping(*self._stamp(), "the data ends"))

    # ---- inside ----

    def _after(self, arrivals: Iterator[Arrival], begin_ns: int) -> Iterator[Arrival]:
        """Yield what arrives from the beginning on; what came before makes the market alone."""
        for arrival in arrivals:
            ts_ns, _, make, what = arrival
            if ts_ns >= begin_ns:
                self.watch.begin(ts_ns)
                yield arrival
                yield from arrivals
                return
            if not self.now_ns:
                self._begin(ts_ns)
            record = make(what, self.seq + 1, ts_ns, 1)
            if record is not None:
                self.seq, self.now_ns = record.seq, ts_ns
                self.core.apply(record)

    def _begin(self, ts_ns: int) -> None:
        self.now_ns = ts_ns
        self._take(LeaseTaken(*self._stamp(), "backtest", "bt", "backtest", "backtest"))
        self._take(Configured(*self._stamp(), to_text(settings_of(self.plan))))
        for one in self.plan.series:
            self._take(InstrumentListed(*self._stamp(), one.instrument))
        self._take(ClockMeasured(*self._stamp(), self.plan.clock_offset_ns, _MS))
        self.watch.begin(ts_ns)

    def _stamp(self) -> tuple[int, int, int, int]:
        return self.seq + 1, self.now_ns, 1, 0

    def _note_due(self) -> None:
        self._alarms = self.core.state.alarms
        wake = self.core.wake_ns or _NEVER
        self.due_ns = min(wake, self.watch.due_ns, self.minutes.due_ns)

    def _until(self, until_ns: int) -> None:
        """Let everything happen by itself that is due before the next input, in order of time."""
        watch, minutes = self.watch, self.minutes
        self._note_due()
        while self.due_ns <= until_ns:
            due = self.due_ns
            if watch.due_ns == due:
                watch.look(due)
            elif minutes.due_ns == due:
                for make in minutes.closed(due):
                    self._take(make(*self._stamp_at(due)))
            else:
                self._take(TimerFired(*self._stamp_at(due), due))
                self._note_due()
                if self.due_ns == due:
                    break  # nothing came of it: it would be due for ever
                continue
            self._note_due()

    def _stamp_at(self, due_ns: int) -> tuple[int, int, int, int]:
        self.now_ns = max(due_ns, self.now_ns)
        return self._stamp()

    def _take(self, record: Record) -> None:
        self.seq, self.now_ns = record.seq, record.ts_ns
        self.core.apply(record)
        self._follow(self.core.decide(record))

    def _follow(self, decisions: Iterable[Record]) -> None:
        apply, decided = self.core.apply, self.watch.decided
        for decision in decisions:
            self.seq = decision.seq
            apply(decision)
            decided(decision)
            if type(decision) is QueryIntended and decision.kind == "bars":
                self._asked.append(decision)
        while self._asked:
            self._answer(self._asked.pop(0))

    def _answer(self, question: QueryIntended) -> None:
        """Fill the bar windows that an instance begins with."""
        history, count, name = self.plan.history, 0, question.instrument
        until_ms = (self.now_ns + self.plan.clock_offset_ns) // (60_000 * _MS) * 60_000
        scale = self.core.state.instruments[name].ticks_per_price
        for chunk in history(name, question.since_ms, until_ms) if history else ():
            for row in chunk:
                self._take(_reported(self._stamp(), name, row, scale, question.query_id))
                count += 1
        self._take(QueryAnswered(*self._stamp(), question.query_id, True, count, ""))


def _reported(
    stamp: tuple[int, int, int, int], name: str, row: Row, scale: float, query_id: int
) -> BarReported:
    start_ms, first, high, low, last, volume = row
    return BarReported(
        *stamp,
        instrument=name,
        start_ms=start_ms,
        open_ticks=int(first * scale + 0.5),
        high_ticks=int(high * scale + 0.5),
        low_ticks=int(low * scale + 0.5),
        close_ticks=int(last * scale + 0.5),
        volume_lots=volume,
        query_id=query_id,
    )
