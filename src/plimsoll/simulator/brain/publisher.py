"""Public topics of one instrument: what was last sent, and what has to be sent next."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

import msgspec

from plimsoll.core.model import Side
from plimsoll.simulator.brain.numbers import ZERO, text_of
from plimsoll.simulator.brain.order_rows import SIDES
from plimsoll.simulator.brain.public import MINUTE_MS, Candle, PublicMarket, Tape

Levels = dict[int, int]
BOOK_PERIODS_MS: Final = {1: 10, 50: 20, 200: 100, 1000: 200}
KLINE_MINUTES: Final = {
    "1": 1,
    "3": 3,
    "5": 5,
    "15": 15,
    "30": 30,
    "60": 60,
    "120": 120,
    "240": 240,
    "360": 360,
    "720": 720,
    "D": 1440,
}
_REPEAT_MS: Final = 3000
_KLINE_MS: Final = 1000
_TAPE_CHUNK: Final = 1024


class Publisher:
    """Frames of one instrument; a topic costs nothing while nobody subscribes to it."""

    def __init__(self, market: PublicMarket) -> None:
        """Publish a market."""
        self.market = market
        self._views: dict[str, _View] = {}

    def view(self, topic: str) -> bool:
        """Return whether the topic exists here (``orderbook.50.BTCUSDT``); start publishing it."""
        if topic in self._views:
            return True
        made = _make_view(topic, self.market)
        if made is None:
            return False
        self._views[topic] = made
        return True

    def drop(self, topic: str) -> None:
        """Stop publishing a topic nobody subscribes to any more."""
        self._views.pop(topic, None)

    def snapshot(self, topic: str, now_ms: int) -> bytes | None:
        """Return the frame a new subscriber starts with, if the topic has one."""
        return self._views[topic].snapshot(now_ms)

    def due(self, now_ms: int) -> list[tuple[str, bytes]]:
        """Return the frames due now, by topic."""
        frames = [
            (topic, frame) for topic, view in self._views.items() for frame in view.due(now_ms)
        ]
        self.market.unsent.clear()
        self.market.finished.clear()
        return frames


class _View(ABC):
    def __init__(self, topic: str, market: PublicMarket) -> None:
        self.topic = topic
        self.market = market
        self.sent_ms = 0

    def snapshot(self, now_ms: int) -> bytes | None:
        return None

    @abstractmethod
    def due(self, now_ms: int) -> list[bytes]:
        """Return the frames of this topic that are due now."""


class _BookView(_View):
    def __init__(self, topic: str, market: PublicMarket, depth: int) -> None:
        super().__init__(topic, market)
        self.depth = depth
        self.period_ms = BOOK_PERIODS_MS[depth]
        self.u = 1000
        self.version = -1
        self.seq = market.seq
        self.sides: dict[Side, Levels] = {Side.BUY: {}, Side.SELL: {}}
        self._read()

    def snapshot(self, now_ms: int) -> bytes:
        return self._frame("snapshot", now_ms, *map(list, self._levels()))

    def due(self, now_ms: int) -> list[bytes]:
        if now_ms - self.sent_ms < self.period_ms:
            return []
        if self.version == self.market.version:
            if self.depth == 1 and now_ms - self.sent_ms >= _REPEAT_MS:
                self.sent_ms = now_ms
                return [self.snapshot(now_ms)]
            return []
        before = self.sides
        self._read()
        bids = _changes(before[Side.BUY], self.sides[Side.BUY])
        asks = _changes(before[Side.SELL], self.sides[Side.SELL])
        if not (bids or asks):
            return []
        self.sent_ms = now_ms
        self.u += 1
        if self.depth == 1:
            return [self.snapshot(now_ms)]
        return [self._frame("delta", now_ms, bids, asks)]

    def _read(self) -> None:
        self.version = self.market.version
        self.seq = self.market.seq
        book = self.market.book
        self.sides = {side: dict(book.levels(side, self.depth)) for side in self.sides}

    def _levels(self) -> tuple[Any, Any]:
        return self.sides[Side.BUY].items(), self.sides[Side.SELL].items()

    def _frame(
        self, kind: str, now_ms: int, bids: list[tuple[int, int]], asks: list[tuple[int, int]]
    ) -> bytes:
        price, qty = self.market.listing.prices.text, self.market.listing.qtys.text
        return msgspec.json.encode(
            {
                "topic": self.topic,
                "type": kind,
                "ts": now_ms,
                "data": {
                    "s": self.market.listing.instrument.symbol,
                    "b": [(price(ticks), qty(lots) if lots else "0") for ticks, lots in bids],
                    "a": [(price(ticks), qty(lots) if lots else "0") for ticks, lots in asks],
                    "u": self.u,
                    "seq": self.seq,
                },
                "cts": min(self.market.changed_ms, now_ms),
            }
        )


class _TapeView(_View):
    def due(self, now_ms: int) -> list[bytes]:
        unsent = self.market.unsent
        return [
            msgspec.json.encode(
                {
                    "topic": self.topic,
                    "type": "snapshot",
                    "ts": now_ms,
                    "data": [self._row(trade) for trade in unsent[start : start + _TAPE_CHUNK]],
                }
            )
            for start in range(0, len(unsent), _TAPE_CHUNK)
        ]

    def _row(self, trade: Tape) -> dict[str, Any]:
        listing = self.market.listing
        row = {
            "T": trade.time_ms,
            "s": listing.instrument.symbol,
            "S": SIDES[trade.taker],
            "v": listing.qtys.text(trade.qty_lots),
            "p": listing.prices.text(trade.price_ticks),
            "L": trade.direction,
            "i": trade.trade_id,
            "BT": False,
            "RPI": False,
            "seq": trade.seq,
        }
        if listing.is_spot:
            del row["L"]
        return row


class _TickerView(_View):
    def __init__(self, topic: str, market: PublicMarket) -> None:
        super().__init__(topic, market)
        self.is_spot = market.listing.is_spot
        self.period_ms = 50 if self.is_spot else 100
        self.make: Callable[[PublicMarket, int], dict[str, str]] = (
            spot_ticker if self.is_spot else linear_ticker
        )
        self.values: dict[str, str] = {}

    def snapshot(self, now_ms: int) -> bytes:
        if not self.values:
            self.values = self.make(self.market, now_ms)
        return self._frame("snapshot", now_ms, self.values)

    def due(self, now_ms: int) -> list[bytes]:
        if now_ms - self.sent_ms < self.period_ms:
            return []
        values = self.make(self.market, now_ms)
        changed = {key: text for key, text in values.items() if self.values.get(key) != text}
        if not changed:
            return []
        first = not self.values
        self.values = values
        self.sent_ms = now_ms
        if first or self.is_spot:
            return [self._frame("snapshot", now_ms, values)]
        return [self._frame("delta", now_ms, {"symbol": values["symbol"]} | changed)]

    def _frame(self, kind: str, now_ms: int, values: dict[str, str]) -> bytes:
        head: dict[str, Any] = {"topic": self.topic}
        tail = {"type": kind, "data": values, "cs": self.market.seq}
        order = head | {"ts": now_ms} | tail if self.is_spot else head | tail | {"ts": now_ms}
        return msgspec.json.encode(order)


class _KlineView(_View):
    def __init__(self, topic: str, market: PublicMarket, interval: str) -> None:
        super().__init__(topic, market)
        self.interval = interval
        self.length_ms = KLINE_MINUTES[interval] * MINUTE_MS
        self.sent: tuple[int, ...] = ()

    def due(self, now_ms: int) -> list[bytes]:
        frames = [self._frame(now_ms, start, confirm=True) for start in self._finished()]
        if now_ms - self.sent_ms >= _KLINE_MS and self.market.candles:
            self.sent_ms = now_ms
            last = self.market.candles[-1]
            state = (last.start_ms, last.lots, last.close)
            if state != self.sent:
                self.sent = state
                start = last.start_ms // self.length_ms * self.length_ms
                frames.append(self._frame(now_ms, start, confirm=False))
        return frames

    def _finished(self) -> list[int]:
        ends = (candle.start_ms + MINUTE_MS for candle in self.market.finished)
        return [end - self.length_ms for end in ends if end % self.length_ms == 0]

    def _frame(self, now_ms: int, start_ms: int, *, confirm: bool) -> bytes:
        end_ms = start_ms + self.length_ms
        parts = [c for c in self.market.candles if start_ms <= c.start_ms < end_ms]
        candle = merged(parts, start_ms)
        price, listing = self.market.listing.prices.text, self.market.listing
        row = {
            "start": start_ms,
            "end": end_ms - 1,
            "interval": self.interval,
            "open": price(candle.open),
            "close": price(candle.close),
            "high": price(candle.high),
            "low": price(candle.low),
            "volume": listing.qtys.text(candle.lots),
            "turnover": text_of(candle.turnover),
            "confirm": confirm,
            "timestamp": candle.last_ms,
        }
        frame = {"topic": self.topic, "data": [row], "ts": now_ms, "type": "snapshot"}
        return msgspec.json.encode(frame)


def merged(parts: list[Candle], start_ms: int) -> Candle:
    """Return the candle made of consecutive minutes, oldest first; at least one."""
    return Candle(
        start_ms,
        parts[0].open,
        max(part.high for part in parts),
        min(part.low for part in parts),
        parts[-1].close,
        sum(part.lots for part in parts),
        sum((part.turnover for part in parts), ZERO),
        parts[-1].last_ms,
    )


def spot_ticker(market: PublicMarket, now_ms: int) -> dict[str, str]:
    """Return the fields of a spot ticker push."""
    listing = market.listing
    return {
        "symbol": listing.instrument.symbol,
        **_day_fields(market),
        "usdIndexPrice": listing.prices.text(market.index_ticks),
    }


def linear_ticker(market: PublicMarket, now_ms: int) -> dict[str, str]:
    """Return the fields of a linear ticker; open interest is a constant of this exchange."""
    listing = market.listing
    price = listing.prices.text
    interest = listing.qty(50_000)
    return {
        "symbol": listing.instrument.symbol,
        "tickDirection": market.direction,
        **_day_fields(market),
        "prevPrice1h": price(market.hour_ago_ticks()),
        "markPrice": price(market.mark_ticks),
        "indexPrice": price(market.index_ticks),
        "openInterest": text_of(interest),
        "openInterestValue": text_of(interest * listing.price(market.mark_ticks)),
        "singleOpenInterest": text_of(interest / 2),
        "singleOpenInterestValue": text_of(interest / 2 * listing.price(market.mark_ticks)),
        **market.funding.shown(now_ms),
        **bbo_fields(market),
        "preOpenPrice": "",
        "preQty": "",
        "curPreListingPhase": "",
    }


def bbo_fields(market: PublicMarket) -> dict[str, str]:
    """Return best bid and ask with their quantities, "" where a side is empty."""
    prices, qtys = market.listing.prices, market.listing.qtys
    fields = {}
    for side, name in ((Side.BUY, "bid1"), (Side.SELL, "ask1")):
        best = market.book.levels(side, 1)
        fields[f"{name}Price"] = prices.text(best[0][0]) if best else ""
        fields[f"{name}Size"] = qtys.text(best[0][1]) if best else ""
    return fields


def _day_fields(market: PublicMarket) -> dict[str, str]:
    listing, day = market.listing, market.day()
    change = Decimal(market.last_ticks - day["first"]) / (day["first"] or 1)
    return {
        "lastPrice": listing.prices.text(market.last_ticks),
        "highPrice24h": listing.prices.text(day["high"]),
        "lowPrice24h": listing.prices.text(day["low"]),
        "prevPrice24h": listing.prices.text(day["first"]),
        "volume24h": listing.qtys.text(day["lots"]),
        "turnover24h": text_of(day["turnover"]),
        "price24hPcnt": text_of(change.quantize(Decimal("1e-6"))),
    }


def _changes(before: Levels, after: Levels) -> list[tuple[int, int]]:
    gone = [(price, 0) for price in before if price not in after]
    return gone + [(price, lots) for price, lots in after.items() if before.get(price) != lots]


def _make_view(topic: str, market: PublicMarket) -> _View | None:
    parts = topic.split(".")
    if parts[-1] != market.listing.instrument.symbol:
        return None
    match parts[:-1]:
        case ["orderbook", depth] if depth.isdigit() and int(depth) in BOOK_PERIODS_MS:
            return _BookView(topic, market, int(depth))
        case ["publicTrade"]:
            return _TapeView(topic, market)
        case ["tickers"]:
            return _TickerView(topic, market)
        case ["kline", interval] if interval in KLINE_MINUTES:
            return _KlineView(topic, market, interval)
    return None
