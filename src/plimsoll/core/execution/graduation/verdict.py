"""What a strategy's record comes to now: what it may become, what it still needs, what ends it."""

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec

from plimsoll.core.execution.graduation.betting import Betting
from plimsoll.core.execution.graduation.days import DayRow, Summary, summary_of
from plimsoll.core.execution.graduation.defaults import DEFAULTS, Defaults
from plimsoll.core.execution.graduation.screen import Outcome, Outside, Row, judged, passes
from plimsoll.core.execution.graduation.stages import NEXT, Stage, Standing
from plimsoll.core.model import DAY_NS
from plimsoll.core.portfolio.statistics.moments import DAYS_A_YEAR

PPB: Final = 1_000_000_000


class Case(msgspec.Struct, frozen=True):
    """What is judged: one instance's days since its code, parameters and mode are what they are."""

    standing: Standing
    is_paper: bool
    rows: Sequence[DayRow]
    """Days that have ended, oldest first."""
    today: DayRow | None = None
    """The day under way."""
    streak: int = 0
    """Round trips lost in a row."""
    outside: Outside = Outside()
    waived: frozenset[str] = frozenset()


class Evidence(NamedTuple):
    """The sequential test, and what it still takes."""

    test: Betting
    wanted: int
    """What the next step asks for; 0 = the stage asks for none."""
    days_wanted: int | None
    """Days still needed for that at the observed mean and variance; None = never at these."""
    days_proven: int | None
    """The same until it is called proven."""
    word: str
    """``proven``, ``open`` or ``against``."""


class Ending(NamedTuple):
    """Why a promotion ends, and what should become of the position."""

    cause: str
    text: str
    policy: str


class Verdict(NamedTuple):
    """All of it."""

    standing: Standing
    summary: Summary
    """Of the days that count for what comes next."""
    goal: Stage | None
    """What evidence may earn next; None where nothing is left to earn, or only a word helps."""
    step: int
    screen: str
    rows: list[Row]
    evidence: Evidence
    held: Betting | None
    """The test against what was expected at the promotion; None where nothing was."""
    obstacles: list[str]
    """What stands against the goal; empty: it is earned."""
    endings: list[Ending]
    alerts: list[str]

    @property
    def is_earned(self) -> bool:
        """Return whether the next stage or step may be approved."""
        return self.goal is not None and not self.obstacles and not self.endings


def verdict_of(case: Case, defaults: Defaults = DEFAULTS) -> Verdict:
    """Return what a record comes to; the same days give the same verdict, whenever it is asked."""
    now = case.standing
    promoted = now.stage.is_promoted
    counted = _since(case.rows, now.probing_ns if promoted else now.since_ns)
    is_wrong_mode = promoted and case.is_paper
    if is_wrong_mode:
        counted = []
    today = None if is_wrong_mode else case.today
    goal = NEXT.get(now.stage)
    step = now.step + 1 if goal is Stage.LIVE else 0
    if step >= len(defaults.ramp):
        goal, step = None, now.step
    screen = "stay" if now.stage is Stage.LIVE else str(goal or "candidate")
    newest = counted[-defaults.stay_days :] if screen == "stay" else counted
    rows = judged(screen, summary_of(newest, today), case.outside, defaults)
    whole = summary_of(counted, today)
    wanted = defaults.ramp[step] if goal is Stage.LIVE else 0
    evidence = _evidence(counted, whole, wanted, defaults)
    held = _held(case, now, defaults) if promoted and not is_wrong_mode else None
    return Verdict(
        now,
        whole,
        goal,
        step,
        screen,
        rows,
        evidence,
        held,
        _obstacles(case, goal, rows, evidence, is_wrong_mode=is_wrong_mode),
        _endings(whole, evidence, held, defaults) if promoted else [],
        _alerts(case, counted, defaults),
    )


def expected_of(of: Summary, defaults: Defaults = DEFAULTS) -> int:
    """Return the daily return a strategy is held to when it is promoted, parts per billion."""
    sharpe = max(defaults.stay_sharpe, of.sharpe_low or 0.0)
    daily = sharpe * math.sqrt(of.variance / DAYS_A_YEAR)
    return round(min(daily, 1.0) * PPB)


def bet_on(rows: Sequence[DayRow], defaults: Defaults = DEFAULTS) -> Betting:
    """Return the sequential test of an edge over days."""
    test = Betting(defaults.day_loss)
    for row in rows:
        test.add(row.gain)
    return test


# ---- inside ----


def _since(rows: Sequence[DayRow], since_ns: int) -> Sequence[DayRow]:
    """Return the days that began after a moment."""
    if not since_ns:
        return rows
    first = since_ns // DAY_NS + 1
    return [row for row in rows if row.day >= first]


def _evidence(rows: Sequence[DayRow], of: Summary, wanted: int, defaults: Defaults) -> Evidence:
    test, proof = bet_on(rows, defaults), round(1 / defaults.alpha)
    is_proven = test.best >= proof
    word = "proven" if is_proven else "against" if test.is_over else "open"
    known = of.days > 1
    days = [
        test.days_until(goal, of.mean, of.variance) if known else None
        for goal in (wanted or 1, proof)
    ]
    return Evidence(test, wanted, days[0] if wanted else 0, days[1], word)


def _held(case: Case, now: Standing, defaults: Defaults) -> Betting:
    test = Betting(defaults.day_loss, level=now.expected_ppb / PPB, sign=-1)
    for row in _since(case.rows, now.held_ns):
        test.add(row.gain)
    return test


def _obstacles(
    case: Case, goal: Stage | None, rows: list[Row], evidence: Evidence, *, is_wrong_mode: bool
) -> list[str]:
    stage = case.standing.stage
    if goal is None:
        return [_NOTHING_LEFT.get(stage, "")] if stage in _NOTHING_LEFT else []
    found = []
    if is_wrong_mode:
        found.append(f"it is {stage} and runs on paper: only live days count")
    if not passes(rows, case.waived):
        failed = [row.need.label for row in rows if row.outcome is Outcome.FAIL]
        unknown = [
            row.need.label
            for row in rows
            if row.outcome is Outcome.UNKNOWN and row.need.name not in case.waived
        ]
        words = [
            f"{what}: {', '.join(names)}"
            for what, names in (("fails", failed), ("unknown", unknown))
            if names
        ]
        found.append(f"the screen is not passed ({'; '.join(words)})")
    if evidence.wanted and evidence.test.best < evidence.wanted:
        found.append(
            f"the test shows {evidence.test.best:.2f} at most, and the step takes {evidence.wanted}"
        )
    return found


_NOTHING_LEFT: Final = {
    Stage.RESEARCH: "a person sends it to paper: plimsoll graduate move",
    Stage.RETIRED: "it is retired: a person sends it back to research",
    Stage.LIVE: "the whole ramp is earned",
}


def _endings(
    of: Summary, evidence: Evidence, held: Betting | None, defaults: Defaults
) -> list[Ending]:
    found = []
    if of.drawdown >= defaults.drawdown:
        text = f"fell by {of.drawdown:.1%} from its high-water mark; {defaults.drawdown:.0%} end it"
        found.append(Ending("drawdown", text, "flatten"))
    if evidence.test.is_over:
        text = f"one day lost more than {defaults.day_loss:.0%} of its capital: the test is over"
        found.append(Ending("day_loss", text, "flatten"))
    if held is not None and held.best >= 1 / defaults.review_alpha:
        text = (
            f"a strategy as good as this one was promoted for ({held.level:.4%} a day) shows "
            f"{held.best:.0f} against it once in {1 / defaults.review_alpha:.0f} lives"
        )
        found.append(Ending("expectation", text, "run_off"))
    return found


def _alerts(case: Case, rows: Sequence[DayRow], defaults: Defaults) -> list[str]:
    found, newest = [], rows[-defaults.alert_days :]
    if len(newest) == defaults.alert_days:
        # Too few for a Sharpe that anything may be decided by: no more than a reason to look.
        mean = sum(row.gain for row in newest) / len(newest)
        spread = sum((row.gain - mean) ** 2 for row in newest) / (len(newest) - 1)
        sharpe = mean / spread**0.5 * 365**0.5 if spread > 0 else 0.0
        if sharpe < defaults.alert_sharpe:
            found.append(f"Sharpe of the newest {len(newest)} days is {sharpe:.1f}")
    if case.streak >= defaults.alert_losses:
        found.append(f"{case.streak} round trips lost in a row")
    return found
