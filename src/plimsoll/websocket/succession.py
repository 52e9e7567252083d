"""Who sends on a link with one connection, and who takes over from it (pure).

A successor is opened beside the connection it follows, and takes over once it is authenticated and
subscribed; from then on both deliver. The old one goes when what was asked on it is answered and it
has been shown to be alive a while after the take-over: only then has it surely brought everything
from before the successor was there. One that ends without having shown that leaves a gap, and the
owner has to be told that the link was away.
"""

from enum import StrEnum


class End(StrEnum):
    """What the end of a connection means for the link."""

    LINK = "link"
    """Nobody is up any more."""
    GAP = "gap"
    """The successor is up, but what the old one did not bring may be missing."""
    SUPERSEDED = "superseded"
    """The old one ended before its successor was up: it is not to come back."""
    NOTHING = "nothing"


class Succession:
    """Numbers of the connections of one link, and their parts; 0 = nobody."""

    def __init__(self, sender: int, drain_ns: int, settle_ns: int) -> None:
        """Begin with one connection; an old one stays at most ``drain_ns`` after its successor.

        A ping counts as proof from ``settle_ns`` after the take-over on: what happened before it
        may reach the old connection a little later than the answer to a ping.
        """
        self.sender = sender
        self.heir = 0
        self.leaver = 0
        self._drain_ns = drain_ns
        self._settle_ns = settle_ns
        self._since_ns = 0
        self._is_proven = False

    @property
    def ends_ns(self) -> int:
        """Return when the old connection is closed at the latest; 0 = there is none."""
        return self._since_ns + self._drain_ns if self.leaver else 0

    @property
    def is_under_way(self) -> bool:
        """Return whether there are two connections."""
        return bool(self.heir or self.leaver)

    def begin(self, heir: int) -> None:
        """Note that a successor was opened."""
        self.heir = heir

    def up(self, number: int, now_ns: int) -> bool:
        """Note that a connection is up; return whether it took over from one to be probed."""
        if number != self.heir:
            return False
        self.leaver, self.sender, self.heir = self.sender, number, 0
        self._since_ns, self._is_proven = now_ns, False
        return bool(self.leaver)

    def down(self, number: int, *, was_up: bool) -> End:
        """Note that a connection ended, or that an attempt failed."""
        if number == self.leaver:
            self.leaver = 0
            return End.NOTHING if self._is_proven else End.GAP
        if number == self.sender and self.heir:
            self.sender = 0
            return End.SUPERSEDED
        return End.LINK if was_up else End.NOTHING

    def proven(self, number: int, proven_ns: int) -> None:
        """Note up to when a connection surely brought everything."""
        if number == self.leaver and proven_ns >= self._since_ns + self._settle_ns:
            self._is_proven = True

    def may_end(self, now_ns: int, *, is_drained: bool) -> bool:
        """Return whether the old connection is to be closed now."""
        if not self.leaver:
            return False
        return now_ns >= self.ends_ns or (is_drained and self._is_proven)

    def ended(self) -> bool:
        """Note that the old connection was closed by us; return whether that left a gap."""
        self.leaver = 0
        return not self._is_proven
