"""Run strategies over bars: the core of live trading, on paper, in data time.

Each bar becomes the input the venue would have sent, ``delay_ns`` after its close. The open of a
bar is said, as a ticker, only where an order or a stop waits for it. Nothing is journaled: inputs
and decisions go through ``apply`` and ``decide`` as they do live (``Session``), and a ``Watch``
takes notes. Here bars are put in the order in which they happen.

Bars that nothing waits for, which are most, go through ``QuietBars`` in one go: it does what
``apply`` and ``decide`` would do, and stops where they would do more.
"""

from collections.abc import Callable, Collection
from itertools import groupby
from time import perf_counter

from plimsoll.backtest.intrabar import Event, Kind, events
from plimsoll.backtest.plan import Placed, Plan, Row, merged
from plimsoll.backtest.results import Results
from plimsoll.backtest.session import Session
from plimsoll.core.engine import QuietBars
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
    session = runner.session
    with guarded(plan.callback_limit_ns, session.core.turns):
        if plan.finer_ns:
            _play_finer_too(plan, runner, tell)
        else:
            _play(plan, runner, tell)
        session.end()
    return session.watch.results(perf_counter() - began, [one.told for one in session.past])


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
    """Lets bars happen: those nothing waits for in one go, the others one after the other."""

    def __init__(self, plan: Plan, *, is_plain: bool) -> None:
        """Begin before the first bar."""
        self.plan = plan
        self.is_plain = is_plain
        self.session = Session(plan)
        self._span_ms, self._finer_ms = self.session.span_ms, plan.finer_ns // _MS
        self._quiet = QuietBars(self.session.core, self.session.names, plan.span_ns + plan.delay_ns)
        self._quiet.news_ms = [one.news_ms(self._span_ms) for one in self.session.past]
        self.walked_ms = [0] * len(plan.series)

    @property
    def now_ns(self) -> int:
        """Time of the newest input."""
        return self.session.core.ts_ns

    def bars(self, bars: list[Placed]) -> None:
        """Let bars without finer ones happen, one after the other."""
        session = self.session
        session.begin(bars[0][1][0])
        at, count = 0, len(bars)
        while at < count:
            if len(session.names) > 1:
                at = self._of_many(bars, at)
                continue
            at = self._quietly(bars, at, count)
            if at < count:
                place, row = bars[at]
                ts_ns = session.open(place, row)
                self._quiet.news_ms[place] = session.past[place].news_ms(self._span_ms)
                begun, at = at, self._quietly(bars, at, count)
                if at == begun:
                    session.hear(place, row, ts_ns)
                    at += 1
        session.watch.measure()

    def coarse(self, group: list[Placed]) -> None:
        """Let bars that close together happen; those whose finer bars have been are only heard."""
        left = [one for one in group if self.walked_ms[one[0]] <= one[1][0]]
        session, span_ms = self.session, self._span_ms
        ends = [session.reach_end(place, row, span_ms, None) for place, row in left]
        if len(session.names) > 1:
            self._walk(left, ends, span_ms)
        session.fire_timers((group[0][1][0] + span_ms) * _MS + self.plan.delay_ns)
        self._hear_all(group)

    def opened(self, group: list[Placed]) -> None:
        """Let bars without finer ones begin."""
        self.session.begin(group[0][1][0])
        self._open_all(group, [None] * len(group))

    def finer(self, group: list[Event]) -> None:
        """Let finer bars happen that paper orders meet: where one waits, and at the end."""
        self.session.begin(group[0].row[0])
        last = {one.place for one in group if one.kind is Kind.LAST_FINER}
        bars = [(one.place, one.row) for one in group]
        self._walk(bars, self._reach_ends(bars, self._finer_ms), self._finer_ms, last)
        for one in group:
            self.walked_ms[one.place] = one.row[0] + self._finer_ms

    # ---- inside ----

    def _quietly(self, bars: list[Placed], at: int, end: int) -> int:
        """Let the bars happen that nothing waits for; return the place of the first other one."""
        session, watch = self.session, self.session.watch
        while at < end and not self.is_plain:
            first, last = at, end if watch.is_patient else at + 1
            at, following = self._quiet.take(bars, at, last, watch.heard.append, session.follow)
            if following is not None:
                session.follow(following)
                watch.bar(*bars[at], session.core.ts_ns)
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
            self._quiet.news_ms[place] = self.session.past[place].news_ms(self._span_ms)
        begun, end = at, at + len(group)
        while at < end and (reached := self._quietly_of_many(bars, at, end)) > at:
            at = reached
        left = slice(at - begun, None)
        self._walk(group[left], ends[left], self._span_ms)
        self._hear_all(group[left])
        return end

    def _quietly_of_many(self, bars: list[Placed], at: int, end: int) -> int:
        """Let bars happen that nothing waits for; return the place of the first other one."""
        session, watch = self.session, self.session.watch
        if self.is_plain:
            return at
        last = end if watch.is_patient else at + 1
        at, following = self._quiet.take(bars, at, last, watch.heard.append, session.follow)
        if following is not None:
            session.follow(following)
            watch.bar(*bars[at], session.core.ts_ns)
            rest = _of_one_time(bars, at + 1, bars[at][1][0])
            self._hear_all(rest)
            at += 1 + len(rest)
        if not watch.is_patient:
            watch.measure()
        return at

    def _reach_ends(self, group: list[Placed], span_ms: int) -> list[int]:
        """Let the time of bars of one time pass, from their opens; return when they are heard."""
        session = self.session
        marks = [session.mark_bar(place, row, span_ms) for place, row in group]
        self._open_all(group, marks)
        return [
            session.reach_end(place, row, span_ms, mark)
            for (place, row), mark in zip(group, marks, strict=True)
        ]

    def _open_all(self, group: list[Placed], marks: list[Row | None]) -> None:
        """Let bars of one time begin: say the opens somebody waits for."""
        session, core, names = self.session, self.session.core, self.session.names
        for place, row in group:
            session.fund_before(place, row)
        left = list(zip(group, marks, strict=True))
        while due := [one for one in left if core.awaits(names[one[0][0]])]:
            left = [one for one in left if one not in due]  # an open may lead to requests elsewhere
            for (place, row), mark in due:
                session.say_open(place, row, mark)

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
            is_whole = whole is None or place in whole
            self.session.walk(place, row, ts_ns, span_ms, is_whole=is_whole)

    def _hear_all(self, group: list[Placed]) -> None:
        """Let bars be heard that are over."""
        for place, row in group:
            ts_ns = (row[0] + self._span_ms) * _MS + self.plan.delay_ns
            self.session.hear(place, row, max(ts_ns, self.now_ns))


def _of_one_time(bars: list[Placed], at: int, start_ms: int) -> list[Placed]:
    """Return the bars from a place on that begin at a time."""
    found = []
    while at < len(bars) and bars[at][1][0] == start_ms:
        found.append(bars[at])
        at += 1
    return found
