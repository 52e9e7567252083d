"""Histograms as fixed buckets: cheap to fill on the hot path, mergeable, never averages."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import compress
from typing import Final

from plimsoll.core.model import grown_bounds, quantile_of

Packed = Sequence[int]
"""A histogram on its way: bucket, count, bucket, count ..., lowest first, empty ones left out."""


BOUNDS_US: Final = grown_bounds(5, 60_000_000)
"""Upper bounds of the buckets in microseconds; one more bucket takes what is above the last."""


BOUNDS_NS: Final = tuple(bound * 1_000 for bound in BOUNDS_US)
_PLACES: Final = range(len(BOUNDS_US) + 1)


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
        counts = self.counts
        return [n for place in compress(_PLACES, counts) for n in (place, counts[place])]


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
    found = quantile_of(_pairs(packed), BOUNDS_US, q, lowest=0)
    return 0.0 if found is None else found


def _pairs(packed: Packed) -> Iterator[tuple[int, int]]:
    return zip(packed[::2], packed[1::2], strict=True)
