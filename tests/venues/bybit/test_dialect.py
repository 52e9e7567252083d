import json

import pytest

from plimsoll.venues.bybit.dialect import BybitDialect, PrivateDialect, TradeDialect
from plimsoll.venues.bybit.settings import Secret
from plimsoll.venues.bybit.sign import Signer
from plimsoll.websocket import (
    AuthAccepted,
    AuthRefused,
    ChainId,
    Data,
    Malformed,
    MessageId,
    Notice,
    Pong,
    Subscribed,
    SubscribeRefused,
    Unsubscribed,
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
        (PUBLIC, {"success": True, "op": "unsubscribe"}, Unsubscribed("")),
        (PUBLIC, {"success": True, "req_id": "8", "op": "unsubscribe"}, Unsubscribed("8")),
        (PUBLIC, {"success": False, "ret_msg": "error:invalid op"}, Notice("error:invalid op")),
        (TRADE, {"reqId": "r", "retCode": 110007, "op": "order.create"}, None),
        (TRADE, {"success": False, "ret_msg": "Params Error", "op": "order.create"}, None),
        (PUBLIC, {"type": "delta", "topic": "orderbook.50.X", "data": {}}, Data("orderbook.50.X")),
        (PRIVATE, {"id": "m-1", "topic": "order", "data": []}, Data("order")),
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


def test_one_connection_carries_no_more_than_the_venue_allows():
    assert (PUBLIC.batch, PUBLIC.args_chars) == (10, 21_000)


def test_a_book_message_is_known_by_its_update_id_and_cross_sequence(sample):
    topic = "orderbook.50.BTCUSDT"
    assert PUBLIC.is_chained(topic)
    assert PUBLIC.identity(topic, sample("ws_book_snapshot")) == ChainId(1001, 500001, True)
    assert PUBLIC.identity(topic, sample("ws_book_delta")) == ChainId(1002, 500002, False)


def test_the_best_prices_alone_are_no_chain():
    topic = "orderbook.1.X"
    assert not PUBLIC.is_chained(topic)
    raw = b'{"topic":"orderbook.1.X","type":"snapshot","ts":7,"data":{"u":3,"seq":9},"cts":6}'
    assert PUBLIC.identity(topic, raw) == MessageId(7, 7, 3)


def test_prints_are_known_by_the_last_trade_and_how_many_they_are(sample):
    raw = sample("ws_trade")
    first, last = json.loads(raw)["data"][0], json.loads(raw)["data"][-1]
    expected = MessageId(last["T"], first["T"], (last["i"].encode(), len(json.loads(raw)["data"])))
    assert PUBLIC.identity("publicTrade.BTCUSDT", raw) == expected


@pytest.mark.parametrize("name", ["ws_ticker_delta", "ws_ticker_snapshot", "ws_ticker_spot"])
def test_tickers_are_known_by_time_and_cross_sequence(sample, name):
    whole = json.loads(sample(name))
    expected = MessageId(whole["ts"], whole["ts"], whole["cs"])
    assert PUBLIC.identity("tickers.BTCUSDT", sample(name)) == expected


def test_bars_are_known_by_time_and_whether_they_are_closed(sample):
    raw = sample("ws_kline")
    ts = json.loads(raw)["ts"]
    assert PUBLIC.identity("kline.1.BTCUSDT", raw) == MessageId(ts, ts, False)
    closed = raw.replace(b'"confirm":false', b'"confirm":true')
    assert PUBLIC.identity("kline.1.BTCUSDT", closed) == MessageId(ts, ts, True)


@pytest.mark.parametrize("topic", ["orderbook.50.X", "publicTrade.X", "tickers.X", "kline.1.X"])
def test_a_message_without_its_marks_has_no_identity(topic):
    assert PUBLIC.identity(topic, b'{"topic":"x","data":{"u":"a","i":5}}') is None


def test_blanks_behind_the_marks_do_no_harm():
    raw = b'{"topic":"orderbook.50.X","data":{"u": 5 ,"seq": 7 }}'
    assert PUBLIC.identity("orderbook.50.X", raw) == ChainId(5, 7, False)
