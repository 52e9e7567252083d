"""Changes acknowledged first and effective later: what may happen in between."""

from typing import Any

import pytest

from plimsoll.core.model import Side

NAME = "linear:BTCUSDT"
ASK: dict[str, object] = {"category": "linear", "symbol": "BTCUSDT"}


def ids(answer: dict[str, Any]) -> dict[str, object]:
    assert answer["retCode"] == 0, answer
    return ASK | {"orderId": answer["result"]["orderId"]}


def lines(desk: Any, answer: dict[str, Any]) -> list[tuple[str, str, str]]:
    order_id = answer["result"]["orderId"]
    return [
        (line["orderStatus"], line["cancelType"], line["rejectReason"])
        for line in desk.kinds("order")
        if line["orderId"] == order_id
    ]


def found(desk: Any, answer: dict[str, Any]) -> list[dict[str, Any]]:
    query = desk.get("/v5/order/realtime", **ids(answer))
    return query["result"]["list"]


def test_order_reaches_the_book_after_its_answer(make_desk: Any) -> None:
    desk = make_desk(match_delay_ms=100)
    answer = desk.order(price="60000.10")
    assert [line[0] for line in lines(desk, answer)] == ["Created"]
    assert found(desk, answer) == []
    assert float(desk.wallet()["totalOrderIM"]) > 0
    desk.wait(0.1)
    assert found(desk, answer)[0]["orderStatus"] == "Filled"


def test_cancel_that_loses_to_a_fill_makes_a_second_filled_message(make_desk: Any) -> None:
    desk = make_desk(cancel_delay_ms=100)
    desk.socket(1, "/v5/private", auth=True)
    desk.say(1, {"op": "subscribe", "args": ["order"]})
    answer = desk.order(price="60000.00")
    assert desk.post("/v5/order/cancel", **ids(answer))["retCode"] == 0
    desk.trade(NAME, Side.SELL, 599_999, 1)
    desk.wait(0.2)
    assert lines(desk, answer)[-2:] == [
        ("Filled", "UNKNOWN", "EC_NoError"),
        ("Filled", "CancelByUser", "EC_OrigClOrdIDDoesNotExist"),
    ]
    rows = [row for frame in desk.topic("order") for row in frame["data"]]
    assert [(row["orderStatus"], row["cancelType"]) for row in rows] == [
        ("New", "UNKNOWN"),
        ("Filled", "UNKNOWN"),
        ("Filled", "CancelByUser"),
    ]
    assert found(desk, answer)[0]["cumExecQty"] == "0.010"


def test_fills_on_the_way_of_a_cancel_are_kept(make_desk: Any) -> None:
    desk = make_desk(cancel_delay_ms=100)
    answer = desk.order(price="60000.00", qty="1")
    desk.post("/v5/order/cancel", **ids(answer))
    desk.trade(NAME, Side.SELL, 600_000, 10_300)
    desk.wait(0.2)
    row = found(desk, answer)[0]
    assert (row["orderStatus"], row["cumExecQty"]) == ("Cancelled", "0.300")


@pytest.mark.parametrize(("category", "code"), [("linear", 110079), ("spot", 170212)])
def test_second_cancel_on_the_way_is_refused(make_desk: Any, category: str, code: int) -> None:
    desk = make_desk(cancel_delay_ms=100)
    answer = desk.order(category=category)
    ask = {"category": category, "symbol": "BTCUSDT", "orderId": answer["result"]["orderId"]}
    assert desk.post("/v5/order/cancel", **ask)["retCode"] == 0
    assert desk.post("/v5/order/cancel", **ask)["retCode"] == code
    scope = {"category": category, "symbol": "BTCUSDT"}
    done = desk.post("/v5/order/cancel-all", **scope)["result"]
    assert (done["list"], done["success"]) == ([], "0")


def test_amend_during_another_is_refused_and_says_whether_a_fill_came_between(
    make_desk: Any,
) -> None:
    desk = make_desk(match_delay_ms=100)
    answer = desk.order(price="60000.00", qty="1")
    assert desk.post("/v5/order/amend", **ids(answer), qty="0.9")["retCode"] == 110079
    desk.wait(0.2)
    assert desk.post("/v5/order/amend", **ids(answer), qty="0.8")["retCode"] == 0
    assert desk.post("/v5/order/amend", **ids(answer), qty="0.7")["retCode"] == 110079
    desk.trade(NAME, Side.SELL, 600_000, 10_300)
    assert desk.post("/v5/order/amend", **ids(answer), qty="0.7")["retCode"] == 40004
    desk.wait(0.2)
    row = found(desk, answer)[0]
    assert (row["qty"], row["cumExecQty"], row["orderStatus"]) == (
        "0.800",
        "0.300",
        "PartiallyFilled",
    )
    spot = desk.order(category="spot", qty="0.001")
    ask = {"category": "spot", "symbol": "BTCUSDT", "orderId": spot["result"]["orderId"]}
    assert desk.post("/v5/order/amend", **ask, qty="0.002")["retCode"] == 170144


def test_amend_of_what_was_filled_as_far_on_the_way_has_no_effect(make_desk: Any) -> None:
    desk = make_desk(match_delay_ms=100)
    answer = desk.order(price="60000.00", qty="1")
    desk.wait(0.2)
    assert desk.post("/v5/order/amend", **ids(answer), qty="0.2")["retCode"] == 0
    desk.trade(NAME, Side.SELL, 600_000, 10_300)
    desk.wait(0.2)
    row = found(desk, answer)[0]
    assert (row["qty"], row["cumExecQty"]) == ("1.000", "0.300")


def test_changes_of_one_order_keep_their_order(make_desk: Any) -> None:
    desk = make_desk(match_delay_ms=100)
    answer = desk.order(price="60000.10")
    assert desk.post("/v5/order/cancel", **ids(answer))["retCode"] == 0
    desk.wait(0.2)
    assert [line[0] for line in lines(desk, answer)] == ["Created", "Filled", "Filled"]


def test_conditional_order_that_the_market_met_on_its_way_triggers(make_desk: Any) -> None:
    desk = make_desk(match_delay_ms=100)
    answer = desk.order(triggerPrice="60010", triggerDirection=1)
    desk.trade(NAME, Side.BUY, 600_200, 1)
    desk.wait(0.2)
    assert [line[0] for line in lines(desk, answer)] == [
        "Created",
        "Untriggered",
        "Triggered",
        "New",
    ]


def test_reduce_only_order_whose_position_went_on_its_way_is_cancelled(make_desk: Any) -> None:
    desk = make_desk(match_delay_ms=100)
    desk.order(orderType="Market", qty="1")
    desk.wait(0.2)
    desk.order(orderType="Market", side="Sell", qty="1")
    desk.wait(0.05)
    answer = desk.order(side="Sell", price="61000", qty="1", reduceOnly=True)
    desk.wait(0.2)
    assert lines(desk, answer)[-1][:2] == ("Cancelled", "CancelByReduceOnly")


def test_without_delays_everything_happens_at_once(desk: Any) -> None:
    answer = desk.order()
    assert found(desk, answer)[0]["orderStatus"] == "New"
    desk.post("/v5/order/cancel", **ids(answer))
    assert found(desk, answer)[0]["orderStatus"] == "Cancelled"
