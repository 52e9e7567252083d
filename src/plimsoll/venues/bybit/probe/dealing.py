"""Checks of the trade socket: what odd requests are answered, and how it goes with REST."""

import asyncio
import json
from typing import Any

from plimsoll.venues.bybit.api import frame as trade_frame
from plimsoll.venues.bybit.probe.check import Seen
from plimsoll.venues.bybit.probe.desk import Desk
from plimsoll.venues.bybit.probe.errors import Unknown
from plimsoll.venues.bybit.probe.pushing import login
from plimsoll.venues.bybit.probe.sockets import Frame


async def _trade(desk: Desk, message: dict[str, Any]) -> Frame:
    """Send an odd frame on a trade socket of its own and return what is answered.

    Raises:
        Unknown: nothing is.
    """
    async with desk.socket("trade") as socket:
        await login(desk, socket)
        since = socket.mark()
        await socket.say(json.dumps(message))
        frame = await socket.first(lambda f: True, since, desk.pace.patience_s)
        if frame is None:
            raise Unknown("nothing was answered")
        return frame


def _header(desk: Desk, shift_ms: int = 0) -> dict[str, str]:
    stamp = desk.client.rest.signed_ms() + shift_ms
    window = desk.client.rest.settings.recv_window_ms
    return {"X-BAPI-TIMESTAMP": str(stamp), "X-BAPI-RECV-WINDOW": str(window)}


def _cancel_body(desk: Desk) -> dict[str, str]:
    body = {"category": desk.category, "symbol": desk.symbol}
    return body | {"orderLinkId": desk.new_id()}


def _told(frame: Frame) -> Seen:
    code = frame.found.get("retCode")
    style = f"{code}" if code is not None else "no retCode"
    return Seen(
        f"{style}, {'with' if 'reqId' in frame.found else 'without'} reqId", frame.raw[:300]
    )


async def trade_without_id(desk: Desk) -> Seen:
    """Cancel an unknown order without a request id."""
    message = {"header": _header(desk), "op": "order.cancel", "args": [_cancel_body(desk)]}
    return Seen(_told(await _trade(desk, message)).value.partition(", ")[2])


async def trade_malformed(desk: Desk) -> Seen:
    """Send an order operation without its argument."""
    message = {"reqId": "odd-1", "header": _header(desk), "op": "order.cancel", "args": []}
    return _told(await _trade(desk, message))


async def trade_unknown_op(desk: Desk) -> Seen:
    """Send an operation nobody knows."""
    message = {"reqId": "odd-2", "header": _header(desk), "op": "order.nothing", "args": [{}]}
    return _told(await _trade(desk, message))


async def trade_old_stamp(desk: Desk) -> Seen:
    """Send a request that is older than its receive window."""
    shift = -desk.client.rest.settings.recv_window_ms - 1000
    message = {"reqId": "odd-3", "header": _header(desk, shift), "op": "order.cancel"}
    return _told(await _trade(desk, message | {"args": [_cancel_body(desk)]}))


async def trade_same_id(desk: Desk) -> Seen:
    """Use a request id twice on one connection."""
    async with desk.socket("trade") as socket:
        await login(desk, socket)
        frame = None
        for _ in range(2):
            await desk.turn("cancel")
            since = socket.mark()
            head = {"reqId": "same", "header": _header(desk), "op": "order.cancel"}
            await socket.say(json.dumps(head | {"args": [_cancel_body(desk)]}))
            frame = await socket.first(lambda f: True, since, desk.pace.patience_s)
        if frame is None:
            raise Unknown("nothing was answered")
        return Seen(str(frame.found.get("retCode")), frame.raw[:300])


async def trade_second_login(desk: Desk) -> Seen:
    """Log a trade socket in twice."""
    async with desk.socket("trade") as socket:
        await login(desk, socket)
        return Seen(str((await login(desk, socket)).found.get("retCode")))


async def trade_pong(desk: Desk) -> Seen:
    """Ping the trade socket."""
    socket = desk.trade_socket()
    since = socket.mark()
    await socket.say('{"op":"ping"}')
    frame = await socket.first(lambda f: f.found.get("op") in ("ping", "pong"), since, 5)
    if frame is None:
        raise Unknown("a ping was not answered")
    return Seen(f"op {frame.found.get('op')}, retCode {frame.found.get('retCode')}")


async def trade_header(desk: Desk) -> Seen:
    """Read the names in the header of an answer."""
    message = {"reqId": "head", "header": _header(desk), "op": "order.cancel"}
    frame = await _trade(desk, message | {"args": [_cancel_body(desk)]})
    found = frame.found.get("header")
    return Seen(" ".join(sorted(found)) if isinstance(found, dict) else "none")


async def ack_before_order(desk: Desk) -> Seen:
    """Create over the trade socket and see what comes first, the answer or the order message."""
    frame, private = await _create_on_socket(desk)
    gap_ms = (private.at_ns - frame.at_ns) / 1e6
    return Seen("answer first" if gap_ms >= 0 else "order first", f"{gap_ms:+.1f} ms")


async def shared_limit(desk: Desk) -> Seen:
    """Create by REST and on the socket within a second and compare what is left of the rate."""
    frame = await _third_in_a_second(desk)
    header = frame.found.get("header") or {}
    limit, left = header.get("X-Bapi-Limit", ""), header.get("X-Bapi-Limit-Status", "")
    if not (str(limit).isdigit() and str(left).isdigit()):
        raise Unknown("the answer has no rate in its header")
    taken = int(limit) - int(left)
    words = {1: "counted apart", 3: "shared"}
    return Seen(words.get(taken, f"{taken} taken"), f"{left} of {limit} left after two by REST")


async def _third_in_a_second(desk: Desk, tries: int = 3) -> Frame:
    """Create two by REST and one on the socket; return its answer.

    Raises:
        Unknown: it took so long each time that the first might not count any more.
    """
    desk.trade_socket()
    orders = [await desk.resting_order() for _ in range(2)]
    await asyncio.sleep(1.1)
    begun_ns = desk.common.clock.monotonic_ns()
    for order in orders:
        await desk.create(order)
    frame, _ = await _create_on_socket(desk)
    if desk.common.clock.monotonic_ns() - begun_ns < 1_000_000_000:
        return frame
    if tries == 1:
        raise Unknown("three orders were never answered within a second")
    return await _third_in_a_second(desk, tries - 1)


async def _create_on_socket(desk: Desk) -> tuple[Frame, Frame]:
    """Create a resting order over the trade socket; return its answer and its first message."""
    socket = desk.trade_socket()
    order = await desk.resting_order()
    request_id, rest = desk.new_id(), desk.client.rest
    since, private = socket.mark(), desk.private.mark()
    desk.know(order, order.client_order_id)
    await desk.turn("create")
    text = trade_frame(
        "order.create", order.body(), request_id, rest.signed_ms(), rest.settings.recv_window_ms
    )
    await socket.say(text.decode())
    wait_s = desk.pace.patience_s
    answer = await socket.first(lambda f: f.found.get("reqId") == request_id, since, wait_s)
    if answer is None:
        raise Unknown("a create on the trade socket was not answered")
    if answer.found.get("retCode") != 0:
        raise Unknown(f"a create on the trade socket was refused: {answer.raw[:200]}")

    def tells(frame: Frame) -> bool:
        is_order = frame.topic.startswith("order")
        return is_order and any(
            row.get("orderLinkId") == order.client_order_id for row in frame.rows
        )

    told = await desk.private.first(tells, private, wait_s)
    if told is None:
        raise Unknown("no order message")
    return answer, told
