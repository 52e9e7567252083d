"""What is known of one instrument's market right now, and whether it may be traded on."""

from collections.abc import Iterable
from typing import Final

from plimsoll.core.book import OrderBook
from plimsoll.core.feed.divergence import Divergence
from plimsoll.core.feed.silence import Silence
from plimsoll.core.feed.stream import Stream
from plimsoll.core.feed.trust import (
    CONTENT_CAUSES,
    Cause,
    Doubt,
    StreamName,
    StreamStatus,
    suspect,
)
from plimsoll.core.model import Instrument
from plimsoll.core.records import (
    BarChanged,
    BookChanged,
    PublicTraded,
    StreamChanged,
    TickerChanged,
)
from plimsoll.core.settings import Timing

DEPTH: Final = 50
"""Depth of the book that is traded on; messages of another depth are compared with it."""

STRICT_DEPTH: Final = 50
"""From this depth on update ids grow by exactly one (Bybit v5 docs, websocket/public/orderbook;
measured, not promised: a false alarm costs one renewal)."""

FRESH_NS: Final = 5_000_000_000
"""A print says something about the price of now for this long (RSK-2)."""

_BARS_FLOOR_NS: Final = 65_000_000_000
"""The venue repeats an open bar at least once a minute (Bybit v5 docs, websocket/public/kline)."""

_BARS_CAP_NS: Final = 130_000_000_000
_BOOK, _TICKER = StreamName.BOOK, StreamName.TICKER  # hot: a global costs a tenth of a member
_TRADES, _BARS = StreamName.TRADES, StreamName.BARS
_LATE: Final = Cause.LATE


class Market:
    """Book, prints, reference prices and the health of the streams of one instrument.

    Causes of doubt about content are found when a message is applied (``fault``); those that time
    brings (silence, divergence) when somebody asks (``doubt``). Both are functions of the records
    applied and the time asked for.
    """

    __slots__ = (
        "_from_last",
        "_from_mark",
        "_high",
        "_is_stray",
        "_low",
        "_others",
        "age_ms",
        "ask_ticks",
        "bid_ticks",
        "book",
        "disagrees",
        "event_ms",
        "fault",
        "fault_text",
        "fresh_rows",
        "funding_rate",
        "index",
        "instrument",
        "last",
        "last_ns",
        "late_after_ms",
        "mark",
        "mark_ns",
        "messages",
        "next_funding_ms",
        "outdated",
        "print_ms",
        "rate_ns",
        "scale",
        "silence",
        "streams",
        "told_ms",
        "venue_seq",
        "was_snapshot",
    )

    def __init__(self, instrument: Instrument, timing: Timing | None = None) -> None:
        """Start without data: not LIVE until the first good snapshot."""
        self.instrument = instrument
        self.scale = instrument.ticks_per_price
        self.book = OrderBook()
        self.bid_ticks = 0
        self.ask_ticks = 0
        self.last = 0.0
        self.last_ns = 0
        self.mark = 0.0
        self.mark_ns = 0
        self.index = 0.0
        self.funding_rate = 0.0
        self.rate_ns = 0
        """When the funding rate was told last, 0 = never."""
        self.next_funding_ms = 0
        self.messages = 0
        self.outdated = 0
        """Messages, or prints in them, left out because a newer event had been seen (MKT-4)."""
        self.fault: Cause | None = Cause.EARLY_DELTA
        """What is wrong with the content or the age of the book."""
        self.fault_text = ""
        self.age_ms = 0
        """Age of the newest book event by the venue's clock."""
        self.venue_seq = 0
        self.event_ms = 0
        """Cross sequence and venue time of the newest book message applied."""
        self.was_snapshot = False
        """Whether the newest late book message was a snapshot."""
        self.told_ms = 0
        """Newest venue time on any other stream."""
        self.print_ms = 0
        """Match time of the newest print."""
        self.fresh_rows: list[tuple[float, float, bool, int]] = []
        """Rows of the newest message of prints that are not older than a print before them."""
        self.disagrees = False
        self._others: dict[int, tuple[OrderBook, int]] = {}
        """Books of other depths with the venue sequence of their newest message."""
        self._from_mark = Divergence()
        self._from_last = Divergence()
        self._low, self._high = self._from_mark.low, self._from_mark.high
        """Sums of best bid and best ask between which nothing needs a closer look: the book is
        near all references, and was before."""
        self._is_stray = False
        timing = timing or Timing()
        self.silence = Silence(timing.silent_ns, timing.silent_cap_ns)
        """Of the book: read on the hot path."""
        self.streams: dict[StreamName, Stream] = {
            _BOOK: Stream(_BOOK, self.silence),
            _TICKER: Stream(_TICKER, Silence(timing.silent_ns, timing.silent_cap_ns)),
            _TRADES: Stream(_TRADES, Silence(timing.silent_ns, 0)),
            _BARS: Stream(_BARS, Silence(_BARS_FLOOR_NS, _BARS_CAP_NS)),
        }
        self.late_after_ms = timing.late_ms

    def adopt(self, timing: Timing) -> None:
        """Take over how long a silence and how old an event may be."""
        self.late_after_ms = timing.late_ms
        for name in (_BOOK, _TICKER, _TRADES):
            silence = self.streams[name].silence
            silence.floor_ns = timing.silent_ns
            silence.cap_ns = timing.silent_cap_ns if silence.cap_ns else 0

    # ---- market inputs ----

    def on_book(self, change: BookChanged, clock_offset_ns: int) -> None:
        """Apply a book message; best prices in ticks follow (hot path).

        ``clock_offset_ns``: venue clock minus ours, for the age of the event.
        """
        if change.depth != DEPTH:
            self._on_other_depth(change)
            return
        self.messages += 1
        book, ts_ns, event_ms = self.book, change.ts_ns, change.venue_ms
        is_snapshot = change.is_snapshot
        if is_snapshot:
            if change.venue_seq < self.venue_seq and event_ms < self.event_ms:
                self.outdated += 1  # by both: a service that began anew counts from one again
                return
            self._hear_snapshot(change)
            event_ms = max(event_ms, self.told_ms)
        found = book.apply(change)
        if found is not None:
            self.fault, self.fault_text = Cause(found), ""
            return
        if not is_snapshot:
            self.silence.heard(ts_ns)
        self.venue_seq, self.event_ms = change.venue_seq, change.venue_ms
        bids, asks, scale = book.bid_keys, book.ask_keys, self.scale
        fault = None
        if bids and asks:
            bid, ask = bids[-1], -asks[-1]
            self.bid_ticks = int(bid * scale + 0.5)
            self.ask_ticks = int(ask * scale + 0.5)
            if not self._low <= bid + ask <= self._high:
                self._stray(bid + ask, ts_ns)
        else:
            self.bid_ticks = int(bids[-1] * scale + 0.5) if bids else 0
            self.ask_ticks = int(0.5 - asks[-1] * scale) if asks else 0
            fault = Cause.EMPTY
            if is_snapshot and not bids and not asks:  # a delta on nothing would look whole
                book.distrust()
        self.age_ms = age_ms = (ts_ns + clock_offset_ns) // 1_000_000 - event_ms
        if age_ms > self.late_after_ms:
            fault, self.was_snapshot = _LATE, is_snapshot
        if self._others:
            fault = self._compared() or fault
        self.fault = fault

    def on_public_trade(self, traded: PublicTraded, clock_offset_ns: int) -> None:
        """Take the newest print over."""
        self.messages += 1
        newest, fresh = self.print_ms, []
        for row in traded.rows:
            if row[3] >= newest:
                newest = row[3]
                fresh.append(row)
        self.print_ms, self.fresh_rows = newest, fresh
        self.outdated += len(traded.rows) - len(fresh)
        self._hear(_TRADES, traded, clock_offset_ns)
        if fresh and fresh[-1][0] > 0:
            self._print(fresh[-1][0], traded.ts_ns)

    def on_ticker(self, ticker: TickerChanged, clock_offset_ns: int) -> None:
        """Take the reference prices over that the message carries."""
        self.messages += 1
        if ticker.venue_ms < self.streams[_TICKER].venue_ms:
            self.outdated += 1
            return
        self._hear(_TICKER, ticker, clock_offset_ns)
        if ticker.last > 0:
            self._print(ticker.last, ticker.ts_ns)
        if ticker.mark > 0:
            self.mark = ticker.mark
            self.mark_ns = ticker.ts_ns
            self._refer(self._from_mark, ticker.mark, ticker.ts_ns)
        if ticker.index:
            self.index = ticker.index
        if ticker.next_funding_ms:
            self.next_funding_ms = ticker.next_funding_ms
        if ticker.funding_rate is not None:
            self.funding_rate = ticker.funding_rate
            self.rate_ns = ticker.ts_ns

    def on_bar(self, bar: BarChanged, clock_offset_ns: int) -> None:
        """Note the sign of life; bars are made by ``BarMaker``."""
        self.messages += 1
        self._hear(_BARS, bar, clock_offset_ns)

    # ---- what the connections say ----

    def on_stream(self, change: StreamChanged) -> None:
        """Take over how one of the streams is carried."""
        for name, stream in self.streams.items():
            if name == change.stream:
                stream.on_change(change)
                if change.is_void and name is _BOOK:
                    self._void(change.reason)

    def drop(self, reason: str) -> None:
        """Distrust everything until it is heard anew: the link is gone."""
        self._void(reason)
        for stream in self.streams.values():
            stream.silence.forget()

    def relist(self, instrument: Instrument) -> None:
        """Count prices in the ticks of new filters; the book itself is kept as it came."""
        self.instrument = instrument
        self.bid_ticks = round(self.bid_ticks / self.scale * instrument.ticks_per_price)
        self.ask_ticks = round(self.ask_ticks / self.scale * instrument.ticks_per_price)
        self.scale = instrument.ticks_per_price

    def restart(self) -> None:
        """Begin a session: nothing is connected, nothing was said about the streams."""
        self.drop("not connected")
        self.next_funding_ms = 0
        self.venue_seq = self.event_ms = 0
        for stream in self.streams.values():
            stream.carried, stream.venue_ms = None, 0

    # ---- trust ----

    def doubt(self, now_ns: int, also: Iterable[StreamName] = ()) -> Doubt | None:
        """Return the first thing that stands against trading on this market, None when it is LIVE.

        Book and, on perpetuals, ticker are always needed: prices and risk are measured by them.
        ``also``: other streams the asker lives on.
        """
        found = self.book_doubt(now_ns)
        if found is None and not self.instrument.is_spot:
            ticker = self.streams[_TICKER]
            if not ticker.silence.heard_ns and self.mark:
                return ticker.carried or suspect(_TICKER, Cause.UNHEARD)
            found = self._stream_doubt(ticker, now_ns)
        for name in also:
            if found is None:
                found = self._stream_doubt(self.streams[name], now_ns)
        return found

    def book_doubt(self, now_ns: int) -> Doubt | None:
        """Return what stands against the book alone."""
        stream = self.streams[_BOOK]
        if stream.carried is not None:
            return stream.carried
        if self.fault is not None:
            return suspect(_BOOK, self.fault, self.fault_text)
        found = self._stream_doubt(stream, now_ns)
        if found is None and self._is_stray:
            found = self._divergence_doubt(now_ns)
        return found

    def status(self, now_ns: int) -> StreamStatus:
        """Return the trust in this market at ``now_ns``."""
        found = self.doubt(now_ns)
        return found.status if found else StreamStatus.LIVE

    def why_not(self, now_ns: int) -> str:
        """Return in words why the market is not LIVE, empty when it is."""
        found = self.doubt(now_ns)
        return found.text if found else ""

    def wants_renewal(self, now_ns: int) -> bool:
        """Return whether a new snapshot of the book is worth asking for (``CONTENT_CAUSES``).

        Silence is: the snapshot is proof of life, or shows what was missed.
        """
        if self.fault is not None:
            return self.fault in CONTENT_CAUSES
        return self._stream_doubt(self.streams[_BOOK], now_ns, is_carriage=False) is not None

    # ---- prices ----

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
        if self.bid_ticks and self.ask_ticks and self.book_doubt(now_ns) is None:
            return (self.bid_ticks + self.ask_ticks + 1) // 2
        if self.last and now_ns - self.last_ns <= FRESH_NS:
            return int(self.last * self.scale + 0.5)
        return 0

    # ---- messages ----

    def _hear_snapshot(self, snapshot: BookChanged) -> None:
        """Learn from the gap it ends only where it shows that nothing was missed."""
        silence, book, ts_ns = self.silence, self.book, snapshot.ts_ns
        self.disagrees = False
        if ts_ns - silence.moved_ns > silence.floor_ns and self.fault is None:
            same = book.bids == dict(snapshot.bids) and book.asks == dict(snapshot.asks)
            if same:
                silence.alive(ts_ns)
                return
        silence.begin(ts_ns)

    def _hear(
        self, name: StreamName, record: PublicTraded | TickerChanged | BarChanged, offset_ns: int
    ) -> None:
        venue_ms, ts_ns = record.venue_ms, record.ts_ns
        age_ms = (ts_ns + offset_ns) // 1_000_000 - venue_ms
        # Prints may pause while the book moves; ticker and bars that did have missed something.
        moved_ns = 0 if name is _TRADES else self.silence.moving_ns
        self.streams[name].hear(ts_ns, venue_ms, moved_ns, is_late=age_ms > self.late_after_ms)
        self.told_ms = max(self.told_ms, venue_ms)
        # What came after an old snapshot and is new shows that the snapshot was the newest then.
        if self.fault is _LATE and self.was_snapshot and age_ms <= self.late_after_ms:
            self.fault = None

    def _print(self, price: float, ts_ns: int) -> None:
        self.last = price
        self.last_ns = ts_ns
        self._refer(self._from_last, price, ts_ns)

    def _void(self, reason: str) -> None:
        self.fault, self.fault_text = Cause.VOID, reason
        self.book = OrderBook(strict=self.book.strict)
        self.disagrees = False
        self._others.clear()

    # ---- other depths ----

    def _on_other_depth(self, change: BookChanged) -> None:
        self.messages += 1
        depth = change.depth
        known = self._others.get(depth)
        book = known[0] if known else OrderBook(strict=depth >= STRICT_DEPTH)
        book.apply(change)
        self._others[depth] = book, change.venue_seq
        if self.fault is None or self.fault is Cause.DISAGREEING:
            self.fault, self.fault_text = self._compared(), ""

    def _compared(self) -> Cause | None:
        """Compare the best levels of all depths that are at the same sequence."""
        for book, venue_seq in self._others.values():
            if venue_seq == self.venue_seq and book.fault is None:
                self.disagrees = book.depth(1) != self.book.depth(1)
                if self.disagrees:
                    break
        return Cause.DISAGREEING if self.disagrees else None

    # ---- doubts that time brings ----

    def _stream_doubt(
        self, stream: Stream, now_ns: int, *, is_carriage: bool = True
    ) -> Doubt | None:
        moved_ns, silence = 0, stream.silence
        if now_ns - silence.heard_ns <= silence.floor_ns or not silence.heard_ns:
            if stream.carried is None and not stream.is_late:
                return None  # hot: so it mostly is
        else:
            others = (one.silence for one in self.streams.values() if one is not stream)
            moved_ns = max(silence.moving_ns for silence in others)
        if is_carriage:
            return stream.doubt(now_ns, moved_ns)
        return stream.silent_doubt(now_ns, moved_ns)

    def _refer(self, divergence: Divergence, price: float, ts_ns: int) -> None:
        divergence.refer(2.0 * price, 2.0 * self.book.mid, ts_ns, is_sound=self.fault is None)
        self._bound()

    def _bound(self) -> None:
        mark, last = self._from_mark, self._from_last
        self._low, self._high = max(mark.low, last.low), min(mark.high, last.high)
        self._is_stray = bool(mark.since_ns or last.since_ns)
        if self._is_stray:
            self._low = self._high + 1.0  # nothing is between: each message looks closer

    def _stray(self, total: float, ts_ns: int) -> None:
        """Look which reference the book is too far from; a print that is too old is none."""
        if ts_ns - self.last_ns > FRESH_NS:
            self._from_last.forget()
        self._from_mark.observe(total, ts_ns)
        self._from_last.observe(total, ts_ns)
        self._bound()

    def _divergence_doubt(self, now_ns: int) -> Doubt | None:
        if self._from_mark.is_doubt(now_ns):
            name, price = "mark price", self.mark
        elif self._from_last.is_doubt(now_ns) and now_ns - self.last_ns <= FRESH_NS:
            name, price = "last print", self.last
        else:
            return None
        distance = abs(self.book.mid / price - 1)
        text = f"its middle is {distance:.2%} from the {name}"
        return suspect(_BOOK, Cause.DIVERGED, text)
