"""The venue's JSON rows of orders and executions (Bybit v5 docs; protocol reference)."""

from decimal import Decimal
from typing import Any, Final

from plimsoll.core.matching import Fill
from plimsoll.core.model import Side, TimeInForce
from plimsoll.simulator.brain.ledger import Booked, Position
from plimsoll.simulator.brain.numbers import ZERO, floor8, text_of
from plimsoll.simulator.brain.orders import Exit, Order
from plimsoll.simulator.brain.public import PublicMarket

SIDES: Final = {Side.BUY: "Buy", Side.SELL: "Sell"}
TIFS: Final = {
    TimeInForce.GTC: "GTC",
    TimeInForce.IOC: "IOC",
    TimeInForce.FOK: "FOK",
    TimeInForce.POST_ONLY: "PostOnly",
}
Row = dict[str, Any]


def order_row(order: Order) -> Row:
    """Return an order as the ``order`` topic sends it; REST sends the same fields."""
    listing = order.listing
    leaves = order.leaves_lots if order.is_live else 0
    fees = {coin: text_of(fee) for coin, fee in order.fees.items() if fee}
    return {
        "category": listing.instrument.category,
        "symbol": listing.instrument.symbol,
        "orderId": order.order_id,
        "orderLinkId": order.link_id,
        "parentOrderLinkId": "" if listing.is_spot else order.parent_link,
        "blockTradeId": "",
        "side": SIDES[order.side],
        "positionIdx": 0,
        "orderType": order.kind,
        "price": _shown_price(order),
        "qty": _shown_qty(order),
        "isLeverage": order.is_leverage,
        "orderStatus": order.status,
        "createType": "" if listing.is_spot else order.create_type,
        "cancelType": order.cancel_type,
        "rejectReason": order.reject_reason,
        "avgPrice": text_of(floor8(order.average_price)) if order.cum_lots else "",
        "leavesQty": listing.qtys.text(leaves),
        "leavesValue": text_of(listing.value(order.price_ticks, leaves)),
        "cumExecQty": listing.qtys.text(order.cum_lots),
        "cumExecValue": text_of(order.cum_value),
        "cumExecFee": text_of(sum(order.fees.values(), ZERO)),
        "cumFeeDetail": fees,
        "closedPnl": text_of(order.closed_pnl),
        "feeCurrency": "",
        "timeInForce": TIFS[order.tif],
        "stopOrderType": order.stop_type,
        "ocoTriggerBy": order.oco,
        "orderIv": "",
        "marketUnit": order.market_unit,
        "slippageToleranceType": order.slippage_type,
        "slippageTolerance": order.slippage,
        **_trigger_fields(order),
        **_exit_fields(order),
        "lastPriceOnCreated": listing.prices.text(order.last_ticks),
        "basePrice": listing.prices.text(order.last_ticks),
        "reduceOnly": order.reduce_only,
        "closeOnTrigger": order.close_on_trigger,
        "placeType": "",
        "smpType": order.smp_type,
        "smpGroup": 0,
        "smpOrderId": order.smp_order_id,
        "createdTime": str(order.created_ms),
        "updatedTime": str(order.updated_ms),
        "extraFees": "",
        "rpiTakerAccess": False,
        "rpiMatchedQty": "0",
    }


def order_line(order: Order) -> Row:
    """Return the short form of an order that the record keeps."""
    listing = order.listing
    return {
        "category": listing.instrument.category,
        "symbol": listing.instrument.symbol,
        "orderId": order.order_id,
        "orderLinkId": order.link_id,
        "side": SIDES[order.side],
        "orderType": order.kind,
        "timeInForce": TIFS[order.tif],
        "price": _shown_price(order),
        "qty": _shown_qty(order),
        "reduceOnly": order.reduce_only,
        "orderStatus": order.status,
        "cumExecQty": listing.qtys.text(order.cum_lots),
        "cumExecValue": text_of(order.cum_value),
        "leavesQty": listing.qtys.text(order.leaves_lots if order.is_open else 0),
        "cancelType": order.cancel_type,
        "rejectReason": order.reject_reason,
        "triggerPrice": _price(order, order.trigger_ticks),
        "stopOrderType": order.stop_type,
        "parentOrderLinkId": "" if listing.is_spot else order.parent_link,
        "createType": "" if listing.is_spot else order.create_type,
    }


def execution_row(
    order: Order, fill: Fill, booked: Booked, market: PublicMarket, exec_id: str, now_ms: int
) -> Row:
    """Return one execution as the ``execution`` topic sends it."""
    listing = order.listing
    return {
        "category": listing.instrument.category,
        "symbol": listing.instrument.symbol,
        "isLeverage": "0",
        "orderId": order.order_id,
        "orderLinkId": order.link_id,
        "side": SIDES[order.side],
        "orderPrice": _shown_price(order),
        "orderQty": _shown_qty(order),
        "leavesQty": listing.qtys.text(order.leaves_lots),
        "createType": "" if listing.is_spot else order.create_type,
        "orderType": order.kind,
        "stopOrderType": order.stop_type,
        "execFee": text_of(booked.fee),
        "execFeeV2": "",
        "execId": exec_id,
        "execPrice": listing.prices.text(fill.price_ticks),
        "execQty": listing.qtys.text(fill.qty_lots),
        "execPnl": text_of(booked.realised),
        "execType": "Trade",
        "execValue": text_of(listing.value(fill.price_ticks, fill.qty_lots)),
        "execTime": str(now_ms),
        "isMaker": fill.is_maker,
        "feeRate": text_of(booked.fee_rate),
        "tradeIv": "",
        "markIv": "",
        "markPrice": listing.prices.text(market.mark_ticks),
        "indexPrice": "",
        "underlyingPrice": "",
        "blockTradeId": "",
        "closedSize": "" if listing.is_spot else listing.qtys.text(booked.closed_lots),
        "extraFees": [],
        "seq": market.seq,
        "marketUnit": "",
        "feeCurrency": booked.fee_coin,
    }


def funding_row(
    position: Position,
    paid: Decimal,
    rate: Decimal,
    market: PublicMarket,
    ids: tuple[str, str],
    now_ms: int,
) -> Row:
    """Return a funding payment as an execution: ``execFee`` positive = paid, by no order of ours.

    ``ids`` are (order id, execution id).
    """
    listing = position.listing
    lots, mark = abs(position.lots), market.mark_ticks
    none = listing.qtys.text(0)
    return {
        "category": listing.instrument.category,
        "symbol": listing.instrument.symbol,
        "isLeverage": "0",
        "orderId": ids[0],
        "orderLinkId": "",
        "side": SIDES[position.side] if position.side else "",
        "orderPrice": "0",
        "orderQty": none,
        "leavesQty": none,
        "createType": "",
        "orderType": "UNKNOWN",
        "stopOrderType": "",
        "execFee": text_of(paid),
        "execFeeV2": "",
        "execId": ids[1],
        "execPrice": listing.prices.text(mark),
        "execQty": listing.qtys.text(lots),
        "execPnl": "0",
        "execType": "Funding",
        "execValue": text_of(listing.value(mark, lots)),
        "execTime": str(now_ms),
        "isMaker": False,
        "feeRate": text_of(rate),
        "tradeIv": "",
        "markIv": "",
        "markPrice": listing.prices.text(mark),
        "indexPrice": "",
        "underlyingPrice": "",
        "blockTradeId": "",
        "closedSize": none,
        "extraFees": [],
        "seq": market.seq,
        "marketUnit": "",
        "feeCurrency": listing.instrument.settle,
    }


def fast_row(row: Row, turned_id: str = "") -> Row:
    """Return the ``execution.fast`` form.

    The client id is missing for makers, and for a maker an amendment turned into a taker.
    """
    keys = "category symbol orderId isMaker orderLinkId execId execPrice execQty side execTime seq"
    short = {key: row[key] for key in keys.split()}
    is_nameless = row["isMaker"] or row["orderId"] == turned_id
    return short | {"orderLinkId": ""} if is_nameless else short


def _trigger_fields(order: Order) -> Row:
    spot = order.listing.is_spot
    return {
        "triggerPrice": _price(order, order.trigger_ticks),
        "triggerDirection": 0 if spot else order.trigger_direction,
        "triggerBy": "" if spot else order.trigger_by,
    }


def _exit_fields(order: Order) -> Row:
    """What is attached; a parent keeps it after its exits were placed. Spot has no mode."""
    row: Row = {"tpslMode": order.tpsl_mode}
    exits: dict[str, Exit | None] = {"takeProfit": order.take_profit, "stopLoss": order.stop_loss}
    for name, one in exits.items():
        short = "tp" if name == "takeProfit" else "sl"
        row[name] = _price(order, one.trigger_ticks) if one is not None else ""
        row[f"{short}LimitPrice"] = _price(order, one.limit_ticks) if one is not None else ""
        shows_by = one is not None and not order.listing.is_spot
        row[f"{short}TriggerBy"] = one.trigger_by if one is not None and shows_by else ""
    return row


def _price(order: Order, ticks: int) -> str:
    return order.listing.prices.text(ticks) if ticks else ""


def _shown_price(order: Order) -> str:
    if order.kind == "Market" and order.listing.is_spot:
        return "0"
    return order.listing.prices.text(order.price_ticks)


def _shown_qty(order: Order) -> str:
    return (
        text_of(order.asked_value) if order.asked_value else order.listing.qtys.text(order.qty_lots)
    )
