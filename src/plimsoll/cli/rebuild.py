"""``journal rebuild``: out of a journal nobody can trust, back to what the venue says (JRN-2).

The old journal is kept beside the new one. The lease is taken meanwhile, which raises the epoch
above every one that was ever used, so that no client order id is made twice. A standing halt makes
the next session begin without new risk.
"""

import json as json_text
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from plimsoll.auditor import AUDIT_FILE
from plimsoll.cli.books import journal_of, wall_ns
from plimsoll.cli.exits import Exit
from plimsoll.cli.failure import Failure
from plimsoll.cli.giving import REQUEST as HALT_REQUEST
from plimsoll.cli.output import print_json
from plimsoll.config.books import Books, load_books
from plimsoll.journal import highest_epoch
from plimsoll.lease import LeaseError, take

ASIDE: Final = "journal-aside"
"""Folder beside ``journal``: whoever looks for the logs of accounts does not find these."""

_LOST: Final = """\
What the next session will not know any more:
  - which strategy owns what: positions and open orders are taken over as foreign
  - fills, fees and profit so far, equity at the start of the day and its peak
  - what strategies remembered; orders counted today; halts, blocks and modes
It stays readable in the old journal. Orders at the venue are not touched."""


def rebuild(project: str, env: str, *, json: bool, yes: bool, above: int) -> Exit:
    """Move the journal aside; the next engine begins from the venue, halted.

    Raises:
        Failure: there is no journal, something runs on it, or nobody confirmed.
    """
    found = load_books(Path(project), env)
    folder = journal_of(found)
    if not yes:
        _ask(found)
    try:
        epoch, aside = _move(found, folder, above)
    except LeaseError as error:
        raise Failure(Exit.REFUSED, "engine-runs", str(error)) from error
    except OSError as error:
        raise Failure(Exit.REFUSED, "not-moved", f"{folder}: {error.strerror}") from error
    if json:
        print_json({"aside": str(aside), "epoch": epoch, "halted": True})
    else:
        print(
            f"the old journal is {aside}\nthe next session has an epoch above {epoch}, takes over "
            f"what the account holds, and is halted:\n"
            f"  plimsoll run --project {found.root}\n"
            f"  plimsoll status --project {found.root}\n"
            f"  plimsoll resume --project {found.root}"
        )
    return Exit.DONE


def _ask(books: Books) -> None:
    print(_LOST, file=sys.stderr)
    answer = ""
    if sys.stdin is not None and sys.stdin.isatty():
        print(f"Type the account's name ({books.account}) to go on: ", end="", file=sys.stderr)
        answer = sys.stdin.readline().strip()
    if answer != books.account:
        hint = f"if that is meant: plimsoll journal rebuild --yes --project {books.root}"
        raise Failure(Exit.REFUSED, "not-confirmed", "not confirmed: nothing was changed", hint)


def _move(books: Books, folder: Path, above: int) -> tuple[int, Path]:
    """Return the epoch that is used up and where the journal is now.

    Raises:
        LeaseError: an engine runs, or the epoch cannot be stored.
        OSError: the folder cannot be moved.
    """
    from plimsoll.auditor.process import alone

    layout = books.layout
    layout.run_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    floor = max(above, highest_epoch(folder))
    lease = take(layout.lease_dir, books.account, "journal rebuild", floor=floor)
    try:
        with alone(layout.run_dir) as is_alone:
            if not is_alone:
                text = "the auditor of this account runs"
                raise Failure(Exit.REFUSED, "auditor-runs", text, "stop it first")
            _request_halt(layout.run_dir, lease.epoch)
            aside = _rename(books, folder)
    finally:
        lease.release()
    return lease.epoch, aside


def _request_halt(run_dir: Path, epoch: int) -> None:
    """Write the standing request first: a journal that is gone must not start a trading session."""
    path = run_dir / HALT_REQUEST
    reason = f"the journal was rebuilt (epoch {epoch}): look at the books before resuming"
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json_text.dumps({"actor": "journal rebuild", "reason": reason}))
    temporary.rename(path)
    _sync(run_dir)


def _rename(books: Books, folder: Path) -> Path:
    stamp = datetime.fromtimestamp(wall_ns() / 1e9, UTC).strftime("%Y%m%dT%H%M%SZ")
    aside = books.layout.var_dir / ASIDE / f"{books.account}-{stamp}"
    aside.parent.mkdir(mode=0o700, exist_ok=True)
    folder.rename(aside)
    _sync(folder.parent)
    _sync(aside.parent)
    verdict = books.layout.run_dir / AUDIT_FILE
    if verdict.exists():  # what it says is of the old one
        verdict.rename(aside / AUDIT_FILE)
    return aside


def _sync(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
