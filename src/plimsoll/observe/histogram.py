"""Histograms as fixed buckets: cheap to fill on the hot path, mergeable, never averages."""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise
from typing import Final


def _bounds() -> tuple[int, ...]:
    """Return bucket bounds that grow by about 12 % from 5 us to 60 s."""
    bounds, value = [5], 5.0
    while bounds[-1] < 60_000_000:
        value *= 1.12
        if round(value) > bounds[-1]:
            bounds.append(round(value))
    return tuple(bounds)


BOUNDS_US: Final = _bounds()
"""Upper bounds of the buckets in microseconds; one more bucket takes what is above the last."""


class Histogram:
    """Counts of durations by bucket."""

    __slots__ = ("counts",)

    def __init__(self) -> None:
        """Start empty."""
        self.counts = [0] * (len(BOUNDS_US) + 1)

    def add_ns(self, duration_ns: int) -> None:
        """Count one duration."""
        self.counts[bisect_left(BOUNDS_US, duration_ns / 1_000)] += 1


def quantile(counts: Sequence[int], q: float) -> float:
    """Return the q-quantile in microseconds, interpolated inside its bucket; 0.0 when empty."""
    total = sum(counts)
    if not total:
        return 0.0
    rank, seen = q * total, 0
    edges = list(pairwise((0, *BOUNDS_US, BOUNDS_US[-1])))
    for count, (low, high) in zip(counts, edges, strict=True):
        if count and seen + count >= rank:
            return low + (high - low) * max(0.0, rank - seen) / count
        seen += count
    return float(BOUNDS_US[-1])
