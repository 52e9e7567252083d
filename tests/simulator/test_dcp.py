"""Disconnection protection: orders go some time after the last watching connection."""

from typing import Any

import pytest

from plimsoll.simulator.brain.messages import SocketClosed
from plimsoll.simulator.settings import AccountSettings

PATH = "/v5/order/disconnected-cancel-all"


@pytest.fixture
def guarded(make_desk: Any) -> Any:
    """A desk whose account may use it and protects derivatives with five seconds."""
    desk = make_desk(accounts=(AccountSettings(dcp=True),))
    assert desk.post(PATH, product="DERIVATIVES", timeWindow=5)["retCode"] == 0
    return desk


def watch(desk: Any, number: int, topic: str = "dcp.future") -> None:
    desk.socket(number, "/v5/private", auth=True)
    desk.say(number, {"op": "subscribe", "args": [topic]})


def leave(desk: Any, number: int) -> None:
    desk.do(SocketClosed(number, "gone"))


def state(desk: Any, answer: dict[str, Any]) -> tuple[str, str]:
    row = desk.row(answer)
    return row["orderStatus"], row["cancelType"]


def test_orders_of_the_product_go_when_the_window_is_over(guarded: Any) -> None:
    plain, stop = guarded.order(), guarded.order(triggerPrice="61000", triggerDirection=1)
    spot = guarded.order(category="spot", qty="0.001")
    watch(guarded, 1)
    guarded.wait(20)
    leave(guarded, 1)
    guarded.wait(0.1)
    guarded.wait(4.8)
    assert state(guarded, plain) == ("New", "UNKNOWN")
    guarded.wait(0.3)
    assert state(guarded, plain) == ("Cancelled", "CancelByDCP")
    assert state(guarded, stop) == ("Deactivated", "CancelByDCP")
    assert guarded.row(spot, "spot")["orderStatus"] == "New"


def test_one_connection_that_stays_or_returns_stops_the_time(guarded: Any) -> None:
    order = guarded.order()
    watch(guarded, 1)
    watch(guarded, 2)
    guarded.wait(20)
    leave(guarded, 1)
    guarded.wait(60)
    assert state(guarded, order)[0] == "New"
    leave(guarded, 2)
    guarded.wait(4)
    watch(guarded, 3)
    guarded.wait(60)
    assert state(guarded, order)[0] == "New"


def test_nothing_happens_before_anybody_watched_or_without_the_topic(guarded: Any) -> None:
    order = guarded.order()
    guarded.wait(60)
    watch(guarded, 1, "order")
    leave(guarded, 1)
    guarded.wait(60)
    assert state(guarded, order)[0] == "New"


def test_setting_takes_ten_seconds_to_apply(make_desk: Any) -> None:
    desk = make_desk(accounts=(AccountSettings(dcp=True),))
    watch(desk, 1)
    desk.post(PATH, product="SPOT", timeWindow=30)
    assert desk.get("/v5/account/query-dcp-info")["result"]["dcpInfos"] == []
    desk.wait(10)
    assert desk.get("/v5/account/query-dcp-info")["result"]["dcpInfos"] == [
        {"product": "SPOT", "dcpStatus": "ON", "timeWindow": "30"}
    ]


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"product": "SPOT", "timeWindow": 2}, 10001),
        ({"product": "SPOT", "timeWindow": 301}, 10001),
        ({"product": "SPOT"}, 10001),
        ({"product": "FUTURES", "timeWindow": 10}, 10001),
        ({"timeWindow": 10}, 0),
    ],
)
def test_refusals(make_desk: Any, params: dict[str, object], code: int) -> None:
    desk = make_desk(accounts=(AccountSettings(dcp=True),))
    assert desk.post(PATH, **params)["retCode"] == code


def test_account_without_the_right_is_refused(desk: Any) -> None:
    assert desk.post(PATH, product="SPOT", timeWindow=10)["retCode"] == 10005
