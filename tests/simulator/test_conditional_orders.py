"""Conditional orders: placing, waiting, triggering, and in which order."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plimsoll.core.model import Side
from plimsoll.simulator.settings import AccountSettings

NAME = "linear:BTCUSDT"
RISES: dict[str, object] = {"triggerPrice": "60010", "triggerDirection": 1}
FALLS: dict[str, object] = {"triggerPrice": "59990", "triggerDirection": 2}


def statuses(desk: Any, answer: dict[str, Any]) -> list[str]:
    """Return the states of an order as the record tells them."""
    order_id = answer["result"]["orderId"]
    return [line["orderStatus"] for line in desk.kinds("order") if line["orderId"] == order_id]


def pushed(desk: Any, answer: dict[str, Any]) -> list[str]:
    order_id = answer["result"]["orderId"]
    rows = [row for frame in desk.topic("order") for row in frame["data"]]
    return [row["orderStatus"] for row in rows if row["orderId"] == order_id]


def listen(desk: Any) -> None:
    desk.socket(1, "/v5/private", auth=True)
    desk.say(1, {"op": "subscribe", "args": ["order", "execution", "position", "wallet"]})


def test_order_waits_triggers_and_rests(desk: Any) -> None:
    listen(desk)
    answer = desk.order(**RISES)
    row = desk.row(answer)
    assert (row["orderStatus"], row["stopOrderType"], row["createType"]) == (
        "Untriggered",
        "Stop",
        "CreateByStopOrder",
    )
    assert (row["triggerPrice"], row["triggerDirection"], row["triggerBy"]) == (
        "60010.00",
        1,
        "LastPrice",
    )
    assert desk.get("/v5/market/orderbook", category="linear", symbol="BTCUSDT", limit=50)[
        "result"
    ]["b"][-1] != ["59000.00", "0.010"]
    desk.trade(NAME, Side.BUY, 600_099, 1)
    assert desk.row(answer)["orderStatus"] == "Untriggered"
    desk.trade(NAME, Side.BUY, 600_100, 1)
    assert statuses(desk, answer) == ["Created", "Untriggered", "Triggered", "New"]
    assert pushed(desk, answer) == ["Untriggered", "Triggered", "New"]


def test_triggered_market_order_takes_what_the_book_offers_then(desk: Any) -> None:
    answer = desk.order(orderType="Market", side="Sell", **FALLS)
    desk.trade(NAME, Side.SELL, 599_900, 1)
    row = desk.row(answer)
    assert (row["orderStatus"], row["avgPrice"], row["timeInForce"]) == ("Filled", "60000", "IOC")
    assert desk.position()["side"] == "Sell"


def test_order_cancelled_before_its_trigger_is_deactivated(desk: Any) -> None:
    answer = desk.order(**RISES)
    ids = {"category": "linear", "symbol": "BTCUSDT", "orderId": answer["result"]["orderId"]}
    assert desk.post("/v5/order/cancel", **ids)["retCode"] == 0
    row = desk.row(answer)
    assert (row["orderStatus"], row["cancelType"], row["leavesQty"]) == (
        "Deactivated",
        "CancelByUser",
        "0.000",
    )
    desk.trade(NAME, Side.BUY, 600_200, 1)
    assert statuses(desk, answer) == ["Created", "Untriggered", "Deactivated"]


def test_waiting_order_holds_no_margin_and_is_rejected_at_its_trigger_without_any(
    desk: Any,
) -> None:
    answer = desk.order(qty="100", price="59000", **FALLS)
    assert desk.wallet()["totalOrderIM"] == "0"
    desk.trade(NAME, Side.SELL, 599_900, 1)
    row = desk.row(answer)
    assert (row["orderStatus"], row["rejectReason"]) == ("Rejected", "EC_Others")
    assert statuses(desk, answer)[-2:] == ["Triggered", "Rejected"]


def test_triggered_order_without_liquidity_is_rejected(desk: Any) -> None:
    answer = desk.order(orderType="Market", **FALLS)
    desk.book(NAME, asks=[(600_001 + i, 0) for i in range(5)])
    desk.trade(NAME, Side.SELL, 599_900, 1)
    row = desk.row(answer)
    assert (row["orderStatus"], row["rejectReason"]) == ("Rejected", "EC_ReachMarketPriceLimit")


@pytest.mark.parametrize(
    ("params", "code"),
    [
        (RISES | {"triggerPrice": "60000"}, 110092),
        (FALLS | {"triggerPrice": "60000.1"}, 110093),
        (RISES | {"triggerBy": "MarkPrice", "triggerPrice": "59999"}, 110092),
        ({"triggerPrice": "60010"}, 10001),
        (RISES | {"triggerBy": "BestPrice"}, 10001),
        (RISES | {"triggerPrice": "60010.05"}, 10001),
        (RISES | {"slippageToleranceType": "TickSize", "slippageTolerance": "5"}, 10001),
        ({"category": "spot", "orderFilter": "StopOrder", "qty": "0.001"}, 10001),
        (
            {
                "category": "spot",
                "qty": "0.001",
                "triggerPrice": "61000",
                "orderFilter": "OcoOrder",
            },
            10001,
        ),
    ],
)
def test_conditional_refusals(desk: Any, params: dict[str, object], code: int) -> None:
    answer = desk.order(**params)
    assert answer["retCode"] == code, answer
    assert not desk.kinds("order")


def test_at_most_ten_conditional_orders_per_linear_symbol(desk: Any) -> None:
    for _ in range(10):
        assert desk.order(**RISES)["retCode"] == 0
    assert desk.order(**RISES)["retCode"] == 110009
    other = {"symbol": "ETHUSDT", "price": "2900", "qty": "0.1"}
    assert desk.order(**other, triggerPrice="3010", triggerDirection=1)["retCode"] == 0


@pytest.mark.parametrize("kind", ["StopOrder", "tpslOrder"])
def test_at_most_thirty_of_a_kind_per_spot_symbol(desk: Any, kind: str) -> None:
    spot = {"category": "spot", "qty": "0.001", "price": "59000", "triggerPrice": "61000"}
    for _ in range(30):
        assert desk.order(**spot, orderFilter=kind)["retCode"] == 0
    assert desk.order(**spot, orderFilter=kind)["retCode"] == 170810


def test_mark_and_index_trigger_apart_from_last(desk: Any) -> None:
    by_mark = desk.order(**(RISES | {"triggerBy": "MarkPrice"}))
    by_index = desk.order(**(RISES | {"triggerBy": "IndexPrice"}))
    desk.trade(NAME, Side.BUY, 601_000, 1)
    assert desk.row(by_mark)["orderStatus"] == "Untriggered"
    desk.book(NAME, [(600_000 - i, 0) for i in range(5)], [(600_001 + i, 0) for i in range(5)])
    desk.book(NAME, [(601_000, 10_000)], [(601_001, 10_000)])
    waits = 0
    while desk.row(by_mark)["orderStatus"] == "Untriggered" and waits < 600:
        desk.wait(1)
        waits += 1
    assert desk.row(by_index)["orderStatus"] == "New"
    assert desk.row(by_mark)["orderStatus"] == "New"


def test_amended_trigger_counts_and_must_be_ahead_of_the_market(desk: Any) -> None:
    answer = desk.order(**RISES)
    ids = {"category": "linear", "symbol": "BTCUSDT", "orderId": answer["result"]["orderId"]}
    assert desk.post("/v5/order/amend", **ids, triggerPrice="59990")["retCode"] == 110092
    assert desk.post("/v5/order/amend", **ids, triggerPrice="60010")["retCode"] == 10001
    assert desk.post("/v5/order/amend", **ids, triggerPrice="60020", qty="0.02")["retCode"] == 0
    desk.trade(NAME, Side.BUY, 600_100, 1)
    row = desk.row(answer)
    assert (row["orderStatus"], row["triggerPrice"], row["qty"]) == (
        "Untriggered",
        "60020.00",
        "0.020",
    )
    desk.trade(NAME, Side.BUY, 600_200, 1)
    assert desk.row(answer)["orderStatus"] == "New"
    assert desk.post("/v5/order/amend", **ids, triggerPrice="60050")["retCode"] == 10001


def test_conditional_reduce_only_needs_no_position_until_it_triggers(desk: Any) -> None:
    answer = desk.order(side="Sell", price="61000", reduceOnly=True, **FALLS)
    assert desk.row(answer)["orderStatus"] == "Untriggered"
    desk.trade(NAME, Side.SELL, 599_900, 1)
    row = desk.row(answer)
    assert (row["orderStatus"], row["cancelType"]) == ("Cancelled", "CancelByReduceOnly")


def test_close_on_trigger_takes_the_position_from_other_reduce_only_orders(desk: Any) -> None:
    desk.order(price="60000.10", qty="1")
    resting = desk.order(side="Sell", price="60500", qty="1", reduceOnly=True)
    closing = desk.order(
        side="Sell", price="60400", qty="0.7", reduceOnly=True, closeOnTrigger=True, **FALLS
    )
    desk.trade(NAME, Side.SELL, 599_900, 1)
    assert (desk.row(closing)["orderStatus"], desk.row(closing)["qty"]) == ("New", "0.700")
    assert desk.row(resting)["qty"] == "0.300"


def test_close_on_trigger_frees_margin_by_cancelling_what_adds_risk(make_desk: Any) -> None:
    desk = make_desk(accounts=(AccountSettings(balances={"USDT": "6900"}),))
    desk.order(orderType="Market", qty="1")
    older = desk.order(price="58000", qty="0.001")
    newer = desk.order(price="58000", qty="0.1")
    closing = desk.order(
        side="Sell",
        orderType="Market",
        qty="0",
        reduceOnly=True,
        closeOnTrigger=True,
        triggerPrice="59490",
        triggerDirection=2,
    )
    desk.book(NAME, [(600_000 - i, 0) for i in range(5)], [(600_001 + i, 0) for i in range(5)])
    desk.book(NAME, [(595_000, 10_000)], [(595_001, 10_000)])
    desk.trade(NAME, Side.SELL, 595_000, 1)
    desk.wait(2)
    for _ in range(100):
        desk.wait(0.1)
    assert desk.row(newer)["orderStatus"] == "New"
    desk.trade(NAME, Side.SELL, 594_900, 1)
    row = desk.row(newer)
    assert (row["orderStatus"], row["rejectReason"]) == ("Cancelled", "EC_Others")
    assert desk.row(older)["orderStatus"] == "New"
    assert (desk.row(closing)["orderStatus"], desk.row(closing)["cumExecQty"]) == (
        "Filled",
        "1.000",
    )


def test_conditional_order_carries_its_exits_to_its_fill(desk: Any) -> None:
    answer = desk.order(orderType="Market", takeProfit="61000", stopLoss="59000", **RISES)
    assert desk.position()["takeProfit"] == ""
    desk.trade(NAME, Side.BUY, 600_100, 1)
    assert desk.row(answer)["orderStatus"] == "Filled"
    assert (desk.position()["takeProfit"], desk.position()["stopLoss"]) == ("61000.00", "59000.00")


def test_spot_stop_order_locks_on_its_trigger_and_tpsl_order_at_once(desk: Any) -> None:
    spot = {"category": "spot", "side": "Sell", "qty": "0.4", "price": "61000"}
    stop = desk.order(**spot, triggerPrice="59000", orderFilter="StopOrder")
    assert desk.wallet("BTC")["locked"] == "0"
    tpsl = desk.order(**spot, triggerPrice="58000", orderFilter="tpslOrder")
    assert desk.wallet("BTC")["locked"] == "0.4"
    assert (desk.row(stop, "spot")["stopOrderType"], desk.row(tpsl, "spot")["stopOrderType"]) == (
        "Stop",
        "tpslOrder",
    )
    assert desk.order(**(spot | {"qty": "0.7"}))["retCode"] == 170131
    desk.trade("spot:BTCUSDT", Side.SELL, 5_900_000, 1)
    assert desk.row(stop, "spot")["orderStatus"] == "New"
    assert desk.wallet("BTC")["locked"] == "0.8"


def test_spot_stop_order_is_rejected_at_its_trigger_without_coins(desk: Any) -> None:
    spot = {"category": "spot", "side": "Sell", "price": "61000"}
    stop = desk.order(**spot, qty="0.8", triggerPrice="59000", orderFilter="StopOrder")
    desk.order(**spot, qty="0.5")
    desk.trade("spot:BTCUSDT", Side.SELL, 5_900_000, 1)
    assert desk.row(stop, "spot")["orderStatus"] == "Rejected"
    assert desk.wallet("BTC")["locked"] == "0.5"


def test_spot_market_buy_in_quote_coin_waits_and_spends_its_value(make_desk: Any) -> None:
    desk = make_desk(accounts=(AccountSettings(balances={"USDT": "150"}),))
    answer = desk.order(
        category="spot", orderType="Market", qty="100", triggerPrice="59000", price="0"
    )
    assert desk.row(answer, "spot")["qty"] == "100"
    desk.trade("spot:BTCUSDT", Side.SELL, 5_900_000, 1)
    row = desk.row(answer, "spot")
    assert row["orderStatus"] == "Filled"
    assert Decimal("99.9") < Decimal(row["cumExecValue"]) <= 100


def test_book_level_of_a_waiting_order_is_looked_up_when_it_triggers(desk: Any) -> None:
    queue = {"bboSideType": "Queue", "bboLevel": "1", "price": ""}
    answer = desk.order(**queue, **RISES)
    lost = desk.order(**(queue | {"bboLevel": "5"}), **RISES)
    desk.book(NAME, [(600_000 - i, 0) for i in range(5)])
    desk.book(NAME, [(599_900, 10)])
    desk.trade(NAME, Side.BUY, 600_100, 1)
    assert desk.row(answer)["price"] == "59990.00"
    assert (desk.row(lost)["orderStatus"], desk.row(lost)["rejectReason"]) == (
        "Rejected",
        "EC_Others",
    )


def test_spot_cancel_looks_among_orders_of_the_kind_it_names(desk: Any) -> None:
    answer = desk.order(category="spot", qty="0.001", triggerPrice="59000")
    ids = {"category": "spot", "symbol": "BTCUSDT", "orderId": answer["result"]["orderId"]}
    assert desk.post("/v5/order/cancel", **ids)["retCode"] == 170213
    assert desk.post("/v5/order/cancel", **ids, orderFilter="Nothing")["retCode"] == 10001
    assert desk.post("/v5/order/cancel", **ids, orderFilter="StopOrder")["retCode"] == 0


def test_last_price_that_an_event_only_passed_triggers(desk: Any) -> None:
    desk.order(side="Sell", price="60000.50", qty="0.01")
    desk.book(NAME, asks=[(600_001 + i, 0) for i in range(5)])
    desk.order(price="59999.90", qty="0.01")
    answer = desk.order(triggerPrice="60000.50", triggerDirection=1)
    desk.book(NAME, [(600_005, 10)], [(599_999, 10)])
    assert desk.exchange.floor.markets[NAME].last_ticks < 600_005
    assert "Triggered" in statuses(desk, answer)


def test_one_orders_execution_triggers_the_next(desk: Any) -> None:
    desk.book(NAME, asks=[(600_001, 5)])
    first = desk.order(orderType="Market", qty="0.010", triggerPrice="60000.10", triggerDirection=1)
    second = desk.order(triggerPrice="60000.20", triggerDirection=1)
    desk.trade(NAME, Side.BUY, 600_001, 1)
    assert desk.row(first)["orderStatus"] == "Filled"
    assert desk.row(second)["orderStatus"] == "New"
    events = [line["orderId"] for line in desk.kinds("order") if line["orderStatus"] == "Triggered"]
    assert events == [first["result"]["orderId"], second["result"]["orderId"]]


@dataclass
class Waiting:
    """The naive twin's order."""

    order_id: str
    ticks: int
    rises: bool
    age: int


def naive_order(orders: list[Waiting], prices: list[int]) -> list[str]:
    """Walk the market tick by tick: whoever's tick is stepped on goes, the oldest first."""
    found: list[str] = []
    waiting = list(orders)
    at = 600_000
    for price in prices:
        step = 1 if price > at else -1
        for ticks in range(at, price + step, step) if price != at else ():
            for one in [o for o in waiting if o.ticks == ticks and o.rises == (step > 0)]:
                found.append(one.order_id)
                waiting.remove(one)
        at = price
    return found


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    asked=st.lists(
        st.tuples(st.booleans(), st.integers(1, 30), st.integers(0, 1)), min_size=1, max_size=12
    ),
    walk=st.lists(st.integers(-35, 35), max_size=8),
)
def test_triggers_go_off_in_the_order_in_which_the_price_meets_them(
    make_desk: Any, asked: list[tuple[bool, int, int]], walk: list[int]
) -> None:
    accounts = tuple(AccountSettings(key=f"k{n}", secret="sim-secret", uid=n + 1) for n in (0, 1))
    desk = make_desk(accounts=accounts)
    orders = []
    for age, (rises, distance, who) in enumerate(asked):
        ticks = 600_000 + (distance if rises else -distance)
        answer = desk.order(
            key=f"k{who}",
            price="50000",
            triggerPrice=f"{ticks // 10}.{ticks % 10}",
            triggerDirection=1 if rises else 2,
        )
        if answer["retCode"] == 0:
            orders.append(Waiting(answer["result"]["orderId"], ticks, rises, age))
    prices = [600_000 + offset for offset in walk]
    for ticks in prices:
        desk.trade(NAME, Side.BUY, ticks, 1)
    events = [line["orderId"] for line in desk.kinds("order") if line["orderStatus"] == "Triggered"]
    assert events == naive_order(orders, prices)
