"""The bytes of a segment, as they are in its file or out of its compressed form."""

import os
import struct
from collections.abc import Callable
from itertools import accumulate
from pathlib import Path
from typing import BinaryIO, Final, Protocol
from zlib import crc32

import zstandard

from plimsoll.journal.errors import JournalDamaged
from plimsoll.journal.layout import is_packed

BLOCK_BYTES: Final = 1 << 20
"""So much of a segment is compressed at a time; only the last block is shorter."""

_LEVEL: Final = 3
_SKIPPABLE: Final = struct.Struct("<II")
"""Head of a frame that decompressors skip: magic, bytes that follow."""

_MAGIC: Final = 0x184D2A5E
_TRAILER: Final = struct.Struct("<QII")
"""At the end: bytes of the content, blocks, checksum of the table and these two."""


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
    """Decompressed a block at a time, as asked for; it is never written again."""

    is_removed = False
    """Whatever becomes of its name, nothing is added to it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            self.size, self._places = self._table()
        except BaseException:
            self.close()
            raise
        self._block = (-1, b"")

    def pread(self, count: int, offset: int) -> bytes:
        count = min(count, self.size - offset)
        if count <= 0:
            return b""
        first, last = offset // BLOCK_BYTES, (offset + count - 1) // BLOCK_BYTES
        content = b"".join(self._decompressed(number) for number in range(first, last + 1))
        start = offset - first * BLOCK_BYTES
        return content[start : start + count]

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _table(self) -> tuple[int, list[int]]:
        """Return the size of the content, and where each block begins and the last one ends."""
        length = os.fstat(self._fd).st_size
        trailer = os.pread(self._fd, _TRAILER.size, max(0, length - _TRAILER.size))
        if len(trailer) < _TRAILER.size:
            raise self._damaged("cut short")
        total, blocks, crc = _TRAILER.unpack(trailer)
        end = length - _TRAILER.size - 4 * blocks - _SKIPPABLE.size
        table = os.pread(self._fd, 4 * blocks, max(0, end + _SKIPPABLE.size))
        if crc32(table + trailer[:-4]) != crc or len(table) != 4 * blocks:
            raise self._damaged("its table does not match its checksum")
        places = [0, *accumulate(struct.unpack(f"<{blocks}I", table))]
        head = os.pread(self._fd, _SKIPPABLE.size, max(0, end))
        if places[-1] != end or head != _SKIPPABLE.pack(_MAGIC, len(table) + _TRAILER.size):
            raise self._damaged("blocks are missing")
        return int(total), places

    def _decompressed(self, number: int) -> bytes:
        if self._block[0] != number:
            start, stop = self._places[number : number + 2]
            try:
                content = zstandard.ZstdDecompressor().decompress(
                    os.pread(self._fd, stop - start, start)
                )
            except zstandard.ZstdError as error:
                raise self._damaged(str(error), number) from None
            if len(content) != min(BLOCK_BYTES, self.size - number * BLOCK_BYTES):
                raise self._damaged("a block has another size", number)
            self._block = (number, content)
        return self._block[1]

    def _damaged(self, what: str, block: int = 0) -> JournalDamaged:
        what = f"it cannot be decompressed: {what}"
        return JournalDamaged(self._path, block * BLOCK_BYTES, 0, what)


def compress(source: BinaryIO, target: BinaryIO, is_stopped: Callable[[], bool]) -> bool:
    """Write the compressed form of a segment; return False where told to stop before the end.

    One zstd frame for each MiB, then a skippable frame that says how long each is: one record is
    found without decompressing the rest, and any zstd reads the whole.
    """
    compressor = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True)
    lengths, total = [], 0
    while block := source.read(BLOCK_BYTES):
        if is_stopped():
            return False
        lengths.append(target.write(compressor.compress(block)))
        total += len(block)
    table = struct.pack(f"<{len(lengths)}I", *lengths)
    trailer = _TRAILER.pack(total, len(lengths), 0)[:-4]
    target.write(_SKIPPABLE.pack(_MAGIC, len(table) + _TRAILER.size) + table + trailer)
    target.write(crc32(table + trailer).to_bytes(4, "little"))
    return True
