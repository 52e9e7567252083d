"""Oscillators and volume: how one-sided the newest moves were."""

from msgspec import field

from plimsoll.core.feed import Bar
from plimsoll.core.strategy.indicators.averages import Sma
from plimsoll.core.strategy.indicators.base import NOTHING, OfBars, OfCloses, Recent, checked
from plimsoll.core.strategy.indicators.ranges import outermost


class Rsi(OfCloses):
    """Relative strength index by Wilder, 0 to 100: the mean of ``period`` changes, then smoothed.

    Ready after ``period`` + 1 values; 50 before that and where nothing moves.
    """

    period: int = 14
    value: float = 50.0
    count: int = 0
    last: float = 0.0
    gain: float = 0.0
    loss: float = 0.0

    def __post_init__(self) -> None:
        """Refuse a period below one."""
        checked("Rsi", self.period)

    @property
    def is_ready(self) -> bool:
        """Return whether ``period`` changes were seen."""
        return self.count > self.period

    def update(self, value: float) -> float:
        """Add a value and return the index."""
        seen, change = self.count, value - self.last
        self.count += 1
        self.last = value
        if not seen:
            return self.value
        among = min(self.period, seen)
        self.gain += (max(0.0, change) - self.gain) / among
        self.loss += (max(0.0, -change) - self.loss) / among
        if seen >= self.period:
            moved = self.gain + self.loss
            self.value = 100.0 * self.gain / moved if moved > NOTHING * abs(value) else 50.0
        return self.value


class Stochastic(OfBars):
    """Where the close stands between lowest low and highest high of ``period`` bars, 0 to 100.

    ``value`` is %K, the simple average of ``smooth`` of them (1: the fast one); ``signal`` is %D,
    that of ``average`` %K. 50 where the range is empty.
    """

    period: int = 14
    smooth: int = 3
    average: int = 3
    value: float = 50.0
    signal: float = 50.0
    recent: Recent = field(default_factory=Recent)
    smoothed: Sma = field(default_factory=lambda: Sma(1))
    averaged: Sma = field(default_factory=lambda: Sma(1))

    def __post_init__(self) -> None:
        """Refuse a period below one."""
        checked("Stochastic", self.period, self.smooth, self.average)
        self.smoothed.period, self.averaged.period = self.smooth, self.average

    @property
    def is_ready(self) -> bool:
        """Return whether the signal has seen enough."""
        return self.averaged.is_ready

    def update(self, bar: Bar) -> float:
        """Add a closed bar and return %K."""
        _, high, low = self.recent.push((1.0, bar.high, bar.low), self.period, outermost)
        if len(self.recent) < self.period:
            return self.value
        place = 100.0 * (bar.close - low) / (high - low) if high > low else 50.0
        smoothed = self.smoothed.update(place)
        if self.smoothed.is_ready:
            self.value = smoothed
            self.signal = self.averaged.update(smoothed)
        return self.value


class Roc(OfCloses):
    """Rate of change: per cent from the value ``period`` values ago to the newest."""

    period: int = 10
    value: float = 0.0
    values: list[float] = field(default_factory=list)
    at: int = 0
    """Where the oldest value stands once there are ``period``."""
    is_ready: bool = False

    def __post_init__(self) -> None:
        """Refuse a period below one."""
        checked("Roc", self.period)

    def update(self, value: float) -> float:
        """Add a value and return the change."""
        values, at = self.values, self.at
        if len(values) < self.period:
            values.append(value)
            return self.value
        old, values[at] = values[at], value
        self.at = at + 1 if at + 1 < self.period else 0
        self.is_ready = True
        self.value = 100.0 * (value / old - 1.0) if old else 0.0
        return self.value


class Obv(OfBars):
    """On-balance volume: that of bars that closed higher, less that of bars that closed lower.

    It begins with the volume of the first bar it sees: its changes mean something, its level not.
    """

    value: float = 0.0
    count: int = 0
    close: float = 0.0

    @property
    def is_ready(self) -> bool:
        """Return whether two closes were compared."""
        return self.count > 1

    def update(self, bar: Bar) -> float:
        """Add a closed bar and return the balance."""
        if not self.count:
            self.value = bar.volume
        elif bar.close > self.close:
            self.value += bar.volume
        elif bar.close < self.close:
            self.value -= bar.volume
        self.count += 1
        self.close = bar.close
        return self.value
