"""The newest prices for books read from the trading log alone: open profit needs them.

Only the end of the market log is read, so that looking at an account stays quick however long it
has traded.
"""

from pathlib import Path
from typing import Final

from plimsoll.core.engine import Core
from plimsoll.core.records import (
    FRAME_KIND,
    BookChanged,
    PublicTraded,
    Telemetry,
    TickerChanged,
    decode,
)
from plimsoll.journal import MARKET, scan
from plimsoll.venues.bybit.errors import ParseError
from plimsoll.venues.bybit.links import parsers_for

_SPAN: Final = 20_000
"""Records looked back over: minutes of a busy market."""


def add_prices(core: Core, journal_dir: Path, *, with_books: bool = False) -> Telemetry | None:
    """Give a core's markets the last prints and reference prices that the log holds.

    ``with_books``: books too, where a snapshot lies within what is looked back over.

    Returns:
        The newest telemetry of the engine, None where the end of the log holds none.
    """
    told = None
    parsers, offset_ns = parsers_for(), core.safety.clock_offset_ns
    for entry in scan(journal_dir, MARKET, max(0, core.seq - _SPAN)):
        if entry.kind != FRAME_KIND:
            found = decode(entry.payload)
            told = found if isinstance(found, Telemetry) else told
            continue
        parser = parsers[entry.payload[0]]
        try:
            record = parser.parse(entry.payload[1:], entry.seq, entry.ts_ns, entry.epoch)
        except ParseError:
            continue  # the engine has told of it when it came
        if isinstance(record, TickerChanged) and record.instrument in core.markets:
            core.markets[record.instrument].on_ticker(record, offset_ns)
        elif isinstance(record, PublicTraded) and record.instrument in core.markets:
            core.markets[record.instrument].on_public_trade(record, offset_ns)
        elif with_books and isinstance(record, BookChanged) and record.instrument in core.markets:
            core.markets[record.instrument].on_book(record, offset_ns)
    return told
