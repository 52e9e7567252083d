"""What graduation says of an instance now: from its track record and the stage on record."""

import hashlib
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from plimsoll.cli import text
from plimsoll.cli.checking import Checked, looked_at
from plimsoll.cli.stats import head_of
from plimsoll.cli.tracking import book_of
from plimsoll.config.books import Books
from plimsoll.core.execution import modes
from plimsoll.core.execution.graduation import (
    DEFAULTS,
    NOTE,
    Case,
    Ramp,
    Row,
    Stage,
    Standing,
    Verdict,
    ramp_of,
    verdict_of,
)
from plimsoll.core.model import LiveStage, Mode
from plimsoll.track import Read, Track


class Judged(NamedTuple):
    """One strategy, judged."""

    strategy: str
    track: Track
    """Of the book that counts."""
    verdict: Verdict
    ramp: Ramp | None
    """None: nobody knows what the account is worth."""
    equity_units: int | None
    least_units: int
    checked: Checked | None
    """A backtest of its paper session."""
    standing: modes.Standing | None
    """Which of its instances run; None in a log of before there were switches."""

    @property
    def mode(self) -> Mode:
        """Return its mode now."""
        return self.standing.mode if self.standing is not None else self.track.settings.mode

    @property
    def is_live(self) -> bool:
        """Return whether it trades with money now."""
        if self.standing is None:
            return not self.track.is_paper
        return self.standing.stage is LiveStage.LIVE

    @property
    def trades_by_it(self) -> bool:
        """Return whether its live book trades with what its stage allows."""
        found = self.standing
        return (
            self.is_live and found is not None and found.evidence == self.verdict.standing.evidence
        )


def judged_of(
    found: Read,
    strategy: str,
    books: Books,
    *,
    waived: frozenset[str] = frozenset(),
    equity_units: int | None = None,
) -> Judged:
    """Return what a strategy's record comes to: that of the book that counts.

    Args:
        found: All records.
        strategy: Whose.
        books: Of the account: what a record does not hold is looked for there.
        waived: Unknown rows that a person answers for.
        equity_units: Of the account, as a person says; None: as it was measured.
    """
    state, track = found.tracks.state, book_of(found, strategy)
    outside, checked = looked_at(books, evidence_dir(books), found, track, strategy)
    case = Case(
        state.standing(strategy),
        track.is_paper,
        track.rows,
        track.today(found.tracks.requests_of(track)) if track.statistics.samples else None,
        track.lost,
        outside,
        waived,
    )
    if equity_units is None and state.losses.is_known and state.losses.equity > 0:
        equity_units = state.losses.equity
    least = found.tracks.least_capital(track)
    configured = state.modes.configured(strategy)
    capital = track.capital_units  # that of a live book is what its stage allowed it
    if configured is not None:
        capital = configured.live_capital or configured.capital
    ramp = ramp_of(equity_units, capital, least) if equity_units else None
    standing = state.modes.standings.get(strategy)
    verdict = verdict_of(case)
    return Judged(strategy, track, verdict, ramp, equity_units, least, checked, standing)


def mode_command(strategy: str, standing: Standing, mode: Mode = Mode.LIVE) -> str:
    """Return the command that lets a strategy trade as its stage says; ``mode``: its mode now."""
    if standing.stage.is_promoted:
        wanted = Mode.HYBRID if mode is Mode.HYBRID else Mode.LIVE
        return f"plimsoll mode set {strategy} {wanted} --evidence {standing.evidence}"
    return f"plimsoll mode set {strategy} paper --policy run_off --reason TEXT"


def unproven(one: Judged) -> bool:
    """Return whether real money is traded that no evidence stands behind."""
    return one.is_live and not one.verdict.standing.stage.is_promoted


# ---- the evidence file ----


def evidence_dir(books: Books) -> Path:
    """Return where the evidence files of an account are."""
    return books.layout.var_dir / "graduation" / books.account


def evidence_path(books: Books, strategy: str, digest: str) -> Path:
    """Return where the evidence of a decision is."""
    return evidence_dir(books) / f"{strategy}-{digest[:16]}.json"


def evidence_state(books: Books, strategy: str, standing: Standing) -> str:
    """Return whether the file a stage rests on is still what it was; empty where there is none."""
    if not standing.evidence:
        return ""
    path = evidence_path(books, strategy, standing.evidence)
    try:
        content = path.read_bytes()
    except OSError:
        return "missing"
    return "intact" if hashlib.sha256(content).hexdigest() == standing.evidence else "CHANGED"


# ---- JSON ----


def document_of(one: Judged) -> dict[str, Any]:
    """Return everything about an instance, for JSON and for the evidence file."""
    verdict = one.verdict
    now, evidence, held = verdict.standing, verdict.evidence, verdict.held
    return {
        **head_of(one.track),
        "strategy": one.strategy,
        "book": one.track.settings.name,
        "mode": str(one.mode),
        "stage": str(now.stage),
        "step": now.step,
        "stage_since_ns": now.since_ns,
        "stage_seq": now.seq,
        "stage_actor": now.actor,
        "stage_reason": now.reason,
        "stage_evidence": now.evidence,
        "allowed_capital": text.exact(now.capital_units),
        "unproven": unproven(one),
        "goal": str(verdict.goal) if verdict.goal else None,
        "goal_step": verdict.step if verdict.goal else None,
        "earned": verdict.is_earned,
        "obstacles": verdict.obstacles,
        "summary": msgspec.to_builtins(verdict.summary)
        | {
            "profit_factor": verdict.summary.profit_factor,
            "win_rate": verdict.summary.win_rate,
            "execution_success": verdict.summary.success,
        },
        "screen": {
            "name": verdict.screen,
            "note": NOTE,
            "rows": [row_document(row) for row in verdict.rows],
        },
        "test": {
            "verdict": evidence.word,
            "days": evidence.test.days,
            "wealth": evidence.test.wealth,
            "best": evidence.test.best,
            "wanted": evidence.wanted,
            "days_needed": evidence.days_wanted,
            "days_to_proof": evidence.days_proven,
            "alpha": DEFAULTS.alpha,
        },
        "held_to": None
        if held is None
        else {"daily_return": held.level, "days": held.days, "best": held.best},
        "check": None if one.checked is None else msgspec.to_builtins(one.checked),
        "endings": [ending._asdict() for ending in verdict.endings],
        "alerts": verdict.alerts,
        "ramp": None if one.ramp is None else ramp_document(one),
    }


def row_document(row: Row) -> dict[str, Any]:
    """Return a row of a screen."""
    return {
        "name": row.need.name,
        "needed": row.need.needed,
        "at_most": row.need.is_most,
        "measured": row.measured,
        "outcome": str(row.outcome),
        "reason": row.reason,
        "unreachable": row.is_unreachable,
    }


def ramp_document(one: Judged) -> dict[str, Any]:
    """Return the steps of the ramp."""
    assert one.ramp is not None
    return {
        "equity": text.exact(one.equity_units or 0),
        "least_capital": text.exact(one.least_units),
        "expected_cost": text.exact(one.ramp.cost_units),
        "budget": text.exact(one.ramp.budget_units),
        "within_budget": one.ramp.is_within,
        "steps": [
            {
                "step": step.number,
                "stage": str(Stage.LIVE if step.number else Stage.CANDIDATE),
                "evidence": step.evidence,
                "capital": text.exact(step.capital_units),
                "at_risk": text.exact(step.risk_units),
                "expected_cost": text.exact(step.cost_units),
                "raised_to_minimum": step.is_raised,
            }
            for step in one.ramp.steps
        ],
    }
