"""How many order book messages the simulated exchange serves from one core, and how soon.

A child process runs the exchange; its market hands over changes made beforehand by the calibrated
order flow, each a frame of its own (`push_periods = "none"`), to subscribers of orderbook.50 in
this process. Throughput: everything at once; processor time is the exchange's own, from the first
change until the last byte is handed over. Latency: a paced stream, from the match to the read.

    python -m benchmarks.simulator_throughput [--full]
"""

import asyncio
import gc
import json
import os
import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.report import Result, Size, middle, quantile, run

from plimsoll.simulator import SimSettings
from plimsoll.simulator.brain.messages import BookChanged, MarketEvent
from plimsoll.simulator.market.calibration import profile_of
from plimsoll.simulator.market.decks import Decks
from plimsoll.simulator.market.draw import draw_of
from plimsoll.simulator.market.flow import OrderFlow
from plimsoll.simulator.market.moved import MovedMarket
from plimsoll.simulator.server import SimServer

NAME, TOPIC = "linear:DOGEUSDT", "orderbook.50.DOGEUSDT"
COUNTS = {Size.TINY: (1, 500), Size.SMALL: (3, 60_000), Size.FULL: (7, 100_000)}
"""Rounds, and changes in each of them."""
PACED_PER_S = 2000
PACED = {Size.TINY: 200, Size.SMALL: 6000, Size.FULL: 20_000}
_DEADLINE_S = 120.0


class MadeAhead:
    """Changes made before the clock starts; they begin when all subscribers are there."""

    def __init__(self, server: SimServer, count: int, subscribers: int, per_s: int) -> None:
        item = server.venue.exchange.floor.listings[NAME].instrument
        draw = draw_of(7, NAME, "benchmark")
        decks = Decks(item, profile_of(item.category, item.base), 20_000, draw)
        flow = OrderFlow(item, decks, 20_000, draw)
        self._server = server
        self._opening = flow.opening()
        self._events: list[BookChanged] = []
        while len(self._events) < count:
            found = flow.next()[1][-1]
            if isinstance(found, BookChanged) and (found.bids or found.asks):
                self._events.append(found)
        self._subscribers, self._per_s = subscribers, per_s
        self._next = self._begin_ns = 0
        self.stamps: list[int] = []
        self.spent_ns = 0
        gc.collect()
        gc.freeze()

    def start(self, now_ns: int) -> list[tuple[int, MarketEvent]]:
        """Return the first book."""
        return [(now_ns, self._opening)]

    def position(self) -> dict[str, str]:
        """Return nothing: nobody asks."""
        return {}

    @property
    def is_done(self) -> bool:
        """Return whether every change was handed over."""
        return self._next >= len(self._events)

    def due(self, now_ns: int) -> Iterator[tuple[int, MarketEvent]]:
        """Yield what is to be handed over now, once all subscribers are there."""
        if not self._begin_ns:
            streams = self._server.venue.exchange.streams
            if len(streams._readers.get(("linear", TOPIC), ())) < self._subscribers:
                return
            self._begin_ns, self.spent_ns = now_ns, time.process_time_ns()
        events, stamps = self._events, self.stamps
        last = len(events)
        if self._per_s:
            last = min(last, (now_ns - self._begin_ns) * self._per_s // 1_000_000_000)
        while self._next < last:
            event = events[self._next]
            self._next += 1
            stamps.append(time.time_ns())
            yield now_ns, event


async def _serve(count: int, subscribers: int, per_s: int) -> None:
    settings = SimSettings(push_periods="none", stream_delay_ms=0, history_bars=1, limits="off")
    server = SimServer(settings)
    source = MadeAhead(server, count, subscribers, per_s)
    server._markets = [MovedMarket(source)]
    await server.start()
    print(server.port, flush=True)
    while not source.is_done or any(  # noqa: ASYNC110 - nothing tells that the last byte left
        out._frames for out in server.sockets._open.values()
    ):
        await asyncio.sleep(0.005)
    spent = time.process_time_ns() - source.spent_ns
    print(json.dumps({"cpu_ns": spent, "stamps": source.stamps if per_s else []}), flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    await server.stop()


class Reader:
    """One subscriber, as cheap as can be: it cuts the stream into frames and looks at the end."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        key = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        head = f"GET /v5/public/linear HTTP/1.1\r\nHost: x\r\n{key}"
        self.socket.sendall(f"{head}Sec-WebSocket-Key: {'A' * 22}==\r\n\r\n".encode())
        text = json.dumps({"op": "subscribe", "args": [TOPIC]}).encode()
        self.rest = b""
        while b"\r\n\r\n" not in self.rest:
            self.rest += self.socket.recv(4096)
        self.rest = self.rest.partition(b"\r\n\r\n")[2]
        self.socket.sendall(bytes((0x81, 0x80 | len(text))) + b"\0\0\0\0" + text)
        self.bytes = 0

    def frames(self) -> list[bytes]:
        """Read what is there and return the whole frames in it."""
        data = self.rest + self.socket.recv(1 << 20)
        found, place, end = [], 0, len(data)
        while place + 4 <= end:
            size, head = data[place + 1], 2
            if size == 126:
                size, head = int.from_bytes(data[place + 2 : place + 4], "big"), 4
            if place + head + size > end:
                break
            found.append(data[place + head : place + head + size])
            place += head + size
        self.rest = data[place:]
        return found

    def skim(self) -> None:
        """Read what is there and count bytes only."""
        self.bytes += len(self.socket.recv(1 << 20))


def _round(count: int, subscribers: int, per_s: int = 0) -> dict[str, Any]:
    """Run one exchange and return what its subscribers saw."""
    command = [sys.executable, "-m", "benchmarks.simulator_throughput"]
    words = ["--child", str(count), str(subscribers), str(per_s)]
    child = subprocess.Popen(
        command + words,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        cwd=Path(__file__).parents[1],
    )
    try:
        assert child.stdout is not None
        port = int(child.stdout.readline())
        readers = [Reader(port) for _ in range(subscribers)]
        found = _read(readers, child.stdout)
        child.communicate("\n", _DEADLINE_S)
        return found
    finally:
        child.kill()
        child.communicate()


def _read(readers: list[Reader], report: Any) -> dict[str, Any]:
    first = readers[0]
    sizes: list[int] = []
    seen: list[tuple[int, bytes]] = []
    begin, last = 0, 0
    told: dict[str, Any] | None = None
    with selectors.DefaultSelector() as ready:
        for reader in readers:
            ready.register(reader.socket, selectors.EVENT_READ, reader)
        ready.register(report, selectors.EVENT_READ, None)
        limit = time.monotonic() + _DEADLINE_S
        quiet = 0
        while (told is None or quiet < 2) and time.monotonic() < limit:
            keys = ready.select(0.2)
            quiet = 0 if keys else quiet + 1
            for key, _ in keys:
                if key.data is None:
                    told = json.loads(report.readline())
                    ready.unregister(report)
                elif key.data is first:
                    frames = first.frames()
                    now = time.time_ns()
                    deltas = [frame for frame in frames if b'"type":"delta"' in frame[:60]]
                    if deltas:
                        begin, last = begin or now, now
                        sizes += map(len, deltas)
                        seen += [(now, frame[-50:]) for frame in deltas]
                else:
                    key.data.skim()
    for reader in readers:
        reader.socket.close()
    assert told is not None, "the exchange did not finish"
    return told | {"count": len(sizes), "sizes": sizes, "seen": seen, "wall_ns": last - begin}


def _latencies_us(found: dict[str, Any]) -> list[float]:
    """Return from match to read, matched by the sequence number every change has."""
    numbers = [int(tail.partition(b'"seq":')[2].partition(b"}")[0]) for _, tail in found["seen"]]
    first = 500_001  # the opening of the book
    stamps = found["stamps"]
    return [
        (now - stamps[number - first - 1]) / 1000
        for number, (now, _) in zip(numbers, found["seen"], strict=True)
    ]


def measure(size: Size) -> Result:
    """Measure throughput with one and ten subscribers, and the latency of a paced stream."""
    rounds, count = COUNTS[size]
    rows: dict[str, tuple[float, ...]] = {}
    bytes_each = 0.0
    for subscribers in (1, 10):
        found = [_round(count, subscribers) for _ in range(rounds)]
        per_s = [one["count"] / one["cpu_ns"] * 1e9 for one in found]
        wall = [one["count"] / max(1, one["wall_ns"]) * 1e9 for one in found]
        rows[f"subscribers: {subscribers}"] = (max(per_s), middle(per_s), middle(wall))
        bytes_each = sum(found[0]["sizes"]) / len(found[0]["sizes"])
    paced = _latencies_us(_round(PACED[size], 1, PACED_PER_S))
    return Result(
        "orderbook.50 messages the simulated exchange serves from one core",
        ("best /CPU s", "median /CPU s", "median /s"),
        rows,
        notes=(
            f"a message has {bytes_each:.0f} bytes on average",
            f"paced, {PACED_PER_S}/s, from the match to the read: "
            f"p50 {quantile(paced, 0.5):.0f} us, p99 {quantile(paced, 0.99):.0f} us",
        ),
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        asyncio.run(_serve(*map(int, sys.argv[2:5])))
    else:
        run("order book messages of the simulated exchange", [measure])
