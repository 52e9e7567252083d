"""``auditor``: the process that derives the books again, and what it found, for `status`."""

import sys
from pathlib import Path
from typing import Any, Final

from plimsoll.auditor import Verdict, read_verdict
from plimsoll.cli.books import wall_ns
from plimsoll.cli.exits import Exit
from plimsoll.config.books import Books, load_books

_SILENT_NS: Final = 10_000_000_000
"""It tells how far it is each second."""


def auditor(
    project: str, env: str, *, json: bool, once: bool, from_start: bool, forget: bool
) -> Exit:
    """Follow the logs until a signal; return 9 once something was found."""
    from plimsoll.auditor.process import AuditorSettings, serve

    found = load_books(Path(project), env)
    code = serve(
        AuditorSettings(
            journal_dir=found.journal_dir,
            run_dir=found.layout.run_dir,
            once=once,
            from_start=from_start,
            forget=forget,
        )
    )
    verdict = read_verdict(found.layout.run_dir)
    if verdict is not None and json:
        from plimsoll.cli.output import print_json

        print_json({"auditor": document(verdict)})
    elif verdict is not None:
        print(f"auditor: {words(verdict)}", file=sys.stderr)
    return Exit(code)


def verdict_of(books: Books) -> Verdict | None:
    """Return what the auditor of these books wrote last, None where it never ran."""
    return read_verdict(books.layout.run_dir)


def words(verdict: Verdict) -> str:
    """Return how far it is and what it found, on one line."""
    finding = verdict.finding
    if finding is not None:
        return f"FOUND {finding.code} at seq {finding.seq:,}: {finding.text}"
    state = "running" if _is_running(verdict) else "not running"
    behind = f", {verdict.behind:,} behind" if verdict.behind else ""
    return (
        f"{state}; books agree up to seq {verdict.checked_seq:,}{behind}; "
        f"{verdict.books_checked:,} compared, {verdict.states_checked:,} of them whole; "
        f"newest snapshot {verdict.snapshot_seq:,}"
    )


def document(verdict: Verdict) -> dict[str, Any]:
    """Return the same for programs."""
    finding = verdict.finding
    return {
        "running": _is_running(verdict),
        "seq": verdict.seq,
        "behind": verdict.behind,
        "checked_seq": verdict.checked_seq,
        "books_checked": verdict.books_checked,
        "states_checked": verdict.states_checked,
        "snapshot_seq": verdict.snapshot_seq,
        "segments_verified": verdict.segments_verified,
        "finding": None
        if finding is None
        else {
            "code": finding.code,
            "seq": finding.seq,
            "ts_ns": finding.ts_ns,
            "text": finding.text,
        },
    }


def _is_running(verdict: Verdict) -> bool:
    return bool(verdict.pid) and wall_ns() - verdict.told_ns < _SILENT_NS
