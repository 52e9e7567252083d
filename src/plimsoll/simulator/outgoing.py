"""Frames on their way to one socket: bounded, sent in batches, and dropped with a slow client."""

import asyncio
from collections import deque
from typing import Final

from aiohttp import WSMsgType, web

from plimsoll.simulator.wire import Wire

FRAMES_MOST: Final = 20_000
"""A client this many frames behind has stopped reading."""


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
        self._frames: deque[tuple[bytes, WSMsgType, str, float]] = deque()
        self._wake = asyncio.Event()
        self._task = asyncio.create_task(self._write())

    def put(self, frame: bytes, topic: str = "", opcode: WSMsgType = WSMsgType.TEXT) -> None:
        """Queue a frame; a client too far behind is cut off."""
        if self.reason:
            return
        if len(self._frames) >= FRAMES_MOST:
            self.drop("client stopped reading")
            return
        self._frames.append((frame, opcode, topic, self._loop.time()))
        self._wake.set()

    def drop(self, reason: str = "exchange stopped") -> None:
        """Cut the connection without a close frame."""
        self.reason = self.reason or reason
        self._frames.clear()
        if self._transport is not None:
            self._transport.abort()

    async def say_goodbye(self, code: int) -> None:
        """Close the connection with a close frame."""
        self.reason = self.reason or f"closed by the exchange ({code})"
        self._frames.clear()
        await self._socket.close(code=code, message=b"bye")

    async def stop(self) -> None:
        """End the writer."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _write(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._frames:
                frame, opcode, topic, queued_s = self._frames.popleft()
                try:
                    await self._wire.send(frame, opcode, topic, queued_s)
                except ConnectionError:
                    self._frames.clear()
                    return
