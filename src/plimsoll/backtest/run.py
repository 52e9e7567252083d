"""Run strategies over bars: the core of live trading, on paper, in data time.

Each bar becomes the input the venue would have sent, ``delay_ns`` after its close. The open of a
bar is said, as a ticker, only where an order or a stop waits for it. Nothing is journaled: inputs
and decisions go through ``apply`` and ``decide`` as they do live, and a ``Watch`` takes notes.

Bars that nothing waits for, which are most, go through ``QuietBars`` in one go: it does what
``apply`` and ``decide`` would do, and stops where they would do more.
"""

from collections.abc import Callable, Iterable
from time import perf_counter

from plimsoll.backtest.intrabar import Kind, events
from plimsoll.backtest.past import Past
from plimsoll.backtest.plan import Placed, Plan, Row, merged, settings_of
from plimsoll.backtest.results import Results
from plimsoll.backtest.watch import Watch
from plimsoll.core.engine import Core, QuietBars
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


def run(plan: Plan, progress: Progress | None = None, *, is_plain: bool = False) -> Results:
    """Return what the plan's strategies would have done.

    The same plan over the same rows gives the same results, by their hash. ``is_plain``: every bar
    is a record that is applied and decided about, quiet or not; slower, and the same results.
    """
    began = perf_counter()
    runner = _Runner(plan, is_plain=is_plain)
    tell = progress or (lambda _count, _ts_ns: None)
    if plan.finer_ns:
        _play_finer_too(plan, runner, tell)
    else:
        _play(plan, runner, tell)
    runner.end()
    return runner.watch.results(perf_counter() - began, [one.told for one in runner.past])


def _play(plan: Plan, runner: "_Runner", tell: Progress) -> None:
    count = 0
    for bars in merged(plan.series):
        runner.bars(bars)
        count += len(bars)
        tell(count, runner.now_ns)


def _play_finer_too(plan: Plan, runner: "_Runner", tell: Progress) -> None:
    """Let each bar happen once the finer ones inside have."""
    count = 0
    for one in events(plan.series, plan.span_ns, plan.finer_ns):
        if one.kind is not Kind.BAR:
            runner.finer(one.place, one.row, is_last=one.kind is Kind.LAST_FINER)
            continue
        runner.bar(one.place, one.row)
        count += 1
        if not count % _EACH:
            tell(count, runner.now_ns)


class _Runner:
    """The loop: stamps inputs, applies, decides, applies what was decided."""

    def __init__(self, plan: Plan, *, is_plain: bool) -> None:
        """Begin before the first bar."""
        self.plan = plan
        self.is_plain = is_plain
        self.names = [one.instrument.name for one in plan.series]
        self.core = Core(plan.load)
        self.watch = Watch(plan, self.core)
        self._span_ms = plan.span_ns // _MS
        self._finer_ms = plan.finer_ns // _MS
        walked_ms = self._finer_ms or self._span_ms
        self.past = [Past(one.rates, one.marks, walked_ms) for one in plan.series]
        self._quiet = QuietBars(self.core, self.names, plan.span_ns + plan.delay_ns)
        self._quiet.news_ms = [one.news_ms(self._span_ms) for one in self.past]
        self.began_ms = 0
        self.walked_ms = [0] * len(plan.series)
        self._is_begun = False

    @property
    def now_ns(self) -> int:
        """Time of the newest input."""
        return self.core.ts_ns

    def bars(self, bars: list[Placed]) -> None:
        """Let bars without finer ones happen, one after the other."""
        if not self._is_begun:
            self._begin(bars[0][1][0] * _MS)
        at, count = 0, len(bars)
        while at < count:
            at = self._quietly(bars, at, count)
            if at < count:
                place, row = bars[at]
                ts_ns = self._open(place, row, self._span_ms)
                self._quiet.news_ms[place] = self.past[place].news_ms(self._span_ms)
                begun, at = at, self._quietly(bars, at, count)
                if at == begun:
                    self._hear(place, row, ts_ns)
                    at += 1
        self.watch.measure()

    def bar(self, place: int, row: Row) -> None:
        """Let one bar happen: first its open, where somebody waits, then the bar."""
        if self.walked_ms[place] > row[0]:  # its finer bars have been: it is only heard
            ts_ns = max((row[0] + self._span_ms) * _MS + self.plan.delay_ns, self.now_ns)
            self._timers(ts_ns)
        else:
            ts_ns = self._open(place, row, self._span_ms)
        self._hear(place, row, ts_ns)

    def finer(self, place: int, row: Row, *, is_last: bool) -> None:
        """Let a finer bar happen that paper orders meet: where one waits, and at the end."""
        start_ms, first, high, low, last, _volume = row
        name, end_ms = self.names[place], row[0] + self._finer_ms
        ts_ns = self._open(place, row, self._finer_ms)
        self.walked_ms[place] = end_ms
        if is_last or self.core.attends(name):
            prices = (first, high, low, last)
            self._take(BarWalked(*self._stamp(ts_ns), name, start_ms, end_ms, *prices))

    def end(self) -> None:
        """End the session: orders are cancelled, positions are left and valued as they are."""
        if self._is_begun:
            self._take(SessionStopping(*self._stamp(self.now_ns), "the data ends"))

    # ---- inside ----

    def _quietly(self, bars: list[Placed], at: int, end: int) -> int:
        """Let the bars happen that nothing waits for; return the place of the first other one."""
        watch = self.watch
        while at < end and not self.is_plain:
            first, last = at, end if watch.is_patient else at + 1
            at, following = self._quiet.take(bars, at, last, watch.heard.append, self._follow)
            if following is not None:
                self._follow(following)
                watch.bar(*bars[at], self.now_ns)
                at += 1
            elif at == first:
                break
            if not watch.is_patient:
                watch.measure()
        return at

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
            at = max(start_ms * _MS, core.ts_ns + plan.latency_ns)
            self._timers(at)
            marked = mark[1] if mark is not None else 0.0
            self._take(TickerChanged(*self._stamp(at), name, first, marked, 0.0, None, 0, start_ms))
        if past.next_ms < start_ms + span_ms:
            self._fund(place, start_ms + span_ms - 1)
        ts_ns = max((start_ms + span_ms) * _MS + plan.delay_ns, core.ts_ns)
        self._timers(ts_ns)
        if mark is not None:
            self._take(MarkBarChanged(*self._stamp(ts_ns), name, start_ms, *mark[1:5]))
        return ts_ns

    def _hear(self, place: int, row: Row, ts_ns: int) -> None:
        seq, closed_ms = self.core.seq + 1, row[0] + self._span_ms
        self._take(BarChanged(seq, ts_ns, 1, 0, self.names[place], *row, True, closed_ms))
        self.watch.bar(place, row, ts_ns)

    def _fund(self, place: int, until_ms: int) -> None:
        """Let the fundings up to a moment be paid by what is held now."""
        name, core = self.names[place], self.core
        price = core.markets[name].last
        for due in self.past[place].due(until_ms, self.began_ms, price):
            ts_ns = max(due.at_ms * _MS, core.ts_ns)
            terms = (due.at_ms, due.rate_e12, due.mark_e8, 0, due.next_ms)
            self._take(FundingReported(*self._stamp(ts_ns), name, *terms))

    def _begin(self, ts_ns: int) -> None:
        self._is_begun, self.began_ms = True, ts_ns // _MS
        self._take(LeaseTaken(*self._stamp(ts_ns), "backtest", "bt", "backtest", "backtest"))
        self._take(Configured(*self._stamp(ts_ns), to_text(settings_of(self.plan))))
        for one in self.plan.series:
            self._take(InstrumentListed(*self._stamp(ts_ns), one.instrument))
        self._take(ClockMeasured(*self._stamp(ts_ns), 0, _MS))

    def _stamp(self, ts_ns: int) -> tuple[int, int, int, int]:
        return self.core.seq + 1, ts_ns, 1, 0

    def _timers(self, until_ns: int) -> None:
        """Fire what is due before the next input."""
        core = self.core
        while 0 < (due := core.wake_ns) <= until_ns:
            self._take(TimerFired(*self._stamp(max(due, core.ts_ns)), due))
            if core.wake_ns == due:
                return  # nothing came of it: it would be due for ever

    def _take(self, record: Record) -> None:
        self.core.apply(record)
        self._follow(self.core.decide(record))

    def _follow(self, decisions: Iterable[Record]) -> None:
        """Apply each decision before the next is asked for."""
        core, watch = self.core, self.watch
        for decision in decisions:
            core.apply(decision)
            watch.decided(decision)
