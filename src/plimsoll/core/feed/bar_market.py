"""A market known by its bars alone: one price at a time, with half a spread on each side.

A backtest over bars has no book and no ticker. Where live code reads best prices, a mark price or
the age of a stream, it finds what the newest bar says: mark and last are the newest price, the book
has one level a side with more in it than anybody takes, and the market is LIVE while bars come.

The book is made when somebody looks at it: at most bars nobody does.
"""

from collections.abc import Iterable
from math import ceil
from typing import Final

from plimsoll.core.book import OrderBook
from plimsoll.core.feed.market import Market
from plimsoll.core.feed.trust import Cause, Doubt, StreamName, suspect
from plimsoll.core.model import Instrument
from plimsoll.core.records import (
    BarChanged,
    BarWalked,
    FundingReported,
    MarkBarChanged,
    TickerChanged,
)
from plimsoll.core.settings import BarRules

DEEP: Final = 1e9
"""Quantity of each level, in base coin: a bar says nothing of depth."""

_PATIENCE: Final = 3
"""Bars that may be missing before the market is SUSPECT."""

_BARS: Final = StreamName.BARS


class BarMarket(Market):
    """``Market`` without streams: prices come from final bars and opens (``TickerChanged``)."""

    __slots__ = (
        "_ask",
        "_bid",
        "_book",
        "_half",
        "_patience_ns",
        "heard_ns",
        "mark_bar",
        "span_ms",
        "unread",
        "walked_ms",
    )

    def __init__(self, instrument: Instrument, rules: BarRules) -> None:
        """Start without a price."""
        self.unread: float | None = None
        """The newest price, until the book is made of it."""
        super().__init__(instrument)
        self._half = rules.half_spread_ppm / 1e6
        self._patience_ns = _PATIENCE * rules.span_ns
        self.span_ms = rules.span_ns // 1_000_000
        self.heard_ns = 0
        self.mark_bar: MarkBarChanged | None = None
        """Of the bar that comes next, where the mark price is known."""
        self.walked_ms = 0
        """Up to here, in data time, finer bars have been walked."""

    def marks_of(self, start_ms: int) -> tuple[float, float, float, float] | None:
        """Return open, high, low and close of the mark price in a bar, None where not known."""
        bar = self.mark_bar
        if bar is None or bar.start_ms != start_ms:
            return None
        return bar.open, bar.high, bar.low, bar.close

    def on_bar(self, bar: BarChanged, clock_offset_ns: int) -> None:
        """Take the close over."""
        if bar.is_final:
            self.messages += 1
            self.heard_ns = bar.ts_ns
            marks = self.marks_of(bar.start_ms)
            self.stand_at(bar.close, bar.ts_ns, marks[3] if marks else 0.0)

    def on_ticker(self, ticker: TickerChanged, clock_offset_ns: int) -> None:
        """Take the open of the next bar over."""
        self.messages += 1
        self.stand_at(ticker.last, ticker.ts_ns, ticker.mark)

    def stand_at(self, price: float, ts_ns: int, mark: float = 0.0) -> None:
        """Let the market be at a price: the best prices are half a spread away, on ticks (hot).

        ``mark`` 0.0: not known, the price stands for it.
        """
        self.last = self.unread = price
        self.mark = mark or price
        self.last_ns = self.mark_ns = ts_ns
        self.fault = None

    def doubt(self, now_ns: int, also: Iterable[StreamName] = ()) -> Doubt | None:
        """Return why the market is not LIVE: no bar yet, or none for three bars' time."""
        if not self.heard_ns:
            return suspect(_BARS, Cause.UNHEARD)
        if now_ns > self.silent_ns:
            return suspect(_BARS, Cause.SILENT)
        return None

    @property
    def silent_ns(self) -> int:
        """Until when a market that has been heard is LIVE without another bar."""
        return self.heard_ns + self._patience_ns

    def book_doubt(self, now_ns: int) -> Doubt | None:
        """Return the same: the book is the bar's."""
        return self.doubt(now_ns)

    def on_walk(self, bar: BarWalked) -> None:
        """Take the close of a finer bar over."""
        self.messages += 1
        self.heard_ns, self.walked_ms = bar.ts_ns, bar.end_ms
        marks = self.marks_of(bar.start_ms)
        self.stand_at(bar.close, bar.ts_ns, marks[3] if marks else 0.0)

    def on_funding(self, record: FundingReported) -> None:
        """Take over the rate that is paid now: what the next one will be nobody can know yet."""
        self.funding_rate = record.rate_e12 / 1e12
        self.rate_ns, self.next_funding_ms = record.ts_ns, record.next_ms

    def restart(self) -> None:
        """Begin a session without a price."""
        super().restart()
        self.heard_ns = 0

    # ---- what is made of the price when it is read ----

    @property
    def bid_ticks(self) -> int:
        """Best bid, half a spread below the price."""
        if self.unread is not None:
            self._read()
        return self._bid

    @bid_ticks.setter
    def bid_ticks(self, ticks: int) -> None:
        self._bid = ticks

    @property
    def ask_ticks(self) -> int:
        """Best ask, half a spread above the price and a tick above the bid at least."""
        if self.unread is not None:
            self._read()
        return self._ask

    @ask_ticks.setter
    def ask_ticks(self, ticks: int) -> None:
        self._ask = ticks

    @property
    def book(self) -> OrderBook:
        """The book of these two."""
        if self.unread is not None:
            self._read()
        return self._book

    @book.setter
    def book(self, book: OrderBook) -> None:
        self._book = book

    def _read(self) -> None:
        price, scale, half = self.unread, self.scale, self._half
        assert price is not None
        self.unread = None
        bid = int(price * (1.0 - half) * scale + 1e-6)
        ask = max(ceil(price * (1.0 + half) * scale - 1e-6), bid + 1)
        self._bid, self._ask = bid, ask
        best_bid, best_ask = bid / scale, ask / scale
        book = self._book
        book.bids, book.asks = {best_bid: DEEP}, {best_ask: DEEP}
        book.bid_keys, book.ask_keys = [best_bid], [-best_ask]
        book.fault = None
