"""How much space a log takes and how fast it grows, from its file sizes and two time stamps."""

from pathlib import Path
from typing import Final, NamedTuple

from plimsoll.journal.errors import JournalDamaged
from plimsoll.journal.layout import segment_paths
from plimsoll.journal.segment_reader import SegmentReader

_DAY_NS: Final = 86_400_000_000_000
_BLOCK: Final = 512


class Usage(NamedTuple):
    """``held``: bytes on disk; ``per_day``: bytes a day, 0 where one segment tells nothing yet."""

    held: int
    per_day: int


def usage(directory: Path, log: str) -> Usage:
    """Return what ``directory/log`` takes; the segment being written is no part of the rate."""
    paths, sizes = segment_paths(directory / log), [0]
    try:
        sizes = [path.stat().st_blocks * _BLOCK for path in paths]
        span_ns = _began_ns(paths[-1]) - _began_ns(paths[0]) if paths else 0
    except (FileNotFoundError, JournalDamaged):  # replaced meanwhile, or for `verify` to tell
        span_ns = 0
    finished = sum(sizes[:-1])
    return Usage(sum(sizes), finished * _DAY_NS // span_ns if span_ns > 0 else 0)


def _began_ns(path: Path) -> int:
    reader = SegmentReader(path)
    try:
        return reader.first_ts_ns()
    finally:
        reader.close()
