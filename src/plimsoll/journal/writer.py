"""One log, open for append.

`LogWriter.append` runs on the order path: no lock, no system call but at a rotation. Everything
else here is called by the forcing thread (or by the appending one where it wants to wait).
"""

import fcntl
import os
import threading
from collections import deque
from pathlib import Path
from typing import Final
from zlib import crc32

from plimsoll.journal.errors import JournalError
from plimsoll.journal.layout import (
    BODY,
    BODY_OFFSET,
    FRAME_BYTES,
    HEADER_BYTES,
    MARKET,
    TRADING,
    Header,
    boot_id,
    number_of,
)
from plimsoll.journal.recover import Recovery, recover
from plimsoll.journal.segment import LINKS, Segment

_ANY_EPOCH: Final = 1 << 62
_SPARE: Final = "next.spare"
_URGENT: Final = "urgent.spare"
"""Made by the appending thread where the forcing one was late; another name, another file."""
_RESERVE: Final = "reserve.spare"
"""Taken where no other can be made: on a full disk cancels and reductions still get journaled."""


def open_log(
    directory: Path,
    log: str,
    account: str,
    epoch: int,
    *,
    segment_bytes: int,
    may_drop: bool = False,
    has_reserve: bool = False,
) -> "LogWriter":
    """Open ``directory/log`` for append, having repaired what a crash left.

    Args:
        directory: The journal's folder; made where it does not exist.
        log: Name of the log.
        account: Whose log; one that belongs to another account is refused.
        epoch: The lease's epoch; a lower one than the log has seen is refused.
        segment_bytes: Space per segment.
        may_drop: Old segments may be missing, and what cannot be written is left out; else both
            are errors.
        has_reserve: Keep the space of one more segment for when the disk is full (JRN-4).

    Raises:
        JournalDamaged: the log is not what was written: do not trade.
        JournalError: another process is writing, or account or epoch do not fit.
        OSError: the folder cannot be used.
    """
    folder = directory / log
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder_fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        _lock(folder_fd, folder)
        for name in (_SPARE, _URGENT, _RESERVE):
            (folder / name).unlink(missing_ok=True)
        for path in folder.glob(LINKS):
            path.unlink()
        recovery = recover(folder, log, account, epoch, may_drop=may_drop)
        return LogWriter(
            folder,
            folder_fd,
            account,
            epoch,
            recovery,
            segment_bytes,
            is_lossy=may_drop,
            has_reserve=has_reserve,
        )
    except BaseException:
        os.close(folder_fd)
        raise


def repair(directory: Path, account: str) -> None:
    """Repair what a crash left in both logs, where there are any, so that they can be read.

    Raises:
        JournalDamaged: a log is not what was written: do not trade.
        JournalError: another process is writing, or it is the log of another account.
        OSError: the folder cannot be used.
    """
    for log, may_drop in ((TRADING, False), (MARKET, True)):
        folder = directory / log
        if not folder.exists():
            continue
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            _lock(fd, folder)
            recover(folder, log, account, _ANY_EPOCH, may_drop=may_drop)
        finally:
            os.close(fd)


def _lock(fd: int, folder: Path) -> None:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise JournalError(
            f"{folder} is being written by another process; one log has one writer: stop that one"
        ) from None


class LogWriter:
    """Appends records to one log. Made by `open_log`.

    Attributes:
        failure: The error after which nothing is accepted any more, None while all is well.
        last_seq: Last seq on this log (found at opening or appended since).
        recovery: What opening found and repaired.
    """

    def __init__(
        self,
        folder: Path,
        folder_fd: int,
        account: str,
        epoch: int,
        recovery: Recovery,
        segment_bytes: int,
        *,
        is_lossy: bool,
        has_reserve: bool,
    ) -> None:
        """Take over a repaired folder; the first segment is named by its first record."""
        self.folder = folder
        self.recovery = recovery
        self.failure: Exception | None = None
        self.forced_seq = recovery.last_seq
        """Last seq known to be on disk."""
        self._folder_fd = folder_fd
        self._account, self._epoch = account, epoch
        self._segment_bytes = segment_bytes
        self._previous = recovery.digest
        self._forcing = threading.Lock()
        self._is_lossy, self._has_reserve = is_lossy, has_reserve
        self.lost = 0
        """Records left out since the log failed, where it may have holes."""
        self._reserve: Segment | None = None
        self._spare: Segment | None = Segment(folder / _SPARE, segment_bytes)
        self._spare.fill()
        self._filling: Segment | None = None
        self._open: deque[Segment] = deque()
        """Segments not yet finished, oldest first; the last one is being appended to."""
        self._active = self._spare
        self._active_size = 0
        self._active.position = (HEADER_BYTES, recovery.last_seq)

    @property
    def first_open(self) -> str:
        """Digits in the name of the oldest segment still written or forced; "" before the first."""
        try:
            return number_of(self._open[0].path)
        except IndexError:
            return ""

    @property
    def last_seq(self) -> int:
        """Last seq on this log."""
        return self._active.position[1]

    def append(self, seq: int, ts_ns: int, kind: int, payload: bytes | bytearray) -> None:
        """Append one record; when this returns, it survives the death of the process.

        Args:
            seq: Greater than every one before it on this log.
            ts_ns: Unix time in ns.
            kind: 1 to 255, kept as it is.
            payload: Bytes, kept as they are.

        Raises:
            JournalError: an earlier write or force failed, or the record exceeds a segment. A log
                that may have holes leaves the record out instead.
        """
        if self.failure is not None:
            self._left_out()
            return
        segment = self._active
        start, last_seq = segment.position
        assert seq > last_seq, f"seq {seq} appended after {last_seq}"
        length = FRAME_BYTES + len(payload)
        stop = start + length
        if stop > self._active_size:
            rotated = self._rotate(seq, length)
            if rotated is None:
                return
            segment = rotated
            start = HEADER_BYTES
            stop = start + length
        view, words, word = segment.view, segment.words, start >> 2
        BODY.pack_into(view, start + BODY_OFFSET, seq, ts_ns, kind)
        view[start + FRAME_BYTES : stop] = payload
        words[word + 1] = crc32(view[start + BODY_OFFSET : stop], length)
        words[word] = length  # last: from here on readers see the record
        segment.position = ((stop + 7) & -8, seq)

    def force(self) -> None:
        """Return when everything appended before the call is on disk and chained.

        A log that may have holes says in ``failure`` that it has one.

        Raises:
            JournalError: it is not, and nothing will be accepted any more.
        """
        with self._forcing:
            if self.failure is None:
                try:
                    self._force_all()
                except OSError as error:
                    self._fail(error)
            elif not self._is_lossy:
                raise self._refusal()

    def has_new(self) -> bool:
        """Return whether something was appended that is not on disk (approximate, cheap)."""
        return self._active.position[1] != self.forced_seq

    def _force_all(self) -> None:
        while len(self._open) > 1:
            oldest = self._open[0]
            oldest.force(self._previous, self._folder_fd)
            oldest.finish()
            self._previous = oldest.digest
            self._open.popleft()
        if self._open:
            active = self._open[0]
            last_seq = active.position[1]
            active.force(self._previous, self._folder_fd)
            self.forced_seq = last_seq

    def open_pages(self, ahead_bytes: int) -> None:
        """Make the pages of the next records writable, off the order path; for the forcing thread.

        Nothing to do before the first record, and while somebody else forces.
        """
        if self._open and self._forcing.acquire(blocking=False):
            try:
                self._open[-1].open_pages(ahead_bytes)
            finally:
                self._forcing.release()

    def prepare(self) -> None:
        """Do one step towards a spare segment once the active one is half full.

        For the forcing thread. The spare is handed over when no step is left, so that nobody
        writes zeros into a segment in use. The reserve comes first, and again once there is space.

        Raises:
            OSError: no space for one; what is open, and the reserve, still take records.
        """
        if self._has_reserve and self._reserve is None:
            self._reserve = Segment(self.folder / _RESERVE, self._segment_bytes)
        if self._filling is not None:
            if self._filling.fill():
                self._spare, self._filling = self._filling, None
        elif self._spare is None and self._active.position[0] * 2 > self._active_size:
            self._filling = Segment(self.folder / _SPARE, self._segment_bytes)

    def close(self) -> None:
        """Force, cut the unused rest off and close; no thread may use the log any more.

        Raises:
            JournalError: the last records are not on disk.
        """
        try:
            if self.failure is None:
                self.force()
            if self.failure is None:
                self._finish_active()
        finally:
            self._abandon()

    def _finish_active(self) -> None:
        try:
            if self._open and self._open[0].position[0] == HEADER_BYTES:
                self._open.popleft().discard()
            elif self._open:
                self._open.popleft().finish()
        except OSError as error:
            self._fail(error)

    def _fail(self, error: OSError) -> None:
        """Accept nothing any more.

        Raises:
            JournalError: the log may have no holes.
        """
        self.failure = error
        if not self._is_lossy:
            raise self._refusal() from error

    def _abandon(self) -> None:
        for segment in self._open:
            segment.close()
        self._open.clear()
        for spare in (self._spare, self._filling, self._reserve):
            if spare is not None:
                spare.discard()
        self._spare = self._filling = self._reserve = None
        if self._folder_fd >= 0:
            os.close(self._folder_fd)
            self._folder_fd = -1
        if self.failure is None:
            self.failure = JournalError("the log was closed")

    def _rotate(self, seq: int, length: int) -> Segment | None:
        if HEADER_BYTES + length > self._segment_bytes:
            raise JournalError(
                f"record {seq} needs {length} bytes, a segment of {self.folder} has room for "
                f"{self._segment_bytes - HEADER_BYTES}: raise the segment size"
            )
        last_seq = self.last_seq
        segment = self._spare
        try:
            segment = segment or self._urgent()
            segment.activate(self._header(seq, last_seq))
        except OSError as error:
            self.failure = error
            self._left_out(error)
            return None
        self._open.append(segment)  # from here on the one before is final, for the forcing thread
        self._active, self._active_size = segment, segment.size
        # Only now: while the spare is missing the forcing thread may make the next one, and before
        # the segment had its own name that would have been made over this one.
        if segment is self._spare:
            self._spare = None
        elif segment is self._reserve:
            self._reserve = None
        return segment

    def _urgent(self) -> Segment:
        """Return a segment where the spare is not ready: a new one, on a full disk the reserve."""
        try:
            return Segment(self.folder / _URGENT, self._segment_bytes)
        except OSError:
            if self._reserve is None:
                raise
            return self._reserve

    def _left_out(self, error: OSError | None = None) -> None:
        """Leave a record out where the log may have holes.

        Raises:
            JournalError: it may not.
        """
        if not self._is_lossy:
            raise self._refusal() from error
        self.lost += 1

    def _header(self, seq: int, last_seq: int) -> Header:
        return Header(
            log=self.folder.name,
            account=self._account,
            epoch=self._epoch,
            first_seq=seq,
            previous_seq=last_seq,
            boot=boot_id(),
        )

    def _refusal(self) -> JournalError:
        return JournalError(
            f"{self.folder} takes no more records after: {self.failure!r}. What was appended last "
            f"may not be on disk: halt, check the disk, restart"
        )
