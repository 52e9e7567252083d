"""One session of the core over bars: each thing that happens becomes an input.

An input is stamped, applied and decided about, and so is every decision that follows, as the engine
does it live. Which bar happens when is the business of ``run``.
"""

from collections.abc import Iterable

from plimsoll.backtest.past import Past
from plimsoll.backtest.plan import Plan, Row, settings_of
from plimsoll.backtest.watch import Watch
from plimsoll.core.engine import Core
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

_MS: int = 1_000_000


class Session:
    """What a core is told of bars, from its first input to its last."""

    def __init__(self, plan: Plan) -> None:
        """Tell nothing yet."""
        self.plan = plan
        self.names = [one.instrument.name for one in plan.series]
        self.core = Core(plan.load)
        self.watch = Watch(plan, self.core)
        self.span_ms = plan.span_ns // _MS
        walked_ms = plan.finer_ns // _MS or self.span_ms
        self.past = [Past(one.rates, one.marks, walked_ms) for one in plan.series]
        """What else is known, of each series."""
        self._is_begun = False
        self._began_ms = 0

    def begin(self, start_ms: int) -> None:
        """Begin, unless it has begun."""
        if self._is_begun:
            return
        self._is_begun, self._began_ms = True, start_ms
        ts_ns = start_ms * _MS
        self.take(LeaseTaken(*self._stamp(ts_ns), "backtest", "bt", "backtest", "backtest"))
        self.take(Configured(*self._stamp(ts_ns), to_text(settings_of(self.plan))))
        for one in self.plan.series:
            self.take(InstrumentListed(*self._stamp(ts_ns), one.instrument))
        self.take(ClockMeasured(*self._stamp(ts_ns), 0, _MS))

    def end(self) -> None:
        """End it, if it has begun: orders are cancelled, positions are left as they are."""
        if self._is_begun:
            self.take(SessionStopping(*self._stamp(self.core.ts_ns), "the data ends"))

    def open(self, place: int, row: Row) -> int:
        """Say the open of a bar, where somebody waits, and what else is known of its time.

        Returns:
            When the bar is heard.
        """
        self.fund_before(place, row)
        mark = self.mark_bar(place, row, self.span_ms)
        if self.core.awaits(self.names[place]):
            self.say_open(place, row, mark)
        return self.reach_end(place, row, self.span_ms, mark)

    def fund_before(self, place: int, row: Row) -> None:
        """Let the fundings be paid that come before a bar."""
        if self.past[place].next_ms <= row[0]:
            self._fund(place, row[0])

    def mark_bar(self, place: int, row: Row, span_ms: int) -> Row | None:
        """Return the bar of the mark price that goes with a bar."""
        past = self.past[place]
        return past.mark_bar(row[0]) if span_ms == past.span_ms else None

    def say_open(self, place: int, row: Row, mark: Row | None) -> None:
        """Let requests of the last bar's close take effect, once their latency is over."""
        start_ms, first, name = row[0], row[1], self.names[place]
        at = max(start_ms * _MS, self.core.ts_ns + self.plan.latency_ns)
        self.fire_timers(at)
        marked = mark[1] if mark is not None else 0.0
        self.take(TickerChanged(*self._stamp(at), name, first, marked, 0.0, None, 0, start_ms))

    def reach_end(self, place: int, row: Row, span_ms: int, mark: Row | None) -> int:
        """Let the time of a bar pass, with its fundings and timers; return when it is heard."""
        start_ms, name = row[0], self.names[place]
        if self.past[place].next_ms < start_ms + span_ms:
            self._fund(place, start_ms + span_ms - 1)
        ts_ns = max((start_ms + span_ms) * _MS + self.plan.delay_ns, self.core.ts_ns)
        self.fire_timers(ts_ns)
        if mark is not None:
            self.take(MarkBarChanged(*self._stamp(ts_ns), name, start_ms, *mark[1:5]))
        return ts_ns

    def walk(self, place: int, row: Row, ts_ns: int, span_ms: int, *, is_whole: bool) -> None:
        """Let what waits meet a bar that nobody hears yet.

        ``is_whole``: else it is a part of one, and walked only where its instrument is attended to.
        """
        start_ms, first, high, low, last, _volume = row
        name, end_ms = self.names[place], start_ms + span_ms
        market = self.core.markets[name]
        assert isinstance(market, BarMarket)
        if (is_whole or self.core.attends(name)) and market.walked_ms < end_ms:
            stamp = self._stamp(max(ts_ns, self.core.ts_ns))
            self.take(BarWalked(*stamp, name, start_ms, end_ms, first, high, low, last))

    def hear(self, place: int, row: Row, ts_ns: int) -> None:
        """Let a bar be heard that is over."""
        seq, closed_ms = self.core.seq + 1, row[0] + self.span_ms
        self.take(BarChanged(seq, ts_ns, 1, 0, self.names[place], *row, True, closed_ms))
        self.watch.bar(place, row, ts_ns)

    def fire_timers(self, until_ns: int) -> None:
        """Fire what is due before the next input."""
        core = self.core
        while 0 < (due := core.wake_ns) <= until_ns:
            self.take(TimerFired(*self._stamp(max(due, core.ts_ns)), due))
            if core.wake_ns == due:
                return  # nothing came of it: it would be due for ever

    def take(self, record: Record) -> None:
        """Apply an input and what is decided about it."""
        self.core.apply(record)
        self.follow(self.core.decide(record))

    def follow(self, decisions: Iterable[Record]) -> None:
        """Apply each decision before the next is asked for."""
        core, watch = self.core, self.watch
        for decision in decisions:
            core.apply(decision)
            watch.decided(decision)

    def _fund(self, place: int, until_ms: int) -> None:
        """Let the fundings up to a moment be paid by what is held now."""
        name, core = self.names[place], self.core
        price = core.markets[name].last
        for due in self.past[place].due(until_ms, self._began_ms, price):
            ts_ns = max(due.at_ms * _MS, core.ts_ns)
            terms = (due.at_ms, due.rate_e12, due.mark_e8, 0, due.next_ms)
            self.take(FundingReported(*self._stamp(ts_ns), name, *terms))

    def _stamp(self, ts_ns: int) -> tuple[int, int, int, int]:
        return self.core.seq + 1, ts_ns, 1, 0
