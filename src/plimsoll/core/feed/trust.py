"""Words of trust in market data: streams, how far each may be trusted, and what stands against it.

Requirements MKT-1 and MKT-2 (docs/explanation/safety.md).
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, NamedTuple

STREAM_DEAD: Final = "stream_dead"
STREAM_SUSPECT: Final = "stream_suspect"
STREAM_LIVE: Final = "stream_live"
"""Codes of incidents about market data; the subject is the instrument and, after a space, the
stream."""


class StreamStatus(StrEnum):
    """Trust in a stream (MKT-1): only LIVE feeds orders that add risk."""

    LIVE = "live"
    SUSPECT = "suspect"
    DEAD = "dead"


class StreamName(StrEnum):
    """The streams of an instrument, as ``StreamChanged`` names them."""

    BOOK = "book"
    TICKER = "ticker"
    TRADES = "trades"
    BARS = "bars"


class Cause(StrEnum):
    """Why a stream is not LIVE: a word for programs. The first four are those of ``BookFault``."""

    EARLY_DELTA = "early_delta"
    GAP = "gap"
    CROSSED = "crossed"
    BAD_LEVEL = "bad_level"
    EMPTY = "empty"
    VOID = "void"
    DISAGREEING = "disagreeing"
    UNHEARD = "unheard"
    LATE = "late"
    SILENT = "silent"
    DIVERGED = "diverged"
    CARRIED = "carried"


CAUSE_WORDS: Final[Mapping[Cause, str]] = {
    Cause.EARLY_DELTA: "no snapshot yet",
    Cause.GAP: "a message is missing",
    Cause.CROSSED: "best bid at or above best ask",
    Cause.BAD_LEVEL: "a level without a positive, finite price and quantity",
    Cause.EMPTY: "a side without a level",
    Cause.VOID: "what was held counts for nothing until a snapshot",
    Cause.DISAGREEING: "another depth has other best levels at the same venue sequence",
    Cause.UNHEARD: "nothing came since the connection was lost",
    Cause.LATE: "the newest event is too old by the venue's clock",
    Cause.SILENT: "silent for longer than its own gaps",
    Cause.DIVERGED: "its middle is too far from another price",
    Cause.CARRIED: "the connection does not carry it well",
}
"""The same for people."""

CONTENT_CAUSES: Final = frozenset(
    {
        Cause.EARLY_DELTA,
        Cause.GAP,
        Cause.CROSSED,
        Cause.BAD_LEVEL,
        Cause.EMPTY,
        Cause.VOID,
        Cause.DISAGREEING,
    }
)
"""Causes in what the book holds: a new snapshot ends them, so that a renewal is worth asking for.

LATE is not one of them: a backlog is not shortened by asking for more, and a snapshot on the same
wire is as late. DIVERGED is none either: a book whose every message followed the one before is what
the venue sent; the same venue would send it again, in the moment it is needed most.
"""


class Doubt(NamedTuple):
    """Why a stream may not be trusted. ``text`` names the stream and stands alone."""

    stream: StreamName
    status: StreamStatus
    cause: Cause
    text: str


STREAM_WORDS: Final[Mapping[StreamName, str]] = {
    StreamName.BOOK: "order book",
    StreamName.TICKER: "ticker",
    StreamName.TRADES: "public trades",
    StreamName.BARS: "bars",
}


def suspect(stream: StreamName, cause: Cause, more: str = "") -> Doubt:
    """Return the doubt about a SUSPECT stream; ``more`` replaces the words of the cause."""
    text = f"{STREAM_WORDS[stream]}: {more or CAUSE_WORDS[cause]}"
    return Doubt(stream, StreamStatus.SUSPECT, cause, text)
