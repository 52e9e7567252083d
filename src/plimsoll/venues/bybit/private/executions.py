"""Reads what the venue says of an execution."""

from decimal import ROUND_HALF_EVEN
from typing import Final

import msgspec

from plimsoll.core.model import Instrument, Side, decimal_of
from plimsoll.core.records import ExecutionReported
from plimsoll.venues.bybit.errors import ParseError
from plimsoll.venues.bybit.numbers import Stored, required, whole
from plimsoll.venues.bybit.private.fields import (
    NO_SIDE,
    SIDES,
    Figure,
    Word,
    cash_in,
    lots_in,
    ticks_in,
    word_in,
)
from plimsoll.venues.bybit.private.given import Origin, Stamp
from plimsoll.venues.bybit.private.orders import is_in_quote, stop_type


class ExecutionItem(msgspec.Struct, gc=False):
    """An execution as the venue writes it."""

    symbol: str
    execId: str
    execPrice: Figure
    execQty: Figure
    side: Word = ""
    category: Word = ""
    orderId: Word = ""
    orderLinkId: Word = ""
    orderType: Word = ""
    orderQty: Figure = ""
    marketUnit: Word = ""
    execFee: Figure = ""
    feeCurrency: Word = ""
    execType: str = "Trade"
    isMaker: bool = False
    createType: Word = ""
    execTime: Figure = 0
    seq: Stored | None = 0
    stopOrderType: Word = ""


# strict=False: the venue sends integers and booleans as text now and then.
decode_execution: Final = msgspec.json.Decoder(ExecutionItem, strict=False).decode


def execution_report(
    item: ExecutionItem, instrument: Instrument, raw: bytes, stamp: Stamp, origin: Origin
) -> ExecutionReported:
    """Return the record of an execution."""
    what = f"execution {item.execId}"
    # Only an ordinary execution happens at an order's price; funding, liquidation and settlement
    # rows carry mark or bankruptcy prices between two ticks.
    is_plain = item.execType == "Trade"
    has_side = is_plain or item.side not in NO_SIDE
    side = word_in(SIDES, item.side, what, "side") if has_side else Side.BUY
    rounding = None if is_plain else ROUND_HALF_EVEN
    if is_plain:
        required(item.execPrice, what, "execPrice")
    price_ticks = ticks_in(item.execPrice, instrument, what, "execPrice", rounding)
    qty_lots = lots_in(required(item.execQty, what, "execQty"), instrument, what, "execQty")
    fee_units = cash_in(item.execFee, what, "execFee", up=True)
    fee_coin = item.feeCurrency or fee_coin_of(instrument, side, is_maker=item.isMaker)
    executed_ms = whole(item.execTime, what, "execTime")
    seq, ts_ns, epoch, cause = stamp()
    return ExecutionReported(
        seq,
        ts_ns,
        epoch,
        cause,
        execution_id=item.execId,
        client_order_id=item.orderLinkId or "",
        venue_order_id=item.orderId or "",
        instrument=instrument.name,
        side=side,
        price_ticks=price_ticks,
        qty_lots=qty_lots,
        fee_units=fee_units,
        fee_coin=fee_coin,
        is_maker=item.isMaker,
        kind=item.execType,
        executed_ms=executed_ms,
        source=origin.source,
        query_id=origin.query_id,
        raw=raw,
        order_qty_lots=_whole_lots(item, instrument, what) if is_plain else 0,
        venue_seq=item.seq or 0,
        create_type=item.createType or "",
        stop_type=stop_type(item.stopOrderType),
    )


def _whole_lots(item: ExecutionItem, instrument: Instrument, what: str) -> int:
    """Return the whole quantity of the order, 0 where it is not said in base coin.

    An execution counts even where this side remark of it cannot be read.
    """
    if is_in_quote(instrument, item.orderType, item.side, item.marketUnit):
        return 0
    try:
        return lots_in(item.orderQty, instrument, what, "orderQty")
    except ParseError:
        return 0


def fee_coin_of(instrument: Instrument, side: Side, *, is_maker: bool) -> str:
    """Return the coin a fee is paid in where the venue leaves it out.

    Source: Bybit v5 docs, enum page, spot fee currency: the received coin, but the paid coin for
    the maker's side of an account with a maker rebate. Derivatives pay in the settle coin.
    """
    if not instrument.is_spot:
        return instrument.settle
    has_rebate = is_maker and decimal_of(instrument.maker_fee) < 0
    in_base = (side is Side.BUY) is not has_rebate
    return instrument.base if in_base else instrument.quote
