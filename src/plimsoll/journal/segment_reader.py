"""One segment being read, while it is written or long after."""

from pathlib import Path
from typing import Final

from plimsoll.journal.content import open_content
from plimsoll.journal.frames import Stop, frame_bytes, parse
from plimsoll.journal.layout import FRAME, FRAME_BYTES, HEADER_BYTES, Entry, decode_header

_FIRST_BYTES: Final = 4096
"""A poll of a quiet log reads one page; a busy one grows to the limit below."""
_MOST_BYTES: Final = 1 << 20


class SegmentReader:
    """Reads records in order and remembers where it stands.

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
        self._content = open_content(path)
        try:
            self.head = self._content.pread(HEADER_BYTES, 0)
            self.header = decode_header(path, self.head)
        except BaseException:
            self.close()
            raise
        self.offset = HEADER_BYTES
        self.last_seq = self.header.previous_seq
        self.stop = Stop.END
        self._want = _FIRST_BYTES

    @property
    def size(self) -> int:
        """Bytes of the segment now, uncompressed."""
        return self._content.size

    @property
    def is_removed(self) -> bool:
        """Whether the file has lost its name since it was opened."""
        return self._content.is_removed

    def pread(self, count: int, offset: int) -> bytes:
        """Return up to ``count`` bytes of the segment.

        Raises:
            JournalDamaged: compressed, and not what was written.
        """
        return self._content.pread(count, offset)

    def first_ts_ns(self) -> int:
        """Return the time of the first record, 0 where there is none yet."""
        frame = self._content.pread(FRAME_BYTES, HEADER_BYTES)
        return int(FRAME.unpack(frame)[3]) if len(frame) == FRAME_BYTES else 0

    def read(self) -> list[Entry]:
        """Return the next records, at most about a MiB of them; none at the end or at a bad one."""
        entries: list[Entry] = []
        while True:
            chunk = self._content.pread(self._want, self.offset)
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
        end = self.size
        while end > self.offset:
            start = max(self.offset, end - _MOST_BYTES)
            chunk = self.pread(end - start, start)
            if chunk != bytes(len(chunk)):
                break
            end = start
        return self.pread(max(0, end - self.offset), self.offset).rstrip(b"\0")

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        self._content.close()
