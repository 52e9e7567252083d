"""Parameters of a create beyond price and quantity, cancel-all, and the check before an order."""

from decimal import Decimal
from typing import Any

import pytest

from plimsoll.simulator.settings import AccountSettings

NAME = "linear:BTCUSDT"


@pytest.mark.parametrize(
    ("asked", "side", "price"),
    [
        ({"slippageToleranceType": "TickSize", "slippageTolerance": "3"}, "Buy", "60000.40"),
        ({"slippageToleranceType": "TickSize", "slippageTolerance": "3"}, "Sell", "59999.70"),
        ({"slippageToleranceType": "Percent", "slippageTolerance": "0.05"}, "Buy", "60030.10"),
        ({"slippageToleranceType": "Percent", "slippageTolerance": "10"}, "Buy", ""),
    ],
)
def test_slippage_tolerance_bounds_a_market_order(
    desk: Any, asked: dict[str, object], side: str, price: str
) -> None:
    usual = desk.row(desk.order(orderType="Market", side=side))["price"]
    row = desk.row(desk.order(orderType="Market", side=side, **asked))
    assert row["price"] == (price or usual)
    assert (row["slippageToleranceType"], row["slippageTolerance"]) == (
        asked["slippageToleranceType"],
        asked["slippageTolerance"],
    )


def test_market_order_takes_nothing_beyond_its_tolerance(desk: Any) -> None:
    desk.book(NAME, asks=[(600_001 + i, 10) for i in range(5)])
    row = desk.row(
        desk.order(
            orderType="Market", qty="1", slippageToleranceType="TickSize", slippageTolerance="1"
        )
    )
    assert (row["orderStatus"], row["cumExecQty"], row["rejectReason"]) == (
        "Cancelled",
        "0.020",
        "EC_CancelForNoFullFill",
    )


@pytest.mark.parametrize(
    ("side", "level", "price"),
    [
        ("Queue", "1", "60000.00"),
        ("Queue", "3", "59999.80"),
        ("Counterparty", "2", "60000.20"),
    ],
)
def test_bbo_order_takes_its_price_from_the_book(
    desk: Any, side: str, level: str, price: str
) -> None:
    answer = desk.order(bboSideType=side, bboLevel=level, price="")
    row = desk.row(answer)
    assert (row["price"], row["createType"]) == (price, "CreateByBboOrder")


REFUSED: list[tuple[dict[str, object], int]] = [
    (
        {"orderType": "Market", "slippageToleranceType": "TickSize", "slippageTolerance": "0"},
        110108,
    ),
    (
        {"orderType": "Market", "slippageToleranceType": "TickSize", "slippageTolerance": "10001"},
        110108,
    ),
    (
        {"orderType": "Market", "slippageToleranceType": "TickSize", "slippageTolerance": "1.5"},
        110108,
    ),
    (
        {"orderType": "Market", "slippageToleranceType": "Percent", "slippageTolerance": "0.005"},
        110109,
    ),
    (
        {"orderType": "Market", "slippageToleranceType": "Percent", "slippageTolerance": "10.01"},
        110109,
    ),
    ({"orderType": "Market", "slippageToleranceType": "Lots", "slippageTolerance": "1"}, 10001),
    ({"slippageToleranceType": "TickSize", "slippageTolerance": "5"}, 10001),
    ({"bboSideType": "Queue", "bboLevel": "6"}, 10001),
    ({"bboSideType": "Queue"}, 10001),
    ({"bboSideType": "Middle", "bboLevel": "1"}, 10001),
    ({"bboSideType": "Queue", "bboLevel": "1", "orderType": "Market"}, 10001),
    ({"timeInForce": "RPI"}, 110119),
    ({"timeInForce": "RPI", "category": "spot", "qty": "0.001"}, 170355),
    ({"isLeverage": 1, "category": "spot", "qty": "0.001"}, 170344),
    ({"isLeverage": 2, "category": "spot", "qty": "0.001"}, 10001),
    ({"smpType": "CancelAll"}, 10001),
]


@pytest.mark.parametrize(("params", "code"), REFUSED)
def test_parameter_refusals(desk: Any, params: dict[str, object], code: int) -> None:
    answer = desk.order(**params)
    assert answer["retCode"] == code, answer
    assert not desk.kinds("order")


def test_quantity_zero_closes_the_position_up_to_the_maximum(make_desk: Any) -> None:
    account = AccountSettings(balances={"USDT": "100000000"})
    desk = make_desk(accounts=(account,))
    desk.book(NAME, [(599_990 - i, 400_000) for i in range(5)], [(600_001, 900_000)])
    for _ in range(2):
        desk.order(orderType="Market", qty="300")
    closing = {"side": "Sell", "qty": "0", "reduceOnly": True, "closeOnTrigger": True}
    row = desk.row(desk.order(orderType="Market", **closing))
    assert (row["qty"], row["orderStatus"]) == ("500.000", "Filled")
    desk.order(orderType="Market", **closing)
    assert desk.position()["size"] == "0.000"
    assert desk.order(orderType="Market", **closing)["retCode"] == 110017


def test_reduce_only_above_the_maximum_becomes_several_orders(make_desk: Any) -> None:
    account = AccountSettings(balances={"USDT": "100000000"})
    desk = make_desk(accounts=(account,))
    desk.book(NAME, [(599_990 - i, 400_000) for i in range(5)], [(600_001, 900_000)])
    for _ in range(2):
        desk.order(orderType="Market", qty="300")
    answer = desk.order(
        orderType="Market", side="Sell", qty="600", reduceOnly=True, orderLinkId="big"
    )
    rows = desk.get("/v5/order/history", category="linear")["result"]["list"][:2]
    assert [(row["qty"], row["orderLinkId"]) for row in rows] == [
        ("100.000", ""),
        ("500.000", "big"),
    ]
    assert rows[1]["orderId"] == answer["result"]["orderId"]
    assert desk.position()["size"] == "0.000"


def test_spot_market_sell_may_name_its_value(desk: Any) -> None:
    answer = desk.order(
        category="spot", side="Sell", orderType="Market", qty="100", marketUnit="quoteCoin"
    )
    row = desk.row(answer, "spot")
    assert (row["orderStatus"], row["qty"], row["marketUnit"]) == ("Filled", "100", "quoteCoin")
    assert Decimal("99.9") < Decimal(row["cumExecValue"]) <= 100
    wrong = desk.order(category="spot", orderType="Market", qty="100", marketUnit="coin")
    assert wrong["retCode"] == 10001


def test_waiting_spot_sell_by_value_locks_what_that_is_at_its_trigger(desk: Any) -> None:
    answer = desk.order(
        category="spot",
        side="Sell",
        orderType="Market",
        qty="590",
        marketUnit="quoteCoin",
        triggerPrice="59000",
        orderFilter="tpslOrder",
    )
    assert desk.wallet("BTC")["locked"] == "0.01"
    assert desk.row(answer, "spot")["qty"] == "590"


def own_ask(desk: Any, price: str = "60000.10") -> dict[str, Any]:
    """Rest a sell order of ours that is alone at its price."""
    return desk.order(side="Sell", price=price, qty="0.5")


def test_cancel_maker_takes_out_the_own_orders_it_reaches_only(desk: Any) -> None:
    near, far = own_ask(desk), own_ask(desk, "60000.20")
    desk.book(NAME, asks=[(600_001 + i, 0) for i in range(5)])
    desk.book(NAME, asks=[(600_002, 300)])
    taker = desk.order(price="60000.20", qty="0.2", smpType="CancelMaker")
    row = desk.row(near)
    assert (row["orderStatus"], row["cancelType"], row["smpOrderId"]) == (
        "Cancelled",
        "CancelBySmp",
        taker["result"]["orderId"],
    )
    assert desk.row(far)["orderStatus"] == "Cancelled"  # it stands before the displayed quantity
    assert desk.row(taker)["orderStatus"] == "Filled"
    assert (desk.row(taker)["smpType"], desk.row(taker)["smpOrderId"]) == ("CancelMaker", "")


def test_cancel_maker_leaves_what_the_taker_does_not_reach(desk: Any) -> None:
    far = own_ask(desk, "60000.20")
    taker = desk.order(price="60000.30", qty="0.2", smpType="CancelMaker")
    assert desk.row(taker)["orderStatus"] == "Filled"
    assert desk.row(far)["orderStatus"] == "New"


def test_cancel_both_ends_maker_and_taker(desk: Any) -> None:
    maker = own_ask(desk)
    desk.book(NAME, asks=[(600_001, 0)])
    taker = desk.order(price="60000.20", qty="0.9", smpType="CancelBoth")
    for mine, other in ((maker, taker), (taker, maker)):
        row = desk.row(mine)
        assert (row["orderStatus"], row["cancelType"], row["smpOrderId"]) == (
            "Cancelled",
            "CancelBySmp",
            other["result"]["orderId"],
        )
    assert desk.position()["size"] == "0.000"


def test_cancel_taker_names_the_order_it_met(desk: Any) -> None:
    maker = own_ask(desk)
    desk.book(NAME, asks=[(600_001, 0)])
    row = desk.row(desk.order(price="60000.10", qty="0.2", smpType="CancelTaker"))
    assert row["smpOrderId"] == maker["result"]["orderId"]


def test_makers_setting_does_not_count(desk: Any) -> None:
    desk.order(side="Sell", price="60000.10", qty="0.5", smpType="CancelBoth")
    desk.book(NAME, asks=[(600_001, 0)])
    assert desk.row(desk.order(price="60000.10", qty="0.2"))["orderStatus"] == "Filled"


def crowd(desk: Any) -> dict[str, str]:
    """Place one live order of every kind on linear and spot BTC; return names by order id."""
    desk.order(orderType="Market", qty="0.1")
    linear = {"category": "linear", "symbol": "BTCUSDT"}
    desk.post("/v5/position/trading-stop", **linear, tpslMode="Full", stopLoss="50000")
    spot = {"category": "spot", "qty": "0.001", "price": "59000"}
    placed = {
        "order": desk.order(),
        "stop": desk.order(triggerPrice="61000", triggerDirection=1),
        "eth": desk.order(symbol="ETHUSDT", price="2900", qty="0.1"),
        "spot": desk.order(**spot),
        "spot stop": desk.order(**spot, triggerPrice="61000"),
        "spot tpsl": desk.order(**spot, triggerPrice="61000", orderFilter="tpslOrder"),
    }
    names = {answer["result"]["orderId"]: name for name, answer in placed.items()}
    rows = desk.get("/v5/order/realtime", **linear, orderFilter="StopOrder")["result"]["list"]
    return names | {r["orderId"]: "exit" for r in rows if r["stopOrderType"] == "StopLoss"}


@pytest.mark.parametrize(
    ("params", "gone"),
    [
        ({"category": "linear", "settleCoin": "USDT"}, {"order", "stop", "exit", "eth"}),
        ({"category": "linear", "symbol": "BTCUSDT"}, {"order", "stop", "exit"}),
        ({"category": "linear", "baseCoin": "ETH", "settleCoin": "BTC"}, {"eth"}),
        (
            {"category": "linear", "settleCoin": "USDT", "orderFilter": "Order"},
            {"order", "eth"},
        ),
        (
            {"category": "linear", "settleCoin": "USDT", "orderFilter": "StopOrder"},
            {"stop", "exit"},
        ),
        (
            {
                "category": "linear",
                "settleCoin": "USDT",
                "orderFilter": "StopOrder",
                "stopOrderType": "Stop",
            },
            {"stop"},
        ),
        (
            {"category": "linear", "settleCoin": "USDT", "orderFilter": "OpenOrder"},
            {"order", "stop", "eth"},
        ),
        ({"category": "spot"}, {"spot"}),
        ({"category": "spot", "orderFilter": "StopOrder"}, {"spot stop"}),
        ({"category": "spot", "orderFilter": "tpslOrder"}, {"spot tpsl"}),
        ({"category": "spot", "symbol": "ETHUSDT"}, set()),
    ],
)
def test_cancel_all_means_what_its_filters_say(
    desk: Any, params: dict[str, object], gone: set[str]
) -> None:
    names = crowd(desk)
    answer = desk.post("/v5/order/cancel-all", **params)
    assert {names[row["orderId"]] for row in answer["result"]["list"]} == gone
    assert answer["result"]["success"] == "1"
    ended = {
        line["orderId"]
        for line in desk.kinds("order")
        if line["orderStatus"] in ("Cancelled", "Deactivated")
    }
    assert {names[one] for one in ended} == gone


@pytest.mark.parametrize(
    "params",
    [
        {"category": "linear"},
        {"category": "option"},
        {"category": "linear", "symbol": "BTCUSDT", "orderFilter": "tpslOrder"},
        {"category": "linear", "symbol": "BTCUSDT", "stopOrderType": "Stop"},
        {"category": "spot", "settleCoin": "USDT", "orderFilter": "OpenOrder"},
    ],
)
def test_cancel_all_refusals(desk: Any, params: dict[str, object]) -> None:
    assert desk.post("/v5/order/cancel-all", **params)["retCode"] == 10001


def test_cancel_all_takes_five_hundred_linear_orders_drawn_from_the_seed(make_desk: Any) -> None:
    def rest(seed: int) -> list[int]:
        desk = make_desk(seed=seed, accounts=(AccountSettings(balances={"USDT": "9000000"}),))
        placed = []
        for symbol, price, qty in (("BTCUSDT", "59000", "0.001"), ("ETHUSDT", "2900", "0.01")):
            for _ in range(255):
                answer = desk.order(symbol=symbol, price=price, qty=qty)
                placed.append(answer["result"]["orderId"])
        done = desk.post("/v5/order/cancel-all", category="linear", settleCoin="USDT")
        assert len(done["result"]["list"]) == 500
        gone = {row["orderId"] for row in done["result"]["list"]}
        return [n for n, order_id in enumerate(placed) if order_id not in gone]

    left = rest(1)
    assert len(left) == 10
    assert left == rest(1) != rest(2)


def test_pre_check_tells_the_margin_rates_and_places_nothing(desk: Any) -> None:
    usual = {"category": "linear", "symbol": "BTCUSDT", "side": "Buy", "orderType": "Limit"}
    asked = usual | {"qty": "1", "price": "59000"}
    answer = desk.post("/v5/order/pre-check", **asked)
    rates = answer["result"]
    assert (rates["preImrE4"], rates["preMmrE4"]) == (0, 0)
    assert Decimal(320) < rates["postImrE4"] < 330  # 59,000 / 10 of 184,000, and fees
    assert not desk.kinds("order")
    assert desk.wallet()["totalOrderIM"] == "0"
    assert desk.post("/v5/order/pre-check", **(asked | {"qty": "1000"}))["retCode"] == 110007
    trigger = {"triggerPrice": "61000", "triggerDirection": 1}
    assert desk.post("/v5/order/pre-check", **asked, **trigger)["retCode"] == 10001
    desk.order(orderLinkId="used")
    assert desk.post("/v5/order/pre-check", **asked, orderLinkId="used")["retCode"] == 110072


def test_market_order_beyond_the_band_ends_with_the_price_limits_reason(desk: Any) -> None:
    desk.book(NAME, asks=[(600_001 + i, 0) for i in range(5)])
    desk.book(NAME, asks=[(630_000, 10)])
    row = desk.row(desk.order(orderType="Market"))
    assert (row["orderStatus"], row["rejectReason"]) == ("Cancelled", "EC_ReachMarketPriceLimit")
