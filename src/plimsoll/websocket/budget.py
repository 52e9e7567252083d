"""How often may be connected: attempts of one path, of a kind, of a whole host (pure)."""

from collections import deque
from typing import Final

WINDOW_NS: Final = 300_000_000_000


class ConnectBudget:
    """Attempts to connect within any window of time; the sessions that share it share them.

    Budgets stand in one another: an attempt needs room in its own and in all it stands in.
    """

    __slots__ = ("_parent", "_times", "_window_ns")

    def __init__(
        self, limit: int = 30, window_ns: int = WINDOW_NS, parent: "ConnectBudget | None" = None
    ) -> None:
        """Allow ``limit`` attempts in any ``window_ns``, 30 in 5 minutes (reliability N2)."""
        self._times: deque[int] = deque(maxlen=limit)
        self._window_ns = window_ns
        self._parent = parent

    def ready_ns(self, now_ns: int) -> int:
        """Return the earliest time another attempt is allowed, ``now_ns`` where it is now."""
        times = self._times
        own = times[0] + self._window_ns if len(times) == times.maxlen else now_ns
        return max(own, now_ns if self._parent is None else self._parent.ready_ns(now_ns))

    def spend(self, now_ns: int) -> None:
        """Count an attempt made now."""
        self._times.append(now_ns)
        if self._parent is not None:
            self._parent.spend(now_ns)
