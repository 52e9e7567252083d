"""Nonsense in any parameter is refused with a code, and the exchange goes on."""

from typing import Any

import pytest

JUNK: list[Any] = [
    None,
    True,
    -1,
    0,
    1.5,
    10**40,
    "",
    "0",
    "-0",
    "NaN",
    "Infinity",
    "1e999999",
    "1e-999999",
    "1e30",
    "１",  # noqa: RUF001 - a full-width digit
    "²",
    "x" * 5000,
    "\u0000",
    [],
    ["Buy"],
    {},
    {"a": 1},
]
PLAIN: dict[str, Any] = {
    "category": "linear",
    "symbol": "BTCUSDT",
    "side": "Buy",
    "orderType": "Limit",
    "qty": "0.010",
    "price": "59000",
}
MARKET = PLAIN | {"orderType": "Market"}
SPOT = PLAIN | {"category": "spot", "qty": "0.001"}
WAITS = PLAIN | {"triggerPrice": "61000", "triggerDirection": 1}
EXITS = PLAIN | {"takeProfit": "61000", "stopLoss": "58000", "tpslMode": "Partial"}
LIMIT_EXITS = {"tpOrderType": "Limit", "tpLimitPrice": "61000", "tpTriggerBy": "MarkPrice"}
MORE = ("positionIdx", "reduceOnly", "smpType", "isLeverage", "timeInForce", "orderLinkId")
CREATES: list[dict[str, Any]] = [
    PLAIN | dict.fromkeys(MORE),
    SPOT | {"orderFilter": "tpslOrder", "triggerPrice": "61000", "marketUnit": "baseCoin"},
    SPOT | {"orderType": "Market", "marketUnit": "quoteCoin", "qty": "100"},
    MARKET | {"slippageToleranceType": "TickSize", "slippageTolerance": "5"},
    MARKET | {"slippageToleranceType": "Percent", "slippageTolerance": "5"},
    PLAIN | {"bboSideType": "Queue", "bboLevel": "1"},
    WAITS | {"triggerBy": "MarkPrice", "closeOnTrigger": False},
    EXITS | LIMIT_EXITS,
]
STOP: dict[str, Any] = {
    "category": "linear",
    "symbol": "BTCUSDT",
    "tpslMode": "Partial",
    "positionIdx": 0,
    "takeProfit": "61000",
    "stopLoss": "58000",
    "tpSize": "0.001",
    "slSize": "0.001",
    "trailingStop": "100",
    "activePrice": "62000",
    "slTriggerBy": "LastPrice",
    "slOrderType": "Limit",
    "slLimitPrice": "58000",
}


def spoil(desk: Any, path: str, params: dict[str, Any]) -> None:
    """Send the request once for each parameter and each piece of nonsense in its place."""
    for name in params:
        for junk in JUNK:
            answer = desk.post(path, **(params | {name: junk}))
            assert answer["retCode"] == 0 or answer["result"] == {}, (name, junk, answer)


@pytest.mark.parametrize("params", CREATES)
def test_create_with_nonsense(desk: Any, params: dict[str, Any]) -> None:
    spoil(desk, "/v5/order/create", params)
    spoil(desk, "/v5/order/pre-check", params)
    assert desk.row(desk.order())["orderStatus"] == "New"


@pytest.mark.parametrize(
    "change",
    [
        {"qty": "0.02", "price": "58000"},
        {"triggerPrice": "62000", "triggerBy": "LastPrice"},
        {"takeProfit": "62000", "tpTriggerBy": "LastPrice", "tpslMode": "Partial"},
    ],
)
def test_amend_and_cancel_with_nonsense(desk: Any, change: dict[str, Any]) -> None:
    for params in (PLAIN, WAITS, EXITS):
        answer = desk.order(**params)
        ids = {"category": "linear", "symbol": "BTCUSDT", "orderId": answer["result"]["orderId"]}
        spoil(desk, "/v5/order/amend", ids | {"orderLinkId": ""} | change)
        spoil(desk, "/v5/order/cancel", ids | {"orderFilter": "Order"})


def test_trading_stop_with_nonsense(desk: Any) -> None:
    desk.order(orderType="Market", qty="1")
    spoil(desk, "/v5/position/trading-stop", STOP)
    spoil(desk, "/v5/position/trading-stop", STOP | {"tpslMode": "Full", "slOrderType": "Market"})


def test_cancel_all_protection_and_batches_with_nonsense(desk: Any) -> None:
    scope = {"category": "linear", "symbol": "BTCUSDT", "baseCoin": "", "settleCoin": ""}
    kinds = {"orderFilter": "StopOrder", "stopOrderType": "Stop"}
    spoil(desk, "/v5/order/cancel-all", scope | kinds)
    spoil(desk, "/v5/order/disconnected-cancel-all", {"product": "SPOT", "timeWindow": 10})
    for junk in JUNK:
        for op in ("create", "amend", "cancel"):
            path = f"/v5/order/{op}-batch"
            for request in (junk, [junk], [PLAIN | {"side": junk}]):
                answer = desk.post(path, category="linear", request=request)
                codes = [row["code"] for row in answer["retExtInfo"].get("list", [])]
                assert answer["retCode"] != 0 or len(codes) == 1


def test_questions_with_nonsense(desk: Any) -> None:
    desk.order()
    words = ("symbol", "baseCoin", "settleCoin", "orderId", "orderLinkId", "orderFilter")
    numbers = ("openOnly", "limit", "cursor", "startTime", "endTime", "orderStatus")
    for path in ("/v5/order/realtime", "/v5/order/history", "/v5/execution/list"):
        for name in words + numbers:
            for junk in JUNK:
                answer = desk.get(
                    path, **({"category": "linear", "settleCoin": "USDT"} | {name: junk})
                )
                assert answer["retCode"] == 0 or answer["result"] == {}


@pytest.mark.parametrize("mode", ["REGULAR_MARGIN", "ISOLATED_MARGIN"])
def test_settings_of_money_with_nonsense(desk: Any, mode: str) -> None:
    desk.post("/v5/account/set-margin-mode", setMarginMode=mode)
    desk.order(orderType="Market", qty="1")
    here = {"category": "linear", "symbol": "BTCUSDT"}
    leverage = {"buyLeverage": "9", "sellLeverage": "9"}
    for path, params in (
        ("position/set-leverage", here | leverage),
        ("position/switch-mode", here | {"mode": 0, "coin": "USDT"}),
        ("position/set-auto-add-margin", here | {"autoAddMargin": 1}),
        ("account/set-margin-mode", {"setMarginMode": mode}),
        ("account/set-limit-px-action", {"category": "linear", "modifyEnable": True}),
    ):
        spoil(desk, f"/v5/{path}", params)
    for junk in JUNK:
        desk.post("/v5/position/set-leverage", **here, buyLeverage=junk, sellLeverage=junk)
        answer = desk.post("/v5/position/add-margin", **here, margin=junk)
        assert answer["retCode"] in (0, 10001, 110012, 110015, 110027, 110046), junk
        row = {"coin": junk, "amountStr": junk}
        for coins in (junk, [junk], [row], [row | {"coin": "USDT"}]):
            answer = desk.post("/v5/account/demo-apply-money", utaDemoApplyMoney=coins)
            assert answer["retCode"] in (0, 10001, 10006), coins  # 1.5 is a number; then too soon
    assert desk.position()["size"] == "1.000"


def test_questions_of_money_with_nonsense(desk: Any) -> None:
    usual = {"category": "linear", "symbol": "BTCUSDT", "accountType": "UNIFIED", "side": "Buy"}
    names = (*usual, "settleCoin", "limit", "cursor", "startTime", "endTime", "coin", "baseCoin")
    names += ("currency", "type", "transSubType")
    for path in (
        *("position/list", "position/closed-pnl", "order/spot-borrow-check"),
        *("account/wallet-balance", "account/transaction-log", "account/fee-rate"),
        *("account/collateral-info", "account/instruments-info", "account/info"),
        *("market/risk-limit", "market/funding/history", "market/insurance"),
    ):
        for name in names:
            for junk in JUNK:
                answer = desk.get(f"/v5/{path}", **(usual | {name: junk}))
                assert answer["retCode"] == 0 or answer["result"] == {}, (path, name, junk)
