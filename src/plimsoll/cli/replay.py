"""``replay``: run sessions again from their log, with their own code or with another."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from plimsoll.cli import text
from plimsoll.cli.arguments import usage
from plimsoll.cli.books import damage_told, journal_of
from plimsoll.cli.exits import Exit
from plimsoll.cli.failure import Failure
from plimsoll.cli.hanging import LIMIT_S, hanging_told
from plimsoll.cli.output import print_json
from plimsoll.cli.what_if import answer
from plimsoll.cli.wiring import loader
from plimsoll.config.project import Project, load_project
from plimsoll.engine.replay import ReplayReport, prove, sessions


def replay(
    session: str,
    project: str,
    env: str,
    *,
    json: bool,
    with_: str,
    strategy: str,
    params: str,
    callback_limit: float,
) -> Exit:
    """Replay one session; return 9 when a decision differs.

    Raises:
        Failure: there is no such session, nothing in it that could be replaced, or a callback did
            not return.
    """
    found = load_project(Path(project), env)
    journal_of(found.books)
    epoch = _epoch(found, session)
    if with_:
        with hanging_told():
            return answer(found, epoch, with_, strategy, params, callback_limit, json=json)
    if strategy or params:
        raise usage("--strategy and --params belong to --with", "plimsoll replay --help")
    report = proof(found, epoch, callback_limit)
    if json:
        print_json({"replay": fields(report)})
    else:
        print(words(report))
    return Exit.DONE if report.identical else Exit.FINDINGS


def proof(project: Project, epoch: int, callback_limit_s: float = LIMIT_S) -> ReplayReport:
    """Return what the replay of one session found.

    Raises:
        Failure: the log is damaged, there is no such session, or a callback did not return.
    """
    limit_ns = round(callback_limit_s * 1e9)
    with damage_told(project.books), hanging_told():
        try:
            return prove(project.journal_dir, epoch, loader(project), limit_ns)
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
    lines = [f"session {report.epoch}: NOT identical after {counts}"]
    found = report.difference
    if found is None:
        return "\n".join((*lines, f"  {report.first_difference}"))
    at = f"seq {found.seq}, {text.moment(found.ts_ns)} UTC, caused by seq {found.cause}"
    if found.missing:
        return "\n".join((*lines, f"  cannot be proved from {at}: {found.missing}"))
    lines += [
        f"  first difference at {at}",
        f"    the log     {found.logged or 'nothing'}",
        f"    the replay  {found.replayed or 'nothing'}",
    ]
    lines += [f"    differs in  {', '.join(found.fields)}"] if found.fields else []
    return "\n".join(lines)


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
