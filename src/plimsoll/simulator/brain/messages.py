"""What comes into the brain and what leaves it."""

from typing import Any

import msgspec

from plimsoll.core.model import Side


class Rest(msgspec.Struct, frozen=True):
    """One HTTP request as it arrived; header names in lower case, query and body as sent."""

    method: str
    path: str
    query: str = ""
    body: bytes = b""
    headers: dict[str, str] = {}
    address: str = "127.0.0.1"


class SocketOpened(msgspec.Struct, frozen=True):
    """A WebSocket was accepted on a path; ``connection`` is the shell's number for it."""

    connection: int
    path: str
    query: str = ""
    address: str = "127.0.0.1"


class SocketText(msgspec.Struct, frozen=True):
    """A text frame arrived."""

    connection: int
    text: str


class SocketClosed(msgspec.Struct, frozen=True):
    """A WebSocket ended, for the given reason."""

    connection: int
    reason: str


class Held(msgspec.Struct, frozen=True):
    """An HTTP request that was held back on its way and arrives now."""

    rest: Rest


class Tick(msgspec.Struct, frozen=True):
    """Time passed: publish what is due."""


class BookChanged(msgspec.Struct, frozen=True):
    """External levels (price_ticks, qty_lots); absolute, 0 deletes; ``whole`` replaces the book."""

    name: str
    bids: list[tuple[int, int]]
    asks: list[tuple[int, int]]
    whole: bool = False


class Printed(msgspec.Struct, frozen=True):
    """A public trade of the outside market."""

    name: str
    taker: Side
    price_ticks: int
    qty_lots: int


class Past(msgspec.Struct, frozen=True):
    """A finished minute before the start: open, high, low, close in ticks, quantity in lots."""

    name: str
    minutes_ago: int
    open: int
    high: int
    low: int
    close: int
    lots: int


class MarketNote(msgspec.Struct, frozen=True):
    """Something about the market itself worth recording, such as the end of a recording."""

    name: str
    text: str


class Transfer(msgspec.Struct, frozen=True):
    """Coins come into an account from outside, or leave it where ``amount`` is negative.

    ``cause`` is TRANSFER, BONUS, FEE_REFUND or INTEREST.
    """

    uid: int
    coin: str
    amount: str
    cause: str = "TRANSFER"


class FeesChanged(msgspec.Struct, frozen=True):
    """An account pays other fee rates in a category from now on; a rebate is negative."""

    uid: int
    category: str
    taker: str
    maker: str


class KeyChanged(msgspec.Struct, frozen=True):
    """An account's key may do something else from now on; names as in ``AccountSettings``."""

    uid: int
    changes: dict[str, Any]


class Liquidate(msgspec.Struct, frozen=True):
    """Close lots of an account's position as a step of a liquidation, whatever its margin is."""

    name: str
    uid: int
    lots: int


class Deleverage(msgspec.Struct, frozen=True):
    """Close an account's position by auto-deleveraging, against a trader nobody sees.

    ``lots`` 0 = all of it, ``price_ticks`` 0 = at the mark.
    """

    name: str
    uid: int
    lots: int = 0
    price_ticks: int = 0


class FundingFixed(msgspec.Struct, frozen=True):
    """The funding rate of an instrument from now on; "" = as computed."""

    name: str
    rate: str


MarketEvent = BookChanged | Printed | Past | MarketNote
MoneyEvent = Transfer | FeesChanged | KeyChanged | Liquidate | Deleverage | FundingFixed
Request = Rest | SocketOpened | SocketText | SocketClosed | Tick | MarketEvent | MoneyEvent


class Answer(msgspec.Struct, frozen=True):
    """The HTTP answer to a ``Rest``; ``lost`` means it must never be sent."""

    body: bytes
    status: int = 200
    headers: dict[str, str] = {}
    lost: bool = False
    delay_ms: float = 0.0
    """How much later than usual it leaves, or is lost."""


class Send(msgspec.Struct, frozen=True):
    """One frame for some connections; ``is_push`` takes the stream delay, others the ack delay."""

    connections: tuple[int, ...]
    frame: bytes
    is_push: bool
    topic: str = ""
    """Of a push: the topic text its readers subscribed to."""


class Output(msgspec.Struct):
    """Everything one request caused, in order."""

    answer: Answer | None = None
    sends: list[Send] = []
    lines: list[bytes] = []
    drops: list[int] = []
    """Connections the exchange cuts off."""
    farewells: list[tuple[int, int]] = []
    """Connections it closes with a close frame, and the code."""
    moves: list[tuple[str, float, float]] = []
    """Outside markets to move: instrument, share of the price, seconds it takes."""
    hold_ns: int = 0
    """A request held back: nothing was done, bring it again as ``Held`` at this time."""
