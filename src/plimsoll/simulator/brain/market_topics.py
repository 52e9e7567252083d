"""Topics other than the book: tape, tickers, candles, liquidations, price limits."""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from plimsoll.simulator.brain.candles import MINUTE_MS, end_of, start_of
from plimsoll.simulator.brain.numbers import text_of
from plimsoll.simulator.brain.order_rows import SIDES
from plimsoll.simulator.brain.public import PublicMarket, Tape
from plimsoll.simulator.brain.texts import Texts
from plimsoll.simulator.brain.tickers import linear_ticker, spot_ticker
from plimsoll.simulator.brain.topic import Topic

_KLINE_MS: Final = 1000
_LIQUIDATIONS_MS: Final = 500
_PRICE_LIMIT_MS: Final = 300
_TAPE_CHUNK: Final = 1024


class TapeTopic(Topic):
    """``publicTrade``: every print once, as soon as the exchange looks."""

    def __init__(self, topic: str, market: PublicMarket) -> None:
        """Publish the prints of a market from now on."""
        super().__init__(topic, market)
        listing = market.listing
        self._head = f'{{"topic":"{topic}","type":"snapshot","ts":'
        self._symbol = listing.instrument.symbol
        self._prices = Texts(listing.prices.text)
        self._qtys = Texts(listing.qtys.text)
        self._is_spot = listing.is_spot

    def due(self, now_ms: int) -> list[bytes]:
        """Return the prints since the last frame, at most 1024 in each."""
        unsent = self.market.unsent
        if not unsent:
            return []
        self.market.unsent = []
        return [
            self._frame(now_ms, unsent[start : start + _TAPE_CHUNK])
            for start in range(0, len(unsent), _TAPE_CHUNK)
        ]

    def _frame(self, now_ms: int, trades: list[Tape]) -> bytes:
        return f'{self._head}{now_ms},"data":[{",".join(map(self._row, trades))}]}}'.encode()

    def _row(self, trade: Tape) -> str:
        direction = "" if self._is_spot else f'"L":"{trade.direction}",'
        return (
            f'{{"T":{trade.time_ms},"s":"{self._symbol}","S":"{SIDES[trade.taker]}",'
            f'"v":"{self._qtys[trade.qty_lots]}","p":"{self._prices[trade.price_ticks]}",'
            f'{direction}"i":"{trade.trade_id}","BT":false,"RPI":false,"seq":{trade.seq}}}'
        )


class TickerTopic(Topic):
    """``tickers``: linear a snapshot and then what changed, spot always the whole."""

    def __init__(self, topic: str, market: PublicMarket) -> None:
        """Publish a market's statistics."""
        super().__init__(topic, market)
        self.is_spot = market.listing.is_spot
        self.period_ms = 50 if self.is_spot else 100
        self.make: Callable[[PublicMarket, int], dict[str, str]] = (
            spot_ticker if self.is_spot else linear_ticker
        )
        self.values: dict[str, str] = {}

    def snapshot(self, now_ms: int) -> bytes:
        """Return the values subscribers hold."""
        if not self.values:
            self.values = self.make(self.market, now_ms)
        return self._frame("snapshot", now_ms, self.values)

    def due(self, now_ms: int) -> list[bytes]:
        """Return what changed since the last frame."""
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
        cs = {"cs": self.market.seq}
        if self.is_spot:
            return msgspec.json.encode(head | {"ts": now_ms, "type": kind} | cs | {"data": values})
        return msgspec.json.encode(head | {"type": kind, "data": values} | cs | {"ts": now_ms})


class KlineTopic(Topic):
    """``kline``: the open candle each second it changed, and each closed one once."""

    period_ms = _KLINE_MS

    def __init__(self, topic: str, market: PublicMarket, interval: str) -> None:
        """Publish the candles of one interval."""
        super().__init__(topic, market)
        self.interval = interval
        self.sent: tuple[int, ...] = ()

    def due(self, now_ms: int) -> list[bytes]:
        """Return candles that closed, and the open one where it changed."""
        frames = [self._frame(now_ms, start, confirm=True) for start in self._finished()]
        if now_ms - self.sent_ms >= self.period_ms and self.market.candles:
            self.sent_ms = now_ms
            last = self.market.candles[-1]
            state = (last.start_ms, last.lots, last.close)
            if state != self.sent:
                self.sent = state
                frames.append(self._frame(now_ms, last.start_ms, confirm=False))
        return frames

    def _finished(self) -> list[int]:
        """Return the last minutes of the intervals that ended."""
        starts = (candle.start_ms for candle in self.market.finished)
        return [at for at in starts if end_of(self.interval, at) == at + MINUTE_MS]

    def _frame(self, now_ms: int, at_ms: int, *, confirm: bool) -> bytes:
        candle = self.market.series.period(self.interval, at_ms)
        if candle is None:
            raise AssertionError(f"{self.topic}: the minute at {at_ms} is not kept")
        price, listing = self.market.listing.prices.text, self.market.listing
        row = {
            "start": start_of(self.interval, at_ms),
            "end": end_of(self.interval, at_ms) - 1,
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


class LiquidationTopic(Topic):
    """``allLiquidation``: the rows whoever liquidates has left, each 500 ms."""

    period_ms = _LIQUIDATIONS_MS

    def __init__(self, topic: str, market: PublicMarket) -> None:
        """Publish what is liquidated from now on."""
        super().__init__(topic, market)
        market.liquidations.clear()

    def due(self, now_ms: int) -> list[bytes]:
        """Return one frame with everything liquidated since the last."""
        rows = self.market.liquidations
        if not rows or now_ms - self.sent_ms < self.period_ms:
            return []
        self.sent_ms = now_ms
        frame = {"topic": self.topic, "type": "snapshot", "ts": now_ms, "data": list(rows)}
        found = [msgspec.json.encode(frame)]
        rows.clear()
        return found


class PriceLimitTopic(Topic):
    """``priceLimit``: highest buy and lowest sell, each 300 ms they changed; it has no ``type``."""

    period_ms = _PRICE_LIMIT_MS

    def __init__(self, topic: str, market: PublicMarket) -> None:
        """Publish the price limits of a market."""
        super().__init__(topic, market)
        self._sent: tuple[int, int] | None = None

    def snapshot(self, now_ms: int) -> bytes | None:
        """Return the limits of now."""
        if self._sent is None and self.market.is_ready:
            self._sent = self.market.price_limits()
            self.sent_ms = now_ms
        return self._frame(now_ms, self._sent) if self._sent else None

    def due(self, now_ms: int) -> list[bytes]:
        """Return the limits where they changed."""
        if now_ms - self.sent_ms < self.period_ms or not self.market.is_ready:
            return []
        limits = self.market.price_limits()
        if limits == self._sent:
            return []
        self._sent = limits
        self.sent_ms = now_ms
        return [self._frame(now_ms, limits)]

    def _frame(self, now_ms: int, limits: tuple[int, int]) -> bytes:
        text, symbol = self.market.listing.prices.text, self.market.listing.instrument.symbol
        values = {"symbol": symbol, "buyLmt": text(limits[0]), "sellLmt": text(limits[1])}
        return msgspec.json.encode({"topic": self.topic, "data": values, "ts": now_ms})
