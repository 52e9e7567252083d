"""A follower of a journal: an apply-only core that is as new as the last poll."""

from pathlib import Path

from plimsoll.core.engine import Core
from plimsoll.core.records import Telemetry
from plimsoll.engine.reading import EntryReader
from plimsoll.engine.restoring import forget_news
from plimsoll.journal import MARKET, TRADING, Entry, Follower


class Replica:
    """Books, orders and (with ``market``) prices of an engine, read from its logs."""

    def __init__(self, journal_dir: Path, *, market: bool = False) -> None:
        """Follow from the beginning; the engine may run, be dead, or not have started yet."""
        self.core = Core()
        self.telemetry: Telemetry | None = None
        self._follower = Follower(journal_dir, (TRADING, MARKET) if market else (TRADING,))
        self._reader = EntryReader()

    def poll(self) -> int:
        """Apply what is new; return how many records that were.

        Raises:
            JournalDamaged: what follows is not what was written.
        """
        applied = 0
        while batch := self._follower.poll():
            for entry in batch:
                self._apply(entry)
            applied += len(batch)
        forget_news(self.core.state)
        return applied

    def close(self) -> None:
        """Close the files."""
        self._follower.close()

    def _apply(self, entry: Entry) -> None:
        record = self._reader.record(entry)
        if record is None:
            return
        if isinstance(record, Telemetry):
            self.telemetry = record
        self.core.apply(record)
