"""How many requests were sent when, and how many the venue takes (RSK-7, X11).

Everything counts by record time, so that a replay paces alike. The venue limits each *group* of
requests, an action in a category such as ``create.linear``; its answers say by how much.
"""

from collections import deque
from enum import StrEnum
from typing import Final

from plimsoll.core.model import DAY_NS
from plimsoll.core.records import RateMeasured

SECOND_NS: Final = 1_000_000_000
VENUE_WINDOW_NS: Final = SECOND_NS + SECOND_NS // 4
"""The venue counts a rolling second by its own clock; what left a second apart may arrive closer
by as much as the way's delay changes. A quarter second of that is allowed for."""


_groups: Final[dict[tuple[str, str], str]] = {}


def group_of(action: str, instrument: str) -> str:
    """Return the venue's group of a request about an instrument, such as ``create.linear``."""
    found = _groups.get((action, instrument))  # hot: the text is made once
    if found is None:
        found = _groups[action, instrument] = f"{action}.{instrument.partition(':')[0]}"
    return found


class Lane(StrEnum):
    """What a request is for. Inside a group each may use what the ones before it leave."""

    SAFE = "safe"
    """Cancels and reductions."""
    NEW = "new"
    """Everything that can add risk: a fifth of the group is not for it."""


class VenueRates:
    """How much of each group is ours. One tenth of what the venue grants is left to tools."""

    def __init__(self) -> None:
        """Know nothing: what is assumed counts until the venue's first answer."""
        self.limits: dict[str, int] = {}
        self.closed_until_ms: dict[str, int] = {}
        self._quotas: dict[tuple[str, Lane, int], int] = {}

    def on_measured(self, record: RateMeasured) -> None:
        """Take what an answer said."""
        self._quotas.clear()
        self.limits[record.group] = record.limit
        self.closed_until_ms[record.group] = record.closed_until_ms

    def forget_closures(self) -> None:
        """Open every group: what was closed for a second was closed in another session."""
        self.closed_until_ms.clear()

    def is_closed(self, group: str, venue_ms: int) -> bool:
        """Return whether the venue said it takes nothing of this group yet."""
        return bool(self.closed_until_ms) and venue_ms < self.closed_until_ms.get(group, 0)

    def quota(self, group: str, lane: Lane, assumed: int) -> int:
        """Return the requests a second this lane may use, those of the lane before included.

        Args:
            group: As ``group_of`` names it.
            lane: What the request is for.
            assumed: The limit where the venue has not said one yet.
        """
        found = self._quotas.get((group, lane, assumed))  # hot
        if found is None:
            ours = max(1, self.limits.get(group, assumed) * 9 // 10)
            found = ours if lane is Lane.SAFE else max(1, ours * 4 // 5)
            self._quotas[group, lane, assumed] = found
        return found


class Pacing:
    """Requests in the last second by group, creates and amends together also of today (UTC)."""

    def __init__(self) -> None:
        """Start with nothing sent."""
        self.recent: deque[int] = deque()
        self.groups: dict[str, deque[int]] = {}
        self.day = 0
        self.today = 0

    def note(self, ts_ns: int, group: str) -> None:
        """Count a request."""
        self.groups.setdefault(group, deque()).append(ts_ns)
        if not group.startswith("cancel"):
            self.count(ts_ns)

    def count(self, ts_ns: int) -> None:
        """Count a create or amend of somebody the venue knows no group of."""
        recent = self.recent
        recent.append(ts_ns)
        while recent[0] <= ts_ns - SECOND_NS:  # of an instance nobody may ever ask for it
            recent.popleft()
        day = ts_ns // DAY_NS
        if day != self.day:
            self.day, self.today = day, 0
        self.today += 1

    def in_last_second(self, ts_ns: int) -> int:
        """Return how many creates and amends left in the second before ``ts_ns``."""
        return _fresh(self.recent, ts_ns - SECOND_NS)

    def in_group(self, group: str, ts_ns: int) -> int:
        """Return how many requests of a group the venue may see as of one second."""
        times = self.groups.get(group)
        return _fresh(times, ts_ns - VENUE_WINDOW_NS) if times else 0

    def on_day(self, ts_ns: int) -> int:
        """Return how many left on the UTC day of ``ts_ns``."""
        return self.today if ts_ns // DAY_NS == self.day else 0


def _fresh(times: deque[int], after_ns: int) -> int:
    while times and times[0] <= after_ns:
        times.popleft()
    return len(times)
