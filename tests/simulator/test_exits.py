"""Take-profit, stop-loss and trailing stop: attached to orders, and set on positions."""

from typing import Any

import pytest

from plimsoll.core.model import Side

NAME = "linear:BTCUSDT"
ASK: dict[str, object] = {"category": "linear", "symbol": "BTCUSDT"}


def hold(desk: Any, qty: str = "1", side: str = "Buy") -> None:
    assert desk.order(side=side, orderType="Market", qty=qty)["retCode"] == 0


def stop(desk: Any, **params: object) -> int:
    """Set the position's exits and return the code."""
    usual = {"tpslMode": "Full", "positionIdx": 0}
    return desk.post("/v5/position/trading-stop", **ASK, **(usual | params))["retCode"]


def waiting(desk: Any, category: str = "linear") -> list[dict[str, Any]]:
    """Return the untriggered orders, oldest first."""
    kind = {"orderFilter": "StopOrder"} if category == "linear" else {}
    rows = desk.get("/v5/order/realtime", category=category, symbol="BTCUSDT", **kind)
    return [r for r in rows["result"]["list"][::-1] if r["orderStatus"] == "Untriggered"]


def closed(desk: Any, order_id: str, category: str = "linear") -> dict[str, Any]:
    rows = desk.get("/v5/order/history", category=category, orderId=order_id)["result"]["list"]
    return rows[0]


def shown(desk: Any) -> tuple[str, str, str, str]:
    row = desk.position()
    return row["takeProfit"], row["stopLoss"], row["trailingStop"], row["tpslMode"]


def test_position_without_exits_shows_none(desk: Any) -> None:
    hold(desk)
    assert shown(desk) == ("", "", "0", "Full")


def test_full_exits_are_conditional_orders_over_the_whole_position(desk: Any) -> None:
    hold(desk)
    assert stop(desk, takeProfit="61000", stopLoss="59000", slTriggerBy="MarkPrice") == 0
    assert shown(desk) == ("61000.00", "59000.00", "0", "Full")
    profit, loss = waiting(desk)
    assert (profit["stopOrderType"], profit["createType"]) == ("TakeProfit", "CreateByTakeProfit")
    assert (loss["stopOrderType"], loss["createType"]) == ("StopLoss", "CreateByStopLoss")
    assert [(r["side"], r["qty"], r["orderType"]) for r in (profit, loss)] == [
        ("Sell", "1.000", "Market")
    ] * 2
    assert (profit["reduceOnly"], profit["closeOnTrigger"]) == (True, True)
    assert (profit["triggerDirection"], loss["triggerDirection"]) == (1, 2)
    assert (profit["triggerBy"], loss["triggerBy"]) == ("LastPrice", "MarkPrice")


def test_full_exits_follow_the_size_of_the_position(desk: Any) -> None:
    hold(desk)
    stop(desk, takeProfit="61000", stopLoss="59000")
    hold(desk, "0.5")
    assert [row["qty"] for row in waiting(desk)] == ["1.500", "1.500"]
    hold(desk, "0.7", "Sell")
    assert [row["qty"] for row in waiting(desk)] == ["0.800", "0.800"]


def test_take_profit_closes_the_position_and_clears_the_rest(desk: Any) -> None:
    hold(desk)
    stop(desk, takeProfit="60500", stopLoss="59000", trailingStop="300")
    profit, loss, trailing = waiting(desk)
    desk.trade(NAME, Side.BUY, 605_000, 1)
    assert desk.position()["size"] == "0.000"
    assert waiting(desk) == []
    assert closed(desk, profit["orderId"])["orderStatus"] == "Filled"
    for row in (loss, trailing):
        ended = closed(desk, row["orderId"])
        assert (ended["orderStatus"], ended["cancelType"]) == ("Deactivated", "CancelByTpSlTsClear")
    executions = desk.get("/v5/execution/list", category="linear", orderId=profit["orderId"])
    assert executions["result"]["list"][0]["stopOrderType"] == "TakeProfit"
    assert executions["result"]["list"][0]["createType"] == "CreateByTakeProfit"


@pytest.mark.parametrize("lots", ["1", "1.5"])
def test_exits_go_with_a_position_that_closes_or_turns(desk: Any, lots: str) -> None:
    hold(desk)
    stop(desk, takeProfit="61000", stopLoss="59000")
    rows = waiting(desk)
    hold(desk, lots, "Sell")
    assert waiting(desk) == []
    assert {closed(desk, row["orderId"])["cancelType"] for row in rows} == {"CancelByTpSlTsClear"}


def test_short_position_has_its_exits_the_other_way_round(desk: Any) -> None:
    hold(desk, side="Sell")
    assert stop(desk, takeProfit="61000") == 10001
    assert stop(desk, takeProfit="59000", stopLoss="61000") == 0
    assert [(r["side"], r["triggerDirection"]) for r in waiting(desk)] == [("Buy", 2), ("Buy", 1)]
    desk.trade(NAME, Side.SELL, 590_000, 1)
    assert desk.position()["size"] == "0.000"


def test_trading_stop_changes_in_place_and_zero_cancels(desk: Any) -> None:
    hold(desk)
    stop(desk, takeProfit="61000", stopLoss="59000")
    before = [row["orderId"] for row in waiting(desk)]
    assert stop(desk, takeProfit="61000", stopLoss="59000") == 34040
    assert stop(desk, stopLoss="59100") == 0
    assert [row["orderId"] for row in waiting(desk)] == before
    assert shown(desk)[:2] == ("61000.00", "59100.00")
    assert stop(desk, takeProfit="0") == 0
    assert shown(desk)[:2] == ("", "59100.00")
    assert stop(desk, takeProfit="0") == 34040


def test_cancelling_one_of_a_pair_cancels_both_until_one_was_changed_alone(desk: Any) -> None:
    hold(desk)
    stop(desk, takeProfit="61000", stopLoss="59000")
    desk.post("/v5/order/cancel", **ASK, orderId=waiting(desk)[0]["orderId"])
    assert waiting(desk) == []
    stop(desk, takeProfit="61000", stopLoss="59000")
    stop(desk, takeProfit="61000", stopLoss="59100")  # both named: they stay a pair
    desk.post("/v5/order/cancel", **ASK, orderId=waiting(desk)[1]["orderId"])
    assert waiting(desk) == []
    stop(desk, takeProfit="61000", stopLoss="59000")
    stop(desk, stopLoss="59100")
    desk.post("/v5/order/cancel", **ASK, orderId=waiting(desk)[0]["orderId"])
    assert [row["stopOrderType"] for row in waiting(desk)] == ["StopLoss"]


def test_trailing_stop_follows_the_best_price_and_never_back(desk: Any) -> None:
    hold(desk)
    assert stop(desk, trailingStop="100") == 0
    (row,) = waiting(desk)
    assert (row["stopOrderType"], row["createType"]) == ("TrailingStop", "CreateByTrailingStop")
    for ticks in (602_000, 601_500):
        desk.trade(NAME, Side.BUY, ticks, 1)
    assert waiting(desk)[0]["triggerPrice"] == "60100.00"
    assert shown(desk)[2] == "100.00"
    desk.trade(NAME, Side.SELL, 601_001, 1)
    assert desk.position()["size"] == "1.000"
    desk.trade(NAME, Side.SELL, 601_000, 1)
    assert desk.position()["size"] == "0.000"
    assert closed(desk, row["orderId"])["orderStatus"] == "Filled"


def test_trailing_stop_waits_for_its_active_price(desk: Any) -> None:
    hold(desk)
    assert stop(desk, trailingStop="100", activePrice="59000") == 10001
    assert stop(desk, trailingStop="100", activePrice="60500") == 0
    for ticks in (604_000, 602_000):
        desk.trade(NAME, Side.SELL, ticks, 1)
    assert desk.position()["size"] == "1.000"
    assert waiting(desk)[0]["triggerPrice"] == ""
    desk.trade(NAME, Side.BUY, 605_000, 1)
    assert waiting(desk)[0]["triggerPrice"] == "60400.00"
    desk.trade(NAME, Side.SELL, 604_000, 1)
    assert desk.position()["size"] == "0.000"


def test_trailing_stop_of_a_short_position(desk: Any) -> None:
    hold(desk, side="Sell")
    stop(desk, trailingStop="100")
    desk.trade(NAME, Side.SELL, 598_000, 1)
    assert waiting(desk)[0]["triggerPrice"] == "59900.00"
    assert stop(desk, trailingStop="100") == 34040
    assert stop(desk, trailingStop="0") == 0
    assert waiting(desk) == []


def test_partial_exits_add_up_and_cancel_their_partner(desk: Any) -> None:
    hold(desk)
    partial = {"tpslMode": "Partial", "tpSize": "0.3", "slSize": "0.3"}
    assert stop(desk, takeProfit="60500", stopLoss="59000", **partial) == 0
    assert stop(desk, takeProfit="60600", stopLoss="58900", **partial) == 0
    assert [row["stopOrderType"] for row in waiting(desk)] == [
        "PartialTakeProfit",
        "PartialStopLoss",
    ] * 2
    assert shown(desk) == ("", "", "0", "Partial")
    first, partner = waiting(desk)[:2]
    desk.trade(NAME, Side.BUY, 605_000, 1)
    assert desk.position()["size"] == "0.700"
    assert closed(desk, first["orderId"])["createType"] == "CreateByPartialTakeProfit"
    assert closed(desk, partner["orderId"])["cancelType"] == "CancelByTpSlTsClear"
    assert len(waiting(desk)) == 2


def test_partial_limit_exit_rests_at_its_limit_price(desk: Any) -> None:
    hold(desk)
    asked = {"tpslMode": "Partial", "tpSize": "0.3", "tpOrderType": "Limit"}
    assert stop(desk, takeProfit="60500", **asked) == 10001
    assert stop(desk, takeProfit="60500", tpLimitPrice="60550", **asked) == 0
    (row,) = waiting(desk)
    desk.trade(NAME, Side.BUY, 605_000, 1)
    rows = desk.get("/v5/order/realtime", category="linear", orderId=row["orderId"])
    found = rows["result"]["list"][0]
    assert (found["orderStatus"], found["price"], found["qty"]) == ("New", "60550.00", "0.300")
    hold(desk, "1", "Sell")
    assert closed(desk, row["orderId"])["cancelType"] == "CancelByTpSlTsClear"


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"takeProfit": "59000"}, 10001),
        ({"stopLoss": "61000"}, 10001),
        ({"takeProfit": "61000", "tpOrderType": "Limit", "tpLimitPrice": "61000"}, 10001),
        ({"takeProfit": "61000", "tpslMode": "Half"}, 10001),
        ({"takeProfit": "61000", "tpTriggerBy": "Nothing"}, 10001),
        ({"takeProfit": "-1"}, 10001),
        ({"trailingStop": "60001"}, 10001),
        ({"takeProfit": "61000", "tpslMode": "Partial"}, 10001),
        ({"takeProfit": "61000", "tpslMode": "Partial", "tpSize": "1.001"}, 110058),
        (
            {
                "takeProfit": "61000",
                "stopLoss": "59000",
                "tpslMode": "Partial",
                "tpSize": "0.1",
                "slSize": "0.2",
            },
            10001,
        ),
        ({"takeProfit": "61000", "positionIdx": 1}, 10001),
        ({}, 34040),
    ],
)
def test_trading_stop_refusals(desk: Any, params: dict[str, object], code: int) -> None:
    hold(desk)
    assert stop(desk, **params) == code
    assert waiting(desk) == []


def test_trading_stop_needs_a_position_and_takes_twenty_partial_ones(desk: Any) -> None:
    assert stop(desk, takeProfit="61000") == 10001
    hold(desk)
    partial = {"tpslMode": "Partial", "tpSize": "0.01"}
    for _ in range(20):
        assert stop(desk, takeProfit="61000", **partial) == 0
    assert stop(desk, takeProfit="61000", **partial) == 110061
    spot = {"category": "spot", "symbol": "BTCUSDT", "takeProfit": "61000"}
    assert desk.post("/v5/position/trading-stop", **spot)["retCode"] == 10001


def test_exits_attached_to_an_order_are_placed_when_it_fills(desk: Any) -> None:
    answer = desk.order(
        orderLinkId="parent", price="60000.00", takeProfit="61000", stopLoss="59000"
    )
    row = desk.row(answer)
    assert (row["takeProfit"], row["stopLoss"], row["tpslMode"], row["tpTriggerBy"]) == (
        "61000.00",
        "59000.00",
        "Full",
        "LastPrice",
    )
    assert waiting(desk) == []
    desk.trade(NAME, Side.SELL, 599_999, 1)
    assert shown(desk)[:2] == ("61000.00", "59000.00")
    assert {one["parentOrderLinkId"] for one in waiting(desk)} == {"parent"}


def test_partial_exits_grow_with_the_fills_of_their_parent(desk: Any) -> None:
    desk.order(price="60000.00", qty="1", takeProfit="61000", stopLoss="59000", tpslMode="Partial")
    desk.trade(NAME, Side.SELL, 600_000, 10_300)
    assert [row["qty"] for row in waiting(desk)] == ["0.300", "0.300"]
    desk.trade(NAME, Side.SELL, 599_999, 1)
    assert [row["qty"] for row in waiting(desk)] == ["1.000", "1.000"]


def test_order_that_only_reduces_places_no_exits(desk: Any) -> None:
    hold(desk, side="Sell")
    desk.order(price="60000.10", qty="0.4", takeProfit="61000", stopLoss="59000")
    assert desk.position()["size"] == "0.600"
    assert waiting(desk) == []


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"takeProfit": "58000"}, 10001),
        ({"stopLoss": "59500"}, 10001),
        ({"takeProfit": "61000", "reduceOnly": True}, 10001),
        ({"category": "spot", "orderType": "Market", "qty": "100", "takeProfit": "61000"}, 10001),
    ],
)
def test_attached_exit_refusals(desk: Any, params: dict[str, object], code: int) -> None:
    assert desk.order(**params)["retCode"] == code


def test_attached_exits_are_amended_until_the_order_fills(desk: Any) -> None:
    answer = desk.order(price="60000.00", qty="1", takeProfit="61000")
    ids = ASK | {"orderId": answer["result"]["orderId"]}
    assert desk.post("/v5/order/amend", **ids, stopLoss="59000")["retCode"] == 10001
    amend = {"stopLoss": "59000", "slTriggerBy": "MarkPrice", "takeProfit": "0"}
    assert desk.post("/v5/order/amend", **ids, **amend)["retCode"] == 0
    row = desk.row(answer)
    assert (row["takeProfit"], row["stopLoss"], row["slTriggerBy"]) == ("", "59000.00", "MarkPrice")
    desk.trade(NAME, Side.SELL, 600_000, 10_300)
    assert desk.post("/v5/order/amend", **ids, stopLoss="58000")["retCode"] == 110059


def test_spot_exits_are_placed_for_what_was_received_and_lock_it_once(desk: Any) -> None:
    answer = desk.order(
        category="spot", qty="0.01", price="60000.00", takeProfit="61000", stopLoss="59000"
    )
    desk.trade("spot:BTCUSDT", Side.SELL, 5_999_999, 1)
    assert desk.row(answer, "spot")["orderStatus"] == "Filled"
    profit, loss = waiting(desk, "spot")
    assert (profit["qty"], profit["side"], profit["stopOrderType"], profit["ocoTriggerBy"]) == (
        "0.009990",
        "Sell",
        "OcoOrder",
        "OcoTriggerByUnknown",
    )
    assert desk.wallet("BTC")["locked"] == "0.00999"
    desk.trade("spot:BTCUSDT", Side.BUY, 6_100_000, 1)
    assert closed(desk, profit["orderId"], "spot")["orderStatus"] == "Filled"
    assert closed(desk, profit["orderId"], "spot")["ocoTriggerBy"] == "OcoTriggerByTp"
    ended = closed(desk, loss["orderId"], "spot")
    assert (ended["orderStatus"], ended["cancelType"]) == (
        "Deactivated",
        "CancelByOCOSlCanceledByTpTriggered",
    )
    assert desk.wallet("BTC")["locked"] == "0"


def test_spot_stop_loss_cancels_the_take_profit(desk: Any) -> None:
    desk.order(category="spot", qty="0.1", price="60000.01", takeProfit="61000", stopLoss="59000")
    desk.book("spot:BTCUSDT", asks=[(6_000_001, 100_000)])
    desk.order(category="spot", qty="0.1", price="60000.01", takeProfit="61000", stopLoss="59000")
    desk.trade("spot:BTCUSDT", Side.SELL, 5_999_999, 1)
    rows = waiting(desk, "spot")
    assert len(rows) == 4
    desk.trade("spot:BTCUSDT", Side.SELL, 5_900_000, 1)
    assert waiting(desk, "spot") == []
    words = {closed(desk, row["orderId"], "spot")["cancelType"] for row in rows}
    assert words == {"UNKNOWN", "CancelByOCOTpCanceledBySlTriggered"}


def test_one_sided_spot_exit_is_a_tpsl_order(desk: Any) -> None:
    desk.order(category="spot", qty="0.01", price="60000.01", takeProfit="61000")
    (row,) = waiting(desk, "spot")
    assert (row["stopOrderType"], row["ocoTriggerBy"]) == ("tpslOrder", "")
