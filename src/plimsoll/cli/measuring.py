"""Feeding both logs to the follower that measures execution: bounded memory, progress, one session.

Trading records of earlier sessions are read for the orders and filters they left; their market data
are passed over unread.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from plimsoll.cli import text
from plimsoll.cli.books import wall_ns
from plimsoll.core.execution.quality import Quality
from plimsoll.core.records import FRAME_KIND
from plimsoll.engine.reading import EntryReader
from plimsoll.journal import MARKET, TRADING, Entry, Follower

_TELL_S: Final = 2.0
"""Seconds between two words of progress; a quick read has none."""


def tell(entries: int, ts_ns: int) -> None:
    """Say on stderr how far reading has come."""
    print(f"read {entries:,} records, to {text.moment(ts_ns)} UTC", file=sys.stderr, flush=True)


class Read(NamedTuple):
    """What was measured, and from what."""

    quality: Quality
    records: int
    """Entries of both logs that belong to what was asked for."""
    first_ns: int
    last_ns: int
    market_from: int
    """Seq from which on market data are whole; older segments were dropped. 0 = all are there."""


class Measurer:
    """Reads the logs from their beginning to what is their end now."""

    def __init__(
        self, journal_dir: Path, epoch: int = 0, *, told: Callable[[int, int], None] = tell
    ) -> None:
        """Measure one session, or with epoch 0 all of them; ``told`` hears how far it has come."""
        self.journal_dir = journal_dir
        self.epoch = epoch
        self.quality = Quality()
        self.records = self.first_ns = self.last_ns = 0
        self._told = told
        self._reader = EntryReader(books_only=True)
        self._is_over = False

    def read(self) -> Read:
        """Read it all.

        Raises:
            JournalDamaged: what follows is not what was written.
            JournalError: written by another release.
        """
        begun_ns, told_s, entries = wall_ns(), time.monotonic(), 0
        follower = Follower(self.journal_dir, (TRADING, MARKET))
        try:
            while not self._is_over and (batch := follower.poll()):
                for entry in batch:
                    self._take(entry)
                entries += len(batch)
                if time.monotonic() - told_s >= _TELL_S:
                    told_s = time.monotonic()
                    self._told(entries, batch[-1].ts_ns)
                if batch[-1].ts_ns > begun_ns:  # of a running engine: it has no end
                    break
            whole_from = follower.whole_from
        finally:
            follower.close()
        return Read(self.quality, self.records, self.first_ns, self.last_ns, whole_from)

    def _take(self, entry: Entry) -> None:
        if self.epoch and entry.epoch != self.epoch:
            self._is_over = self._is_over or entry.epoch > self.epoch
            if self._is_over or entry.kind == FRAME_KIND:
                return
        elif not self.records:
            self.quality.forget()
            self.first_ns = entry.ts_ns
        record = self._reader.record(entry)
        if record is not None and not self._is_over:
            self.quality.apply(record)
        if not self.epoch or entry.epoch == self.epoch:
            self.records += 1
            self.last_ns = entry.ts_ns
