"""What is known of one instrument's market right now, and whether it may be traded on."""

from enum import StrEnum

from plimsoll.core.book import BookFault, OrderBook
from plimsoll.core.model import Instrument
from plimsoll.core.records import (
    BarChanged,
    BookChanged,
    PublicTraded,
    StreamChanged,
    TickerChanged,
)


class StreamStatus(StrEnum):
    """Trust in a stream (MKT-1): only LIVE feeds orders that add risk."""

    LIVE = "live"
    SUSPECT = "suspect"
    DEAD = "dead"


class Market:
    """Book, last print, reference prices and stream health of one instrument.

    ``silent_after_ns``: a book without a message for this long is SUSPECT (floor of MKT-2).
    ``late_after_ms``: a book event older than this by the venue's clock is SUSPECT.
    """

    __slots__ = (
        "ask_ticks",
        "bid_ticks",
        "book",
        "book_ns",
        "distrust",
        "fault",
        "funding_rate",
        "index",
        "instrument",
        "last",
        "last_ns",
        "late_after_ms",
        "link_up",
        "mark",
        "mark_ns",
        "messages",
        "next_funding_ms",
        "scale",
        "silent_after_ns",
    )

    def __init__(
        self,
        instrument: Instrument,
        silent_after_ns: int = 3_500_000_000,
        late_after_ms: int = 2_000,
    ) -> None:
        """Start without data: not LIVE until the first good snapshot."""
        self.instrument = instrument
        self.scale = instrument.ticks_per_price
        self.book = OrderBook()
        self.bid_ticks = 0
        self.ask_ticks = 0
        self.book_ns = 0
        self.last = 0.0
        self.last_ns = 0
        self.mark = 0.0
        self.mark_ns = 0
        self.index = 0.0
        self.funding_rate = 0.0
        self.next_funding_ms = 0
        self.messages = 0
        self.link_up = True
        self.distrust: dict[str, str] = {}
        """Why a stream that is carried is not trusted, by stream; empty when all are live."""
        self.fault: BookFault | str | None = BookFault.EARLY_DELTA
        self.silent_after_ns = silent_after_ns
        self.late_after_ms = late_after_ms

    def on_book(self, change: BookChanged, clock_offset_ns: int) -> None:
        """Apply a book message; best prices in ticks follow.

        ``clock_offset_ns``: venue clock minus ours, for the age of the event.
        """
        self.messages += 1
        fault: BookFault | str | None = self.book.apply(change)
        book = self.book
        if fault is None:
            bids, asks, scale = book.bid_keys, book.ask_keys, self.scale
            self.bid_ticks = int(bids[-1] * scale + 0.5) if bids else 0
            self.ask_ticks = int(0.5 - asks[-1] * scale) if asks else 0
            age_ms = (change.ts_ns + clock_offset_ns) // 1_000_000 - change.venue_ms
            if age_ms > self.late_after_ms:
                fault = "late"
        self.fault = fault
        self.book_ns = change.ts_ns

    def on_public_trade(self, traded: PublicTraded) -> None:
        """Take the newest print over."""
        self.messages += 1
        if traded.rows:
            self.last = traded.rows[-1][0]
            self.last_ns = traded.ts_ns

    def on_ticker(self, ticker: TickerChanged) -> None:
        """Take the reference prices over that the message carries."""
        self.messages += 1
        if ticker.last:
            self.last = ticker.last
            self.last_ns = ticker.ts_ns
        if ticker.mark:
            self.mark = ticker.mark
            self.mark_ns = ticker.ts_ns
        if ticker.index:
            self.index = ticker.index
        if ticker.next_funding_ms:
            self.next_funding_ms = ticker.next_funding_ms
            self.funding_rate = ticker.funding_rate

    def on_bar(self, _bar: BarChanged) -> None:
        """Count the message; bars are made by ``BarMaker``."""
        self.messages += 1

    def on_stream(self, change: StreamChanged) -> None:
        """Take over how one of the streams is carried."""
        if change.status == StreamStatus.LIVE:
            self.distrust.pop(change.stream, None)
        else:
            self.distrust[change.stream] = f"{change.status}: {change.reason}"
        if change.is_void and change.stream == "book":
            self.drop(change.reason)

    def drop(self, reason: str) -> None:
        """Distrust everything until the next snapshot: the link is gone."""
        self.fault = reason
        self.book = OrderBook(strict=self.book.strict)

    def status(self, now_ns: int) -> StreamStatus:
        """Return the trust in this market at ``now_ns``."""
        return StreamStatus.SUSPECT if self.why_not(now_ns) else StreamStatus.LIVE

    def why_not(self, now_ns: int) -> str:
        """Return in words why the market is not LIVE, empty when it is."""
        if self.fault is not None:
            return f"order book: {self.fault}"
        if self.distrust and (book := self.distrust.get("book")):
            return f"order book {book}"
        silence = now_ns - self.book_ns
        if silence > self.silent_after_ns:
            return f"order book silent for {silence / 1e9:.1f} s"
        return ""

    def newest_ticks(self, now_ns: int) -> int:
        """Return the reference price, else the newest price known however old; 0 before any.

        For valuing what is held: a book that falters must not make it worthless for a moment.
        """
        return self.reference_ticks(now_ns) or int(self.last * self.scale + 0.5) or self.bid_ticks

    def reference_ticks(self, now_ns: int) -> int:
        """Return the price risk is measured at (RSK-2), 0 where there is none to trust.

        Perpetuals: mark. Spot: middle of our own LIVE book, else the last print under 5 s old.
        """
        if not self.instrument.is_spot and self.mark:
            return int(self.mark * self.scale + 0.5)
        if not self.why_not(now_ns) and self.bid_ticks and self.ask_ticks:
            return (self.bid_ticks + self.ask_ticks + 1) // 2
        if self.last and now_ns - self.last_ns <= 5_000_000_000:
            return int(self.last * self.scale + 0.5)
        return 0
