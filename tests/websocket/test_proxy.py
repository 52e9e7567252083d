"""Sockets go through the proxy they are given, and nowhere else."""

import asyncio
import contextlib

import picows
from tests.websocket.lines import LineDialect

from plimsoll.websocket import LinkPlace, PooledLink


class Proxy:
    """An HTTP proxy that tunnels what it is asked to; it notes whom it was asked for."""

    def __init__(self):
        self.asked = []
        self.ended = asyncio.Event()

    async def serve(self, reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        method, target, _ = head.split(b" ", 2)
        self.asked.append((method.decode(), target.decode()))
        host, _, port = target.decode().rpartition(":")
        there, out = await asyncio.open_connection(host, int(port))
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await asyncio.gather(_copy(reader, out), _copy(there, writer))
        self.ended.set()


async def _copy(reader, writer):
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65_536):
            writer.write(data)
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()


class Echo(picows.WSListener):
    def on_ws_frame(self, transport, frame):
        if frame.msg_type == picows.WSMsgType.TEXT:
            transport.send(picows.WSMsgType.TEXT, frame.get_payload_as_bytes())


class Clock:
    def now_ns(self):
        return int(asyncio.get_running_loop().time() * 1e9)


class Events:
    def __init__(self):
        self.reports = []

    def __getattr__(self, _name):
        return lambda *args: self.reports.append(args)


def test_a_link_connects_through_its_proxy():
    async def main():
        proxy = Proxy()
        tunnel = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
        target = await picows.ws_create_server(lambda _request: Echo(), "127.0.0.1", 0)
        port = target.sockets[0].getsockname()[1]
        through = f"http://127.0.0.1:{tunnel.sockets[0].getsockname()[1]}"
        place = LinkPlace(5, f"ws://127.0.0.1:{port}/", LineDialect(), proxy=through)
        link = PooledLink(place, Clock(), lambda *_: None, Events())
        link.want(["a"])
        async with asyncio.timeout(60):
            while not any(one._transport for one in link.connections.values()):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        await link.close()
        await asyncio.wait_for(proxy.ended.wait(), 60)  # the tunnel ends with the socket
        tunnel.close()
        target.close()
        assert proxy.asked == [("CONNECT", f"127.0.0.1:{port}")]

    asyncio.run(main())
