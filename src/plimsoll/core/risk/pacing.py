"""How many orders were sent when: rates by record time, surviving a restart (RSK-7)."""

from collections import deque
from typing import Final

SECOND_NS: Final = 1_000_000_000
DAY_NS: Final = 86_400 * SECOND_NS


class Pacing:
    """Creates and amends in the last second and today (UTC)."""

    def __init__(self) -> None:
        """Start with nothing sent."""
        self.recent: deque[int] = deque()
        self.day = 0
        self.today = 0

    def note(self, ts_ns: int) -> None:
        """Count a create or amend."""
        self.recent.append(ts_ns)
        day = ts_ns // DAY_NS
        if day != self.day:
            self.day, self.today = day, 0
        self.today += 1

    def in_last_second(self, ts_ns: int) -> int:
        """Return how many left in the second before ``ts_ns``."""
        recent = self.recent
        while recent and recent[0] <= ts_ns - SECOND_NS:
            recent.popleft()
        return len(recent)

    def on_day(self, ts_ns: int) -> int:
        """Return how many left on the UTC day of ``ts_ns``."""
        return self.today if ts_ns // DAY_NS == self.day else 0
