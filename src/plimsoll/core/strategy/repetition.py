"""How often an instance did exactly the same lately: place and cancel in a loop, again and again.

Requirement RSK-8. The same means action, instrument, side, price and quantity.
"""

from collections import Counter, deque
from typing import Final

_KEPT: Final = 20_000
"""Actions remembered at most."""


class Repetition:
    """Counts equal actions inside a window of record time."""

    def __init__(self, most: int, window_ns: int) -> None:
        """Allow an action ``most`` times within ``window_ns``."""
        self.most = most
        self.window_ns = window_ns
        self.excess = ""
        """What was done too often, in words; empty while nothing was."""
        self._recent: deque[tuple[int, tuple[object, ...]]] = deque()
        self._counts: Counter[tuple[object, ...]] = Counter()

    def note(self, now_ns: int, action: tuple[object, ...]) -> None:
        """Count an action."""
        recent, counts = self._recent, self._counts
        recent.append((now_ns, action))
        counts[action] += 1
        while recent[0][0] <= now_ns - self.window_ns or len(recent) > _KEPT:
            _, oldest = recent.popleft()
            counts[oldest] -= 1
            if not counts[oldest]:
                del counts[oldest]
        if counts[action] > self.most:
            seconds = self.window_ns // 1_000_000_000
            done, instrument, side = action[:3]
            what = f"the same {done} ({side} {instrument}, same price and quantity)"
            self.excess = f"{what} {counts[action]} times in {seconds} s"
