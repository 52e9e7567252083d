"""The thread that brings what was appended to disk, makes spare segments and watches free space.

It takes no lock the order path waits for, and holds the interpreter lock for microseconds only:
forcing, hashing and filling all run without it.
"""

import mmap
import os
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from plimsoll.journal.errors import JournalError
from plimsoll.journal.settings import JournalSettings
from plimsoll.journal.writer import LogWriter

_SPACE_CHECK_S: Final = 1.0
_ROUND_S: Final = 0.05
"""How often pages and spares are looked at where nothing was forced: each look costs, cold, as much
as taking a message; what is opened ahead lasts longer than this."""

_AHEAD_OFTEN: Final = 4 * mmap.PAGESIZE
_AHEAD_RARE: Final = 64 * mmap.PAGESIZE
"""How far ahead pages are opened. What is opened is written with the next force, used or not: a log
forced every few milliseconds opens little; one that takes bursts of market data, much."""

_STOP_WAIT_S: Final = 10.0


class Forcer:
    """Forces several logs from one thread.

    Attributes:
        low_space: Below the second threshold of JRN-4: no new risk.
        warn_space: Below the first one: tell somebody.
    """

    def __init__(
        self,
        directory: Path,
        logs: Sequence[tuple[LogWriter, float]],
        settings: JournalSettings,
        make_room: Callable[[], None],
    ) -> None:
        """Serve each log at most the given seconds after a record was appended to it.

        Args:
            directory: Where free space is looked at.
            logs: Writers and their pauses, the most frequent first; its pause paces the thread.
            settings: Thresholds of free space.
            make_room: Gives up what may be given up, where there is no space for a segment.
        """
        self._directory, self._settings, self._make_room = directory, settings, make_room
        self._short: set[LogWriter] = set()
        """Logs for which no spare or reserve could be made; a quota shows nowhere else."""
        self._logs = list(logs)
        self._due = [0.0] * len(logs)
        self._space_due = self._round_due = 0.0
        self._stop = threading.Lock()  # held until the thread shall stop; waits in C, unlike Event
        self._thread = threading.Thread(target=self._run, name="journal-forcer", daemon=True)
        self.low_space = self.warn_space = False
        self.check_space()

    def start(self) -> None:
        """Start the thread."""
        self._stop.acquire()
        self._thread.start()

    def stop(self) -> None:
        """Stop the thread and wait for it.

        Raises:
            JournalError: the disk does not answer.
        """
        self._stop.release()
        self._thread.join(_STOP_WAIT_S)
        if self._thread.is_alive():
            raise JournalError(f"the disk under {self._directory} has not answered for 10 s")

    def check_space(self) -> None:
        """Compare the free space of the file system with the thresholds."""
        space = os.statvfs(self._directory)
        free, total = space.f_bavail * space.f_frsize, space.f_blocks * space.f_frsize
        limits = self._settings
        is_low = free < max(limits.low_free_bytes, limits.low_free_fraction * total)
        self.low_space = is_low or bool(self._short)
        self.warn_space = free < max(limits.warn_free_bytes, limits.warn_free_fraction * total)

    def _run(self) -> None:
        pause = self._logs[0][1]
        try:
            while not self._stop.acquire(timeout=pause):
                self._step(time.monotonic())
        except Exception as error:  # task root: without this thread nothing is safe
            self._fail(error)

    def _step(self, now: float) -> None:
        """Force what is due; look after pages and spares then, and now and then besides."""
        is_round = now >= self._round_due
        if is_round:
            self._round_due = now + _ROUND_S
        for index, (writer, pause) in enumerate(self._logs):
            if writer.failure is not None:
                continue
            if now >= self._due[index] and writer.has_new():
                self._due[index] = now + pause
                with suppress(JournalError):  # the log remembers and refuses; the owner halts
                    writer.force()
            elif not is_round:
                continue
            if writer.failure is None:
                writer.open_pages(_AHEAD_RARE if pause >= _ROUND_S else _AHEAD_OFTEN)
                self._prepare(writer)
        if now >= self._space_due:
            self._space_due = now + _SPACE_CHECK_S
            self.check_space()

    def _prepare(self, writer: LogWriter) -> None:
        try:
            writer.prepare()
            self._short.discard(writer)
        except OSError:  # no room for a spare: what is open goes on, the owner stops new risk
            self._short.add(writer)
            self.low_space = True
            self._make_room()

    def _fail(self, error: Exception) -> None:
        for writer, _ in self._logs:
            writer.failure = writer.failure or error
