"""Best levels asked for by REST, one instrument after another: each row is a whole small book.

Rows are ``both,SYMBOL,local ms,venue ms,"[[bids],[asks]]"`` without a header, the lists as Python
writes them. Between two polls nothing is known: a market polled less often than silence is borne
is SUSPECT in between, as it would be live.
"""

from pathlib import Path
from typing import Final

import msgspec

from plimsoll.core.feed import DEPTH
from plimsoll.core.records import BookChanged, Record
from plimsoll.data.recordings.reader import MS, Names, Reader

_ROW: Final = 'a row both,SYMBOL,local ms,venue ms,"[[bids],[asks]]"'
_SIDES: Final = (b"both", b"bid", b"ask")
"""Answers with one side alone are passed over."""
_MOST: Final = 1e15
_decode: Final = msgspec.json.Decoder(
    tuple[list[tuple[float, float]], list[tuple[float, float]]], strict=False
).decode


class PollReader(Reader):
    """Reads polls; of symbols that nobody named it says nothing."""

    def __init__(self, path: Path, names: Names, delay_ns: int = 0) -> None:
        """Begin before the first row."""
        super().__init__(path, names, delay_ns)
        self._count = 0

    def arrived_ns(self, raw: bytes) -> int:
        """Return when the answer came."""
        cells = raw.split(b",", 4)
        try:
            if len(cells) == 5 and cells[0] in _SIDES:
                return int(float(cells[2]) * MS) if cells[0] == b"both" else 0
        except (ValueError, OverflowError):
            pass
        if not raw.strip():
            return 0
        raise self.unreadable(raw, _ROW)

    def make(self, raw: bytes, seq: int, ts_ns: int, epoch: int) -> Record | None:
        """Return the book a row holds."""
        _, symbol, _, venue_ms, levels = raw.split(b",", 4)
        name = self.names.get(symbol.decode())
        if name is None:
            return None  # polls go round many symbols
        try:
            bids, asks = _decode(levels.strip().strip(b'"').replace(b"'", b'"'))
            ms = int(venue_ms)
        except (msgspec.MsgspecError, ValueError) as error:
            raise self.unreadable(raw, _ROW, error) from error
        for price, qty in (*bids, *asks):
            if not (0 < price <= _MOST and 0 < qty <= _MOST):
                raise self.number(f"[{price}, {qty}]")
        self._count += 1
        return BookChanged(
            seq, ts_ns, epoch, 0, name, DEPTH, True, self._count, self._count, ms, bids, asks
        )
