"""One-minute bars: read from a file and checked, or made from a seed."""

import csv
import math
from collections.abc import Iterator
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from pathlib import Path
from typing import Final

import msgspec

from plimsoll.core.model import Instrument
from plimsoll.simulator.market.draw import draw_of
from plimsoll.simulator.market.files import DataError, read_lines

_VALUES: Final = ("open", "high", "low", "close", "volume")


class Bar(msgspec.Struct, frozen=True):
    """One minute of an instrument: prices in ticks, quantity in lots."""

    open: int
    high: int
    low: int
    close: int
    lots: int


def read_bars(path: Path, instrument: Instrument) -> list[Bar]:
    """Return the bars of a CSV or CSV.zst file, rounded to the instrument's tick and lot.

    Columns are found by header name; a file without one is taken as
    ``time, open, high, low, close, volume``.

    Raises:
        DataError: the file is missing, truncated, not a bar file, or a row makes no sense.
    """
    bars = []
    columns: dict[str, int] | None = None
    for number, row in enumerate(csv.reader(read_lines(path, _HOW)), start=1):
        if columns is None:
            columns, is_header = _columns(path, row)
            if is_header:
                continue
        bars.append(_bar(path, number, row, columns, instrument))
    if not bars:
        raise DataError(f"{path}:1: no bars found; {_HOW}")
    return bars


def made_bars(seed: int, instrument: Instrument, price: Decimal) -> Iterator[Bar]:
    """Yield bars for ever: a random walk of about 0.05 % a minute, each open the last close."""
    draw = draw_of(seed, instrument.base, "bars")
    last = price
    while True:
        moves = [draw.gauss(0, 0.0005) for _ in range(2)]
        close = last * Decimal(math.exp(moves[0]))
        reach = abs(last * Decimal(moves[1])) / 2
        lots = int(draw.lognormvariate(0, 0.5) * 3_000_000 / float(last * instrument.lot))
        yield _rounded(
            instrument,
            last,
            max(last, close) + reach,
            min(last, close) - reach,
            close,
            max(60, lots),
        )
        last = close


_HOW: Final = (
    "a bar file is CSV or CSV.zst with the columns timestamp, open, high, low, close, volume"
)


def _columns(path: Path, row: list[str]) -> tuple[dict[str, int], bool]:
    names = [cell.strip().lower() for cell in row]
    found: dict[str, int] = {name: names.index(name) for name in _VALUES if name in names}
    if len(found) == len(_VALUES):
        return found, True
    if len(row) == len(_VALUES) + 1 and all(_is_number(cell) for cell in row[1:]):
        return dict(zip(_VALUES, range(1, 6), strict=True)), False
    missing = ", ".join(name for name in _VALUES if name not in found)
    raise DataError(f"{path}:1: not a bar file: no column {missing} in {row[:8]}; {_HOW}")


def _bar(
    path: Path, number: int, row: list[str], columns: dict[str, int], instrument: Instrument
) -> Bar:
    where = f"{path}:{number}"
    if len(row) <= max(columns.values()):
        raise DataError(f"{where}: {len(row)} columns found, the row is cut short; delete the line")
    cells = [row[columns[name]] for name in _VALUES]
    try:
        open_, high, low, close, volume = (Decimal(cell) for cell in cells)
    except InvalidOperation:
        raise DataError(f"{where}: {cells} are not all numbers; mend or delete the line") from None
    values = (open_, high, low, close, volume)
    if not all(value.is_finite() for value in values) or low <= 0 or volume < 0:
        raise DataError(f"{where}: prices must be above 0 and volume not negative, found {cells}")
    if not low <= min(open_, close) <= max(open_, close) <= high:
        raise DataError(f"{where}: open and close must lie within low and high, found {cells}")
    lots = int((volume / instrument.lot).to_integral_value(ROUND_HALF_EVEN))
    return _rounded(instrument, open_, high, low, close, lots)


def _rounded(
    instrument: Instrument, open_: Decimal, high: Decimal, low: Decimal, close: Decimal, lots: int
) -> Bar:
    def ticks(price: Decimal) -> int:
        return max(1, instrument.ticks_of(price, rounding=ROUND_HALF_EVEN))

    return Bar(ticks(open_), ticks(high), ticks(low), ticks(close), lots)


def _is_number(cell: str) -> bool:
    try:
        Decimal(cell)
    except InvalidOperation:
        return False
    return True
