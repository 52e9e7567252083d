"""The epoch file: one number with its checksum, replaced as a whole."""

import os
import re
from pathlib import Path
from typing import Final
from zlib import crc32

from plimsoll.lease.errors import EpochUnreadable

_LINE: Final = re.compile(r"epoch (\d{1,18}) crc ([0-9a-f]{8})\n")


def read_epoch(path: Path) -> int:
    """Return the last epoch taken, 0 where the file does not exist.

    Raises:
        EpochUnreadable: there is a file, and its number cannot be trusted.
    """
    try:
        text = path.read_bytes().decode("ascii", errors="replace")
    except FileNotFoundError:
        return 0
    except OSError as error:
        raise EpochUnreadable(f"cannot read {path}: {error.strerror}; {_advice(path)}") from error
    match = _LINE.fullmatch(text)
    if match is None or _line(int(match[1])) != text:
        raise EpochUnreadable(
            f"{path}: expected 'epoch NUMBER crc CHECKSUM', found {text[:60]!r}; {_advice(path)}"
        )
    return int(match[1])


def write_epoch(path: Path, epoch: int) -> None:
    """Replace the number; when this returns it survives a power cut.

    Raises:
        EpochUnreadable: it may not; the lease must not be used.
    """
    temporary = path.with_name(f"{path.name}.tmp")  # one name is enough: the caller holds the lock
    try:
        fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(fd, "w") as file:
            file.write(_line(epoch))
            file.flush()
            os.fsync(fd)
        temporary.rename(path)
        _sync_directory(path.parent)
    except OSError as error:
        what = f"cannot store epoch {epoch} in {path}: {error.strerror}"
        raise EpochUnreadable(f"{what}; make the folder writable and free some space") from error


def _line(epoch: int) -> str:
    return f"epoch {epoch} crc {crc32(str(epoch).encode()):08x}\n"


def _advice(path: Path) -> str:
    return (
        f"without it client order ids might repeat. Find the highest epoch in the journal and in "
        f"the client order ids at the venue, move {path.name} away, and start again with that "
        f"number as the floor"
    )


def _sync_directory(directory: Path) -> None:
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
