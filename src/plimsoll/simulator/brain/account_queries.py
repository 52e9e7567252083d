"""Signed REST questions: orders, executions, positions, wallet, account and key."""

from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from plimsoll.simulator.brain.accounts import Account
from plimsoll.simulator.brain.codec import Row, order_row, position_row, wallet_row
from plimsoll.simulator.brain.errors import VenueRefusal
from plimsoll.simulator.brain.floor import CATEGORIES, Floor
from plimsoll.simulator.brain.numbers import text_of
from plimsoll.simulator.brain.orders import Order
from plimsoll.simulator.brain.paging import DAY_MS, matches, page_of, window_of

Params = Mapping[str, Any]
Result = dict[str, Any]
_RECENT_CLOSED: Final = 500
_FINAL: Final = ("Filled", "Cancelled", "PartiallyFilledCanceled", "Rejected", "Deactivated")


def open_orders(floor: Floor, account: Account, params: Params, now_ns: int) -> Result:
    """Answer ``/v5/order/realtime``: working orders, or the 500 last closed ones."""
    category = _category(params)
    named = bool(params.get("orderId") or params.get("orderLinkId"))
    if category == "linear" and not (named or _has(params, "symbol", "baseCoin", "settleCoin")):
        raise VenueRefusal(10001, "params error: symbol, settleCoin or baseCoin is needed")
    closed = _newest(account.orders.closed)[:_RECENT_CLOSED]
    working = _newest(account.orders.open.values())
    if named:
        pool = working + closed
    else:
        pool = closed if str(params.get("openOnly", "0")) == "1" else working
    return _order_page(pool, params, category)


def order_history(floor: Floor, account: Account, params: Params, now_ns: int) -> Result:
    """Answer ``/v5/order/history``: closed orders; unfilled ones for 24 hours only."""
    category = _category(params)
    now_ms = now_ns // 1_000_000
    first, last = window_of(params, now_ms)
    wanted = params.get("orderStatus")
    if wanted and wanted not in _FINAL:
        raise VenueRefusal(181017)
    named = bool(params.get("orderId") or params.get("orderLinkId"))
    pool = [
        order
        for order in _newest(account.orders.closed)
        if (named or first <= order.created_ms <= last)
        and (not wanted or order.status == wanted)
        and (order.cum_lots or order.updated_ms > now_ms - DAY_MS)
    ]
    return _order_page(pool, params, category)


def executions(floor: Floor, account: Account, params: Params, now_ns: int) -> Result:
    """Answer ``/v5/execution/list``: newest first."""
    category = _category(params)
    first, last = window_of(params, now_ns // 1_000_000)
    name = (
        "orderId" if params.get("orderId") else "orderLinkId" if params.get("orderLinkId") else ""
    )
    found = [
        (entry.serial, entry.row)
        for entry in reversed(account.executions)
        if entry.row["category"] == category
        and (
            entry.row[name] == params[name]
            if name
            else first <= entry.time_ms <= last
            and matches(params, entry.row, ("symbol", "execType"))
        )
    ]
    page, cursor = page_of(found, params, most=100, usual=50)
    rows = [_rest_execution(row) for row in page]
    return {"category": category, "nextPageCursor": cursor, "list": rows}


def positions(floor: Floor, account: Account, params: Params, now_ns: int) -> Result:
    """Answer ``/v5/position/list``: a symbol always has a row, a settle coin open ones only."""
    category = _category(params)
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
    category = _category(params)
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
    category = _category(params)
    account.adjusts_price[category] = params.get("modifyEnable") in (True, "true")
    fields: Result = {"event": "limit-px-action", "category": category}
    fields["modifyEnable"] = account.adjusts_price[category]
    floor.record(now_ns, "config", account.uid, fields)
    return {}


def _order_page(pool: Iterable[Order], params: Params, category: str) -> Result:
    by_id, by_link = params.get("orderId"), params.get("orderLinkId")
    found = []
    for order in pool:
        item = order.listing.instrument
        if item.category != category:
            continue
        if by_id or by_link:
            wanted = order.order_id == by_id if by_id else order.link_id == by_link
        else:
            fields = {"symbol": item.symbol, "baseCoin": item.base, "settleCoin": item.settle}
            wanted = matches(params, fields, fields)
            wanted = wanted and params.get("orderFilter", "Order") == "Order"
        if wanted:
            found.append((order.serial, order))
    page, cursor = page_of(found, params, most=50, usual=20)
    rows = [order_row(order) for order in page]
    for row in rows:
        del row["category"], row["closedPnl"], row["feeCurrency"]
    return {"category": category, "nextPageCursor": cursor, "list": rows}


def _newest(orders: Iterable[Order]) -> list[Order]:
    return sorted(orders, key=lambda order: order.serial, reverse=True)


def _rest_execution(row: Row) -> Row:
    missing = ("category", "isLeverage", "execPnl", "marketUnit")
    return {k: v for k, v in row.items() if k not in missing} | {"extraFees": ""}


def _category(params: Params) -> str:
    category = params.get("category", "")
    if category not in CATEGORIES:
        raise VenueRefusal(10001, f"params error: Category {category!r} is invalid")
    return str(category)


def _has(params: Params, *names: str) -> bool:
    return any(params.get(name) for name in names)
