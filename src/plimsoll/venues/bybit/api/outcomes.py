"""What became of order requests: the same reading for REST and the trade socket.

An answer means "accepted for processing", never "resting" or "matched": the streams tell that.
"""

from typing import Final, NamedTuple

import msgspec

from plimsoll.venues.bybit.api.order_rows import OrderIds, OrderIdsList
from plimsoll.venues.bybit.api.reading import Reader
from plimsoll.venues.bybit.codes import Action, Channel, Outcome, outcome_of
from plimsoll.venues.bybit.errors import ParseError, shortened
from plimsoll.venues.bybit.numbers import Stored
from plimsoll.venues.bybit.rest import Answer, End
from plimsoll.venues.bybit.trade import NO_CODE


class OrderAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The end of one order request.

    ``unknown`` means it may or may not have been done: look the order up by its client order id,
    and never send it again under another one.
    """

    outcome: Outcome
    code: int
    text: str = ""
    venue_order_id: str = ""
    client_order_id: str = ""
    created_ms: int | None = None


class CancelAllAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The end of a cancel-all and the orders it named."""

    outcome: Outcome
    code: int
    text: str = ""
    orders: tuple[OrderIds, ...] = ()


class SocketAnswer(NamedTuple):
    """An answer of the trade socket; ``request_id`` is empty where the venue left it out."""

    request_id: str
    op: str
    answer: Answer


class _ItemCode(msgspec.Struct, frozen=True):
    code: int
    msg: str = ""


class _ItemCodes(msgspec.Struct, frozen=True):
    rows: tuple[_ItemCode, ...] = msgspec.field(name="list")


class _Frame(msgspec.Struct):
    reqId: str | int = ""
    op: str = ""
    retCode: Stored | None = None
    retMsg: str | None = ""
    ret_msg: str | None = ""
    data: msgspec.Raw = msgspec.Raw(b"{}")
    retExtInfo: msgspec.Raw = msgspec.Raw(b"{}")


_frame: Final = msgspec.json.Decoder(_Frame, strict=False).decode


def order_answer(reader: Reader, action: Action, answer: Answer, channel: Channel) -> OrderAnswer:
    """Return what an answer says about one request."""
    outcome = _outcome(action, answer, channel)
    ids = OrderIds()
    if outcome == "accepted":
        try:
            ids = reader.row(OrderIds, answer.result, f"order {action}")
        except ParseError:  # accepted all the same; the order is found by our own id
            ids = OrderIds()
    return OrderAnswer(
        outcome=outcome,
        code=answer.code,
        text=answer.text,
        venue_order_id=ids.venue_order_id,
        client_order_id=ids.client_order_id,
    )


def batch_answers(
    reader: Reader, action: Action, answer: Answer, channel: Channel, count: int
) -> list[OrderAnswer]:
    """Return what an answer says about each of ``count`` requests, in their order.

    The code of the whole says only that the batch was read: each item has a code of its own. An
    item without one is unknown.
    """
    outcome = _outcome(action, answer, channel)
    if outcome != "accepted":
        return [OrderAnswer(outcome=outcome, code=answer.code, text=answer.text)] * count
    try:
        rows = reader.row(OrderIdsList, answer.result, f"batch {action}").rows
        codes = reader.row(_ItemCodes, answer.ext, f"batch {action} codes").rows
    except ParseError as error:
        return [OrderAnswer(outcome="unknown", code=NO_CODE, text=str(error))] * count
    if len(codes) != count or len(rows) != count:
        text = f"a batch of {count} was answered with {len(rows)} orders and {len(codes)} codes"
        return [OrderAnswer(outcome="unknown", code=NO_CODE, text=text)] * count
    return [_item(action, channel, row, code) for row, code in zip(rows, codes, strict=True)]


def cancel_all_answer(reader: Reader, answer: Answer) -> CancelAllAnswer:
    """Return what an answer to a cancel-all says."""
    outcome = _outcome("cancel", answer, "rest")
    orders: tuple[OrderIds, ...] = ()
    if outcome == "accepted":
        orders = reader.row(OrderIdsList, answer.result, "cancel-all").rows
    return CancelAllAnswer(outcome=outcome, code=answer.code, text=answer.text, orders=orders)


def read_socket_answer(raw: bytes) -> SocketAnswer:
    """Return an answer of the trade socket, single or batch, in the shape of a REST answer.

    Raises:
        ParseError: the frame is unreadable.
    """
    try:
        frame = _frame(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ParseError(f"trade answer: {error}; found {raw[:120]!r}") from error
    code = NO_CODE if frame.retCode is None else frame.retCode
    answer = Answer(
        end=End.OK if code == 0 else End.REFUSED,
        code=code,
        text=shortened(frame.retMsg or frame.ret_msg or ""),
        result=bytes(frame.data),
        ext=bytes(frame.retExtInfo),
    )
    return SocketAnswer(str(frame.reqId), frame.op, answer)


def _item(action: Action, channel: Channel, row: OrderIds, code: _ItemCode) -> OrderAnswer:
    return OrderAnswer(
        outcome=outcome_of(action, code.code, channel),
        code=code.code,
        text=shortened(code.msg),
        venue_order_id=row.venue_order_id,
        client_order_id=row.client_order_id,
        created_ms=row.created_ms,
    )


def _outcome(action: Action, answer: Answer, channel: Channel) -> Outcome:
    if answer.end is End.NOT_SENT:
        return "refused"
    if answer.end in (End.BROKEN, End.BANNED):
        return "unknown"
    return outcome_of(action, answer.code, channel)
