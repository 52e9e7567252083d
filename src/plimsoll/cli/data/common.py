"""What the commands of ``data`` share: where the store is, times, and faults as failures."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from plimsoll.cli.exits import Exit
from plimsoll.cli.failure import Failure
from plimsoll.config.layout import Layout
from plimsoll.data import BadRows, DataError, Finding, Gap, OtherVenue, Overlaps, Store, StoreBusy
from plimsoll.data.frames import moment

_SHOWN: Final = 10
_REFUSED: Final = (Overlaps, OtherVenue, StoreBusy)


def is_project(project: str) -> bool:
    """Return whether a directory is a project."""
    return Layout(Path(project).expanduser()).main_file.is_file()


def store_of(project: str, store: str) -> Store:
    """Return the store meant.

    Raises:
        Failure: it would be in a directory that is no project.
    """
    if store:
        return Store(Path(store).expanduser())
    if not is_project(project):
        raise Failure(
            Exit.CONFIGURATION,
            "no-project",
            f"{project} is no project: it holds no plimsoll.toml",
            "give --project, or --store with the directory of the data",
        )
    return Store(Path(project).expanduser() / "data")


@contextmanager
def told() -> Iterator[None]:
    """Tell what is wrong with data as the command line tells it."""
    try:
        yield
    except DataError as error:
        raise failure_of(error) from error


def failure_of(error: DataError) -> Failure:
    """Return the failure of an error: 7 where the store has something else, 3 otherwise."""
    code = Exit.REFUSED if isinstance(error, _REFUSED) else Exit.CONFIGURATION
    word = "".join(f"-{c.lower()}" if c.isupper() else c for c in type(error).__name__)[1:]
    lines = [f"{error.where}: {error.what}"]
    if isinstance(error, BadRows):
        lines += finding_lines(error.findings, sum(error.counts.values()))
    return Failure(code, word, "\n  ".join(lines), error.how)


def time_of(text: str, option: str) -> int:
    """Return a time in Unix ms; without a zone it is UTC.

    Raises:
        Failure: it is none.
    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Failure(
            Exit.USAGE,
            "usage",
            f"{option}: expected a time, found {text!r}",
            f"write it as {option} 2024-01-01 or {option} 2024-01-01T08:00 (UTC)",
        ) from None
    found = found if found.tzinfo else found.replace(tzinfo=UTC)
    return round(found.timestamp() * 1000)


def finding_lines(findings: Sequence[Finding], count: int) -> list[str]:
    """Return findings as lines, the first of ``count``."""
    lines = [finding.text for finding in findings[:_SHOWN]]
    if count > _SHOWN:
        lines.append(f"and {count - _SHOWN:,} more: --json lists up to 100 of each fault")
    return lines


def gap_lines(gaps: Sequence[Gap]) -> list[str]:
    """Return gaps as lines, the first of many."""
    if not gaps:
        return []
    missing = sum(gap.missing for gap in gaps)
    lines = [f"gaps: {len(gaps):,}, of {missing:,} rows"]
    lines += [
        f"  {gap.missing:,} from {moment(gap.from_ms)} to {moment(gap.to_ms)}"
        for gap in gaps[:_SHOWN]
    ]
    if len(gaps) > _SHOWN:
        lines.append(f"  and {len(gaps) - _SHOWN:,} more: --json lists them all")
    return lines
