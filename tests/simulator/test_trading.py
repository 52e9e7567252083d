"""Orders as clients see them: acceptance, matching, endings, refusals."""

from decimal import Decimal
from typing import Any

import pytest

from plimsoll.core.model import Side
from plimsoll.simulator.settings import AccountSettings


def test_post_only_that_would_take_is_accepted_then_cancelled(desk: Any) -> None:
    row = desk.row(desk.order(price="60000.10", timeInForce="PostOnly"))
    assert (row["orderStatus"], row["rejectReason"], row["cancelType"]) == (
        "Cancelled",
        "EC_PostOnlyWillTakeLiquidity",
        "UNKNOWN",
    )
    assert row["cumExecQty"] == "0.000"


@pytest.mark.parametrize(
    ("tif", "reason"), [("IOC", "EC_NoImmediateQtyToFill"), ("FOK", "EC_NoEnoughQtyToFill")]
)
def test_immediate_orders_without_liquidity_are_cancelled(desk: Any, tif: str, reason: str) -> None:
    row = desk.row(desk.order(timeInForce=tif))
    assert (row["orderStatus"], row["rejectReason"]) == ("Cancelled", reason)


def test_fok_fills_all_or_nothing(desk: Any) -> None:
    too_much = desk.row(desk.order(price="60000.10", qty="10.001", timeInForce="FOK"))
    assert (too_much["orderStatus"], too_much["cumExecQty"]) == ("Cancelled", "0.000")
    exactly = desk.row(desk.order(price="60000.10", qty="10.000", timeInForce="FOK"))
    assert (exactly["orderStatus"], exactly["cumExecQty"]) == ("Filled", "10.000")


def test_ioc_keeps_its_fills_and_cancels_the_rest(desk: Any) -> None:
    row = desk.row(desk.order(price="60000.10", qty="12", timeInForce="IOC"))
    assert (row["orderStatus"], row["cumExecQty"], row["leavesQty"]) == (
        "Cancelled",
        "10.000",
        "0.000",
    )


def test_spot_partly_filled_rest_has_its_own_state(desk: Any) -> None:
    answer = desk.order(
        category="spot", price="60000.01", qty="0.02", timeInForce="IOC", side="Buy"
    )
    row = desk.row(answer, "spot")
    assert (row["orderStatus"], row["cumExecQty"]) == ("PartiallyFilledCanceled", "0.010000")


def test_resting_order_waits_behind_the_displayed_quantity(desk: Any) -> None:
    answer = desk.order(price="60000.00", qty="1")
    desk.trade("linear:BTCUSDT", Side.SELL, 600_000, 10_000)
    assert desk.row(answer)["orderStatus"] == "New"
    desk.trade("linear:BTCUSDT", Side.SELL, 600_000, 400)
    row = desk.row(answer)
    assert (row["orderStatus"], row["cumExecQty"]) == ("PartiallyFilled", "0.400")
    desk.trade("linear:BTCUSDT", Side.SELL, 599_999, 1)
    assert desk.row(answer)["orderStatus"] == "Filled"


def test_client_id_is_unique_for_ever_per_category(desk: Any) -> None:
    first = desk.order(orderLinkId="once")
    desk.post("/v5/order/cancel", category="linear", symbol="BTCUSDT", orderLinkId="once")
    assert desk.row(first)["orderStatus"] == "Cancelled"
    assert desk.order(orderLinkId="once")["retCode"] == 110072
    spot = {"category": "spot", "qty": "0.001", "orderLinkId": "once"}
    assert desk.order(**spot)["retCode"] == 0
    assert desk.order(**spot)["retCode"] == 170141


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"price": "59000.05"}, 10001),
        ({"qty": "0.0105"}, 10001),
        ({"qty": "0"}, 10001),
        ({"qty": "-1"}, 10001),
        ({"qty": "1191"}, 10001),
        ({"symbol": "btcusdt"}, 10001),
        ({"side": "buy"}, 10001),
        ({"orderLinkId": "x" * 37}, 10001),
        ({"orderLinkId": "a b"}, 10001),
        ({"positionIdx": 1}, 10001),
        ({"triggerPrice": "61000"}, 10001),
        ({"symbol": "DOGEUSDT", "qty": "1", "price": "0.2"}, 110094),
        ({"qty": "1000"}, 110007),
        ({"reduceOnly": True}, 110017),
        ({"category": "spot", "price": "59000.005", "qty": "0.001"}, 170134),
        ({"category": "spot", "qty": "0.0000015"}, 170137),
        ({"category": "spot", "qty": "0.00005"}, 170140),
        ({"category": "spot", "qty": "5"}, 170131),
        ({"category": "spot", "side": "Sell", "qty": "1.5", "price": "61000"}, 170131),
        ({"category": "spot", "qty": "0.001", "price": "70000"}, 170193),
        ({"category": "spot", "side": "Sell", "qty": "0.001", "price": "50000"}, 170194),
    ],
)
def test_refusals(desk: Any, params: dict[str, Any], code: int) -> None:
    answer = desk.order(**params)
    assert answer["retCode"] == code, answer
    assert answer["result"] == {}
    assert not desk.kinds("order")


def test_linear_price_beyond_the_limit_is_moved_or_refused_as_chosen(desk: Any) -> None:
    row = desk.row(desk.order(side="Sell", price="59000.00", qty="0.001", timeInForce="PostOnly"))
    assert Decimal(row["price"]) == Decimal("59400.00")  # index 60000 x (1 - X), X = 1 %
    desk.post("/v5/account/set-limit-px-action", category="linear", modifyEnable=False)
    assert desk.order(side="Sell", price="59000.00")["retCode"] == 30209
    assert desk.order(price="61000.00")["retCode"] == 30208


def test_amend_changes_price_and_total_quantity(desk: Any) -> None:
    answer = desk.order(price="60000.00", qty="1")
    desk.trade("linear:BTCUSDT", Side.SELL, 600_000, 10_300)
    ids = {"category": "linear", "symbol": "BTCUSDT", "orderId": answer["result"]["orderId"]}
    assert desk.post("/v5/order/amend", **ids, qty="0.300")["retCode"] == 110064
    assert desk.post("/v5/order/amend", **ids, qty="1.000")["retCode"] == 10001
    assert desk.post("/v5/order/amend", **ids, qty="0.500", price="59990")["retCode"] == 0
    row = desk.row(answer)
    assert (row["orderStatus"], row["qty"], row["leavesQty"], row["price"]) == (
        "PartiallyFilled",
        "0.500",
        "0.200",
        "59990.00",
    )


def test_amend_across_the_book_takes(desk: Any) -> None:
    answer = desk.order(qty="0.010")
    ids = {"category": "linear", "symbol": "BTCUSDT", "orderId": answer["result"]["orderId"]}
    desk.post("/v5/order/amend", **ids, price="60000.10")
    assert desk.row(answer)["orderStatus"] == "Filled"


def test_fast_execution_of_an_amended_maker_has_no_client_id(desk: Any) -> None:
    desk.socket(1, "/v5/private", auth=True)
    desk.say(1, {"op": "subscribe", "args": ["execution", "execution.fast"]})
    answer = desk.order(orderLinkId="named")
    ids = {"category": "linear", "symbol": "BTCUSDT", "orderId": answer["result"]["orderId"]}
    desk.post("/v5/order/amend", **ids, price="60000.10")
    fast, usual = desk.topic("execution.fast")[0]["data"][0], desk.topic("execution")[0]["data"][0]
    assert (fast["orderLinkId"], fast["isMaker"]) == ("", False)
    assert usual["orderLinkId"] == "named"


def test_cancel_of_what_is_gone(desk: Any) -> None:
    ids = {"category": "linear", "symbol": "BTCUSDT"}
    assert desk.post("/v5/order/cancel", **ids, orderId="nothing")["retCode"] == 110001
    filled = desk.order(price="60000.10")["result"]["orderId"]
    assert desk.post("/v5/order/cancel", **ids, orderId=filled)["retCode"] == 110008
    gone = desk.order()["result"]["orderId"]
    assert desk.post("/v5/order/cancel", **ids, orderId=gone)["retCode"] == 0
    assert desk.post("/v5/order/cancel", **ids, orderId=gone)["retCode"] == 110010


def test_cancel_all_by_symbol_and_settle_coin(desk: Any) -> None:
    desk.order()
    desk.order(symbol="ETHUSDT", price="2900", qty="0.1")
    desk.order(category="spot", qty="0.001")
    done = desk.post("/v5/order/cancel-all", category="linear", symbol="BTCUSDT")
    assert len(done["result"]["list"]) == 1
    done = desk.post("/v5/order/cancel-all", category="linear", settleCoin="USDT")
    assert len(done["result"]["list"]) == 1
    assert desk.post("/v5/order/cancel-all", category="linear")["retCode"] == 10001
    done = desk.post("/v5/order/cancel-all", category="spot")
    assert len(done["result"]["list"]) == 1


def test_batch_reports_each_order(desk: Any) -> None:
    good = {
        "symbol": "BTCUSDT",
        "side": "Buy",
        "orderType": "Limit",
        "qty": "0.001",
        "price": "59000",
    }
    answer = desk.post(
        "/v5/order/create-batch", category="linear", request=[good, good | {"qty": "0"}]
    )
    assert answer["retCode"] == 0
    assert [row["code"] for row in answer["retExtInfo"]["list"]] == [0, 10001]
    assert [bool(row["orderId"]) for row in answer["result"]["list"]] == [True, False]


def test_reduce_only_is_cut_to_the_position_and_trimmed_when_it_shrinks(desk: Any) -> None:
    desk.order(price="60000.10", qty="1")
    older = desk.order(side="Sell", price="60500", qty="0.6", reduceOnly=True)
    newer = desk.order(side="Sell", price="60600", qty="5", reduceOnly=True)
    assert desk.row(newer)["qty"] == "0.400"
    assert desk.order(side="Sell", price="60700", reduceOnly=True)["retCode"] == 110017
    desk.order(side="Sell", orderType="Market", qty="0.7")
    assert (desk.row(newer)["orderStatus"], desk.row(newer)["cancelType"]) == (
        "Cancelled",
        "CancelByReduceOnly",
    )
    assert (desk.row(older)["orderStatus"], desk.row(older)["qty"]) == ("New", "0.300")


def test_self_match_cancels_the_taker_when_asked(desk: Any) -> None:
    maker = desk.order(side="Sell", price="60000.10", qty="0.5")
    desk.book("linear:BTCUSDT", asks=[(600_001, 0)])
    row = desk.row(desk.order(price="60000.10", qty="0.2", smpType="CancelTaker"))
    assert (row["orderStatus"], row["cancelType"]) == ("Cancelled", "CancelBySmp")
    assert desk.row(maker)["orderStatus"] == "New"


def test_two_accounts_match_with_each_other(make_desk: Any) -> None:
    other = AccountSettings(key="other", secret="sim-secret", uid=2)
    desk = make_desk(accounts=(AccountSettings(), other))
    desk.order(side="Sell", price="60000.10", qty="0.5")
    desk.book("linear:BTCUSDT", asks=[(600_001, 0)])
    desk.order(price="60000.10", qty="0.5", key="other")
    assert desk.position()["side"] == "Sell"
    theirs = desk.get("/v5/position/list", key="other", category="linear", settleCoin="USDT")
    assert [(row["side"], row["size"]) for row in theirs["result"]["list"]] == [("Buy", "0.500")]


def test_market_order_shows_its_protection_price_and_takes_up_to_it(desk: Any) -> None:
    row = desk.row(desk.order(orderType="Market", qty="0.010"))
    assert (row["orderStatus"], row["timeInForce"]) == ("Filled", "IOC")
    assert Decimal(row["price"]) > Decimal(60500)
    assert row["avgPrice"] == "60000.1"


def test_spot_market_buy_in_quote_coin_spends_at_most_its_value(desk: Any) -> None:
    answer = desk.order(category="spot", orderType="Market", qty="100")
    row = desk.row(answer, "spot")
    assert (row["orderStatus"], row["qty"]) == ("Filled", "100")
    assert Decimal("99.9") < Decimal(row["cumExecValue"]) <= 100


def test_pushes_follow_each_state(desk: Any) -> None:
    desk.socket(1, "/v5/private", auth=True)
    topics = ["order", "execution", "execution.fast", "position", "wallet"]
    desk.say(1, {"op": "subscribe", "args": topics})
    desk.order(price="60000.10", orderLinkId="p1")
    order = desk.topic("order")[0]["data"][0]
    assert (order["orderStatus"], order["cumExecQty"]) == ("Filled", "0.010")
    assert order["cumFeeDetail"] == {"USDT": "0.33000055"}
    execution = desk.topic("execution")[0]["data"][0]
    assert (execution["execQty"], execution["isMaker"]) == ("0.010", False)
    assert desk.topic("execution.fast")[0]["data"][0]["execId"] == execution["execId"]
    assert desk.topic("position")[0]["data"][0]["entryPrice"] == "60000.1"
    assert desk.topic("wallet")[0]["data"][0]["coin"][0]["walletBalance"] == "99999.66999945"
