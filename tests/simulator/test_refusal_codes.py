"""Each code an order request can be refused with, and one way to meet it."""

from collections.abc import Callable
from typing import Any

import pytest

from plimsoll.core.model import Side
from plimsoll.simulator.settings import AccountSettings

LINEAR: dict[str, Any] = {"category": "linear", "symbol": "BTCUSDT"}
SPOT: dict[str, Any] = {"category": "spot", "symbol": "BTCUSDT"}
SMALL: dict[str, Any] = {"category": "spot", "qty": "0.001"}
NAME = "linear:BTCUSDT"
Reach = Callable[[Any], dict[str, Any]]


def ids(answer: dict[str, Any], scope: dict[str, Any] = LINEAR) -> dict[str, Any]:
    return scope | {"orderId": answer["result"]["orderId"]}


def change(desk: Any, op: str, answer: dict[str, Any], **params: object) -> dict[str, Any]:
    scope = SPOT if answer["result"]["orderId"].isdigit() else LINEAR
    return desk.post(f"/v5/order/{op}", **ids(answer, scope), **params)


def twice(desk: Any, op: str, answer: dict[str, Any], **params: object) -> dict[str, Any]:
    change(desk, op, answer, **params)
    return change(desk, op, answer, **params)


def partly(desk: Any, **params: object) -> dict[str, Any]:
    """Return an order of which 0.3 are filled."""
    answer = desk.order(price="60000.00", qty="1", **params)
    desk.trade(NAME, Side.SELL, 600_000, 10_300)
    return answer


def stop(desk: Any, **params: object) -> dict[str, Any]:
    desk.order(orderType="Market", qty="1")
    return desk.post("/v5/position/trading-stop", **LINEAR, **params)


def many(desk: Any, count: int, **params: object) -> dict[str, Any]:
    return [desk.order(**params) for _ in range(count)][-1]


def many_stops(desk: Any) -> dict[str, Any]:
    one = {"tpslMode": "Partial", "takeProfit": "61000", "tpSize": "0.01"}
    return [stop(desk, **one) for _ in range(21)][-1]


def refusing_prices(desk: Any, **params: object) -> dict[str, Any]:
    desk.post("/v5/account/set-limit-px-action", category="linear", modifyEnable=False)
    return desk.order(**params)


def without_book(desk: Any, **params: object) -> dict[str, Any]:
    desk.book(NAME, asks=[(600_001 + i, 0) for i in range(5)])
    desk.book("spot:BTCUSDT", asks=[(6_000_001 + i, 0) for i in range(5)])
    return desk.order(orderType="Market", **params)


def filled_during_amend(desk: Any) -> dict[str, Any]:
    answer = desk.order(price="60000.00", qty="1")
    desk.wait(1)
    change(desk, "amend", answer, qty="0.9")
    desk.trade(NAME, Side.SELL, 600_000, 10_300)
    return change(desk, "amend", answer, qty="0.8")


def spot_partly(desk: Any) -> dict[str, Any]:
    answer = desk.order(**(SMALL | {"qty": "0.06"}), price="60000.01")
    return change(desk, "amend", answer, qty="0.005")


REACHED: dict[int, Reach] = {
    10001: lambda d: d.order(side="Hold"),
    10005: lambda d: d.post("/v5/order/disconnected-cancel-all", product="SPOT", timeWindow=5),
    30208: lambda d: refusing_prices(d, price="70000"),
    30209: lambda d: refusing_prices(d, side="Sell", price="50000"),
    34040: lambda d: stop(d),
    110001: lambda d: d.post("/v5/order/cancel", **LINEAR, orderId="nothing"),
    110007: lambda d: d.order(qty="1000"),
    110008: lambda d: change(d, "cancel", d.order(price="60000.10")),
    110009: lambda d: many(d, 11, triggerPrice="61000", triggerDirection=1),
    110010: lambda d: twice(d, "cancel", d.order()),
    110017: lambda d: d.order(reduceOnly=True),
    110020: lambda d: many(d, 501, qty="0.001"),
    110058: lambda d: stop(d, tpslMode="Partial", takeProfit="61000", tpSize="2"),
    110059: lambda d: change(d, "amend", partly(d, takeProfit="61000"), takeProfit="62000"),
    110061: many_stops,
    110064: lambda d: change(d, "amend", partly(d), qty="0.3"),
    110072: lambda d: many(d, 2, orderLinkId="once"),
    110092: lambda d: d.order(triggerPrice="59000", triggerDirection=1),
    110093: lambda d: d.order(triggerPrice="61000", triggerDirection=2),
    110094: lambda d: d.order(symbol="DOGEUSDT", qty="1", price="0.2"),
    110108: lambda d: d.order(
        orderType="Market", slippageToleranceType="TickSize", slippageTolerance="0"
    ),
    110109: lambda d: d.order(
        orderType="Market", slippageToleranceType="Percent", slippageTolerance="11"
    ),
    110118: without_book,
    110119: lambda d: d.order(timeInForce="RPI"),
    170131: lambda d: d.order(category="spot", qty="5"),
    170134: lambda d: d.order(**SMALL, price="59000.005"),
    170137: lambda d: d.order(category="spot", qty="0.0000015"),
    170139: lambda d: change(d, "cancel", d.order(**SMALL, price="60000.01")),
    170140: lambda d: d.order(category="spot", qty="0.00005"),
    170141: lambda d: many(d, 2, **SMALL, orderLinkId="once"),
    170142: lambda d: twice(d, "cancel", d.order(**SMALL)),
    170148: lambda d: d.order(category="spot", orderType="Market", qty="100.00000001"),
    170193: lambda d: d.order(**SMALL, price="70000"),
    170194: lambda d: d.order(**SMALL, side="Sell", price="50000"),
    170198: lambda d: without_book(d, category="spot", qty="100"),
    170213: lambda d: d.post("/v5/order/cancel", **SPOT, orderId="nothing"),
    170313: spot_partly,
    170344: lambda d: d.order(**SMALL, isLeverage=1),
    170355: lambda d: d.order(**SMALL, timeInForce="RPI"),
    170381: lambda d: d.order(category="spot", qty="84"),
    170810: lambda d: many(d, 31, **SMALL, triggerPrice="61000"),
    181017: lambda d: d.get("/v5/order/history", category="linear", orderStatus="New"),
}
DELAYED: dict[int, Reach] = {
    40004: filled_during_amend,
    110079: lambda d: twice(d, "amend", d.order(), qty="0.02"),
    170144: lambda d: twice(d, "amend", d.order(**SMALL), qty="0.002"),
    170212: lambda d: twice(d, "cancel", d.order(**SMALL)),
}


@pytest.mark.parametrize("code", REACHED)
def test_code_is_reached(make_desk: Any, code: int) -> None:
    desk = make_desk(accounts=(AccountSettings(balances={"USDT": "200000", "BTC": "1"}),))
    answer = REACHED[code](desk)
    assert answer["retCode"] == code, answer
    assert answer["result"] == {}
    assert answer["retMsg"] not in ("OK", "Error")


@pytest.mark.parametrize("code", DELAYED)
def test_code_is_reached_while_a_change_is_on_its_way(make_desk: Any, code: int) -> None:
    desk = make_desk(match_delay_ms=100, cancel_delay_ms=100)
    answer = DELAYED[code](desk)
    assert answer["retCode"] == code, answer
    assert answer["retMsg"] not in ("OK", "Error")
