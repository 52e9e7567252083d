"""What the measuring venue says: enough of the REST interface for an engine to start.

One listed perpetual, a unified account with money and nothing else.
"""

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from benchmarks.frames import UNSTAMPED

SYMBOL = "BTCUSDT"
_LISTED = {
    "symbol": SYMBOL,
    "status": "Trading",
    "contractType": "LinearPerpetual",
    "baseCoin": "BTC",
    "quoteCoin": "USDT",
    "settleCoin": "USDT",
    "priceFilter": {"tickSize": "0.10"},
    "lotSizeFilter": {
        "qtyStep": "0.001",
        "minOrderQty": "0.001",
        "maxOrderQty": "1500.000",
        "maxMktOrderQty": "150.000",
        "minNotionalValue": "5",
    },
}
_FEES = {"symbol": SYMBOL, "takerFeeRate": "0.00055", "makerFeeRate": "0.0002"}
_KEY = {
    "readOnly": 0,
    "permissions": {"ContractTrade": ["Order", "Position"]},
    "ips": ["127.0.0.1"],
    "uta": 1,
    "deadlineDay": 90,
}
_WALLET = {"accountType": "UNIFIED", "coin": [{"coin": "USDT", "walletBalance": "1000000"}]}
_ANSWERS: dict[str, Callable[[], Any]] = {
    "/v5/market/time": lambda: {"timeNano": str(time.time_ns())},
    "/v5/market/instruments-info": lambda: {"list": [_LISTED]},
    "/v5/account/fee-rate": lambda: {"list": [_FEES]},
    "/v5/user/query-api": lambda: _KEY,
    "/v5/account/info": lambda: {"marginMode": "REGULAR_MARGIN", "unifiedMarginStatus": 5},
    "/v5/account/wallet-balance": lambda: {"list": [_WALLET]},
}

TICKER = (
    b'{"topic":"tickers.%b","type":"snapshot","data":{"symbol":"%b","lastPrice":"65000.00",'
    b'"markPrice":"65000.00","indexPrice":"65000.00"},"cs":1,"ts":%b}'
) % (SYMBOL.encode(), SYMBOL.encode(), UNSTAMPED)


def answer_to(path: str, query: Mapping[str, str]) -> Any:
    """Return the result of a question; of orders, executions and positions there are none."""
    answer = _ANSWERS.get(path)
    found = answer() if answer else {"list": [], "nextPageCursor": ""}
    return {"category": query.get("category", ""), **found}


def order_cancelled(order: Mapping[str, str], ms: int) -> bytes:
    """Return the private frame that ends an IOC order nobody met."""
    item = {
        "category": "linear",
        "symbol": SYMBOL,
        "orderId": f"v-{order['orderLinkId']}",
        "orderLinkId": order["orderLinkId"],
        "side": order["side"],
        "orderType": "Limit",
        "price": order["price"],
        "qty": order["qty"],
        "orderStatus": "Cancelled",
        "cumExecQty": "0",
        "rejectReason": "EC_NoImmediateQtyToFill",
        "updatedTime": str(ms),
    }
    return json.dumps({"topic": "order", "creationTime": ms, "data": [item]}).encode()
