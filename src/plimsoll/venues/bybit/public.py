"""Reads public frames into market inputs: pure, the same live and on replay, and the hot path."""

import math
from collections.abc import Callable
from typing import Annotated, Final, Literal

import msgspec

from plimsoll.core.records import BarChanged, BookChanged, MarketInput, PublicTraded, TickerChanged
from plimsoll.venues.bybit.errors import ParseError
from plimsoll.venues.bybit.numbers import CAP

_TOPICS_KEPT: Final = 4096
"""Most topics remembered; venues send only what was subscribed, so this is never reached."""

_BOOK_PREFIX: Final = b'{"topic":"orderbook.'

_Number = str | float | None
"""Decimal text or a bare number; an empty text and null mean "no value"."""

_CAP: Final = float(CAP)

_Finite = Annotated[float, msgspec.Meta(ge=0, le=_CAP)]
"""A price or quantity. Without bounds the decoder takes the texts "nan" and "inf" for numbers."""


class _BookRows(msgspec.Struct, gc=False):
    b: list[tuple[_Finite, _Finite]]
    a: list[tuple[_Finite, _Finite]]
    u: int
    seq: int


class _Book(msgspec.Struct, gc=False):
    topic: str
    type: Literal["snapshot", "delta"]
    data: _BookRows
    cts: int = 0
    """Matching-engine time, ms."""


class _Print(msgspec.Struct, gc=False):
    T: int
    S: Literal["Buy", "Sell"]
    v: _Finite
    p: _Finite
    BT: bool | None = False
    RPI: bool | None = False


class _Prints(msgspec.Struct, gc=False):
    topic: str
    ts: int
    data: list[_Print]


class _TickerData(msgspec.Struct, gc=False):
    lastPrice: _Number = ""
    markPrice: _Number = ""
    indexPrice: _Number = ""
    fundingRate: _Number = ""
    nextFundingTime: _Number = ""


class _Ticker(msgspec.Struct, gc=False):
    topic: str
    ts: int
    data: _TickerData


class _Candle(msgspec.Struct, gc=False):
    start: int
    interval: str
    open: _Finite
    close: _Finite
    high: _Finite
    low: _Finite
    volume: _Finite
    confirm: bool


class _Candles(msgspec.Struct, gc=False):
    topic: str
    ts: int
    data: list[_Candle]


class _Envelope(msgspec.Struct, gc=False):
    topic: str = ""


# strict=False turns quoted numbers into floats inside the decoder: no text is ever made of them.
_book: Final = msgspec.json.Decoder(_Book, strict=False).decode
_prints: Final = msgspec.json.Decoder(_Prints, strict=False).decode
_ticker: Final = msgspec.json.Decoder(_Ticker).decode
_candles: Final = msgspec.json.Decoder(_Candles, strict=False).decode
_envelope: Final = msgspec.json.Decoder(_Envelope).decode

_Reader = Callable[[bytes, int, int, int], MarketInput | None]


class PublicParser:
    """Parser of one public connection; holds nothing but names it has seen."""

    __slots__ = ("_names", "_readers", "category")

    def __init__(self, category: str) -> None:
        """Read frames of ``category``, ``linear`` or ``spot``."""
        self.category = category
        self._readers: dict[str, _Reader] = {
            "orderbook": self._read_book,
            "publicTrade": self._read_prints,
            "tickers": self._read_ticker,
            "kline": self._read_candles,
        }
        self._names: dict[str, tuple[str, int]] = {}

    def parse(self, raw: bytes, seq: int, ts_ns: int, epoch: int) -> MarketInput | None:
        """Return the input a frame stands for; ``None`` where it is no market data of ours.

        Block and RPI prints are left out of ``PublicTraded``: they neither fill a resting order
        nor move a queue. Acknowledgements, other topics and empty remainders give ``None``.

        Raises:
            ParseError: the text is no JSON, or a field is missing or of the wrong kind.
        """
        try:
            if raw.startswith(_BOOK_PREFIX):  # the usual key order: one decode, no dispatch
                return self._read_book(raw, seq, ts_ns, epoch)
            reader = self._readers.get(_envelope(raw).topic.partition(".")[0])
            return reader(raw, seq, ts_ns, epoch) if reader is not None else None
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            shown = raw[:120].decode("utf-8", "replace")
            raise ParseError(f"public {self.category} frame: {error}; found {shown!r}") from error

    def is_book(self, raw: bytes) -> bool:
        """Return whether a frame changes an order book, without reading what it changes."""
        try:
            return raw.startswith(_BOOK_PREFIX) or _envelope(raw).topic.startswith("orderbook.")
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return False

    def _read_book(self, raw: bytes, seq: int, ts_ns: int, epoch: int) -> BookChanged:
        message = _book(raw)
        topic, rows = message.topic, message.data
        name, depth = self._names.get(topic) or self._learn(topic, "orderbook")
        is_snapshot = message.type == "snapshot"
        bids, asks, ms = rows.b, rows.a, message.cts  # positional: keywords cost 0.1 us here
        return BookChanged(
            seq, ts_ns, epoch, 0, name, depth, is_snapshot, rows.u, rows.seq, ms, bids, asks
        )

    def _read_prints(self, raw: bytes, seq: int, ts_ns: int, epoch: int) -> PublicTraded | None:
        message = _prints(raw)
        name, _ = self._names.get(message.topic) or self._learn(message.topic, "publicTrade")
        rows = [
            (row.p, row.v, row.S == "Buy", row.T) for row in message.data if not (row.BT or row.RPI)
        ]
        return PublicTraded(seq, ts_ns, epoch, 0, name, rows, message.ts) if rows else None

    def _read_ticker(self, raw: bytes, seq: int, ts_ns: int, epoch: int) -> TickerChanged:
        message = _ticker(raw)
        name, _ = self._names.get(message.topic) or self._learn(message.topic, "tickers")
        data = message.data
        return TickerChanged(
            seq,
            ts_ns,
            epoch,
            0,
            name,
            last=_number(data.lastPrice),
            mark=_number(data.markPrice),
            index=_number(data.indexPrice),
            funding_rate=_number(data.fundingRate) if data.fundingRate not in ("", None) else None,
            next_funding_ms=int(_number(data.nextFundingTime)),
            venue_ms=message.ts,
        )

    def _read_candles(self, raw: bytes, seq: int, ts_ns: int, epoch: int) -> BarChanged | None:
        """Return the frame's one-minute bar; of several the last final one, else the last."""
        message = _candles(raw)
        name, _ = self._names.get(message.topic) or self._learn(message.topic, "kline")
        bars = [bar for bar in message.data if bar.interval == "1"]
        if not bars:
            return None
        bar = next((bar for bar in reversed(bars) if bar.confirm), bars[-1])
        return BarChanged(
            seq,
            ts_ns,
            epoch,
            0,
            name,
            start_ms=bar.start,
            open=bar.open,
            high=bar.high,
            low=bar.low,
            close=bar.close,
            volume=bar.volume,
            is_final=bar.confirm,
            venue_ms=message.ts,
        )

    def _learn(self, topic: str, kind: str) -> tuple[str, int]:
        """Return (instrument, book depth) of a topic and remember it."""
        parts = topic.split(".")
        found, symbol = parts[0], parts[-1]
        wanted = 2 if kind in ("publicTrade", "tickers") else 3
        depth = parts[1] if kind == "orderbook" and len(parts) == wanted else "0"
        if found != kind or len(parts) != wanted or not symbol or not _is_count(depth):
            raise msgspec.ValidationError(f"expected a topic {kind}..., found {topic!r}")
        if len(self._names) >= _TOPICS_KEPT:
            self._names.clear()
        known = (f"{self.category}:{symbol}", int(depth))
        self._names[topic] = known
        return known


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 6


def _number(value: _Number) -> float:
    try:
        number = float(value or 0)
    except ValueError:
        number = math.nan
    if not abs(number) <= _CAP:  # not a number compares false
        raise msgspec.ValidationError(f"expected a finite number to {_CAP:.0e}, found {value!r}")
    return number
