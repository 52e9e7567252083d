"""The engine's clock: Unix time at the start plus monotonic time elapsed; it never steps.

Nor does it go back between sessions: what waits, counts and paces by the time of records would wait
for as long as the wall clock was put back.
"""

import time


class EngineClock:
    """Time of a session. A jump of the wall clock is not seen here; the venue's offset is."""

    __slots__ = ("_base",)

    def __init__(self, floor_ns: int = 0) -> None:
        """Fix Unix time now, but not before ``floor_ns``: the last time the journal knows."""
        self._base = max(time.time_ns(), floor_ns) - time.monotonic_ns()

    def now_ns(self) -> int:
        """Return Unix nanoseconds."""
        return self._base + time.monotonic_ns()

    def monotonic_ns(self) -> int:
        """Return monotonic nanoseconds."""
        return time.monotonic_ns()
