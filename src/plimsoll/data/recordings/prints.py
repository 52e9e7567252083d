"""The venue's archives of public trades: CSV with a header, one print a row, of one symbol.

Contracts: ``timestamp`` in seconds, ``symbol,side,size,price``. Spot: ``id,timestamp`` in ms,
``price,volume,side``. Rows are taken to arrive ``delay_ns`` after the time of the match.
"""

from math import isfinite
from pathlib import Path
from typing import Final

from plimsoll.core.records import PublicTraded, Record
from plimsoll.data.errors import NotRecognised
from plimsoll.data.findings import Fault
from plimsoll.data.recordings.reader import AGAIN, MS, Names, Reader

_SIDES: Final = {"buy": True, "sell": False}
_SECONDS_MOST: Final = 10**11
"""Times below are seconds, above milliseconds."""

_HEADER: Final = "timestamp,symbol,side,size,price or id,timestamp,price,volume,side"


def columns_of(header: str) -> tuple[int, int, int, int, int] | None:
    """Return where time, symbol (-1: none), side, quantity and price stand; None: no such file."""
    names = [name.strip().lower() for name in header.strip().split(",")]
    size = "size" if "size" in names else "volume"
    if not {"timestamp", "side", "price", size} <= set(names):
        return None
    symbol = names.index("symbol") if "symbol" in names else -1
    return tuple(
        names.index(name) if name != "symbol" else symbol
        for name in ("timestamp", "symbol", "side", size, "price")
    )  # type: ignore[return-value]


class PrintReader(Reader):
    """Reads the prints of one symbol."""

    def __init__(self, path: Path, names: Names, delay_ns: int) -> None:
        """Begin before the header."""
        super().__init__(path, names, delay_ns)
        self._places: tuple[int, int, int, int, int] = (0, 0, 0, 0, 0)
        self._wide = 0
        self._cells: list[str] = []
        self._ms = 0
        self._symbol = ""

    def arrived_ns(self, raw: bytes) -> int:
        """Return when a row arrived; the header, once, says nothing."""
        self._cells = cells = raw.decode().rstrip("\r").split(",")
        if not self._wide:
            found = columns_of(raw.decode())
            if found is None:
                raise NotRecognised(
                    f"expected the columns {_HEADER}, found {raw[:80].decode()!r}",
                    self.where,
                    "give the venue's archive as it came",
                )
            self._places, self._wide = found, len(cells)
            return 0
        if len(cells) != self._wide:
            if not raw.strip():
                return 0
            text = f"{self._wide} cells, found {len(cells)}"
            raise self.bad(Fault.CUT, text, AGAIN)
        at = self._float(cells[self._places[0]], Fault.TIME, "a time")
        seconds = at if at < _SECONDS_MOST else at / 1_000
        self._ms = int(seconds * 1_000 + 0.5)
        return self._ms * MS + self.delay_ns

    def make(self, raw: bytes, seq: int, ts_ns: int, epoch: int) -> Record | None:
        """Return the input of a row."""
        _, symbol_at, side_at, qty_at, price_at = self._places
        cells = self._cells
        name = self._name(cells[symbol_at] if symbol_at >= 0 else "")
        is_buy = _SIDES.get(cells[side_at].lower())
        if is_buy is None:
            raise self.bad(Fault.NUMBER, f"the side Buy or Sell, found {cells[side_at]!r}", AGAIN)
        price = self._float(cells[price_at], Fault.PRICE, "a price above 0")
        qty = self._float(cells[qty_at], Fault.VOLUME, "a quantity above 0")
        return PublicTraded(seq, ts_ns, epoch, 0, name, [(price, qty, is_buy, self._ms)], self._ms)

    def _name(self, symbol: str) -> str:
        if not symbol and len(self.names) == 1:
            return next(iter(self.names.values()))
        self._symbol = self._symbol or symbol
        if symbol != self._symbol or not symbol:
            raise NotRecognised(
                f"expected rows of {self._symbol or 'a named symbol'} alone, found {symbol!r}",
                self.where,
                "give one file for each, as NAME=FILE",
            )
        return self.names.get(symbol) or self.instrument(symbol)

    def _float(self, text: str, fault: Fault, expected: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = 0.0
        if value > 0 and isfinite(value):
            return value
        raise self.bad(fault, f"{expected}, found {text!r}", AGAIN)
