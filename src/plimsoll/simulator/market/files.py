"""Whole data files as lines, plain or Zstandard, with truncation noticed."""

from pathlib import Path

import zstandard


class DataError(Exception):
    """A data file cannot be used: what is wrong, where, and how to fix it."""


def read_lines(path: Path, how: str) -> list[str]:
    """Return the lines of a text file; ``how`` ends an error's text and says what is expected.

    Raises:
        DataError: missing, no text, or compressed and cut short.
    """
    try:
        packed = path.read_bytes()
        raw = _unpacked(path, packed, how) if path.suffix == ".zst" else packed
        return raw.decode("utf-8").splitlines()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); {how}") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: is not text ({error.reason}); {how}") from error


def _unpacked(path: Path, packed: bytes, how: str) -> bytes:
    parts = []
    while packed:
        frame = zstandard.ZstdDecompressor().decompressobj()
        try:
            parts.append(frame.decompress(packed))
        except zstandard.ZstdError as error:
            raise DataError(f"{path}: is not a Zstandard file ({error}); {how}") from error
        if not frame.eof:
            lines = b"".join(parts).count(b"\n")
            raise DataError(f"{path}:{lines + 1}: the file is cut short; fetch it again; {how}")
        packed = frame.unused_data
    return b"".join(parts)
