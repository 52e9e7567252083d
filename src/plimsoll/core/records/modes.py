"""Decisions about modes: which instance of a strategy runs, and what its live book may do."""

from typing import Final

from plimsoll.core.model import LiveStage, Mode
from plimsoll.core.records.base import Record


class ModeSet(Record, frozen=True, tag="mode"):
    """A strategy's mode from here on, and what its live book may do (``LiveStage``).

    Above the configuration until that is edited to something lower. ``cap_units``: the most its
    live instance may risk, in cash units: an override's, or with ``evidence`` (SHA-256, that of the
    strategy's stage) the ramp's; 0 = no such cap.
    """

    strategy: str
    mode: Mode
    stage: LiveStage
    policy: str
    cap_units: int
    evidence: str
    actor: str
    reason: str


class LiveEnded(Record, frozen=True, tag="live-end"):
    """The live book of a strategy that went to paper is flat, and nothing of it works any more."""

    strategy: str
    book: str


DECISIONS: Final[tuple[type[Record], ...]] = (ModeSet, LiveEnded)
