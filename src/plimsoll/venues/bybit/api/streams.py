"""Pushed frames as typed rows: private topics, and the public ones a tool may want to look at.

The engine reads its frames elsewhere, into records; this is the same content for everybody else.
"""

from decimal import Decimal
from typing import Any, Final, NamedTuple

import msgspec

from plimsoll.venues.bybit.api.account_rows import Wallet
from plimsoll.venues.bybit.api.market_rows import LinearTicker, OrderBook, PriceLimit, SpotTicker
from plimsoll.venues.bybit.api.order_rows import Execution, Order
from plimsoll.venues.bybit.api.position_rows import Position
from plimsoll.venues.bybit.api.reading import Reader
from plimsoll.venues.bybit.api.words import Side, TickDirection
from plimsoll.venues.bybit.errors import ParseError


class Print(msgspec.Struct, frozen=True, kw_only=True):
    """A print of the tape; the side is the taker's."""

    trade_id: str = msgspec.field(name="i")
    symbol: str = msgspec.field(name="s")
    side: Side = msgspec.field(name="S")
    price: Decimal = msgspec.field(name="p")
    qty: Decimal = msgspec.field(name="v")
    traded_ms: int = msgspec.field(name="T")
    is_block_trade: bool = msgspec.field(default=False, name="BT")
    is_rpi_trade: bool = msgspec.field(default=False, name="RPI")
    tick_direction: TickDirection = msgspec.field(default="", name="L")
    venue_seq: int = msgspec.field(default=0, name="seq")


class StreamBar(msgspec.Struct, frozen=True, kw_only=True):
    """A bar as it forms; final where ``is_final``."""

    start_ms: int = msgspec.field(name="start")
    end_ms: int = msgspec.field(name="end")
    interval: str
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    turnover: Decimal | None = None
    is_final: bool = msgspec.field(name="confirm")
    matched_ms: int = msgspec.field(default=0, name="timestamp")
    """When the last print in it was matched."""


class Liquidation(msgspec.Struct, frozen=True, kw_only=True):
    """A position the venue took over, at its bankruptcy price; Buy: a long one."""

    symbol: str = msgspec.field(name="s")
    side: Side = msgspec.field(name="S")
    qty: Decimal = msgspec.field(name="v")
    price: Decimal = msgspec.field(name="p")
    liquidated_ms: int = msgspec.field(name="T")


class Pushed(NamedTuple):
    """One frame: its topic, its kind ("snapshot", "delta" or ""), the venue's time, its rows."""

    topic: str
    kind: str
    venue_ms: int
    rows: tuple[Any, ...]


class _Envelope(msgspec.Struct):
    topic: str
    type: str = ""
    ts: int = 0
    creationTime: int = 0
    data: msgspec.Raw = msgspec.Raw(b"[]")


_envelope: Final = msgspec.json.Decoder(_Envelope, strict=False).decode

TOPICS: Final[dict[str, type[msgspec.Struct]]] = {
    "order": Order,
    "execution": Execution,
    "position": Position,
    "wallet": Wallet,
    "orderbook": OrderBook,
    "publicTrade": Print,
    "tickers": LinearTicker,
    "kline": StreamBar,
    "allLiquidation": Liquidation,
    "priceLimit": PriceLimit,
}
"""Row of each topic, by the word before its first dot; spot tickers have a row of their own."""


def read_pushed(reader: Reader, raw: bytes, category: str = "") -> Pushed:
    """Return a pushed frame's rows.

    Args:
        reader: Counts words nobody listed.
        raw: The frame.
        category: ``spot`` for the public spot socket, whose tickers have other fields.

    Raises:
        ParseError: unreadable, or a topic that is not in ``TOPICS``.
    """
    try:
        envelope = _envelope(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ParseError(f"frame: {error}; found {raw[:120]!r}") from error
    name = envelope.topic.partition(".")[0]
    kind = SpotTicker if name == "tickers" and category == "spot" else TOPICS.get(name)
    if kind is None:
        raise ParseError(f"no topic of ours: {envelope.topic!r}")
    data = bytes(envelope.data)
    # A list of rows, or one row that is an object.
    if not data.startswith(b"["):
        rows: tuple[Any, ...] = (reader.row(kind, data, envelope.topic),)
    else:
        items = msgspec.json.decode(data, type=list[msgspec.Raw])
        rows = tuple(
            reader.row(kind, bytes(item), f"{envelope.topic} row {place}")
            for place, item in enumerate(items, 1)
        )
    return Pushed(envelope.topic, envelope.type, envelope.ts or envelope.creationTime, rows)
