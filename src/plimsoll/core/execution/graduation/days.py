"""What is kept of each UTC day of an instance, and what many of them come to together."""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from plimsoll.core.portfolio.statistics.moments import Z95, Moments

LEAST_DAYS: Final = 30
"""Fewer, and no Sharpe ratio is shown or used (trading.md 4)."""

LEAST_REQUESTS: Final = 10
"""Fewer requests, and their success is not told."""


class DayRow(msgspec.Struct, frozen=True, gc=False):
    """One UTC day; money in quote cash units."""

    day: int
    """Counted from 1970."""
    gain: float
    """Profit on strategy capital."""
    high: float
    """Highest and lowest level of linked growth, and the deepest fall within the day as a fraction
    of its peak."""
    low: float
    fall: float
    trips: int = 0
    wins: int = 0
    won_units: int = 0
    lost_units: int = 0
    """Positive."""
    requests: int = 0
    failures: int = 0


class Summary(msgspec.Struct, frozen=True):
    """Some days together. None: there is no such figure."""

    days: int = 0
    """That have ended."""
    mean: float = 0.0
    variance: float = 0.0
    sharpe: float | None = None
    sharpe_low: float | None = None
    sharpe_high: float | None = None
    drawdown: float = 0.0
    trips: int = 0
    wins: int = 0
    won_units: int = 0
    lost_units: int = 0
    requests: int = 0
    failures: int = 0

    @property
    def profit_factor(self) -> float | None:
        """Sum of profits / sum of losses of round trips; None where none lost."""
        return self.won_units / self.lost_units if self.lost_units else None

    @property
    def win_rate(self) -> float | None:
        """Round trips with a profit / all; shown, never a gate."""
        return self.wins / self.trips if self.trips else None

    @property
    def success(self) -> float | None:
        """Requests neither rejected nor UNKNOWN / all."""
        return 1 - self.failures / self.requests if self.requests else None


def summary_of(rows: Sequence[DayRow], today: DayRow | None = None) -> Summary:
    """Return what days come to; the one under way counts where it is no day's return."""
    moments = Moments()
    for row in rows:
        moments.add(row.gain)
    all_rows = [*rows, today] if today is not None else list(rows)
    sharpe = error = None
    if moments.count >= LEAST_DAYS:
        sharpe, error = moments.sharpe(), moments.sharpe_error()
    low, high = _interval(sharpe, error)
    return Summary(
        days=moments.count,
        mean=moments.mean,
        variance=moments.m2 / (moments.count - 1) if moments.count > 1 else 0.0,
        sharpe=sharpe,
        sharpe_low=low,
        sharpe_high=high,
        drawdown=deepest(all_rows),
        trips=sum(row.trips for row in all_rows),
        wins=sum(row.wins for row in all_rows),
        won_units=sum(row.won_units for row in all_rows),
        lost_units=sum(row.lost_units for row in all_rows),
        requests=sum(row.requests for row in all_rows),
        failures=sum(row.failures for row in all_rows),
    )


def deepest(rows: Iterable[DayRow]) -> float:
    """Return the deepest fall from the high-water mark over days, exact to the sample.

    Of two stretches the deepest fall is one's own, or from the peak of the first to the low of the
    second: days carry all it takes.
    """
    peak = found = 0.0
    for row in rows:
        across = (peak - row.low) / peak if peak > 0 else 0.0
        found = max(found, row.fall, across)
        peak = max(peak, row.high)
    return found


def _interval(sharpe: float | None, error: float | None) -> tuple[float | None, float | None]:
    if sharpe is None or error is None:
        return None, None
    return sharpe - Z95 * error, sharpe + Z95 * error
