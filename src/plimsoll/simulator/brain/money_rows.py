"""The venue's JSON rows of positions, wallet and transactions (Bybit v5 docs)."""

from decimal import Decimal

from plimsoll.simulator.brain.accounts import Account
from plimsoll.simulator.brain.ledger import Booked, Position
from plimsoll.simulator.brain.margin import MarkOf, locked_of, margin_of, position_margin
from plimsoll.simulator.brain.numbers import ZERO, floor8, text_of
from plimsoll.simulator.brain.order_rows import SIDES, Row


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
