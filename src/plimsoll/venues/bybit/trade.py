"""Builds order requests and reads their answers: the same content on the socket and by REST.

The bytes are a function of the intent record, the instrument, the time stamp and the request id,
so the journal shows what was sent (reliability ORD-5). Market orders do not exist here: the core
turns them into IOC limits inside a band.
"""

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final

import msgspec

from plimsoll.core.model import Instrument, Side, TimeInForce
from plimsoll.core.records import (
    AmendIntended,
    CancelIntended,
    OrderIntended,
    ProtectionIntended,
)
from plimsoll.venues.bybit.codes import Action
from plimsoll.venues.bybit.errors import ParseError, shortened
from plimsoll.venues.bybit.numbers import Stored
from plimsoll.venues.bybit.rates import Grant, read_grant

PATHS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "create": "/v5/order/create",
        "amend": "/v5/order/amend",
        "cancel": "/v5/order/cancel",
    }
)
"""REST path of each action."""

PROTECT_PATH: Final = "/v5/position/trading-stop"

TRIGGER_WORDS: Final[Mapping[str, bytes]] = MappingProxyType(
    {"mark": b"MarkPrice", "last": b"LastPrice"}
)
"""The price that triggers, in the venue's word."""

_TIME_IN_FORCE: Final = MappingProxyType(
    {
        TimeInForce.GTC: "GTC",
        TimeInForce.IOC: "IOC",
        TimeInForce.FOK: "FOK",
        TimeInForce.POST_ONLY: "PostOnly",
    }
)


def frame_template(operation: str) -> bytes:
    """Return the frame of an operation, open for request id, stamp, receive window and body."""
    return (
        b'{"reqId":"%b","header":{"X-BAPI-TIMESTAMP":"%d","X-BAPI-RECV-WINDOW":"%d"},'
        b'"op":"' + operation.encode() + b'","args":[%b]}'
    )


_FRAMES: Final = {action: frame_template(f"order.{action}") for action in PATHS}


class TradeAnswer(msgspec.Struct, frozen=True):
    """One answer of the trade socket. ``request_id`` is empty where the venue left it out."""

    request_id: str
    code: int
    text: str
    venue_order_id: str
    grant: Grant | None = None


class OrderWriter:
    """Writes the requests of one instrument, everything that does not change prepared once."""

    __slots__ = (
        "_creates",
        "_lot",
        "_protect",
        "_stranger",
        "_target",
        "_tick",
        "groups",
        "instrument",
    )

    def __init__(self, instrument: Instrument) -> None:
        self.instrument = instrument
        self.groups = {action: f"{action}.{instrument.category}" for action in PATHS}
        """Name of the venue's rate group of each action."""

        self._tick = _Steps(instrument.tick)
        self._lot = _Steps(instrument.lot)
        self._creates = {
            (side, tif, reduce_only): _create_template(instrument, side, tif, reduce_only)
            for side in Side
            for tif in TimeInForce
            for reduce_only in (False, True)
        }
        fixed = {"category": instrument.category, "symbol": instrument.symbol}
        self._target = _open_template(fixed) + b',"orderLinkId":"%b"%b}'
        self._stranger = _open_template(fixed) + b',"orderId":"%b"%b}'
        whole = {"tpslMode": "Full", "positionIdx": 0}  # one-way mode, market exits
        by_mark = {"slTriggerBy": "MarkPrice", "tpTriggerBy": "MarkPrice"}
        exits = b',"stopLoss":"%b","takeProfit":"%b"}'
        self._protect = _open_template(fixed | whole | by_mark) + exits

    @staticmethod
    def frame(
        action: Action, body: bytes, request_id: str, signed_ms: int, recv_window_ms: int
    ) -> bytes:
        """Return the trade-socket frame around a body.

        Args:
            action: What the body asks for.
            body: Made by one of the three methods below.
            request_id: Unique for the life of the connection, at most 36 characters.
            signed_ms: Venue time of signing, Unix ms.
            recv_window_ms: How long after ``signed_ms`` the venue may still take it.
        """
        return _FRAMES[action] % (request_id.encode(), signed_ms, recv_window_ms, body)

    def create_body(self, order: OrderIntended) -> bytes:
        """Return the JSON body that creates ``order`` (Bybit v5 docs, order/create-order)."""
        return self._creates[order.side, order.tif, order.reduce_only] % (
            self._lot.text(order.qty_lots),
            self._tick.text(order.price_ticks),
            order.client_order_id.encode(),
            self._conditions(order) if order.trigger_ticks else b"",
            self._exits(order) if order.stop_ticks or order.take_ticks else b"",
        )

    def _conditions(self, order: OrderIntended) -> bytes:
        """Return what makes an order wait (Bybit v5 docs, order/create-order)."""
        price = self._tick.text(order.trigger_ticks)
        if self.instrument.is_spot:
            return b',"triggerPrice":"%b","orderFilter":"StopOrder"' % price
        closes = b',"closeOnTrigger":true' if order.close_on_trigger else b""
        direction = 1 if order.trigger_rises else 2
        by = TRIGGER_WORDS[order.trigger_by]
        return b',"triggerPrice":"%b","triggerDirection":%d,"triggerBy":"%b"%b' % (
            price,
            direction,
            by,
            closes,
        )

    def _exits(self, order: OrderIntended) -> bytes:
        """Return the stop-loss and take-profit the position gets with the first execution."""
        exits = b',"tpslMode":"Full"'
        if order.stop_ticks:
            stop = self._tick.text(order.stop_ticks)
            exits += b',"stopLoss":"%b","slTriggerBy":"MarkPrice"' % stop
        if order.take_ticks:
            take = self._tick.text(order.take_ticks)
            exits += b',"takeProfit":"%b","tpTriggerBy":"MarkPrice"' % take
        return exits

    def protect_body(self, level: ProtectionIntended) -> bytes:
        """Return the JSON body that sets both exits of the position; ``"0"`` removes one.

        Always both: setting one alone ends the bond of the pair (Bybit v5 docs,
        position/trading-stop).
        """
        return self._protect % (
            self._tick.text(level.stop_ticks) if level.stop_ticks else b"0",
            self._tick.text(level.take_ticks) if level.take_ticks else b"0",
        )

    def amend_body(self, order: AmendIntended) -> bytes:
        """Return the JSON body of an amend; a zero price or quantity means "as it is".

        The quantity is the new total, executed part included (Bybit v5 docs, order/amend-order).
        """
        changes = b""
        if order.qty_lots:
            changes += b',"qty":"%b"' % self._lot.text(order.qty_lots)
        if order.price_ticks:
            changes += b',"price":"%b"' % self._tick.text(order.price_ticks)
        if order.trigger_ticks:
            changes += b',"triggerPrice":"%b"' % self._tick.text(order.trigger_ticks)
        return self._target % (order.client_order_id.encode(), changes)

    def cancel_body(self, order: CancelIntended) -> bytes:
        """Return the JSON body of a cancel (Bybit v5 docs, order/cancel-order)."""
        kind = b',"orderFilter":"%b"' % order.order_filter.encode() if order.order_filter else b""
        if order.venue_order_id:
            return self._stranger % (order.venue_order_id.encode(), kind)
        return self._target % (order.client_order_id.encode(), kind)


class _Steps:
    """Decimal text of a count of steps by integer arithmetic: a third of Decimal's time."""

    __slots__ = ("_divisor", "_factor", "_places", "_step")

    def __init__(self, step: Decimal) -> None:
        exponent = step.as_tuple().exponent
        assert isinstance(exponent, int)  # finite: Instrument refuses anything else
        self._step = step
        self._places = max(0, -exponent)
        self._divisor = 10**self._places
        self._factor = int(step * self._divisor)

    def text(self, count: int) -> bytes:
        """Return ``count`` steps as decimal text, equal to ``Instrument.price_text``."""
        if not self._places or count < 0:
            return format(self._step * count, "f").encode()
        whole, part = divmod(count * self._factor, self._divisor)
        return b"%d.%0*d" % (whole, self._places, part)


def _create_template(
    instrument: Instrument, side: Side, tif: TimeInForce, reduce_only: bool
) -> bytes:
    fixed: dict[str, object] = {
        "category": instrument.category,
        "symbol": instrument.symbol,
        "side": "Buy" if side is Side.BUY else "Sell",
        "orderType": "Limit",
        "timeInForce": _TIME_IN_FORCE[tif],
        "smpType": "CancelTaker",
    }
    if instrument.is_spot:
        fixed["isLeverage"] = 0  # no borrowing
    else:
        fixed["positionIdx"] = 0  # one-way mode
        fixed["reduceOnly"] = reduce_only
    return _open_template(fixed) + b',"qty":"%b","price":"%b","orderLinkId":"%b"%b%b}'


def _open_template(fixed: Mapping[str, object]) -> bytes:
    """Return the fixed fields as a JSON object whose end is still open."""
    return msgspec.json.encode(fixed).replace(b"%", b"%%")[:-1]


# ---- answers ---------------------------------------------------------------------------------

NO_CODE: Final = -2
"""Stands for "the venue gave no code"; it is in no table, hence UNKNOWN."""


class _Result(msgspec.Struct, gc=False):
    orderId: str = ""


class _Answer(msgspec.Struct, gc=False):
    reqId: str | int = ""
    retCode: Stored | None = None
    retMsg: str = ""
    ret_msg: str = ""
    data: _Result | None = None
    header: dict[str, str] = {}


_answer: Final = msgspec.json.Decoder(_Answer, strict=False).decode


def read_answer(raw: bytes) -> TradeAnswer:
    """Return what a trade-socket frame answers.

    An answer in the private-socket style (``success`` false, no ``reqId``) has code ``NO_CODE``
    and no request id: it proves nothing about any request.

    Raises:
        ParseError: the frame is unreadable.
    """
    try:
        answer = _answer(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ParseError(f"trade answer: {error}; found {raw[:120]!r}") from error
    code = NO_CODE if answer.retCode is None else answer.retCode
    order_id = answer.data.orderId if answer.data is not None else ""
    text, grant = shortened(answer.retMsg or answer.ret_msg), read_grant(answer.header)
    return TradeAnswer(str(answer.reqId), code, text, order_id, grant)
