"""The bytes of a segment: its header, the frame of a record, and where the files stand.

A log is a folder of segments ``<first seq, 20 digits>.seg``, each with ``<same>.chain`` beside it;
finished segments of the market log become ``<same>.seg.zst``, the same bytes compressed.
A segment is a header of 256 bytes and then frames, each starting at a multiple of 8:

    length u32 | crc32 u32 | seq u64 | ts_ns i64 | kind u8 | payload | zeros up to a multiple of 8

``length`` counts from its own first byte to the end of the payload and is stored last, so that a
reader never sees half a record; length 0 is the end. The checksum covers everything after itself,
seeded with the length. All numbers are little-endian.
"""

import os
import struct
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Final
from zlib import crc32

import msgspec

from plimsoll.journal.errors import JournalDamaged, JournalError

MAGIC: Final = b"PLIMLOG\n"
VERSION: Final = 1
HEADER_BYTES: Final = 256
FIXED_BYTES: Final = 216
FRAME: Final = struct.Struct("<IIQqB")
BODY: Final = struct.Struct("<QqB")
"""The part of a frame's head after length and checksum."""
FRAME_BYTES: Final = FRAME.size
BODY_OFFSET: Final = 8
DIGEST_BYTES: Final = 32
NO_DIGEST: Final = bytes(DIGEST_BYTES)
"""What the first segment of a log has in place of its predecessor's chain hash."""
PACKED: Final = ".seg.zst"
"""How the name of a compressed segment ends: the same bytes in zstd frames."""

TRADING: Final = "trading"
MARKET: Final = "market"
KIND_RECORD: Final = 1
"""A typed record in the caller's encoding."""
KIND_FRAME: Final = 2
"""A raw public frame of the venue."""

_FIXED: Final = struct.Struct("<8sIIQQQ16s16s64s76xI")
_LINK: Final = struct.Struct("<32sI4x")
_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One record as it stands in a log.

    ``ts_ns`` is Unix time in ns, ``kind`` the caller's number (1 to 255 by convention above),
    ``payload`` bytes the journal does not interpret, ``epoch`` that of the segment's writer.
    """

    seq: int
    ts_ns: int
    kind: int
    payload: bytes
    epoch: int


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """Who wrote a segment and what stands before it.

    ``previous_seq`` is the last seq of the segment before (0 for the first): a missing segment
    shows although the seqs of one log have holes. ``boot`` names the run of the kernel: page cache
    survives the death of a process, not the end of this run.
    """

    log: str
    account: str
    epoch: int
    first_seq: int
    previous_seq: int
    boot: bytes


def encode_header(header: Header) -> bytes:
    """Return the fixed part of a header; the link to the predecessor's chain follows later.

    Raises:
        JournalError: a name does not fit its field.
    """
    log, account = header.log.encode(), header.account.encode()
    if not 0 < len(log) <= 16 or not 0 < len(account) <= 64:
        raise JournalError(
            f"log name {header.log!r} must have 1 to 16 bytes, account {header.account!r} 1 to 64"
        )
    numbers = (header.epoch, header.first_seq, header.previous_seq)
    fixed = _FIXED.pack(MAGIC, VERSION, HEADER_BYTES, *numbers, header.boot, log, account, 0)
    body = fixed[:-4]
    return body + crc32(body).to_bytes(4, "little")


def decode_header(file: Path, head: bytes) -> Header:
    """Return the header in the first bytes of ``file``.

    Raises:
        JournalDamaged: too short, wrong magic, unknown version, or checksum wrong.
    """
    if len(head) < HEADER_BYTES:
        raise JournalDamaged(file, len(head), 0, f"header cut short, {HEADER_BYTES} bytes expected")
    magic, version, size, epoch, first, previous, boot, log, account, crc = _FIXED.unpack_from(head)
    if magic != MAGIC:
        raise JournalDamaged(file, 0, 0, f"expected magic {MAGIC!r}, found {magic!r}")
    if crc32(head[: FIXED_BYTES - 4]) != crc:
        raise JournalDamaged(file, 0, 0, "header checksum does not match")
    if version != VERSION or size != HEADER_BYTES:
        raise JournalDamaged(file, 8, 0, f"this release reads format {VERSION}, found {version}")
    return Header(
        log=log.rstrip(b"\0").decode(),
        account=account.rstrip(b"\0").decode(),
        epoch=epoch,
        first_seq=first,
        previous_seq=previous,
        boot=boot,
    )


def encode_link(digest: bytes) -> bytes:
    """Return the last part of a header: the chain hash of the segment before."""
    return _LINK.pack(digest, crc32(digest))


def decode_link(file: Path, head: bytes) -> bytes | None:
    """Return the chain hash of the segment before, or None where it was not yet stored.

    Raises:
        JournalDamaged: neither absent nor whole.
    """
    link = head[FIXED_BYTES:HEADER_BYTES]
    if link == bytes(len(link)):
        return None
    digest, crc = _LINK.unpack(link)
    if crc32(digest) != crc or any(link[-4:]):
        raise JournalDamaged(file, FIXED_BYTES, 0, "link to the segment before does not match")
    return bytes(digest)


def padded(end: int) -> int:
    """Return the offset where the frame after one ending at ``end`` starts."""
    return (end + 7) & -8


def segment_path(directory: Path, first_seq: int) -> Path:
    """Return the file of the segment that starts at ``first_seq``."""
    return directory / f"{first_seq:020d}.seg"


def number_of(path: Path) -> str:
    """Return the digits in the name of a segment or chain file: they sort as the segments do."""
    return path.name.partition(".")[0]


def is_packed(path: Path) -> bool:
    """Return whether a segment is the compressed form: finished, never written again."""
    return path.name.endswith(PACKED)


def packed_path(segment: Path) -> Path:
    """Return the name a segment has once it is compressed."""
    return segment.with_name(f"{number_of(segment)}{PACKED}")


def chain_path(segment: Path) -> Path:
    """Return the chain file that belongs to a segment, compressed or not."""
    return segment.with_name(f"{number_of(segment)}.chain")


def segment_paths(directory: Path) -> list[Path]:
    """Return the segments of a log, oldest first; a log that does not exist has none.

    While one is being replaced by its compressed form both are there: the first one counts.
    """
    try:
        names = os.listdir(directory)
    except FileNotFoundError:
        return []
    packed = {number_of(Path(name)): name for name in names if name.endswith(PACKED)}
    plain = {number_of(Path(name)): name for name in names if name.endswith(".seg")}
    found = packed | plain
    return [directory / found[number] for number in sorted(found)]


def orphan_chains(directory: Path) -> list[Path]:
    """Return the segments that are gone while their chain files are still there, oldest first."""
    there = {number_of(path) for path in segment_paths(directory)}
    chains = sorted(directory.glob("*.chain"))
    return [path.with_suffix(".seg") for path in chains if number_of(path) not in there]


def first_seq_of(path: Path) -> int:
    """Return the first seq by a segment's name.

    Raises:
        JournalDamaged: the name is no number.
    """
    if not number_of(path).isdecimal():
        raise JournalDamaged(path, 0, 0, "expected a name of digits, as the journal makes them")
    return int(number_of(path))


@cache
def boot_id() -> bytes:
    """Return the 16 bytes that name this run of the kernel, zeros where they are not told."""
    try:
        return bytes.fromhex(_BOOT_ID.read_text().strip().replace("-", ""))
    except (OSError, ValueError):
        return bytes(16)


def sync_directory(directory: Path) -> None:
    """Force the names in a folder to disk."""
    with_fd(directory, os.O_RDONLY | os.O_DIRECTORY, os.fsync)


def with_fd(path: Path, flags: int, action: Callable[[int], None]) -> None:
    """Open ``path``, run ``action`` on the descriptor, close it."""
    fd = os.open(path, flags | os.O_CLOEXEC)
    try:
        action(fd)
    finally:
        os.close(fd)
