"""Frames on their way to one socket: bounded, sent in batches, and dropped with a slow client."""

import asyncio
from collections import deque
from typing import Final

from aiohttp import WSMsgType, web

FRAMES_MOST: Final = 20_000
"""A client this many frames behind has stopped reading."""


class Outgoing:
    """The queue and writer of one socket."""

    def __init__(self, socket: web.WebSocketResponse, transport: asyncio.Transport | None) -> None:
        """Start writing to a prepared socket."""
        self.reason = ""
        self._socket = socket
        self._transport = transport
        self._frames: deque[bytes] = deque()
        self._wake = asyncio.Event()
        self._task = asyncio.create_task(self._write())

    def put(self, frame: bytes) -> None:
        """Queue a text frame; a client too far behind is cut off."""
        if self.reason:
            return
        if len(self._frames) >= FRAMES_MOST:
            self.drop("client stopped reading")
            return
        self._frames.append(frame)
        self._wake.set()

    def drop(self, reason: str = "exchange stopped") -> None:
        """Cut the connection without a close frame."""
        self.reason = self.reason or reason
        self._frames.clear()
        if self._transport is not None:
            self._transport.abort()

    async def stop(self) -> None:
        """End the writer."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _write(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._frames:
                try:
                    await self._socket.send_frame(self._frames.popleft(), WSMsgType.TEXT)
                except ConnectionError:
                    self._frames.clear()
                    return
