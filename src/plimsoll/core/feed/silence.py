"""How long a stream may say nothing, learned from its own gaps (MKT-2).

Theory: of the last 10,000 gaps only those above the floor matter, because the allowed silence is
never below it; so a message costs a subtraction and a comparison, and memory is the few long gaps.
The allowed silence is the 99.9th percentile of the gaps, and while there are few of them a lower
one, so that a handful of outages teaches nothing; what lasts beyond the hard cap is an outage at
once. Silence alone proves little: a quiet book says nothing for seconds. It counts once another
stream of the instrument moves on while this one has been silent for too long, or beyond a hard cap.
A late pong is noticed by the connection and told as ``StreamChanged``.
"""

from bisect import bisect_left, insort
from collections import deque
from typing import Final

WINDOW: Final = 10_000
"""Newest gaps that are looked at."""

LEAST: Final = 20
"""Gaps before anything is learned; until then the floor holds."""

LEAST_UNSTEADY: Final = 1_000
"""The same for a stream that may be silent at will: prints."""

GRACE_NS: Final = 1_000_000_000
"""A stream that wakes after a silence must move for this long before others must have followed."""

SPARED: Final = 10
"""Longest gaps left out, of fewer than a hundred a tenth: so many outages teach nothing."""

CAP_FACTOR: Final = 5
"""A silence of this many learned ones is too long whatever else moves."""

CAP_MOST: Final = 4
"""The hard cap grows to at most this many times its least value."""

_NEVER: Final = 1 << 62


class Silence:
    """Gaps of one stream. All times in ns.

    ``floor_ns``: shorter silences are never too long. ``cap_ns``: least hard cap; 0 for a stream
    that nothing obliges to speak, which has no cap and is judged only after many gaps.
    """

    __slots__ = (
        "_long",
        "_sorted",
        "cap_ns",
        "count",
        "floor_ns",
        "heard_ns",
        "moved_ns",
        "woke_ns",
    )

    def __init__(self, floor_ns: int, cap_ns: int) -> None:
        """Start unheard."""
        self.floor_ns = floor_ns
        self.cap_ns = cap_ns
        self.count = 0
        """Gaps so far."""
        self.heard_ns = 0
        """Last sign of life, 0 = none since the stream began."""
        self.woke_ns = 0
        """When it last spoke after a silence above the floor."""
        self.moved_ns = _NEVER
        """Where the gap under way began."""
        self._long: deque[tuple[int, int]] = deque()
        """(number, length) of the gaps above the floor among the newest ``WINDOW``."""
        self._sorted: list[int] = []

    def heard(self, ts_ns: int) -> None:
        """Take a message that ends a gap (hot path)."""
        self.count += 1
        gap_ns = ts_ns - self.moved_ns
        if gap_ns > self.floor_ns:
            self._learn(gap_ns, ts_ns)
        self.moved_ns = self.heard_ns = ts_ns

    def alive(self, ts_ns: int) -> None:
        """Take a sign of life that brought nothing new: the gap goes on."""
        if ts_ns - self.heard_ns > self.floor_ns:
            self.woke_ns = ts_ns
        self.heard_ns = ts_ns

    def begin(self, ts_ns: int) -> None:
        """Begin a new gap without learning from the one that ends: something was missed in it."""
        self.alive(ts_ns)
        self.moved_ns = ts_ns

    def forget(self) -> None:
        """Be unheard again: the connection is gone. What was learned stays."""
        self.heard_ns, self.moved_ns = 0, _NEVER

    @property
    def moving_ns(self) -> int:
        """Return the last sign of life of a stream that moves, 0 where it has only just woken.

        What wakes one stream of a quiet instrument wakes the others a moment later.
        """
        return self.heard_ns if self.heard_ns - self.woke_ns > GRACE_NS else 0

    def learned_ns(self) -> int:
        """Return the 99.9th percentile of the gaps, 0 where it lies below the floor."""
        count, long, ordered = self.count, self._long, self._sorted
        while long and long[0][0] <= count - WINDOW:
            del ordered[bisect_left(ordered, long.popleft()[1])]
        spared = max(min(count, WINDOW) // 1_000 + 1, min(count // 10, SPARED))
        least = LEAST if self.cap_ns else LEAST_UNSTEADY
        return ordered[-spared - 1] if len(ordered) > spared and count >= least else 0

    def too_long_ns(self, now_ns: int, moved_ns: int) -> int:
        """Return for how long the stream has been silent if that is too long, else 0.

        ``moved_ns``: newest ``moving_ns`` of the instrument's other streams.
        """
        silent_ns = now_ns - self.heard_ns
        if silent_ns <= self.floor_ns or not self.heard_ns:
            return 0
        if not self.cap_ns and self.count < LEAST_UNSTEADY:
            return 0
        if moved_ns - self.heard_ns > max(self.floor_ns, self.learned_ns()):
            return silent_ns
        return silent_ns if self._is_beyond_cap(silent_ns) else 0

    def _is_beyond_cap(self, silent_ns: int) -> bool:
        least_ns = self.cap_ns
        cap_ns = min(max(CAP_FACTOR * self.learned_ns(), least_ns), CAP_MOST * least_ns)
        return least_ns != 0 and silent_ns > cap_ns

    def _learn(self, gap_ns: int, ts_ns: int) -> None:
        if ts_ns - self.heard_ns > self.floor_ns:
            self.woke_ns = ts_ns
        if self._is_beyond_cap(ts_ns - self.heard_ns):
            return
        self._long.append((self.count, gap_ns))
        insort(self._sorted, gap_ns)
        self.learned_ns()  # lets go of what has left the window
