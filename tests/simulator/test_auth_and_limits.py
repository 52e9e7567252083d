"""Who may ask, and how often."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from plimsoll.simulator.brain.auth import sign
from plimsoll.simulator.brain.messages import Rest
from plimsoll.simulator.settings import AccountSettings

POST = (
    '{"category":"linear","symbol":"BTCUSDT","side":"Buy","orderType":"Limit","qty":"0.001",'
    '"price":"30000","timeInForce":"GTC","orderLinkId":"vec-1"}'
)


@pytest.mark.parametrize(
    ("payload", "wanted"),
    [
        (
            "category=linear&symbol=BTCUSDT",
            "01d815f1e23d1deca8771d2ff41424ba721353cac43b375fae6c01fc31c6495e",
        ),
        (POST, "9be5a7805608a107c99992f1c9407b913d75a645c8993c984796e6aa6173412b"),
        ("", "1845b217426fe871dfdcf3b57eb368b98a802a60bf0476aba39f7331cd4077e3"),
    ],
)
def test_signature_vectors(payload: str, wanted: str) -> None:
    assert sign("TESTSECRET0001", f"1700000000000TESTKEY00015000{payload}") == wanted


def test_socket_signature_vector() -> None:
    assert (
        sign("TESTSECRET0001", "GET/realtime1700000010000")
        == "d2dc1aeffe66cdb5faccf30102dfc7cde9cd010cc02876e3c6d8a8b8befa8afc"
    )


@pytest.mark.parametrize(
    ("shift_ms", "code"), [(-5000, 0), (-5001, 10002), (0, 0), (999, 0), (1000, 10002)]
)
def test_timestamp_window(desk: Any, shift_ms: int, code: int) -> None:
    desk.now_ns += 1_000_000  # the request arrives a millisecond after it was stamped
    headers = desk.headers("", shift_ms=shift_ms)
    desk.now_ns -= 1_000_000
    answer = desk.do(Rest("GET", "/v5/account/info", "", b"", headers)).answer
    assert json.loads(answer.body)["retCode"] == code


def test_refused_keys(make_desk: Callable[..., Any]) -> None:
    accounts = (
        AccountSettings(),
        AccountSettings(key="old", secret="sim-secret", uid=2, expired=True),
        AccountSettings(key="reader", secret="sim-secret", uid=3, read_only=True),
        AccountSettings(key="wrong", secret="another", uid=4),
    )
    desk = make_desk(accounts=accounts)
    assert desk.get("/v5/account/info", key="unknown")["retCode"] == 10003
    assert desk.get("/v5/account/info", key="old")["retCode"] == 33004
    assert desk.get("/v5/account/info", key="wrong")["retCode"] == 10004
    assert desk.get("/v5/account/info", key="reader")["retCode"] == 0
    assert desk.order(key="reader")["retCode"] == 10005
    assert desk.do(Rest("GET", "/v5/nowhere")).answer.status == 404


def test_eleventh_linear_create_in_a_second_is_refused(make_desk: Callable[..., Any]) -> None:
    desk = make_desk(limits="venue")
    codes = [desk.order()["retCode"] for _ in range(11)]
    assert codes == [0] * 10 + [10006]
    spot = [desk.order(category="spot", qty="0.001")["retCode"] for _ in range(21)]
    assert spot == [0] * 20 + [10006]
    desk.wait(1)
    assert desk.order()["retCode"] == 0


def test_limit_headers_count_down(make_desk: Callable[..., Any]) -> None:
    desk = make_desk(limits="venue")
    for left in ("49", "48"):
        headers = desk.headers("")
        answer = desk.do(Rest("GET", "/v5/account/info", "", b"", headers)).answer
        assert answer.headers["X-Bapi-Limit"] == "50"
        assert answer.headers["X-Bapi-Limit-Status"] == left


def test_address_is_cut_off_after_600_requests_in_5_seconds(make_desk: Callable[..., Any]) -> None:
    desk = make_desk(limits="venue")
    statuses = [desk.do(Rest("GET", "/v5/market/time")).answer.status for _ in range(601)]
    assert statuses == [200] * 600 + [403]
