"""Frames out of bytes: whole records, and why the next one is not there."""

from enum import Enum
from typing import Final
from zlib import crc32

from plimsoll.journal.layout import (
    BODY_OFFSET,
    FRAME,
    FRAME_BYTES,
    Entry,
    padded,
)


class Stop(Enum):
    """Why parsing stopped."""

    END = "no further record"
    SHORT = "the record goes on after these bytes"
    BAD = "checksum, length, padding or seq do not fit"


_LENGTH_BYTES: Final = 4


def parse(chunk: bytes, last_seq: int, epoch: int, out: list[Entry]) -> tuple[int, Stop]:
    """Append the whole records at the start of ``chunk`` to ``out``.

    Args:
        chunk: Bytes of a segment, starting at a frame.
        last_seq: Seq before the first; records must have greater and greater ones.
        epoch: Copied into the entries.
        out: Receives the entries.

    Returns:
        Bytes consumed, and why no further record was taken.
    """
    offset, held, view = 0, len(chunk), memoryview(chunk)
    while offset + FRAME_BYTES <= held:
        length, crc, seq, ts_ns, kind = FRAME.unpack_from(chunk, offset)
        if not length:
            return offset, Stop.END
        if length < FRAME_BYTES or seq <= last_seq:
            return offset, Stop.BAD
        stop = offset + length
        following = padded(stop)
        if following > held:
            return offset, Stop.SHORT
        if crc32(view[offset + BODY_OFFSET : stop], length) != crc or any(view[stop:following]):
            return offset, Stop.BAD
        out.append(Entry(seq, ts_ns, kind, chunk[offset + FRAME_BYTES : stop], epoch))
        last_seq, offset = seq, following
    return offset, Stop.SHORT if any(view[offset : offset + _LENGTH_BYTES]) else Stop.END


def frame_bytes(chunk: bytes) -> int:
    """Return the padded size of the frame whose head ``chunk`` starts with."""
    return padded(int.from_bytes(chunk[:_LENGTH_BYTES], "little"))


def later_record(rest: bytes, last_seq: int) -> int | None:
    """Return the offset of a whole record somewhere behind the start of ``rest``, None without one.

    This tells damage from a torn tail: what was torn off by a crash has nothing whole behind it.
    """
    rest = rest.rstrip(b"\0") + bytes(8)
    view = memoryview(rest)
    for offset in range(8, len(rest) - FRAME_BYTES + 1, 8):
        length, crc, seq, _, _ = FRAME.unpack_from(rest, offset)
        whole = FRAME_BYTES <= length <= len(rest) - offset and seq > last_seq
        if whole and crc32(view[offset + BODY_OFFSET : offset + length], length) == crc:
            return offset
    return None
