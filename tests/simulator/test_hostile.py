"""Whatever a client sends: the venue's error, never a traceback, and the exchange lives on.

A failure names its seed: the same requests are made again by it.
"""

import asyncio
import io
import json
import random
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest
from tests.simulator.outside import Outside, now_ms, resting, with_outside
from yarl import URL

from plimsoll.simulator.brain import rest
from plimsoll.simulator.brain.entry import OPERATIONS

PATHS = [*rest.PUBLIC, *rest.SIGNED_GET, *rest.SIGNED_POST, *rest._ORDER_PATHS]
NAMES = [
    *("category", "symbol", "side", "orderType", "qty", "price", "timeInForce", "orderLinkId"),
    *("orderId", "reduceOnly", "closeOnTrigger", "marketUnit", "limit", "cursor", "startTime"),
    *("endTime", "interval", "settleCoin", "baseCoin", "accountType", "coin", "buyLeverage"),
    *("sellLeverage", "mode", "request", "openOnly", "orderFilter", "orderStatus", "smpType"),
    *("triggerPrice", "triggerDirection", "takeProfit", "stopLoss", "tpslMode", "positionIdx"),
]
VALUES: list[Any] = [
    *("", "linear", "spot", "option", "BTCUSDT", "btcusdt", "Buy", "Sell", "Limit", "Market"),
    *("0", "-1", "1", "0.001", "1e9", "1e999999", "-0", "NaN", "Infinity", "1_000", "\uff19", "²"),
    *("60000", "9" * 400, "0." + "0" * 300 + "1", "GTC", "IOC", "FOK", "true", "page%3D1"),
    *("page=²", "💥", "\x00", "a" * 40, "%", "D", "1", "UNIFIED", "Full", "quoteCoin"),
    *(None, True, False, 0, -1, 1, 10**30, 0.1, 1e300, [], {}, [1], {"a": 1}, [[]], [{}]),
]


def mutated(draw: random.Random) -> dict[str, Any]:
    """Return parameters that are half sensible."""
    params: dict[str, Any] = resting() if draw.random() < 0.6 else {}
    for _ in range(draw.randrange(5)):
        params[draw.choice(NAMES)] = draw.choice(VALUES)
    if params and draw.random() < 0.2:
        del params[draw.choice(list(params))]
    if draw.random() < 0.2:
        params["request"] = [mutated(draw) for _ in range(draw.randrange(4))]
    return params


def text_of(draw: random.Random, params: dict[str, Any]) -> str:
    """Return JSON, sometimes torn, doubled or nested too deep."""
    text = json.dumps(params)
    match draw.randrange(12):
        case 0:
            return text[: draw.randrange(len(text))]
        case 1:
            return text + text
        case 2:
            return "[" * draw.randrange(3000)
        case 3:
            return draw.choice(["null", "[]", "1", '"a"', "\ufeff{}", "{}", "{'a':1}", "NaN"])
        case 4:
            at = draw.randrange(len(text))
            return text[:at] + draw.choice('{}[]",:\\\x00e9') + text[at + 1 :]
        case _:
            return text


@pytest.mark.parametrize("seed", [1, 2])
def test_mutated_requests(seed: int) -> None:
    async def use(c: Outside) -> None:
        draw = random.Random(seed)
        for number in range(2000):
            path = draw.choice(PATHS)
            method = "GET" if path in rest.PUBLIC or path in rest.SIGNED_GET else "POST"
            body = text_of(draw, mutated(draw))
            query = quote(body) if draw.random() < 0.1 else ""
            if method == "GET":
                params = {k: str(v) for k, v in mutated(draw).items()}
                query = query or "&".join(f"{k}={quote(v)}" for k, v in params.items())
                body = ""
            headers = c.headers(query if method == "GET" else body)
            if draw.random() < 0.1:
                headers[draw.choice(list(headers))] = draw.choice(["", "0", "9" * 5000, "x" * 99])
            url = URL(f"{c.exchange.url}{path}?{query}", encoded=True)
            async with c.session.request(
                method, url, data=body.encode("utf-8", "surrogatepass") or None, headers=headers
            ) as answer:
                assert answer.status < 500, (seed, number, path, query, body)
                if answer.status == 400 and b"8190" in await answer.read():
                    continue  # a request line or header that no HTTP server takes
                found = await answer.json(content_type=None)
                assert isinstance(found["retCode"], int), (seed, number, path, query, body)

    with_outside(use)


@pytest.mark.parametrize("seed", [1, 2])
def test_mutated_frames(seed: int) -> None:
    async def use(c: Outside) -> None:
        draw = random.Random(seed)
        for kind in ("linear", "spot", "private", "trade", "status"):
            stream = await c.socket(kind)
            for _ in range(500):
                message: dict[str, Any] = {
                    "op": draw.choice([*OPERATIONS, "ping", "auth", 1, None])
                }
                if draw.random() < 0.5:
                    message["op"] = draw.choice(["subscribe", "unsubscribe"])
                    topics = ["orderbook.50.BTCUSDT", "tickers.", "order", "", "a.b.c", "💥"]
                    message["args"] = [draw.choice([*topics, *VALUES]) for _ in range(3)]
                else:
                    message["args"] = draw.choice([[mutated(draw)], [], 3, [1, 2, 3], {}])
                    stamp = draw.choice([str(now_ms()), now_ms(), "x", None, "9" * 5000])
                    message["header"] = draw.choice([{"X-BAPI-TIMESTAMP": stamp}, [], None])
                for name in ("reqId", "req_id"):
                    if draw.random() < 0.4:
                        message[name] = draw.choice(VALUES)
                await stream.ws.send_str(text_of(draw, message))
            await stream.say(op="ping", req_id="alive", reqId="alive")
            await stream.until(
                lambda m: (
                    "alive" in (m.get("req_id"), m.get("reqId")) and m.get("op") in ("ping", "pong")
                )
            )

    with_outside(use)


@pytest.mark.parametrize(
    "raw",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"a" * 100_000 + b"\r\n\r\n",
        b"GET /v5/market/time HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 5000 + b"\r\n",
        b"NONSENSE\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET /v5/market/time HTTP/9.9\r\n\r\n",
        b"POST /v5/order/create HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
        b"POST /v5/order/create HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET /v5/public/linear HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
        b"Connection: Upgrade\r\nSec-WebSocket-Version: 99\r\nSec-WebSocket-Key: x\r\n\r\n",
    ],
)
def test_bytes_that_are_no_request(raw: bytes) -> None:
    async def use(c: Outside) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", c.exchange.port)
        writer.write(raw)
        writer.write_eof()
        answer = await reader.read()
        assert answer == b"" or b" 4" in answer[:14], answer[:60]
        writer.close()
        assert (await c.get("/v5/market/time"))["retCode"] == 0

    with_outside(use)


def test_frames_that_are_no_frames() -> None:
    async def use(c: Outside) -> None:
        for raw in (b"\xff\xff", b"\x83\x80\x00\x00\x00\x00", b"\x81\x81\x00\x00\x00\x00\xff"):
            ws = await c.session.ws_connect(f"{c.exchange.ws_url}/v5/public/linear")
            assert ws._conn is not None
            assert ws._conn.transport is not None
            ws._conn.transport.write(raw)
            ws._conn.transport.write(raw * 100)
            message = await ws.receive()
            assert message.type in (
                aiohttp.WSMsgType.CLOSE,
                aiohttp.WSMsgType.CLOSED,
                aiohttp.WSMsgType.ERROR,
            )
        stream = await c.socket("linear")
        await stream.ws.send_str("x" * (1 << 20 | 1))
        assert await stream.ended() == 1009
        stream = await c.socket("linear")
        await stream.ws.send_bytes(b'{"op":"ping"}')
        await stream.ping()

    with_outside(use)


def test_bodies_too_large_are_refused() -> None:
    async def use(c: Outside) -> None:
        url = f"{c.exchange.url}/v5/order/create"
        async with c.session.post(url, data=io.BytesIO(b"x" * (2 << 20))) as answer:
            assert answer.status == 413
        async with c.session.post(url, data={"a": "b"}, headers=c.headers("a=b")) as answer:
            assert (await answer.json())["retCode"] == 10001

    with_outside(use)
