"""The venue's JSON rows of positions and transactions (Bybit v5 docs)."""

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Final

from plimsoll.simulator.brain.accounts import ISOLATED, PORTFOLIO, Account
from plimsoll.simulator.brain.exits import exit_fields
from plimsoll.simulator.brain.ledger import Booked, CoinChange, Position
from plimsoll.simulator.brain.liq_price import isolated_bankruptcy, liquidation_price
from plimsoll.simulator.brain.margin import Quotes, Totals, margins_of, tier_for
from plimsoll.simulator.brain.numbers import ZERO, floor8, text_of
from plimsoll.simulator.brain.order_rows import SIDES, Row

_BREAK_EVEN_FEE: Final = Decimal("0.00055")
"""The least taker fee the venue's break-even price counts with."""

TYPES: Final = {"AdlTrade": "ADL", "BustTrade": "LIQUIDATION"}
"""Transaction type by execType, where it is not TRADE."""


def transaction_row(change: CoinChange, kind: str, row_id: str, now_ms: int) -> Row:
    """Return a row of the transaction log that no execution explains."""
    return {
        "id": row_id,
        "symbol": "",
        "category": "",
        "side": "None",
        "transactionTime": str(now_ms),
        "type": kind,
        "transSubType": "",
        "qty": "",
        "size": "",
        "currency": change.coin,
        "tradePrice": "",
        "funding": text_of(change.funding) if change.funding else "",
        "fee": text_of(change.fee),
        "cashFlow": text_of(change.cash_flow),
        "change": text_of(change.change),
        "cashBalance": text_of(change.balance),
        "feeRate": "",
        "bonusChange": "",
        "tradeId": "",
        "orderId": "",
        "orderLinkId": "",
        "extraFees": "",
    }


def transaction_rows(row: Row, booked: Booked, size: str) -> list[Row]:
    """Return the transaction-log rows of one execution: one per coin it moved."""
    kind = TYPES.get(row["execType"], "TRADE")
    if row["createType"] == "CreateByLiq":
        kind = "LIQUIDATION"
    return [
        transaction_row(change, kind, f"{row['execId']}_{change.coin}", int(row["execTime"]))
        | _of_execution(row, size)
        | {"feeRate": row["feeRate"]}
        for change in booked.changes
    ]


def settlement_row(row: Row, change: CoinChange, size: str) -> Row:
    """Return the SETTLEMENT row of a funding execution: ``funding`` is minus its ``execFee``."""
    made = transaction_row(change, "SETTLEMENT", row["execId"], int(row["execTime"]))
    return made | _of_execution(row, size) | {"funding": text_of(change.funding)}


def _of_execution(row: Row, size: str) -> Row:
    return {
        "symbol": row["symbol"],
        "category": row["category"],
        "side": row["side"],
        "qty": row["execQty"],
        "size": size,
        "tradePrice": row["execPrice"],
        "feeRate": row["feeRate"],
        "tradeId": row["execId"],
        "orderId": row["orderId"],
        "orderLinkId": row["orderLinkId"],
    }


def position_row(
    account: Account,
    position: Position,
    total: Totals,
    quotes: Quotes,
    *,
    adl_rank: int,
    rest: bool,
) -> Row:
    """Return a position; REST calls the entry ``avgPrice``, the topic ``entryPrice``."""
    listing = position.listing
    mark_ticks = quotes.mark_of(listing.name)
    tier = tier_for(account, position, mark_ticks)
    isolated = account.margin_mode == ISOLATED
    value = position.cost if isolated else listing.value(mark_ticks, abs(position.lots))
    usdc = listing.instrument.settle == "USDC"
    session = text_of(floor8(position.session_price)) if usdc and position.lots else ""
    return {
        "category": listing.instrument.category,
        "symbol": listing.instrument.symbol,
        "side": SIDES[position.side] if position.side else "",
        "size": listing.qtys.text(abs(position.lots)),
        "positionIdx": 0,
        "tradeMode": 0,
        "positionValue": text_of(value),
        "riskId": tier.number,
        "riskLimitValue": text_of(tier.limit),
        "avgPrice" if rest else "entryPrice": text_of(floor8(position.entry_price)),
        "markPrice": listing.prices.text(mark_ticks),
        "leverage": text_of(position.leverage),
        "breakEvenPrice": text_of(floor8(_break_even(account, position))),
        "autoAddMargin": int(position.adds_margin),
        **_margin_fields(account, position, mark_ticks),
        "liqPrice": _liquidation_text(account, position, total, quotes),
        "bustPrice": _bankruptcy_text(position) if isolated else "",
        **exit_fields(account, listing),
        "unrealisedPnl": text_of(position.unrealised(mark_ticks)),
        "sessionAvgPrice": session if rest else session or "0",
        "curRealisedPnl": text_of(position.cur_realised),
        "cumRealisedPnl": text_of(position.cum_realised),
        "delta": "",
        "gamma": "",
        "vega": "",
        "theta": "",
        "positionStatus": position.status,
        "adlRankIndicator": adl_rank,
        "createdTime": str(position.created_ms),
        "updatedTime": str(position.updated_ms),
        "openTime": position.opened_ms,
        "seq": position.seq,
        "isReduceOnly": False,
        "mmrSysUpdatedTime": "",
        "leverageSysUpdatedTime": "",
    }


def position_line(position: Position, row: Row) -> Row:
    """Return the short form the record keeps; its ``positionValue`` is the exact entry cost."""
    keys = (
        "category",
        "symbol",
        "side",
        "size",
        "entryPrice",
        "curRealisedPnl",
        "cumRealisedPnl",
        "positionStatus",
        "seq",
    )
    return {key: row[key] for key in keys} | {"positionValue": text_of(position.cost)}


def _margin_fields(account: Account, position: Position, mark_ticks: int) -> Row:
    names = ("positionIM", "positionIMByMp", "positionMM", "positionMMByMp")
    if account.margin_mode == PORTFOLIO:
        return dict.fromkeys((*names, "positionBalance"), "")
    initial, maintenance = margins_of(account, position, mark_ticks)
    balance = initial + position.extra_margin if account.margin_mode == ISOLATED else ZERO
    texts = (text_of(initial),) * 2 + (text_of(maintenance),) * 2
    return dict(zip(names, texts, strict=True)) | {"positionBalance": text_of(balance)}


def _liquidation_text(account: Account, position: Position, total: Totals, quotes: Quotes) -> str:
    """Return the price on the tick that is met first, "" where no price could be."""
    price = liquidation_price(account, position, total, quotes)
    return "" if price is None else _on_tick(position, price)


def _bankruptcy_text(position: Position) -> str:
    price = isolated_bankruptcy(position) if position.lots else ZERO
    return _on_tick(position, price) if price > 0 else ""


def _on_tick(position: Position, price: Decimal) -> str:
    rounding = ROUND_CEILING if position.lots > 0 else ROUND_FLOOR
    steps = (price / position.listing.instrument.tick).to_integral_value(rounding)
    return position.listing.prices.text(int(steps))


def _break_even(account: Account, position: Position) -> Decimal:
    """(cost - realised) / (qty - abs(qty) x taker fee), both signed by the direction."""
    if not position.lots:
        return ZERO
    sign = 1 if position.lots > 0 else -1
    qty = position.listing.qty(abs(position.lots))
    fee = max(account.ledger.rates(position.listing).taker, _BREAK_EVEN_FEE)
    return (position.cost - sign * position.cur_realised) / (qty * (1 - sign * fee))
