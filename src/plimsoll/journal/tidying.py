"""Keeping the market log small: finished segments compressed, the oldest dropped.

A thread of its own, at the lowest priority: compressing takes processor time, and forcing must not
wait for it. Compression leaves the same bytes under another name; whoever has the file open reads
on. Only the log's writer does this.
"""

import os
import threading
from contextlib import suppress
from pathlib import Path
from typing import Final

from plimsoll.journal.content import compress
from plimsoll.journal.layout import (
    PACKED,
    chain_path,
    is_packed,
    number_of,
    packed_path,
    segment_paths,
    sync_directory,
)
from plimsoll.journal.segment import FILE_MODE
from plimsoll.journal.segment_reader import SegmentReader
from plimsoll.journal.settings import JournalSettings
from plimsoll.journal.writer import LogWriter

_ROUND_S: Final = 2.0
_STOP_WAIT_S: Final = 10.0
_NICEST: Final = 19
_PART: Final = ".part"
_NS: Final = 1_000_000_000


class Tidier:
    """Looks after the finished segments of one log.

    Attributes:
        failure: What went wrong last, empty while all is well; the log goes on all the same.
    """

    def __init__(self, writer: LogWriter, settings: JournalSettings) -> None:
        """Serve one log of which old segments may be dropped."""
        self._writer, self._settings = writer, settings
        self._folder = writer.folder
        self.failure = ""
        self._naming = threading.Lock()
        """Held for a few calls on names: the forcing thread drops a segment as well."""
        self._stop = threading.Event()
        self._wake = threading.Semaphore(0)
        self._thread = threading.Thread(target=self._run, name="journal-tidier", daemon=True)

    def start(self) -> None:
        """Remove what a killed process left half done, and start the thread."""
        for path in self._folder.glob(f"*{_PART}"):
            path.unlink()
        for path in self._folder.glob(f"*{PACKED}"):
            if path.with_name(f"{number_of(path)}.seg").exists():
                path.unlink()
        self._thread.start()

    def stop(self) -> None:
        """Stop the thread and drop what is too much; a segment being compressed stays as it was."""
        self._stop.set()
        self._wake.release()
        self._thread.join(_STOP_WAIT_S)
        if not self._thread.is_alive():
            with suppress(OSError):
                self.drop()

    def make_room(self) -> None:
        """Drop the oldest finished segment: on a full disk market data goes first (JRN-4)."""
        with suppress(OSError), self._naming:
            for path in self._finished()[:1]:
                self._remove(path)

    def drop(self) -> None:
        """Drop the oldest finished segments beyond the budget or the time."""
        with self._naming:
            self._drop()

    def _drop(self) -> None:
        finished = self._finished()
        sizes = [_held(path) for path in segment_paths(self._folder)]
        excess = sum(sizes) - self._settings.market_keep_bytes
        for path, size, following in zip(finished, sizes, [*finished[1:], None], strict=False):
            if excess <= 0 and not self._is_old(following):
                return
            self._remove(path)
            excess -= size

    # ---- inside ----

    def _run(self) -> None:
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICEST)
        done: str | None = None
        while not self._stop.is_set():
            first_open = self._writer.first_open
            if first_open != done:  # else nothing was finished since
                done = first_open
                try:
                    self._round()
                    self.failure = ""
                except Exception as error:  # task root: the log itself does not depend on this
                    self.failure = repr(error)
            self._wake.acquire(timeout=_ROUND_S)

    def _round(self) -> None:
        self.drop()
        if not self._settings.market_pack:
            return
        for path in self._finished():
            if self._stop.is_set():
                return
            if not is_packed(path):
                pack(path, self._naming, self._stop)

    def _finished(self) -> list[Path]:
        """Return what nobody writes any more, oldest first; a start repairs the newest."""
        paths = segment_paths(self._folder)[:-1]
        first_open = self._writer.first_open
        return [path for path in paths if not first_open or number_of(path) < first_open]

    def _is_old(self, following: Path | None) -> bool:
        """Return whether all before ``following`` is older than what is kept."""
        paths = segment_paths(self._folder)
        if following is None or not paths:
            return False
        kept_ns = int(self._settings.market_keep_s * _NS)
        return _began_ns(paths[-1]) - _began_ns(following) > kept_ns

    def _remove(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        chain_path(path).unlink(missing_ok=True)


def pack(segment: Path, naming: threading.Lock, stop: threading.Event | None = None) -> Path | None:
    """Replace a finished segment by its compressed form; None where stopped, or it was dropped.

    A reader finds the one or the other at any moment, and what was open stays readable.

    Raises:
        OSError: no space; the segment is as it was.
    """
    target = packed_path(segment)
    part = segment.with_name(f"{number_of(segment)}{_PART}")
    try:
        if not _compress(segment, part, stop):
            return None
        with naming:
            if not segment.exists():
                return None
            part.rename(target)
            sync_directory(segment.parent)
            segment.unlink()
            return target
    finally:
        part.unlink(missing_ok=True)


def _compress(segment: Path, part: Path, stop: threading.Event | None) -> bool:
    """Write the compressed form durably, a MiB at a time: each step leaves the interpreter free."""
    fd = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, FILE_MODE)
    with os.fdopen(fd, "wb") as file, segment.open("rb") as source:
        if not compress(source, file, lambda: stop is not None and stop.is_set()):
            return False
        file.flush()
        os.fsync(fd)
    return True


def _began_ns(path: Path) -> int:
    reader = SegmentReader(path)
    try:
        return reader.first_ts_ns()
    finally:
        reader.close()


def _held(path: Path) -> int:
    try:
        return path.stat().st_blocks * 512
    except FileNotFoundError:
        return 0
