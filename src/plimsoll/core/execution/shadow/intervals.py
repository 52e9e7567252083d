"""Means and shares with their 95 % intervals, from sums that can be added up.

Sums are exact integers; the last division and the root are floats. No draws: the same log gives the
same interval.
"""

from math import sqrt
from typing import Final, NamedTuple

import msgspec

Z: Final = 1.959963984540054
"""97.5 % quantile of the normal distribution."""

_STUDENT: Final = (
    *(12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060, 2.2622, 2.2281),
    *(2.2010, 2.1788, 2.1604, 2.1448, 2.1314, 2.1199, 2.1098, 2.1009, 2.0930, 2.0860),
    *(2.0796, 2.0739, 2.0687, 2.0639, 2.0595, 2.0555, 2.0518, 2.0484, 2.0452, 2.0423),
)
"""The same of Student's, for 1 to 30 degrees of freedom."""


class Estimate(NamedTuple):
    """A number with its n and the ends of its interval; None where n is too small to say."""

    n: int
    value: float | None
    low: float | None = None
    high: float | None = None

    def scaled(self, factor: float) -> "Estimate":
        """Return it in another unit; the factor is above 0."""
        told = (None if one is None else one * factor for one in self[1:])
        return Estimate(self.n, *told)


class Mean(msgspec.Struct):
    """The mean of some integers."""

    n: int = 0
    total: int = 0
    squares: int = 0

    def add(self, value: int) -> None:
        """Count one."""
        self.n += 1
        self.total += value
        self.squares += value * value

    def merge(self, other: "Mean") -> None:
        """Add another's."""
        self.n += other.n
        self.total += other.total
        self.squares += other.squares

    def estimate(self) -> Estimate:
        """Return the mean with Student's interval; one value has no interval."""
        if not self.n:
            return Estimate(0, None)
        mean = self.total / self.n
        if self.n == 1:
            return Estimate(1, mean)
        variance = (self.n * self.squares - self.total**2) / (self.n * (self.n - 1))
        reach = student(self.n - 1) * sqrt(variance / self.n)
        return Estimate(self.n, mean, mean - reach, mean + reach)


class Pairs(msgspec.Struct):
    """Orders by whether they were filled: live, on paper, both, neither."""

    both: int = 0
    live_only: int = 0
    paper_only: int = 0
    neither: int = 0

    @property
    def n(self) -> int:
        """Return how many orders there are."""
        return self.both + self.live_only + self.paper_only + self.neither

    def add(self, *, live: bool, paper: bool) -> None:
        """Count one."""
        if live:
            self.both += paper
            self.live_only += not paper
        else:
            self.paper_only += paper
            self.neither += not paper

    def merge(self, other: "Pairs") -> None:
        """Add another's."""
        self.both += other.both
        self.live_only += other.live_only
        self.paper_only += other.paper_only
        self.neither += other.neither

    def live(self) -> Estimate:
        """Return the share that was filled live."""
        return share(self.both + self.live_only, self.n)

    def paper(self) -> Estimate:
        """Return the share that was filled on paper."""
        return share(self.both + self.paper_only, self.n)

    def difference(self) -> Estimate:
        """Return live less paper, by Agresti and Min: half an order more in each cell.

        Source: Agresti and Min, Statistics in Medicine 24 (2005), simple improved intervals for
        comparing matched proportions.
        """
        n = self.n
        if not n:
            return Estimate(0, None)
        live, paper, most = self.live_only + 0.5, self.paper_only + 0.5, n + 2.0
        middle = (live - paper) / most
        reach = Z * sqrt((live + paper) - (live - paper) ** 2 / most) / most
        value = (self.live_only - self.paper_only) / n
        low, high = max(-1.0, middle - reach), min(1.0, middle + reach)
        return Estimate(n, value, min(low, value), max(high, value))


def student(freedom: int) -> float:
    """Return Student's 97.5 % quantile; beyond the table by its expansion, right to 1e-4."""
    if freedom <= len(_STUDENT):
        return _STUDENT[freedom - 1]
    first = (Z**3 + Z) / 4
    second = (5 * Z**5 + 16 * Z**3 + 3 * Z) / 96
    return Z + first / freedom + second / freedom**2


def share(part: int, whole: int) -> Estimate:
    """Return a share with Wilson's interval."""
    if not whole:
        return Estimate(0, None)
    value, square = part / whole, Z * Z
    middle = (part + square / 2) / (whole + square)
    reach = Z * sqrt(part * (whole - part) / whole + square / 4) / (whole + square)
    return Estimate(whole, value, max(0.0, middle - reach), min(1.0, middle + reach))
