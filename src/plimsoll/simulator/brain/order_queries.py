"""Signed REST questions about orders and executions."""

from collections.abc import Iterable
from typing import Final

from plimsoll.simulator.brain.accounts import Account
from plimsoll.simulator.brain.asking import Params, Result, category_of, has
from plimsoll.simulator.brain.errors import VenueRefusal
from plimsoll.simulator.brain.floor import Floor
from plimsoll.simulator.brain.order_rows import Row, order_row
from plimsoll.simulator.brain.orders import Order
from plimsoll.simulator.brain.paging import DAY_MS, matches, page_of, window_of

_RECENT_CLOSED: Final = 500
_FINAL: Final = ("Filled", "Cancelled", "PartiallyFilledCanceled", "Rejected", "Deactivated")


def open_orders(floor: Floor, account: Account, params: Params, now_ns: int) -> Result:
    """Answer ``/v5/order/realtime``: working orders, or the 500 last closed ones."""
    category = category_of(params)
    named = bool(params.get("orderId") or params.get("orderLinkId"))
    if category == "linear" and not (named or has(params, "symbol", "baseCoin", "settleCoin")):
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
    category = category_of(params)
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
    category = category_of(params)
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
            settle = item.settle or item.quote  # not supported on spot, and sent all the same
            fields = {"symbol": item.symbol, "baseCoin": item.base, "settleCoin": settle}
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
