"""The sockets of the shell: who may connect, what comes in, and frames on their way out."""

import asyncio
from collections import deque
from collections.abc import Iterable
from typing import Final

from aiohttp import WSMsgType, web

from plimsoll.simulator.brain.messages import Send, SocketClosed, SocketOpened, SocketText
from plimsoll.simulator.brain.streams import PATHS
from plimsoll.simulator.connects import refused, reset
from plimsoll.simulator.faults.plan import Where
from plimsoll.simulator.host import Host
from plimsoll.simulator.outgoing import Outgoing
from plimsoll.simulator.wire import Wire

_BYTES_MOST: Final = 1 << 20
_HANG_S: Final = 0.02
Waiting = deque[tuple[float, Outgoing, bytes, str]]


class Sockets:
    """Every open socket of a server."""

    def __init__(self, host: Host) -> None:
        """Serve the sockets of a host."""
        self._host = host
        self._open: dict[int, Outgoing] = {}
        self._opened = 0
        self._pushes: Waiting = deque()
        self._answers: Waiting = deque()
        self._farewells: set[asyncio.Task[None]] = set()

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Accept one socket, or refuse it, and serve it to its end."""
        refusal = await self._refused(request)
        if refusal is not None:
            return refusal
        socket = web.WebSocketResponse(
            compress=True, autoping=False, max_msg_size=_BYTES_MOST, timeout=1.0
        )
        if not socket.can_prepare(request).ok:
            return web.Response(status=400, text="a WebSocket handshake is expected here")
        await socket.prepare(request)
        self._opened += 1
        number = self._opened
        wire = Wire(number, self._host.venue, socket, request.transport)
        outgoing = self._open[number] = Outgoing(socket, request.transport, wire)
        address, query = request.remote or "", request.rel_url.raw_query_string
        self._host.handle(SocketOpened(number, request.path, query, address))
        try:
            await self._listen(number, socket, wire, outgoing)
        finally:
            del self._open[number]
            await outgoing.stop()
            reason = outgoing.reason or f"client left ({socket.close_code})"
            self._host.handle(SocketClosed(number, reason))
        return socket

    def deliver(self, sends: Iterable[Send]) -> None:
        """Queue frames behind the delay of their kind."""
        settings = self._host.settings
        for send in sends:
            delay_ms = settings.stream_delay_ms if send.is_push else settings.ack_delay_ms
            queue = self._pushes if send.is_push else self._answers
            for number in send.connections:
                outgoing = self._open.get(number)
                if outgoing is not None:
                    self._later(queue, delay_ms, outgoing, send)

    def drop(self, number: int, reason: str) -> None:
        """Cut one connection."""
        if number in self._open:
            self._open[number].drop(reason)

    def drop_all(self) -> None:
        """Cut every connection."""
        for outgoing in list(self._open.values()):
            outgoing.drop()

    def say_goodbye(self, number: int, code: int) -> None:
        """Close one connection with a close frame."""
        if number in self._open:
            task = asyncio.create_task(self._open[number].say_goodbye(code))
            self._farewells.add(task)
            task.add_done_callback(self._farewells.discard)

    async def _listen(
        self, number: int, socket: web.WebSocketResponse, wire: Wire, outgoing: Outgoing
    ) -> None:
        async for message in socket:
            if not await wire.may_hear():
                continue
            if message.type is WSMsgType.TEXT:
                self._host.handle(SocketText(number, message.data))
            elif message.type is WSMsgType.PING:
                outgoing.put(message.data, opcode=WSMsgType.PONG)

    async def _refused(self, request: web.Request) -> web.StreamResponse | None:
        """Return the refusal of a handshake, None where it may go on."""
        venue, now_ns = self._host.venue, self._host.now()
        address, kind = request.remote or "", PATHS[request.path]
        if not venue.exchange.limits.allow_connect(address, now_ns):
            return web.Response(status=403, text="too many connection attempts")
        if venue.exchange.streams.is_full(request.path, address):
            return web.Response(status=403, text="too many connections")
        if venue.closed == "maintenance" and kind != "status":
            return web.Response(status=503, text="maintenance")
        if venue.closed == "break" and kind != "status":
            return reset(request)
        return await refused(venue, Where(kind=kind), request)

    def _later(self, queue: Waiting, delay_ms: float, outgoing: Outgoing, send: Send) -> None:
        """Keep frames of one kind in order behind one timer."""
        if not delay_ms and not queue:
            outgoing.put(send.frame, send.topic)
            return
        loop = asyncio.get_running_loop()
        due = loop.time() + delay_ms / 1000
        queue.append((due, outgoing, send.frame, send.topic))
        if len(queue) == 1:
            loop.call_at(due, self._release, queue)

    def _release(self, queue: Waiting) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        while queue and queue[0][0] <= now:
            _, outgoing, frame, topic = queue.popleft()
            outgoing.put(frame, topic)
        if queue:
            loop.call_at(queue[0][0], self._release, queue)
