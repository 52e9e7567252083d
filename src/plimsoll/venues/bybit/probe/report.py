"""What a run found, as a document for programs and as a page for people."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from plimsoll.venues.bybit.probe.check import Row, Verdict

_SIGNS: Final = {Verdict.EQUAL: "equal", Verdict.DIFFERENT: "**different**", Verdict.UNKNOWN: "?"}


class Report(msgspec.Struct, kw_only=True):
    """One run."""

    environment: str
    instruments: tuple[str, ...]
    started_ms: int
    program: str
    """Version of the program: what "expected" means."""

    rows: list[Row] = []
    is_interrupted: bool = False
    spent: str = "0"
    """In quote coin: fees and spread."""

    budget: str = "0"
    left: list[str] = []
    """Orders and positions of ours that could not be ended, in words."""

    dust: list[str] = []
    """Spot quantities too small to be sold."""

    def count(self, verdict: Verdict) -> int:
        """Return how many rows ended so."""
        return sum(row.verdict is verdict for row in self.rows)


def document_of(report: Report) -> dict[str, Any]:
    """Return the report as JSON."""
    found: dict[str, Any] = msgspec.to_builtins(report)
    counts = Counter(str(row.verdict) for row in report.rows)
    return found | {"counts": {str(one): counts[str(one)] for one in Verdict}}


def page_of(report: Report) -> str:
    """Return the report as a Markdown page, what differs first."""
    return "\n".join(_lines(report)).rstrip() + "\n"


def _lines(report: Report) -> Iterator[str]:
    at = datetime.fromtimestamp(report.started_ms / 1000, UTC)
    yield from ("# Venue report", "")
    yield (
        f"`plimsoll venue probe` on **{report.environment}**, "
        f"{at.strftime('%Y-%m-%d %H:%M UTC')}, with {', '.join(report.instruments)}, "
        f"by plimsoll {report.program}."
    )
    counts = ", ".join(f"{report.count(one)} {one}" for one in Verdict)
    yield f"{counts}. Spent {report.spent} of {report.budget} in quote coin."
    if report.environment == "simulator":
        yield from ("", "The simulator is ours: this says nothing of the venue.")
    if report.is_interrupted:
        yield from ("", "The run was interrupted: rows are missing.")
    for title, verdict in (
        ("Different", Verdict.DIFFERENT),
        ("Unknown", Verdict.UNKNOWN),
        ("Equal", Verdict.EQUAL),
    ):
        rows = [row for row in report.rows if row.verdict is verdict]
        if rows:
            yield from ("", f"## {title}", "")
            yield "| row | instrument | question | expected | seen | | remark | page |"
            yield "|---|---|---|---|---|---|---|---|"
            yield from map(_row, rows)
    for title, words in (("Left behind", report.left), ("Dust", report.dust)):
        if words:
            yield from ("", f"## {title}", "", *(f"* {_cell(one)}" for one in words))


def _row(row: Row) -> str:
    cells = (f"`{row.name}`", row.instrument, row.question, row.expected, row.seen)
    shown = [_cell(cell) for cell in cells]
    tail = (_SIGNS[row.verdict], _cell(row.note), _cell(row.page))
    return f"| {' | '.join((*shown, *tail))} |"


def _cell(text: str) -> str:
    """Return text that stays inside one cell, whatever the venue said."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")[:300]
