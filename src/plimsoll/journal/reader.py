"""Reading a log from any record to its end, or on and on behind its writer."""

import heapq
import os
import time
from collections.abc import Iterable, Iterator
from operator import attrgetter
from pathlib import Path
from typing import Final

from plimsoll.journal.errors import JournalDamaged
from plimsoll.journal.frames import Stop, later_record
from plimsoll.journal.layout import (
    HEADER_BYTES,
    MARKET,
    Entry,
    first_seq_of,
    is_packed,
    number_of,
    segment_paths,
)
from plimsoll.journal.segment_reader import SegmentReader

_SETTLE_S: Final = 1.0
"""A folder's time stamp is coarse: only an old one shows that nothing was added since."""


def scan(directory: Path, log: str, from_seq: int = 0) -> Iterator[Entry]:
    """Yield the records of ``directory/log`` from ``from_seq`` to what is its end now.

    Raises:
        JournalDamaged: a record before the end is not whole, or a segment is missing (on the market
            log segments may have been dropped). A torn tail just ends the log.
    """
    tail = LogTail(directory, log, from_seq)
    try:
        while batch := tail.read():
            yield from batch
        tail.check_end()
    finally:
        tail.close()


def newest_epoch(directory: Path, log: str) -> int:
    """Return the epoch of the newest segment of ``directory/log``, 0 where there is none.

    Raises:
        JournalDamaged: its header is not what was written.
    """
    paths = segment_paths(directory / log)
    if not paths:
        return 0
    reader = SegmentReader(paths[-1])
    try:
        return reader.header.epoch
    finally:
        reader.close()


def is_kept(directory: Path, log: str, epoch: int, first_seq: int) -> bool:
    """Return whether nothing of a session was dropped from a log; ``first_seq``: its first record.

    Raises:
        JournalDamaged: the oldest segment's header is not what was written.
    """
    paths = segment_paths(directory / log)
    if not paths:
        return False
    reader = SegmentReader(paths[0])
    try:
        oldest = reader.header
    finally:
        reader.close()
    return oldest.epoch < epoch or (oldest.epoch == epoch and oldest.previous_seq < first_seq)


def merge(*logs: Iterable[Entry]) -> Iterator[Entry]:
    """Yield the records of several finished logs of one engine in the order they were written."""
    return heapq.merge(*logs, key=attrgetter("seq"))


class LogTail:
    """A place in one log that moves on with each `read`, over segments, sessions and crashes.

    Attributes:
        last_seq: Last seq known to stand on the log (also where it was below the wanted start).
        holes: Times that older market segments were gone before they were read.
        whole_from: First seq behind the newest of these holes, 0 without one.
    """

    def __init__(self, directory: Path, log: str, from_seq: int = 0) -> None:
        """Stand before the first record with at least ``from_seq``; the log may not exist yet."""
        self.folder = directory / log
        self.last_seq = 0
        self.holes = 0
        self.whole_from = 0
        self._from_seq = from_seq
        self._may_drop = log == MARKET
        self._segment: SegmentReader | None = None
        self._paths: list[Path] = []
        self._stamp = 0
        self._settles_at = 0.0
        self._is_settled = False

    def read(self) -> list[Entry]:
        """Return the next records; none means: at the end of the log as it was during this call.

        Raises:
            JournalDamaged: see `scan`.
        """
        while (entries := self._next()) is not None:
            if wanted := self._wanted(entries):
                return wanted
        return []

    def _next(self) -> list[Entry] | None:
        """Return records, nothing where it went on to another segment, None at the end."""
        segment = self._segment
        if segment is not None and (entries := segment.read()):
            return entries
        following = self._following()
        if following is None:
            if segment is not None:
                self._check(segment)
            return None
        if segment is not None and (entries := segment.read()):
            return entries  # the segment is final only since the next one exists
        self._move_to(following)
        return []

    def check_end(self) -> None:
        """Refuse a log that goes on behind the place where reading it ended.

        Raises:
            JournalDamaged: whole records stand behind a gap.
        """
        segment = self._segment
        if segment is None:
            return
        found = later_record(segment.rest(), segment.last_seq)
        if found is not None and not segment.has_more():  # else appended since by a live writer
            what = f"whole records follow at byte {segment.offset + found}"
            raise JournalDamaged(segment.path, segment.offset, segment.last_seq, what)

    def close(self) -> None:
        """Close the file."""
        if self._segment is not None:
            self._segment.close()
            self._segment = None

    def _wanted(self, entries: list[Entry]) -> list[Entry]:
        if not entries:
            return entries
        self.last_seq = entries[-1].seq
        if entries[0].seq >= self._from_seq:
            return entries
        return [entry for entry in entries if entry.seq >= self._from_seq]

    def _check(self, segment: SegmentReader) -> None:
        """Refuse a bad record that cannot be one in flight."""
        is_bad = segment.stop is Stop.BAD
        if is_bad and later_record(segment.rest(), segment.last_seq) is not None:
            if segment.has_more() or segment.stop is not Stop.BAD:
                return
            raise JournalDamaged(segment.path, segment.offset, segment.last_seq, Stop.BAD.value)

    def _following(self) -> Path | None:
        """Return the segment after the present one, None where there is none yet."""
        self._list()
        if self._segment is None:
            return self._start()
        present = number_of(self._segment.path)
        for path in self._paths:
            number = number_of(path)
            if number > present or (number == present and self._was_replaced(path)):
                return path
        return None

    def _was_replaced(self, path: Path) -> bool:
        """Return whether an empty segment was removed at a restart and its name is used again.

        One that has records and lost its name was compressed or dropped: what is open of it is
        read to its end all the same.
        """
        segment = self._segment
        is_empty = segment is not None and segment.offset == HEADER_BYTES
        return is_empty and segment is not None and segment.is_removed and not is_packed(path)

    def _list(self) -> None:
        try:
            changed_at = os.stat(self.folder).st_mtime_ns
        except FileNotFoundError:
            return
        now = time.monotonic()
        if changed_at != self._stamp:
            self._stamp, self._settles_at, self._is_settled = changed_at, now + _SETTLE_S, False
        if self._is_settled:
            return
        self._is_settled = now > self._settles_at
        self._paths = segment_paths(self.folder)

    def _start(self) -> Path | None:
        """Return the last segment that starts at or before the wanted seq, else the first one."""
        start = None
        for path in self._paths:
            if start is None or first_seq_of(path) <= self._from_seq:
                start = path
        return start

    def _move_to(self, path: Path) -> None:
        try:
            following = SegmentReader(path)
        except FileNotFoundError:  # compressed, or dropped by retention, since it was listed
            self._is_settled = False
            self._paths = segment_paths(self.folder)
            self.holes += all(number_of(one) != number_of(path) for one in self._paths)
            return
        before, self._segment = self._segment, following
        try:
            self._check_link(before, following, is_first=path == self._paths[0])
        finally:
            if before is not None:
                before.close()
        self.last_seq = max(self.last_seq, following.last_seq)

    def _check_link(
        self, before: SegmentReader | None, after: SegmentReader, *, is_first: bool
    ) -> None:
        expected = after.header.previous_seq
        if before is None:
            if is_first and expected and not self._may_drop:
                raise JournalDamaged(after.path, 0, 0, f"seqs up to {expected} are missing")
            if is_first and expected and expected >= self._from_seq:
                self.whole_from = after.header.first_seq
            return
        if after.header.epoch < before.header.epoch:
            what = f"epoch {after.header.epoch} follows epoch {before.header.epoch}"
            raise JournalDamaged(after.path, 0, before.last_seq, what)
        if expected == before.last_seq:
            return
        inside = before.stop is Stop.BAD or later_record(before.rest(), before.last_seq) is not None
        if inside or not self._may_drop:
            what = f"the next segment expects seq {expected} before it"
            raise JournalDamaged(before.path, before.offset, before.last_seq, what)
        self.holes += 1
        self.whole_from = after.header.first_seq
