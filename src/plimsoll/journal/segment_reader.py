"""One segment being read, while it is written or long after."""

import os
from pathlib import Path
from typing import Final

from plimsoll.journal.frames import Stop, frame_bytes, parse
from plimsoll.journal.layout import HEADER_BYTES, Entry, decode_header

_FIRST_BYTES: Final = 4096
"""A poll of a quiet log reads one page; a busy one grows to the limit below."""
_MOST_BYTES: Final = 1 << 20


class SegmentReader:
    """Reads records in order and remembers where it stands.

    It reads by system call, not through a mapping: the writer cuts finished segments, and a mapping
    of what was cut off kills its reader.

    Attributes:
        offset: End of the last whole record returned.
        last_seq: Its seq, or that before the segment.
        stop: Why the last `read` went no further.
    """

    def __init__(self, path: Path) -> None:
        """Open a segment.

        Raises:
            JournalDamaged: its header is not one.
            OSError: it cannot be read.
        """
        self.path = path
        self.fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            self.head = os.pread(self.fd, HEADER_BYTES, 0)
            self.header = decode_header(path, self.head)
        except BaseException:
            self.close()
            raise
        self.offset = HEADER_BYTES
        self.last_seq = self.header.previous_seq
        self.stop = Stop.END
        self._want = _FIRST_BYTES

    def read(self) -> list[Entry]:
        """Return the next records, at most about a MiB of them; none at the end or at a bad one."""
        entries: list[Entry] = []
        while True:
            chunk = os.pread(self.fd, self._want, self.offset)
            used, self.stop = parse(chunk, self.last_seq, self.header.epoch, entries)
            self.offset += used
            cut = len(chunk) < self._want
            if self.stop is Stop.SHORT and cut:
                self.stop = Stop.BAD if len(chunk) > used else Stop.END
            if entries or self.stop is not Stop.SHORT:
                break
            self._want = max(frame_bytes(chunk), 2 * self._want)
        if entries:
            self.last_seq = entries[-1].seq
        self._want = _FIRST_BYTES if used < _FIRST_BYTES // 2 else _MOST_BYTES
        return entries

    def has_more(self) -> bool:
        """Return whether a whole record stands at the place, without moving on."""
        place = self.offset, self.last_seq
        found = bool(self.read())
        self.offset, self.last_seq = place
        return found

    def rest(self) -> bytes:
        """Return everything from `offset` on, without the preallocated zeros at the end."""
        end = os.fstat(self.fd).st_size
        while end > self.offset:
            start = max(self.offset, end - _MOST_BYTES)
            chunk = os.pread(self.fd, end - start, start)
            if chunk != bytes(len(chunk)):
                break
            end = start
        return os.pread(self.fd, max(0, end - self.offset), self.offset).rstrip(b"\0")

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1
