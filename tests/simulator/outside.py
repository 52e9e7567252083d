"""A client for tests: what somebody outside sees of a running exchange."""

import asyncio
import contextlib
import hashlib
import hmac
import json
import logging
import logging.handlers
import time
from collections.abc import Callable, Coroutine, Iterator
from typing import Any
from urllib.parse import urlencode

import aiohttp

from plimsoll.simulator import Running, SimSettings, running

DEADLINE_S = 60.0
QUIET_S = 0.15
"""How long nothing must come where nothing may come."""
SOCKETS = {
    "linear": "/v5/public/linear",
    "spot": "/v5/public/spot",
    "private": "/v5/private",
    "trade": "/v5/trade",
    "status": "/v5/public/misc/status",
}
ENDED = (
    aiohttp.WSMsgType.CLOSE,
    aiohttp.WSMsgType.CLOSED,
    aiohttp.WSMsgType.CLOSING,
    aiohttp.WSMsgType.ERROR,
)


def sign(text: str) -> str:
    return hmac.new(b"sim-secret", text.encode(), hashlib.sha256).hexdigest()


def now_ms() -> int:
    return time.time_ns() // 1_000_000


class Stream:
    """One socket; messages are parsed where they are JSON, bytes of text otherwise."""

    def __init__(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        self.ws = ws
        self.seen: list[Any] = []

    async def say(self, **message: Any) -> None:
        await self.ws.send_str(json.dumps(message))

    async def next(self) -> Any:
        message = await self.ws.receive()
        if message.type in ENDED:
            raise ConnectionResetError(f"{message.type.name} {self.ws.close_code}")
        try:
            found = json.loads(message.data)
        except (ValueError, RecursionError):
            found = message.data
        self.seen.append(found)
        return found

    async def until(self, wanted: Callable[[Any], bool]) -> Any:
        """Return the first message, of those that still come, that is wanted."""
        while True:
            found = await self.next()
            if wanted(found):
                return found

    async def topic(self, name: str, wanted: Callable[[Any], bool] = lambda _: True) -> Any:
        """Return the first message of a topic that is wanted."""
        return await self.until(
            lambda m: isinstance(m, dict) and m.get("topic", "").startswith(name) and wanted(m)
        )

    async def ended(self) -> int | None:
        """Wait for the end; return the close code."""
        try:
            while True:
                await self.next()
        except ConnectionResetError:
            return self.ws.close_code

    async def is_quiet(self, wanted: Callable[[Any], bool] = lambda _: True) -> bool:
        """Return whether nothing wanted comes for a moment."""
        try:
            async with asyncio.timeout(QUIET_S):
                await self.until(wanted)
        except TimeoutError:
            return True
        return False

    async def ping(self) -> Any:
        await self.say(op="ping", req_id="p", reqId="p")
        return await self.until(lambda m: isinstance(m, dict) and m.get("op") in ("ping", "pong"))

    async def operate(self, op: str, **args: Any) -> Any:
        """Send an order operation of the trade socket; return its answer."""
        req_id = await self.start(op, **args)
        return await self.until(lambda m: isinstance(m, dict) and m.get("reqId") == req_id)

    async def start(self, op: str, **args: Any) -> str:
        req_id = f"r{time.monotonic_ns()}"
        header = {"X-BAPI-TIMESTAMP": str(now_ms())}
        await self.say(op=op, reqId=req_id, header=header, args=[args])
        return req_id


class Outside:
    """A client of one running exchange."""

    def __init__(self, exchange: Running, session: aiohttp.ClientSession) -> None:
        self.exchange = exchange
        self.session = session

    async def get(self, path: str, **params: Any) -> dict[str, Any]:
        """Send a signed GET; return its body with the HTTP status as ``status``."""
        query = urlencode(params)
        url = f"{self.exchange.url}{path}" + (f"?{query}" if query else "")
        async with self.session.get(url, headers=self.headers(query)) as answer:
            return await _body(answer)

    async def post(self, path: str, **params: Any) -> dict[str, Any]:
        """Send a signed POST; return its body with the HTTP status as ``status``."""
        body = json.dumps(params)
        url = f"{self.exchange.url}{path}"
        async with self.session.post(url, data=body, headers=self.headers(body)) as answer:
            return await _body(answer)

    async def order(self, **params: Any) -> dict[str, Any]:
        """Send a create; a small BTC limit buy below the market unless told otherwise."""
        return await self.post("/v5/order/create", **(resting() | params))

    async def open_orders(self, **params: Any) -> list[dict[str, Any]]:
        usual = {"category": "linear", "settleCoin": "USDT"}
        answer = await self.get("/v5/order/realtime", **(usual | params))
        return answer["result"]["list"]

    async def socket(self, kind: str, *topics: str, auth: bool = True) -> Stream:
        """Connect, authenticate where that is needed, and subscribe."""
        ws = await self.session.ws_connect(self.exchange.ws_url + SOCKETS[kind])
        stream = Stream(ws)
        if kind in ("private", "trade") and auth:
            answer = await self.auth(stream)
            assert answer.get("success") or answer.get("retCode") == 0, answer
        if topics:
            await stream.say(op="subscribe", req_id="s", args=list(topics))
            answer = await stream.until(lambda m: m.get("op") == "subscribe")
            assert answer["success"], answer
        return stream

    async def auth(self, stream: Stream) -> Any:
        expires = now_ms() + 10_000
        await stream.say(op="auth", args=["sim-key", expires, sign(f"GET/realtime{expires}")])
        return await stream.until(lambda m: m.get("op") == "auth")

    def fault(self, name: str, **asked: Any) -> str:
        return self.exchange.start_fault(name, **asked)

    def stop(self, fault_id: str) -> None:
        self.exchange.stop_fault(fault_id)

    def effects(self, name: str, event: str = "effect") -> list[dict[str, Any]]:
        """Return what the record says about a fault."""
        return [
            line
            for line in self.exchange.lines()
            if line["kind"] == "fault" and line["name"] == name and line["event"] == event
        ]

    def headers(self, payload: str) -> dict[str, str]:
        stamp = str(now_ms())
        return {
            "X-BAPI-API-KEY": "sim-key",
            "X-BAPI-TIMESTAMP": stamp,
            "X-BAPI-RECV-WINDOW": "5000",
            "X-BAPI-SIGN": sign(f"{stamp}sim-key5000{payload}"),
        }


def resting(**params: Any) -> dict[str, Any]:
    """Return the parameters of a small BTC limit buy far below the market."""
    usual = {"category": "linear", "symbol": "BTCUSDT", "side": "Buy", "orderType": "Limit"}
    return usual | {"qty": "0.010", "price": "40000.0"} | params


def taking(**params: Any) -> dict[str, Any]:
    """Return the parameters of a small BTC market buy."""
    usual = {"category": "linear", "symbol": "BTCUSDT", "side": "Buy", "orderType": "Market"}
    return usual | {"qty": "0.010"} | params


def with_outside(use: Callable[[Outside], Coroutine[Any, Any, Any]], **settings: Any) -> Any:
    """Run an exchange and give a client of it to a coroutine."""
    usual: dict[str, Any] = {"limits": "off", "stream_delay_ms": 0.0}

    async def main() -> Any:
        async with (
            asyncio.timeout(DEADLINE_S),
            running(SimSettings(**(usual | settings))) as exchange,
            aiohttp.ClientSession() as session,
        ):
            return await use(Outside(exchange, session))

    with no_tracebacks():
        return asyncio.run(main())


@contextlib.contextmanager
def no_tracebacks() -> Iterator[None]:
    """Fail where the exchange logged an error: no input may cause one."""
    told = logging.handlers.BufferingHandler(1000)
    told.setLevel(logging.ERROR)
    loggers = [
        logging.getLogger(name) for name in ("plimsoll.simulator.http", "aiohttp.server", "asyncio")
    ]
    for logger in loggers:
        logger.addHandler(told)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeHandler(told)
    assert [logging.Formatter().format(record) for record in told.buffer] == []


async def until(found: Callable[[], Any]) -> Any:
    """Wait until something holds; the deadline is a failure, not a measure."""
    end = time.monotonic() + DEADLINE_S
    while not (result := found()):
        assert time.monotonic() < end, f"did not happen within {DEADLINE_S} s"
        await asyncio.sleep(0.005)
    return result


async def _body(answer: aiohttp.ClientResponse) -> dict[str, Any]:
    text = await answer.text()
    try:
        found = json.loads(text)
    except ValueError:
        found = {"text": text}
    return found | {"status": answer.status, "headers": dict(answer.headers)}
