"""Run strategies over recorded bars: the core of live trading, on paper, in the bars' own time.

Each bar becomes the input the venue would have sent, ``delay_ns`` after its close. The open of a
bar is said, as a ticker, only where an order or a stop waits for it. Nothing is journaled: inputs
and decisions go through ``apply`` and ``decide`` as they do live, and a ``Watch`` takes notes.
"""

from collections.abc import Callable, Iterator
from time import perf_counter

from plimsoll.backtest.intrabar import Kind, events
from plimsoll.backtest.past import Past
from plimsoll.backtest.plan import Plan, Row, merged, settings_of
from plimsoll.backtest.results import Results
from plimsoll.backtest.watch import Watch
from plimsoll.core.engine import Core
from plimsoll.core.records import (
    BarChanged,
    BarWalked,
    ClockMeasured,
    Configured,
    FundingReported,
    InstrumentListed,
    LeaseTaken,
    MarkBarChanged,
    Record,
    SessionStopping,
    TickerChanged,
    TimerFired,
)
from plimsoll.core.settings import to_text

_MS: int = 1_000_000
Progress = Callable[[int, int], None]
"""Called now and then with the bars done and the time reached, Unix ns."""

_EACH = 4_096


def run(plan: Plan, progress: Progress | None = None) -> Results:
    """Return what the plan's strategies would have done.

    The same plan over the same rows gives the same results, by their hash.
    """
    began = perf_counter()
    runner = _Runner(plan)
    rows = _finer_too(plan, runner) if plan.finer_ns else merged(plan.series)
    for count, (place, row) in enumerate(rows, start=1):
        runner.bar(place, row)
        if progress is not None and not count % _EACH:
            progress(count, runner.now_ns)
    runner.end()
    return runner.watch.results(perf_counter() - began, [one.told for one in runner.past])


def _finer_too(plan: Plan, runner: "_Runner") -> Iterator[tuple[int, Row]]:
    """Yield the bars, once the finer ones inside have happened."""
    for one in events(plan.series, plan.span_ns, plan.finer_ns):
        if one.kind is Kind.BAR:
            yield one.place, one.row
        else:
            runner.finer(one.place, one.row, is_last=one.kind is Kind.LAST_FINER)


class _Runner:
    """The loop: stamps inputs, applies, decides, applies what was decided."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.names = [one.instrument.name for one in plan.series]
        self.core = Core(plan.load)
        self.watch = Watch(plan, self.core)
        self.seq = 0
        self.now_ns = 0
        self._span_ms = plan.span_ns // _MS
        self._finer_ms = plan.finer_ns // _MS
        walked_ms = self._finer_ms or self._span_ms
        self.past = [Past(one.rates, one.marks, walked_ms) for one in plan.series]
        self.began_ms = 0
        self.walked_ms = [0] * len(plan.series)
        self._is_begun = False

    def bar(self, place: int, row: Row) -> None:
        """Let one bar happen: first its open, where somebody waits, then the bar."""
        start_ms, first, high, low, last, volume = row
        plan, name = self.plan, self.names[place]
        closed_ms = start_ms + self._span_ms
        if self.walked_ms[place] > start_ms:  # its finer bars have been: it is only heard
            ts_ns = max(closed_ms * _MS + plan.delay_ns, self.now_ns)
            self._timers(ts_ns)
        else:
            ts_ns = self._open(place, row, self._span_ms)
        self._take(
            BarChanged(
                self.seq + 1,
                ts_ns,
                1,
                0,
                name,
                start_ms,
                first,
                high,
                low,
                last,
                volume,
                True,
                closed_ms,
            )
        )
        self.watch.bar(place, row, ts_ns)

    def finer(self, place: int, row: Row, *, is_last: bool) -> None:
        """Let a finer bar happen that paper orders meet: where one waits, and at the end."""
        start_ms, first, high, low, last, _volume = row
        name, end_ms = self.names[place], row[0] + self._finer_ms
        ts_ns = self._open(place, row, self._finer_ms)
        self.walked_ms[place] = end_ms
        if is_last or self.core.attends(name):
            prices = (first, high, low, last)
            stamp = (self.seq + 1, ts_ns, 1, 0)
            self._take(BarWalked(*stamp, name, start_ms, end_ms, *prices))

    def _open(self, place: int, row: Row, span_ms: int) -> int:
        """Say the open of a bar, where somebody waits, and what else is known of its time.

        Returns:
            When the bar is heard.
        """
        start_ms, first = row[0], row[1]
        plan, name, core, past = self.plan, self.names[place], self.core, self.past[place]
        if not self._is_begun:
            self._begin(start_ms * _MS)
        if past.next_ms <= start_ms:
            self._fund(place, start_ms)
        mark = past.mark_bar(start_ms) if span_ms == past.span_ms else None
        if core.awaits(name):
            # A request of the last bar's close takes effect once its latency is over.
            at = max(start_ms * _MS, self.now_ns + plan.latency_ns)
            self._timers(at)
            marked = mark[1] if mark is not None else 0.0
            stamp = (self.seq + 1, at, 1, 0)
            self._take(TickerChanged(*stamp, name, first, marked, 0.0, None, 0, start_ms))
        if past.next_ms < start_ms + span_ms:
            self._fund(place, start_ms + span_ms - 1)
        ts_ns = max((start_ms + span_ms) * _MS + plan.delay_ns, self.now_ns)
        self._timers(ts_ns)
        if mark is not None:
            stamp = (self.seq + 1, ts_ns, 1, 0)
            self._take(MarkBarChanged(*stamp, name, start_ms, *mark[1:5]))
        return ts_ns

    def _fund(self, place: int, until_ms: int) -> None:
        """Let the fundings up to a moment be paid by what is held now."""
        name = self.names[place]
        price = self.core.markets[name].last
        for due in self.past[place].due(until_ms, self.began_ms, price):
            ts_ns = max(due.at_ms * _MS, self.now_ns)
            terms = (due.at_ms, due.rate_e12, due.mark_e8, 0)
            self._take(FundingReported(self.seq + 1, ts_ns, 1, 0, name, *terms))

    def end(self) -> None:
        """End the session: orders are cancelled, positions are left and valued as they are."""
        if self._is_begun:
            self._take(SessionStopping(*self._stamp(), "the data ends"))

    def _begin(self, ts_ns: int) -> None:
        self._is_begun, self.now_ns, self.began_ms = True, ts_ns, ts_ns // _MS
        self._take(LeaseTaken(*self._stamp(), "backtest", "bt", "backtest", "backtest"))
        self._take(Configured(*self._stamp(), to_text(settings_of(self.plan))))
        for one in self.plan.series:
            self._take(InstrumentListed(*self._stamp(), one.instrument))
        self._take(ClockMeasured(*self._stamp(), 0, _MS))

    def _stamp(self) -> tuple[int, int, int, int]:
        return self.seq + 1, self.now_ns, 1, 0

    def _timers(self, until_ns: int) -> None:
        """Fire what is due before the next input."""
        while 0 < (due := self.core.wake_ns) <= until_ns:
            at = max(due, self.now_ns)
            self._take(TimerFired(self.seq + 1, at, 1, 0, due))
            if self.core.wake_ns == due:
                return  # nothing came of it: it would be due for ever

    def _take(self, record: Record) -> None:
        self.seq, self.now_ns = record.seq, record.ts_ns
        core = self.core
        core.apply(record)
        for decision in core.decide(record):
            self.seq = decision.seq
            core.apply(decision)
            self.watch.decided(decision)
