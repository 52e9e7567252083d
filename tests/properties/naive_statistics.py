"""The statistics computed all at once from everything that was told: the naive twin."""

import itertools
import math
from datetime import UTC, datetime
from fractions import Fraction
from typing import NamedTuple

DAY = 86_400 * 10**9
YEAR = 365


class Sample(NamedTuple):
    ts_ns: int
    equity: int
    flow: int
    gross: int = 0


def ratios(samples: list[Sample]) -> list[Fraction]:
    """Return the growth from each sample to the next, flows taken out."""
    found = []
    for before, after in itertools.pairwise(samples):
        is_of_something = before.equity > 0
        growth = Fraction(after.equity - after.flow, before.equity) if is_of_something else 1
        found.append(max(Fraction(0), Fraction(growth)))
    return found


def daily(samples: list[Sample]) -> list[tuple[str, float]]:
    """Return date and return of every day, the first of which begins with the first sample."""
    grown: dict[int, Fraction] = {}
    first = samples[0].ts_ns // DAY
    for before, growth in zip(samples, ratios(samples), strict=False):
        day = before.ts_ns // DAY
        grown[day] = grown.get(day, Fraction(1)) * growth
    last = samples[-1].ts_ns // DAY
    days = range(first, last if last not in grown or not _went_on(samples, last) else last + 1)
    return [(_date(day), float(grown.get(day, Fraction(1)) - 1)) for day in days]


def _went_on(samples: list[Sample], day: int) -> bool:
    times = [sample.ts_ns for sample in samples if sample.ts_ns // DAY == day]
    return times[-1] > times[0]


def _date(day: int) -> str:
    return datetime.fromtimestamp(day * DAY // 10**9, UTC).date().isoformat()


def levels(samples: list[Sample]) -> list[Fraction]:
    grown = [Fraction(1)]
    for growth in ratios(samples):
        grown.append(grown[-1] * growth)
    return grown


def drawdowns(samples: list[Sample]) -> tuple[float, float, int]:
    """Return the largest and the newest fall from the peak, and the longest time under it."""
    peak, deepest, now, longest = Fraction(1), 0.0, 0.0, 0
    peak_ns, was_below = samples[0].ts_ns, False
    for sample, level in zip(samples, levels(samples), strict=True):
        if level < peak or was_below:
            longest = max(longest, sample.ts_ns - peak_ns)
        was_below = level < peak
        if level >= peak:
            peak, peak_ns = level, sample.ts_ns
        now = float((peak - level) / peak) if peak else 0.0
        deepest = max(deepest, now)
    return deepest, now, longest


def moments(gains: list[float]) -> dict[str, float]:
    """Return mean, spread, Sharpe with its error and Sortino of daily returns, from the whole."""
    count, mean = len(gains), math.fsum(gains) / len(gains)
    powers = {k: math.fsum((gain - mean) ** k for gain in gains) / count for k in (2, 3, 4)}
    deviation = math.sqrt(powers[2] * count / (count - 1))
    daily_sharpe = mean / deviation
    skew, kurtosis = powers[3] / powers[2] ** 1.5, powers[4] / powers[2] ** 2
    spread = 1 - skew * daily_sharpe + (kurtosis - 1) / 4 * daily_sharpe**2
    down = math.sqrt(math.fsum(min(0.0, gain) ** 2 for gain in gains) / count)
    return {
        "volatility": deviation * math.sqrt(YEAR),
        "sharpe": daily_sharpe * math.sqrt(YEAR),
        "error": math.sqrt(spread / count * YEAR),
        "sortino": mean / down * math.sqrt(YEAR) if down else math.nan,
        "cagr": math.prod(1 + gain for gain in gains) ** (YEAR / count) - 1,
    }


def exposures(samples: list[Sample], capital: int) -> tuple[float, float]:
    """Return the share of time with a position, and average gross exposure by capital."""
    pairs = list(itertools.pairwise(samples))
    span = samples[-1].ts_ns - samples[0].ts_ns
    within = sum(after.ts_ns - before.ts_ns for before, after in pairs if before.gross)
    gross = sum((after.ts_ns - before.ts_ns) * before.gross for before, after in pairs)
    return within / span, gross / (capital * span)
