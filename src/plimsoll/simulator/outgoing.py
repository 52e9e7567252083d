"""Frames on their way to one socket: bounded, written in batches, dropped with a slow client.

WebSocket frames of a server carry no mask, so a text frame is a short head and the payload. Many of
them go into one write of the transport: a call each would cost more than everything else. The
framework still answers pings and closes; it writes whole frames too, so the two never mix.
"""

import asyncio
from typing import Final

from aiohttp import web

FRAMES_MOST: Final = 20_000
"""A client this many frames behind has stopped reading."""

_TEXT: Final = 0x81
_SHORT: Final = 126
_MEDIUM: Final = 1 << 16
_WRITE_BYTES: Final = 1 << 16
"""Frames are written at the latest when they have grown to this."""
_FULL_BYTES: Final = 1 << 20
"""No more is handed over while so much waits in the transport."""
_LOOK_AGAIN_S: Final = 0.005


class Outgoing:
    """The queue and writer of one socket."""

    def __init__(self, socket: web.WebSocketResponse, transport: asyncio.Transport | None) -> None:
        """Write to a prepared socket."""
        self.reason = ""
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._frames: list[bytes] = []
        self._size = 0
        self._handle: asyncio.Handle | None = None

    def put(self, frame: bytes) -> None:
        """Queue a text frame; a client too far behind is cut off."""
        if self.reason:
            return
        frames = self._frames
        if len(frames) >= 2 * FRAMES_MOST:
            self.drop("client stopped reading")
            return
        size = len(frame)
        frames.append(_head(size))
        frames.append(frame)
        self._size += size
        if self._size >= _WRITE_BYTES:
            self._write()
        if self._handle is None and frames:
            self._handle = self._loop.call_soon(self._write_queued)

    def drop(self, reason: str = "exchange stopped") -> None:
        """Cut the connection without a close frame."""
        self.reason = self.reason or reason
        self._frames.clear()
        if self._transport is not None:
            self._transport.abort()

    async def stop(self) -> None:
        """End the writer."""
        if self._handle is not None:
            self._handle.cancel()
        self._frames.clear()

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


def _head(size: int) -> bytes:
    """Return the head of a text frame (RFC 6455, 5.2)."""
    if size < _SHORT:
        return bytes((_TEXT, size))
    if size < _MEDIUM:
        return b"\x81\x7e" + size.to_bytes(2, "big")
    return b"\x81\x7f" + size.to_bytes(8, "big")
