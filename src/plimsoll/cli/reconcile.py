"""``reconcile``: the books against the exchange's own record, side by side."""

import time
from pathlib import Path
from typing import Any, Final

from plimsoll.cli import planning, text
from plimsoll.cli.books import damage_told, holder_of, journal_of
from plimsoll.cli.compare import Difference, compare
from plimsoll.cli.exits import Exit
from plimsoll.cli.failure import Failure
from plimsoll.cli.output import print_json
from plimsoll.cli.sides import our_side, read_record, their_side
from plimsoll.cli.wiring import simulator_file
from plimsoll.config.project import Project, load_project
from plimsoll.engine.replica import Replica

_SETTLE_S: Final = 2.0
_SHOWN_MOST: Final = 50


def reconcile(project: str, env: str, *, json: bool, record: str, plan: bool) -> Exit:
    """Compare, print the differences (or a plan), and return 9 when there are any."""
    if plan:
        return planning.plan(project, env, json=json)
    found = load_project(Path(project), env)
    journal_of(found.books)
    path = Path(record) if record else record_of(found)
    differences = lasting_differences(found, path)
    if json:
        print_json({"record": str(path), **document(differences)})
    else:
        print(page(differences, path))
    return Exit.FINDINGS if differences else Exit.DONE


def lasting_differences(project: Project, record: Path) -> list[Difference]:
    """Return the differences; while the engine runs only those that stay.

    What is in flight differs for a moment: two looks two seconds apart must see the same.
    """
    differences = differences_of(project, record)
    if not differences or holder_of(project.books) is None:
        return differences
    time.sleep(_SETTLE_S)
    later = set(differences_of(project, record))
    return [difference for difference in differences if difference in later]


def differences_of(project: Project, record: Path) -> list[Difference]:
    """Return the differences between the log and a record as both are now.

    Raises:
        Failure: one of them cannot be read.
    """
    tag = project.settings.account.tag
    with damage_told(project.books):
        replica = Replica(project.journal_dir)
        try:
            replica.poll()
            ours = our_side(project.journal_dir, replica.core)
        finally:
            replica.close()
    try:
        theirs = their_side(read_record(record), tag)
    except OSError as error:
        raise _no_record(f"{record} cannot be read: {error.strerror}") from error
    except (ValueError, KeyError) as error:
        raise _no_record(f"{record} is no record of the simulator: {error}") from error
    return compare(ours, theirs, tag)


def record_of(project: Project) -> Path:
    """Return the record beside the ``sim.json`` that the project's venue.url leads to.

    Raises:
        Failure: the project trades elsewhere, or the simulator wrote no record there.
    """
    if project.settings.venue.environment != "simulator":
        raise _no_record(
            f"venue.environment is {project.settings.venue.environment}: only the simulator keeps "
            f"a record"
        )
    file = simulator_file(project)
    if file is None:
        raise _no_record(f"venue.url {project.settings.venue.url} names no sim.json")
    return file.parent / "record.jsonl"


def document(differences: list[Difference]) -> dict[str, Any]:
    """Return the part of a JSON document about differences."""
    rows = [difference._asdict() for difference in differences]
    return {"differences": len(rows), "list": rows}


def page(differences: list[Difference], record: Path) -> str:
    """Return the differences side by side, or that there are none."""
    if not differences:
        return f"no differences: every order, execution, position and balance is as in\n  {record}"
    shown = differences[:_SHOWN_MOST]
    noun = "difference" if len(differences) == 1 else "differences"
    lines = [
        f"{len(differences)} {noun} to {record}",
        text.table(("what", "which", "ours", "the venue's"), shown),
    ]
    if len(differences) > len(shown):
        lines.append(f"and {len(differences) - len(shown)} more: --json lists them all")
    return "\n".join(lines)


def _no_record(message: str) -> Failure:
    return Failure(
        Exit.CONFIGURATION,
        "no-record",
        message,
        "name the simulator's record with --record FILE (sim writes DIR/record.jsonl)",
    )
