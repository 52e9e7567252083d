"""The shell of the simulated exchange: one port for REST and every socket, one loop, one clock."""

import asyncio
import contextlib
import errno
import os
import signal
import sys
from collections import deque
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Final

import msgspec
from aiohttp import WSMsgType, web

from plimsoll.simulator.brain.exchange import Exchange
from plimsoll.simulator.brain.messages import (
    Output,
    Request,
    Rest,
    SocketClosed,
    SocketOpened,
    SocketText,
    Tick,
)
from plimsoll.simulator.brain.streams import PATHS
from plimsoll.simulator.clock import VenueClock
from plimsoll.simulator.market import DataError, MarketSource, open_markets
from plimsoll.simulator.outgoing import Outgoing
from plimsoll.simulator.record import Record
from plimsoll.simulator.settings import SimSettings

EXIT_OK: Final = 0
EXIT_DATA: Final = 3
EXIT_PORT: Final = 6
_STEP_S: Final = 0.005
_FLUSH_S: Final = 0.04
_MARKET_BATCH: Final = 2000
"""Market events handled before clients get a turn."""


class PortInUseError(Exception):
    """The port cannot be had, mostly because another process listens; the text says what to do."""


class Running:
    """A running exchange: where it listens and what it has recorded."""

    def __init__(self, server: "SimServer") -> None:
        """Wrap a server that listens."""
        self._server = server
        self.host = server.settings.host
        self.port = server.port

    @property
    def url(self) -> str:
        """Return the REST address, such as ``http://127.0.0.1:4000``."""
        return f"http://{self.host}:{self.port}"

    @property
    def ws_url(self) -> str:
        """Return the WebSocket address without a path."""
        return f"ws://{self.host}:{self.port}"

    def lines(self, n: int = 1) -> list[dict[str, object]]:
        """Return the record from line ``n`` on."""
        return [msgspec.json.decode(line) for line in self._server.record.since(n)]


def serve(settings: SimSettings, on_port: Callable[[int], None] | None = None) -> int:
    """Run until SIGINT or SIGTERM and return the exit code.

    Args:
        settings: What to run.
        on_port: Called with the bound port once clients may connect.

    Returns:
        0 after a clean stop, 3 for an unusable data file, 6 where the port is taken.
    """
    try:
        asyncio.run(_until_signal(settings, on_port))
    except DataError as error:
        sys.stderr.write(f"error: {error}\n")
        return EXIT_DATA
    except PortInUseError as error:
        sys.stderr.write(f"error: {error}\n")
        return EXIT_PORT
    return EXIT_OK


@contextlib.asynccontextmanager
async def running(settings: SimSettings) -> AsyncIterator[Running]:
    """Run an exchange for the length of a block, in this loop.

    Raises:
        DataError: the data file cannot be used.
        PortInUseError: the port is taken.
    """
    server = SimServer(settings)
    await server.start()
    try:
        yield Running(server)
    finally:
        await server.stop()


async def _until_signal(settings: SimSettings, on_port: Callable[[int], None] | None) -> None:
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with running(settings) as exchange:
        if on_port is not None:
            on_port(exchange.port)
        await stop.wait()


class SimServer:
    """Connects the brain to a port, a clock, a market and the record."""

    def __init__(self, settings: SimSettings) -> None:
        """Load the market.

        Raises:
            DataError: the data file cannot be used, or the record cannot be written.
        """
        self.settings = settings
        self.port = settings.port
        self._exchange = Exchange(settings)
        listings = self._exchange.floor.listings
        instruments = {name: listing.instrument for name, listing in listings.items()}
        self._markets: list[MarketSource] = open_markets(
            settings, instruments, self._exchange.is_watched
        )
        self.record = _open_record(settings)
        self._sockets: dict[int, Outgoing] = {}
        self._opened = 0
        self._clock = VenueClock()
        self._pushes: deque[tuple[float, Outgoing, bytes]] = deque()
        self._answers: deque[tuple[float, Outgoing, bytes]] = deque()
        self._tasks: list[asyncio.Task[None]] = []
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen and let the market run.

        Raises:
            PortInUseError: the port is taken.
        """
        self._apply(self._exchange.open(self._now()))
        for market in self._markets:
            for at_ns, event in market.start(self._now()):
                self._apply(self._exchange.handle(at_ns, event))
        self._handle(Tick())
        await self._listen()
        self._write_state_file()
        self._tasks = [
            asyncio.create_task(self._run_market()),
            asyncio.create_task(self._run_flush()),
        ]

    async def stop(self) -> None:
        """Stop the market, close every socket, finish the record."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for outgoing in list(self._sockets.values()):
            outgoing.drop()
        if self._runner is not None:
            await self._runner.cleanup()
        self.record.close()

    async def _listen(self) -> None:
        app = web.Application(client_max_size=1 << 20)
        app.router.add_get("/sim/state", self._on_state)
        app.router.add_get("/sim/record", self._on_record)
        for path in PATHS:
            app.router.add_get(path, self._on_socket)
        app.router.add_route("*", "/{path:.*}", self._on_rest)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self.settings.host, self.settings.port)
        try:
            await site.start()
        except OSError as error:
            await self._runner.cleanup()
            self.record.close()
            raise _port_error(self.settings, error) from error
        self.port = self._runner.addresses[0][1]

    async def _run_market(self) -> None:
        """Hand over what is due each 5 ms, with a turn for clients inside a long burst."""
        while True:
            handled = 0
            for market in self._markets:
                for due_ns, event in market.due(self._now()):
                    at_ns = self._clock.reach(due_ns)
                    self._apply(self._exchange.handle(at_ns, event))
                    handled += 1
                    if handled % _MARKET_BATCH == 0:
                        await asyncio.sleep(0)
            self._handle(Tick())
            await asyncio.sleep(_STEP_S)

    async def _run_flush(self) -> None:
        while True:
            await asyncio.sleep(_FLUSH_S)
            self.record.flush()

    async def _on_rest(self, request: web.Request) -> web.StreamResponse:
        rest = Rest(
            request.method,
            request.path,
            request.rel_url.raw_query_string,
            await request.read(),
            {name.lower(): value for name, value in request.headers.items()},
            request.remote or "",
        )
        answer = self._handle(rest).answer
        if answer is None:
            raise web.HTTPInternalServerError
        if answer.lost:
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=500)
        if self.settings.ack_delay_ms:
            await asyncio.sleep(self.settings.ack_delay_ms / 1000)
        kind = "application/json" if answer.body[:1] == b"{" else "text/plain"
        return web.Response(
            body=answer.body, status=answer.status, headers=answer.headers, content_type=kind
        )

    async def _on_socket(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(compress=False, max_msg_size=1 << 20)
        await socket.prepare(request)
        self._opened += 1
        number = self._opened
        outgoing = self._sockets[number] = Outgoing(socket, request.transport)
        self._handle(SocketOpened(number, request.path))
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    self._handle(SocketText(number, message.data))
        finally:
            del self._sockets[number]
            await outgoing.stop()
            reason = outgoing.reason or f"client left ({socket.close_code})"
            self._handle(SocketClosed(number, reason))
        return socket

    async def _on_state(self, request: web.Request) -> web.Response:
        state = self._exchange.state(self._now())
        positions: dict[str, str] = {}
        for market in self._markets:
            positions |= market.position()
        state |= {"pid": os.getpid(), "port": self.port, "market_position": positions}
        return web.Response(body=msgspec.json.encode(state), content_type="application/json")

    async def _on_record(self, request: web.Request) -> web.Response:
        asked = request.query.get("from", "1")
        if not asked.isdigit():
            return web.Response(status=400, text=f"from must be a line number, found {asked!r}")
        lines = list(self.record.since(int(asked)))
        body = b"\n".join(lines) + (b"\n" if lines else b"")
        return web.Response(body=body, content_type="application/x-ndjson")

    def _handle(self, request: Request) -> Output:
        output = self._exchange.handle(self._now(), request)
        self._apply(output)
        return output

    def _apply(self, output: Output) -> None:
        if output.lines:
            self.record.add(output.lines)
        for send in output.sends:
            delay_ms = self.settings.stream_delay_ms if send.is_push else self.settings.ack_delay_ms
            queue = self._pushes if send.is_push else self._answers
            for number in send.connections:
                outgoing = self._sockets.get(number)
                if outgoing is not None:
                    self._send_later(queue, delay_ms, outgoing, send.frame)
        for number in output.drops:
            if number in self._sockets:
                self._sockets[number].drop("dropped by a fault")

    def _send_later(
        self,
        queue: deque[tuple[float, Outgoing, bytes]],
        delay_ms: float,
        outgoing: Outgoing,
        frame: bytes,
    ) -> None:
        """Keep frames of one kind in order behind one timer."""
        if not delay_ms and not queue:
            outgoing.put(frame)
            return
        loop = asyncio.get_running_loop()
        due = loop.time() + delay_ms / 1000
        queue.append((due, outgoing, frame))
        if len(queue) == 1:
            loop.call_at(due, self._release, queue)

    def _release(self, queue: deque[tuple[float, Outgoing, bytes]]) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        while queue and queue[0][0] <= now:
            _, outgoing, frame = queue.popleft()
            outgoing.put(frame)
        if queue:
            loop.call_at(queue[0][0], self._release, queue)

    def _now(self) -> int:
        return self._clock.now_ns()

    def _write_state_file(self) -> None:
        if not self.settings.directory:
            return
        path = Path(self.settings.directory) / "sim.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        found = {"pid": os.getpid(), "host": self.settings.host, "port": self.port}
        written = path.with_suffix(".tmp")
        written.write_bytes(msgspec.json.encode(found) + b"\n")
        written.replace(path)  # a reader never sees half a file


def _open_record(settings: SimSettings) -> Record:
    path = Path(settings.record) if settings.record else None
    if path is None and settings.directory:
        path = Path(settings.directory) / "record.jsonl"
    try:
        return Record(path)
    except OSError as error:
        text = f"{path}: the record cannot be written ({error.strerror}); choose another directory"
        raise DataError(text) from error


def _port_error(settings: SimSettings, error: OSError) -> PortInUseError:
    where = f"port {settings.port} on {settings.host}"
    if error.errno == errno.EADDRINUSE:
        return PortInUseError(
            f"{where} is in use by another process; "
            "stop that process, or choose another port (0 takes any free one)"
        )
    return PortInUseError(f"{where} cannot be opened ({error.strerror}); choose another port")
