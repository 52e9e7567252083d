"""Signed REST questions and settings: positions, wallet, account and key."""

from decimal import Decimal, InvalidOperation

from plimsoll.simulator.brain.accounts import Account
from plimsoll.simulator.brain.asking import Params, Result, category_of
from plimsoll.simulator.brain.errors import VenueRefusal
from plimsoll.simulator.brain.exits import exit_fields
from plimsoll.simulator.brain.floor import Floor
from plimsoll.simulator.brain.money_rows import position_row, wallet_row
from plimsoll.simulator.brain.numbers import text_of
from plimsoll.simulator.brain.paging import DAY_MS, matches, page_of, window_of


def positions(floor: Floor, account: Account, params: Params, now_ns: int) -> Result:
    """Answer ``/v5/position/list``: a symbol always has a row, a settle coin open ones only."""
    category = category_of(params)
    if category == "spot":
        raise VenueRefusal(10001, "params error: category spot has no positions")
    symbol, settle = params.get("symbol"), params.get("settleCoin")
    if category == "linear" and not (symbol or settle):
        raise VenueRefusal(10001, "params error: symbol or settleCoin is needed")
    if symbol:
        found = [account.ledger.position(floor.listing(category, symbol))]
    else:
        held = account.ledger.positions.values() if category == "linear" else ()
        found = [p for p in held if p.lots and p.listing.instrument.settle == settle]
    rows = [
        position_row(position, floor.mark_of(position.listing.name), rest=True)
        | exit_fields(account, position.listing)
        for position in found
    ]
    for row in rows:
        del row["category"]
    return {"category": category, "nextPageCursor": "", "list": rows}


def wallet(floor: Floor, account: Account, params: Params, now_ns: int) -> Result:
    """Answer ``/v5/account/wallet-balance``."""
    if params.get("accountType") != "UNIFIED":
        raise VenueRefusal(10001, "params error: accountType only supports UNIFIED")
    coins = set(params["coin"].split(",")) if params.get("coin") else None
    return {"list": [wallet_row(account, floor.mark_of, floor.index_of(), coins)]}


def account_info(floor: Floor, account: Account, params: Params, now_ns: int) -> Result:
    """Answer ``/v5/account/info``: unified, cross margin."""
    return {
        "marginMode": "REGULAR_MARGIN",
        "updatedTime": "1700000000000",
        "unifiedMarginStatus": 6,
        "isMasterTrader": False,
        "spotHedgingStatus": "OFF",
        "dcpStatus": "OFF",
        "timeWindow": 10,
        "smpGroup": 0,
    }


def fee_rates(floor: Floor, account: Account, params: Params, now_ns: int) -> Result:
    """Answer ``/v5/account/fee-rate``."""
    category = category_of(params)
    rows = [
        {
            "symbol": item.symbol,
            "takerFeeRate": item.taker_fee,
            "makerFeeRate": item.maker_fee,
        }
        for listing in floor.listings.values()
        if (item := listing.instrument).category == category
        and params.get("symbol", item.symbol) == item.symbol
    ]
    return ({"category": "spot"} if category == "spot" else {}) | {"list": rows}


def transactions(floor: Floor, account: Account, params: Params, now_ns: int) -> Result:
    """Answer ``/v5/account/transaction-log``: one row per coin an execution moved."""
    first, last = window_of(params, now_ns // 1_000_000, usual_ms=DAY_MS)
    found = [
        (entry.serial, entry.row)
        for entry in reversed(account.transactions)
        if first <= entry.time_ms <= last
        and matches(params, entry.row, ("category", "currency", "type"))
    ]
    page, cursor = page_of(found, params, most=50, usual=20)
    return {"nextPageCursor": cursor, "list": page}


def key_info(floor: Floor, account: Account, params: Params, now_ns: int) -> Result:
    """Answer ``/v5/user/query-api``: trading permissions, no withdrawal, unbound address."""
    return {
        "id": str(account.uid),
        "note": "simulator",
        "apiKey": account.key,
        "readOnly": int(account.is_read_only),
        "secret": "",
        "permissions": {
            "ContractTrade": ["Order", "Position"],
            "Spot": ["SpotTrade"],
            "Wallet": [],
            "Options": [],
            "Derivatives": ["DerivativesTrade"],
            "CopyTrading": [],
            "BlockTrade": [],
            "Exchange": [],
            "NFT": [],
            "Affiliate": [],
            "Earn": [],
        },
        "ips": ["*"],
        "type": 1,
        "deadlineDay": 90,
        "expiredAt": "2030-01-01T00:00:00Z",
        "createdAt": "2023-11-14T22:13:20Z",
        "unified": 0,
        "uta": 1,
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


def set_leverage(floor: Floor, account: Account, params: Params, now_ns: int) -> Result:
    """Answer ``/v5/position/set-leverage``."""
    listing = floor.listing(params.get("category"), params.get("symbol"))
    if listing.is_spot or params.get("buyLeverage") != params.get("sellLeverage"):
        raise VenueRefusal(10001, "params error: buyLeverage must equal sellLeverage on linear")
    try:
        leverage = Decimal(str(params.get("buyLeverage")))
    except InvalidOperation:
        raise VenueRefusal(10001, "params error: buyLeverage invalid") from None
    if not 1 <= leverage <= Decimal(listing.max_leverage):
        raise VenueRefusal(110013)
    position = account.ledger.position(listing)
    if position.leverage == leverage:
        raise VenueRefusal(110043)
    position.leverage = leverage
    fields = {"event": "leverage", "symbol": listing.name, "leverage": text_of(leverage)}
    floor.record(now_ns, "config", account.uid, fields)
    return {}


def switch_mode(floor: Floor, account: Account, params: Params, now_ns: int) -> Result:
    """Answer ``/v5/position/switch-mode``: one-way is the only mode."""
    mode = str(params.get("mode"))
    if mode == "0":
        raise VenueRefusal(110025)
    if mode != "3":
        raise VenueRefusal(10001, f"params error: mode invalid {mode!r}")
    if any(position.lots for position in account.ledger.positions.values()):
        raise VenueRefusal(110024)
    raise VenueRefusal(110029)


def set_price_action(floor: Floor, account: Account, params: Params, now_ns: int) -> Result:
    """Answer ``/v5/account/set-limit-px-action``: move or refuse prices beyond the limit."""
    category = category_of(params)
    account.adjusts_price[category] = params.get("modifyEnable") in (True, "true")
    fields: Result = {"event": "limit-px-action", "category": category}
    fields["modifyEnable"] = account.adjusts_price[category]
    floor.record(now_ns, "config", account.uid, fields)
    return {}
