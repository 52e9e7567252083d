"""The public side of one instrument: book, tape, candles, mark and index price."""

from collections import deque
from decimal import Decimal
from typing import Any, Final

import msgspec

from plimsoll.core.matching import Fill, MatchingBook
from plimsoll.core.model import Side
from plimsoll.simulator.brain.funding import Funding
from plimsoll.simulator.brain.listings import Listing
from plimsoll.simulator.brain.messages import BookChanged, Past
from plimsoll.simulator.brain.numbers import ZERO, drawn_uuid

MINUTE_MS: Final = 60_000
DAY_MINUTES: Final = 1440
TAPE_KEPT: Final = 1000
PREMIUM_SAMPLES: Final = {"linear": 30, "spot": 120}
_INDEX_SHARE: Final = 8
_SLOW_SHARE: Final = 64


class Candle(msgspec.Struct):
    """One minute; prices in ticks, quantity in lots, ``turnover`` in quote coin."""

    start_ms: int
    open: int
    high: int
    low: int
    close: int
    lots: int = 0
    turnover: Decimal = ZERO
    last_ms: int = 0


class Tape(msgspec.Struct, frozen=True):
    """One public trade."""

    time_ms: int
    taker: Side
    price_ticks: int
    qty_lots: int
    trade_id: str
    seq: int
    direction: str


class Liquidation(msgspec.Struct, frozen=True):
    """A step of a liquidation: side of the position, lots, and its bankruptcy price."""

    time_ms: int
    side: Side
    price_ticks: int
    qty_lots: int


class PublicMarket:
    """State every client may see. Changes come as market events and own matches."""

    def __init__(self, listing: Listing, seed: int, *, queue: bool) -> None:
        """Start without a price; trading waits for the first book."""
        self.listing = listing
        self.book = MatchingBook(queue=queue)
        self.seq = 500_000
        self.version = 0
        """Grows with every change of the book."""
        self.changed_ms = 0
        self.last_ticks = 0
        self.direction = "ZeroPlusTick"
        self.funding = Funding(listing.funding_ms)
        self.liquidations: deque[Liquidation] = deque(maxlen=TAPE_KEPT)
        """Positions of clients that were liquidated, newest last; for ``allLiquidation``."""
        self.tape: deque[Tape] = deque(maxlen=TAPE_KEPT)
        self.unsent: list[Tape] = []
        self.candles: deque[Candle] = deque(maxlen=DAY_MINUTES + 60)
        self.finished: list[Candle] = []
        self._day: tuple[int, int, int, int, Decimal] | None = None
        self._seed = seed
        self._trades = 0
        self._index_e6 = 0
        self._slow_e6 = 0
        self._premiums: deque[int] = deque(maxlen=PREMIUM_SAMPLES[listing.instrument.category])

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

    def best(self, side: Side) -> int:
        """Return the best price of a side, the last price where it is empty."""
        return self.book.best(side) or self.last_ticks

    def change_book(self, event: BookChanged, now_ms: int) -> list[Fill]:
        """Apply external levels and return the own orders they fill."""
        if event.whole:
            fills = self.book.replace(event.bids, event.asks)
        else:
            fills = []
            for side, levels in ((Side.BUY, event.bids), (Side.SELL, event.asks)):
                for price, lots in levels:
                    fills += self.book.set_level(side, price, lots)
        self.touch(now_ms)
        if not self._index_e6:
            self._start_prices()
        return fills

    def touch(self, now_ms: int) -> None:
        """Note that the book changed."""
        self.version += 1
        self.seq += 1
        self.changed_ms = now_ms

    def print_trade(self, taker: Side, price_ticks: int, qty_lots: int, now_ms: int) -> None:
        """Put a trade on the tape and into the candle."""
        self.roll(now_ms)
        self.seq += 1
        self._trades += 1
        self.direction = self._direction_of(price_ticks)
        self.last_ticks = price_ticks
        trade_id = drawn_uuid(self._seed, f"tape:{self.listing.name}", self._trades)
        trade = Tape(now_ms, taker, price_ticks, qty_lots, trade_id, self.seq, self.direction)
        self.tape.append(trade)
        self.unsent.append(trade)
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
        self.candles.append(candle)
        self.last_ticks = past.close

    def roll(self, now_ms: int) -> None:
        """Close the minutes that are over; a quiet one repeats the last price."""
        if not self.last_ticks:
            return
        start = now_ms // MINUTE_MS * MINUTE_MS
        if not self.candles:
            self._open_candle(start)
        last = self.candles[-1].start_ms
        if last >= start:
            return
        for minute in range(
            max(last + MINUTE_MS, start - DAY_MINUTES * MINUTE_MS), start + 1, MINUTE_MS
        ):
            self.finished.append(self.candles[-1])
            self._open_candle(minute)
        del self.finished[:-10]
        self._day = None

    def sample(self) -> None:
        """Move index and mark a step towards the middle of the book (each 100 ms)."""
        if not self._index_e6:
            return
        middle = self._middle_e6()
        self._index_e6 += (middle - self._index_e6) // _INDEX_SHARE
        self._slow_e6 += (middle - self._slow_e6) // _SLOW_SHARE

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
        current = self.candles[-1] if self.candles else _flat(0, self.last_ticks)
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
        self.candles.append(_flat(start_ms, self.last_ticks))

    def _start_prices(self) -> None:
        if self.book.best(Side.BUY) is None or self.book.best(Side.SELL) is None:
            return
        self._index_e6 = self._slow_e6 = self._middle_e6()
        self.last_ticks = self.last_ticks or self.best(Side.BUY)

    def _middle_e6(self) -> int:
        return (self.best(Side.BUY) + self.best(Side.SELL)) * 500_000

    def _direction_of(self, price_ticks: int) -> str:
        if price_ticks == self.last_ticks:
            return f"Zero{self.direction.removeprefix('Zero')}"
        return "PlusTick" if price_ticks > self.last_ticks else "MinusTick"


def _flat(start_ms: int, ticks: int) -> Candle:
    return Candle(start_ms, ticks, ticks, ticks, ticks, last_ms=start_ms)
