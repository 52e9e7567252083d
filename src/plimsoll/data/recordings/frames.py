"""The venue's own frames, one a line: its order book archives, and captures of its streams.

An archive line is the frame alone; it is taken to arrive ``delay_ns`` after the venue's time. A
capture puts in front when it arrived, in Unix ns or in seconds with a point: ``1723161255030314667
{"topic":...`` or ``1723161255.0303 {"topic":...``.
"""

from pathlib import Path
from typing import Final

import msgspec

from plimsoll.core.records import BookChanged, Record
from plimsoll.data.findings import Fault
from plimsoll.data.recordings.reader import MS, Names, Reader, traded_on
from plimsoll.venues.bybit import ParseError, PublicParser

_FRAME: Final = 'a frame of the venue, such as {"topic":"orderbook.50.BTCUSDT",...}'
_TS: Final = b'"ts":'
_ANSWERS: Final = (b'"op"', b'"success"')
"""What a frame has that answers a request."""
_STRICT: Final = 50
"""From this depth on update ids grow by exactly one."""


class FrameReader(Reader):
    """Reads frames of one category; of several depths of a book the one that is traded on."""

    def __init__(self, path: Path, names: Names, delay_ns: int, depths: dict[str, int]) -> None:
        """Begin before the first line; ``depths``: which depth is read of each instrument."""
        super().__init__(path, names, delay_ns)
        self.depths = depths
        categories = {name.partition(":")[0] for name in names.values()} or {"linear"}
        self._category = min(categories)
        self._parse = PublicParser(self._category).parse

    def arrived_ns(self, raw: bytes) -> int:
        """Return when a frame arrived: what stands in front, or the venue's time and the delay."""
        if not raw.startswith(b"{"):
            return stamp_of(self, raw) if raw.strip() else 0
        if b'"topic"' in raw:
            return self._venue_ms(raw) * MS + self.delay_ns
        if any(word in raw for word in _ANSWERS):
            return 0
        raise self.unreadable(raw, _FRAME)

    def make(self, raw: bytes, seq: int, ts_ns: int, epoch: int) -> Record | None:
        """Return the input of a frame; acknowledgements and other depths say nothing of use."""
        frame = raw if raw.startswith(b"{") else raw[raw.find(b"{") :]
        try:
            record = self._parse(frame, seq, ts_ns, epoch)
        except ParseError as error:
            raise self.unreadable(raw, _FRAME, error.__cause__) from error
        if record is None:
            return None
        symbol = record.instrument.partition(":")[2]
        name = self.names.get(symbol) or self.instrument(symbol)
        if name != record.instrument:
            record = msgspec.structs.replace(record, instrument=name)
        if type(record) is not BookChanged:
            return record
        depth = record.depth
        if self.depths.setdefault(name, depth) != depth:
            return None
        before = record.update_id - 1
        if depth < _STRICT:  # these may skip numbers, and never go back
            before = min(before, self._updates.get(name, -1))
        self.check_order(record, before)
        if not record.venue_ms:  # archives from before the venue told the matching time
            record = msgspec.structs.replace(record, venue_ms=self._venue_ms(frame))
        return traded_on(record)

    def _venue_ms(self, raw: bytes) -> int:
        begin = raw.find(_TS) + len(_TS)
        end = begin
        if begin >= len(_TS):
            raw = raw[begin : begin + 24].lstrip()
            end = 0
            while raw[end : end + 1].isdigit():
                end += 1
            if end:
                return int(raw[:end])
        raise self.unreadable(raw, f"{_FRAME} with its time ts")


def stamp_of(reader: Reader, raw: bytes) -> int:
    """Return the time in front of a line, Unix ns.

    Raises:
        DataError: there is none.
    """
    text = raw.partition(b" ")[0].rstrip(b":")
    whole, point, part = text.partition(b".")
    if whole.isdigit() and (not point or part.isdigit()):
        if point:
            return int(whole) * 1_000_000_000 + int((part + b"000000000")[:9])
        if len(whole) == 19:
            return int(whole)
    raise reader.bad(
        Fault.TIME,
        "a time in front of the line in Unix ns (19 digits), found "
        f"{text[:40].decode('utf-8', 'replace')!r}",
        "write it as the recorder's clock said it: 1723161255030314667 {...}",
    )
