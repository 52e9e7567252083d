"""The stages of a strategy on its way to real money, and which may follow which.

Up needs evidence; down is always allowed. A step of the ramp is the stage ``live`` with the number
of the step. What nobody has decided about is on paper.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

import msgspec

from plimsoll.core.records import StageChanged


class Stage(StrEnum):
    """Where a strategy instance stands."""

    RESEARCH = "research"
    """Only backtested: a person sent it back; nothing of it counts."""
    PAPER = "paper"
    CANDIDATE = "candidate"
    """Probing live at the venue's minimum size."""
    LIVE = "live"
    """On the ramp."""
    UNDER_REVIEW = "under_review"
    RETIRED = "retired"

    @property
    def is_promoted(self) -> bool:
        """Return whether real money stands behind it."""
        return self in (Stage.CANDIDATE, Stage.LIVE)


FOLLOWING: Final[Mapping[Stage, frozenset[Stage]]] = {
    Stage.RESEARCH: frozenset({Stage.PAPER, Stage.RETIRED}),
    Stage.PAPER: frozenset({Stage.CANDIDATE, Stage.RESEARCH, Stage.RETIRED}),
    Stage.CANDIDATE: frozenset({Stage.LIVE, Stage.UNDER_REVIEW, Stage.PAPER, Stage.RETIRED}),
    # Live follows live: the next step of the ramp.
    Stage.LIVE: frozenset({Stage.LIVE, Stage.UNDER_REVIEW, Stage.PAPER, Stage.RETIRED}),
    Stage.UNDER_REVIEW: frozenset({Stage.CANDIDATE, Stage.PAPER, Stage.RETIRED}),
    Stage.RETIRED: frozenset({Stage.RESEARCH}),
}
"""What may follow each stage."""

NEXT: Final[Mapping[Stage, Stage]] = {
    Stage.PAPER: Stage.CANDIDATE,
    Stage.CANDIDATE: Stage.LIVE,
    Stage.LIVE: Stage.LIVE,
    Stage.UNDER_REVIEW: Stage.CANDIDATE,
}
"""What evidence may earn at each stage; the others are left by a person's word alone."""


class Standing(msgspec.Struct, frozen=True):
    """Where an instance stands, since when, and on whose word."""

    stage: Stage = Stage.PAPER
    step: int = 0
    """Of the ramp: 0 = probing."""
    since_ns: int = 0
    probing_ns: int = 0
    """When real money came in: the test that the ramp asks counts from here."""
    held_ns: int = 0
    """Since when it is held to what was expected of it."""
    expected_ppb: int = 0
    """That: a daily return, parts per billion of its capital."""
    capital_units: int = 0
    """What the step allows, in quote cash units; 0 = nothing was allowed."""
    evidence: str = ""
    """SHA-256 of the file the decision rests on; empty where nothing was needed."""
    actor: str = ""
    reason: str = ""
    seq: int = 0
    """Of the record that says so; 0 = nobody decided anything yet."""


def standing_after(now: Standing, record: StageChanged) -> Standing:
    """Return where an instance stands once a decision about it is applied; of any record one."""
    stage = Stage(record.stage) if record.stage in set(Stage) else now.stage
    is_first = stage is Stage.CANDIDATE
    is_newly_held = is_first or (stage is Stage.LIVE and record.step == 1)
    return Standing(
        stage,
        record.step,
        record.ts_ns,
        (record.ts_ns if is_first else now.probing_ns) if stage.is_promoted else 0,
        (record.ts_ns if is_newly_held else now.held_ns) if stage.is_promoted else 0,
        record.expected_ppb,
        record.capital_units,
        record.evidence,
        record.actor,
        record.reason,
        record.seq,
    )


def refusal_of(now: Standing, stage: Stage, step: int, evidence: str) -> str:
    """Return why a stage may not follow, empty where it may.

    Args:
        now: Where the instance stands.
        stage: What is asked for.
        step: Of the ramp.
        evidence: SHA-256 of the evidence file.
    """
    if stage not in FOLLOWING[now.stage]:
        known = ", ".join(sorted(FOLLOWING[now.stage]))
        return f"{stage} does not follow {now.stage}; what may: {known}"
    if not stage.is_promoted:
        return "" if step == 0 else f"{stage} has no steps"
    if len(evidence) != _HASH or not set(evidence) <= _HEX:
        return f"{stage} needs the SHA-256 of an evidence file, 64 hexadecimal digits"
    wanted = now.step + 1 if stage is Stage.LIVE else 0
    if step != wanted:
        return f"the next step is {wanted}, not {step}"
    return ""


_HASH: Final = 64
_HEX: Final = frozenset("0123456789abcdef")
