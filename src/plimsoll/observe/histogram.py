"""Histograms as fixed buckets: cheap to fill on the hot path, mergeable, never averages."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

Packed = Sequence[int]
"""A histogram on its way: bucket, count, bucket, count ..., lowest first, empty ones left out."""


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


BOUNDS_NS: Final = tuple(bound * 1_000 for bound in BOUNDS_US)


class Histogram:
    """Counts of durations by bucket."""

    __slots__ = ("counts",)

    def __init__(self) -> None:
        """Start empty."""
        self.counts = [0] * (len(BOUNDS_US) + 1)

    def add_ns(self, duration_ns: int) -> None:
        """Count one duration; a negative one (two clocks disagree) falls into the first bucket."""
        self.counts[bisect_left(BOUNDS_NS, duration_ns)] += 1

    def packed(self) -> list[int]:
        """Return the buckets that are not empty, as telemetry carries them."""
        return [n for place, count in enumerate(self.counts) if count for n in (place, count)]


def merged(histograms: Iterable[Packed]) -> list[int]:
    """Return the sum of several histograms."""
    found: dict[int, int] = {}
    for packed in histograms:
        for place, count in _pairs(packed):
            found[place] = found.get(place, 0) + count
    return [n for place in sorted(found) for n in (place, found[place])]


def size_of(packed: Packed) -> int:
    """Return how many durations a histogram holds."""
    return sum(packed[1::2])


def quantile(packed: Packed, q: float) -> float:
    """Return the q-quantile in microseconds, interpolated inside its bucket; 0.0 when empty."""
    rank, seen = q * size_of(packed), 0
    for place, count in _pairs(packed):
        if seen + count >= rank:
            low = BOUNDS_US[place - 1] if place else 0
            high = BOUNDS_US[min(place, len(BOUNDS_US) - 1)]
            return low + (high - low) * max(0.0, rank - seen) / count
        seen += count
    return 0.0


def _pairs(packed: Packed) -> Iterator[tuple[int, int]]:
    return zip(packed[::2], packed[1::2], strict=True)
