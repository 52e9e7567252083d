import json

import pytest

from plimsoll.venues.bybit.dialect import BybitDialect, PrivateDialect, TradeDialect
from plimsoll.venues.bybit.settings import Secret
from plimsoll.venues.bybit.sign import Signer
from plimsoll.websocket import (
    AuthAccepted,
    AuthRefused,
    Malformed,
    Notice,
    Pong,
    Subscribed,
    SubscribeRefused,
)

SIGNER = Signer("TESTKEY0001", Secret("TESTSECRET0001"))
PUBLIC = BybitDialect()
PRIVATE = PrivateDialect(SIGNER, lambda: 1700000000000)
TRADE = TradeDialect(SIGNER, lambda: 1700000000000)


def test_login_expires_ten_seconds_ahead():
    login = json.loads(PRIVATE.auth())
    signature = "d2dc1aeffe66cdb5faccf30102dfc7cde9cd010cc02876e3c6d8a8b8befa8afc"
    assert login == {"op": "auth", "args": ["TESTKEY0001", 1700000010000, signature]}
    assert PUBLIC.auth() is None


def test_subscriptions_and_pings():
    asked = json.loads(PUBLIC.subscribe(["a", "b"], "7"))
    assert asked == {"req_id": "7", "op": "subscribe", "args": ["a", "b"]}
    assert json.loads(PUBLIC.unsubscribe(["a"], "8"))["op"] == "unsubscribe"
    assert json.loads(PUBLIC.ping("9")) == {"req_id": "9", "op": "ping"}


BAD = "error:handler not found,topic:orderbook.30.BTCUSDT"
SEEN = "error:already subscribed,topic:orderbook.1.ETHUSDT"


@pytest.mark.parametrize(
    ("dialect", "frame", "meaning"),
    [
        (PRIVATE, {"success": True, "ret_msg": "", "op": "auth", "conn_id": "c"}, AuthAccepted()),
        (TRADE, {"retCode": 0, "retMsg": "OK", "op": "auth", "connId": "c"}, AuthAccepted()),
        (TRADE, {"retCode": 20001, "retMsg": "again", "op": "auth"}, AuthAccepted()),
        (
            PRIVATE,
            {"success": False, "ret_msg": "Params Error", "op": "auth"},
            AuthRefused("Params Error"),
        ),
        (TRADE, {"retCode": 10004, "retMsg": "sign", "op": "auth"}, AuthRefused("10004 sign")),
        (PUBLIC, {"success": True, "ret_msg": "pong", "conn_id": "c", "op": "ping"}, Pong()),
        (PRIVATE, {"req_id": "1", "op": "pong", "args": ["17"], "conn_id": "c"}, Pong()),
        (TRADE, {"retCode": 0, "retMsg": "OK", "op": "pong", "data": ["1"]}, Pong()),
        (
            PUBLIC,
            {"success": True, "ret_msg": "subscribe", "req_id": "s1", "op": "subscribe"},
            Subscribed("s1"),
        ),
        (PUBLIC, {"success": True, "ret_msg": "", "req_id": 7, "op": "subscribe"}, Subscribed("7")),
        (
            PUBLIC,
            {"success": False, "ret_msg": BAD, "req_id": "s1", "op": "subscribe"},
            SubscribeRefused("s1", "orderbook.30.BTCUSDT", BAD),
        ),
        (
            PUBLIC,
            {"success": False, "ret_msg": SEEN, "req_id": "s1", "op": "subscribe"},
            SubscribeRefused("s1", "orderbook.1.ETHUSDT", SEEN, is_harmless=True),
        ),
        (
            PUBLIC,
            {"success": False, "ret_msg": "args size >10", "op": "subscribe"},
            SubscribeRefused("", "", "args size >10"),
        ),
        (PUBLIC, {"success": True, "op": "unsubscribe"}, Notice()),
        (PUBLIC, {"success": False, "ret_msg": "error:invalid op"}, Notice("error:invalid op")),
        (TRADE, {"reqId": "r", "retCode": 110007, "op": "order.create"}, None),
        (TRADE, {"success": False, "ret_msg": "Params Error", "op": "order.create"}, None),
        (PUBLIC, {"type": "delta", "topic": "orderbook.50.X", "data": {}}, None),
    ],
)
def test_control_frames_are_understood(dialect, frame, meaning):
    assert dialect.control(json.dumps(frame).encode()) == meaning


def test_unreadable_text_is_malformed_but_data_is_left_to_the_parser():
    assert isinstance(PUBLIC.control(b"\xff{"), Malformed)
    assert isinstance(PUBLIC.control(b"[" * 100_000), Malformed)
    assert PUBLIC.control(b'{"topic":"orderbook.50.X",') is None


def test_the_topic_is_seen_where_it_comes_first():
    assert PUBLIC.topic_of(b'{"topic":"tickers.X","ts":1}') == b"tickers.X"
    assert PUBLIC.topic_of(b'{"ts":1,"topic":"tickers.X"}') is None
    assert TRADE.topic_of(b'{"topic":"x"}') is None


def test_only_streams_that_begin_with_a_snapshot_may_not_be_silent():
    assert PUBLIC.silence_ns("orderbook.50.X") > 0
    assert PUBLIC.silence_ns("publicTrade.X") == 0
    assert PRIVATE.silence_ns("order") == 0
