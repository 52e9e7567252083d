"""The chain file of a segment: one line per forced block, (last seq, end offset, chained SHA-256).

A line is written after its block was forced, so whatever it covers was on disk: a bad frame before
the end of the last line is damage, never a torn tail.
"""

import hashlib
import os
import struct
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Final
from zlib import crc32

import msgspec

from plimsoll.journal.errors import JournalDamaged
from plimsoll.journal.layout import FIXED_BYTES, HEADER_BYTES, chain_path

_LINE: Final = struct.Struct("<QQ32sI4x")
LINE_BYTES: Final = _LINE.size


class ChainLine(msgspec.Struct, frozen=True):
    """One forced block: it ends before byte ``end``, its last record is ``last_seq``."""

    last_seq: int
    end: int
    digest: bytes


def genesis(head: bytes, previous: bytes) -> bytes:
    """Return the hash a segment starts from: its own header after its predecessor's last hash."""
    return hashlib.sha256(previous + head[:FIXED_BYTES]).digest()


def chained(digest: bytes, block: bytes | memoryview) -> bytes:
    """Return the hash after one more block of frames (without the interpreter lock)."""
    state = hashlib.sha256(digest)
    state.update(block)
    return state.digest()


def encode_line(line: ChainLine) -> bytes:
    """Return a line as it stands in the file."""
    body = _LINE.pack(line.last_seq, line.end, line.digest, 0)[:-8]
    return body + crc32(body).to_bytes(4, "little") + bytes(4)


def read_chain(segment: Path, *, rebooted: bool = False) -> list[ChainLine]:
    """Return the lines that belong to a segment; half a line at the end is left out.

    Args:
        segment: Path of the segment.
        rebooted: The machine went down since the lines were written, so unforced ones at the end
            may have been lost; they are left out as well.

    Raises:
        JournalDamaged: a line does not match its checksum or goes backwards.
    """
    path = chain_path(segment)
    content = path.read_bytes() if path.exists() else b""
    whole = len(content) - len(content) % LINE_BYTES
    lines = [_decode(content[at : at + LINE_BYTES]) for at in range(0, whole, LINE_BYTES)]
    while rebooted and lines and lines[-1] is None:
        lines.pop()
    good = [line for line in lines if line is not None]
    if len(good) != len(lines):
        at = lines.index(None)
        before = lines[at - 1] if at else None
        seq = before.last_seq if before else 0
        raise JournalDamaged(path, at * LINE_BYTES, seq, "chain line checksum does not match")
    for at, (one, other) in enumerate(pairwise(good), start=1):
        if other.end <= one.end or other.last_seq <= one.last_seq:
            raise JournalDamaged(path, at * LINE_BYTES, one.last_seq, "chain line goes backwards")
    return good


def last_line(segment: Path) -> ChainLine | None:
    """Return the newest whole line of a segment, read alone; None before the first one.

    What does not match is passed over: who wants to know that calls `read_chain`.
    """
    try:
        with chain_path(segment).open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            for at in range(size // LINE_BYTES * LINE_BYTES - LINE_BYTES, -1, -LINE_BYTES):
                line = _decode(os.pread(file.fileno(), LINE_BYTES, at))
                if line is not None:
                    return line
    except FileNotFoundError:
        pass
    return None


def _decode(content: bytes) -> ChainLine | None:
    last_seq, end, digest, crc = _LINE.unpack(content)
    if crc32(content[:-8]) != crc or any(content[-4:]):
        return None
    return ChainLine(last_seq=last_seq, end=end, digest=digest)


def check_blocks(
    segment: Path,
    read: Callable[[int, int], bytes],
    start: bytes,
    lines: list[ChainLine],
    before_seq: int,
) -> bytes:
    """Return the hash after the last line, having recomputed every block from the segment.

    Args:
        segment: For messages.
        read: Returns so many bytes of the segment from an offset on.
        start: Result of `genesis`.
        lines: Result of `read_chain`.
        before_seq: Last seq before the segment, for messages.

    Raises:
        JournalDamaged: a block differs from what was forced.
    """
    digest, offset, seq = start, HEADER_BYTES, before_seq
    for line in lines:
        digest = chained(digest, read(line.end - offset, offset))
        if digest != line.digest:
            raise JournalDamaged(
                segment, offset, seq, f"bytes {offset} to {line.end} differ from their chain hash"
            )
        offset, seq = line.end, line.last_seq
    return digest
