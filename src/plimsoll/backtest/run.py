"""Run strategies over bars: the core of live trading, on paper, in data time.

Each bar becomes the input the venue would have sent, ``delay_ns`` after its close. The open of a
bar is said, as a ticker, only where an order or a stop waits for it. Nothing is journaled: inputs
and decisions go through ``apply`` and ``decide`` as they do live, and a ``Watch`` takes notes.

Bars that nothing waits for, which are most, go through ``QuietBars`` in one go: it does what
``apply`` and ``decide`` would do, and stops where they would do more.
"""

from collections.abc import Callable, Collection, Iterable
from itertools import groupby
from time import perf_counter

from plimsoll.backtest.intrabar import Event, Kind, events
from plimsoll.backtest.past import Past
from plimsoll.backtest.plan import Placed, Plan, Row, merged, settings_of
from plimsoll.backtest.results import Results
from plimsoll.backtest.watch import Watch
from plimsoll.core.engine import Core, QuietBars
from plimsoll.core.feed import BarMarket
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
from plimsoll.engine.guard import guarded

_MS: int = 1_000_000
Progress = Callable[[int, int], None]
"""Called now and then with the bars done and the time reached, Unix ns."""

_EACH = 4_096


def run(plan: Plan, progress: Progress | None = None, *, is_plain: bool = False) -> Results:
    """Return what the plan's strategies would have done.

    The same plan over the same rows gives the same results, by their hash. ``is_plain``: every bar
    is a record that is applied and decided about, quiet or not; slower, and the same results.

    Raises:
        CallbackHung: a strategy did not return.
    """
    began = perf_counter()
    runner = _Runner(plan, is_plain=is_plain)
    tell = progress or (lambda _count, _ts_ns: None)
    with guarded(plan.callback_limit_ns, runner.core.turns):
        if plan.finer_ns:
            _play_finer_too(plan, runner, tell)
        else:
            _play(plan, runner, tell)
        runner.end()
    return runner.watch.results(perf_counter() - began, [one.told for one in runner.past])


def _play(plan: Plan, runner: "_Runner", tell: Progress) -> None:
    count = 0
    for bars in merged(plan.series, plan.span_ns):
        runner.bars(bars)
        count += len(bars)
        tell(count, runner.now_ns)


def _play_finer_too(plan: Plan, runner: "_Runner", tell: Progress) -> None:
    """Let each bar happen once the finer ones inside have."""
    count = told = 0
    found = events(plan.series, plan.span_ns, plan.finer_ns)
    for (_, kind), moment in groupby(
        found, lambda one: (one.end_ms, max(one.kind, Kind.LAST_FINER))
    ):
        group = list(moment)
        bars = [(one.place, one.row) for one in group]
        if kind is Kind.OPEN:
            runner.opened(bars)
            continue
        if kind is not Kind.BAR:
            runner.finer(group)
            continue
        runner.coarse(bars)
        count += len(group)
        if count >= told + _EACH:
            told = count
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
            if len(self.names) > 1:
                at = self._of_many(bars, at)
                continue
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

    def coarse(self, group: list[Placed]) -> None:
        """Let bars that close together happen; those whose finer bars have been are only heard."""
        left = [one for one in group if self.walked_ms[one[0]] <= one[1][0]]
        ends = [self._reach_end(place, row, self._span_ms, None) for place, row in left]
        if len(self.names) > 1:
            self._walk(left, ends, self._span_ms)
        self._timers((group[0][1][0] + self._span_ms) * _MS + self.plan.delay_ns)
        self._hear_all(group)

    def opened(self, group: list[Placed]) -> None:
        """Let bars without finer ones begin."""
        if not self._is_begun:
            self._begin(group[0][1][0] * _MS)
        self._open_all(group, [None] * len(group))

    def finer(self, group: list[Event]) -> None:
        """Let finer bars happen that paper orders meet: where one waits, and at the end."""
        if not self._is_begun:
            self._begin(group[0].row[0] * _MS)
        last = {one.place for one in group if one.kind is Kind.LAST_FINER}
        bars = [(one.place, one.row) for one in group]
        self._walk(bars, self._reach_ends(bars, self._finer_ms), self._finer_ms, last)
        for one in group:
            self.walked_ms[one.place] = one.row[0] + self._finer_ms

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

    def _of_many(self, bars: list[Placed], at: int) -> int:
        """Let bars of several instruments happen, up to the end of a group; return the next place.

        A group are the bars that close at one time. All of them have met what waited for them, and
        all prices are known, before one is heard: what is asked for then meets none of them.
        """
        reached = self._quietly_of_many(bars, at, len(bars))
        if reached > at:
            return reached
        group = _of_one_time(bars, at, bars[at][1][0])
        ends = self._reach_ends(group, self._span_ms)
        for place, _ in group:
            self._quiet.news_ms[place] = self.past[place].news_ms(self._span_ms)
        begun, end = at, at + len(group)
        while at < end and (reached := self._quietly_of_many(bars, at, end)) > at:
            at = reached
        left = slice(at - begun, None)
        self._walk(group[left], ends[left], self._span_ms)
        self._hear_all(group[left])
        return end

    def _quietly_of_many(self, bars: list[Placed], at: int, end: int) -> int:
        """Let bars happen that nothing waits for; return the place of the first other one."""
        watch = self.watch
        if self.is_plain:
            return at
        last = end if watch.is_patient else at + 1
        at, following = self._quiet.take(bars, at, last, watch.heard.append, self._follow)
        if following is not None:
            self._follow(following)
            watch.bar(*bars[at], self.now_ns)
            rest = _of_one_time(bars, at + 1, bars[at][1][0])
            self._hear_all(rest)
            at += 1 + len(rest)
        if not watch.is_patient:
            watch.measure()
        return at

    def _reach_ends(self, group: list[Placed], span_ms: int) -> list[int]:
        """Let the time of bars of one time pass, from their opens; return when they are heard."""
        marks = [self._mark(place, row, span_ms) for place, row in group]
        self._open_all(group, marks)
        return [
            self._reach_end(place, row, span_ms, mark)
            for (place, row), mark in zip(group, marks, strict=True)
        ]

    def _open_all(self, group: list[Placed], marks: list[Row | None]) -> None:
        """Let bars of one time begin: say the opens somebody waits for."""
        core, names = self.core, self.names
        for place, row in group:
            if self.past[place].next_ms <= row[0]:
                self._fund(place, row[0])
        left = list(zip(group, marks, strict=True))
        while due := [one for one in left if core.awaits(names[one[0][0]])]:
            left = [one for one in left if one not in due]  # an open may lead to requests elsewhere
            for (place, row), mark in due:
                self._say_open(place, row, mark)

    def _walk(
        self,
        group: list[Placed],
        ends: list[int],
        span_ms: int,
        whole: Collection[int] | None = None,
    ) -> None:
        """Let what waits meet bars that nobody hears yet.

        ``whole``: places of finer bars that end a longer one; of the others only what is attended
        to is walked. None: all of them are.
        """
        for (place, row), ts_ns in zip(group, ends, strict=True):
            start_ms, first, high, low, last, _volume = row
            name, end_ms = self.names[place], start_ms + span_ms
            market = self.core.markets[name]
            assert isinstance(market, BarMarket)
            is_seen = whole is None or place in whole or self.core.attends(name)
            if is_seen and market.walked_ms < end_ms:
                stamp = self._stamp(max(ts_ns, self.now_ns))
                self._take(BarWalked(*stamp, name, start_ms, end_ms, first, high, low, last))

    def _hear_all(self, group: list[Placed]) -> None:
        """Let bars be heard that are over."""
        for place, row in group:
            ts_ns = (row[0] + self._span_ms) * _MS + self.plan.delay_ns
            self._hear(place, row, max(ts_ns, self.now_ns))

    def _open(self, place: int, row: Row, span_ms: int) -> int:
        """Say the open of a bar, where somebody waits, and what else is known of its time.

        Returns:
            When the bar is heard.
        """
        if self.past[place].next_ms <= row[0]:
            self._fund(place, row[0])
        mark = self._mark(place, row, span_ms)
        if self.core.awaits(self.names[place]):
            self._say_open(place, row, mark)
        return self._reach_end(place, row, span_ms, mark)

    def _mark(self, place: int, row: Row, span_ms: int) -> Row | None:
        past = self.past[place]
        return past.mark_bar(row[0]) if span_ms == past.span_ms else None

    def _say_open(self, place: int, row: Row, mark: Row | None) -> None:
        """Let requests of the last bar's close take effect, once their latency is over."""
        start_ms, first, name = row[0], row[1], self.names[place]
        at = max(start_ms * _MS, self.core.ts_ns + self.plan.latency_ns)
        self._timers(at)
        marked = mark[1] if mark is not None else 0.0
        self._take(TickerChanged(*self._stamp(at), name, first, marked, 0.0, None, 0, start_ms))

    def _reach_end(self, place: int, row: Row, span_ms: int, mark: Row | None) -> int:
        """Let the time of a bar pass, with its fundings and timers; return when it is heard."""
        start_ms, name = row[0], self.names[place]
        if self.past[place].next_ms < start_ms + span_ms:
            self._fund(place, start_ms + span_ms - 1)
        ts_ns = max((start_ms + span_ms) * _MS + self.plan.delay_ns, self.core.ts_ns)
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


def _of_one_time(bars: list[Placed], at: int, start_ms: int) -> list[Placed]:
    """Return the bars from a place on that begin at a time."""
    found = []
    while at < len(bars) and bars[at][1][0] == start_ms:
        found.append(bars[at])
        at += 1
    return found
