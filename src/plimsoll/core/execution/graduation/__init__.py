"""Graduation: how a strategy earns its way to real money, and how it loses it (trading.md 7).

In: days of one instance and where it stands. Out: screens, the sequential test, the capital ramp,
what ends a promotion. ``core/engine`` keeps the stage, whoever follows the journal asks the rest.
"""

from plimsoll.core.execution.graduation.betting import Betting
from plimsoll.core.execution.graduation.days import DayRow, Summary, deepest, summary_of
from plimsoll.core.execution.graduation.defaults import DEFAULTS, Defaults
from plimsoll.core.execution.graduation.ramp import Ramp, Step, ramp_of
from plimsoll.core.execution.graduation.screen import (
    NOTE,
    SCREENS,
    WAIVABLE,
    Need,
    Outcome,
    Outside,
    Row,
    judged,
    passes,
)
from plimsoll.core.execution.graduation.stages import (
    FOLLOWING,
    NEXT,
    Stage,
    Standing,
    refusal_of,
    standing_after,
)
from plimsoll.core.execution.graduation.verdict import (
    PPB,
    Case,
    Ending,
    Evidence,
    Verdict,
    bet_on,
    expected_of,
    verdict_of,
)

__all__ = [
    "DEFAULTS",
    "FOLLOWING",
    "NEXT",
    "NOTE",
    "PPB",
    "SCREENS",
    "WAIVABLE",
    "Betting",
    "Case",
    "DayRow",
    "Defaults",
    "Ending",
    "Evidence",
    "Need",
    "Outcome",
    "Outside",
    "Ramp",
    "Row",
    "Stage",
    "Standing",
    "Step",
    "Summary",
    "Verdict",
    "bet_on",
    "deepest",
    "expected_of",
    "judged",
    "passes",
    "ramp_of",
    "refusal_of",
    "standing_after",
    "summary_of",
    "verdict_of",
]
