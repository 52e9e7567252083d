"""The three sockets: acknowledgements, refusals, snapshots, deltas."""

from typing import Any

from plimsoll.core.model import Side

LINEAR, SPOT = "/v5/public/linear", "/v5/public/spot"


def test_pong_shapes(desk: Any) -> None:
    for number, path in enumerate((LINEAR, "/v5/private", "/v5/trade"), start=1):
        desk.socket(number, path)
    public = desk.say(1, {"op": "ping", "req_id": "7"})[0]
    assert (public["op"], public["ret_msg"], public["req_id"]) == ("ping", "pong", "7")
    private = desk.say(2, {"op": "ping", "req_id": "7"})[0]
    assert (private["op"], private["req_id"]) == ("pong", "7")
    assert private["args"][0].isdigit()
    trade = desk.say(3, {"op": "ping"})[0]
    assert (trade["op"], trade["retCode"], trade["retMsg"]) == ("pong", 0, "OK")


def test_subscribe_refusals(desk: Any) -> None:
    desk.socket(1, LINEAR)
    for topic in ("orderbook.30.BTCUSDT", "orderbook.50.btcusdt", "order", "tickers.XRPUSDT"):
        answer = desk.say(1, {"op": "subscribe", "req_id": "a", "args": [topic]})[0]
        assert answer["success"] is False
        assert answer["ret_msg"] == f"error:handler not found,topic:{topic}"
        assert answer["req_id"] == "a"
    good = {"op": "subscribe", "args": ["tickers.BTCUSDT"]}
    assert desk.say(1, good)[0]["success"] is True
    assert desk.say(1, good)[0]["ret_msg"].startswith("error:already subscribed")
    assert desk.say(1, good | {"req_id": 2})[0]["req_id"] == "2"  # a number comes back as text
    assert desk.say(1, {"op": "dance"})[0]["ret_msg"] == "error:invalid op"
    assert desk.say(1, "{")[0]["ret_msg"].startswith("Failed to decode incoming data")


def test_one_bad_topic_refuses_the_whole_request(desk: Any) -> None:
    desk.socket(1, LINEAR)
    args = ["orderbook.50.BTCUSDT", "orderbook.7.BTCUSDT"]
    assert len(desk.say(1, {"op": "subscribe", "args": args})) == 1
    desk.book("linear:BTCUSDT", bids=[(599_990, 5)])
    desk.wait(1)
    assert not desk.topic("orderbook.50.BTCUSDT")


def test_spot_takes_ten_topics_and_says_subscribe(desk: Any) -> None:
    desk.socket(1, SPOT)
    answer = desk.say(1, {"op": "subscribe", "args": ["publicTrade.BTCUSDT"]})[0]
    assert answer["ret_msg"] == "subscribe"
    answer = desk.say(1, {"op": "subscribe", "args": ["tickers.ETHUSDT"] * 11})[0]
    assert answer["ret_msg"] == "args size >10"


def test_private_needs_auth(desk: Any) -> None:
    desk.socket(1, "/v5/private")
    assert desk.say(1, {"op": "subscribe", "args": ["order"]})[0]["success"] is False
    expired = {"op": "auth", "args": ["sim-key", 1, "x"]}
    assert desk.say(1, expired)[0]["ret_msg"] == "Params Error"
    desk.socket(2, "/v5/private", auth=True)
    assert desk.say(2, {"op": "subscribe", "req_id": "s", "args": ["order"]})[0]["success"]


def test_categorised_topic_comes_back_as_it_was_subscribed(desk: Any) -> None:
    desk.socket(1, "/v5/private", auth=True)
    desk.say(1, {"op": "subscribe", "args": ["order.linear"]})
    desk.order()
    desk.order(category="spot", qty="0.001")
    frames = desk.topic("order.linear")
    assert [row["category"] for frame in frames for row in frame["data"]] == ["linear"]
    assert not desk.topic("order")


def test_local_book_from_deltas_equals_the_exchange(desk: Any) -> None:
    desk.socket(1, LINEAR)
    desk.say(1, {"op": "subscribe", "args": ["orderbook.50.BTCUSDT"]})
    for step in range(60):
        desk.book("linear:BTCUSDT", [(599_900 + step, step % 7)], [(600_100 - step, step % 5)])
        desk.wait(0.02)
    desk.order(price="59999.90", qty="0.010")
    desk.wait(0.02)
    snapshot, *deltas = desk.topic("orderbook.50.BTCUSDT")
    assert (snapshot["type"], {frame["type"] for frame in deltas}) == ("snapshot", {"delta"})
    last = snapshot["data"]["u"]
    local = {side: dict(snapshot["data"][side]) for side in "ba"}
    for frame in deltas:
        assert frame["data"]["u"] == last + 1
        last = frame["data"]["u"]
        for side in "ba":
            for price, size in frame["data"][side]:
                if size == "0":
                    del local[side][price]
                else:
                    local[side][price] = size
    found = desk.get("/v5/market/orderbook", category="linear", symbol="BTCUSDT", limit=50)
    for side in "ba":
        assert sorted(local[side].items()) == sorted(map(tuple, found["result"][side]))
        assert len(local[side]) == 50


def test_late_subscriber_joins_the_same_counter(desk: Any) -> None:
    args = {"op": "subscribe", "args": ["orderbook.50.BTCUSDT"]}
    desk.socket(1, LINEAR)
    desk.say(1, args)
    desk.book("linear:BTCUSDT", bids=[(599_990, 5)])
    desk.wait(1)
    desk.book("linear:BTCUSDT", bids=[(599_991, 6)])
    desk.socket(2, LINEAR)
    snapshot = desk.say(2, args)[1]
    desk.wait(1)
    delta = desk.topic("orderbook.50.BTCUSDT")[-1]
    assert delta["data"]["u"] == snapshot["data"]["u"] + 1
    assert delta["data"]["b"] == [["59999.10", "0.006"]]


def test_depth_one_sends_snapshots_and_repeats_after_three_seconds(desk: Any) -> None:
    desk.socket(1, LINEAR)
    desk.say(1, {"op": "subscribe", "args": ["orderbook.1.BTCUSDT"]})
    desk.wait(3)
    desk.wait(3)
    frames = desk.topic("orderbook.1.BTCUSDT")
    assert {frame["type"] for frame in frames} == {"snapshot"}
    assert len({frame["data"]["u"] for frame in frames}) == 1
    assert len(frames) == 3


def test_linear_ticker_sends_only_what_changed(desk: Any) -> None:
    desk.socket(1, LINEAR)
    desk.say(1, {"op": "subscribe", "args": ["tickers.BTCUSDT"]})
    desk.trade("linear:BTCUSDT", Side.BUY, 600_001, 5)
    desk.wait(0.2)
    snapshot, delta = desk.topic("tickers.BTCUSDT")
    assert (snapshot["type"], delta["type"]) == ("snapshot", "delta")
    assert "fundingRate" in snapshot["data"]
    assert delta["data"]["lastPrice"] == "60000.10"
    assert "fundingRate" not in delta["data"]


def test_tape_and_candle_show_a_print_and_our_own_taking(desk: Any) -> None:
    desk.socket(1, LINEAR)
    desk.say(1, {"op": "subscribe", "args": ["publicTrade.BTCUSDT", "kline.1.BTCUSDT"]})
    desk.trade("linear:BTCUSDT", Side.SELL, 600_000, 5)
    desk.order(price="60000.10", qty="0.002")
    desk.wait(1)
    rows = [row for frame in desk.topic("publicTrade.BTCUSDT") for row in frame["data"]]
    assert [(row["S"], row["p"], row["v"]) for row in rows] == [
        ("Sell", "60000.00", "0.005"),
        ("Buy", "60000.10", "0.002"),
    ]
    bar = desk.topic("kline.1.BTCUSDT")[-1]["data"][0]
    assert (bar["volume"], bar["close"], bar["confirm"]) == ("0.007", "60000.10", False)


def test_closed_candle_is_confirmed_once(desk: Any) -> None:
    desk.socket(1, LINEAR)
    desk.say(1, {"op": "subscribe", "args": ["kline.1.BTCUSDT"]})
    for _ in range(130):
        desk.wait(1)
    closed = [f["data"][0] for f in desk.topic("kline.1.BTCUSDT") if f["data"][0]["confirm"]]
    assert len(closed) == 2
    assert closed[1]["start"] - closed[0]["start"] == 60_000


def test_trade_socket_answers_with_headers_and_refuses_repeated_ids(desk: Any) -> None:
    desk.socket(1, "/v5/trade")
    desk.socket(2, "/v5/trade", auth=True)
    args = {"category": "linear", "symbol": "BTCUSDT", "side": "Buy", "orderType": "Limit"}
    args |= {"qty": "0.010", "price": "59000"}

    def create(socket: int, req_id: str, stamp: object) -> dict[str, Any]:
        header = {"X-BAPI-TIMESTAMP": stamp}
        message = {"reqId": req_id, "header": header, "op": "order.create", "args": [args]}
        return desk.say(socket, message)[0]

    now = desk.now_ns // 1_000_000
    assert create(1, "a", now)["retCode"] == 10005
    done = create(2, "a", str(now))
    assert (done["retCode"], done["reqId"], done["op"]) == (0, "a", "order.create")
    assert done["data"]["orderId"]
    assert {"X-Bapi-Limit", "X-Bapi-Limit-Status", "Traceid", "Timenow"} <= done["header"].keys()
    assert create(2, "a", now)["retCode"] == 20006
    assert create(2, "b", now - 60_000)["retCode"] == 10002
