"""What questions about orders show, in which order, for how long, and how late."""

from typing import Any

import pytest

from plimsoll.core.model import Side

ASK: dict[str, Any] = {"category": "linear", "symbol": "BTCUSDT"}
RISES: dict[str, Any] = {"triggerPrice": "61000", "triggerDirection": 1}
DAY_S = 86_400


def links(desk: Any, path: str = "realtime", **params: object) -> list[str]:
    rows = desk.get(f"/v5/order/{path}", **({"category": "linear"} | params))["result"]["list"]
    return [row["orderLinkId"] for row in rows]


def test_realtime_remembers_five_hundred_closed_orders_per_category(desk: Any) -> None:
    for n in range(502):
        desk.order(orderLinkId=f"l{n}", timeInForce="IOC")
    desk.order(category="spot", qty="0.001", timeInForce="IOC", orderLinkId="s")
    assert links(desk, category="spot", openOnly=1) == ["s"]
    seen: list[str] = []
    cursor = ""
    while True:
        more = {"cursor": cursor} if cursor else {}
        answer = desk.get("/v5/order/realtime", **ASK, openOnly=1, limit=50, **more)
        seen += [row["orderLinkId"] for row in answer["result"]["list"]]
        cursor = answer["result"]["nextPageCursor"]
        if not cursor:
            break
    assert seen == [f"l{n}" for n in range(501, 1, -1)]
    assert links(desk, orderLinkId="l1") == []
    assert links(desk, "history", orderLinkId="l1") == ["l1"]


def test_restart_of_the_venue_clears_the_recently_closed_ones(desk: Any) -> None:
    desk.order(orderLinkId="gone", timeInForce="IOC")
    desk.order(orderLinkId="open")
    desk.exchange.floor.accounts["sim-key"].orders.forget_recent()
    assert links(desk, **ASK, openOnly=1) == []
    assert links(desk, orderLinkId="gone") == []
    assert links(desk, **ASK) == ["open"]
    assert links(desk, "history") == ["gone"]


def test_history_keeps_unfilled_orders_a_day_and_filled_ones_two_years(desk: Any) -> None:
    partly = desk.order(orderLinkId="partly", price="60000.10", qty="12", timeInForce="IOC")
    assert desk.row(partly)["orderStatus"] == "Cancelled"
    desk.order(orderLinkId="stop", **RISES)
    desk.post("/v5/order/cancel", **ASK, orderLinkId="stop")
    assert links(desk, "history") == ["stop", "partly"]
    desk.wait(DAY_S + 1)
    assert links(desk, "history") == ["partly"]
    desk.wait(8 * DAY_S)
    assert links(desk, "history") == []
    assert links(desk, "history", orderLinkId="partly") == ["partly"]
    desk.wait(2 * 365 * DAY_S)
    assert links(desk, "history", orderLinkId="partly") == []


def test_history_window_is_seven_days_at_most(desk: Any) -> None:
    desk.order(orderLinkId="old", price="60000.10")
    start = desk.now_ns // 1_000_000 - 1000
    desk.wait(10 * DAY_S)
    assert links(desk, "history", startTime=start) == ["old"]
    assert links(desk, "history", endTime=start + 2000) == ["old"]
    week = 7 * DAY_S * 1000
    answer = desk.get(
        "/v5/order/history", category="linear", startTime=start, endTime=start + week + 1
    )
    assert answer["retCode"] == 10001
    assert links(desk, "history", startTime=start, endTime=start + week) == ["old"]
    assert desk.get("/v5/order/history", **ASK, orderStatus="New")["retCode"] == 181017


def test_order_shows_after_the_visibility_delay(make_desk: Any) -> None:
    desk = make_desk(visibility_delay_ms=500)
    desk.order(orderLinkId="late")
    desk.order(orderLinkId="filled", price="60000.10")
    assert links(desk, **ASK) == []
    assert links(desk, orderLinkId="late") == []
    assert links(desk, "history", orderLinkId="filled") == []
    desk.wait(0.5)
    assert links(desk, orderLinkId="late") == ["late"]
    assert links(desk, "history", orderLinkId="filled") == ["filled"]


def test_history_and_executions_lag_by_their_own_delay(make_desk: Any) -> None:
    desk = make_desk(history_delay_ms=500)
    desk.order(orderLinkId="filled", price="60000.10")
    assert links(desk, orderLinkId="filled") == ["filled"]
    assert links(desk, "history", orderLinkId="filled") == []
    assert desk.get("/v5/execution/list", **ASK)["result"]["list"] == []
    desk.wait(0.5)
    assert links(desk, "history", orderLinkId="filled") == ["filled"]
    assert len(desk.get("/v5/execution/list", **ASK)["result"]["list"]) == 1


def test_order_filter_tells_kinds_apart_until_they_trigger(desk: Any) -> None:
    desk.order(orderLinkId="plain")
    desk.order(orderLinkId="stop", **RISES)
    assert links(desk, **ASK) == ["stop", "plain"]
    assert links(desk, **ASK, orderFilter="Order") == ["plain"]
    assert links(desk, **ASK, orderFilter="StopOrder") == ["stop"]
    desk.trade("linear:BTCUSDT", Side.BUY, 610_000, 1)
    assert links(desk, **ASK, orderFilter="Order") == ["stop", "plain"]
    spot = {"category": "spot", "qty": "0.001", "price": "59000"}
    desk.order(**spot, orderLinkId="spot")
    for kind in ("StopOrder", "tpslOrder"):
        desk.order(**spot, orderLinkId=kind, triggerPrice="61000", orderFilter=kind)
        assert links(desk, category="spot", orderFilter=kind) == [kind]
    desk.order(category="spot", qty="0.001", price="60000.01", takeProfit="61000", stopLoss="59000")
    assert len(links(desk, category="spot", orderFilter="OcoOrder")) == 2
    assert len(links(desk, category="spot")) == 5


def test_scope_is_the_first_of_symbol_base_and_settle_coin(desk: Any) -> None:
    desk.order(orderLinkId="btc")
    desk.order(orderLinkId="eth", symbol="ETHUSDT", price="2900", qty="0.1")
    assert links(desk, settleCoin="USDT") == ["eth", "btc"]
    assert links(desk, settleCoin="USDC") == []
    assert links(desk, baseCoin="ETH", settleCoin="USDC") == ["eth"]
    assert links(desk, symbol="BTCUSDT", baseCoin="ETH") == ["btc"]
    assert links(desk, orderLinkId="eth", symbol="BTCUSDT") == ["eth"]


@pytest.mark.parametrize("category", ["linear", "spot"])
def test_row_of_a_plain_order_has_every_field_and_no_unknown_words(
    desk: Any, category: str
) -> None:
    qty = {"linear": "0.010", "spot": "0.001"}[category]
    row = desk.row(desk.order(category=category, qty=qty, orderLinkId="one"), category)
    empty = (
        "parentOrderLinkId blockTradeId avgPrice stopOrderType ocoTriggerBy orderIv marketUnit "
        "slippageTolerance triggerPrice takeProfit stopLoss tpslMode tpLimitPrice slLimitPrice "
        "tpTriggerBy slTriggerBy triggerBy placeType smpOrderId extraFees"
    )
    assert {name: row[name] for name in empty.split()} == dict.fromkeys(empty.split(), "")
    text = "price qty side symbol orderId orderLinkId orderStatus orderType timeInForce leavesQty"
    more = "leavesValue cumExecQty cumExecValue cumExecFee lastPriceOnCreated createdTime"
    for name in f"{text} {more} updatedTime basePrice".split():
        assert row[name], name
        assert isinstance(row[name], str), name
    whole = ("positionIdx", "triggerDirection", "smpGroup")
    assert [type(row[name]) for name in whole] == [int, int, int]
    flags = ("reduceOnly", "closeOnTrigger", "rpiTakerAccess")
    assert [row[name] for name in flags] == [False, False, False]
    words = ("cancelType", "rejectReason", "smpType", "slippageToleranceType", "createType")
    made = "CreateByUser" if category == "linear" else ""
    assert [row[name] for name in words] == ["UNKNOWN", "EC_NoError", "None", "UNKNOWN", made]
    assert row["cumFeeDetail"] == {}
    assert row["isLeverage"] == ("" if category == "linear" else "0")


def test_record_tells_what_is_needed_to_follow_conditional_orders(desk: Any) -> None:
    desk.order(orderLinkId="p", price="60000.10", takeProfit="61000")
    line = desk.kinds("order")[-1]
    assert {
        name: line[name]
        for name in ("triggerPrice", "stopOrderType", "parentOrderLinkId", "createType")
    } == {
        "triggerPrice": "61000.00",
        "stopOrderType": "TakeProfit",
        "parentOrderLinkId": "p",
        "createType": "CreateByTakeProfit",
    }


@pytest.mark.parametrize(("category", "most"), [("linear", 20), ("spot", 10)])
def test_batch_sizes(desk: Any, category: str, most: int) -> None:
    item = {"symbol": "BTCUSDT", "side": "Buy", "orderType": "Limit", "price": "59000"}
    item["qty"] = "0.001"
    full = desk.post("/v5/order/create-batch", category=category, request=[item] * most)
    assert [row["code"] for row in full["retExtInfo"]["list"]] == [0] * most
    over = desk.post("/v5/order/create-batch", category=category, request=[item] * (most + 1))
    assert over["retCode"] == 10001
    assert desk.post("/v5/order/create-batch", category=category, request=[])["retCode"] == 10001


def test_batch_beyond_the_rate_fails_item_by_item(make_desk: Any) -> None:
    desk = make_desk(limits="venue")
    item = {"symbol": "BTCUSDT", "side": "Buy", "orderType": "Limit", "price": "59000"}
    item["qty"] = "0.001"
    answer = desk.post("/v5/order/create-batch", category="linear", request=[item] * 12)
    assert answer["retCode"] == 0
    assert [row["code"] for row in answer["retExtInfo"]["list"]] == [0] * 10 + [10006] * 2
    assert desk.order()["retCode"] == 0  # the bucket of single orders is another one


@pytest.mark.parametrize(
    ("path", "params", "limit"),
    [
        ("/v5/order/pre-check", {"symbol": "BTCUSDT"}, 10),
        ("/v5/order/disconnected-cancel-all", {"product": "SPOT", "timeWindow": 5}, 5),
        ("/v5/position/trading-stop", {"symbol": "BTCUSDT"}, 10),
    ],
)
def test_rates_of_the_rarer_requests(
    make_desk: Any, path: str, params: dict[str, object], limit: int
) -> None:
    desk = make_desk(limits="venue")
    codes = [desk.post(path, category="linear", **params)["retCode"] for _ in range(limit + 1)]
    assert codes[-1] == 10006
    assert 10006 not in codes[:-1]
