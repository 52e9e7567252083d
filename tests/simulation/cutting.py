"""A way between engine and exchange that can be cut after a given message, whole or half."""

import asyncio
import contextlib
from collections.abc import AsyncIterator


class Cutter:
    """Forwards bytes and counts the WebSocket messages the exchange sends to one kind of socket.

    ``at`` is the number of the message (from 1) with which the connection ends: after the whole
    message, or in its middle where ``is_half``. 0 cuts nothing.
    """

    def __init__(self, path: str, at: int = 0, *, is_half: bool = False) -> None:
        """Cut connections to ``path`` only; every other one is left alone."""
        self.path = path.encode()
        self.at = at
        self.is_half = is_half
        self.messages = 0
        self.cuts = 0
        self.port = 0
        self._target = 0

    @contextlib.asynccontextmanager
    async def between(self, target_port: int) -> AsyncIterator["Cutter"]:
        """Listen on a free port for the length of a block."""
        self._target = target_port
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            await server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, out = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()
            return
        try:
            first = await reader.read(65_536)
            out.write(first)
            counts = first.startswith(b"GET " + self.path)
            back = self._counting(there, writer) if counts else _copy(there, writer)
            await asyncio.gather(_copy(reader, out), back)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.transport.abort()
            out.transport.abort()

    async def _counting(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.readuntil(b"\r\n\r\n"))  # the answer to the upgrade
        while True:
            message = await _message(reader)
            self.messages += 1
            if self.messages == self.at:
                self.cuts += 1
                writer.write(message[: len(message) // 2] if self.is_half else message)
                with contextlib.suppress(OSError):
                    await writer.drain()
                raise ConnectionResetError("cut")
            writer.write(message)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
    raise ConnectionResetError("the other side is gone")


async def _message(reader: asyncio.StreamReader) -> bytes:
    """Return one frame of the exchange: it neither masks nor splits them."""
    head = await reader.readexactly(2)
    length = head[1] & 0x7F
    if length == 126:
        more = await reader.readexactly(2)
        head, length = head + more, int.from_bytes(more, "big")
    elif length == 127:
        more = await reader.readexactly(8)
        head, length = head + more, int.from_bytes(more, "big")
    return head + await reader.readexactly(length)
