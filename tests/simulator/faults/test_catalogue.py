"""Every fault of the catalogue is asked for by name, and its effect is seen from outside.

``pytest -s`` prints the table: fault, effect seen.
"""

import asyncio
import json
from decimal import Decimal
from typing import Any

import aiohttp
import pytest
from tests.simulator.outside import Outside, Stream, resting, taking, until, with_outside

from plimsoll.simulator import AccountSettings
from plimsoll.simulator.faults.catalogue import CATALOGUE

BOOK = "orderbook.50.BTCUSDT"
AWHILE_MS = 2000
"""In which something is asked that is answered at once, whatever else the machine does."""
BEFORE_NETWORK = (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError)


async def book(c: Outside, kind: str = "linear") -> Stream:
    """Return a socket with a book that has had its first snapshot."""
    stream = await c.socket(kind, BOOK)
    await stream.topic(BOOK, lambda m: m["type"] == "snapshot")
    return stream


async def private(c: Outside, *topics: str) -> Stream:
    return await c.socket("private", *(topics or ("order", "execution")))


# ---- network ----


async def stall(c: Outside) -> str:
    stream = await c.socket("linear")
    fault = c.fault("stall", kind="public")
    await stream.say(op="ping")
    assert await stream.is_quiet()
    c.stop(fault)
    await stream.until(lambda m: m["op"] == "ping")
    return "no pong during it, the pong after it"


async def loss(c: Outside) -> str:
    stream = await c.socket("linear")
    fault = c.fault("loss")
    await stream.say(op="ping")
    assert await stream.is_quiet()
    c.stop(fault)
    return f"silence, then the end: {await stream.ended()}"


async def delay(c: Outside) -> str:
    stream = await c.socket("linear")
    fault = c.fault("delay", magnitude=100_000, kind="linear")
    other = await c.socket("spot")
    for number in range(5):
        await stream.say(op="ping", req_id=str(number))
    await other.ping()
    assert await stream.is_quiet()
    c.stop(fault)
    return "no pong where others have theirs"


async def skew(c: Outside) -> str:
    fault = c.fault("skew", magnitude=3000)
    streams = [await c.socket("linear") for _ in range(6)]
    for stream in streams:
        await stream.say(op="ping")
    waiting = [asyncio.create_task(stream.until(lambda m: m["op"] == "ping")) for stream in streams]
    order = []
    for task in waiting:
        task.add_done_callback(lambda done: order.append(waiting.index(done)))
    await asyncio.gather(*waiting)
    c.stop(fault)
    assert len(c.effects("skew")) == 6
    assert order != sorted(order)
    return f"six connections asked in order heard in order {order}"


async def duplicate_frame(c: Outside) -> str:
    stream = await c.socket("linear")
    c.fault("duplicate_frame")
    await stream.say(op="ping", req_id="only")
    assert await stream.next() == await stream.next()
    return "one pong twice"


async def half_open_out(c: Outside) -> str:
    trade = await c.socket("trade")
    fault = c.fault("half_open_out", kind="trade")
    await trade.start("order.create", **resting(orderLinkId="unheard"))
    assert await trade.is_quiet()
    assert (await c.open_orders())[0]["orderLinkId"] == "unheard"
    c.stop(fault)
    return f"no answer, the order lives; then {await trade.ended()}"


async def half_open_in(c: Outside) -> str:
    trade = await c.socket("trade")
    fault = c.fault("half_open_in", kind="trade")
    await trade.start("order.create", **resting())
    assert await trade.is_quiet()
    assert await c.open_orders() == []
    c.stop(fault)
    return f"no answer, no order; then {await trade.ended()}"


async def broken_off(c: Outside, name: str) -> str:
    stream = await c.socket("linear")
    c.fault(name)
    await stream.say(op="ping")
    code = await stream.ended()
    assert all(isinstance(message, dict) for message in stream.seen)
    return f"{code} within the pong, at byte {c.effects(name)[0]['byte']}"


async def reset(c: Outside) -> str:
    return await broken_off(c, "reset")


async def close(c: Outside) -> str:
    return await broken_off(c, "close")


async def cut(c: Outside) -> str:
    streams = [await c.socket("linear"), await c.socket("spot")]
    c.fault("cut", kind="spot")
    code = await streams[1].ended()
    await streams[0].ping()
    return f"{code} for one socket, the other answers"


async def goodbye(c: Outside) -> str:
    stream = await c.socket("linear")
    c.fault("goodbye", code=1012)
    assert await stream.ended() == 1012
    return "close frame 1012"


async def split(c: Outside) -> str:
    stream = await c.socket("linear")
    c.fault("split", magnitude=2)
    assert (await stream.ping())["ret_msg"] == "pong"
    assert c.effects("split")
    return "a pong in pieces, whole at the client"


async def fragment(c: Outside) -> str:
    stream = await c.socket("linear")
    c.fault("fragment", magnitude=5)
    assert (await stream.ping())["ret_msg"] == "pong"
    assert c.effects("fragment")
    return "a pong in continuation frames, whole at the client"


async def malformed_frame(c: Outside) -> str:
    stream = await c.socket("linear")
    c.fault("malformed_frame")
    await stream.say(op="ping")
    found = await stream.next()
    assert isinstance(found, str)
    return found[-20:]


async def huge_frame(c: Outside) -> str:
    stream = await c.socket("linear")
    c.fault("huge_frame", magnitude=3_000_000)
    await stream.say(op="ping")
    found = await stream.next()
    assert len(found["data"]) == 3_000_000
    return f"{len(found['data'])} bytes of one field"


async def deep_frame(c: Outside) -> str:
    ws = await c.session.ws_connect(f"{c.exchange.ws_url}/v5/public/linear")
    c.fault("deep_frame", magnitude=50_000)
    await ws.send_str('{"op":"ping"}')
    text = (await ws.receive()).data
    with pytest.raises(RecursionError):
        json.loads(text)
    return f"{text.count('[')} levels"


async def nonfinite_frame(c: Outside) -> str:
    ws = await c.session.ws_connect(f"{c.exchange.ws_url}/v5/public/linear")
    c.fault("nonfinite_frame", topic="orderbook")
    await ws.send_str(json.dumps({"op": "subscribe", "args": [BOOK]}))
    texts = [(await ws.receive()).data for _ in range(2)]
    assert '"subscribe"' in texts[0]
    assert "NaN" in texts[1]
    assert "Infinity" in texts[1]
    return "NaN and Infinity where numbers were"


async def bad_utf8_frame(c: Outside) -> str:
    stream = await c.socket("linear")
    c.fault("bad_utf8_frame")
    await stream.say(op="ping")
    assert await stream.ended() == 1007
    return "the client ends with 1007"


async def refuse_connects(c: Outside) -> str:
    fault = c.fault("refuse_connects")
    for kind in ("linear", "private"):
        with pytest.raises(aiohttp.ClientError):
            await c.socket(kind)
    with pytest.raises(BEFORE_NETWORK):
        await c.get("/v5/market/time")
    c.stop(fault)
    await c.socket("linear")
    return "resets before any answer"


async def bad_gateway(c: Outside) -> str:
    fault = c.fault("bad_gateway", kind="private")
    with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
        await c.socket("private")
    assert caught.value.status == 502
    await c.socket("linear")
    c.stop(fault)
    return "502 for the handshake of one path"


async def path_dead(c: Outside) -> str:
    stream = await c.socket("linear")
    fault = c.fault("path_dead", kind="rest")
    task = asyncio.create_task(c.order())
    await stream.ping()
    assert await stream.is_quiet()
    assert not task.done()
    c.stop(fault)
    with pytest.raises(BEFORE_NETWORK):
        await task
    fault = c.fault("path_dead", kind="public")
    await stream.say(op="ping")
    assert await stream.is_quiet()
    assert (await c.get("/v5/market/time"))["retCode"] == 0
    c.stop(fault)
    return f"REST hung while sockets answered, and the other way round: {await stream.ended()}"


async def ban(c: Outside) -> str:
    stream = await c.socket("linear")
    fault = c.fault("ban")
    answer = await c.get("/v5/market/time")
    assert answer["status"] == 403
    await stream.ping()
    c.stop(fault)
    assert (await c.get("/v5/market/time"))["status"] == 200
    return f"403 {answer['text']!r}, sockets answer"


async def slow_answers(c: Outside) -> str:
    stream, trade = await private(c, "execution"), await c.socket("trade")
    fault = c.fault("slow_answers", endpoint="order.create", magnitude=3000)
    await trade.start("order.create", **taking())
    await stream.topic("execution")
    assert trade.seen[-1]["op"] == "auth"
    task = asyncio.create_task(c.order())
    assert await c.open_orders() is not None
    c.stop(fault)
    assert (await trade.until(lambda m: m.get("op") == "order.create"))["retCode"] == 0
    assert (await task)["retCode"] == 0
    return "the execution came before the acknowledgement"


# ---- requests ----


async def lose_ack(c: Outside) -> str:
    c.fault("lose_ack")
    with pytest.raises(BEFORE_NETWORK):
        await c.order(orderLinkId="rest")
    trade = await c.socket("trade")
    await trade.start("order.create", **resting(orderLinkId="socket"))
    assert await trade.is_quiet()
    assert {row["orderLinkId"] for row in await c.open_orders()} == {"rest", "socket"}
    assert [line["orderLinkId"] for line in c.effects("lose_ack")] == ["rest", "socket"]
    return "no answer by REST and trade socket, both orders live"


async def lose_request(c: Outside) -> str:
    c.fault("lose_request")
    with pytest.raises(BEFORE_NETWORK):
        await c.order()
    trade = await c.socket("trade")
    await trade.start("order.create", **resting())
    assert await trade.is_quiet()
    assert await c.open_orders() == []
    return "no answer, no order"


async def late_request(c: Outside) -> str:
    c.fault("late_request", magnitude=100)
    trade = await c.socket("trade")
    task = asyncio.create_task(c.order(orderLinkId="rest"))
    await trade.start("order.create", **resting(orderLinkId="socket"))
    assert (await task)["retCode"] == 0
    assert (await trade.until(lambda m: m.get("op") == "order.create"))["retCode"] == 0
    held = {line["orderLinkId"]: line["t_ns"] for line in c.effects("late_request")}
    orders = [line for line in c.exchange.lines() if line["kind"] == "order"]
    assert {line["orderLinkId"] for line in orders} == held.keys() == {"rest", "socket"}
    assert all(line["t_ns"] > held[line["orderLinkId"]] + 90_000_000 for line in orders)
    c.fault("clock_step", magnitude=5100)  # the window is over when it arrives
    late = await c.order(orderLinkId="too late")
    assert late["retCode"] == 10002
    assert len(order_ids(c)) == 2
    return "accepted later; after the window 10002 and no order"


def order_ids(c: Outside) -> set[str]:
    return {str(line["orderId"]) for line in c.exchange.lines() if line["kind"] == "order"}


async def refuse(c: Outside) -> str:
    trade = await c.socket("trade")
    for code in (10016, 10000, 10006, 10429, 20003, 429):
        fault = c.fault("refuse", code=code, endpoint="order")
        assert (await c.order())["retCode"] == code
        answer = await trade.operate("order.create", **resting())
        assert (answer["retCode"], answer["data"]) == (code, {})
        c.stop(fault)
    assert await c.open_orders() == []
    return "10016, 10000, 10006, 10429, 20003, 429; nothing executed"


async def refuse_after(c: Outside) -> str:
    c.fault("refuse_after", endpoint="order.create")
    trade = await c.socket("trade")
    assert (await c.order())["retCode"] == 10016
    assert (await trade.operate("order.create", **resting()))["retCode"] == 10016
    assert len(await c.open_orders()) == 2
    return "10016 twice, two orders"


async def http_error(c: Outside) -> str:
    fault = c.fault("http_error", code=503)
    answer = await c.order()
    c.stop(fault)
    assert answer["status"] == 503
    assert await c.open_orders() == []
    return answer["text"][:40]


async def http_error_after(c: Outside) -> str:
    c.fault("http_error_after", endpoint="/v5/order/create")
    assert (await c.order())["status"] == 502
    assert len(await c.open_orders()) == 1
    return "502, and the order lives"


async def error_without_id(c: Outside) -> str:
    trade = await c.socket("trade")
    c.fault("error_without_id")
    await trade.start("order.create", **resting())
    answer = await trade.next()
    assert "reqId" not in answer
    assert answer["ret_msg"] == "Params Error"
    return json.dumps(answer)


async def trade_restart(c: Outside) -> str:
    trade = await c.socket("trade")
    c.fault("trade_restart", magnitude=AWHILE_MS)
    assert (await trade.operate("order.create", **resting()))["retCode"] == 10019
    return f"10019, then {await trade.ended()}"


async def session_limit(c: Outside) -> str:
    c.fault("session_limit")
    trade = await c.socket("trade", auth=False)
    answer = await c.auth(trade)
    assert answer["retCode"] == 10003
    return answer["retMsg"]


async def venue_offset_ms(c: Outside) -> tuple[float, float]:
    """Return between what the venue's clock is off: how long the answer took is not known."""
    before_ns = c.exchange._server.now()
    told_ns = int((await c.get("/v5/market/time"))["result"]["timeNano"])
    return (told_ns - c.exchange._server.now()) / 1e6, (told_ns - before_ns) / 1e6


async def clock_step(c: Outside) -> str:
    fault = c.fault("clock_step", magnitude=-8000)
    least, most = await venue_offset_ms(c)
    assert least <= -8000 <= most
    assert (await c.order())["retCode"] == 10002
    trade = await c.socket("trade")
    assert (await trade.operate("order.create", **resting()))["retCode"] == 10002
    c.stop(fault)
    assert (await c.order())["retCode"] == 0
    return "time 8 s behind, 10002 by REST and trade socket"


async def clock_drift(c: Outside) -> str:
    c.fault("clock_drift", magnitude=100_000)
    _, first = await venue_offset_ms(c)
    while (await c.order())["retCode"] != 10002:
        pass
    assert (await venue_offset_ms(c))[0] > first
    return "an offset that grows, 10002 in the end"


async def history_missing(c: Outside) -> str:
    for _ in range(4):
        await c.order()
    c.fault("history_missing")
    assert len(await c.open_orders()) == 2
    return "2 of 4 rows"


async def history_doubled(c: Outside) -> str:
    await c.order()
    c.fault("history_doubled")
    rows = await c.open_orders()
    assert len(rows) == 2
    assert rows[0] == rows[1]
    return "one row twice"


async def rest_lag(c: Outside) -> str:
    fault = c.fault("rest_lag")
    order_id = (await c.order())["result"]["orderId"]
    assert await c.open_orders(orderId=order_id) == []
    c.stop(fault)
    assert len(await c.open_orders(orderId=order_id)) == 1
    return "accepted, not found, found"


async def forget_closed(c: Outside) -> str:
    order_id = (await c.order(**taking()))["result"]["orderId"]
    assert len(await c.open_orders(orderId=order_id)) == 1
    c.fault("forget_closed")
    assert await c.open_orders(orderId=order_id) == []
    history = await c.get("/v5/order/history", category="linear", orderId=order_id)
    assert len(history["result"]["list"]) == 1
    return "gone from realtime, in history"


async def cancel_all_partial(c: Outside) -> str:
    for _ in range(4):
        await c.order()
    fault = c.fault("cancel_all_partial")
    answer = await c.post("/v5/order/cancel-all", category="linear", settleCoin="USDT")
    assert len(answer["result"]["list"]) == len(await c.open_orders()) == 2
    c.stop(fault)
    await c.post("/v5/order/cancel-all", category="linear", settleCoin="USDT")
    assert await c.open_orders() == []
    return "2 of 4 cancelled; without it the rest"


# ---- streams ----


async def drop_push(c: Outside) -> str:
    stream = await private(c)
    c.fault("drop_push", topic="execution")
    await c.order(**taking())
    await stream.topic("order", lambda m: m["data"][0]["orderStatus"] == "Filled")
    assert not [m for m in stream.seen if m.get("topic") == "execution"]
    assert await stream.is_quiet(lambda m: m["topic"] == "execution")
    return "Filled, and no execution"


async def duplicate_push(c: Outside) -> str:
    stream = await private(c, "execution")
    c.fault("duplicate_push")
    await c.order(**taking())
    assert await stream.topic("execution") == await stream.topic("execution")
    return "one execution twice"


async def delay_push(c: Outside) -> str:
    stream = await private(c)
    c.fault("delay_push", topic="order", magnitude=50)
    await c.order(**taking())
    topics = [(await stream.next())["topic"] for _ in range(2)]
    assert topics == ["execution", "order"]
    return "order after execution"


async def reorder_push(c: Outside) -> str:
    stream = await private(c, "order")
    c.fault("reorder_push", magnitude=5000)
    order_id = (await c.order())["result"]["orderId"]
    await c.post("/v5/order/cancel", category="linear", symbol="BTCUSDT", orderId=order_id)
    states = [(await stream.topic("order"))["data"][0]["orderStatus"] for _ in range(2)]
    assert states == ["Cancelled", "New"]
    return "Cancelled, then New"


async def execution_first(c: Outside) -> str:
    stream = await private(c)
    c.fault("execution_first")
    await c.order(**taking())
    topics = [(await stream.next())["topic"] for _ in range(2)]
    assert topics == ["execution", "order"]
    return "the execution before its order"


async def silent_topic(c: Outside) -> str:
    stream = await c.socket("linear", BOOK, "tickers.BTCUSDT")
    c.fault("silent_topic", topic="orderbook")
    await stream.ping()
    assert await stream.is_quiet(lambda m: m.get("topic", "").startswith("orderbook"))
    await stream.topic("tickers")
    return "tickers, pongs, and no book"


async def drop_delta(c: Outside) -> str:
    stream = await c.socket("linear", BOOK)
    first = await stream.topic(BOOK)
    fault = c.fault("drop_delta")
    await until(lambda: c.effects("drop_delta"))
    c.stop(fault)
    before, after = first["data"]["u"], (await stream.topic(BOOK))["data"]["u"]
    while after == before + 1:  # what was under way when the fault began comes first
        before, after = after, (await stream.topic(BOOK))["data"]["u"]
    assert after > before
    return f"u {before}, then {after}"


async def book_restart(c: Outside) -> str:
    stream = await book(c)
    c.fault("book_restart")
    found = await stream.topic(BOOK, lambda m: m["type"] == "snapshot")
    assert found["data"]["u"] == 1
    assert (await stream.topic(BOOK))["data"]["u"] == 2
    return "a snapshot with u 1, a delta with u 2"


async def sudden_snapshot(c: Outside) -> str:
    stream = await book(c)
    c.fault("sudden_snapshot")
    found = await stream.topic(BOOK, lambda m: m["type"] == "snapshot")
    assert found["data"]["u"] >= 1000
    return f"a snapshot unasked, u {found['data']['u']}"


async def bad_book(c: Outside, name: str, is_bad: Any) -> str:
    stream = await book(c)
    fault = c.fault(name)
    found = await stream.topic(BOOK, lambda m: m["type"] == "snapshot")
    data = found["data"]
    assert is_bad([Decimal(p) for p, _ in data["b"]], [Decimal(p) for p, _ in data["a"]]), data
    c.stop(fault)
    healed = await stream.topic(BOOK, lambda m: m["type"] == "snapshot" and is_sound(m["data"]))
    return f"bids {data['b'][:1]} asks {data['a'][:1]}; then {healed['data']['b'][0]}"


def is_sound(data: dict[str, Any]) -> bool:
    if not (data["b"] and data["a"]):
        return False
    return 0 < Decimal(data["b"][0][0]) < Decimal(data["a"][0][0])


async def crossed_book(c: Outside) -> str:
    return await bad_book(c, "crossed_book", lambda bids, asks: max(bids) > min(asks))


async def empty_book(c: Outside) -> str:
    return await bad_book(c, "empty_book", lambda bids, asks: not bids and not asks)


async def zero_book(c: Outside) -> str:
    return await bad_book(c, "zero_book", lambda bids, asks: set(bids + asks) == {0})


async def negative_book(c: Outside) -> str:
    return await bad_book(c, "negative_book", lambda bids, asks: max(bids) < 0)


async def frozen_cts(c: Outside) -> str:
    stream = await book(c)
    c.fault("frozen_cts")
    await until(lambda: c.effects("frozen_cts"))
    await stream.topic(BOOK)
    frames = [await stream.topic(BOOK) for _ in range(3)]
    assert len({frame["cts"] for frame in frames[1:]}) == 1
    assert frames[-1]["ts"] > frames[1]["ts"]
    return f"cts {frames[-1]['cts']} while ts is {frames[-1]['ts']}"


async def varied(c: Outside, name: str) -> tuple[Any, Any]:
    """Return a private message and a REST row under a fault."""
    stream = await private(c, "order")
    c.fault(name)
    answer = await c.order(**taking())
    order_id = answer["result"]["orderId"]
    message = await stream.topic("order")
    history = await c.get("/v5/order/history", category="linear", orderId=order_id)
    return message["data"][0], history["result"]["list"][0]


async def unknown_enum(c: Outside) -> str:
    pushed, row = await varied(c, "unknown_enum")
    assert pushed["orderStatus"] == row["orderStatus"] == "SomethingNew"
    return "orderStatus SomethingNew"


async def new_fields(c: Outside) -> str:
    pushed, row = await varied(c, "new_fields")
    assert pushed["futureObject"]["a"] == row["futureObject"]["a"] == [1, None]
    return "fields futureText, futureNumber, futureObject"


async def empty_strings(c: Outside) -> str:
    pushed, row = await varied(c, "empty_strings")
    assert pushed["avgPrice"] == row["avgPrice"] == ""
    return 'avgPrice ""'


async def exponent_numbers(c: Outside) -> str:
    pushed, row = await varied(c, "exponent_numbers")
    assert "E" in pushed["qty"]
    assert Decimal(pushed["qty"]) == Decimal(row["qty"]) == Decimal("0.010")
    return f"qty {pushed['qty']}"


# ---- the venue ----


async def short_break(c: Outside) -> str:
    stream = await book(c)
    c.fault("short_break", magnitude=AWHILE_MS)
    assert await stream.ended() == 1006
    with pytest.raises(aiohttp.ClientError):
        await c.socket("linear")
    with pytest.raises(BEFORE_NETWORK):
        await c.get("/v5/market/time")
    await until(lambda: not c.exchange._server.venue.closed)
    stream = await c.socket("linear", BOOK)
    assert (await stream.topic(BOOK))["data"]["u"] < 100
    return "1006, refused connections, then a book numbered anew"


async def maintenance(c: Outside) -> str:
    status, stream = await c.socket("status", "system.status"), await c.socket("linear")
    fault = c.fault("maintenance", magnitude=AWHILE_MS, duration_s=60)
    states = [(await status.topic("system.status"))["data"][0]["state"]]
    assert (await c.order())["retCode"] == 0
    states.append((await status.topic("system.status"))["data"][0]["state"])
    assert await stream.ended() == 1006
    assert (await c.order())["status"] == 503
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await c.socket("linear")
    c.stop(fault)
    states.append((await status.topic("system.status"))["data"][0]["state"])
    assert (await c.order())["retCode"] == 0
    assert states == ["scheduled", "ongoing", "completed"]
    return ", ".join(states)


async def price_spike(c: Outside) -> str:
    stream = await c.socket("linear", "publicTrade.BTCUSDT")
    c.fault("price_spike", magnitude=0.3, symbol="BTCUSDT")
    prices: list[Decimal] = []
    await stream.topic("publicTrade", lambda m: any(row["p"] for row in m["data"]))
    while not (any(p > 75_000 for p in prices) and prices[-1] < 70_000):
        rows = [row for m in stream.seen if "data" in m for row in m["data"]]
        prices = [Decimal(row["p"]) for row in rows]
        if not (any(p > 75_000 for p in prices) and prices[-1] < 70_000):
            await stream.topic("publicTrade")
    return f"{max(prices)} between {prices[-1]}"


async def crash(c: Outside) -> str:
    first = await c.get("/v5/market/tickers", category="linear", symbol="BTCUSDT")
    before = Decimal(first["result"]["list"][0]["bid1Price"])
    c.fault("crash", symbol="BTCUSDT", magnitude=-0.2)
    while True:
        found = await c.get("/v5/market/tickers", category="linear", symbol="BTCUSDT")
        row = found["result"]["list"][0]
        bid, ask = Decimal(row["bid1Price"]), Decimal(row["ask1Price"])
        assert bid < ask
        if bid < before * Decimal("0.82"):
            break
        await asyncio.sleep(0.02)
    other = await c.get("/v5/market/tickers", category="linear", symbol="ETHUSDT")
    assert Decimal(other["result"]["list"][0]["bid1Price"]) > 2500
    return f"bid {before} to {bid}"


async def halt_instrument(c: Outside) -> str:
    fault = c.fault("halt_instrument", symbol="BTCUSDT")
    trade = await c.socket("trade")
    assert (await c.order())["retCode"] == 110074
    assert (await trade.operate("order.create", **resting(category="spot")))["retCode"] == 170151
    found = await c.get("/v5/market/instruments-info", category="linear", symbol="BTCUSDT")
    assert found["result"]["list"][0]["status"] == "Closed"
    c.stop(fault)
    assert (await c.order())["retCode"] == 0
    return "Closed, 110074, 170151"


async def delist(c: Outside) -> str:
    await c.order(**taking())
    c.fault("delist", symbol="BTCUSDT")
    assert (await c.order())["retCode"] == 30228
    closing = await c.order(**taking(side="Sell", reduceOnly=True))
    assert closing["retCode"] == 0
    found = await c.get("/v5/market/instruments-info", category="linear", symbol="BTCUSDT")
    assert int(found["result"]["list"][0]["deliveryTime"]) > 0
    return "30228, deliveryTime, closing allowed"


async def filters_changed(c: Outside) -> str:
    values = {"tickSize": "0.50", "qtyStep": "0.01", "minOrderQty": "0.02", "maxLeverage": "5"}
    c.fault("filters_changed", symbol="BTCUSDT", values=values)
    found = await c.get("/v5/market/instruments-info", category="linear", symbol="BTCUSDT")
    row = found["result"]["list"][0]
    assert row["priceFilter"]["tickSize"] == "0.50"
    assert row["lotSizeFilter"]["qtyStep"] == "0.01"
    assert row["leverageFilter"]["maxLeverage"] == "5"
    codes = [
        (await c.order(price=price, qty=qty))["retCode"]
        for price, qty in (("40000.1", "0.02"), ("40000", "0.025"), ("40000", "0.01"))
    ]
    assert codes == [10001] * 3
    assert (await c.order(price="40000.5", qty="0.02"))["retCode"] == 0
    return "other steps, 10001 off them"


async def hand_order(c: Outside) -> str:
    stream = await private(c, "order")
    c.fault("hand_order", values={"side": "Sell", "qty": "0.02"})
    row = (await stream.topic("order"))["data"][0]
    assert (row["side"], row["qty"], row["orderStatus"]) == ("Sell", "0.020", "New")
    return f"a {row['side']} of {row['qty']} nobody sent"


async def hand_cancel(c: Outside) -> str:
    await c.order(orderLinkId="own")
    stream = await private(c, "order")
    c.fault("hand_cancel")
    row = (await stream.topic("order"))["data"][0]
    assert (row["orderLinkId"], row["cancelType"]) == ("own", "CancelByUser")
    return "CancelByUser"


async def hand_close(c: Outside) -> str:
    await c.order(**taking())
    stream = await private(c, "execution")
    c.fault("hand_close")
    row = (await stream.topic("execution"))["data"][0]
    assert (row["side"], Decimal(row["closedSize"])) == ("Sell", Decimal("0.01"))
    return f"closed {row['closedSize']}"


async def venue_cancel(c: Outside) -> str:
    await c.order()
    stream = await private(c, "order")
    c.fault("venue_cancel", values={"cancelType": "CancelBySettle"})
    row = (await stream.topic("order"))["data"][0]
    assert (row["orderStatus"], row["cancelType"]) == ("Cancelled", "CancelBySettle")
    return row["cancelType"]


async def liquidation(c: Outside) -> str:
    await c.order(**taking(qty="0.100"))
    await c.order()
    stream = await private(c, "order", "execution", "position")
    public = await c.socket("linear", "allLiquidation.BTCUSDT")
    c.fault("liquidation", account="sim-key", symbol="BTCUSDT")
    ended = await stream.topic("order")
    assert ended["data"][0]["cancelType"] == "CancelAllBeforeLiq"
    row = (await stream.topic("execution"))["data"][0]
    assert (row["createType"], row["side"]) == ("CreateByLiq", "Sell")
    told = (await public.topic("allLiquidation"))["data"][0]
    assert (told["S"], told["v"]) == ("Buy", "0.025")
    assert (await position(c))["size"] == "0.075"
    return f"{row['createType']} {told['v']} at {row['execPrice']}"


async def adl(c: Outside) -> str:
    await c.order(**taking(side="Sell", qty="0.100"))
    stream = await private(c, "execution")
    c.fault("adl", symbol="BTCUSDT")
    row = (await stream.topic("execution"))["data"][0]
    assert (row["execType"], row["side"], row["execFee"]) == ("AdlTrade", "Buy", "0")
    assert (await position(c))["size"] == "0.000"
    return f"{row['execType']} {row['execQty']} at {row['execPrice']}"


async def funding_rate(c: Outside) -> str:
    async def rate() -> str:
        answer = await c.get("/v5/market/tickers", category="linear", symbol="BTCUSDT")
        return answer["result"]["list"][0]["fundingRate"]

    before = await rate()
    fault = c.fault("funding_rate", symbol="BTCUSDT", magnitude=-0.0025)
    other = c.fault("funding_rate", symbol="BTCUSDT", magnitude=0.001)
    assert await rate() == "-0.0025"
    c.stop(fault)
    assert await rate() == "0.001"
    c.stop(other)
    assert await rate() == before
    return f"{before}, then -0.0025"


async def fees_changed(c: Outside) -> str:
    values = {"taker": "0.0012", "maker": "-0.0002"}
    c.fault("fees_changed", account="sim-key", values=values)
    answer = await c.get("/v5/account/fee-rate", category="linear", symbol="BTCUSDT")
    row = answer["result"]["list"][0]
    assert (row["takerFeeRate"], row["makerFeeRate"]) == ("0.0012", "-0.0002")
    stream = await private(c, "execution")
    await c.order(**taking())
    paid = (await stream.topic("execution"))["data"][0]
    assert Decimal(paid["execFee"]) == Decimal(paid["execValue"]) * Decimal("0.0012")
    return f"taker fee {paid['execFee']} of {paid['execValue']}"


async def position(c: Outside) -> dict[str, Any]:
    answer = await c.get("/v5/position/list", category="linear", symbol="BTCUSDT")
    return answer["result"]["list"][0]


async def key_gone(c: Outside, name: str, code: int) -> str:
    stream, trade = await private(c), await c.socket("trade")
    fault = c.fault(name, account="sim-key")
    ends = await stream.ended(), await trade.ended()
    assert (await c.order())["retCode"] == code
    again = await c.socket("private", auth=False)
    assert (await c.auth(again))["success"] is False
    assert (await c.get("/v5/market/time"))["retCode"] == 0
    c.stop(fault)
    assert (await c.order())["retCode"] == 0
    return f"{code}, sockets {ends}"


async def key_revoked(c: Outside) -> str:
    return await key_gone(c, "key_revoked", 10003)


async def key_expired(c: Outside) -> str:
    return await key_gone(c, "key_expired", 33004)


async def address_unbound(c: Outside) -> str:
    return await key_gone(c, "address_unbound", 10010)


async def permission_lost(c: Outside) -> str:
    trade = await c.socket("trade")
    c.fault("permission_lost", account="1001")
    assert (await c.order())["retCode"] == 10005
    assert (await trade.operate("order.create", **resting()))["retCode"] == 10005
    assert await c.open_orders() == []
    assert (await c.get("/v5/user/query-api"))["result"]["readOnly"] == 1
    return "10005, readOnly 1, reads answered"


SPEEDS = {"crash": 1.0, "price_spike": 1.0, "skew": 1.0}


@pytest.mark.parametrize("name", CATALOGUE)
def test_fault_is_seen_from_outside(name: str) -> None:
    async def use(c: Outside) -> None:
        seen = await globals()[name](c)
        print(f"{name:20} {seen}")
        assert c.effects(name, "begin"), "its beginning is not in the record"
        told = c.effects(name)
        assert told, "its effect is not in the record"
        assert all(line["id"].startswith("f") and line["t_ns"] for line in told)

    with_outside(use, speed=SPEEDS.get(name, 20.0))


def test_a_crash_liquidates_who_cannot_bear_it() -> None:
    poor = AccountSettings(balances={"USDT": "7000"})

    async def use(c: Outside) -> None:
        stream = await private(c, "execution")
        assert (await c.order(**taking(qty="1.000")))["retCode"] == 0
        c.fault("crash", symbol="BTCUSDT", magnitude=-0.2)
        made = ("CreateByLiq", "CreateByTakeOver_PassThrough")  # in the book, or by the insurer
        await stream.topic("execution", lambda m: m["data"][0]["createType"] in made)
        assert Decimal((await position(c))["size"]) < 1
        noted = [line for line in c.exchange.lines() if line["kind"] == "margin"]
        assert noted[0]["event"] == "liquidation"

    with_outside(use, accounts=(poor,))


def test_two_faults_of_a_key_leave_it_as_it_was() -> None:
    bound = AccountSettings(ips=("127.0.0.1",))

    async def use(c: Outside) -> None:
        first, second = c.fault("address_unbound"), c.fault("address_unbound")
        other = c.fault("key_expired")
        c.stop(first)
        assert (await c.order())["retCode"] == 33004
        c.stop(other)
        assert (await c.order())["retCode"] == 10010
        c.stop(second)
        assert (await c.order())["retCode"] == 0
        assert (await c.get("/v5/user/query-api"))["result"]["ips"] == ["127.0.0.1"]

    with_outside(use, accounts=(bound,))
