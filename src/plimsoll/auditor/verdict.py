"""What the auditor found so far, as a file that others read."""

import os
from pathlib import Path
from typing import Final

import msgspec

AUDIT_FILE: Final = "audit.json"
"""In the run directory."""


class Finding(msgspec.Struct, frozen=True):
    """Something that must not be: it stands until a person says it was looked into.

    ``code``: ``books`` (the books derived from the log are not those the engine had), ``state``
    (the same of everything that decides what happens next), ``snapshot`` (a snapshot does not
    restore to what it was taken of), ``damage`` (a log is not what was written), ``release``
    (another release writes records this one does not know). ``seq`` is the record it was found at,
    ``ts_ns`` the time of the newest record applied.
    """

    code: str
    seq: int
    ts_ns: int
    text: str


class Verdict(msgspec.Struct):
    """How far the auditor is and what it found. Seqs are those of the trading log."""

    account: str = ""
    pid: int = 0
    """0 once it has ended."""

    told_ns: int = 0
    """When this was written, Unix ns."""

    epoch: int = 0
    seq: int = 0
    """Newest record applied."""

    behind: int = 0
    """How far the log is known to go on behind that."""

    checked_seq: int = 0
    """Newest record whose hash was compared."""

    books_checked: int = 0
    states_checked: int = 0
    snapshot_seq: int = 0
    segments_verified: int = 0
    finding: Finding | None = None


def read_verdict(run_dir: Path) -> Verdict | None:
    """Return what the auditor wrote last, None where it never ran or the file is not its own."""
    try:
        return msgspec.json.decode((run_dir / AUDIT_FILE).read_bytes(), type=Verdict)
    except (OSError, msgspec.MsgspecError):
        return None


def write_verdict(run_dir: Path, verdict: Verdict) -> None:
    """Write a verdict so that a reader sees the old one or the new one.

    Raises:
        OSError: it could not be written.
    """
    path = run_dir / AUDIT_FILE
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    temporary.write_bytes(msgspec.json.encode(verdict))
    temporary.rename(path)
