"""Estimates venue time minus ours from round trips: pure, the sample of least doubt wins."""

from collections import deque
from typing import Final

import msgspec

DRIFT_PPM: Final = 50
"""How fast two ordinary clocks may part, in parts per million."""

_KEPT: Final = 20
_UNKNOWN_NS: Final = 3_600_000_000_000


class _Sample(msgspec.Struct, frozen=True):
    offset_ns: int
    half_trip_ns: int
    taken_ns: int


class OffsetEstimate:
    """The best of the last samples; a sample's doubt is half its round trip plus drift since."""

    __slots__ = ("_best", "_samples")

    def __init__(self) -> None:
        self._samples: deque[_Sample] = deque(maxlen=_KEPT)
        self._best: _Sample | None = None
        """Chosen when one is added: later all doubts grow alike, and every order asks."""

    def add(self, sent_ns: int, venue_ns: int, received_ns: int) -> None:
        """Take one exchange: our time before and after, and the venue's time in between."""
        half = max(0, received_ns - sent_ns) // 2
        fresh = _Sample(venue_ns - sent_ns - half, half, received_ns)
        if self._samples and self._contradicts(fresh):
            self._samples.clear()  # a clock stepped: what was measured before is about another one
        self._samples.append(fresh)
        self._best = min(self._samples, key=lambda sample: _doubt_ns(sample, received_ns))

    def forget(self) -> None:
        """Trust no sample any more, but keep the newest offset as a guess: cancels need one."""
        if self._best is not None:
            guess = _Sample(self._best.offset_ns, _UNKNOWN_NS, self._best.taken_ns)
            self._samples.clear()
            self._samples.append(guess)
            self._best = guess

    def at(self, now_ns: int) -> tuple[int, int]:
        """Return (offset, uncertainty) in ns; before the first sample an uncertainty of 1 hour."""
        best = self._best
        if best is None:
            return 0, _UNKNOWN_NS
        return best.offset_ns, _doubt_ns(best, now_ns)

    def _contradicts(self, fresh: _Sample) -> bool:
        offset_ns, doubt_ns = self.at(fresh.taken_ns)
        return abs(fresh.offset_ns - offset_ns) > fresh.half_trip_ns + doubt_ns


def _doubt_ns(sample: _Sample, now_ns: int) -> int:
    return sample.half_trip_ns + max(0, now_ns - sample.taken_ns) * DRIFT_PPM // 1_000_000
