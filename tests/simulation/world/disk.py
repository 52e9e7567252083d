"""The disk: what was forced stays, what was only written may go, and a failed force loses it.

The journal is the product's own, files and recovery included; only *when* something reaches the
disk is decided here. Process death keeps every byte that was written. Power loss keeps the forced
prefix and of the rest any pages, later ones without earlier ones as well (DST-5). It also makes
another boot id, by which the recovery knows that unforced data may be missing.
"""

import contextlib
import errno
import mmap
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from unittest import mock

from tests.simulation.world.choices import Choices
from tests.simulation.world.facts import Violation
from tests.simulation.world.kernel import Event, Kernel

from plimsoll.journal import Journal, JournalError, JournalSettings
from plimsoll.journal.chain import LINE_BYTES
from plimsoll.journal.layout import HEADER_BYTES, chain_path
from plimsoll.journal.writer import LogWriter

_MS: Final = 1_000_000
_SEGMENT_BYTES: Final = 256 * 1024
SETTINGS: Final = JournalSettings(
    trading_segment_bytes=_SEGMENT_BYTES, market_segment_bytes=_SEGMENT_BYTES
)


class Disk:
    """The disk of one machine, over its whole life."""

    def __init__(self, kernel: Kernel, choices: Choices) -> None:
        """Begin healthy and with room."""
        self.kernel = kernel
        self.choices = choices
        self.boots = 1
        self.fails = False
        """Whether forcing fails."""
        self.stalled_until_ns = 0
        self.is_full = False
        """Whether so little room is left that no new risk may be taken (JRN-4)."""
        self.lost_bytes = 0
        self.failures = 0
        """Forces that failed so far."""

    @contextlib.contextmanager
    def mounted(self) -> Iterator[None]:
        """Let the journal's system calls reach this disk, for the length of a run."""
        with (
            mock.patch("plimsoll.journal.recover.boot_id", self._boot_id),
            mock.patch("plimsoll.journal.writer.boot_id", self._boot_id),
            mock.patch.object(os, "fdatasync", self._fdatasync),
            mock.patch.object(os, "fsync", self._fdatasync),
        ):
            yield

    def _boot_id(self) -> bytes:
        return self.boots.to_bytes(16, "big")

    def _fdatasync(self, _fd: int) -> None:
        if self.fails:
            self.failures += 1
            raise OSError(errno.EIO, "Input/output error")

    # ---- what a crash leaves -----------------------------------------------------------------

    def lose_unforced(self, segments: list[tuple[Path, int, int]], *, whole: bool) -> None:
        """Let written pages go that were not forced: all of them, or those that are drawn."""
        for path, forced, end in segments:
            first = forced & -mmap.PAGESIZE
            with path.open("r+b") as file:
                for page in range(first, end, mmap.PAGESIZE):
                    start = max(page, forced)
                    stop = min(page + mmap.PAGESIZE, end)
                    if stop > start and (whole or self.choices.choose("page lost", 2)):
                        file.seek(start)
                        file.write(bytes(stop - start))
                        self.lost_bytes += stop - start
            if not whole:
                self._lose_chain_lines(chain_path(path))

    def _lose_chain_lines(self, path: Path) -> None:
        """The lines are written after each force, and forced with the segment's end only."""
        if path.exists() and self.choices.choose("chain lines lost", 2):
            size = path.stat().st_size
            kept = max(1, size // LINE_BYTES - self.choices.choose("how many lines", 20))
            os.truncate(path, min(size, kept * LINE_BYTES))


class WorldJournal(Journal):
    """The journal with its forcing thread replaced by events of the kernel."""

    def __init__(
        self, directory: Path, trading: LogWriter, market: LogWriter, settings: JournalSettings
    ) -> None:
        """Join two open logs."""
        self.notes = trading.recovery.notes + market.recovery.notes
        self.last_epoch = max(trading.recovery.epoch, market.recovery.epoch)
        self._trading, self._market = trading, market
        self._waits = settings.sync == "disk"
        self._pauses = {
            id(trading): int(settings.trading_force_s * 1e9),
            id(market): int(settings.market_force_s * 1e9),
        }
        self._due: dict[int, Event] = {}
        self._is_open = True
        self._has_failed = False
        """Whether forcing the trading log has failed (JRN-3)."""

    def live_on(self, disk: Disk, spied: Any) -> None:
        """Force on a disk from now on; ``spied`` (an ``Spy``) stands before each append."""
        self._disk = disk
        self.trading = spied.trading(self._appends(self._trading))
        self.market = spied.market(self._appends(self._market))

    def _appends(self, writer: LogWriter) -> Any:
        append, due, key, kernel = writer.append, self._due, id(writer), self._disk.kernel
        pause_ns = self._pauses[key]

        def appended(seq: int, ts_ns: int, kind: int, payload: bytes) -> None:
            append(seq, ts_ns, kind, payload)
            if self._has_failed and writer is self._trading:
                raise Violation(f"the log takes record {seq} after a force that failed")
            if key not in due:
                due[key] = kernel.after(pause_ns, self._force_one, writer)

        return appended

    def _force_one(self, writer: LogWriter) -> None:
        self._due.pop(id(writer), None)
        if not self._is_open or writer.failure is not None:
            return
        if self._disk.kernel.now_ns < self._disk.stalled_until_ns:
            self._due[id(writer)] = self._disk.kernel.at(
                self._disk.stalled_until_ns, self._force_one, writer
            )
            return
        failures = self._disk.failures
        with contextlib.suppress(JournalError):  # the log remembers and refuses
            writer.force()
        if self._disk.failures > failures and writer is self._trading:
            self._has_failed = True
        if writer.failure is None:
            while writer._spare is None and writer._filling is not None:
                writer.prepare()
            writer.prepare()

    @property
    def low_space(self) -> bool:
        """Whether so little space is left that no new risk may be taken."""
        return self._disk.is_full

    @property
    def warn_space(self) -> bool:
        """Whether space is getting short."""
        return self._disk.is_full

    def close(self) -> None:
        """Force both logs and close them."""
        self._is_open = False
        errors = []
        for writer in (self._trading, self._market):
            try:
                writer.close()
            except JournalError as error:
                errors.append(error)
        if errors:
            raise errors[0]

    def die(self, *, has_power: bool) -> bool:
        """Let go of the files as a killed process does, or as a machine without power does.

        Returns:
            Whether what was written may be gone: with the power, or since a force failed.
        """
        self._is_open = False
        unforced: list[tuple[Path, int, int]] = []
        failed = False
        for writer in (self._trading, self._market):
            failed = failed or isinstance(writer.failure, OSError)
            for segment in writer._open:
                end = segment.position[0]
                if end > max(segment.forced, HEADER_BYTES) or not segment.forced:
                    unforced.append((segment.path, segment.forced, max(end, HEADER_BYTES)))
            writer._abandon()
        if failed or not has_power:
            self._disk.lose_unforced(unforced, whole=failed)
        return failed or not has_power
