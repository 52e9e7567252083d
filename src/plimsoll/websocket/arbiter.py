"""What several copies of one topic have in common, however their messages are told apart (pure).

Two connections that carry a topic give the same messages, each in order and each without a hole but
where the venue itself left one. Passed on is one stream that a single connection could have sent.
How messages are compared depends on the topic: a ``ChainArbiter`` knows the successor of each by
its number (order books), a ``SequenceArbiter`` only that two are the same (prints, tickers, bars).
"""

from collections.abc import Hashable
from enum import StrEnum
from typing import Final, Protocol

import msgspec

HOLD_NS: Final = 250_000_000
"""How long a message that is ahead waits for the other connection."""

HOLD_MESSAGES: Final = 64
KEPT: Final = 256
"""Newest messages passed that are remembered, for comparing what comes again."""


class Trust(StrEnum):
    """What a copy may do.

    A JOINING one has not brought the snapshot its subscription begins with. An UNPROVEN one has not
    yet brought a message that was passed on, the same in content; a PROVEN one has, and may pass on
    what follows. A RESERVE gave a known place another content: the venue cuts its updates
    differently for the two connections, and mixing them would make a stream that never existed.
    """

    JOINING = "joining"
    UNPROVEN = "unproven"
    PROVEN = "proven"
    RESERVE = "reserve"


class Copy(msgspec.Struct, eq=False):
    """One connection's part in a topic. The counts outlive a subscription."""

    trust: Trust = Trust.JOINING
    is_here: bool = False
    since_ns: int = 0
    """When the venue confirmed its subscription."""
    firsts: int = 0
    duplicates: int = 0
    held: int = 0
    gaps: int = 0


class Arbiter(Protocol):
    """What a link holds of a topic that is carried twice."""

    due_ns: int
    """When ``tick`` is due; 0 = nothing waits."""

    renewals: list[int]
    """Copies that cannot go on without a renewal; whoever sees to it clears the list."""

    breaks: list[str]
    """Where messages may be missing without a mark of their own; cleared likewise."""

    def copy_of(self, number: int) -> Copy:
        """Return a copy, for its counts."""

    def join(self, number: int, since_ns: int) -> None:
        """Note a subscription the venue confirmed at ``since_ns``; its messages follow."""

    def leave(self, number: int, proven_ns: int) -> list[bytes]:
        """Note the end of one that surely brought everything up to ``proven_ns``.

        Returns:
            What need not wait for it any more, to be passed on in order.
        """

    def forget(self, number: int) -> None:
        """Drop a copy that left for good, its counts too."""

    def reset(self) -> None:
        """Note that nobody carries the topic: what comes next begins a new stream."""

    def take(self, number: int, identity: Hashable, payload: bytes, now_ns: int) -> list[bytes]:
        """Take a message of a copy; return what is to be passed on, in order."""

    def tick(self, now_ns: int) -> list[bytes]:
        """Return what has waited long enough, to be passed on in order."""
