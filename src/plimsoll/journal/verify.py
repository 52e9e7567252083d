"""Reading a whole log with doubt: every header, record, chain line and link."""

from pathlib import Path

import msgspec

from plimsoll.journal.chain import check_blocks, genesis, read_chain
from plimsoll.journal.errors import JournalDamaged
from plimsoll.journal.frames import later_record
from plimsoll.journal.layout import (
    FIXED_BYTES,
    MARKET,
    decode_link,
    number_of,
    orphan_chains,
    segment_paths,
)
from plimsoll.journal.recover import Recovery, check_follows
from plimsoll.journal.segment_reader import SegmentReader


class Damage(msgspec.Struct, frozen=True):
    """One place that is not what was written; ``seq`` is the last good one before it."""

    file: Path
    offset: int
    seq: int
    what: str


class Report(msgspec.Struct):
    """What `verify` found. ``torn_tail`` is no damage: the next start cuts it."""

    log: str
    segments: int = 0
    records: int = 0
    first_seq: int = 0
    last_seq: int = 0
    damage: list[Damage] = []
    torn_tail: Damage | None = None
    notes: list[str] = []

    @property
    def is_whole(self) -> bool:
        """Return whether every byte that was forced is as it was written."""
        return not self.damage


def verify(directory: Path, log: str) -> Report:
    """Check all of ``directory/log``; a log in use may be checked as well.

    One damaged segment does not hide the others: the check goes on behind it.
    """
    verification = Verification(directory, log)
    while verification.step():
        pass
    return verification.report


class Verification:
    """A check of one log, segment by segment.

    With ``finished_only`` it stops before the segment being written and goes on once that is
    finished: for who looks at a log for as long as it is written.
    """

    def __init__(self, directory: Path, log: str, *, finished_only: bool = False) -> None:
        """Stand before the first segment."""
        self.report = Report(log)
        self._folder = directory / log
        self._finished_only = finished_only
        self._checked = ""
        self._end: Recovery | None = Recovery()
        for path in orphan_chains(self._folder) if log != MARKET else []:
            what = "a segment is missing, its chain file is there"
            self.report.damage.append(Damage(path, 0, 0, what))

    def step(self) -> bool:
        """Check the next segment; return whether there was one."""
        paths = segment_paths(self._folder)
        checked = self._checked
        left = [path for path in paths if number_of(path) > checked]
        if not left or (self._finished_only and not _is_finished(left)):
            return False
        path, is_open = left[0], not _is_finished(left)
        try:
            self._end = _check_segment(path, self._end, self.report, is_open=is_open)
        except FileNotFoundError:  # compressed, or dropped by retention, since it was listed
            return self._replaced(path)
        except JournalDamaged as error:
            damage = Damage(error.file, error.offset, error.seq, error.what)
            self.report.damage.append(damage)
            self._end = None
        self._checked = number_of(path)
        return True

    def _replaced(self, path: Path) -> bool:
        is_there = any(number_of(one) == number_of(path) for one in segment_paths(self._folder))
        if not is_there:
            self._checked, self._end = number_of(path), None
            if self.report.log == MARKET:
                self.report.notes.append(f"{path}: dropped while this was checked")
            else:
                self.report.damage.append(Damage(path, 0, 0, "it vanished while this was checked"))
        return True


def _is_finished(paths: list[Path]) -> bool:
    """Return whether the first of these is final: the one behind it is linked to it only then.

    A writer that was killed between beginning a segment and forcing the one before leaves both
    open; its next start completes them.
    """
    if len(paths) < 2:
        return False
    try:
        reader = SegmentReader(paths[1])
    except (JournalDamaged, FileNotFoundError):
        return True
    try:
        return decode_link(paths[1], reader.head) is not None
    except JournalDamaged:
        return True
    finally:
        reader.close()


def _check_segment(path: Path, end: Recovery | None, report: Report, *, is_open: bool) -> Recovery:
    """Check one segment; ``end`` is where the one before ended, None where that is not known."""
    lines = read_chain(path)  # before the records: they only grow
    reader = SegmentReader(path)
    report.segments += 1
    try:
        missing = _check_place(path, end, report, reader)
        link = decode_link(path, reader.head)
        known = end is not None and not missing
        if link is not None and known and end is not None and link != end.digest:
            what = "its link is not the last chain hash of the segment before"
            raise JournalDamaged(path, FIXED_BYTES, reader.last_seq, what)
        if lines and link is None:
            raise JournalDamaged(path, FIXED_BYTES, reader.last_seq, "link is gone")
        _count(reader, report)
        chained_to = lines[-1].end if lines else 0
        if chained_to > reader.offset:  # first: it names the record, the chain only its block
            what = f"{reader.stop.value}; records up to byte {chained_to} were on disk"
            raise JournalDamaged(path, reader.offset, reader.last_seq, what)
        start = genesis(reader.head, link or b"")
        digest = check_blocks(path, reader.pread, start, lines, reader.header.previous_seq)
        _check_rest(reader, report, is_open=is_open, chained_to=chained_to)
        return Recovery(reader.last_seq, digest, reader.header.epoch)
    finally:
        reader.close()


def _check_place(
    path: Path, end: Recovery | None, report: Report, reader: SegmentReader
) -> list[str]:
    if reader.header.log != path.parent.name:
        what = f"header names log {reader.header.log!r}"
        raise JournalDamaged(path, 0, reader.last_seq, what)
    if end is None:
        return []
    missing = check_follows(path, reader.header, end, may_drop=report.log == MARKET)
    report.notes += missing
    return missing


def _count(reader: SegmentReader, report: Report) -> None:
    while entries := reader.read():
        report.first_seq = report.first_seq or entries[0].seq
        report.last_seq = entries[-1].seq
        report.records += len(entries)


def _check_rest(reader: SegmentReader, report: Report, *, is_open: bool, chained_to: int) -> None:
    rest = reader.rest()
    if reader.has_more() or not rest:
        if is_open or chained_to == reader.offset or reader.has_more():
            return
        what = "a finished segment is not chained to its end"
        raise JournalDamaged(reader.path, reader.offset, reader.last_seq, what)
    if not is_open or later_record(rest, reader.last_seq) is not None:
        what = "a bad record with others behind it"
        raise JournalDamaged(reader.path, reader.offset, reader.last_seq, what)
    what = "torn tail, the next start cuts it"
    report.torn_tail = Damage(reader.path, reader.offset, reader.last_seq, what)
