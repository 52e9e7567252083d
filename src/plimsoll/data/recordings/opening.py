"""What a file holds, seen from its first lines, and what a run has to know of it beforehand."""

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Final

import msgspec

from plimsoll.core.feed import DEPTH
from plimsoll.core.model import Instrument
from plimsoll.core.records import BarChanged, BookChanged, PublicTraded, Record, TickerChanged
from plimsoll.data.errors import NotRecognised
from plimsoll.data.files import is_parquet, lines_of
from plimsoll.data.recordings.arrivals import ArrivalsReader
from plimsoll.data.recordings.frames import FrameReader
from plimsoll.data.recordings.logs import JournalReader, Row, journal_in
from plimsoll.data.recordings.polls import PollReader
from plimsoll.data.recordings.prints import PrintReader, columns_of
from plimsoll.data.recordings.reader import MS, Arrival, Names, Reader

LOOKED_AT: Final = 2_000
"""Lines that are looked at beforehand."""

_LINES: Final = 20
_OLD: Final = b"wss://"
Build = Callable[[], Reader | JournalReader]


_PLAIN: Final[Mapping[type[Reader], Callable[[Path, Names, int], Reader]]] = {
    ArrivalsReader: ArrivalsReader,
    PollReader: PollReader,
    PrintReader: PrintReader,
}


class Opened(msgspec.Struct):
    """A recording that can be read, and what its beginning says."""

    build: Build
    """Makes a reader from its first line on."""
    source: str
    prices: dict[str, list[float]]
    """Some prices of each instrument, to read its steps from."""
    books: set[str]
    """Instruments whose book begins there."""
    early_ns: int | None
    """The largest lead of the venue's clock over the recorder's; None: it has no own clock."""
    printed: set[str] = set()
    """Instruments with prints."""
    has_mark: bool = False
    has_minutes: bool = False
    listed: dict[str, Instrument] = {}
    """Filters that it holds itself."""
    minutes: dict[str, list[Row]] = {}
    """What bar windows were filled from."""

    def arrivals(self, number: int) -> Iterator[Arrival]:
        """Yield everything, from the first line on."""
        return self.build().arrivals(number)


def is_recording(path: Path) -> bool:
    """Return whether a file or directory holds inputs rather than bars.

    A trade archive alone is none: bars are made of it.

    Raises:
        DataError: it cannot be read.
    """
    if path.is_dir():
        return True
    if is_parquet(path):
        return False
    kind = _kind(path)
    return kind is not None and kind is not PrintReader


def open_file(path: Path, names: Names, delay_ns: int) -> Opened:
    """Look at the beginning of a file of lines.

    Args:
        path: The file.
        names: The instruments it may be about, by symbol.
        delay_ns: From the venue's time to the arrival, where it knows only the first.

    Raises:
        DataError: it cannot be read, or its first lines make no sense.
    """
    kind = None if is_parquet(path) else _kind(path)
    if kind is None:
        raise NotRecognised(
            "expected frames, a capture, a trade archive or polls, found none of these",
            str(path),
            "see `plimsoll backtest --help`; bars and recordings are not mixed in one run",
        )
    build: Build
    if kind is FrameReader:
        depths = _depths(path, names, delay_ns)

        def build() -> Reader:
            return FrameReader(path, names, delay_ns, dict(depths))
    else:
        plain = _PLAIN[kind]

        def build() -> Reader:
            return plain(path, names, delay_ns)

    opened = _looked_at(build, path.name)
    if kind is PrintReader or (kind is FrameReader and next(lines_of(path))[:1] == b"{"):
        opened.early_ns = None
    return opened


def open_journal(path: Path, names: frozenset[str], session: tuple[int, int] = (0, 0)) -> Opened:
    """Look at one session of a journal: the newest one, unless epoch and first seq are named.

    Raises:
        DataError: it is damaged, or holds none of the instruments.
    """
    directory = journal_in(path)
    reader = JournalReader(directory, names, session)
    listed, minutes = reader.facts()
    if missing := sorted(names - listed.keys()):
        raise NotRecognised(
            f"expected {', '.join(missing)}, found {', '.join(sorted(listed)) or 'nothing of it'}",
            f"{directory}, session {reader.epoch}",
            "name instruments of the session with --instruments",
        )
    opened = _looked_at(lambda: reader, f"journal {directory.name}, session {reader.epoch}")
    opened.listed, opened.minutes, opened.early_ns = listed, minutes, None
    return opened


# ---- inside ----


def _kind(path: Path) -> type[Reader] | None:
    """Return what reads the lines of a file."""
    for raw in islice(lines_of(path), _LINES):
        if raw.startswith(_OLD):
            raise NotRecognised(
                "expected v5 frames, found a capture of another protocol",
                str(path),
                "give v5 frames, one a line, with the time of arrival in front",
            )
        if raw.startswith(b"{"):
            return FrameReader if b'"topic"' in raw or b'"op"' in raw else None
        head, _, rest = raw.partition(b" ")
        if head.rstrip(b":").replace(b".", b"", 1).isdigit() and rest.startswith(b"{"):
            if b'"topic"' in rest:
                return FrameReader
            if b'"stream"' in rest or b'"lastUpdateId"' in rest:
                return ArrivalsReader
            continue
        if raw.startswith(b"both,"):
            return PollReader
        return PrintReader if columns_of(raw.decode("utf-8", "replace")) else None
    return None


def _depths(path: Path, names: Names, delay_ns: int) -> dict[str, int]:
    """Return which depth of each book is read: the one that is traded on, else the deepest."""
    seen: dict[str, set[int]] = {}
    for raw in islice(lines_of(path), LOOKED_AT):
        _, mark, topic = raw.partition(b'"orderbook.')
        depth, _, symbol = topic.partition(b'"')[0].partition(b".")
        if mark and depth.isdigit():
            seen.setdefault(names.get(symbol.decode(), ""), set()).add(int(depth))
    return {
        name: DEPTH if DEPTH in depths else max(depths) for name, depths in seen.items() if name
    }


def _looked_at(build: Build, source: str) -> Opened:
    opened = Opened(build, source, {}, set(), early_ns=None)
    for ts_ns, _, make, what in islice(build().arrivals(0), LOOKED_AT):
        record = make(what, 1, ts_ns, 1)
        if record is not None:
            _note(opened, record, ts_ns)
    return opened


def _note(opened: Opened, record: Record, ts_ns: int) -> None:
    if isinstance(record, BookChanged):
        opened.books.add(record.instrument)
        prices = [price for price, _ in (*record.bids, *record.asks)]
    elif isinstance(record, PublicTraded):
        opened.printed.add(record.instrument)
        prices = [row[0] for row in record.rows]
    elif isinstance(record, TickerChanged):
        opened.has_mark = opened.has_mark or record.mark > 0
        prices = []
    elif isinstance(record, BarChanged):
        opened.has_minutes, prices = True, []
    else:
        return
    kept = opened.prices.setdefault(record.instrument, [])
    kept += prices[: LOOKED_AT - len(kept)]
    early_ns = record.venue_ms * MS - ts_ns
    opened.early_ns = early_ns if opened.early_ns is None else max(opened.early_ns, early_ns)
