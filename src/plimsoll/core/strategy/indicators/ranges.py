"""How far prices go: deviations, channels, true ranges and the strength of a trend."""

from math import sqrt

from msgspec import field

from plimsoll.core.feed import Bar
from plimsoll.core.strategy.indicators.base import (
    NOTHING,
    OfBars,
    OfCloses,
    Part,
    Recent,
    checked,
)


class StandardDeviation(OfCloses):
    """Standard deviation (of the population) of the newest ``period`` values, and their ``mean``.

    Exactly zero where all values are equal.
    """

    period: int
    value: float = 0.0
    mean: float = 0.0
    recent: Recent = field(default_factory=Recent)

    def __post_init__(self) -> None:
        """Refuse a period below one."""
        checked("StandardDeviation", self.period)

    @property
    def is_ready(self) -> bool:
        """Return whether the window is full."""
        return len(self.recent) >= self.period

    def update(self, value: float) -> float:
        """Add a value and return the deviation."""
        count, self.mean, squares = self.recent.push((1.0, value, 0.0), self.period, _spread)
        self.value = sqrt(squares / count)
        return self.value


def _spread(older: Part, newer: Part) -> Part:
    """Parts are (count, mean, sum of squared distances from it); Chan, Golub, LeVeque 1983."""
    count, mean, squares = older
    more, other, added = newer
    both, gap = count + more, other - mean
    return both, mean + gap * more / both, squares + added + gap * gap * count * more / both


class Bollinger(OfCloses):
    """Bands ``width`` standard deviations around the simple average, which is ``value``."""

    period: int
    width: float = 2.0
    value: float = 0.0
    deviation: float = 0.0
    recent: Recent = field(default_factory=Recent)

    def __post_init__(self) -> None:
        """Refuse a period below one."""
        checked("Bollinger", self.period)

    @property
    def is_ready(self) -> bool:
        """Return whether the window is full."""
        return len(self.recent) >= self.period

    @property
    def upper(self) -> float:
        """Return the upper band."""
        return self.value + self.width * self.deviation

    @property
    def lower(self) -> float:
        """Return the lower band."""
        return self.value - self.width * self.deviation

    def update(self, value: float) -> float:
        """Add a value and return the average."""
        count, self.value, squares = self.recent.push((1.0, value, 0.0), self.period, _spread)
        self.deviation = sqrt(squares / count)
        return self.value


class Donchian(OfBars):
    """Highest high (``upper``) and lowest low (``lower``) of ``period`` bars; ``value`` between.

    The newest bar is in it: compare a close with what the channel was one bar before.
    """

    period: int
    upper: float = 0.0
    lower: float = 0.0
    recent: Recent = field(default_factory=Recent)

    def __post_init__(self) -> None:
        """Refuse a period below one."""
        checked("Donchian", self.period)

    @property
    def is_ready(self) -> bool:
        """Return whether the window is full."""
        return len(self.recent) >= self.period

    @property
    def value(self) -> float:
        """Return the middle of the channel."""
        return (self.upper + self.lower) / 2.0

    def update(self, bar: Bar) -> float:
        """Add a closed bar and return the middle."""
        part = (1.0, bar.high, bar.low)
        _, self.upper, self.lower = self.recent.push(part, self.period, outermost)
        return self.value


def outermost(older: Part, newer: Part) -> Part:
    """Join parts of (count, highest, lowest)."""
    count, high, low = older
    more, higher, lower = newer
    return count + more, max(high, higher), min(low, lower)


class Atr(OfBars):
    """Average true range by Wilder: the mean of the first ``period`` ranges, smoothed from there.

    A true range needs the close before it, so the first bar gives none: ready after
    ``period`` + 1 bars, before that the mean of what is there.
    """

    period: int = 14
    value: float = 0.0
    count: int = 0
    close: float = 0.0

    def __post_init__(self) -> None:
        """Refuse a period below one."""
        checked("Atr", self.period)

    @property
    def is_ready(self) -> bool:
        """Return whether ``period`` true ranges were seen."""
        return self.count > self.period

    def update(self, bar: Bar) -> float:
        """Add a closed bar and return the average range."""
        if self.count:
            among = min(self.period, self.count)
            self.value += (_true_range(bar, self.close) - self.value) / among
        self.count += 1
        self.close = bar.close
        return self.value


def _true_range(bar: Bar, close: float) -> float:
    high = max(close, bar.high)
    low = min(close, bar.low)
    return high - low


class Adx(OfBars):
    """Average directional index by Wilder: how strong a trend is, 0 to 100, whatever its side.

    ``plus`` and ``minus`` are the directional indicators. Ready after 2 x ``period`` bars. A bar
    without any movement leaves it as it was.
    """

    period: int = 14
    value: float = 0.0
    plus: float = 0.0
    minus: float = 0.0
    count: int = 0
    high: float = 0.0
    low: float = 0.0
    close: float = 0.0
    up: float = 0.0
    down: float = 0.0
    ranges: float = 0.0

    def __post_init__(self) -> None:
        """Refuse a period below one."""
        checked("Adx", self.period)

    @property
    def is_ready(self) -> bool:
        """Return whether ``period`` directional indices were averaged."""
        return self.count >= 2 * self.period

    def update(self, bar: Bar) -> float:
        """Add a closed bar and return the index."""
        if self.count:
            self._move(bar)
        self.high, self.low, self.close = bar.high, bar.low, bar.close
        self.count += 1
        return self.value

    def _move(self, bar: Bar) -> None:
        period = self.period
        rise, fall = bar.high - self.high, self.low - bar.low
        if self.count >= period:  # sums of period - 1 moves stand: from here on they decay
            self.up -= self.up / period
            self.down -= self.down / period
            self.ranges -= self.ranges / period
        if fall > 0.0 and rise < fall:
            self.down += fall
        elif rise > 0.0 and rise > fall:
            self.up += rise
        self.ranges += _true_range(bar, self.close)
        if self.count >= period and self.ranges > NOTHING * abs(bar.close):
            self._index()

    def _index(self) -> None:
        period, seen = self.period, self.count - self.period
        self.plus = 100.0 * self.up / self.ranges
        self.minus = 100.0 * self.down / self.ranges
        both = self.plus + self.minus
        if both <= NOTHING:
            return
        index = 100.0 * abs(self.plus - self.minus) / both
        if seen < period:
            self.value += index / period
        else:
            self.value += (index - self.value) / period
