"""Sockets as the venue's: who may connect, how long they live, how much they may ask for."""

from collections.abc import Callable
from typing import Any

import aiohttp
import pytest
from tests.simulator.outside import Outside, now_ms, resting, sign, with_outside

from plimsoll.simulator.brain import streams
from plimsoll.simulator.brain.messages import SocketOpened

LINEAR, PRIVATE, TRADE = "/v5/public/linear", "/v5/private", "/v5/trade"


@pytest.mark.parametrize(
    ("query", "seconds"),
    [
        ("", 600),
        ("max_active_time=30s", 30),
        ("max_active_time=1m", 60),
        ("max_active_time=10m", 600),
        ("max_active_time=29s", 600),
        ("max_active_time=601s", 600),
        ("max_active_time=1h", 600),
        ("max_active_time=", 600),
        ("max_active_time=²s", 600),
        ("max_active_time=" + "9" * 5000 + "s", 600),
    ],
)
def test_private_sockets_live_as_long_as_they_ask(desk: Any, query: str, seconds: int) -> None:
    desk.do(SocketOpened(1, PRIVATE, query))
    desk.wait(seconds - 1)
    assert desk.drops == []
    desk.wait(31)
    assert desk.drops == [1]
    assert desk.kinds("connection")[-1]["event"] == "idle"


def test_a_ping_keeps_a_socket_alive(desk: Any) -> None:
    desk.do(SocketOpened(1, TRADE, "max_active_time=30s"))
    for _ in range(8):
        desk.wait(20)
        desk.say(1, {"op": "ping"})
    assert desk.drops == []


def test_pushes_keep_a_private_socket_alive(desk: Any) -> None:
    desk.do(SocketOpened(1, PRIVATE, "max_active_time=30s"))
    expires = desk.now_ns // 1_000_000 + 10_000
    desk.say(1, {"op": "auth", "args": ["sim-key", expires, sign(f"GET/realtime{expires}")]})
    desk.say(1, {"op": "subscribe", "args": ["order"]})
    for number in range(6):
        desk.wait(20)
        desk.order(orderLinkId=f"o{number}")
    assert desk.drops == []


def test_public_sockets_without_subscription_die_after_61_seconds(desk: Any) -> None:
    desk.socket(1, LINEAR)
    desk.socket(2, LINEAR)
    desk.say(2, {"op": "subscribe", "args": ["tickers.BTCUSDT"]})
    desk.wait(60)
    assert desk.drops == []
    desk.wait(2)
    assert desk.drops == [1]
    desk.wait(200)
    assert 2 not in desk.drops


def test_a_dead_idle_socket_ends_without_a_close_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "_PUBLIC_IDLE_NS", 1)

    async def use(c: Outside) -> None:
        stream = await c.socket("linear")
        assert await stream.ended() == 1006

    with_outside(use)


def test_topics_of_one_connection_have_21000_characters(
    desk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert streams._ARGS_CHARACTERS == 21_000
    monkeypatch.setattr(streams, "_ARGS_CHARACTERS", 40)
    desk.socket(1, LINEAR)
    first = {"op": "subscribe", "args": ["orderbook.50.BTCUSDT"]}
    second = {"op": "subscribe", "args": ["orderbook.50.ETHUSDT", "tickers.BTCUSDT"]}
    assert desk.say(1, first)[0]["success"]
    assert desk.say(1, second)[0]["ret_msg"].startswith("args size >")
    assert desk.say(1, first | {"op": "unsubscribe"})[0]["success"]
    assert desk.say(1, second)[0]["success"]


def test_all_in_one_and_categorised_topics_do_not_mix(desk: Any) -> None:
    desk.socket(1, PRIVATE, auth=True)
    mixed = {"op": "subscribe", "args": ["order", "execution.linear"]}
    assert desk.say(1, mixed)[0]["success"] is False
    assert desk.say(1, {"op": "subscribe", "args": ["order", "wallet"]})[0]["success"]
    assert desk.say(1, {"op": "subscribe", "args": ["execution.linear"]})[0]["success"]


def test_too_many_trade_sessions_of_a_uid(make_desk: Callable[..., Any]) -> None:
    desk = make_desk(trade_sessions=2)
    for number in (1, 2, 3):
        desk.socket(number, TRADE, auth=True)
    codes = [line["retCode"] for line in desk.kinds("connection") if line["event"] == "auth"]
    assert codes == [0, 0, 10003]


def test_repeated_auth_and_repeated_req_id(desk: Any) -> None:
    desk.socket(1, TRADE, auth=True)
    expires = desk.now_ns // 1_000_000 + 10_000
    auth = {"op": "auth", "args": ["sim-key", expires, sign(f"GET/realtime{expires}")]}
    assert desk.say(1, auth)[0]["retCode"] == 20001
    header = {"X-BAPI-TIMESTAMP": str(desk.now_ns // 1_000_000)}
    create = {"op": "order.create", "reqId": "a", "header": header, "args": [resting()]}
    assert desk.say(1, create)[0]["retCode"] == 0
    assert desk.say(1, create)[0]["retCode"] == 20006


def test_auth_and_subscribe_may_follow_at_once() -> None:
    async def use(c: Outside) -> None:
        stream = await c.socket("private", auth=False)
        expires = now_ms() + 10_000
        await stream.say(op="auth", args=["sim-key", expires, sign(f"GET/realtime{expires}")])
        await stream.say(op="subscribe", args=["order"])
        await c.order()
        found = [await stream.next() for _ in range(3)]
        assert [m.get("op", m.get("topic")) for m in found] == ["auth", "subscribe", "order"]

    with_outside(use)


def test_compression_only_where_it_is_offered() -> None:
    async def use(c: Outside) -> None:
        url = f"{c.exchange.ws_url}{LINEAR}"
        for asked, given in ((15, 15), (0, 0)):
            ws = await c.session.ws_connect(url, compress=asked)
            assert ws.compress == given
            await ws.send_str('{"op":"subscribe","args":["orderbook.200.BTCUSDT"]}')
            assert (await ws.receive_json())["success"]
            assert (await ws.receive_json())["topic"] == "orderbook.200.BTCUSDT"
            await ws.close()

    with_outside(use)


def test_protocol_pings_are_answered() -> None:
    async def use(c: Outside) -> None:
        ws = await c.session.ws_connect(f"{c.exchange.ws_url}{PRIVATE}", autoping=False)
        await ws.ping(b"there?")
        message = await ws.receive()
        assert (message.type, message.data) == (aiohttp.WSMsgType.PONG, b"there?")

    with_outside(use)


def test_connection_attempts_and_market_connections_are_capped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert streams.MARKET_CONNECTIONS == 1000
    monkeypatch.setattr(streams, "MARKET_CONNECTIONS", 2)
    monkeypatch.setattr("plimsoll.simulator.brain.limits.CONNECTS", 6)

    async def use(c: Outside) -> None:
        kinds = ("linear", "linear", "spot", "private")
        held = [await c.socket(kind, auth=False) for kind in kinds]
        with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
            await c.socket("linear")
        held.append(await c.socket("spot"))
        with pytest.raises(aiohttp.WSServerHandshakeError, match="403"):
            await c.socket("private")

    with_outside(use, limits="venue")


def test_the_status_socket_knows_one_topic() -> None:
    async def use(c: Outside) -> None:
        status = await c.socket("status", "system.status")
        await status.say(op="subscribe", args=["tickers.BTCUSDT"])
        assert (await status.next())["success"] is False
        assert (await status.ping())["ret_msg"] == "pong"

    with_outside(use)


def test_a_plain_request_to_a_socket_path_is_no_error() -> None:
    async def use(c: Outside) -> None:
        assert (await c.get(LINEAR))["status"] == 400

    with_outside(use)
