"""Checks of the private stream: order of messages, topics, control frames."""

from plimsoll.venues.bybit.probe.check import Seen
from plimsoll.venues.bybit.probe.desk import Desk
from plimsoll.venues.bybit.probe.errors import Unknown
from plimsoll.venues.bybit.probe.sockets import Frame, Socket


async def login(desk: Desk, socket: Socket) -> Frame:
    """Log a socket in.

    Raises:
        Unknown: no answer.
    """
    since = socket.mark()
    text = desk.common.dialect.auth().decode()
    await socket.say(text, '{"op":"auth","args":["***"]}')
    frame = await socket.first(lambda f: f.found.get("op") == "auth", since, desk.pace.patience_s)
    if frame is None:
        raise Unknown("a login was not answered")
    return frame


async def execution_before_order(desk: Desk) -> Seen:
    """Match and see which comes first, the execution or the order that it fills."""
    _, end = await desk.buy_least()
    link = str(end.get("orderLinkId"))
    frames = desk.private.frames[desk.since :]

    def place(topic: str, **wanted: str) -> int:
        for at, frame in enumerate(frames):
            if frame.topic.partition(".")[0] != topic:
                continue
            for row in frame.rows:
                if row.get("orderLinkId") == link and wanted.items() <= row.items():
                    return at
        raise Unknown(f"no {topic} message")

    order, execution = place("order", orderStatus="Filled"), place("execution")
    return Seen("execution first" if execution < order else "order first")


async def position_without_change(desk: Desk) -> Seen:
    """Place and cancel an order without a fill and see whether the position is pushed."""
    return await _pushed_meanwhile(desk, "position")


async def wallet_without_change(desk: Desk) -> Seen:
    """Place and cancel an order without a fill and see whether the wallet is pushed."""
    return await _pushed_meanwhile(desk, "wallet")


async def _pushed_meanwhile(desk: Desk, topic: str) -> Seen:
    await desk.quiet()  # what belongs to the check before is over
    since = desk.private.mark()
    order, _ = await desk.rest_one()
    await desk.cancel(order)
    await desk.told(order.client_order_id, "Cancelled")
    await desk.quiet()
    count = len(desk.private.of(topic, since))
    return Seen("pushed" if count else "not pushed", f"{count} messages")


async def wallet_snapshot(desk: Desk) -> Seen:
    """Subscribe to the wallet and see whether it is told at once."""
    async with desk.socket("private") as socket:
        await login(desk, socket)
        await _subscribe(desk, socket, ["wallet"])
        await desk.quiet()
        return Seen("none" if not socket.of("wallet") else "a snapshot")


async def categorised_topic(desk: Desk) -> Seen:
    """Subscribe to orders of one category and read the topic of what comes."""
    topic = f"order.{desk.category}"
    async with desk.socket("private") as socket:
        await login(desk, socket)
        await _subscribe(desk, socket, [topic])
        await desk.rest_one()
        frame = await socket.first(lambda f: f.topic.startswith("order"), 0, desk.pace.patience_s)
        if frame is None:
            raise Unknown("no order message on the categorised topic")
        return Seen("as subscribed" if frame.topic == topic else "plain", frame.topic)


async def mixed_topics(desk: Desk) -> Seen:
    """Subscribe to a topic and to its categorised form in one request."""
    async with desk.socket("private") as socket:
        await login(desk, socket)
        frame = await _subscribe(desk, socket, ["order", f"order.{desk.category}"])
        return Seen("taken" if frame.found.get("success") else "refused", _text(frame))


async def _subscribe(desk: Desk, socket: Socket, topics: list[str]) -> Frame:
    frame = await socket.ask("subscribe", args=topics, patience_s=desk.pace.patience_s)
    if frame is None:
        raise Unknown(f"a subscription of {topics} was not answered")
    return frame


async def before_login(desk: Desk) -> Seen:
    """Subscribe without a login."""
    async with desk.socket("private") as socket:
        return Seen(_text(await _subscribe(desk, socket, ["order"])))


async def private_ack(desk: Desk) -> Seen:
    """Read the fields of the answer to a private subscription."""
    async with desk.socket("private") as socket:
        await login(desk, socket)
        return Seen(" ".join(sorted((await _subscribe(desk, socket, ["order"])).found)))


async def private_pong(desk: Desk) -> Seen:
    """Ping the private socket."""
    frame = await desk.private.ask("ping", patience_s=desk.pace.patience_s)
    return _pong(frame)


async def public_pong(desk: Desk) -> Seen:
    """Ping the public socket."""
    return _pong(await desk.public.ask("ping", patience_s=desk.pace.patience_s))


def _pong(frame: Frame | None) -> Seen:
    if frame is None:
        raise Unknown("a ping was not answered")
    found = frame.found
    echo = "echoed" if "req_id" in found else "missing"
    return Seen(f"op {found.get('op')}, req_id {echo}", frame.raw)


async def bad_topic(desk: Desk) -> Seen:
    """Subscribe to a depth nobody has and read the refusal."""
    topic = f"orderbook.30.{desk.symbol}"
    async with desk.socket("public") as socket:
        frame = await _subscribe(desk, socket, [topic])
        return Seen(_text(frame).replace(topic, "TOPIC"))


async def one_bad_topic(desk: Desk) -> Seen:
    """Subscribe to a good and a bad topic in one request and see whether the good one comes."""
    good = f"orderbook.50.{desk.symbol}"
    async with desk.socket("public") as socket:
        frame = await _subscribe(desk, socket, [good, f"orderbook.30.{desk.symbol}"])
        await desk.quiet()
        answer = "taken" if frame.found.get("success") else "refused"
        comes = "comes" if socket.of("orderbook") else "is silent"
        return Seen(f"{answer}, the good one {comes}", _text(frame))


async def twice_subscribed(desk: Desk) -> Seen:
    """Subscribe to a topic twice."""
    topic = f"publicTrade.{desk.symbol}"
    async with desk.socket("public") as socket:
        await _subscribe(desk, socket, [topic])
        frame = await _subscribe(desk, socket, [topic])
        return Seen(_text(frame).replace(topic, "TOPIC"))


async def no_json(desk: Desk) -> Seen:
    """Send no JSON and see whether the socket lives on."""
    async with desk.socket("public") as socket:
        since = socket.mark()
        await socket.say("hello")
        frame = await socket.first(lambda f: not f.topic, since, desk.pace.patience_s)
        await desk.quiet()
        text = _text(frame).partition(":")[0] if frame is not None else "no answer"
        return Seen(f"{text}; {'open' if socket.is_open else 'closed'}")


def _text(frame: Frame) -> str:
    return str(frame.found.get("ret_msg") or frame.found.get("retMsg") or "")


async def idle_public(desk: Desk) -> Seen:
    """Open a public socket, say nothing, and wait for its end."""
    async with desk.socket("public", ping_s=0) as socket:
        return await _idle(socket, desk.pace.idle_public_s)


async def idle_private(desk: Desk) -> Seen:
    """Log a private socket in, say nothing more, and wait for its end."""
    async with desk.socket("private", ping_s=0) as socket:
        await login(desk, socket)
        return await _idle(socket, desk.pace.idle_private_s)


async def idle_trade(desk: Desk) -> Seen:
    """Log a trade socket in, say nothing more, and wait for its end."""
    async with desk.socket("trade", ping_s=0) as socket:
        await login(desk, socket)
        return await _idle(socket, desk.pace.idle_private_s)


async def _idle(socket: Socket, wait_s: float) -> Seen:
    if not await socket.ended(wait_s):
        return Seen(f"open after {wait_s:g} s")
    lived_s = (socket.closed_ns - socket.opened_ns) / 1e9
    return Seen(f"ended within {wait_s:g} s", f"after {lived_s:.1f} s")
