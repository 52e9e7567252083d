"""A pure exchange with a still market, and a client that signs like any other."""

import hashlib
import hmac
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from plimsoll.core.model import Side
from plimsoll.simulator.brain.exchange import Exchange
from plimsoll.simulator.brain.messages import (
    BookChanged,
    Output,
    Printed,
    Request,
    Rest,
    SocketOpened,
    SocketText,
    Tick,
)
from plimsoll.simulator.settings import SimSettings
from plimsoll.simulator.state import StateFile

START_NS = 1_700_000_000_000_000_000
MS = 1_000_000


class Desk:
    """Drives a brain; prices are 60000.0 / 60000.1 on linear:BTCUSDT until changed.

    With a directory it goes on with what the desk before it left there at ``stop``.
    """

    def __init__(
        self, settings: SimSettings, now_ns: int = START_NS, directory: Path | None = None
    ) -> None:
        self.exchange = Exchange(settings)
        self.now_ns = now_ns
        self.state = StateFile(directory or Path(), self.exchange.floor)
        goes_on = directory is not None and self.state.exists
        if goes_on:
            assert self.state.load() == []
        self.lines: list[dict[str, Any]] = []
        self.frames: list[tuple[int, dict[str, Any]]] = []
        self.drops: list[int] = []
        self._take(self.exchange.open(self.now_ns))
        for name, bid in (
            ("linear:BTCUSDT", 600_000),
            ("spot:BTCUSDT", 6_000_000),
            ("linear:ETHUSDT", 300_000),
            ("spot:ETHUSDT", 300_000),
            ("linear:DOGEUSDT", 20_000),
            ("spot:DOGEUSDT", 20_000),
            ("linear:BTCPERP", 600_000),
            ("linear:ETHPERP", 300_000),
            ("spot:BTCUSDC", 6_000_000),
        ):
            self.book(name, [(bid - i, 10_000) for i in range(5)])
            self.book(name, asks=[(bid + 1 + i, 10_000) for i in range(5)])
        if goes_on:
            self.state.reenter(self.now_ns)
        self.do(Tick())

    def stop(self) -> None:
        """Leave everything to the next desk with this directory."""
        self.state.save([], 0, clean=True)

    def book(
        self,
        name: str,
        bids: list[tuple[int, int]] | None = None,
        asks: list[tuple[int, int]] | None = None,
    ) -> Output:
        return self.do(BookChanged(name, bids or [], asks or []))

    def do_book(self, name: str, bid: int) -> None:
        """Replace a whole book, without waiting for the mark."""
        bids = [(bid - i, 10_000) for i in range(5)]
        self.do(BookChanged(name, bids, [(bid + 1 + i, 10_000) for i in range(5)], whole=True))
        self.do(Printed(name, Side.BUY, bid + 1, 1))

    def move(self, name: str, bid: int, lots: int = 10_000, *, bids: bool = True) -> None:
        """Move a whole book, five levels a side, and wait until the mark has followed."""
        low = [(bid - i, lots) for i in range(5)] if bids else []
        self.do(BookChanged(name, low, [(bid + 1 + i, lots) for i in range(5)], whole=True))
        self.do(Printed(name, Side.BUY, bid + 1, 1))
        for _ in range(150):
            self.wait(0.11)

    def trade(self, name: str, taker: Side, ticks: int, lots: int) -> Output:
        return self.do(Printed(name, taker, ticks, lots))

    def do(self, request: Request) -> Output:
        self.now_ns += MS
        return self._take(self.exchange.handle(self.now_ns, request))

    def wait(self, seconds: float) -> None:
        self.now_ns += int(seconds * 1e9)
        self.do(Tick())

    def get(self, path: str, *, key: str = "sim-key", **params: object) -> dict[str, Any]:
        query = urlencode(params)
        return self._rest(Rest("GET", path, query, b"", self.headers(query, key)))

    def post(self, path: str, *, key: str = "sim-key", **params: object) -> dict[str, Any]:
        body = json.dumps(params)
        return self._rest(Rest("POST", path, "", body.encode(), self.headers(body, key)))

    def order(self, **params: object) -> dict[str, Any]:
        """Send a create; defaults make a small linear BTC limit buy far below the market."""
        usual: dict[str, Any] = {
            "category": "linear",
            "symbol": "BTCUSDT",
            "side": "Buy",
            "orderType": "Limit",
            "qty": "0.010",
            "price": "59000.0",
        }
        return self.post("/v5/order/create", **(usual | params))

    def row(self, answer: dict[str, Any], category: str = "linear") -> dict[str, Any]:
        """Return the order an accepted create made."""
        assert answer["retCode"] == 0, answer
        found = self.get(
            "/v5/order/realtime", category=category, orderId=answer["result"]["orderId"]
        )
        return found["result"]["list"][0]

    def position(self, symbol: str = "BTCUSDT") -> dict[str, Any]:
        found = self.get("/v5/position/list", category="linear", symbol=symbol)
        return found["result"]["list"][0]

    def wallet(self, coin: str = "USDT") -> dict[str, Any]:
        found = self.get("/v5/account/wallet-balance", accountType="UNIFIED", coin=coin)
        return found["result"]["list"][0]["coin"][0]

    def account(self, key: str = "sim-key") -> dict[str, Any]:
        """Return the account object of wallet-balance."""
        found = self.get("/v5/account/wallet-balance", key=key, accountType="UNIFIED")
        return found["result"]["list"][0]

    def coin(self, coin: str = "USDT", key: str = "sim-key") -> dict[str, Any]:
        """Return one coin of an account."""
        (found,) = [row for row in self.account(key)["coin"] if row["coin"] == coin]
        return found

    def executions(self, exec_type: str, key: str = "sim-key") -> list[dict[str, Any]]:
        """Return an account's executions of one kind, oldest first."""
        asked = {"category": "linear", "execType": exec_type, "limit": 100}
        return self.get("/v5/execution/list", key=key, **asked)["result"]["list"][::-1]

    def transactions(self, key: str = "sim-key", **asked: object) -> list[dict[str, Any]]:
        """Return an account's newest transactions, oldest first."""
        path = "/v5/account/transaction-log"
        return self.get(path, key=key, limit=50, **asked)["result"]["list"][::-1]

    def headers(self, payload: str, key: str = "sim-key", shift_ms: int = 0) -> dict[str, str]:
        stamp = str(self.now_ns // MS + shift_ms)
        text = f"{stamp}{key}5000{payload}"
        return {
            "x-bapi-api-key": key,
            "x-bapi-timestamp": stamp,
            "x-bapi-recv-window": "5000",
            "x-bapi-sign": hmac.new(b"sim-secret", text.encode(), hashlib.sha256).hexdigest(),
        }

    def socket(self, number: int, path: str, *, auth: bool = False) -> None:
        self.do(SocketOpened(number, path))
        if auth:
            expires = self.now_ns // MS + 10_000
            text = f"GET/realtime{expires}"
            signature = hmac.new(b"sim-secret", text.encode(), hashlib.sha256).hexdigest()
            self.say(number, {"op": "auth", "args": ["sim-key", expires, signature]})

    def say(self, number: int, message: object) -> list[dict[str, Any]]:
        """Send a frame and return what this socket receives at once."""
        before = len(self.frames)
        text = message if isinstance(message, str) else json.dumps(message)
        self.do(SocketText(number, text))
        return [frame for to, frame in self.frames[before:] if to == number]

    def topic(self, name: str) -> list[dict[str, Any]]:
        return [frame for _, frame in self.frames if frame.get("topic") == name]

    def kinds(self, kind: str) -> list[dict[str, Any]]:
        return [line for line in self.lines if line["kind"] == kind]

    def _rest(self, request: Rest) -> dict[str, Any]:
        answer = self.do(request).answer
        assert answer is not None
        return json.loads(answer.body)

    def _take(self, output: Output) -> Output:
        self.lines += [json.loads(line) for line in output.lines]
        self.drops += output.drops
        for send in output.sends:
            frame = json.loads(send.frame)
            self.frames += [(number, frame) for number in send.connections]
        return output


@pytest.fixture
def make_desk() -> Callable[..., Desk]:
    def make(**settings: Any) -> Desk:
        return Desk(SimSettings(**({"limits": "off"} | settings)))

    return make


@pytest.fixture
def desk(make_desk: Callable[..., Desk]) -> Desk:
    return make_desk()
