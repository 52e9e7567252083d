"""Pings and what their answers prove (pure).

Only an answered ping proves both directions. Data that arrives proves that the peer reaches us, not
that we reach it: on a path that is dead in one direction it may go on for minutes while every order
written is lost. So data is no sign of life here, and a connection full of it is dropped when its
pong does not come.
"""


class Heartbeat:
    """One connection's pings: when the next is due, whether an answer is late or lost."""

    __slots__ = (
        "_deadline_ns",
        "_late_ns",
        "_next_ns",
        "_period_ns",
        "_sent_ns",
        "is_late",
        "proven_ns",
        "round_trip_ns",
    )

    def __init__(self, period_ns: int, deadline_ns: int, late_ns: int) -> None:
        """Ping each ``period_ns``; an answer is late after ``late_ns``, lost at the deadline."""
        self._period_ns = period_ns
        self._deadline_ns = deadline_ns
        self._late_ns = late_ns
        self._next_ns = 0
        self._sent_ns = 0
        self.round_trip_ns = 0
        self.proven_ns = 0
        """When the newest answered ping was sent: up to then the peer surely reached us."""
        self.is_late = False

    def begin(self, now_ns: int) -> None:
        """Start on a new connection."""
        self._next_ns = now_ns + self._period_ns
        self._sent_ns = self.proven_ns = 0
        self.is_late = False

    def hasten(self, now_ns: int) -> None:
        """Send the next ping as soon as the one on its way, if any, is answered."""
        self._next_ns = now_ns

    def is_due(self, now_ns: int) -> bool:
        """Return whether a ping is to be sent now."""
        return not self._sent_ns and now_ns >= self._next_ns

    def sent(self, now_ns: int) -> None:
        """Note that a ping was sent."""
        self._sent_ns = now_ns
        self._next_ns = now_ns + self._period_ns

    def answered(self, now_ns: int) -> bool:
        """Note a pong; return whether it ends a lateness."""
        was_late = self.is_late
        if self._sent_ns:
            self.round_trip_ns = now_ns - self._sent_ns
            self.proven_ns = self._sent_ns
            self._sent_ns = 0
            self.is_late = False
        return was_late and not self.is_late

    def becomes_late(self, now_ns: int) -> bool:
        """Return whether the answer is late as of now, once for each lateness."""
        if not self._sent_ns or self.is_late or now_ns < self._sent_ns + self._late_ns:
            return False
        self.is_late = True
        return True

    def is_lost(self, now_ns: int) -> bool:
        """Return whether the answer did not come in time."""
        return bool(self._sent_ns) and now_ns >= self._sent_ns + self._deadline_ns

    def wake_ns(self) -> int:
        """Return when one of these is due next."""
        if not self._sent_ns:
            return self._next_ns
        return self._sent_ns + (self._deadline_ns if self.is_late else self._late_ns)
