"""One subscription on one connection, and what several copies of it are worth together."""

from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Final, NamedTuple

import msgspec

VAIN_RENEWALS: Final = 3
"""Renewals without data after which a topic is DEAD (reliability MKT-3)."""

_BACKOFF_DOUBLINGS: Final = 5

Gate = Callable[[bytes, int], None]
"""Takes (payload, received at) in the handler's place: what a topic carried twice goes through."""


class TopicPhase(StrEnum):
    """Where one subscription stands; see docs/explanation/wire.md."""

    REQUESTED = "requested"
    CONFIRMED = "confirmed"
    LIVE = "live"
    SUSPECT = "suspect"
    DEAD = "dead"
    REFUSED = "refused"


_LIVE: Final = TopicPhase.LIVE
_DOUBTED: Final = (TopicPhase.SUSPECT, TopicPhase.DEAD)
_RANK: Final = {
    TopicPhase.LIVE: 0,
    TopicPhase.CONFIRMED: 1,
    TopicPhase.SUSPECT: 2,
    TopicPhase.REQUESTED: 3,
    TopicPhase.DEAD: 4,
    TopicPhase.REFUSED: 5,
}


class Standing(NamedTuple):
    """How a topic is carried: by one connection, or by several together."""

    phase: TopicPhase
    reason: str
    is_void: bool
    """What was held of it counts for nothing: its messages were interrupted."""


def joint(standings: Iterable[Standing]) -> Standing:
    """Return what the copies of a topic are worth together: as much as the best of them.

    Of two equally good ones that which is not void counts: an uninterrupted copy is enough.
    """
    return min(standings, key=lambda one: (_RANK[one.phase], one.is_void))


class Topic(msgspec.Struct, eq=False):
    """One subscription. ``last_ns`` is 0 before the first message.

    ``is_stale``: what comes may still be of a subscription we ended, so it counts for nothing.
    ``is_due``: a renewal was asked for and is not sent yet; data does not make it needless.
    ``since_ns``: when the venue confirmed the subscription that runs now, 0 before.
    """

    name: str
    phase: TopicPhase = TopicPhase.REQUESTED
    reason: str = ""
    is_void: bool = True
    is_stale: bool = False
    is_due: bool = False
    since_ns: int = 0
    messages: int = 0
    bytes: int = 0
    last_ns: int = 0
    renewals: int = 0
    asked_ns: int = 0
    retries: int = 0
    """Renewals close on each other: each doubles the wait for the next."""
    vain: int = 0
    """Renewals since the last data."""
    request: str = ""
    """Id of the newest subscribe request for it."""
    ending: str = ""
    """Id of the newest unsubscribe request for it."""
    gate: Gate | None = None

    @property
    def standing(self) -> Standing:
        """Return phase, reason and whether what was held is void."""
        return Standing(self.phase, self.reason, self.is_void)

    def asked(self, request: str, now_ns: int) -> None:
        """Note that a request for it was sent."""
        self.request, self.asked_ns = request, now_ns

    def ended(self, request: str, now_ns: int) -> None:
        """Note that its renewal was sent: the subscription it had is no more."""
        self.ending, self.is_stale, self.is_due = request, True, False
        self.since_ns = 0
        self.is_void = True
        self.retries += 1
        self.vain += 1
        self.renewals += 1

    def confirmed(self, now_ns: int, *, may_be_silent: bool) -> bool:
        """Note the venue's yes; return whether that changed anything.

        One that may be silent for ever is as good as it gets without data; one that begins with a
        snapshot stays in doubt after a renewal until that has come.
        """
        self.is_stale = False
        if not self.since_ns:
            self.since_ns = now_ns
        waits = self.phase is TopicPhase.REQUESTED or (self.phase in _DOUBTED and may_be_silent)
        if waits and not self.is_due:
            self.phase, self.reason = TopicPhase.CONFIRMED, "confirmed"
            self.is_void = not may_be_silent
            return True
        return False

    def data(self, now_ns: int) -> bool:
        """Note a message; return whether that made the topic LIVE."""
        if self.phase is _LIVE or self.is_due or self.is_stale:
            return False
        if not self.since_ns:
            self.since_ns = now_ns
        self.phase, self.reason, self.is_void, self.vain = _LIVE, "data", False, 0
        return True

    def doubted(self, reason: str) -> bool:
        """Distrust what is held of it; return whether that is news."""
        was = self.standing
        if self.phase is not TopicPhase.DEAD:
            self.phase, self.reason = TopicPhase.SUSPECT, reason
        self.is_void = True
        return self.standing != was

    def cut(self, reason: str) -> None:
        """Note that its connection ended."""
        if self.phase is not TopicPhase.REFUSED:
            asked = self.phase is TopicPhase.REQUESTED
            self.phase = TopicPhase.REQUESTED if asked else TopicPhase.SUSPECT
            self.reason = reason
        self.is_void, self.is_due, self.is_stale, self.since_ns = True, False, False, 0
        self.asked_ns = self.retries = self.vain = 0

    def retry_ns(self, pause_ns: int) -> int:
        """Return when it may be renewed next: ``pause_ns`` after the last, doubled by each."""
        if not self.asked_ns:
            return 0
        doublings = min(max(0, self.retries - 1), _BACKOFF_DOUBLINGS)
        return self.asked_ns + (pause_ns << doublings)
