"""The engine's clock: Unix time at the start plus monotonic time elapsed; it never steps."""

import time


class EngineClock:
    """Time of a session. A jump of the wall clock is not seen here; the venue's offset is."""

    __slots__ = ("_base",)

    def __init__(self) -> None:
        """Fix Unix time now."""
        self._base = time.time_ns() - time.monotonic_ns()

    def now_ns(self) -> int:
        """Return Unix nanoseconds."""
        return self._base + time.monotonic_ns()

    def monotonic_ns(self) -> int:
        """Return monotonic nanoseconds."""
        return time.monotonic_ns()
