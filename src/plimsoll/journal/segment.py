"""A segment being written: preallocated, mapped, and its blocks forced and chained."""

import ctypes
import errno
import mmap
import os
from contextlib import suppress
from pathlib import Path
from typing import Final

from plimsoll.journal.chain import ChainLine, chained, encode_line, genesis
from plimsoll.journal.layout import (
    FIXED_BYTES,
    HEADER_BYTES,
    Header,
    chain_path,
    encode_header,
    encode_link,
    padded,
    segment_path,
)

FILE_MODE: Final = 0o600
_APPEND: Final = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
LINKS: Final = "*.links"
"""Chains of segments of which nothing was forced yet."""

_CHAIN_PART: Final = 4
"""So many times smaller than its segment is the space of a chain: a line for each 220 bytes."""

_FILL_BYTES: Final = 1 << 20
_POPULATE_WRITE: Final = 23
"""``MADV_POPULATE_WRITE`` of Linux 5.14: fault pages in as if written to, changing nothing."""


class Segment:
    """One mapped file. The appending thread moves ``position``; the forcing one all else.

    ``position`` is (end of the last whole record, its seq), one object so that the forcing thread
    reads a consistent pair without a lock. ``forced`` is the end of what is on disk and chained,
    ``writable`` the end of the pages a store does not have to ask the kernel for.
    """

    __slots__ = (
        "chain_fd",
        "digest",
        "fd",
        "filled",
        "forced",
        "links",
        "map",
        "path",
        "position",
        "size",
        "view",
        "words",
        "writable",
    )

    def __init__(self, path: Path, size: int) -> None:
        """Create ``path`` with all its space and that of its chain, under names no reader looks at.

        Neither needs anything of the disk any more until it is finished.

        Args:
            path: The name until `activate`.
            size: Bytes, rounded up to whole pages.

        Raises:
            OSError: no space, or the file cannot be made.
        """
        self.path, self.size = path, -(-size // mmap.PAGESIZE) * mmap.PAGESIZE
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC  # never over one in use
        self.chain_fd = -1
        self.fd = os.open(path, flags, FILE_MODE)
        try:
            os.posix_fallocate(self.fd, 0, self.size)
            self.chain_fd = os.open(links_path(path), _APPEND | os.O_EXCL, FILE_MODE)
            reserve(self.chain_fd, self.size // _CHAIN_PART)
            self.map = mmap.mmap(self.fd, self.size)
        except OSError:
            for fd in (self.fd, self.chain_fd):
                if fd >= 0:
                    os.close(fd)
            path.unlink()
            links_path(path).unlink(missing_ok=True)
            raise
        self.view = memoryview(self.map)
        self.words = self.view.cast("I")
        self.position = (HEADER_BYTES, 0)
        self.filled = self.forced = self.writable = 0
        self.digest = b""
        self.links = links_path(path)

    def fill(self) -> bool:
        """Bring the next MiB into memory and onto the disk; return whether all of it is.

        Only before `activate`: it writes zeros. Takes the first faults and the first allocation of
        each page off the order path, in steps short enough for the thread that also forces.

        Raises:
            OSError: the disk refused.
        """
        count = min(_FILL_BYTES, self.size - self.filled)
        os.pwrite(self.fd, bytes(count), self.filled)
        os.fdatasync(self.fd)
        self.filled += count
        return self.filled == self.size

    def activate(self, header: Header) -> None:
        """Give the segment its header, then its name: a reader never sees one without the other."""
        self.view[:FIXED_BYTES] = encode_header(header)
        self.position = (HEADER_BYTES, header.previous_seq)
        path = segment_path(self.path.parent, header.first_seq)
        self.path.rename(path)
        self.path = path
        self.links = self.links.rename(links_path(path))  # the next spare needs the name

    def force(self, previous: bytes, directory_fd: int) -> None:
        """Bring everything appended so far to disk and chain it; cheap where nothing is new.

        Args:
            previous: Last chain hash of the segment before.
            directory_fd: The log's folder, forced once so that the new names survive as well.

        Raises:
            OSError: what was appended is not known to be on disk, now or ever.
        """
        end, last_seq = self.position
        if end <= max(self.forced, HEADER_BYTES):
            return
        if not self.forced:
            self._link(previous, directory_fd)
        os.fdatasync(self.fd)
        self.writable = 0
        self.digest = chained(self.digest, self.view[self.forced : end])
        line = ChainLine(last_seq=last_seq, end=end, digest=self.digest)
        os.write(self.chain_fd, encode_line(line))
        self.forced = end

    def open_pages(self, ahead_bytes: int) -> None:
        """Make the next pages writable where they are not; cheap where they are.

        Forcing leaves pages clean, and the first store into a clean page of a shared mapping waits
        for the file system (p50 70 us between paced orders, 13 us with this). An older kernel
        refuses, and the store waits as before.
        """
        end = self.position[0]
        start = max(end, self.writable) & -mmap.PAGESIZE
        if end + ahead_bytes // 4 <= self.writable or start >= self.size:
            return
        self.writable = min(start + ahead_bytes, self.size)
        with suppress(OSError):
            self.map.madvise(_POPULATE_WRITE, start, self.writable - start)

    def _link(self, previous: bytes, directory_fd: int) -> None:
        self.view[FIXED_BYTES:HEADER_BYTES] = encode_link(previous)
        self.digest = genesis(bytes(self.view[:FIXED_BYTES]), previous)
        self.links.rename(chain_path(self.path))
        os.fsync(directory_fd)
        self.forced = HEADER_BYTES

    def finish(self) -> None:
        """Cut the unused rest off a forced segment, force its size and chain, and let go of it.

        Raises:
            OSError: the disk refused.
        """
        self._unmap()
        try:
            os.ftruncate(self.fd, padded(self.position[0]))
            os.fsync(self.fd)
            os.ftruncate(self.chain_fd, os.fstat(self.chain_fd).st_size)  # frees what is behind
            os.fsync(self.chain_fd)
        finally:
            self.close()

    def discard(self) -> None:
        """Remove a segment that was never used."""
        self._unmap()
        self.close()
        self.path.unlink()
        self.links.unlink(missing_ok=True)

    def close(self) -> None:
        """Close the files as they are; a second call does nothing."""
        self._unmap()
        for fd in (self.fd, self.chain_fd):
            if fd >= 0:
                os.close(fd)
        self.fd = self.chain_fd = -1

    def _unmap(self) -> None:
        self.words.release()
        self.view.release()
        self.map.close()


def links_path(spare: Path) -> Path:
    """Return the name of the chain of a segment that has no name of its own yet."""
    return spare.with_suffix(".links")


def reserve(fd: int, count: int) -> None:
    """Take ``count`` bytes of disk for a file without making it longer (Linux fallocate).

    Where the file system cannot do it nothing is reserved.

    Raises:
        OSError: no space.
    """
    if _LIBC.fallocate(fd, _KEEP_SIZE, ctypes.c_long(0), ctypes.c_long(count)) == 0:
        return
    number = ctypes.get_errno()
    if number not in (errno.EOPNOTSUPP, errno.ENOSYS):
        raise OSError(number, os.strerror(number))


_LIBC: Final = ctypes.CDLL(None, use_errno=True)
_KEEP_SIZE: Final = 1
