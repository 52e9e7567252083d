"""Signed REST questions and settings of the account: wallet, fees, transactions, margin mode."""

from decimal import Decimal
from typing import Final

from plimsoll.simulator.brain.accounts import CROSS, ISOLATED, PORTFOLIO, Account
from plimsoll.simulator.brain.asking import Params, Result, category_of
from plimsoll.simulator.brain.collateral import collateral_row
from plimsoll.simulator.brain.errors import VenueRefusal
from plimsoll.simulator.brain.floor import Floor
from plimsoll.simulator.brain.funds import covers_positions
from plimsoll.simulator.brain.listings import info_row
from plimsoll.simulator.brain.margin import free_coin, totals_of
from plimsoll.simulator.brain.numbers import ZERO, decimal_of, floor8, text_of
from plimsoll.simulator.brain.paging import DAY_MS, matches, page_of, window_of
from plimsoll.simulator.brain.treasury import move_money, spare
from plimsoll.simulator.brain.wallet_rows import wallet_row

_UPDATED_MS: Final = 1_700_000_000_000
_GRANT_PAUSE_MS: Final = 60_000
_GRANT_MOST: Final = {
    "BTC": Decimal(15),
    "ETH": Decimal(200),
    "USDT": Decimal(100_000),
    "USDC": Decimal(100_000),
}
"""Demo money in one request (Bybit v5 docs, demo)."""


def wallet(floor: Floor, account: Account, params: Params, now_ns: int) -> Result:
    """Answer ``/v5/account/wallet-balance``."""
    if params.get("accountType") != "UNIFIED" or not account.is_unified:
        kind = "UNIFIED" if account.is_unified else "CONTRACT or SPOT"
        raise VenueRefusal(10001, f"params error: accountType only supports {kind}")
    coins = set(params["coin"].split(",")) if params.get("coin") else None
    quotes = floor.quotes()
    return {"list": [wallet_row(account, totals_of(account, quotes), quotes, coins)]}


def account_info(floor: Floor, account: Account, params: Params, now_ns: int) -> Result:
    """Answer ``/v5/account/info``."""
    windows = account.dcp_in_force(now_ns).values()
    return {
        "marginMode": account.margin_mode,
        "updatedTime": str(account.updated_ms or _UPDATED_MS),
        "unifiedMarginStatus": 6 if account.is_unified else 1,
        "isMasterTrader": False,
        "spotHedgingStatus": "OFF",
        "dcpStatus": "ON" if windows else "OFF",
        "timeWindow": max((one.seconds for one in windows), default=10),
        "smpGroup": 0,
    }


def fee_rates(floor: Floor, account: Account, params: Params, now_ns: int) -> Result:
    """Answer ``/v5/account/fee-rate``: what this account pays now."""
    category = category_of(params)
    rows = [
        {
            "symbol": item.symbol,
            "takerFeeRate": text_of(account.ledger.rates(listing).taker),
            "makerFeeRate": text_of(account.ledger.rates(listing).maker),
        }
        for listing in floor.listings.values()
        if (item := listing.instrument).category == category
        and params.get("symbol", item.symbol) == item.symbol
        and params.get("baseCoin", item.base) == item.base
    ]
    return ({"category": "spot"} if category == "spot" else {}) | {"list": rows}


def instruments(floor: Floor, account: Account, params: Params, now_ns: int) -> Result:
    """Answer ``/v5/account/instruments-info``: what this account may trade."""
    category = category_of(params)
    rows = [
        info_row(listing)
        for listing in floor.listings.values()
        if (item := listing.instrument).category == category
        and params.get("symbol", item.symbol) == item.symbol
    ]
    numbered = [(len(rows) - at, row) for at, row in enumerate(rows)]
    page, cursor = page_of(numbered, params, most=200, usual=200)
    return {"category": category, "list": page, "nextPageCursor": cursor}


def transactions(floor: Floor, account: Account, params: Params, now_ns: int) -> Result:
    """Answer ``/v5/account/transaction-log``: one row for each change of a balance."""
    first, last = window_of(params, now_ns // 1_000_000, usual_ms=DAY_MS)
    base = params.get("baseCoin")
    bases = {item.symbol: item.base for item in (one.instrument for one in floor.listings.values())}
    found = [
        (entry.serial, entry.row)
        for entry in reversed(account.transactions)
        if first <= entry.time_ms <= last
        and matches(params, entry.row, ("category", "currency", "type", "transSubType"))
        and (not base or bases.get(entry.row["symbol"]) == base)
    ]
    page, cursor = page_of(found, params, most=50, usual=20)
    return {"nextPageCursor": cursor, "list": page}


def collateral(floor: Floor, account: Account, params: Params, now_ns: int) -> Result:
    """Answer ``/v5/account/collateral-info``."""
    quotes = floor.quotes()
    coins = dict.fromkeys((*quotes.ratios, *account.ledger.balances))
    wanted = params.get("currency")
    return {
        "list": [
            collateral_row(coin, quotes.ratios.get(coin, ZERO), quotes.usd)
            for coin in coins
            if wanted in (None, "", coin)
        ]
    }


def user_settings(floor: Floor, account: Account, params: Params, now_ns: int) -> Result:
    """Answer ``/v5/account/user-setting-config``; ``lpa`` = refuses prices beyond the limit."""
    return {
        "lpaSpot": not account.adjusts_price["spot"],
        "lpaPerp": not account.adjusts_price["linear"],
        "deltaEnable": False,
        "smsef": "0",
        "fmsef": "0",
    }


def smp_group(floor: Floor, account: Account, params: Params, now_ns: int) -> Result:
    """Answer ``/v5/account/smp-group``: no account is in one."""
    return {"smpGroup": 0}


def key_info(floor: Floor, account: Account, params: Params, now_ns: int) -> Result:
    """Answer ``/v5/user/query-api``."""
    rights = account.rights
    return {
        "id": str(account.uid),
        "note": "simulator",
        "apiKey": account.key,
        "readOnly": int(rights.is_read_only),
        "secret": "",
        "permissions": rights.shown(),
        "ips": list(rights.ips),
        "type": 1,
        "deadlineDay": rights.days_left(now_ns // 1_000_000),
        "expiredAt": rights.expiry_text(),
        "createdAt": "2023-11-14T22:13:20Z",
        "unified": 0,
        "uta": int(account.is_unified),
        "userID": account.uid,
        "inviterID": 0,
        "vipLevel": "No VIP",
        "mktMakerLevel": "0",
        "affiliateID": 0,
        "rsaPublicKey": "",
        "isMaster": True,
        "parentUid": "0",
        "kycLevel": "LEVEL_DEFAULT",
        "kycRegion": "",
    }


def coins(floor: Floor, account: Account, params: Params, now_ns: int) -> Result:
    """Answer ``/v5/asset/coin/query-info``: no deposits or withdrawals here, so no rows."""
    return {"rows": []}


def borrow_check(floor: Floor, account: Account, params: Params, now_ns: int) -> Result:
    """Answer ``/v5/order/spot-borrow-check``: what may be spent; nothing can be borrowed."""
    if params.get("category") != "spot":
        raise VenueRefusal(10001, "params error: category must be spot")
    listing = floor.listing("spot", params.get("symbol"))
    side = params.get("side")
    if side not in ("Buy", "Sell"):
        raise VenueRefusal(10001, f"params error: side invalid {side!r}")
    item = listing.instrument
    total = totals_of(account, floor.quotes())
    coin = item.quote if side == "Buy" else item.base
    spendable = max(ZERO, free_coin(account, total, coin))
    price = listing.price(floor.markets[listing.name].last_ticks)
    in_base = spendable if side == "Sell" else (spendable / price if price else ZERO)
    in_quote = spendable if side == "Buy" else spendable * price
    qty, amount = text_of(floor8(in_base)), text_of(floor8(in_quote))
    return {
        "symbol": item.symbol,
        "side": side,
        "maxTradeQty": qty,
        "maxTradeAmount": amount,
        "spotMaxTradeQty": qty,
        "spotMaxTradeAmount": amount,
        "borrowCoin": coin,
    }


def set_margin_mode(floor: Floor, account: Account, params: Params, now_ns: int) -> Result:
    """Answer ``/v5/account/set-margin-mode``; asking for the present mode changes nothing.

    Raises:
        VenueRefusal: 10001 for another word, 3400045 with reasons where the account cannot switch.
    """
    wanted = params.get("setMarginMode")
    if wanted not in (CROSS, ISOLATED, PORTFOLIO):
        raise VenueRefusal(10001, f"params error: setMarginMode invalid {wanted!r}")
    if wanted == account.margin_mode:
        return {"reasons": []}
    if wanted == PORTFOLIO:
        raise _not_switched("3400000", "Portfolio margin is not offered by this simulator")
    before, account.margin_mode = account.margin_mode, wanted
    if not covers_positions(account, totals_of(account, floor.quotes())):
        account.margin_mode = before
        raise _not_switched("3400052", "Insufficient margin for the positions and orders held")
    if wanted == CROSS:
        for position in account.ledger.positions.values():
            position.extra_margin = ZERO
    account.updated_ms = now_ns // 1_000_000
    fields = {"event": "margin-mode", "marginMode": wanted}
    floor.record(now_ns, "config", account.uid, fields)
    return {"reasons": []}


def apply_demo_money(floor: Floor, account: Account, params: Params, now_ns: int) -> Result:
    """Answer ``/v5/account/demo-apply-money``: once a minute, added or taken away.

    Raises:
        VenueRefusal: 10006 too soon; 10001 an unknown coin, a bad amount, or more than is free.
    """
    now_ms = now_ns // 1_000_000
    if account.granted_ms is not None and now_ms - account.granted_ms < _GRANT_PAUSE_MS:
        raise VenueRefusal(10006)
    asked = params.get("utaDemoApplyMoney")
    if not isinstance(asked, list) or not asked:
        raise VenueRefusal(10001, "params error: utaDemoApplyMoney must be a list of coins")
    sign = -1 if str(params.get("adjustType", "0")) == "1" else 1
    amounts = [_granted(item) for item in asked]
    for coin, amount in amounts:
        if sign < 0 and amount > spare(floor, account, coin):
            raise VenueRefusal(10001, f"params error: {coin} cannot be reduced by {amount}")
    account.granted_ms = now_ms
    for coin, amount in amounts:
        move_money(floor, account, coin, sign * amount, "TRANSFER", now_ns)
    return {}


def set_price_action(floor: Floor, account: Account, params: Params, now_ns: int) -> Result:
    """Answer ``/v5/account/set-limit-px-action``: move or refuse prices beyond the limit."""
    category = category_of(params)
    account.adjusts_price[category] = params.get("modifyEnable") in (True, "true")
    fields: Result = {"event": "limit-px-action", "category": category}
    fields["modifyEnable"] = account.adjusts_price[category]
    floor.record(now_ns, "config", account.uid, fields)
    return {}


def _granted(item: object) -> tuple[str, Decimal]:
    found = item if isinstance(item, dict) else {}
    coin = str(found.get("coin"))
    try:
        amount = decimal_of(str(found.get("amountStr")))
    except ValueError:
        amount = ZERO
    if not 0 < amount <= _GRANT_MOST.get(coin, ZERO) or amount != floor8(amount):
        raise VenueRefusal(10001, f"params error: amountStr of {coin} invalid")
    return coin, amount


def _not_switched(code: str, text: str) -> VenueRefusal:
    reasons = [{"reasonCode": code, "reasonMsg": text}]
    return VenueRefusal(3400045, result={"reasons": reasons})
