"""How far the middle of a book may stand from another price, learned from its own past (MKT-2).

The allowed distance is 50 basis points, or five times the median distance of the last hour where
that is more: an instrument whose book always stands apart from its mark is not stopped for it.
Distances are sampled once a second, so that the hot path compares a sum with two bounds.
"""

from bisect import bisect_left, insort
from collections import deque
from typing import Final

BAND: Final = 0.005
"""Distance that is always allowed, as a fraction of the reference."""

FACTOR: Final = 5.0
"""Medians that are allowed."""

WINDOW_NS: Final = 3_600_000_000_000
SAMPLE_NS: Final = 1_000_000_000
LEAST: Final = 300
"""Samples before the median counts: a book that starts wrong must not become its own measure."""

FOR_NS: Final = 1_000_000_000
"""A distance is a doubt once it has lasted for more than this."""

_INF: Final = float("inf")


class Divergence:
    """Distance of a book from one reference price.

    Prices come doubled: the sum of best bid and best ask against twice the reference.
    """

    __slots__ = ("_samples", "_sorted", "band", "high", "low", "sampled_ns", "since_ns")

    def __init__(self) -> None:
        """Start without a reference: everything is near."""
        self.low = -_INF
        self.high = _INF
        self.band = BAND
        self.since_ns = 0
        """Since when the book has been too far away, 0 = it is not."""
        self.sampled_ns = 0
        self._samples: deque[tuple[int, float]] = deque()
        self._sorted: list[float] = []

    def refer(self, reference: float, total: float, ts_ns: int, *, is_sound: bool) -> None:
        """Take a new reference price; ``total`` is the book's sum, 0 where it has none.

        ``is_sound``: the book may be learned from.
        """
        if is_sound and total and ts_ns - self.sampled_ns >= SAMPLE_NS:
            self._sample(abs(total - reference) / reference, ts_ns)
        self.low = reference * (1.0 - self.band)
        self.high = reference * (1.0 + self.band)
        if total:
            self.observe(total, ts_ns)

    def observe(self, total: float, ts_ns: int) -> None:
        """Look where the book stands now."""
        if self.low <= total <= self.high:
            self.since_ns = 0
        elif not self.since_ns:
            self.since_ns = ts_ns

    def forget(self) -> None:
        """Drop the reference: it is too old to say anything. What was learned stays."""
        self.low, self.high, self.since_ns = -_INF, _INF, 0

    def is_doubt(self, now_ns: int) -> bool:
        """Return whether the book has stood too far away for too long."""
        return self.since_ns != 0 and now_ns - self.since_ns > FOR_NS

    def median(self) -> float:
        """Return the median distance of the last hour, 0.0 while there are too few samples.

        Of an even number of samples the lower middle one: what is allowed should not be more.
        """
        count = len(self._sorted)
        return self._sorted[(count - 1) // 2] if count >= LEAST else 0.0

    def _sample(self, distance: float, ts_ns: int) -> None:
        self.sampled_ns = ts_ns
        samples, ordered = self._samples, self._sorted
        while samples and samples[0][0] <= ts_ns - WINDOW_NS:
            del ordered[bisect_left(ordered, samples.popleft()[1])]
        samples.append((ts_ns, distance))
        insort(ordered, distance)
        self.band = max(BAND, FACTOR * self.median())
