"""The thread that brings what was appended to disk, makes spare segments and watches free space.

It takes no lock the order path waits for, and holds the interpreter lock for microseconds only:
forcing, hashing and filling all run without it.
"""

import os
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from plimsoll.journal.errors import JournalError
from plimsoll.journal.settings import JournalSettings
from plimsoll.journal.writer import LogWriter

_SPACE_CHECK_S: Final = 1.0
_STOP_WAIT_S: Final = 10.0


class Forcer:
    """Forces several logs from one thread.

    Attributes:
        low_space: Below the second threshold of JRN-4: no new risk.
        warn_space: Below the first one: tell somebody.
    """

    def __init__(
        self, directory: Path, logs: Sequence[tuple[LogWriter, float]], settings: JournalSettings
    ) -> None:
        """Serve each log at most the given seconds after a record was appended to it.

        Args:
            directory: Where free space is looked at.
            logs: Writers and their pauses, the most frequent first; its pause paces the thread.
            settings: Thresholds of free space.
        """
        self._directory, self._settings = directory, settings
        self._logs = list(logs)
        self._due = [0.0] * len(logs)
        self._space_due = 0.0
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
        self.low_space = free < max(limits.low_free_bytes, limits.low_free_fraction * total)
        self.warn_space = free < max(limits.warn_free_bytes, limits.warn_free_fraction * total)

    def _run(self) -> None:
        pause = self._logs[0][1]
        try:
            while not self._stop.acquire(timeout=pause):
                self._step(time.monotonic())
        except Exception as error:  # task root: without this thread nothing is safe
            self._fail(error)

    def _step(self, now: float) -> None:
        for index, (writer, pause) in enumerate(self._logs):
            if now >= self._due[index] and writer.failure is None and writer.has_new():
                self._due[index] = now + pause
                with suppress(JournalError):  # the log remembers and refuses; the owner halts
                    writer.force()
        if now >= self._space_due:
            self._space_due = now + _SPACE_CHECK_S
            self.check_space()
        for writer, _ in self._logs:
            if writer.failure is None:
                writer.open_pages()
                self._prepare(writer)

    def _prepare(self, writer: LogWriter) -> None:
        try:
            writer.prepare()
        except OSError:  # no room for a spare: what is open goes on, the owner stops new risk
            self.low_space = True

    def _fail(self, error: Exception) -> None:
        for writer, _ in self._logs:
            writer.failure = writer.failure or error
