"""Text files as they are given: plain, gzip, Zstandard or zipped alone, whole or not."""

import errno
import gzip
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

import zstandard

from plimsoll.data.errors import DataError, FileCut, NotRecognised

_CHUNK: Final = 1 << 20
_HEAD: Final = 1 << 16
_GZIP, _ZSTD, _ZIP, _PARQUET = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PK\x03\x04", b"PAR1"
_BOM: Final = b"\xef\xbb\xbf"


class TextFile(NamedTuple):
    """A text file unpacked, its lines ended by a newline alone."""

    path: Path
    """The file that was given."""

    text: Path
    """Where it was unpacked to."""

    head: list[str]
    """Its first lines that are not blank, up to 20."""

    first_line: int
    """The number of the first of them."""

    has_end: bool
    """Whether the last line ends with a newline: a cut one does not."""

    def lines(self, numbers: set[int]) -> dict[int, str]:
        """Return lines by their numbers, from 1."""
        found: dict[int, str] = {}
        last = max(numbers, default=0)
        with self.text.open(encoding="utf-8", newline="\n") as file:
            for number, line in enumerate(file, start=1):
                if number in numbers:
                    found[number] = line.rstrip("\n")
                if number >= last:
                    break
        return found


def is_parquet(path: Path) -> bool:
    """Return whether a file begins as Parquet does, or is named so.

    Raises:
        DataError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return file.read(4) == _PARQUET or path.suffix == ".parquet"
    except OSError as error:
        raise _unreadable(path, error) from error


_DAMAGE: Final = (EOFError, gzip.BadGzipFile, zipfile.BadZipFile, zlib.error, zstandard.ZstdError)


def lines_of(path: Path) -> Iterator[bytes]:
    """Yield the lines of a text file as they are unpacked, without their ends.

    Raises:
        FileCut: it is compressed and ends too early, or is damaged.
        DataError: it cannot be read.
    """
    lines, rest = 0, b""
    try:
        for chunk in _normal(_chunks(path)):
            whole = (rest + chunk).split(b"\n")
            rest = whole.pop()
            lines += len(whole)
            yield from whole
    except _DAMAGE as error:
        raise _cut(path, lines, error) from error
    except OSError as error:
        raise _unreadable(path, error) from error
    if rest:
        yield rest


def unpacked(path: Path, directory: Path) -> TextFile:
    """Unpack a text file into a directory and return it.

    Raises:
        FileCut: it is compressed and ends too early, or is damaged.
        NotRecognised: it is no text, or has no line.
        DataError: it cannot be read.
    """
    target = directory / "text"
    lines, last = 0, b""
    try:
        with target.open("wb") as out:
            for chunk in _normal(_chunks(path)):
                _check_text(path, chunk, lines)
                out.write(chunk)
                lines += chunk.count(b"\n")
                last = chunk[-1:]
    except _DAMAGE as error:
        raise _cut(path, lines, error) from error
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise DataError(
                f"there is no space to unpack it in {directory}",
                str(path),
                "make room, or name another place with the variable TMPDIR",
            ) from error
        raise _unreadable(path, error) from error
    head, first = _head(target)
    if not head:
        raise NotRecognised("expected rows, found none", str(path), "take it from its source again")
    return TextFile(path, target, head, first, last == b"\n")


def _cut(path: Path, lines: int, error: Exception) -> FileCut:
    return FileCut(
        f"expected a whole compressed file, found one that is cut short or damaged ({error})",
        f"{path}:{lines + 1}",
        "take it from its source again",
    )


def _chunks(path: Path) -> Iterator[bytes]:
    """Yield the unpacked bytes of a file."""
    with path.open("rb") as file:
        start = file.read(4)
        file.seek(0)
        if start[:2] == _GZIP:
            with gzip.GzipFile(fileobj=file) as unzipped:
                while chunk := unzipped.read(_CHUNK):
                    yield chunk
        elif start == _ZSTD:
            yield from _zstandard(file.read)
        elif start == _ZIP:
            with zipfile.ZipFile(file) as archive, archive.open(_only(path, archive)) as member:
                while chunk := member.read(_CHUNK):
                    yield chunk
        else:
            while chunk := file.read(_CHUNK):
                yield chunk


def _only(path: Path, archive: zipfile.ZipFile) -> str:
    names = [one.filename for one in archive.infolist() if not one.is_dir()]
    if len(names) != 1:
        raise NotRecognised(
            f"expected a zip with one file, found {len(names)}", str(path), "unzip it first"
        )
    return names[0]


def _zstandard(read: Callable[[int], bytes]) -> Iterator[bytes]:
    """Yield what one frame after another holds; the last one must be whole."""
    frame, packed = zstandard.ZstdDecompressor().decompressobj(), b""
    is_begun = False
    while packed := packed or read(_CHUNK):
        is_begun = True
        yield frame.decompress(packed)
        packed = frame.unused_data
        if frame.eof:
            frame, is_begun = zstandard.ZstdDecompressor().decompressobj(), False
    if is_begun:
        raise EOFError("the last frame is not whole")


def _normal(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield chunks without a byte order mark, with one newline at the end of each line."""
    is_first, held = True, b""
    for chunk in chunks:
        whole = held + chunk
        if is_first and len(whole) >= len(_BOM):
            is_first, whole = False, whole.removeprefix(_BOM)
        # The second half of a line's end, or of a letter, may be in the next chunk.
        cut = len(whole) - _unfinished(whole)
        whole, held = whole[:cut], whole[cut:]
        if whole:
            yield whole.replace(b"\r\n", b"\n")
    if held:
        yield held


def _unfinished(chunk: bytes) -> int:
    """Return how many bytes at the end may belong to something that goes on."""
    if chunk.endswith(b"\r"):
        return 1
    for back in range(1, min(4, len(chunk)) + 1):
        byte = chunk[-back]
        if byte >= 0xC0:  # the first byte of a letter of several
            return back
        if byte < 0x80:
            return 0
    return 0


def _check_text(path: Path, chunk: bytes, lines: int) -> None:
    try:
        chunk.decode()
    except UnicodeDecodeError as error:
        line = lines + chunk[: error.start].count(b"\n") + 1
        raise NotRecognised(
            f"expected text in UTF-8, found byte {chunk[error.start]:#04x}",
            f"{path}:{line}",
            "give CSV (plain, .gz or .zst) or Parquet",
        ) from error
    place = chunk.find(b"\0")
    if place >= 0:
        line = lines + chunk[:place].count(b"\n") + 1
        raise FileCut(
            "expected text, found zero bytes: what a crash leaves of a file",
            f"{path}:{line}",
            "take it from its source again",
        )


def _head(text: Path) -> tuple[list[str], int]:
    """Return the first lines that are not blank, and the number of the first."""
    with text.open("rb") as file:
        lines = file.read(_HEAD).decode("utf-8", "ignore").split("\n")
    numbered = [(number, line) for number, line in enumerate(lines, start=1) if line.strip()][:20]
    return [line for _, line in numbered], numbered[0][0] if numbered else 0


def _unreadable(path: Path, error: OSError) -> DataError:
    return DataError(f"the file cannot be read: {error.strerror}", str(path), "check its name")
