"""What opening a log after a crash finds: whole segments, a torn tail to cut, or damage to refuse.

Process death keeps every byte that was stored, so at most the record in flight is torn. Power loss
keeps what was forced and any pages of the rest. Therefore a bad record is cut off where nothing
whole follows it, or where the machine went down since and the record was not yet forced; anything
else is damage.
"""

import os
from pathlib import Path

import msgspec

from plimsoll.journal.chain import (
    LINE_BYTES,
    ChainLine,
    chained,
    check_blocks,
    encode_line,
    genesis,
    last_line,
    read_chain,
)
from plimsoll.journal.errors import JournalDamaged, JournalError
from plimsoll.journal.frames import Stop, later_record
from plimsoll.journal.layout import (
    FIXED_BYTES,
    HEADER_BYTES,
    NO_DIGEST,
    Header,
    boot_id,
    chain_path,
    decode_link,
    encode_link,
    first_seq_of,
    is_packed,
    orphan_chains,
    segment_paths,
    sync_directory,
)
from plimsoll.journal.segment import FILE_MODE
from plimsoll.journal.segment_reader import SegmentReader


class Recovery(msgspec.Struct, frozen=True):
    """Where a log ends and what was done to it at opening.

    ``last_seq`` and ``digest`` are 0 and zeros for a new log; ``notes`` tells the operator what was
    cut or is missing.
    """

    last_seq: int = 0
    digest: bytes = NO_DIGEST
    epoch: int = 0
    notes: tuple[str, ...] = ()


def recover(folder: Path, log: str, account: str, epoch: int, *, may_drop: bool) -> Recovery:
    """Repair the end of a log and return where it ends. The caller is its only writer.

    Args:
        folder: The log's folder.
        log: Name the headers must carry.
        account: Account the headers must carry.
        epoch: Of the coming writer.
        may_drop: Old segments may be missing.

    Raises:
        JournalDamaged: damage before the tail, or a missing segment.
        JournalError: another account's log, or a newer epoch has written here (LSE-8).
    """
    _check_orphans(folder, may_drop=may_drop)
    paths = segment_paths(folder)
    end = Recovery()
    notes = _remove_unforced(paths)
    for path in paths:
        reader = SegmentReader(path)
        try:
            header = reader.header
            _check_owner(path, header, log, account)
            missing = check_follows(path, header, end, may_drop=may_drop)
            notes += missing
            last = path is paths[-1]
            end = _Repair(reader, end, missing=bool(missing), last=last).run(notes)
        finally:
            reader.close()
    if epoch < end.epoch:
        raise JournalError(
            f"{folder}: epoch {end.epoch} has written here, so epoch {epoch} may not: "
            f"take the lease again to get a higher one"
        )
    return msgspec.structs.replace(end, notes=tuple(notes))


def check_follows(path: Path, header: Header, end: Recovery, *, may_drop: bool) -> list[str]:
    """Check that a segment stands where it belongs; return notes on tolerated holes.

    Raises:
        JournalDamaged: a segment before it is missing, or its epoch or name does not fit.
    """
    if header.epoch < end.epoch:
        what = f"epoch {header.epoch} after epoch {end.epoch}: a writer without the lease wrote it"
        raise JournalDamaged(path, 0, end.last_seq, what)
    if first_seq_of(path) != header.first_seq:
        what = f"the header says it starts at seq {header.first_seq}, not its name"
        raise JournalDamaged(path, 0, end.last_seq, what)
    if header.previous_seq == end.last_seq:
        return []
    what = f"expected seq {header.previous_seq} before this segment, found {end.last_seq}"
    if not may_drop or header.previous_seq < end.last_seq:
        raise JournalDamaged(path, 0, end.last_seq, f"{what}: a segment is missing")
    return [f"{path}: {what}: older segments are gone, replay starts here"]


def rebooted(header: Header) -> bool:
    """Return whether the machine went down since the segment was begun; False where unknown."""
    return any(header.boot) and any(boot_id()) and header.boot != boot_id()


def _check_orphans(folder: Path, *, may_drop: bool) -> None:
    for path in orphan_chains(folder):
        if not may_drop:
            raise JournalDamaged(path, 0, 0, "a segment is missing, its chain file is there")
        chain_path(path).unlink()


def _check_owner(path: Path, header: Header, log: str, account: str) -> None:
    if (header.log, header.account) != (log, account):
        raise JournalError(
            f"{path} is log {header.log!r} of account {header.account!r}, expected {log!r} of "
            f"{account!r}: check the configured account and folder"
        )


def _remove_unforced(paths: list[Path]) -> list[str]:
    """Remove segments at the end that were never forced, where the power took a part of them.

    Segments are forced in order, pages reach the disk in any: when the power goes just after a
    change of segments, the new one may be there, and the end of the old one not.
    """
    notes = []
    while paths and not _is_forced(paths[-1]) and not is_packed(paths[-1]):
        if _is_blank(paths[-1]):
            what = "nothing of it was on disk when the machine went down"
        elif len(paths) > 1 and _is_cut_off(paths[-1], paths[-2]):
            what = "what stood before it was not on disk when the machine went down"
        else:
            break
        notes.append(f"{paths[-1]}: {what}; removed")
        chain_path(paths[-1]).unlink(missing_ok=True)
        paths.pop().unlink()
    return notes


def _is_forced(path: Path) -> bool:
    """Return whether a block of a segment was ever forced; its chain file alone does not say so."""
    chain = chain_path(path)
    return chain.exists() and chain.stat().st_size >= LINE_BYTES


def _is_blank(path: Path) -> bool:
    with path.open("rb") as file:
        return not any(file.read(HEADER_BYTES))


def _is_cut_off(path: Path, before: Path) -> bool:
    """Return whether the records before a segment's first one are gone, by loss of power."""
    newest = SegmentReader(path)
    try:
        if not rebooted(newest.header):
            return False
        if _is_blank(before):
            return not _is_forced(before)
        reader = SegmentReader(before)
        try:
            while reader.read():
                pass
            return reader.last_seq < newest.header.previous_seq
        finally:
            reader.close()
    finally:
        newest.close()


class _Repair:
    """One segment: trusted where its newest chain line covers it, else read and completed.

    A start reads the tail only. That the rest still is what was forced is found by whoever derives
    state from it (each record has its checksum), by `verify` and by the auditor.
    """

    def __init__(
        self, reader: SegmentReader, before: Recovery, *, missing: bool, last: bool
    ) -> None:
        self.reader, self.path, self.before, self.last = reader, reader.path, before, last
        self.link = decode_link(self.path, reader.head)
        if self.link is not None and not missing and self.link != before.digest:
            what = "its link is not the last chain hash of the segment before"
            raise JournalDamaged(self.path, FIXED_BYTES, reader.header.previous_seq, what)
        self.previous = self.link or before.digest
        self.lines: list[ChainLine] = []

    def run(self, notes: list[str]) -> Recovery:
        """Return where the log ends with this segment."""
        packed = is_packed(self.path)
        line = None if self.last and not packed else last_line(self.path)
        if packed and (line is None or line.end != self.reader.size):
            what = "a compressed segment is not chained to its end"
            raise JournalDamaged(self.path, self.reader.size, self.before.last_seq, what)
        if line is None or line.end != self.reader.size:
            is_loose = self.last and rebooted(self.reader.header)
            self.lines = read_chain(self.path, rebooted=is_loose)
            line = self._complete(notes)
        if line.end == HEADER_BYTES:
            self._remove()
            return self.before
        return Recovery(line.last_seq, line.digest, self.reader.header.epoch)

    def _complete(self, notes: list[str]) -> ChainLine:
        """Read everything, cut the tail, chain what is not yet, and force it all."""
        reader, lines = self.reader, self.lines
        while reader.read():
            pass
        end, last_seq = reader.offset, reader.last_seq
        forced = lines[-1].end if lines else HEADER_BYTES
        self._check_tail(end, last_seq, forced)
        start = genesis(reader.head, self.previous)
        digest = check_blocks(self.path, reader.pread, start, lines, reader.header.previous_seq)
        if self.reader.rest():
            notes.append(f"{self.path}: torn tail cut at byte {end}, after seq {last_seq}")
        if end > forced:
            digest = chained(digest, self.reader.pread(end - forced, forced))
        line = ChainLine(last_seq=last_seq, end=end, digest=digest)
        if end > HEADER_BYTES:
            self._write(line, append=end > forced)
        return line

    def _remove(self) -> None:
        """Remove a segment that was begun and got no record: the next one may need its name."""
        chain_path(self.path).unlink(missing_ok=True)
        self.path.unlink()
        sync_directory(self.path.parent)

    def _check_tail(self, end: int, last_seq: int, forced: int) -> None:
        if end < forced:
            what = f"{self.reader.stop.value}; records up to byte {forced} were on disk"
            raise JournalDamaged(self.path, end, last_seq, what)
        if end == HEADER_BYTES and not self.last:
            raise JournalDamaged(self.path, end, last_seq, "expected records, found none")
        if self.last and rebooted(self.reader.header):
            return
        if self.reader.stop is Stop.BAD and not self.last:
            raise JournalDamaged(self.path, end, last_seq, Stop.BAD.value)
        if later_record(self.reader.rest(), last_seq) is not None:
            raise JournalDamaged(self.path, end, last_seq, "whole records follow a bad one")

    def _write(self, line: ChainLine, *, append: bool) -> None:
        fd = os.open(self.path, os.O_RDWR | os.O_CLOEXEC)
        try:
            if self.link is None:
                os.pwrite(fd, encode_link(self.previous), FIXED_BYTES)
            os.ftruncate(fd, line.end)
            os.fsync(fd)
        finally:
            os.close(fd)
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        fd = os.open(chain_path(self.path), flags, FILE_MODE)
        try:
            os.ftruncate(fd, len(self.lines) * LINE_BYTES)
            if append:
                os.pwrite(fd, encode_line(line), len(self.lines) * LINE_BYTES)
            os.fsync(fd)
        finally:
            os.close(fd)
        sync_directory(self.path.parent)
