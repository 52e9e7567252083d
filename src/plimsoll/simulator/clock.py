"""The exchange's own clock: the wall clock, never falling."""

import time


class VenueClock:
    """Unix nanoseconds that only grow, whatever the wall clock does."""

    def __init__(self) -> None:
        """Start at the wall clock."""
        self._last_ns = 0

    def now_ns(self) -> int:
        """Return the time now."""
        return self.reach(time.time_ns())

    def reach(self, at_ns: int) -> int:
        """Return ``at_ns``, or the latest time given out where that is later."""
        self._last_ns = max(self._last_ns, at_ns)
        return self._last_ns
