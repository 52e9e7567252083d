"""``replay``: run sessions again from their log and compare every decision."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from plimsoll.cli.books import damage_told, journal_of
from plimsoll.cli.exits import Exit
from plimsoll.cli.failure import Failure
from plimsoll.cli.output import print_json
from plimsoll.cli.wiring import loader
from plimsoll.config.project import Project, load_project
from plimsoll.engine.replay import ReplayReport, prove, sessions


def replay(session: str, project: str, env: str, *, json: bool) -> Exit:
    """Replay one session; return 9 when a decision differs."""
    found = load_project(Path(project), env)
    journal_of(found.books)
    report = proof(found, _epoch(found, session))
    if json:
        print_json({"replay": fields(report)})
    else:
        print(words(report))
    return Exit.DONE if report.identical else Exit.FINDINGS


def proof(project: Project, epoch: int) -> ReplayReport:
    """Return what the replay of one session found.

    Raises:
        Failure: the log is damaged or there is no such session.
    """
    with damage_told(project.books):
        try:
            return prove(project.journal_dir, epoch, loader(project))
        except KeyError as error:
            raise _no_session(project, str(epoch)) from error


def epochs(project: Project) -> list[int]:
    """Return the epochs of the sessions in the log, oldest first."""
    with damage_told(project.books):
        return sessions(project.journal_dir)


def fields(report: ReplayReport) -> dict[str, Any]:
    """Return a report for a JSON document."""
    return asdict(report)


def words(report: ReplayReport) -> str:
    """Return a report in one or two lines."""
    counts = f"{report.decisions:,} decisions from {report.inputs:,} inputs"
    if report.identical:
        return f"session {report.epoch}: identical, {counts} in {report.seconds:.1f} s"
    return f"session {report.epoch}: NOT identical after {counts}\n  {report.first_difference}"


def _epoch(project: Project, session: str) -> int:
    known = epochs(project)
    if session == "last":
        return known[-1]
    if not session.isdecimal() or int(session) not in known:
        raise _no_session(project, session)
    return int(session)


def _no_session(project: Project, session: str) -> Failure:
    known = ", ".join(map(str, epochs(project)))
    return Failure(
        Exit.USAGE,
        "no-session",
        f"there is no session {session!r} in {project.journal_dir}",
        f"sessions: {known}; or `last`",
    )
