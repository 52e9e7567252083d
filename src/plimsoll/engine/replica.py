"""A follower of a journal: an apply-only core that is as new as the last poll."""

from pathlib import Path

from plimsoll.core.engine import Core
from plimsoll.core.records import FRAME_KIND, Telemetry, decode
from plimsoll.journal import MARKET, TRADING, Entry, Follower
from plimsoll.venues.bybit.errors import ParseError
from plimsoll.venues.bybit.venue import parsers_for


class Replica:
    """Books, orders and (with ``market``) prices of an engine, read from its logs."""

    def __init__(self, journal_dir: Path, *, market: bool = False) -> None:
        """Follow from the beginning; the engine may run, be dead, or not have started yet."""
        self.core = Core()
        self.telemetry: Telemetry | None = None
        self._follower = Follower(journal_dir, (TRADING, MARKET) if market else (TRADING,))
        self._parsers = parsers_for()

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
        self.core.state.news.clear()
        self.core.state.orders.contradictions.clear()
        return applied

    def close(self) -> None:
        """Close the files."""
        self._follower.close()

    def _apply(self, entry: Entry) -> None:
        if entry.kind == FRAME_KIND:
            parser = self._parsers[entry.payload[0]]
            try:
                record = parser.parse(entry.payload[1:], entry.seq, entry.ts_ns, entry.epoch)
            except ParseError:
                return
            if record is not None:
                self.core.apply(record)
            return
        found = decode(entry.payload)
        if isinstance(found, Telemetry):
            self.telemetry = found
        self.core.apply(found)
