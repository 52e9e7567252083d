"""Averages of closes and of traded prices."""

from typing import Final

from msgspec import field

from plimsoll.core.feed import Bar
from plimsoll.core.strategy.indicators.base import OfBars, OfCloses, Part, Recent, checked

_DAY_NS: Final = 86_400_000_000_000


class Ema(OfCloses):
    """Exponential moving average with alpha = 2 / (period + 1), seeded by the first value.

    ``is_ready`` after ``period`` values. Libraries that seed with the mean of the first ``period``
    values differ at first; after 12 periods the difference is below 1e-9 of what it was.
    """

    period: int
    value: float = 0.0
    count: int = 0

    def __post_init__(self) -> None:
        """Refuse a period below one."""
        checked("Ema", self.period)

    @property
    def is_ready(self) -> bool:
        """Return whether enough values were seen."""
        return self.count >= self.period

    def update(self, value: float) -> float:
        """Add a value and return the average."""
        if self.count:
            before = self.value
            value = before + (value - before) * 2.0 / (self.period + 1)
        self.value = value
        self.count += 1
        return value


class Sma(OfCloses):
    """Simple moving average over the newest ``period`` values; before that over what is there.

    The running sum carries what rounding takes from it in a second number: a jump that has left
    the window leaves nothing behind.
    """

    period: int
    values: list[float] = field(default_factory=list)
    total: float = 0.0
    rest: float = 0.0
    at: int = 0
    """Where the oldest value stands once the window is full."""

    def __post_init__(self) -> None:
        """Refuse a period below one."""
        checked("Sma", self.period)

    @property
    def is_ready(self) -> bool:
        """Return whether the window is full."""
        return len(self.values) >= self.period

    @property
    def value(self) -> float:
        """Average of the window, 0.0 when it is empty."""
        return (self.total + self.rest) / len(self.values) if self.values else 0.0

    def update(self, value: float) -> float:
        """Add a value and return the average."""
        # Adds without loss: sum and error of one addition are exact (Knuth's two-sum; hot).
        values, before, rest, period = self.values, self.total, self.rest, self.period
        if len(values) < period:
            values.append(value)
            count = len(values)
        else:
            at, count = self.at, period
            gone = -values[at]
            values[at] = value
            self.at = at + 1 if at + 1 < period else 0
            total = before + gone
            part = total - before
            rest += (before - (total - part)) + (gone - part)
            before = total
        total = before + value
        part = total - before
        self.rest = rest = rest + ((before - (total - part)) + (value - part))
        self.total = total
        return (total + rest) / count


class Wma(OfCloses):
    """Weighted moving average: the newest of ``period`` values weighs most, the oldest one."""

    period: int
    value: float = 0.0
    recent: Recent = field(default_factory=Recent)

    def __post_init__(self) -> None:
        """Refuse a period below one."""
        checked("Wma", self.period)

    @property
    def is_ready(self) -> bool:
        """Return whether the window is full."""
        return len(self.recent) >= self.period

    def update(self, value: float) -> float:
        """Add a value and return the average."""
        count, _, weighted = self.recent.push((1.0, value, value), self.period, _weighed)
        self.value = weighted / (count * (count + 1.0) / 2.0)
        return self.value


def _weighed(older: Part, newer: Part) -> Part:
    """Parts are (count, sum, sum weighted from one on)."""
    count, total, weighted = older
    more, added, heavier = newer
    return count + more, total + added, weighted + heavier + count * added


class Macd(OfCloses):
    """Difference of two exponential averages, ``signal`` its own average, ``histogram`` the rest.

    The signal begins when the slow average is ready; see ``Ema`` for how averages are seeded.
    """

    fast: int = 12
    slow: int = 26
    smooth: int = 9
    value: float = 0.0
    quick: Ema = field(default_factory=lambda: Ema(1))
    steady: Ema = field(default_factory=lambda: Ema(1))
    average: Ema = field(default_factory=lambda: Ema(1))

    def __post_init__(self) -> None:
        """Refuse a period below one."""
        checked("Macd", self.fast, self.slow, self.smooth)
        self.quick.period, self.steady.period = self.fast, self.slow
        self.average.period = self.smooth

    @property
    def is_ready(self) -> bool:
        """Return whether the signal has seen enough values."""
        return self.average.is_ready

    @property
    def signal(self) -> float:
        """Average of the difference."""
        return self.average.value

    @property
    def histogram(self) -> float:
        """Difference less its average."""
        return self.value - self.average.value

    def update(self, value: float) -> float:
        """Add a value and return the difference."""
        self.value = self.quick.update(value) - self.steady.update(value)
        if self.steady.is_ready:
            self.average.update(self.value)
        return self.value


class Vwap(OfBars):
    """Average price weighted by volume: of the newest ``period`` bars, or of the UTC day with 0.

    The price of a bar is (high + low + close) / 3. Where nothing was traded the newest such price
    stands. The one of a day is ready once it has seen a day from its beginning.
    """

    period: int = 0
    value: float = 0.0
    recent: Recent = field(default_factory=Recent)
    day: int = -1
    is_whole: bool = False
    paid: float = 0.0
    volume: float = 0.0

    def __post_init__(self) -> None:
        """Refuse a negative period."""
        checked("Vwap", self.period or 1)

    @property
    def is_ready(self) -> bool:
        """Return whether the window is full, or the day was seen from its beginning."""
        return len(self.recent) >= self.period if self.period else self.is_whole

    def update(self, bar: Bar) -> float:
        """Add a closed bar and return the average price."""
        price = (bar.high + bar.low + bar.close) / 3.0
        paid, volume = price * bar.volume, bar.volume
        if self.period:
            _, paid, volume = self.recent.push((1.0, paid, volume), self.period, _summed)
        else:
            day, after = divmod(bar.start_ns, _DAY_NS)
            if day == self.day:
                paid, volume = self.paid + paid, self.volume + volume
            else:
                self.is_whole = self.day >= 0 or after == 0
                self.day = day
            self.paid, self.volume = paid, volume
        self.value = paid / volume if volume > 0.0 else price
        return self.value


def _summed(older: Part, newer: Part) -> Part:
    return older[0] + newer[0], older[1] + newer[1], older[2] + newer[2]
