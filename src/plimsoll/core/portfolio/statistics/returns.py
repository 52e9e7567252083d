"""Time-weighted returns from samples of equity: what came or went as cash is no profit.

A flow is told with the first sample that contains it, and counts as having come at that moment: the
return up to it is that of the money before, the return from it on that of the money after. A day
ends with the first sample at or after its end, as the baseline of the daily loss does; days without
a sample are flat.

A day's return is the growth of equity in it or, where there is a capital it is of, the profit of it
on that capital: a strategy that trades a fixed capital earns the same with the same trades, however
much it has earned before (trading.md 2). Drawdown and growth are of equity in both cases.
"""

from bisect import bisect_left, insort
from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec

from plimsoll.core.model.time import DAY_NS
from plimsoll.core.portfolio.statistics.moments import DAYS_A_YEAR, Moments

VAR_DAYS: Final = 500
"""Newest days the value at risk is read from."""


class Day(NamedTuple):
    """A day that has ended: counted from 1970, and its return as a fraction."""

    day: int
    gain: float


class Chain(msgspec.Struct):
    """Growth over stretches between flows: 1 to begin with, never below 0.

    What begins with nothing, or less, has no return until money comes.
    """

    base_units: int
    """Equity when the stretch began."""
    grown: float = 1.0
    """Growth before it."""
    capital_units: int = 0
    """What profit is measured on, added up and not linked; 0 = on the equity of the stretch."""

    def move(self, equity_units: int, flow_units: int) -> None:
        """Take a sample; a flow in it begins a new stretch."""
        if flow_units or self.base_units <= 0:
            self.grown = self.level(equity_units - flow_units)
            self.base_units = equity_units

    def level(self, equity_units: int) -> float:
        """Return the growth up to an equity of the same stretch."""
        if self.capital_units:
            return self.grown + (equity_units - self.base_units) / self.capital_units
        if self.base_units <= 0:
            return self.grown
        return self.grown * max(0.0, equity_units / self.base_units)


class Drawdown(msgspec.Struct):
    """The fall from the high-water mark of growth."""

    peak: float = 1.0
    peak_ns: int = 0
    level: float = 1.0
    seen_ns: int = 0
    deepest: float = 0.0
    longest_ns: int = 0
    """Longest time from a high-water mark to the sample that reached it again, or to now."""

    def measure(self, ts_ns: int, level: float) -> None:
        """Take the growth at a time."""
        if self.level < self.peak or level < self.peak:
            self.longest_ns = max(self.longest_ns, ts_ns - self.peak_ns)
        if level >= self.peak:
            self.peak, self.peak_ns = level, ts_ns
        self.level, self.seen_ns = level, ts_ns
        self.deepest = max(self.deepest, self.now)

    def stretch(self, times_ns: Sequence[int], levels: Sequence[float]) -> None:
        """Take the growth at times one after the other, as ``measure`` would (hot)."""
        peak, peak_ns, level = self.peak, self.peak_ns, self.level
        deepest, longest_ns, ts_ns = self.deepest, self.longest_ns, self.seen_ns
        for ts_ns, now in zip(times_ns, levels, strict=True):
            if now < peak:
                if ts_ns - peak_ns > longest_ns:
                    longest_ns = ts_ns - peak_ns
                fall = (peak - now) / peak if peak > 0 else 0.0
                if fall > deepest:
                    deepest = fall
            else:
                if level < peak and ts_ns - peak_ns > longest_ns:
                    longest_ns = ts_ns - peak_ns
                peak, peak_ns = now, ts_ns
            level = now
        self.peak, self.peak_ns, self.level, self.seen_ns = peak, peak_ns, level, ts_ns
        self.deepest, self.longest_ns = deepest, longest_ns

    @property
    def now(self) -> float:
        """The fall at the newest sample, as a fraction of the peak."""
        return (self.peak - self.level) / self.peak if self.peak > 0 else 0.0


class Returns(msgspec.Struct):
    """Everything that follows from one owner's equity."""

    is_known: bool = False
    capital_units: int = 0
    """What a day's profit is measured on; 0 = on equity."""
    total: Chain = msgspec.field(default_factory=lambda: Chain(0))
    today: Chain = msgspec.field(default_factory=lambda: Chain(0))
    drawdown: Drawdown = msgspec.field(default_factory=Drawdown)
    moments: Moments = msgspec.field(default_factory=Moments)
    closed_level: float = 1.0
    """Growth over the days that have ended."""
    newest: list[float] = []
    """Returns of the newest ``VAR_DAYS`` days, oldest first."""
    ordered: list[float] = []
    """The same, smallest first."""
    day: int = 0
    """The day under way."""
    day_ns: int = 0
    """When its first sample came; a later one makes it a day that counts."""
    seen_ns: int = 0
    equity_units: int = 0
    baseline_units: int = 0
    """Equity when the day began, and what flowed since."""

    def sample(self, ts_ns: int, equity_units: int, flow_units: int = 0) -> list[Day]:
        """Take the equity at a time, not before the last.

        Args:
            ts_ns: When.
            equity_units: Cash units, flows included.
            flow_units: What came (+) or went (-) as cash since the last sample.

        Returns:
            The days that ended with it, oldest first.
        """
        if not self.is_known:
            self._begin(ts_ns, equity_units)
            return []
        assert ts_ns >= self.seen_ns, f"sample of {ts_ns} behind one of {self.seen_ns}"
        self.total.move(equity_units, flow_units)
        self.today.move(equity_units, flow_units)
        self.equity_units, self.seen_ns = equity_units, ts_ns
        self.baseline_units += flow_units
        level = self.total.level(equity_units)
        self.drawdown.measure(ts_ns, level)
        day, ended = ts_ns // DAY_NS, []
        if day > self.day:
            ended = [self._close(level)]
            ended += [self._count(Day(flat, 0.0)) for flat in range(self.day + 1, day)]
            self._start(day, ts_ns)
        return ended

    def stretch(self, times_ns: Sequence[int], equity_units: Sequence[int]) -> list[Day]:
        """Take samples without flows one after the other, as ``sample`` would (hot)."""
        ended: list[Day] = []
        at, count = 0, len(times_ns)
        while at < count:
            base, grown = self.total.base_units, self.total.grown
            end = bisect_left(times_ns, (self.day + 1) * DAY_NS, at) if self.is_known else at
            if end == at or base <= 0 or self.today.base_units <= 0:
                # The first one of all, of a day, or one of those that may begin a chain anew.
                ended += self.sample(times_ns[at], equity_units[at])
                at += 1
                continue
            assert times_ns[at] >= self.seen_ns, f"a sample of {times_ns[at]} is behind another"
            shares = [equity / base for equity in equity_units[at:end]]
            levels = [grown * (share if share > 0.0 else 0.0) for share in shares]  # noqa: FURB136 - hot
            self.drawdown.stretch(times_ns[at:end], levels)
            self.equity_units, self.seen_ns = equity_units[end - 1], times_ns[end - 1]
            at = end
        return ended

    def recapitalise(self, capital_units: int) -> None:
        """Measure profit on another capital from the newest sample on."""
        self.today.grown = self.today.level(self.equity_units)
        self.today.base_units = self.equity_units
        self.today.capital_units = self.capital_units = capital_units

    def finish(self) -> list[Day]:
        """End the day under way where anything of it was seen: the sample ends here."""
        if not self.is_known or self.seen_ns <= self.day_ns:
            return []
        ended = [self._close(self.total.level(self.equity_units))]
        self._start(self.day + 1, self.seen_ns)
        return ended

    def total_return(self) -> float:
        """Return the growth up to now, less 1."""
        return self.total.level(self.equity_units) - 1

    def cagr(self) -> float:
        """Return the growth of a year at the pace of the days that have ended, less 1."""
        return float(self.closed_level ** (DAYS_A_YEAR / self.moments.count)) - 1

    def value_at_risk(self) -> float:
        """Return the loss that one day in twenty exceeded: the 5 % quantile, interpolated."""
        place = 0.05 * (len(self.ordered) - 1)
        below = int(place)
        low, high = self.ordered[below], self.ordered[min(below + 1, len(self.ordered) - 1)]
        return -(low + (high - low) * (place - below))

    def today_return(self) -> float:
        """Return the growth since the day began, less 1."""
        return self.today.level(self.equity_units) - 1

    def today_units(self) -> int:
        """Return the profit since the day began in cash units, flows left out."""
        return self.equity_units - self.baseline_units

    # ---- inside ----

    def _begin(self, ts_ns: int, equity_units: int) -> None:
        self.is_known = True
        self.equity_units = equity_units
        self.total = Chain(equity_units)
        self.drawdown = Drawdown(peak_ns=ts_ns, seen_ns=ts_ns)
        self.seen_ns = ts_ns
        self._start(ts_ns // DAY_NS, ts_ns)

    def _start(self, day: int, ts_ns: int) -> None:
        self.day, self.day_ns = day, ts_ns
        self.baseline_units = self.equity_units
        self.today = Chain(self.equity_units, capital_units=self.capital_units)

    def _close(self, level: float) -> Day:
        self.closed_level = level
        return self._count(Day(self.day, self.today_return()))

    def _count(self, day: Day) -> Day:
        self.moments.add(day.gain)
        self.newest.append(day.gain)
        insort(self.ordered, day.gain)
        if len(self.newest) > VAR_DAYS:
            del self.ordered[bisect_left(self.ordered, self.newest.pop(0))]
        return day
