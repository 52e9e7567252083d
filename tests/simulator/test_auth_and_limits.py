"""Who may ask, and how often."""

import base64
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
    desk.wait(599)
    assert desk.do(Rest("GET", "/v5/market/time")).answer.status == 403
    desk.wait(2)
    assert desk.do(Rest("GET", "/v5/market/time")).answer.status == 200


def test_the_ban_of_an_address_is_a_setting(make_desk: Callable[..., Any]) -> None:
    desk = make_desk(limits="venue", ban_s=3.0)
    for _ in range(601):
        desk.do(Rest("GET", "/v5/market/time"))
    assert desk.do(Rest("GET", "/v5/market/time", address="127.0.0.2")).answer.status == 200
    desk.wait(3)
    assert desk.do(Rest("GET", "/v5/market/time")).answer.status == 200


@pytest.mark.parametrize(
    ("vip", "linear", "spot"), [(0, 10, 20), (1, 20, 25), (2, 40, 30), (3, 60, 40), (9, 60, 40)]
)
def test_vip_levels_raise_the_limits_of_orders(
    make_desk: Callable[..., Any], vip: int, linear: int, spot: int
) -> None:
    desk = make_desk(limits="venue", accounts=(AccountSettings(vip=vip),))
    codes = [desk.order()["retCode"] for _ in range(linear + 1)]
    assert codes == [0] * linear + [10006]
    codes = [desk.order(category="spot", qty="0.001")["retCode"] for _ in range(spot + 1)]
    assert codes == [0] * spot + [10006]
    headers = desk.headers("category=linear")
    answer = desk.do(Rest("GET", "/v5/account/fee-rate", "category=linear", b"", headers)).answer
    assert answer.headers["X-Bapi-Limit"] == "5"


def test_each_order_of_a_batch_counts_and_the_rest_fails_alone(
    make_desk: Callable[..., Any],
) -> None:
    desk = make_desk(limits="venue")
    item = {"symbol": "BTCUSDT", "side": "Buy", "orderType": "Limit", "qty": "0.01"}
    items = [item | {"price": "40000"}] * 12
    answer = desk.post("/v5/order/create-batch", category="linear", request=items)
    assert answer["retCode"] == 0
    codes = [row["code"] for row in answer["retExtInfo"]["list"]]
    assert codes == [0] * 10 + [10006] * 2
    assert desk.order()["retCode"] == 0, "single orders have a bucket of their own"


def test_trade_socket_and_rest_share_a_budget_and_its_headers(
    make_desk: Callable[..., Any],
) -> None:
    desk = make_desk(limits="venue")
    desk.socket(1, "/v5/trade", auth=True)
    for _ in range(6):
        desk.order()
    answers = []
    for number in range(5):
        header = {"X-BAPI-TIMESTAMP": str(desk.now_ns // 1_000_000)}
        args = [
            {
                "category": "linear",
                "symbol": "BTCUSDT",
                "side": "Buy",
                "orderType": "Limit",
                "qty": "0.01",
                "price": "40000",
            }
        ]
        message = {"op": "order.create", "reqId": str(number), "header": header, "args": args}
        answers += desk.say(1, message)
    assert [answer["retCode"] for answer in answers] == [0] * 4 + [10006]
    assert [a["header"]["X-Bapi-Limit-Status"] for a in answers] == ["3", "2", "1", "0", "0"]
    reset_ms = int(answers[-1]["header"]["X-Bapi-Limit-Reset-Timestamp"])
    assert desk.now_ns // 1_000_000 < reset_ms <= desk.now_ns // 1_000_000 + 1001


def test_too_many_trade_requests_of_a_session_and_of_an_address(
    make_desk: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = make_desk(limits="venue")
    for number in (1, 2, 3):
        desk.socket(number, "/v5/trade", auth=True)

    def ask(number: int, times: int) -> list[int]:
        header = {"X-BAPI-TIMESTAMP": str(desk.now_ns // 1_000_000)}
        args = [{"category": "linear", "symbol": "BTCUSDT", "orderId": "x"}]
        message = {"op": "order.cancel", "header": header, "args": args}
        return [desk.say(number, message)[0]["retCode"] for _ in range(times)]

    monkeypatch.setattr("plimsoll.simulator.brain.trade_socket.SESSION_REQUESTS", 8)
    monkeypatch.setattr("plimsoll.simulator.brain.limits.TRADE_REQUESTS", 20)
    assert ask(1, 9)[-1] == 20003
    assert 20003 not in ask(2, 8)
    assert ask(3, 5)[-1] == 10403


@pytest.mark.parametrize(
    ("rest", "status", "code"),
    [
        (Rest("GET", "/v5/account/info"), 401, 10001),
        (Rest("POST", "/v5/order/create"), 401, 10001),
        (Rest("POST", "/v5/market/time"), 400, 10001),
        (Rest("GET", "/v5/order/create"), 400, 10001),
        (Rest("PUT", "/v5/order/create"), 400, 10001),
        (Rest("GET", "/v5/market/time", "", b"{}"), 403, 10001),
        (Rest("GET", "/v5/market/tickers", "&".join(["a=1"] * 500)), 400, 10001),
        (Rest("GET", "/v6"), 404, 10017),
    ],
)
def test_http_statuses_of_the_gateway(desk: Any, rest: Rest, status: int, code: int) -> None:
    answer = desk.do(rest).answer
    assert (answer.status, json.loads(answer.body)["retCode"]) == (status, code)


def test_rsa_keys(make_desk: Callable[..., Any]) -> None:
    pytest.importorskip("cryptography", reason="the optional package for RSA keys is missing")
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    kinds = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    pem = private.public_key().public_bytes(*kinds).decode()
    desk = make_desk(accounts=(AccountSettings(key="rsa", public_key=pem),))

    def signed(text: str) -> str:
        raw = private.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
        return base64.b64encode(raw).decode()

    stamp = str((desk.now_ns + 1_000_000) // 1_000_000)
    headers = {"x-bapi-api-key": "rsa", "x-bapi-timestamp": stamp, "x-bapi-recv-window": "5000"}
    for signature, code in (
        (signed(f"{stamp}rsa5000"), 0),
        (signed(f"{stamp}rsa5001"), 10004),
        (sign("sim-secret", f"{stamp}rsa5000"), 10004),
        ("§", 10004),
    ):
        rest = Rest("GET", "/v5/account/info", "", b"", headers | {"x-bapi-sign": signature})
        assert json.loads(desk.do(rest).answer.body)["retCode"] == code
    desk.socket(1, "/v5/private")
    expires = desk.now_ns // 1_000_000 + 10_000
    auth = {"op": "auth", "args": ["rsa", expires, signed(f"GET/realtime{expires}")]}
    assert desk.say(1, auth)[0]["success"]
    other = ec.generate_private_key(ec.SECP256R1()).public_key().public_bytes(*kinds).decode()
    for text in ("no key", other):
        with pytest.raises(ValueError, match="public_key"):
            AccountSettings(public_key=text)


def test_rsa_without_its_package_is_refused_with_the_remedy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("plimsoll.simulator.keys.IS_RSA_OFFERED", False)
    with pytest.raises(ValueError, match=r"pip install 'plimsoll\[rsa\]'"):
        AccountSettings(public_key="x")
