"""Frames on their way to one socket: bounded, written in batches, dropped with a slow client.

Theory of operation. WebSocket frames of a server carry no mask, so a text frame is a short head and
the payload. Many of them go into one write of the transport: a call each would cost more than
everything else. The framework still answers pings and closes; it writes whole frames too, so the
two never mix. While a fault of the network is active, and for compressed sockets and other frames
than text, frames take the *slow way* one by one through the wire; what is batched leaves first, and
nothing is batched before the slow way is empty, so the order never changes.
"""

import asyncio
from collections import deque
from typing import Final

from aiohttp import WSMsgType, web

from plimsoll.simulator.wire import Wire, frame_head

FRAMES_MOST: Final = 20_000
"""A client this many frames behind has stopped reading."""

_TEXT: Final = WSMsgType.TEXT
_WRITE_BYTES: Final = 1 << 16
"""Frames are written at the latest when they have grown to this."""
_FULL_BYTES: Final = 1 << 20
"""No more is handed over while so much waits in the transport."""
_LOOK_AGAIN_S: Final = 0.005


class Outgoing:
    """The queue and writer of one socket."""

    def __init__(
        self, socket: web.WebSocketResponse, transport: asyncio.Transport | None, wire: Wire
    ) -> None:
        """Start writing to a prepared socket."""
        self.reason = ""
        self._socket = socket
        self._transport = transport
        self._wire = wire
        self._loop = asyncio.get_running_loop()
        self._is_compressed = bool(socket.compress)
        self._frames: list[bytes] = []
        """Heads and payloads in turns, for the next write."""
        self._size = 0
        self._handle: asyncio.Handle | None = None
        self._slow: deque[tuple[bytes, WSMsgType, str, float]] = deque()
        self._is_slow = False
        """Whether the slow way is being walked."""
        self._wake = asyncio.Event()
        self._task = asyncio.create_task(self._walk())

    def put(self, frame: bytes, topic: str = "", opcode: WSMsgType = _TEXT) -> None:
        """Queue a frame; a client too far behind is cut off."""
        if self.reason:
            return
        frames = self._frames
        if len(frames) >= 2 * FRAMES_MOST or len(self._slow) >= FRAMES_MOST:
            self.drop("client stopped reading")
            return
        is_slow = self._is_slow or self._slow or self._is_compressed or opcode is not _TEXT
        if is_slow or not self._wire.is_calm:
            self._slow.append((frame, opcode, topic, self._loop.time()))
            self._wake.set()
            return
        size = len(frame)
        frames.append(frame_head(size, _TEXT))
        frames.append(frame)
        self._size += size
        if self._size >= _WRITE_BYTES:
            self._write()
        if self._handle is None and frames:
            self._handle = self._loop.call_soon(self._write_queued)

    def drop(self, reason: str = "exchange stopped") -> None:
        """Cut the connection without a close frame."""
        self.reason = self.reason or reason
        self._forget()
        if self._transport is not None:
            self._transport.abort()

    async def say_goodbye(self, code: int) -> None:
        """Close the connection with a close frame."""
        self.reason = self.reason or f"closed by the exchange ({code})"
        self._forget()
        await self._socket.close(code=code, message=b"bye")

    async def stop(self) -> None:
        """End the writer."""
        if self._handle is not None:
            self._handle.cancel()
        self._forget()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    # ---- batches ---------------------------------------------------------------------------

    def _write_queued(self) -> None:
        self._handle = None
        self._write()
        if self._frames:
            self._handle = self._loop.call_later(_LOOK_AGAIN_S, self._write_queued)

    def _write(self) -> None:
        transport = self._transport
        if transport is None or transport.is_closing():
            self._frames.clear()
            self._size = 0
        elif self._frames and transport.get_write_buffer_size() < _FULL_BYTES:
            transport.write(b"".join(self._frames))
            self._frames.clear()
            self._size = 0

    # ---- one by one ------------------------------------------------------------------------

    async def _walk(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            self._is_slow = True
            try:
                await self._send_slow()
            except ConnectionError:
                self._slow.clear()
                return
            finally:
                self._is_slow = False

    async def _send_slow(self) -> None:
        while self._frames:  # what was batched before comes first
            self._write()
            if self._frames:
                await asyncio.sleep(_LOOK_AGAIN_S)
        while self._slow:
            await self._wire.send(*self._slow.popleft())

    def _forget(self) -> None:
        self._frames.clear()
        self._slow.clear()
        self._size = 0
