"""First arrival of the messages of an order book that two connections carry (pure).

Theory. Passed on is only

* the successor of the last message, from a PROVEN copy,
* a snapshot, which stands for itself: the first of all, one of a service that began to count anew,
  one that is ahead of a hole nobody filled in time,
* after a hole nobody filled in time, the next message of a PROVEN copy: the book sees the gap.

The snapshot of a connection that joins later is none of these: it says nothing new, and serves to
show that the connection counts as the stream does. A number given twice with different contents
makes the later copy a RESERVE. If nobody PROVEN is left, or only others speak, one of those is
renewed and begins the stream anew with its snapshot. So what comes out is without a hole, or the
hole can be seen; never out of order, never twice, and never of two ways of cutting.
"""

from collections.abc import Hashable, Iterator
from typing import Final, NamedTuple

import msgspec

from plimsoll.websocket.arbiter import HOLD_MESSAGES, HOLD_NS, KEPT, Copy, Trust

STALL_NS: Final = 1_000_000_000
"""Only copies speak that may not pass anything on, for so long: one of them is renewed."""

_JOINING: Final = Trust.JOINING
_UNPROVEN: Final = Trust.UNPROVEN
_PROVEN: Final = Trust.PROVEN
_RESERVE: Final = Trust.RESERVE


class ChainId(NamedTuple):
    """What makes two messages of a chained topic the same."""

    number: int
    """Grows by one from each message to the next."""

    content: int
    """The same for the same content, never falling along the stream."""

    is_snapshot: bool


class ChainCopy(Copy, eq=False):
    """One connection's part in a book."""

    newest: int = 0
    """Number of the newest message it brought since it joined."""
    skips: bool = False
    """It left a number out: what follows is not known to fit before it was compared again."""
    is_asked: bool = False
    """Its renewal was asked for; its snapshot may begin the stream anew."""
    asked_at: int = 0
    """What had been passed last when that was asked."""


class _Held(msgspec.Struct, frozen=True):
    identity: ChainId
    payload: bytes
    copy: ChainCopy


class ChainArbiter:
    """The arbiter of one order book; see the module's first lines."""

    def __init__(self) -> None:
        """Start without anything to build on."""
        self.copies: dict[int, ChainCopy] = {}
        self.due_ns = 0
        self.renewals: list[int] = []
        self.breaks: list[str] = []
        self.tip = 0
        """Number of what was passed on last; 0 = a snapshot is needed."""
        self._contents: dict[int, int] = {}
        self._held: dict[int, _Held] = {}
        self._idle_ns = 0
        """Since when only copies speak that may not pass anything on; 0 = not so."""

    # ---- copies come and go ----------------------------------------------------------------

    def copy_of(self, number: int) -> Copy:
        """Return a copy, for its counts."""
        return self.copies.get(number) or ChainCopy()

    def join(self, number: int, since_ns: int) -> None:
        """Note a subscription confirmed at ``since_ns``; it begins with a snapshot."""
        copy = self.copies.setdefault(number, ChainCopy())
        if copy.is_here:
            return
        copy.trust, copy.is_here, copy.since_ns = _JOINING, True, since_ns
        copy.newest, copy.skips = 0, False
        self._drop_held(copy)

    def leave(self, number: int, proven_ns: int) -> list[bytes]:
        """Note the end of a copy; return what need not wait for it any more."""
        copy = self.copies.get(number)
        if copy is None or not copy.is_here:
            return []
        copy.is_here = False
        passed = self._settle()
        self._look_for_heirs()
        return passed

    def forget(self, number: int) -> None:
        """Drop a copy that left for good."""
        self.copies.pop(number, None)

    def reset(self) -> None:
        """Need a snapshot before anything is passed on."""
        self.tip = self._idle_ns = 0
        self._contents.clear()
        self._let_go()
        for copy in self.copies.values():
            copy.trust = _JOINING

    # ---- messages --------------------------------------------------------------------------

    def take(self, number: int, identity: Hashable, payload: bytes, now_ns: int) -> list[bytes]:
        """Take a message of a copy; return what is to be passed on, in order."""
        copy = self.copies.get(number)
        if copy is None or not copy.is_here:
            return []
        if not isinstance(identity, ChainId):
            self._nameless(copy)
            passed = []
        elif identity.is_snapshot:
            passed = self._snapshot(copy, identity, payload, now_ns)
        elif copy.trust is _JOINING or copy.trust is _RESERVE:
            passed = []
        elif identity.number < copy.newest:
            self._ask(copy)  # it counts backwards without a snapshot: nobody can follow
            passed = []
        else:
            copy.skips |= identity.number > copy.newest + 1
            copy.newest = identity.number
            passed = self._change(copy, identity, payload, now_ns)
        self._watch(copy, passed, now_ns)
        return passed

    def tick(self, now_ns: int) -> list[bytes]:
        """Give up waiting where it took too long."""
        if not self.due_ns or now_ns < self.due_ns:
            return []
        self.due_ns = 0
        return self._release(now_ns)

    def _change(
        self, copy: ChainCopy, identity: ChainId, payload: bytes, now_ns: int
    ) -> list[bytes]:
        """Take a message that builds on the one before it."""
        number = identity.number
        if number <= self.tip:
            self._compare(copy, identity)
            return self._drain() if self._held else []
        if not self.tip:
            return []
        if number == self.tip + 1 and copy.trust is _PROVEN and not copy.skips:
            self._pass(copy, identity)
            return [payload, *self._drain()] if self._held else [payload]
        self._hold(copy, identity, payload, now_ns)
        return self._release(now_ns) if len(self._held) > HOLD_MESSAGES else self._settle()

    def _snapshot(
        self, copy: ChainCopy, identity: ChainId, payload: bytes, now_ns: int
    ) -> list[bytes]:
        """Take a snapshot: of a join, of a service that counts anew, or out of the blue."""
        is_joining, newest = copy.trust is _JOINING, copy.newest
        copy.newest, copy.skips = identity.number, False
        self._drop_held(copy)  # of before, and perhaps counted otherwise
        is_heir = copy.is_asked and self.tip == copy.asked_at
        if is_joining and (not self.tip or (is_heir and not self._is_old(identity))):
            self._let_go()
            return self._begin(copy, identity, payload)
        if copy.trust is _PROVEN and identity.number <= max(1, newest):
            return self._restart(copy, identity, payload)
        if copy.trust is not _PROVEN:
            copy.trust, copy.is_asked = _UNPROVEN, False
        if identity.number > self.tip and self._is_old(identity):
            copy.duplicates += 1
            return []
        return self._change(copy, identity, payload, now_ns)

    def _begin(self, copy: ChainCopy, identity: ChainId, payload: bytes) -> list[bytes]:
        """Let the stream stand on this snapshot; the others must show again that they fit."""
        for other in self.copies.values():
            if other.trust is _PROVEN:
                other.trust = _UNPROVEN
        copy.trust, copy.is_asked = _PROVEN, False
        self._contents.clear()
        self._pass(copy, identity)
        return [payload, *self._drain()]

    def _restart(self, copy: ChainCopy, identity: ChainId, payload: bytes) -> list[bytes]:
        """Take over that the venue counts anew, unless another copy told so before."""
        if self._contents.get(identity.number) == identity.content:
            copy.duplicates += 1
            return []
        return self._begin(copy, identity, payload)

    def _is_old(self, identity: ChainId) -> bool:
        """Return whether a message is older than what was passed last, whatever its number.

        One with a higher number is what a slow connection still brings of before the venue began
        to count anew.
        """
        return identity.content < self._contents.get(self.tip, -1)

    # ---- comparing -------------------------------------------------------------------------

    def _compare(self, copy: ChainCopy, identity: ChainId) -> None:
        """Note a message whose number was passed on before: the same, or another content."""
        copy.duplicates += 1
        known = self._contents.get(identity.number)
        if known is not None:
            self._prove(copy, is_same=known == identity.content)

    def _prove(self, copy: ChainCopy, *, is_same: bool) -> None:
        if not is_same:
            self._set_aside(copy)
        elif copy.trust is not _RESERVE:
            copy.trust, copy.skips = _PROVEN, False

    def _set_aside(self, copy: ChainCopy) -> None:
        copy.trust = _RESERVE
        self._drop_held(copy)
        self._look_for_heirs()

    def _nameless(self, copy: ChainCopy) -> None:
        """Take a message that cannot be told from others: its copy is no use to a chain."""
        if copy.trust is not _RESERVE:
            self.breaks.append("a message without an update id")
            self._set_aside(copy)

    # ---- holding ---------------------------------------------------------------------------

    def _hold(self, copy: ChainCopy, identity: ChainId, payload: bytes, now_ns: int) -> None:
        """Let a message wait that is ahead, or whose copy is not known to fit."""
        number, mine = identity.number, _Held(identity, payload, copy)
        there = self._held.get(number)
        copy.held += 1
        self.due_ns = self.due_ns or now_ns + HOLD_NS
        if there is None or there.copy is copy:
            self._held[number] = mine
            return
        is_same = there.identity.content == identity.content
        keeps = there.copy.trust is _PROVEN or copy.trust is not _PROVEN
        first, second = (there, mine) if keeps else (mine, there)
        if first.copy.trust is _PROVEN and not first.copy.skips:
            self._prove(second.copy, is_same=is_same)
        best = second if is_same and second.identity.is_snapshot else first
        self._held[number] = best

    def _settle(self) -> list[bytes]:
        """Stop waiting where no copy is left that could fill the hole."""
        if not self._held or any(self._can_fill(copy) for copy in self._here()):
            return []
        return self._release(0)

    def _can_fill(self, copy: ChainCopy) -> bool:
        return copy.newest <= self.tip and copy.trust is not _RESERVE

    def _drain(self) -> list[bytes]:
        """Return the held messages that follow, as far as they reach."""
        passed: list[bytes] = []
        while True:
            self._drop_older()
            held = self._held.get(self.tip + 1)
            if held is None or held.copy.trust is not _PROVEN or held.copy.skips:
                return passed
            self._pass(held.copy, held.identity)
            passed.append(held.payload)

    def _drop_older(self) -> None:
        """Compare and drop held messages that were passed on by another copy meanwhile."""
        for number in [number for number in self._held if number <= self.tip]:
            held = self._held.pop(number, None)
            if held is not None and self._contents.get(number) is not None:
                self._compare(held.copy, held.identity)
        if not self._held:
            self.due_ns = 0

    def _release(self, now_ns: int) -> list[bytes]:
        """Go on behind a hole: with a snapshot if one waits, else with a gap the book can see."""
        held = [self._held[number] for number in sorted(self._held)]
        held = [one for one in held if not self._is_old(one.identity)]
        snapshot = next((one for one in held if one.identity.is_snapshot), None)
        ahead = next((one for one in held if one.copy.trust is _PROVEN), None)
        if snapshot is not None:
            del self._held[snapshot.identity.number]
            passed = self._begin(snapshot.copy, snapshot.identity, snapshot.payload)
        elif ahead is None or ahead.identity.number == self.tip + 1:
            if ahead is not None:  # it would seem to fit, and nobody can vouch for it
                self._ask(ahead.copy)
            self._let_go()
            return []
        else:
            del self._held[ahead.identity.number]
            ahead.copy.gaps += 1
            ahead.copy.skips = False
            self._pass(ahead.copy, ahead.identity)
            passed = [ahead.payload, *self._drain()]
        if self._held and now_ns:
            self.due_ns = now_ns + HOLD_NS
        return passed + self._settle()

    def _drop_held(self, copy: ChainCopy) -> None:
        for held in [held for held in self._held.values() if held.copy is copy]:
            del self._held[held.identity.number]

    def _let_go(self) -> None:
        self._held.clear()
        self.due_ns = 0

    # ---- renewing --------------------------------------------------------------------------

    def _watch(self, copy: ChainCopy, passed: list[bytes], now_ns: int) -> None:
        """See that a stream does not stand still while a connection speaks."""
        if passed or copy.trust is _PROVEN:
            self._idle_ns = 0
        elif not self._idle_ns:
            self._idle_ns = now_ns
        elif now_ns - self._idle_ns >= STALL_NS:
            self._ask(copy)

    def _look_for_heirs(self) -> None:
        """Have the reserves renewed where nobody else is left."""
        here = list(self._here())
        if self.tip and not any(copy.trust in (_PROVEN, _UNPROVEN) for copy in here):
            for copy in here:
                if copy.trust is _RESERVE:
                    self._ask(copy)

    def _ask(self, copy: ChainCopy) -> None:
        if copy.is_asked:
            return
        copy.is_asked, copy.asked_at = True, self.tip
        self.renewals.append(next(key for key, one in self.copies.items() if one is copy))

    # ---- details ---------------------------------------------------------------------------

    def _pass(self, copy: ChainCopy, identity: ChainId) -> None:
        copy.firsts += 1
        self.tip = identity.number
        contents = self._contents
        contents[identity.number] = identity.content
        if len(contents) > KEPT:
            del contents[next(iter(contents))]

    def _here(self) -> Iterator[ChainCopy]:
        return (copy for copy in self.copies.values() if copy.is_here)
