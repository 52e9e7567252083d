"""Market inputs: made from raw frames by the venue's pure parser, not stored as records."""

from typing import Final

from plimsoll.core.records.base import Record


class BookChanged(Record, frozen=True, tag="book"):
    """A snapshot or delta of an order book.

    ``bids``/``asks``: rows (price, absolute quantity), quantity 0 deletes. Floats: market data
    only; the same decimal text always gives the same float.
    """

    instrument: str
    depth: int
    is_snapshot: bool
    update_id: int
    venue_seq: int
    venue_ms: int
    bids: list[tuple[float, float]]
    asks: list[tuple[float, float]]


class PublicTraded(Record, frozen=True, tag="traded"):
    """Prints of the public tape, oldest first: rows (price, quantity, taker is buyer, match ms)."""

    instrument: str
    rows: list[tuple[float, float, bool, int]]
    venue_ms: int


class TickerChanged(Record, frozen=True, tag="ticker"):
    """Changed reference prices; 0.0 means "not in this message".

    Of the funding rate None means that: a rate of zero is a rate.
    """

    instrument: str
    last: float
    mark: float
    index: float
    funding_rate: float | None
    next_funding_ms: int
    venue_ms: int


class BarChanged(Record, frozen=True, tag="kline"):
    """The venue's one-minute bar, open or final (``is_final``)."""

    instrument: str
    start_ms: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    is_final: bool
    venue_ms: int


class MarkBarChanged(Record, frozen=True, tag="mark-kline"):
    """The mark price in the bar that comes next; of a backtest only."""

    instrument: str
    start_ms: int
    open: float
    high: float
    low: float
    close: float


class BarWalked(Record, frozen=True, tag="walked"):
    """A finer bar inside one that is still open: paper orders meet it, no strategy hears it.

    Of a backtest only.
    """

    instrument: str
    start_ms: int
    end_ms: int
    open: float
    high: float
    low: float
    close: float


MarketInput = BookChanged | PublicTraded | TickerChanged | BarChanged


MARKET_INPUTS: Final[tuple[type[Record], ...]] = (
    BookChanged,
    PublicTraded,
    TickerChanged,
    BarChanged,
    MarkBarChanged,
    BarWalked,
)
