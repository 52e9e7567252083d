"""Listing endpoints: pages, windows, filters, retention."""

from typing import Any
from urllib.parse import unquote

import pytest

from plimsoll.core.model import Side


@pytest.mark.parametrize("decode", [False, True])
def test_pages_cover_everything_once_newest_first(desk: Any, decode: bool) -> None:
    made = [desk.order(orderLinkId=f"o{n}")["result"]["orderId"] for n in range(7)]
    seen: list[str] = []
    cursor = ""
    while True:
        params = {"category": "linear", "symbol": "BTCUSDT", "limit": 3}
        page = desk.get("/v5/order/realtime", **params, **({"cursor": cursor} if cursor else {}))
        seen += [row["orderId"] for row in page["result"]["list"]]
        cursor = page["result"]["nextPageCursor"]
        if not cursor:
            break
        assert "%" in cursor
        cursor = unquote(cursor) if decode else cursor
    assert seen == made[::-1]


def test_realtime_shows_working_orders_and_closed_ones_on_request(desk: Any) -> None:
    desk.order(orderLinkId="open")
    desk.order(orderLinkId="done", price="60000.10")
    ask = {"category": "linear", "symbol": "BTCUSDT"}

    def links(**params: object) -> list[str]:
        rows = desk.get("/v5/order/realtime", **(ask | params))["result"]["list"]
        return [row["orderLinkId"] for row in rows]

    assert links() == ["open"]
    assert links(openOnly=1) == ["done"]
    assert links(orderLinkId="done") == ["done"]
    assert links(orderFilter="StopOrder") == []
    assert desk.get("/v5/order/realtime", category="linear")["retCode"] == 10001


def test_a_settle_coin_hides_no_spot_orders(desk: Any) -> None:
    desk.order(category="spot", orderLinkId="open", price="59900.00", qty="0.001")
    desk.order(category="spot", orderLinkId="done", price="60000.10", qty="0.001")
    for path, link in (("realtime", "open"), ("history", "done")):
        answer = desk.get(f"/v5/order/{path}", category="spot", settleCoin="USDT")
        assert [row["orderLinkId"] for row in answer["result"]["list"]] == [link]


def test_history_forgets_unfilled_orders_after_a_day(desk: Any) -> None:
    desk.order(orderLinkId="filled", price="60000.10")
    desk.order(orderLinkId="not", timeInForce="IOC")

    def links() -> list[str]:
        rows = desk.get("/v5/order/history", category="linear")["result"]["list"]
        return [row["orderLinkId"] for row in rows]

    assert links() == ["not", "filled"]
    desk.wait(86_401)
    assert links() == ["filled"]


def test_executions_by_order_and_by_window(desk: Any) -> None:
    first = desk.order(price="60000.10")["result"]["orderId"]
    desk.wait(10)
    desk.order(price="60000.10")
    rows = desk.get("/v5/execution/list", category="linear")["result"]["list"]
    assert len(rows) == 2
    assert int(rows[0]["execTime"]) > int(rows[1]["execTime"])
    rows = desk.get("/v5/execution/list", category="linear", orderId=first)["result"]["list"]
    assert [row["orderId"] for row in rows] == [first]
    start = desk.now_ns // 1_000_000 - 5_000
    rows = desk.get("/v5/execution/list", category="linear", startTime=start)["result"]["list"]
    assert len(rows) == 1
    answer = desk.get("/v5/execution/list", category="linear", startTime=1, endTime=700_000_000)
    assert answer["retCode"] == 10001


def test_position_rows_with_symbol_and_with_settle_coin(desk: Any) -> None:
    assert (desk.position()["size"], desk.position()["side"]) == ("0.000", "")
    ask = {"category": "linear", "settleCoin": "USDT"}
    assert desk.get("/v5/position/list", **ask)["result"]["list"] == []
    desk.order(price="60000.10")
    assert len(desk.get("/v5/position/list", **ask)["result"]["list"]) == 1


@pytest.mark.parametrize("category", ["inverse", "option"])
def test_categories_without_instruments_have_empty_lists(desk: Any, category: str) -> None:
    desk.order(price="60000.10")
    for path in (
        "/v5/market/instruments-info",
        "/v5/market/tickers",
        "/v5/order/realtime",
        "/v5/order/history",
        "/v5/execution/list",
        "/v5/position/list",
        "/v5/account/fee-rate",
    ):
        answer = desk.get(path, category=category, limit=50)
        assert (answer["retCode"], answer["result"]["list"]) == (0, []), path
    assert desk.get("/v5/position/list", category=category, symbol="BTCUSDT")["retCode"] == 10001
    assert desk.order(category=category)["retCode"] == 10001
    assert desk.get("/v5/position/list", category="spot", symbol="BTCUSDT")["retCode"] == 10001
    assert desk.get("/v5/market/tickers", category="nothing")["retCode"] == 10001


def test_transaction_log_balances_chain(desk: Any) -> None:
    desk.order(price="60000.10", qty="1")
    desk.order(side="Sell", orderType="Market", qty="0.4")
    rows = desk.get("/v5/account/transaction-log", accountType="UNIFIED")["result"]["list"]
    assert len(rows) == 2
    newer, older = rows
    assert float(older["cashBalance"]) + float(newer["change"]) == float(newer["cashBalance"])
    assert newer["cashBalance"] == desk.wallet()["walletBalance"]
    assert (newer["type"], newer["size"]) == ("TRADE", "0.6")


def test_spot_orders_lock_what_they_may_spend(desk: Any) -> None:
    desk.order(category="spot", qty="0.1", price="60000.00")
    assert desk.wallet()["locked"] == "6000"
    desk.order(category="spot", side="Sell", qty="0.4", price="60100.00")
    assert desk.wallet("BTC")["locked"] == "0.4"


def test_klines_are_newest_first_and_aggregate(desk: Any) -> None:
    for step in range(400):
        desk.trade("linear:BTCUSDT", Side.BUY, 600_001 + step, 1)
        desk.wait(1)
    ask = {"category": "linear", "symbol": "BTCUSDT"}
    minutes = desk.get("/v5/market/kline", **ask, interval="1")["result"]["list"]
    fives = desk.get("/v5/market/kline", **ask, interval="5")["result"]["list"]
    assert int(minutes[0][0]) > int(minutes[1][0])
    assert sum(float(row[5]) for row in minutes) == pytest.approx(0.4)
    assert sum(float(row[5]) for row in fives) == pytest.approx(0.4)
    whole = [row for row in minutes if fives[1][0] <= row[0] < fives[0][0]]
    assert fives[1][2] == max(row[2] for row in whole)
    assert fives[1][1] == whole[-1][1]
    assert fives[1][4] == whole[0][4]


def test_leverage_and_mode(desk: Any) -> None:
    ask = {"category": "linear", "symbol": "BTCUSDT"}
    set_to = {"buyLeverage": "20", "sellLeverage": "20"}
    assert desk.post("/v5/position/set-leverage", **ask, **set_to)["retCode"] == 0
    assert desk.post("/v5/position/set-leverage", **ask, **set_to)["retCode"] == 110043
    too_much = {"buyLeverage": "101", "sellLeverage": "101"}
    assert desk.post("/v5/position/set-leverage", **ask, **too_much)["retCode"] == 110013
    assert desk.position()["leverage"] == "20"
    assert desk.post("/v5/position/switch-mode", **ask, mode=0)["retCode"] == 110025
    assert desk.post("/v5/position/switch-mode", **ask, mode=3)["retCode"] == 110029
