"""The venue's JSON rows, from our state (Bybit v5 docs; fields as in the protocol reference)."""

from decimal import Decimal
from typing import Any, Final

from plimsoll.core.matching import Fill
from plimsoll.core.model import Side, TimeInForce
from plimsoll.simulator.brain.accounts import Account
from plimsoll.simulator.brain.ledger import Booked, Position
from plimsoll.simulator.brain.margin import (
    MarkOf,
    locked_of,
    margin_of,
    order_margin,
    position_margin,
)
from plimsoll.simulator.brain.numbers import ZERO, floor8, text_of
from plimsoll.simulator.brain.orders import Order
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
    ended = not order.is_open
    leaves = 0 if ended else order.leaves_lots
    fees = {coin: text_of(fee) for coin, fee in order.fees.items() if fee}
    return {
        "category": listing.instrument.category,
        "symbol": listing.instrument.symbol,
        "orderId": order.order_id,
        "orderLinkId": order.link_id,
        "parentOrderLinkId": "",
        "blockTradeId": "",
        "side": SIDES[order.side],
        "positionIdx": 0,
        "orderType": order.kind,
        "price": _shown_price(order),
        "qty": _shown_qty(order),
        "isLeverage": order.is_leverage,
        "orderStatus": order.status,
        "createType": "" if listing.is_spot else "CreateByUser",
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
        "stopOrderType": "",
        "ocoTriggerBy": "",
        "orderIv": "",
        "marketUnit": order.market_unit,
        "slippageToleranceType": "UNKNOWN",
        "slippageTolerance": "",
        "triggerPrice": "",
        "takeProfit": "",
        "stopLoss": "",
        "tpslMode": "",
        "tpLimitPrice": "",
        "slLimitPrice": "",
        "tpTriggerBy": "",
        "slTriggerBy": "",
        "triggerDirection": 0,
        "triggerBy": "",
        "lastPriceOnCreated": listing.prices.text(order.last_ticks),
        "basePrice": listing.prices.text(order.last_ticks),
        "reduceOnly": order.reduce_only,
        "closeOnTrigger": order.close_on_trigger,
        "placeType": "",
        "smpType": order.smp_type,
        "smpGroup": 0,
        "smpOrderId": "",
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
        "createType": "" if listing.is_spot else "CreateByUser",
        "orderType": order.kind,
        "stopOrderType": "",
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


def fast_row(row: Row) -> Row:
    """Return the ``execution.fast`` form: a maker's client id is missing there."""
    keys = "category symbol orderId isMaker orderLinkId execId execPrice execQty side execTime seq"
    short = {key: row[key] for key in keys.split()}
    return short | {"orderLinkId": ""} if row["isMaker"] else short


def transaction_rows(row: Row, booked: Booked, size: str, trade_id: str) -> list[Row]:
    """Return the transaction-log rows of one execution: one per coin it moved."""
    return [
        {
            "id": f"{row['execId']}_{change.coin}",
            "symbol": row["symbol"],
            "category": row["category"],
            "side": row["side"],
            "transactionTime": row["execTime"],
            "type": "TRADE",
            "transSubType": "",
            "qty": row["execQty"],
            "size": size,
            "currency": change.coin,
            "tradePrice": row["execPrice"],
            "funding": "",
            "fee": text_of(change.fee),
            "cashFlow": text_of(change.cash_flow),
            "change": text_of(change.cash_flow - change.fee),
            "cashBalance": text_of(change.balance),
            "feeRate": row["feeRate"],
            "bonusChange": "",
            "tradeId": trade_id,
            "orderId": row["orderId"],
            "orderLinkId": row["orderLinkId"],
            "extraFees": "",
        }
        for change in booked.changes
    ]


def position_row(position: Position, mark_ticks: int, *, rest: bool) -> Row:
    """Return a position; REST calls the entry ``avgPrice``, the topic ``entryPrice``."""
    listing = position.listing
    initial, maintenance = position_margin(position, mark_ticks)
    entry = text_of(floor8(position.entry_price)) if position.lots else "0"
    im, mm = text_of(floor8(initial)), text_of(floor8(maintenance))
    return {
        "category": listing.instrument.category,
        "symbol": listing.instrument.symbol,
        "side": SIDES[position.side] if position.side else "",
        "size": listing.qtys.text(abs(position.lots)),
        "positionIdx": 0,
        "tradeMode": 0,
        "positionValue": text_of(position.cost),
        "riskId": 1,
        "riskLimitValue": "2000000",
        "avgPrice" if rest else "entryPrice": entry,
        "markPrice": listing.prices.text(mark_ticks),
        "leverage": text_of(position.leverage),
        "breakEvenPrice": text_of(floor8(_break_even(position))),
        "positionBalance": "0",
        "autoAddMargin": 0,
        "positionIM": im,
        "positionIMByMp": im,
        "positionMM": mm,
        "positionMMByMp": mm,
        "liqPrice": "",
        "bustPrice": "",
        "tpslMode": "Full",
        "takeProfit": "",
        "stopLoss": "",
        "trailingStop": "0",
        "unrealisedPnl": text_of(position.unrealised(mark_ticks)),
        "sessionAvgPrice": "" if rest else "0",
        "curRealisedPnl": text_of(position.cur_realised),
        "cumRealisedPnl": text_of(position.cum_realised),
        "delta": "",
        "gamma": "",
        "vega": "",
        "theta": "",
        "positionStatus": "Normal",
        "adlRankIndicator": 2 if position.lots else 0,
        "createdTime": str(position.created_ms),
        "updatedTime": str(position.updated_ms),
        "openTime": position.opened_ms,
        "seq": position.seq,
        "isReduceOnly": False,
        "mmrSysUpdatedTime": "",
        "leverageSysUpdatedTime": "",
    }


def wallet_row(
    account: Account, mark_of: MarkOf, index_of: dict[str, Decimal], coins: set[str] | None = None
) -> Row:
    """Return the account object of wallet-balance and the ``wallet`` topic.

    ``coins`` limits the coins listed; the totals are always of the whole account, in USD with
    one USDT counted as one.
    """
    margin = margin_of(account, mark_of)
    locked = locked_of(account)
    balances = account.ledger.balances
    worth = sum((amount * index_of.get(coin, ZERO) for coin, amount in balances.items()), ZERO)
    usdt = balances.get("USDT", ZERO)
    collateral = usdt + margin.unrealised
    available = collateral - margin.initial - locked.get("USDT", ZERO)
    rate = floor8(margin.initial / collateral) if collateral > 0 else ZERO
    mm_rate = floor8(margin.maintenance / collateral) if collateral > 0 else ZERO
    initial, maintenance = text_of(floor8(margin.initial)), text_of(floor8(margin.maintenance))
    return {
        "accountType": "UNIFIED",
        "accountIMRate": text_of(rate),
        "accountIMRateByMp": text_of(rate),
        "accountMMRate": text_of(mm_rate),
        "accountMMRateByMp": text_of(mm_rate),
        "accountLTV": "0",
        "totalEquity": text_of(floor8(worth + margin.unrealised)),
        "totalWalletBalance": text_of(floor8(worth)),
        "totalMarginBalance": text_of(floor8(collateral)),
        "totalAvailableBalance": text_of(floor8(max(ZERO, available))),
        "totalPerpUPL": text_of(floor8(margin.unrealised)),
        "totalInitialMargin": initial,
        "totalInitialMarginByMp": initial,
        "totalMaintenanceMargin": maintenance,
        "totalMaintenanceMarginByMp": maintenance,
        "coin": [
            _coin_row(account, coin, mark_of, index_of, locked.get(coin, ZERO))
            for coin in balances
            if coins is None or coin in coins
        ],
    }


def _coin_row(
    account: Account, coin: str, mark_of: MarkOf, index_of: dict[str, Decimal], locked: Decimal
) -> Row:
    balance = account.ledger.balances[coin]
    is_settle = coin == "USDT"
    margin = margin_of(account, mark_of) if is_settle else None
    unrealised = margin.unrealised if margin else ZERO
    equity = balance + unrealised
    return {
        "coin": coin,
        "equity": text_of(equity),
        "usdValue": text_of(floor8(equity * index_of.get(coin, ZERO))),
        "walletBalance": text_of(balance),
        "locked": text_of(locked),
        "spotHedgingQty": "0",
        "borrowAmount": "0",
        "accruedInterest": "0",
        "totalOrderIM": text_of(floor8(margin.order_im)) if margin else "0",
        "totalPositionIM": text_of(floor8(margin.position_im)) if margin else "0",
        "totalPositionMM": text_of(floor8(margin.maintenance)) if margin else "0",
        "unrealisedPnl": text_of(unrealised),
        "cumRealisedPnl": text_of(account.ledger.realised.get(coin, ZERO)),
        "bonus": "0",
        "marginCollateral": is_settle,
        "collateralSwitch": is_settle,
        "colRes": "0",
        "spotBorrow": "0",
        "free": "",
        "availableToWithdraw": "",
        "availableToBorrow": "",
    }


def _break_even(position: Position) -> Decimal:
    """(cost - realised) / (qty - qty x taker fee), both signed by the direction."""
    if not position.lots:
        return ZERO
    sign = 1 if position.lots > 0 else -1
    qty = position.listing.qty(abs(position.lots))
    return (position.cost - sign * position.cur_realised) / (
        qty * (1 - sign * position.listing.taker_rate)
    )


def _shown_price(order: Order) -> str:
    if order.kind == "Market" and order.listing.is_spot:
        return "0"
    return order.listing.prices.text(order.price_ticks)


def _shown_qty(order: Order) -> str:
    return (
        text_of(order.asked_value) if order.asked_value else order.listing.qtys.text(order.qty_lots)
    )


__all__ = [
    "SIDES",
    "TIFS",
    "Row",
    "execution_row",
    "fast_row",
    "order_line",
    "order_margin",
    "order_row",
    "position_row",
    "transaction_rows",
    "wallet_row",
]
