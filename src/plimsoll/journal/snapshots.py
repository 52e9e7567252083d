"""Snapshots beside the logs: a payload the journal does not interpret, whole or not there."""

import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from zlib import crc32

from plimsoll.journal.layout import sync_directory

_HEAD: Final = struct.Struct("<8sIQQI")
_MAGIC: Final = b"PLIMSNAP"
_VERSION: Final = 1
_KEEP: Final = 3


def write_snapshot(directory: Path, seq: int, payload: bytes) -> Path:
    """Write ``directory/<seq>.snap`` durably, keep the newest three, and return its path.

    Raises:
        OSError: it may not be on disk; older snapshots are still there.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = directory / f"{seq:020d}.snap"
    temporary = directory / f"{path.name}.{os.getpid()}.tmp"
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "wb") as file:
        file.write(_head(seq, payload))
        file.write(payload)
        file.flush()
        os.fsync(fd)
    temporary.rename(path)
    sync_directory(directory)
    for old in _paths(directory)[:-_KEEP]:
        old.unlink(missing_ok=True)
    return path


def snapshots(directory: Path) -> Iterator[tuple[int, bytes]]:
    """Yield (seq, payload) of each snapshot that is whole, the newest first."""
    for path in reversed(_paths(directory)):
        try:
            content = path.read_bytes()
        except FileNotFoundError:  # a newer one was written meanwhile
            continue
        head, payload = content[: _HEAD.size], content[_HEAD.size :]
        seq = int(path.stem) if path.stem.isdecimal() else -1
        if seq >= 0 and head == _head(seq, payload):
            yield seq, payload


def _head(seq: int, payload: bytes) -> bytes:
    crc = crc32(payload, crc32(seq.to_bytes(8, "little")))
    return _HEAD.pack(_MAGIC, _VERSION, seq, len(payload), crc)


def _paths(directory: Path) -> list[Path]:
    return sorted(directory.glob("*.snap"))
