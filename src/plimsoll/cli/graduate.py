"""``graduate``: where strategies stand on their way to real money, and what they still need."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from plimsoll.cli import checking, text
from plimsoll.cli.exits import Exit
from plimsoll.cli.graduating import (
    Judged,
    document_of,
    evidence_dir,
    evidence_path,
    evidence_state,
    judged_of,
    mode_command,
    unproven,
)
from plimsoll.cli.output import print_json
from plimsoll.cli.stats import title_of
from plimsoll.cli.tracking import book_of, strategies_of, tracks_of
from plimsoll.config.books import Books, load_books
from plimsoll.core.execution.graduation import DEFAULTS, NOTE, Row
from plimsoll.track import Read


def graduate(strategy: str, project: str, env: str, *, json: bool, plan: bool, check: bool) -> Exit:
    """Print stage, screen and sequential test of each strategy, or of one.

    Raises:
        Failure: there is no log, it is damaged, or there is no such instance.
    """
    books = load_books(Path(project), env)
    found = tracks_of(books)
    names = strategies_of(found, strategy)
    for name in names if check else ():
        track = book_of(found, name)
        if track.is_paper or strategy:
            checking.check(project, env, books, evidence_dir(books), track, name)
    all_judged = [judged_of(found, name, books) for name in names]
    if json:
        rows = []
        for one in all_judged:
            name, standing = one.strategy, one.verdict.standing
            state = evidence_state(books, name, standing)
            rows.append(document_of(one) | {"evidence_file": state or None})
        print_json({"last_seq": found.last_seq, "last_ns": found.last_ns, "strategies": rows})
    else:
        parts = ["\n".join(_lines(books, found, one, plan=plan)) for one in all_judged]
        print("\n\n".join(parts) or "no strategy instance has run")
    return Exit.DONE


def _lines(books: Books, found: Read, one: Judged, *, plan: bool) -> list[str]:
    verdict = one.verdict
    lines = [title_of(found, one.track), *_stage_lines(books, one)]
    goal = f"{verdict.goal}" + (f" step {verdict.step}" if verdict.step else "")
    about = f"to become {goal}" if verdict.screen != "stay" else "to stay live, newest 30 days"
    lines += [f"  screen {about} ({NOTE})", screen_table(verdict.rows)]
    lines += [*checking.checked_lines(one.checked), *_test_lines(one)]
    rate = verdict.summary.win_rate
    lines.append(f"  win rate   {'-' if rate is None else f'{rate:.1%}'} (shown, never a gate)")
    lines += [
        f"  ALERT      {alert}; looked at by a person, decides nothing" for alert in verdict.alerts
    ]
    lines += _conclusion(one)
    return lines + (plan_lines(one) if plan else [])


def _stage_lines(books: Books, one: Judged) -> list[str]:
    now, name = one.verdict.standing, one.strategy
    step = f", step {now.step} of {len(DEFAULTS.ramp) - 1}" if now.step else ""
    mark = "  UNPROVEN: it trades real money and no evidence stands behind it"
    said = f" by {now.actor} at seq {now.seq:,}: {now.reason}" if now.seq else " (nobody decided)"
    lines = [f"  stage      {now.stage}{step}{said}{mark if unproven(one) else ''}"]
    state = evidence_state(books, name, now)
    if state:
        path = evidence_path(books, name, now.evidence)
        lines.append(f"  evidence   {state}, SHA-256 {now.evidence[:16]}..., {path}")
    return lines


def screen_table(rows: list[Row]) -> str:
    """Return the rows of a screen as a table."""
    shown = [
        (
            row.need.label,
            "-" if row.measured is None else _WRITTEN[row.need.unit](row.measured),
            f"{'<=' if row.need.is_most else '>='} {_WRITTEN[row.need.unit](row.need.needed)}",
            str(row.outcome),
            ("UNREACHABLE: " if row.is_unreachable else "") + row.reason,
        )
        for row in rows
    ]
    return text.table(("", ">measured", ">needed", "", ""), shown, indent="    ")


def _test_lines(one: Judged) -> list[str]:
    evidence = one.verdict.evidence
    proof = round(1 / DEFAULTS.alpha)
    lines = [
        f"  test       {evidence.word}: evidence {evidence.test.best:.2f} at most, now "
        f"{evidence.test.wealth:.2f}, after {evidence.test.days} days; proven at {proof}"
    ]
    if evidence.wanted:
        lines.append(
            f"             the next step takes {evidence.wanted}: {_days(evidence.days_wanted)}"
        )
    if evidence.word == "open":
        lines.append(f"             proof: {_days(evidence.days_proven)}")
    held = one.verdict.held
    if held is not None:
        lines.append(
            f"  held to    {held.level:+.4%} a day: {held.best:.2f} against it; "
            f"{round(1 / DEFAULTS.review_alpha)} end the promotion"
        )
    return lines


def _days(days: int | None) -> str:
    if days is None:
        return "never, at the observed mean and spread"
    if not days:
        return "reached"
    return f"{days:,} more days at the observed Sharpe"


def _conclusion(one: Judged) -> list[str]:
    verdict, name = one.verdict, one.strategy
    lines = [f"  ENDS       {ending.cause}: {ending.text}" for ending in verdict.endings]
    if verdict.endings:
        policy = verdict.endings[0].policy
        lines += [
            f"  next       plimsoll graduate move {name} under_review --reason TEXT",
            f"             plimsoll mode set {name} paper --policy {policy} --reason TEXT",
        ]
    elif verdict.is_earned:
        lines.append(f"  next       EARNED: plimsoll graduate approve {name} --reason TEXT")
    else:
        lines += [f"  next       {obstacle}" for obstacle in verdict.obstacles]
    if verdict.standing.stage.is_promoted and not one.trades_by_it:
        lines.append(f"  to trade   {mode_command(name, verdict.standing, one.mode)}")
    return lines


def plan_lines(one: Judged) -> list[str]:
    """Return the capital ramp as a table."""
    if one.ramp is None:
        return [
            "  ramp       not known: the account's equity was never measured (no live session);"
            " `approve --equity` states it"
        ]
    rows = [
        (
            f"{step.number} {'probing' if not step.number else 'live'}",
            str(step.evidence),
            text.money(step.capital_units) + ("  raised to the venue's minimum" * step.is_raised),
            text.money(step.risk_units),
            text.money(step.cost_units),
        )
        for step in one.ramp.steps
    ]
    budget = f"{DEFAULTS.budget:.0%} of equity {text.money(one.equity_units or 0)}"
    verdict = "inside" if one.ramp.is_within else "BEYOND: the venue's minimum is too large for"
    least = text.money(one.least_units) if one.least_units else "not known: it had no order"
    return [
        f"  ramp       (smallest order needs a capital of {least})",
        text.table(("step", ">evidence", "capital", ">at risk", ">expected cost"), rows, "    "),
        f"    a strategy without edge costs {text.money(one.ramp.cost_units)} at most on average, "
        f"{verdict} {budget}",
    ]


_WRITTEN: Final[Mapping[str, Callable[[float], str]]] = {
    "count": lambda value: f"{value:,.0f}",
    "ratio": lambda value: f"{value:.2f}",
    "share": lambda value: f"{value:.1%}",
}
