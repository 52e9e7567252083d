"""A venue on loopback that only measures: paced book frames out, orders in, one clock for both.

Prints its ports as JSON, waits for a subscription, plays the feed, prints the latencies, ends. The
time a frame is written is taken before the write, the time an order arrives before it is read. An
order is accepted and, being IOC at the best bid, cancelled at once: no order rests.

    python -m benchmarks.tick_to_order.venue --orders 100
"""

import argparse
import asyncio
import contextlib
import gc
import json
import time
from collections.abc import AsyncIterator

import picows
import uvloop
from aiohttp import web
from benchmarks.frames import FIRST_BID, rising, stamped
from benchmarks.tick_to_order.answers import TICKER, answer_to, order_cancelled

EVERY = 20
"""The best bid rises with each frame of this number."""

RATE = 500
"""Frames a second."""

LEAD_S = 1.5
"""From the subscription to the first delta: clients connect, reconcile and settle."""

GRACE_S = 0.5
"""After the last frame, for the last orders."""

PATIENCE_S = 30.0
"""Longest wait for a subscription."""

_monotonic = time.monotonic_ns


class Venue:
    """The feed, and when what was sent and came in. Index: ticks the best bid has risen."""

    def __init__(self, orders: int) -> None:
        self.snapshot, self.deltas = rising(orders * EVERY, EVERY)
        self.sent = [0] * (orders + 1)
        self.arrived = [0] * (orders + 1)
        self.private: picows.WSTransport | None = None
        self.subscribed = asyncio.Event()
        self.public: picows.WSTransport | None = None
        self.told: picows.WSTransport | None = None
        """Who hears the ticker: one that stays silent while its book moves is not trusted."""

    async def play(self) -> None:
        """Send the deltas, each with its own write, at ``RATE``."""
        assert self.public is not None
        begin, index, count = time.monotonic(), 0, len(self.deltas)
        while index < count:
            due = min(count, int((time.monotonic() - begin) * RATE) + 1)
            while index < due:
                frame = stamped(self.deltas[index], _now_ms())
                index += 1
                if index % RATE == RATE // 2 and self.told is not None:
                    self.told.send(picows.WSMsgType.TEXT, stamped(TICKER, _now_ms()))
                if index % EVERY == 0:
                    self.sent[index // EVERY] = _monotonic()
                self.public.send(picows.WSMsgType.TEXT, frame)
            await asyncio.sleep(max(0.0002, begin + index / RATE - time.monotonic()))

    def take_order(self, args: dict[str, str], at_ns: int) -> None:
        """Note an order by its price and tell the private stream how it ended."""
        risen = round(float(args["price"]) * 10) - FIRST_BID
        if 0 < risen < len(self.arrived) and not self.arrived[risen]:
            self.arrived[risen] = at_ns
        if self.private is not None:
            self.private.send(picows.WSMsgType.TEXT, order_cancelled(args, _now_ms()))

    def latencies_us(self) -> list[float]:
        """Return microseconds from a frame's write to the arrival of its order."""
        pairs = zip(self.sent, self.arrived, strict=True)
        return [(arrived - sent) / 1000 for sent, arrived in pairs if sent and arrived]


class Connection(picows.WSListener):
    """One client connection; which of the three sockets it is, its path says."""

    def __init__(self, venue: Venue, path: str) -> None:
        super().__init__()
        self.venue, self.path = venue, path

    def on_ws_frame(self, transport: picows.WSTransport, frame: picows.WSFrame) -> None:
        """Answer a request."""
        at_ns = _monotonic()
        if frame.msg_type == picows.WSMsgType.CLOSE:
            transport.disconnect()
        elif frame.msg_type == picows.WSMsgType.TEXT:
            self._answer(transport, json.loads(frame.get_payload_as_bytes()), at_ns)

    def _answer(self, transport, request, at_ns):
        op = request.get("op")
        if op == "order.create":
            order = request["args"][0]
            self._reply(
                transport,
                {
                    "reqId": request.get("reqId", ""),
                    "retCode": 0,
                    "retMsg": "OK",
                    "op": op,
                    "data": {"orderId": f"v-{order['orderLinkId']}"},
                },
            )
            self.venue.take_order(order, at_ns)
            return
        req_id = request.get("req_id", "")
        done = {"success": True, "retCode": 0, "ret_msg": "", "op": op, "req_id": req_id}
        if op == "ping":
            done["op"], done["ret_msg"] = "pong", "pong"
        self._reply(transport, done)
        if op == "subscribe":
            self._subscribed(transport, request["args"])

    def _subscribed(self, transport, topics):
        venue = self.venue
        if self.path.endswith("/private"):
            venue.private = transport
        for topic in topics:
            if topic.startswith("tickers."):
                transport.send(picows.WSMsgType.TEXT, stamped(TICKER, _now_ms()))
                venue.told = transport
            elif topic.startswith("orderbook."):
                transport.send(picows.WSMsgType.TEXT, stamped(venue.snapshot, _now_ms()))
                venue.public = transport
                venue.subscribed.set()

    def _reply(self, transport, message):
        transport.send(picows.WSMsgType.TEXT, json.dumps(message).encode())


async def _rest(request: web.Request) -> web.Response:
    result = answer_to(request.path, request.query)
    body = {"retCode": 0, "retMsg": "OK", "result": result, "time": _now_ms()}
    return web.json_response(body)


@contextlib.asynccontextmanager
async def listen(venue: Venue) -> AsyncIterator[dict[str, int]]:
    """Serve a venue's sockets and REST for the length of a block; gives their ports."""
    sockets = await picows.ws_create_server(
        lambda request: Connection(venue, request.path.decode()), "127.0.0.1", 0
    )
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", _rest)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield {"ws": sockets.sockets[0].getsockname()[1], "rest": runner.addresses[0][1]}
    finally:
        sockets.close()
        await runner.cleanup()


async def serve(orders: int) -> None:
    """Play one feed to the first client that subscribes."""
    venue = Venue(orders)
    async with listen(venue) as ports:
        print(json.dumps(ports), flush=True)
        await asyncio.wait_for(venue.subscribed.wait(), PATIENCE_S)
        await asyncio.sleep(LEAD_S)
        await venue.play()
        await asyncio.sleep(GRACE_S)
        print(json.dumps(venue.latencies_us()), flush=True)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="the measuring venue")
    parser.add_argument("--orders", type=int, default=100)
    chosen = parser.parse_args()
    gc.disable()
    uvloop.run(serve(chosen.orders))
