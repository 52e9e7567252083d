"""Reads what the venue says of an order."""

from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN
from types import MappingProxyType
from typing import Final

import msgspec

from plimsoll.core.model import Instrument, OrderState
from plimsoll.core.records import OrderReported
from plimsoll.venues.bybit.numbers import whole
from plimsoll.venues.bybit.private.fields import SIDES, Figure, Word, lots_in, ticks_in, word_in
from plimsoll.venues.bybit.private.given import Origin, Stamp

STATUS: Final[Mapping[str, OrderState]] = MappingProxyType(
    {
        "Created": OrderState.OPEN,
        "Active": OrderState.OPEN,
        "New": OrderState.OPEN,
        "Untriggered": OrderState.OPEN,
        "Triggered": OrderState.OPEN,
        "PendingCancel": OrderState.OPEN,  # still working until the cancel is confirmed
        "PartiallyFilled": OrderState.PARTIAL,
        "Filled": OrderState.FILLED,
        "Cancelled": OrderState.CANCELED,  # derivatives: may have fills (V-8)
        "PartiallyFilledCanceled": OrderState.CANCELED,
        "Deactivated": OrderState.CANCELED,
        "Rejected": OrderState.REJECTED,  # with fills: CANCELED, see ``order_report``
    }
)
"""The venue's order status brought to ours; it has none that means EXPIRED."""

_NO_REASON: Final = frozenset({"EC_NoError", "UNKNOWN"})


class OrderItem(msgspec.Struct, gc=False):
    """An order as the venue writes it."""

    symbol: str
    orderId: str
    side: str
    orderStatus: str
    qty: Figure
    category: Word = ""
    orderLinkId: Word = ""
    orderType: Word = "Limit"
    price: Figure = ""
    cumExecQty: Figure = ""
    marketUnit: Word = ""
    rejectReason: Word = ""
    stopOrderType: Word = ""
    cancelType: Word = ""
    reduceOnly: bool | None = False
    closeOnTrigger: bool | None = False
    createType: Word = ""
    updatedTime: Figure = 0
    triggerPrice: Figure = ""


# strict=False: the venue sends integers and booleans as text now and then.
decode_order: Final = msgspec.json.Decoder(OrderItem, strict=False).decode


def order_report(
    item: OrderItem, instrument: Instrument, raw: bytes, stamp: Stamp, origin: Origin
) -> OrderReported:
    """Return the record of an order."""
    what = f"order {item.orderLinkId or item.orderId}"
    side = word_in(SIDES, item.side, what, "side")
    status = word_in(STATUS, item.orderStatus, what, "orderStatus")
    cum_lots = lots_in(item.cumExecQty, instrument, what, "cumExecQty")
    if status is OrderState.REJECTED and cum_lots:
        status = OrderState.CANCELED
    price_ticks = _order_price(item, instrument, what)
    is_quote_qty = is_in_quote(instrument, item.orderType, item.side, item.marketUnit)
    qty_lots = cum_lots if is_quote_qty else lots_in(item.qty, instrument, what, "qty")
    updated_ms = whole(item.updatedTime, what, "updatedTime")
    trigger_ticks = ticks_in(item.triggerPrice, instrument, what, "triggerPrice", ROUND_HALF_EVEN)
    seq, ts_ns, epoch, cause = stamp()
    return OrderReported(
        seq,
        ts_ns,
        epoch,
        cause,
        client_order_id=item.orderLinkId or "",
        venue_order_id=item.orderId,
        instrument=instrument.name,
        side=side,
        status=status,
        price_ticks=price_ticks,
        qty_lots=qty_lots,
        cum_lots=cum_lots,
        reduce_only=bool(item.reduceOnly or item.closeOnTrigger),
        is_untriggered=item.orderStatus == "Untriggered",
        updated_ms=updated_ms,
        reason=_reason(item),
        source=origin.source,
        query_id=origin.query_id,
        raw=raw,
        order_filter=_filter(item, instrument),
        trigger_ticks=trigger_ticks,
        create_type=item.createType or "",
        stop_type=stop_type(item.stopOrderType),
    )


def _filter(item: OrderItem, instrument: Instrument) -> str:
    """Return the ``orderFilter`` a waiting spot order is cancelled under, empty for all others.

    Source: Bybit v5 docs, order/cancel-order: spot looks among orders of that kind only.
    """
    if not instrument.is_spot or item.orderStatus != "Untriggered":
        return ""
    return "tpslOrder" if item.stopOrderType == "tpslOrder" else "StopOrder"


def is_in_quote(instrument: Instrument, order_type: Word, side: Word, unit: Word) -> bool:
    """Return whether the order's quantity may be in quote coin: then only executions tell base."""
    is_market_buy = order_type == "Market" and side == "Buy"
    return instrument.is_spot and is_market_buy and unit != "baseCoin"


def _order_price(item: OrderItem, instrument: Instrument, what: str) -> int:
    """Return the price in ticks; a market order's is the venue's protection price, or nothing."""
    rounding = ROUND_HALF_EVEN if item.orderType == "Market" else None
    return ticks_in(item.price, instrument, what, "price", rounding)


def _reason(item: OrderItem) -> str:
    """Return the venue's words for why an order ended, empty where it says nothing."""
    words = [w for w in (item.rejectReason, item.cancelType) if w and w not in _NO_REASON]
    return " ".join(words)


def stop_type(word: Word) -> str:
    """Return what kind of conditional order it is, empty for a plain one."""
    return "" if word is None or word == "UNKNOWN" else word
