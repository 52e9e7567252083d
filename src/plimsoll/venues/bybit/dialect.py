"""How Bybit v5 sockets say login, subscribe and ping, and what their control frames mean."""

import re
from collections.abc import Callable, Hashable, Sequence
from typing import Final

import msgspec

from plimsoll.venues.bybit.sign import Signer
from plimsoll.websocket import (
    AuthAccepted,
    AuthRefused,
    ChainId,
    Control,
    Data,
    Malformed,
    MessageId,
    Notice,
    Pong,
    Subscribed,
    SubscribeRefused,
    Unsubscribed,
)

LOGIN_LIFE_MS: Final = 10_000
"""How far ahead a login expires; one second is the most reported cause of refused logins."""

_DATA_PREFIX: Final = b'{"topic":"'
_NO_SILENCE_NS: Final = 10_000_000_000

_ids: Final = re.compile(rb'"u":(\d+),"seq":(\d+)').match
_digits: Final = re.compile(rb"\s*(\d+)").match
_quoted: Final = re.compile(rb'\s*"([^"]*)"').match


class _Frame(msgspec.Struct, gc=False):
    """Every field a control frame of any of the three sockets may carry."""

    topic: str = ""
    op: str = ""
    success: bool | None = None
    ret_msg: str = ""
    req_id: str | int = ""
    retCode: int | None = None
    retMsg: str = ""
    reqId: str | int = ""


_decode: Final = msgspec.json.Decoder(_Frame).decode
_encode: Final = msgspec.json.Encoder().encode


class BybitDialect:
    """The dialect of public sockets, and the base of the other two."""

    batch = 10
    """Spot takes at most 10 topics in one request; the same for linear costs nothing."""

    args_chars = 21_000
    """All topics of one connection together (Bybit v5 docs, ws/connect)."""

    requires_all = False

    def auth(self) -> bytes | None:
        """Return ``None``: public data needs no login."""
        return None

    def subscribe(self, topics: Sequence[str], request_id: str) -> bytes:
        """Return the subscribe message of ``topics``."""
        return _encode({"req_id": request_id, "op": "subscribe", "args": list(topics)})

    def unsubscribe(self, topics: Sequence[str], request_id: str) -> bytes:
        """Return the unsubscribe message of ``topics``."""
        return _encode({"req_id": request_id, "op": "unsubscribe", "args": list(topics)})

    def ping(self, request_id: str) -> bytes:
        """Return the heartbeat: a JSON message, not a protocol ping."""
        return _encode({"req_id": request_id, "op": "ping"})

    def topic_of(self, payload: bytes) -> bytes | None:
        """Return the topic where it comes first in the text; ``control`` finds it elsewhere."""
        if not payload.startswith(_DATA_PREFIX):
            return None
        return payload[10 : payload.find(b'"', 10)]

    def control(self, payload: bytes) -> Control | None:
        """Return what a frame says; ``None`` for answers to orders and for torn data."""
        try:
            frame = _decode(payload)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            return self._unreadable(payload, error)
        if frame.topic:
            return Data(frame.topic)
        return self._meaning(frame)

    def silence_ns(self, topic: str) -> int:
        """Return 10 s for books and tickers, whose snapshot follows the acknowledgement at once."""
        return _NO_SILENCE_NS if topic.startswith(("orderbook.", "tickers.")) else 0

    def is_chained(self, topic: str) -> bool:
        """Return whether it is a book whose ``u`` grows by one: every depth but the first."""
        return topic.startswith("orderbook.") and not topic.startswith("orderbook.1.")

    def identity(self, topic: str, payload: bytes) -> Hashable | None:
        """Return what makes a message the same on two connections, without decoding it.

        Books: update id and cross sequence. Prints: the last trade's time and id, and how many.
        Tickers: ``ts`` and cross sequence. Bars: ``ts`` and whether the bar is closed.
        """
        if self.is_chained(topic):
            return _book_id(payload)
        if topic.startswith("publicTrade."):
            return _print_id(payload)
        order = _number_of(payload, b'"ts":')
        if order < 0:
            return None
        if topic.startswith("kline."):
            return MessageId(order, order, b'"confirm":true' in payload)
        mark = b'"u":' if topic.startswith("orderbook.") else b'"cs":'
        key = _number_of(payload, mark)
        return None if key < 0 else MessageId(order, order, key)

    def _unreadable(self, payload: bytes, error: Exception) -> Control | None:
        if payload.startswith(_DATA_PREFIX):  # the parser names what is wrong with data
            return None
        return Malformed(f"{error}: {payload[:80]!r}")

    def _meaning(self, frame: _Frame) -> Control | None:
        if frame.op == "auth":
            return _login(frame)
        if frame.op == "pong" or frame.ret_msg == "pong":
            return Pong()
        if frame.op == "subscribe":
            return _subscription(frame)
        if frame.op == "unsubscribe":
            return Unsubscribed(str(frame.req_id))
        return Notice(frame.ret_msg or frame.retMsg or f"unexpected {frame.op or 'message'}")


class PrivateDialect(BybitDialect):
    """The dialect of the private socket: login first, then topics that must all be accepted."""

    requires_all = True

    def __init__(self, signer: Signer, venue_ms: Callable[[], int]) -> None:
        """Sign with ``signer`` at the times ``venue_ms`` gives (Unix ms at the venue)."""
        self._signer = signer
        self._venue_ms = venue_ms

    def auth(self) -> bytes:
        """Return a login that expires in ``LOGIN_LIFE_MS``."""
        expires = self._venue_ms() + LOGIN_LIFE_MS
        args = [self._signer.key, expires, self._signer.login(expires)]
        return _encode({"op": "auth", "args": args})

    def silence_ns(self, topic: str) -> int:
        """Return 0: private topics send no snapshot and may be silent for days."""
        return 0


class TradeDialect(PrivateDialect):
    """The dialect of the order-entry socket: no topics; answers to orders go to the handler."""

    def topic_of(self, payload: bytes) -> bytes | None:
        """Return ``None``: this socket has no topics."""
        return None

    def _meaning(self, frame: _Frame) -> Control | None:
        return None if frame.op.startswith("order.") else super()._meaning(frame)


def _login(frame: _Frame) -> Control:
    if frame.success or frame.retCode in (0, 20001):  # 20001: logged in already
        return AuthAccepted()
    code = "" if frame.retCode is None else f"{frame.retCode} "
    return AuthRefused(f"{code}{frame.ret_msg or frame.retMsg}".strip())


def _subscription(frame: _Frame) -> Control:
    request_id = str(frame.req_id)
    if frame.success:
        return Subscribed(request_id)
    _, _, topic = frame.ret_msg.partition(",topic:")
    known = "already subscribed" in frame.ret_msg
    return SubscribeRefused(request_id, topic.strip(), frame.ret_msg, is_harmless=known)


def _number_of(payload: bytes, mark: bytes) -> int:
    """Return the whole number behind the last ``mark``, -1 where there is none."""
    at = payload.rfind(mark)
    found = _digits(payload, at + len(mark)) if at >= 0 else None
    return int(found[1]) if found is not None else -1


def _book_id(payload: bytes) -> ChainId | None:
    is_snapshot = b'"type":"snapshot"' in payload
    at = payload.rfind(b'"u":')
    found = _ids(payload, at) if at >= 0 else None
    if found is not None:  # as the venue writes it; the slower way knows any order and blanks
        return ChainId(int(found[1]), int(found[2]), is_snapshot)
    number, content = _number_of(payload, b'"u":'), _number_of(payload, b'"seq":')
    return None if number < 0 or content < 0 else ChainId(number, content, is_snapshot)


def _print_id(payload: bytes) -> MessageId | None:
    order, at = _number_of(payload, b'"T":'), payload.rfind(b'"i":')
    found = _quoted(payload, at + 4) if at >= 0 else None
    first = _digits(payload, payload.find(b'"T":') + 4)
    if order < 0 or found is None or first is None:
        return None
    return MessageId(order, int(first[1]), (found[1], payload.count(b'"i":')))
