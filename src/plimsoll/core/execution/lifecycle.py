"""The life of an order as one literal table (reliability requirement 2.3, ORD-6).

``LIFECYCLE[state][evidence]`` is the state after the evidence. Evidence without an entry ranks
below the state and is ignored (late acknowledgements, stale repeats), unless ``CONTRADICTIONS``
names it: then the instrument is blocked and a person is told.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from plimsoll.core.model import OrderState as S


class Evidence(StrEnum):
    """What can be learned about an order."""

    SENT = "sent"
    SEND_REFUSED = "send refused"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    LOST = "lost"
    OPEN = "open"
    PARTIAL = "partial"
    FILLED = "filled"
    CANCELED = "canceled"
    REJECTED = "rejected"
    EXPIRED = "expired"
    ABSENT = "absent"


E = Evidence

_VENUE_SAYS: Final[Mapping[Evidence, S]] = {
    E.OPEN: S.OPEN,
    E.PARTIAL: S.PARTIAL,
    E.FILLED: S.FILLED,
    E.CANCELED: S.CANCELED,
    E.REJECTED: S.REJECTED,
    E.EXPIRED: S.EXPIRED,
}

LIFECYCLE: Final[Mapping[S, Mapping[Evidence, S]]] = {
    S.INTENT: {
        E.SENT: S.SENT,
        E.SEND_REFUSED: S.ABSENT,  # no byte was written (ORD-10)
        E.LOST: S.UNKNOWN,  # the process died between record and socket
        E.ACCEPTED: S.ACKED,
        E.REFUSED: S.REJECTED,
        E.ABSENT: S.ABSENT,
        **_VENUE_SAYS,
    },
    S.SENT: {
        E.ACCEPTED: S.ACKED,
        E.REFUSED: S.REJECTED,  # definite refusals only (ORD-8)
        E.LOST: S.UNKNOWN,
        **_VENUE_SAYS,
    },
    S.UNKNOWN: {  # ended by evidence, never by time passing
        E.ACCEPTED: S.ACKED,
        E.REFUSED: S.REJECTED,
        E.ABSENT: S.ABSENT,
        **_VENUE_SAYS,
    },
    S.ACKED: {
        E.LOST: S.UNKNOWN,  # accepted, but no stream or query confirms it
        **_VENUE_SAYS,
    },
    S.OPEN: {
        E.PARTIAL: S.PARTIAL,
        E.FILLED: S.FILLED,
        E.CANCELED: S.CANCELED,
        E.REJECTED: S.CANCELED,  # a rejection after it was open ends a live order
        E.EXPIRED: S.EXPIRED,
    },
    S.PARTIAL: {
        E.PARTIAL: S.PARTIAL,
        E.FILLED: S.FILLED,
        E.CANCELED: S.CANCELED,
        E.REJECTED: S.CANCELED,
        E.EXPIRED: S.EXPIRED,
    },
    S.FILLED: {},
    S.CANCELED: {},
    S.REJECTED: {},
    S.EXPIRED: {},
    S.DENIED: {},
    S.ABSENT: {  # turned up live after all: adopted, may be cancelled (ORD-6)
        E.OPEN: S.OPEN,
        E.PARTIAL: S.PARTIAL,
        E.FILLED: S.FILLED,
        E.CANCELED: S.CANCELED,
    },
}

CONTRADICTIONS: Final[Mapping[S, frozenset[Evidence]]] = {
    S.REJECTED: frozenset({E.OPEN, E.PARTIAL, E.FILLED}),
    S.CANCELED: frozenset({E.FILLED}),
    S.EXPIRED: frozenset({E.FILLED}),
    S.ABSENT: frozenset({E.OPEN, E.PARTIAL, E.FILLED, E.CANCELED}),
}
"""Evidence that contradicts what we held for certain: booked where the table allows, and told."""


class Step(StrEnum):
    """What a piece of evidence did to an order."""

    MOVED = "moved"
    IGNORED = "ignored"
    CONTRADICTED = "contradicted"


def next_state(state: S, evidence: Evidence) -> tuple[S, Step]:
    """Return the state after the evidence and what it did. Total: every pair has an answer."""
    after = LIFECYCLE[state].get(evidence)
    if evidence in CONTRADICTIONS.get(state, ()):
        return (state if after is None else after), _CONTRADICTED
    if after is None:
        return state, _IGNORED
    return after, _MOVED


_MOVED: Final = Step.MOVED  # hot: read through its class it costs ten times a global
_IGNORED: Final = Step.IGNORED
_CONTRADICTED: Final = Step.CONTRADICTED
