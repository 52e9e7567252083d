"""Where a log ends, found without reading it all: from its newest chain line or segment."""

from pathlib import Path

from plimsoll.journal.chain import last_line
from plimsoll.journal.errors import JournalError
from plimsoll.journal.layout import segment_paths
from plimsoll.journal.segment_reader import SegmentReader


def forced_seq(directory: Path, log: str) -> int:
    """Return the newest seq of ``directory/log`` that is known to be on disk, 0 for none."""
    for path in reversed(segment_paths(directory / log)):
        line = last_line(path)
        if line is not None:
            return line.last_seq
    return 0


def reaches(directory: Path, log: str, seq: int) -> bool:
    """Return whether ``directory/log`` has records up to ``seq``; cheap where they were forced.

    Raises:
        JournalDamaged: the newest segment has no header.
    """
    if forced_seq(directory, log) >= seq:
        return True
    paths = segment_paths(directory / log)
    if not paths:
        return False
    reader = SegmentReader(paths[-1])
    try:
        while reader.last_seq < seq and reader.read():
            pass
        return reader.last_seq >= seq
    finally:
        reader.close()


def highest_epoch(directory: Path) -> int:
    """Return the highest epoch in the headers of all logs, damaged ones passed over; 0 for none."""
    highest = 0
    for path in directory.glob("*/*.seg*"):
        try:
            reader = SegmentReader(path)
        except (JournalError, OSError):
            continue
        highest = max(highest, reader.header.epoch)
        reader.close()
    return highest
