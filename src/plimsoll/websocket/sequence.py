"""First arrival of messages that carry no successor's number: prints, tickers, bars (pure).

Theory. A PROVEN copy stands at a place of the stream that was passed on. One that stands at its
end may pass on its next message; one further back has to bring messages that were passed on before,
and is set aside as a RESERVE when it brings another. A copy that joins while another carries the
stream is UNPROVEN until it brings a message that was passed on, or the other brings one that it has
brought: until then its messages wait, for it may be ahead of messages it was too late for.

There is no number to see a hole by. Where a copy has to go on whose place is not known, the stream
is said to be broken there.
"""

from collections import deque
from collections.abc import Hashable
from typing import Final, NamedTuple

import msgspec

from plimsoll.websocket.arbiter import HOLD_MESSAGES, HOLD_NS, KEPT, Copy, Trust

_BATCH_NS: Final = 1_000_000_000
"""Venues send what happened in batches: a pong may come before messages of so long before it."""

_UNPROVEN: Final = Trust.UNPROVEN
_PROVEN: Final = Trust.PROVEN
_RESERVE: Final = Trust.RESERVE


class MessageId(NamedTuple):
    """What makes two messages of a topic without numbers the same."""

    order: int
    """Of the last event in it; never falls along the stream."""

    first: int
    """The same of the first event in it."""

    key: Hashable


class _Waiting(NamedTuple):
    identity: MessageId
    payload: bytes


class SequenceCopy(Copy, eq=False):
    """One connection's part in such a topic."""

    place: int = 0
    """How many messages of the stream it has brought or stands behind."""
    waiting: deque[_Waiting] = msgspec.field(default_factory=deque)
    waits_ns: int = 0
    """Since when its messages wait; 0 = none does."""
    is_heir: bool = False
    """It goes on for another without having been compared with it."""


class SequenceArbiter:
    """The arbiter of one topic; see the module's first lines."""

    def __init__(self) -> None:
        """Start before the first message."""
        self.copies: dict[int, SequenceCopy] = {}
        self.due_ns = 0
        self.renewals: list[int] = []
        self.breaks: list[str] = []
        self._count = 0
        self._places: dict[MessageId, int] = {}
        self._order = 0
        self._passed_ns = 0

    # ---- copies come and go ----------------------------------------------------------------

    def copy_of(self, number: int) -> Copy:
        """Return a copy, for its counts."""
        return self.copies.get(number) or SequenceCopy()

    def join(self, number: int, since_ns: int) -> None:
        """Note a subscription confirmed at ``since_ns``."""
        copy = self.copies.setdefault(number, SequenceCopy())
        if copy.is_here:
            return
        is_alone = not any(other.is_here for other in self.copies.values())
        copy.is_here, copy.since_ns = True, since_ns
        copy.trust, copy.place = (_PROVEN, self._count) if is_alone else (_UNPROVEN, 0)
        copy.is_heir = is_alone and self._count > 0
        self._stop_waiting(copy)
        if is_alone and self._count:
            self.breaks.append("for a while nobody carried it")

    def leave(self, number: int, proven_ns: int) -> list[bytes]:
        """Note the end of a copy; another goes on, from its place if that is known."""
        copy = self.copies.get(number)
        if copy is None or not copy.is_here:
            return []
        copy.is_here = False
        self._stop_waiting(copy)
        left = [other for other in self.copies.values() if other.is_here]
        if not left or any(other.trust is _PROVEN for other in left):
            return []
        heir = min(left, key=lambda other: other.trust is _RESERVE)
        # Subscribed before the other's last proof of life, it missed nothing of the stream.
        is_whole = heir.trust is _UNPROVEN and 0 < heir.since_ns <= proven_ns - _BATCH_NS
        return self._succeed(heir, "" if is_whole else "the connection that carried it ended")

    def forget(self, number: int) -> None:
        """Drop a copy that left for good."""
        self.copies.pop(number, None)

    def reset(self) -> None:
        """Begin a new stream with what comes next."""
        self._count = self._order = 0
        self._places.clear()
        self.due_ns = 0
        for copy in self.copies.values():
            self._stop_waiting(copy)
            copy.is_here = False

    # ---- messages --------------------------------------------------------------------------

    def take(self, number: int, identity: Hashable, payload: bytes, now_ns: int) -> list[bytes]:
        """Take a message of a copy; return what is to be passed on, in order."""
        copy = self.copies.get(number)
        if copy is None or not copy.is_here:
            return []
        if not isinstance(identity, MessageId):
            return self._nameless(copy, payload)
        if copy.trust is not _PROVEN:
            return self._wait(copy, identity, payload, now_ns)
        passed = self._follow(copy, identity, payload)
        if passed:
            self._passed_ns = now_ns
        elif self.copies[number].trust is _RESERVE:  # it was set aside for this message
            return self._wait(copy, identity, payload, now_ns)
        return passed

    def tick(self, now_ns: int) -> list[bytes]:
        """Let a copy go on that waited in vain because the others are silent."""
        if not self.due_ns or now_ns < self.due_ns:
            return []
        self.due_ns = 0
        passed: list[bytes] = []
        for copy in self.copies.values():
            if not copy.is_here or not copy.waits_ns:
                continue
            if self._passed_ns >= copy.waits_ns:  # the others speak: it may wait from now on
                copy.waits_ns = now_ns
            elif now_ns >= copy.waits_ns + HOLD_NS:
                passed += self._succeed(copy, "the connection that carried it is silent")
                self._passed_ns = now_ns
                continue
            self.due_ns = min(self.due_ns or now_ns + HOLD_NS, copy.waits_ns + HOLD_NS)
        return passed

    def _follow(self, copy: SequenceCopy, identity: MessageId, payload: bytes) -> list[bytes]:
        """Take the next message of a copy whose place is known."""
        place = self._places.get(identity)
        if place is None and copy.place == self._count:
            if copy.is_heir and identity.first <= self._order:
                return self._overlap(copy, identity)
            copy.is_heir = False
            return self._pass(copy, identity, payload)
        copy.duplicates += 1
        if place is None:
            self._set_aside(copy)
        else:
            copy.place = max(copy.place, place)
        return []

    def _wait(
        self, copy: SequenceCopy, identity: MessageId, payload: bytes, now_ns: int
    ) -> list[bytes]:
        """Take a message of a copy whose place is not known, or of a reserve."""
        place = self._places.get(identity)
        if place is not None and copy.trust is _UNPROVEN:
            copy.trust, copy.place = _PROVEN, place
            copy.duplicates += 1
            self._stop_waiting(copy)
            return []
        copy.held += 1
        copy.waiting.append(_Waiting(identity, payload))
        if len(copy.waiting) > HOLD_MESSAGES:
            copy.waiting.popleft()
            copy.trust = _RESERVE
        copy.waits_ns = copy.waits_ns or now_ns
        self.due_ns = self.due_ns or now_ns + HOLD_NS
        return []

    def _pass(self, copy: SequenceCopy, identity: MessageId, payload: bytes) -> list[bytes]:
        """Pass a new message on, and what a copy that is proven by it has brought behind it."""
        self._count += 1
        self._order = max(self._order, identity.order)
        self._places[identity] = copy.place = self._count
        copy.firsts += 1
        if len(self._places) > KEPT:
            del self._places[next(iter(self._places))]
        passed = [payload]
        for other in self.copies.values():
            if other.waiting and other.trust is _UNPROVEN:
                passed += self._prove(other, identity)
        return passed

    def _prove(self, copy: SequenceCopy, identity: MessageId) -> list[bytes]:
        ids = [one.identity for one in copy.waiting]
        if identity not in ids:
            return []
        behind = list(copy.waiting)[ids.index(identity) + 1 :]
        copy.trust, copy.place = _PROVEN, self._count
        copy.duplicates += 1
        self._stop_waiting(copy)
        return [one for each in behind for one in self._follow(copy, *each)]

    # ---- going on elsewhere ----------------------------------------------------------------

    def _succeed(self, copy: SequenceCopy, reason: str) -> list[bytes]:
        """Let a copy go on at the end of the stream, with what waits of it and is newer."""
        behind = list(copy.waiting)
        copy.trust, copy.place, copy.is_heir = _PROVEN, self._count, self._count > 0
        self._stop_waiting(copy)
        if reason and self._count:
            self.breaks.append(reason)
        return [one for each in behind for one in self._follow(copy, *each)]

    def _overlap(self, copy: SequenceCopy, identity: MessageId) -> list[bytes]:
        """Leave out a message of an heir that may hold what was passed on, cut differently."""
        copy.duplicates += 1
        if identity.order >= self._order:
            self.breaks.append("two connections cut it differently")
        return []

    def _set_aside(self, copy: SequenceCopy) -> None:
        copy.trust = _RESERVE
        self._stop_waiting(copy)

    def _nameless(self, copy: SequenceCopy, payload: bytes) -> list[bytes]:
        """Take a message that cannot be told from others: only a copy alone can pass it on."""
        if sum(other.is_here for other in self.copies.values()) == 1:
            return [payload]
        self._set_aside(copy)
        return []

    def _stop_waiting(self, copy: SequenceCopy) -> None:
        copy.waiting.clear()
        copy.waits_ns = 0
