"""The record file: complete, ordered, buffered for at most 50 ms."""

from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Final

TAIL_LINES: Final = 100_000
"""Lines kept in memory for ``/sim/record``; older ones are read from the file."""


class Record:
    """Lines numbered from 1 without gaps: line ``n`` is the ``n``-th of the file."""

    def __init__(self, path: Path | None, *, goes_on: bool = False) -> None:
        """Write to a file at ``path``, or only keep the last lines where it is ``None``.

        Args:
            path: A new file, or with ``goes_on`` one to continue; a torn last line is cut off.
            goes_on: Continue what is there.

        Raises:
            OSError: the file cannot be made.
        """
        self._path = path
        self._tail: deque[bytes] = deque(maxlen=TAIL_LINES)
        self._unwritten: list[bytes] = []
        self.count = 0
        """The number of the last line taken."""
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            if goes_on and path.exists():
                self._cut_torn(path)
        mode = "ab" if goes_on else "wb"
        self._file = path.open(mode) if path is not None else None

    def unwritten(self) -> list[bytes]:
        """Return the lines that are not in the file yet."""
        return list(self._unwritten)

    def add(self, lines: list[bytes]) -> None:
        """Take lines; they reach the file with the next ``flush``."""
        self._tail.extend(lines)
        self.count += len(lines)
        if self._file is not None:
            self._unwritten += lines

    def flush(self) -> None:
        """Hand everything taken to the operating system."""
        if self._file is not None and self._unwritten:
            self._file.write(b"\n".join(self._unwritten) + b"\n")
            self._file.flush()
            self._unwritten.clear()

    def close(self) -> None:
        """Flush and close; nothing may be added afterwards."""
        self.flush()
        if self._file is not None:
            self._file.close()

    def _cut_torn(self, path: Path) -> None:
        """Count the whole lines and cut off what follows the last of them."""
        whole = 0
        with path.open("rb") as file:
            for line in file:
                if not line.endswith(b"\n"):
                    break
                whole += len(line)
                self.count += 1
                self._tail.append(line.rstrip(b"\n"))
        if path.stat().st_size > whole:
            with path.open("r+b") as file:
                file.truncate(whole)

    def since(self, n: int) -> Iterator[bytes]:
        """Yield the lines from number ``n`` on; without a file only the kept ones."""
        first_kept = self.count - len(self._tail) + 1
        if n < first_kept and self._path is not None:
            self.flush()
            with self._path.open("rb") as file:
                for number, line in enumerate(file, start=1):
                    if n <= number < first_kept:
                        yield line.rstrip(b"\n")
        kept = list(self._tail)
        yield from kept[max(0, n - first_kept) :]
