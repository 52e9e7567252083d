"""Single records of a log by their seq, without reading everything before them.

A segment is found by its name and walked from head to head; only what is wanted is checked. Where
records stand is noted in strides as they are passed, so that the next walk begins nearby.
"""

from bisect import bisect_right, insort
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final
from zlib import crc32

from plimsoll.journal.content import Content, open_content
from plimsoll.journal.errors import JournalDamaged
from plimsoll.journal.layout import (
    BODY_OFFSET,
    FRAME,
    FRAME_BYTES,
    HEADER_BYTES,
    Entry,
    decode_header,
    first_seq_of,
    packed_path,
    padded,
    segment_paths,
)

STRIDE: Final = 32 << 10
"""Bytes between two noted places."""

_CHUNK: Final = 2 * STRIDE


class Places:
    """Noted places of a log: seq and offset of a record, by the first seq of its segment."""

    def __init__(self, noted: Iterable[tuple[int, int, int]] = ()) -> None:
        """Begin with places noted earlier: rows (segment, seq, offset)."""
        self._of: dict[int, list[tuple[int, int]]] = {}
        self.fresh: list[tuple[int, int, int]] = []
        """Noted since; for whoever keeps them."""
        for segment, seq, offset in noted:
            insort(self._of.setdefault(segment, []), (seq, offset))

    def before(self, segment: int, seq: int) -> int:
        """Return the offset of the nearest noted record that does not come after ``seq``."""
        noted = self._of.get(segment, [])
        place = bisect_right(noted, (seq, 1 << 62)) - 1
        return noted[place][1] if place >= 0 else HEADER_BYTES

    def passed(self, segment: int, seq: int, offset: int) -> None:
        """Note a record that stands a stride or more behind the last noted one."""
        noted = self._of.setdefault(segment, [])
        place = bisect_right(noted, (seq, 1 << 62)) - 1
        if offset - (noted[place][1] if place >= 0 else HEADER_BYTES) >= STRIDE:
            noted.insert(place + 1, (seq, offset))
            self.fresh.append((segment, seq, offset))


def look_up(directory: Path, log: str, seqs: Iterable[int], places: Places) -> Iterator[Entry]:
    """Yield the entries of ``directory/log`` with these seqs, in order; missing ones are left out.

    Raises:
        JournalDamaged: one that was found is not what was written.
    """
    wanted = sorted(set(seqs))
    paths = segment_paths(directory / log)
    starts = [first_seq_of(path) for path in paths]
    for place, path in enumerate(paths):
        end = starts[place + 1] if place + 1 < len(paths) else 1 << 64
        here = [seq for seq in wanted if starts[place] <= seq < end]
        if here:
            yield from _in_segment(path, starts[place], here, places)


def _in_segment(path: Path, first: int, seqs: list[int], places: Places) -> Iterator[Entry]:
    try:
        content = _opened(path)
    except FileNotFoundError:  # dropped by retention meanwhile
        return
    try:
        epoch = decode_header(path, content.pread(HEADER_BYTES, 0)).epoch
        offset = HEADER_BYTES
        for seq in seqs:
            offset = max(offset, places.before(first, seq))
            found, offset = _one(path, content, first, seq, offset, places)
            if found is not None:
                yield Entry(found[0], found[1], found[2], found[3], epoch)
    finally:
        content.close()


def _opened(path: Path) -> Content:
    try:
        return open_content(path)
    except FileNotFoundError:  # compressed meanwhile, or dropped
        return open_content(packed_path(path))


def _one(
    path: Path, content: Content, first: int, seq: int, offset: int, places: Places
) -> tuple[tuple[int, int, int, bytes] | None, int]:
    """Return a record, where it is there, and the offset from which later ones are to be sought."""
    while chunk := content.pread(_CHUNK, offset):
        at, held = 0, len(chunk)
        while at + FRAME_BYTES <= held:
            length, crc, here, ts_ns, kind = FRAME.unpack_from(chunk, at)
            if length < FRAME_BYTES or here > seq:
                return None, offset + at
            if here == seq:
                body = chunk[at : at + length]
                if len(body) < length:
                    body = content.pread(length, offset + at)
                if crc32(memoryview(body)[BODY_OFFSET:], length) != crc:
                    raise JournalDamaged(path, offset + at, seq, "checksum does not match")
                return (seq, ts_ns, kind, body[FRAME_BYTES:]), offset + at
            at = padded(at + length)
        if at == 0:
            break
        offset += at
        if at < held:  # a whole head stands there: the next chunk begins with it
            places.passed(first, _seq_at(content, offset), offset)
    return None, offset


def _seq_at(content: Content, offset: int) -> int:
    head = content.pread(FRAME_BYTES, offset)
    return int(FRAME.unpack(head)[2]) if len(head) == FRAME_BYTES else 1 << 62
