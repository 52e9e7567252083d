"""Numbers, times and tables as the commands print them."""

from collections.abc import Sequence
from datetime import UTC, datetime

from plimsoll.core.model import Instrument, cash_text

RIGHT = ">"
"""First character of a column's title that puts it on the right."""


def table(titles: Sequence[str], rows: Sequence[Sequence[str]], indent: str = "") -> str:
    """Return rows under titles; a title that begins with ``>`` is set to the right."""
    names = [title.lstrip(RIGHT) for title in titles]
    widths = [max(len(row[place]) for row in (names, *rows)) for place in range(len(names))]
    lines = []
    for row in (names, *rows):
        cells = [
            cell.rjust(width) if title.startswith(RIGHT) else cell.ljust(width)
            for cell, width, title in zip(row, widths, titles, strict=True)
        ]
        lines.append((indent + "  ".join(cells)).rstrip())
    return "\n".join(lines)


def money(units: int, *, signed: bool = False) -> str:
    """Return cash units with two decimals and grouped digits, rounded half to even."""
    cents = round(units / 1_000_000) if abs(units) < 2**53 else units // 1_000_000
    sign = "-" if cents < 0 else "+" if signed and cents else ""
    whole, fraction = divmod(abs(cents), 100)
    return f"{sign}{whole:,}.{fraction:02d}"


def qty(instrument: Instrument, lots: int) -> str:
    """Return a signed quantity; flat is ``0``."""
    return instrument.qty_text(lots) if lots else "0"


def exact(units: int) -> str:
    """Return cash units as the exact decimal text for JSON."""
    return cash_text(units)


def size(count: int) -> str:
    """Return a number of bytes in the unit of 1000 that keeps it readable."""
    for unit, step in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= step:
            return f"{count / step:,.1f} {unit}"
    return f"{count} B"


def percent(ppm: int) -> str:
    """Return parts per million as per cent."""
    return f"{ppm / 10_000:.2f} %"


def clock(ts_ns: int) -> str:
    """Return the UTC time of day."""
    return datetime.fromtimestamp(ts_ns / 1e9, UTC).strftime("%H:%M:%S")


def moment(ts_ns: int) -> str:
    """Return the UTC date and time with milliseconds."""
    found = datetime.fromtimestamp(ts_ns / 1e9, UTC)
    return found.replace(tzinfo=None).isoformat(sep=" ", timespec="milliseconds")
