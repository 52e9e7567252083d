"""A session of our own journal: its market inputs as the engine was given them, in their order.

Frames are parsed as they were live. Of the other inputs those that are about the market are kept:
how streams were carried, links, the clock, filters; orders and decisions of then are left out.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import takewhile
from pathlib import Path
from typing import Any, Final

import msgspec

from plimsoll.core.model import Instrument
from plimsoll.core.records import (
    FRAME_KIND,
    RECORD_KIND,
    BarReported,
    ClockMeasured,
    InstrumentListed,
    LinkChanged,
    Record,
    StreamChanged,
    Woken,
)
from plimsoll.data.errors import DataError, NotRecognised
from plimsoll.data.recordings.reader import Arrival
from plimsoll.engine.reading import EntryReader, record_of
from plimsoll.journal import MARKET, TRADING, Entry, JournalError, merge, scan

_DEEP: Final = 4
_KEPT: Final = (ClockMeasured, InstrumentListed, LinkChanged, StreamChanged, Woken)
Row = tuple[int, float, float, float, float, float]


def journal_in(directory: Path) -> Path:
    """Return the journal in a directory: itself, or the only one below it.

    Raises:
        NotRecognised: there is none, or more than one.
    """
    found = [directory] if (directory / TRADING).is_dir() else []
    for deep in range(1, _DEEP + 1):
        if not found:
            found = [one.parent for one in directory.glob("*/" * deep + TRADING) if one.is_dir()]
    if len(found) != 1:
        names = ", ".join(str(one) for one in sorted(found)[:3]) or "none"
        raise NotRecognised(
            f"expected the directory of one journal, found {names}",
            str(directory),
            "name the directory that holds `trading` and `market`",
        )
    return found[0]


class JournalReader:
    """Reads one session of a journal; a new one is made for each time it is read."""

    def __init__(
        self, directory: Path, names: frozenset[str], session: tuple[int, int] = (0, 0)
    ) -> None:
        """Look which session it is.

        Args:
            directory: The journal.
            names: Instruments that are read.
            session: Its epoch and its first seq; without it the newest one.

        Raises:
            DataError: the logs are damaged, or hold no session.
        """
        self.directory = directory
        self.names = names
        self._entries = EntryReader()
        self.epoch, self._first_seq = session
        if not self.epoch:
            with _damage(directory):
                for entry in scan(directory, TRADING):
                    self.epoch = max(self.epoch, entry.epoch)
        if not self.epoch:
            raise DataError("expected a session, found none", str(directory), "name another")

    def arrivals(self, number: int) -> Iterator[Arrival]:
        """Yield what came of the market, at the times it came."""
        make_frame, make_again = self._frame, self._again
        with _damage(self.directory):
            for entry in merge(self._scan(TRADING), self._scan(MARKET)):
                if entry.epoch != self.epoch:
                    continue
                if entry.kind == FRAME_KIND:
                    yield entry.ts_ns, number, make_frame, entry
                elif entry.kind == RECORD_KIND and self._is_kept(record := record_of(entry)):
                    yield entry.ts_ns, number, make_again, record

    def facts(self) -> tuple[dict[str, Instrument], dict[str, list[Row]]]:
        """Return the filters of the session's instruments, and the minutes it was warmed up with.

        Raises:
            DataError: the log is damaged.
        """
        listed: dict[str, Instrument] = {}
        minutes: dict[str, dict[int, Row]] = {}
        with _damage(self.directory):
            for entry in self._scan(TRADING):
                if entry.epoch != self.epoch or entry.kind != RECORD_KIND:
                    continue
                record = record_of(entry)
                if isinstance(record, InstrumentListed) and record.instrument.name in self.names:
                    listed.setdefault(record.instrument.name, record.instrument)
                elif isinstance(record, BarReported) and record.instrument in listed:
                    row = _row(record, float(listed[record.instrument].tick))
                    minutes.setdefault(record.instrument, {})[record.start_ms] = row
        return listed, {name: list(rows.values()) for name, rows in minutes.items()}

    # ---- inside ----

    def _scan(self, log: str) -> Iterator[Entry]:
        found = scan(self.directory, log, self._first_seq)
        return takewhile(lambda entry: entry.epoch <= self.epoch, found)

    def _is_kept(self, record: Record) -> bool:
        if not isinstance(record, _KEPT):
            return False
        if isinstance(record, InstrumentListed):
            return record.instrument.name in self.names
        if isinstance(record, StreamChanged):
            return record.instrument in self.names
        return not isinstance(record, LinkChanged) or record.link.startswith("public.")

    def _frame(self, entry: Entry, seq: int, ts_ns: int, epoch: int) -> Record | None:
        made: Any = self._entries.record(
            msgspec.structs.replace(entry, seq=seq, ts_ns=ts_ns, epoch=epoch)
        )
        return made if made is not None and made.instrument in self.names else None

    def _again(self, record: Record, seq: int, ts_ns: int, epoch: int) -> Record:
        return msgspec.structs.replace(record, seq=seq, ts_ns=ts_ns, epoch=epoch, cause=0)


def _row(bar: BarReported, tick: float) -> Row:
    prices = (bar.open_ticks, bar.high_ticks, bar.low_ticks, bar.close_ticks)
    first, high, low, last = (ticks * tick for ticks in prices)
    return bar.start_ms, first, high, low, last, bar.volume_lots


@contextmanager
def _damage(directory: Path) -> Iterator[None]:
    """Turn what is wrong with a log into what is wrong with data."""
    try:
        yield
    except JournalError as error:
        raise DataError(
            f"expected whole logs, found: {error}", str(directory), "see `plimsoll journal verify`"
        ) from error
