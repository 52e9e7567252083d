"""The smallest engine and clock a venue can be tested with, and the composed samples."""

import asyncio
import json
import time
from collections.abc import Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from plimsoll.core.model import Instrument
from plimsoll.core.records import Record
from plimsoll.venues.bybit import BybitSettings, Secret
from plimsoll.venues.bybit.rest import RestClient
from plimsoll.venues.bybit.sign import Signer

SAMPLES = Path(__file__).resolve().parents[2] / "data" / "bybit"


class FakeClock:
    """Unix time at the start plus monotonic time elapsed."""

    def __init__(self) -> None:
        self._base = time.time_ns() - time.monotonic_ns()

    def now_ns(self) -> int:
        return self._base + time.monotonic_ns()

    def monotonic_ns(self) -> int:
        return time.monotonic_ns()


class FakeInbox:
    """Keeps everything; wakes whoever waits for a record."""

    def __init__(self) -> None:
        self.seq = 0
        self.records: list[Record] = []
        self.frames: list[tuple[int, bytes, int]] = []
        self.troubles: list[tuple[str, str, str]] = []
        self.changed = asyncio.Event()

    def stamp(self) -> tuple[int, int, int, int]:
        self.seq += 1
        return self.seq, 1_700_000_000_000_000_000 + self.seq, 3, 0

    def make(self, kind, /, **fields):
        """Return a record of ``kind`` with the next stamp."""
        return kind(*self.stamp(), **fields)

    def put(self, record: Record) -> None:
        assert record.seq == self.seq, "a record was stamped before the one before it was put"
        self.records.append(record)
        self.changed.set()

    def frame(self, link: int, raw: bytes, received_ns: int) -> None:
        self.frames.append((link, raw, received_ns))
        self.changed.set()

    def trouble(self, code: str, subject: str, text: str) -> None:
        self.troubles.append((code, subject, text))
        self.changed.set()

    def of(self, kind: type[Record], **fields: object) -> list[Record]:
        return [
            record
            for record in self.records
            if type(record) is kind
            and all(getattr(record, name) == value for name, value in fields.items())
        ]

    async def until(self, condition: Callable[[], object], timeout_s: float = 60.0) -> None:
        """Wait for an effect, with a deadline."""
        async with asyncio.timeout(timeout_s):
            while not condition():
                self.changed.clear()
                await self.changed.wait()


@pytest.fixture
def inbox():
    return FakeInbox()


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def sample():
    """Return the text of a composed message by name."""
    return lambda name: (SAMPLES / f"{name}.json").read_bytes().strip()


@pytest.fixture
def linear():
    return Instrument(
        name="linear:BTCUSDT",
        category="linear",
        symbol="BTCUSDT",
        base="BTC",
        quote="USDT",
        settle="USDT",
        tick_size="0.10",
        lot_size="0.001",
        min_qty="0.001",
        max_qty="1190.000",
        max_market_qty="500.000",
        min_notional="5",
    )


@pytest.fixture
def spot():
    return Instrument(
        name="spot:BTCUSDT",
        category="spot",
        symbol="BTCUSDT",
        base="BTC",
        quote="USDT",
        settle="USDT",
        tick_size="0.01",
        lot_size="0.000001",
        min_qty="0.000011",
        max_qty="83",
        max_market_qty="41.5",
        min_notional="5",
        taker_fee="0.001",
        maker_fee="0.001",
    )


class FakeRest:
    """A loopback REST server with prepared answers; keeps every request."""

    def __init__(self):
        self.answers = {}
        self.requests = []
        self.url = ""

    def reply(self, path, result=None, *, code=0, status=200, text=None):
        body = {"retCode": code, "retMsg": "m", "result": result or {}, "time": 1}
        answer = (status, text if text is not None else json.dumps(body))
        self.answers.setdefault(path, []).append(answer)

    async def handle(self, request):
        self.requests.append((request, await request.text()))
        answers = self.answers[request.path]
        status, text = answers.pop(0) if len(answers) > 1 else answers[0]
        if status == 0:  # break the connection instead of answering
            request.transport.abort()
        body = text if isinstance(text, bytes) else text.encode()
        return web.Response(status=status or 200, body=body)

    @asynccontextmanager
    async def serving(self):
        server = web.Server(self.handle)
        runner = web.ServerRunner(server)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{port}"
        try:
            yield self
        finally:
            await runner.cleanup()

    def settings(self, **fields):
        places: dict[str, Any] = {
            "rest_url": self.url,
            "public_url": "",
            "private_url": "",
            "trade_url": "",
        }
        return BybitSettings(**(places | {"key": "k", "secret": Secret("s")} | fields))


@pytest.fixture
def fake_rest():
    """Return the class of servers with prepared answers."""
    return FakeRest


@pytest.fixture
def rest(clock):
    """Run a scenario with a REST client connected to prepared answers."""

    def run(prepare, scenario, **settings):
        async def main():
            fake = FakeRest()
            prepare(fake)
            async with fake.serving():
                chosen = fake.settings(**settings)
                signer = Signer(chosen.key, chosen.secret)
                async with RestClient(chosen, clock, signer) as client:
                    return await scenario(client, fake)

        return asyncio.run(main())

    return run
