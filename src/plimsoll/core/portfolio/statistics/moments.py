"""Sums of a growing sample from which mean, spread and their uncertainty follow, one by one.

The central moments are updated in place (Welford's rule and Pebay's for the third and fourth), so
that a long sample of tiny returns loses no digits to cancellation.
"""

import math
from typing import Final

import msgspec

DAYS_A_YEAR: Final = 365
"""Markets here never close."""

Z95: Final = 1.959963984540054
"""Half-width of a 95 % interval in standard errors."""


class Moments(msgspec.Struct):
    """Count, mean, central moments and downside of daily returns."""

    count: int = 0
    mean: float = 0.0
    m2: float = 0.0
    """Sum of squared distances from the mean; ``m3`` and ``m4`` of the higher powers."""
    m3: float = 0.0
    m4: float = 0.0
    down2: float = 0.0
    """Sum of squares of the returns below zero."""
    best: float = 0.0
    worst: float = 0.0

    def add(self, value: float) -> None:
        """Take one return."""
        before, self.count = self.count, self.count + 1
        count = self.count
        delta = value - self.mean
        step = delta / count
        square, cross = step * step, delta * step * before
        self.m4 += cross * square * (count * count - 3 * count + 3)
        self.m4 += 6 * square * self.m2 - 4 * step * self.m3
        self.m3 += cross * step * (count - 2) - 3 * step * self.m2
        self.m2 += cross
        self.mean += step
        if value < 0:
            self.down2 += value * value
        self.best = value if not before else max(self.best, value)
        self.worst = value if not before else min(self.worst, value)

    def deviation(self) -> float:
        """Return the standard deviation of the sample (n - 1), 0 for fewer than two."""
        return math.sqrt(self.m2 / (self.count - 1)) if self.count > 1 else 0.0

    def volatility(self) -> float:
        """Return the standard deviation of a year."""
        return self.deviation() * math.sqrt(DAYS_A_YEAR)

    def sharpe(self) -> float | None:
        """Return the Sharpe ratio of a year, risk-free rate 0; None where nothing ever varied."""
        deviation = self.deviation()
        return self.mean / deviation * math.sqrt(DAYS_A_YEAR) if deviation > 0 else None

    def sharpe_error(self) -> float | None:
        """Return its standard error; skewed and fat-tailed returns widen it (Mertens, 2002)."""
        deviation, squared = self.deviation(), self.m2 * self.m2
        if deviation <= 0 or squared <= 0:  # the second vanishes first: 1e-81 squared twice is 0
            return None
        daily = self.mean / deviation
        skew = math.sqrt(self.count) * self.m3 / self.m2**1.5
        kurtosis = self.count * self.m4 / squared
        spread = 1 - skew * daily + (kurtosis - 1) / 4 * daily * daily
        return math.sqrt(max(0.0, spread) / self.count * DAYS_A_YEAR)

    def sortino(self) -> float | None:
        """Return the Sortino ratio of a year, target 0; None where no return was below it."""
        if self.down2 <= 0:
            return None
        return self.mean / math.sqrt(self.down2 / self.count) * math.sqrt(DAYS_A_YEAR)
