"""The bytes of a segment, as they are in its file or out of its compressed form."""

import os
from pathlib import Path
from typing import Final, Protocol

import zstandard

from plimsoll.journal.errors import JournalDamaged
from plimsoll.journal.layout import FRAME_BYTES, HEADER_BYTES, is_packed

_HEAD_BYTES: Final = HEADER_BYTES + FRAME_BYTES
"""What is asked of a segment nobody reads: its header, the time of its first record."""

_FRAME_HEAD_BYTES: Final = 18
"""At most so long is a zstd frame's header, which has the size of the content."""

_HEAD_READ_BYTES: Final = 1 << 16


class Content(Protocol):
    """The bytes of one segment."""

    @property
    def size(self) -> int:
        """How many there are now."""
        ...

    @property
    def is_removed(self) -> bool:
        """Whether the file has lost its name since it was opened."""
        ...

    def pread(self, count: int, offset: int) -> bytes:
        """Return up to ``count`` bytes from ``offset`` on."""
        ...

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        ...


def open_content(path: Path) -> Content:
    """Open a segment in either form.

    Raises:
        JournalDamaged: no zstd frame where one should be.
        OSError: it cannot be read.
    """
    return _Packed(path) if is_packed(path) else _Plain(path)


class _Plain:
    """Read by system call, not through a mapping.

    The writer cuts finished segments, and a mapping of what was cut off kills its reader.
    """

    def __init__(self, path: Path) -> None:
        self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)

    @property
    def size(self) -> int:
        return os.fstat(self._fd).st_size

    @property
    def is_removed(self) -> bool:
        return os.fstat(self._fd).st_nlink == 0

    def pread(self, count: int, offset: int) -> bytes:
        return os.pread(self._fd, count, offset)

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


class _Packed:
    """Decompressed as a whole once more than its head is asked for; it is never written again."""

    is_removed = False
    """Whatever becomes of its name, nothing is added to it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("rb")
        self._all: bytes | None = None
        try:
            self.size = int(zstandard.frame_content_size(self._file.read(_FRAME_HEAD_BYTES)))
            self._file.seek(0)
            reading = zstandard.ZstdDecompressor().stream_reader(
                self._file, read_size=_HEAD_READ_BYTES, closefd=False
            )
            with reading as reader:
                self._head = reader.read(_HEAD_BYTES)
        except zstandard.ZstdError as error:
            self._file.close()
            raise self._damaged(error) from None

    def pread(self, count: int, offset: int) -> bytes:
        if offset + count <= len(self._head):
            return self._head[offset : offset + count]
        if self._all is None:
            self._file.seek(0)
            try:
                self._all = zstandard.ZstdDecompressor().decompress(self._file.read())
            except zstandard.ZstdError as error:
                raise self._damaged(error) from None
        return self._all[offset : offset + count]

    def close(self) -> None:
        self._file.close()
        self._all = None

    def _damaged(self, error: Exception) -> JournalDamaged:
        return JournalDamaged(self._path, 0, 0, f"it cannot be decompressed: {error}")
