"""Run strategies over recorded bars: the core of live trading, on paper, in the bars' own time.

Each bar becomes the input the venue would have sent, ``delay_ns`` after its close. The open of a
bar is said, as a ticker, only where an order or a stop waits for it. Nothing is journaled: inputs
and decisions go through ``apply`` and ``decide`` as they do live, and a ``Watch`` takes notes.
"""

from collections.abc import Callable
from time import perf_counter

from plimsoll.backtest.plan import Plan, Row, merged, settings_of
from plimsoll.backtest.results import Results
from plimsoll.backtest.watch import Watch
from plimsoll.core.engine import Core
from plimsoll.core.records import (
    BarChanged,
    ClockMeasured,
    Configured,
    InstrumentListed,
    LeaseTaken,
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
    for count, (place, row) in enumerate(merged(plan.series), start=1):
        runner.bar(place, row)
        if progress is not None and not count % _EACH:
            progress(count, runner.now_ns)
    runner.end()
    return runner.watch.results(perf_counter() - began)


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
        self._is_begun = False

    def bar(self, place: int, row: Row) -> None:
        """Let one bar happen: first its open, where somebody waits, then the bar."""
        start_ms, first, high, low, last, volume = row
        plan, name, core = self.plan, self.names[place], self.core
        if not self._is_begun:
            self._begin(start_ms * _MS)
        if core.awaits(name):
            # A request of the last bar's close takes effect once its latency is over.
            at = max(start_ms * _MS, self.now_ns + plan.latency_ns)
            self._timers(at)
            self._take(
                TickerChanged(self.seq + 1, at, 1, 0, name, first, 0.0, 0.0, 0.0, 0, start_ms)
            )
        closed_ms = start_ms + self._span_ms
        ts_ns = max(closed_ms * _MS + plan.delay_ns, self.now_ns)
        self._timers(ts_ns)
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

    def end(self) -> None:
        """End the session: orders are cancelled, positions are left and valued as they are."""
        if self._is_begun:
            self._take(SessionStopping(*self._stamp(), "the data ends"))

    def _begin(self, ts_ns: int) -> None:
        self._is_begun, self.now_ns = True, ts_ns
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
