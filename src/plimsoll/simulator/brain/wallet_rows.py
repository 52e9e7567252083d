"""The account object of wallet-balance and the ``wallet`` topic (Bybit v5 docs)."""

from decimal import Decimal

from plimsoll.simulator.brain.accounts import ISOLATED, PORTFOLIO, Account
from plimsoll.simulator.brain.margin import Margin, Quotes, Totals
from plimsoll.simulator.brain.numbers import ZERO, ceil8, floor8, text_of
from plimsoll.simulator.brain.order_rows import Row

_NOT_ISOLATED = (
    "accountIMRate",
    "accountMMRate",
    "totalMarginBalance",
    "totalAvailableBalance",
    "totalInitialMargin",
    "totalMaintenanceMargin",
)
"""Fields of the account as a whole, which mean nothing where each position stands alone."""
_BY_MARK = ("accountIMRate", "accountMMRate", "totalInitialMargin", "totalMaintenanceMargin")


def wallet_row(
    account: Account, total: Totals, quotes: Quotes, coins: set[str] | None = None
) -> Row:
    """Return the account object.

    ``coins`` limits the coins listed; the totals are always of the whole account, in USD. What the
    account has is rounded down, what it needs up.
    """
    row: Row = {
        "accountType": "UNIFIED",
        "accountIMRate": text_of(margin_rate(total.initial, total.base)),
        "accountMMRate": text_of(margin_rate(total.maintenance, total.base)),
        "accountLTV": "0",
        "totalEquity": text_of(floor8(total.equity)),
        "totalWalletBalance": text_of(floor8(total.wallet)),
        "totalMarginBalance": text_of(floor8(total.balance)),
        "totalAvailableBalance": text_of(floor8(max(ZERO, total.available))),
        "totalPerpUPL": text_of(floor8(total.unrealised)),
        "totalInitialMargin": text_of(ceil8(total.initial)),
        "totalMaintenanceMargin": text_of(ceil8(total.maintenance)),
    }
    if account.margin_mode == ISOLATED:
        row |= dict.fromkeys(_NOT_ISOLATED, "")
    row |= {f"{name}ByMp": row[name] for name in _BY_MARK}
    row["coin"] = [
        _coin_row(account, coin, total, quotes)
        for coin in account.ledger.balances
        if coins is None or coin in coins
    ]
    return row


def wallet_line(row: Row) -> Row:
    """Return the short form the record keeps."""
    keys = ("coin", "walletBalance", "locked", "cumRealisedPnl")
    return {"coin": [{key: coin[key] for key in keys} for coin in row["coin"]]}


def _coin_row(account: Account, coin: str, total: Totals, quotes: Quotes) -> Row:
    balance = account.ledger.balances[coin]
    margin = total.coins.get(coin, Margin())
    equity = balance + margin.unrealised
    debt = text_of(max(ZERO, -balance))
    counts = bool(quotes.ratios.get(coin, ZERO))
    needs = (margin.order_im, margin.position_im, margin.maintenance)
    is_portfolio = account.margin_mode == PORTFOLIO
    order_im, position_im, position_mm = ("" if is_portfolio else text_of(one) for one in needs)
    return {
        "coin": coin,
        "equity": text_of(equity),
        "usdValue": text_of(floor8(equity * quotes.usd.get(coin, ZERO))),
        "walletBalance": text_of(balance),
        "locked": text_of(total.locked.get(coin, ZERO)),
        "spotHedgingQty": "0",
        "borrowAmount": debt,
        "accruedInterest": "0",
        "totalOrderIM": order_im,
        "totalPositionIM": position_im,
        "totalPositionMM": position_mm,
        "unrealisedPnl": text_of(margin.unrealised),
        "cumRealisedPnl": text_of(account.ledger.realised.get(coin, ZERO)),
        "bonus": text_of(account.ledger.bonus.get(coin, ZERO)),
        "marginCollateral": counts,
        "collateralSwitch": counts,
        "colRes": "0",
        "spotBorrow": "0",
        "free": "",
        "availableToWithdraw": "",
        "availableToBorrow": "",
    }


def margin_rate(needed: Decimal, base: Decimal) -> Decimal:
    """Return a margin rate rounded up; with nothing left to cover anything it is 100 times over."""
    if not needed:
        return ZERO
    return ceil8(needed / base) if base > 0 else Decimal(100)
