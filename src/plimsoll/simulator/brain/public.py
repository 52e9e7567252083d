"""The public side of one instrument: book, tape, candles, mark and index price."""

from collections import deque
from collections.abc import Hashable
from decimal import Decimal
from typing import Any, Final, Protocol

import msgspec

from plimsoll.core.matching import Fill, MatchingBook
from plimsoll.core.model import Side
from plimsoll.simulator.brain.candles import DAY_MINUTES, MINUTE_MS, Candle, Candles, flat
from plimsoll.simulator.brain.funding import Funding
from plimsoll.simulator.brain.interest import OpenInterest
from plimsoll.simulator.brain.listings import Listing
from plimsoll.simulator.brain.messages import BookChanged, Past
from plimsoll.simulator.brain.numbers import ZERO, drawn_uuid
from plimsoll.simulator.brain.price_line import PriceLine

TAPE_KEPT: Final = 1000
LIQUIDATIONS_KEPT: Final = 1000
PREMIUM_SAMPLES: Final = {"linear": 30, "spot": 120}
_INDEX_SHARE: Final = 8
_SLOW_SHARE: Final = 64


class Tape(msgspec.Struct, frozen=True):
    """One public trade."""

    time_ms: int
    taker: Side
    price_ticks: int
    qty_lots: int
    trade_id: str
    seq: int
    direction: str


class Reader(Protocol):
    """What wants to hear of changes of the book: its topics."""

    topic: str

    def gather(self, event: BookChanged | None) -> None:
        """Take note of a change; ``None`` is one that is not known level by level."""


class PublicMarket:
    """State every client may see. Changes come as market events and own matches."""

    def __init__(self, listing: Listing, seed: int, book: MatchingBook) -> None:
        """Start without a price; trading waits for the first book."""
        self.listing = listing
        self.book = book
        self.seq = 500_000
        self.first_u = 1000
        """Update number of a book's first snapshot; 1 says that the service restarted."""
        self.version = 0
        """Grows with every change of the book."""
        self.changed_ms = 0
        self.tape_version = 0
        """Grows with every print, and where a minute begins."""
        self.shown: dict[str, tuple[Hashable, dict[str, str]]] = {}
        """Parts of the ticker as texts, each with what it was made of."""
        self.last_ticks = 0
        self.is_watched = False
        """Whether orders wait for its prices."""
        self.passed: list[int] = []
        """While watched: the last prices since triggers were looked at."""
        self.direction = "ZeroPlusTick"
        self.funding = Funding(listing.funding_ms)
        self.tape: deque[Tape] = deque(maxlen=TAPE_KEPT)
        self.unsent: list[Tape] | None = None
        """Trades no tape topic has sent yet, ``None`` while there is no such topic."""
        self.series = Candles()
        self.finished: list[Candle] = []
        self.readers: list[Reader] = []
        self.book_u: dict[str, int] = {}
        """Update id last used by each book topic; it goes on when a topic comes back."""
        self.liquidations: deque[dict[str, Any]] = deque(maxlen=LIQUIDATIONS_KEPT)
        """Rows T, s, S, v, p not sent yet; whoever liquidates appends, the topic clears."""
        self.interest = OpenInterest()
        self.lines = {name: PriceLine() for name in ("mark", "index", "premium")}
        """Mark and index in millionths of a tick, premium in 1e-8 of the index."""
        self._day: tuple[int, int, int, int, Decimal] | None = None
        self._seed = seed
        self._trades = 0
        self._index_e6 = 0
        self._slow_e6 = 0
        self._settled = -1
        self._rest_version = -1
        self._premiums: deque[int] = deque(maxlen=PREMIUM_SAMPLES[listing.instrument.category])

    @property
    def candles(self) -> deque[Candle]:
        """Return the minutes kept, oldest first; the last is open."""
        return self.series.minutes

    @property
    def index_ticks(self) -> int:
        """Return the index price: a fast mean of the middle of the book."""
        return self._index_e6 // 1_000_000

    @property
    def mark_ticks(self) -> int:
        """Return the mark price: the median of index, slow mean of the middle, and last."""
        return sorted((self._index_e6, self._slow_e6, self.last_ticks * 1_000_000))[1] // 1_000_000

    @property
    def is_ready(self) -> bool:
        """Return whether there is a price to trade against."""
        return bool(self.last_ticks and self._index_e6)

    @property
    def is_at_rest(self) -> bool:
        """Return whether nothing has happened since index and mark stopped moving."""
        return self._settled == self.seq

    def best(self, side: Side) -> int:
        """Return the best price of a side, the last price where it is empty."""
        return self.book.best(side) or self.last_ticks

    def change_book(self, event: BookChanged, now_ms: int) -> list[Fill]:
        """Apply external levels and return the own orders they fill."""
        if event.whole:
            fills = self.book.replace(event.bids, event.asks)
        else:
            fills = self.book.set_levels(Side.BUY, event.bids)
            fills += self.book.set_levels(Side.SELL, event.asks)
        self._note(now_ms, None if fills else event)
        if not self._index_e6:
            self._start_prices()
        return fills

    def touch(self, now_ms: int) -> None:
        """Note that the book changed by other than market levels."""
        self._note(now_ms, None)

    def rest_u(self, topic: str) -> int:
        """Return the update id a REST book has: that of the stream of the same depth.

        While nobody subscribes to it, each change asked about is one update.
        """
        u = self.book_u.get(topic, 1000)
        if all(reader.topic != topic for reader in self.readers):
            if self._rest_version not in (-1, self.version):
                u += 1
            self.book_u[topic] = u
            self._rest_version = self.version
        return u

    def print_trade(self, taker: Side, price_ticks: int, qty_lots: int, now_ms: int) -> None:
        """Put a trade on the tape and into the candle."""
        self.roll(now_ms)
        self.seq += 1
        self._trades += 1
        self.tape_version += 1
        self.direction = self._direction_of(price_ticks)
        self.last_ticks = price_ticks
        if self.is_watched:
            self.passed.append(price_ticks)
        trade_id = drawn_uuid(self._seed, f"tape:{self.listing.name}", self._trades)
        trade = Tape(now_ms, taker, price_ticks, qty_lots, trade_id, self.seq, self.direction)
        self.tape.append(trade)
        if self.unsent is not None:
            self.unsent.append(trade)
        self.interest.move(trade_id, qty_lots)
        candle = self._candle(now_ms, price_ticks)
        if not candle.lots:
            candle.open = candle.high = candle.low = price_ticks
        candle.high = max(candle.high, price_ticks)
        candle.low = min(candle.low, price_ticks)
        candle.close = price_ticks
        candle.lots += qty_lots
        candle.turnover += self.listing.value(price_ticks, qty_lots)
        candle.last_ms = now_ms

    def add_past(self, past: Past, now_ms: int) -> None:
        """Take a minute before the start into the candles; oldest first."""
        start = (now_ms // MINUTE_MS - past.minutes_ago) * MINUTE_MS
        turnover = self.listing.value(past.open + past.high + past.low + past.close, past.lots) / 4
        candle = Candle(start, past.open, past.high, past.low, past.close, past.lots, turnover)
        candle.last_ms = start + MINUTE_MS - 1
        self.series.add(candle)
        self.last_ticks = past.close
        self.tape_version += 1

    def roll(self, now_ms: int) -> None:
        """Close the minutes that are over; a quiet one repeats the last price."""
        if not self.last_ticks:
            return
        self.interest.roll(now_ms)
        start = now_ms // MINUTE_MS * MINUTE_MS
        if not self.candles:
            self._open_candle(start)
            self.tape_version += 1
        last = self.candles[-1].start_ms
        if last >= start:
            return
        self.tape_version += 1
        for minute in range(
            max(last + MINUTE_MS, start - DAY_MINUTES * MINUTE_MS), start + 1, MINUTE_MS
        ):
            self.finished.append(self.candles[-1])
            self._open_candle(minute)
        del self.finished[:-10]
        self._day = None

    def sample(self, now_ms: int) -> None:
        """Move index and mark a step towards the middle of the book (each 100 ms)."""
        if not self._index_e6 or self._settled == self.seq:
            return  # a still market costs nothing
        before = self._index_e6, self._slow_e6
        middle = self._middle_e6()
        self._index_e6 += (middle - self._index_e6) // _INDEX_SHARE
        self._slow_e6 += (middle - self._slow_e6) // _SLOW_SHARE
        if before == (self._index_e6, self._slow_e6):
            self._settled = self.seq
        self.draw_lines(now_ms)

    def draw_lines(self, now_ms: int) -> None:
        """Bring the minutes of mark, index and premium up to now."""
        if not self._index_e6:
            return
        mark = sorted((self._index_e6, self._slow_e6, self.last_ticks * 1_000_000))[1]
        premium = (self._middle_e6() - self._index_e6) * 10**8 // self._index_e6
        for name, value in (("mark", mark), ("index", self._index_e6), ("premium", premium)):
            self.lines[name].update(now_ms, value)

    def sample_premium(self) -> None:
        """Note the distance of the middle from the mark (each second)."""
        if self._index_e6:
            self._premiums.append(self._middle_e6() - self.mark_ticks * 1_000_000)

    @property
    def premium(self) -> Decimal:
        """Return how far the middle of the book is above the index, as a fraction of it."""
        index = self.index_ticks
        middle = Decimal(self.best(Side.BUY) + self.best(Side.SELL)) / 2
        return (middle - index) / index if index else ZERO

    def price_limits(self) -> tuple[int, int]:
        """Return (highest buy, lowest sell) in ticks (Bybit v5 docs, price-limit, May 2026)."""
        x, y = self.listing.ratio_x, self.listing.ratio_y
        index = Decimal(self.index_ticks)
        mark = index if self.listing.is_spot else Decimal(self.mark_ticks)
        count = len(self._premiums) or 1
        premium = Decimal(sum(self._premiums) // count) / 1_000_000
        high = min(mark * (1 + y), max(index, mark * (1 + x) + max(ZERO, premium)))
        low = max(mark * (1 - y), min(index, mark * (1 - x) + min(ZERO, premium)))
        return int(high), int(-(-low // 1))

    def day(self) -> dict[str, Any]:
        """Return the statistics of the last 24 hours: ticks, lots and turnover."""
        if self._day is None:
            self._day = self._closed_day()
        first, high, low, lots, turnover = self._day
        current = self.candles[-1] if self.candles else flat(0, self.last_ticks)
        return {
            "first": first or current.open,
            "high": max(high, current.high),
            "low": min(low or current.low, current.low),
            "lots": lots + current.lots,
            "turnover": turnover + current.turnover,
        }

    def hour_ago_ticks(self) -> int:
        """Return the price an hour ago, or the oldest known."""
        if not self.candles:
            return self.last_ticks
        return self.candles[max(0, len(self.candles) - 61)].open

    def _closed_day(self) -> tuple[int, int, int, int, Decimal]:
        closed = list(self.candles)[-DAY_MINUTES:-1]
        if not closed:
            return 0, 0, 0, 0, ZERO
        return (
            closed[0].open,
            max(candle.high for candle in closed),
            min(candle.low for candle in closed),
            sum(candle.lots for candle in closed),
            sum((candle.turnover for candle in closed), ZERO),
        )

    def _candle(self, now_ms: int, price_ticks: int) -> Candle:
        if not self.candles:
            self._open_candle(now_ms // MINUTE_MS * MINUTE_MS)
            self.candles[-1].open = price_ticks
        return self.candles[-1]

    def _open_candle(self, start_ms: int) -> None:
        self.series.add(flat(start_ms, self.last_ticks))

    def _note(self, now_ms: int, event: BookChanged | None) -> None:
        self.version += 1
        self.seq += 1
        self.changed_ms = now_ms
        for reader in self.readers:
            reader.gather(event)

    def _start_prices(self) -> None:
        if self.book.best(Side.BUY) is None or self.book.best(Side.SELL) is None:
            return
        self._index_e6 = self._slow_e6 = self._middle_e6()
        self.last_ticks = self.last_ticks or self.best(Side.BUY)
        self.tape_version += 1

    def _middle_e6(self) -> int:
        return (self.best(Side.BUY) + self.best(Side.SELL)) * 500_000

    def _direction_of(self, price_ticks: int) -> str:
        if price_ticks == self.last_ticks:
            return f"Zero{self.direction.removeprefix('Zero')}"
        return "PlusTick" if price_ticks > self.last_ticks else "MinusTick"
