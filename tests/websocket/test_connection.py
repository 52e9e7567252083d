import asyncio
import logging
import time

import picows

from plimsoll.websocket import AuthAccepted, Link, Pong, Session, SessionSettings, Subscribed


class WallClock:
    def now_ns(self):
        return time.monotonic_ns() + 1


class LineDialect:
    """Control frames are ``ok``, ``ack N`` and ``pong``; everything else is data."""

    batch, requires_all = 10, False

    def auth(self):
        return b"login"

    def subscribe(self, topics, request_id):
        return f"sub {request_id}".encode()

    def unsubscribe(self, topics, request_id):
        return b"unsub"

    def ping(self, request_id):
        return b"ping"

    def topic_of(self, payload):
        return payload[:1] if payload.startswith(b"a:") else None

    def control(self, payload):
        word, _, rest = payload.decode().partition(" ")
        return {"ok": AuthAccepted(), "ack": Subscribed(rest), "pong": Pong()}.get(word)

    def silence_ns(self, topic):
        return 0


class Events:
    def __init__(self):
        self.happened, self.changed = [], asyncio.Event()

    def add(self, *event):
        self.happened.append(event)
        self.changed.set()

    def link_up(self, index):
        self.add("up", index)

    def link_down(self, index, reason, was_up):
        self.add("down", index, was_up)

    def link_report(self, index, code, subject, text):
        self.add(code, subject, text)

    def frame(self, index, payload, received_ns):
        self.add("frame", index, payload)

    def count(self, event):
        return sum(1 for found in self.happened if found[: len(event)] == event)

    async def until(self, *event, times=1):
        async with asyncio.timeout(10):
            while self.count(event) < times:
                self.changed.clear()
                await self.changed.wait()


class Venue(picows.WSListener):
    """Answers like the dialect expects; ``answers_pings`` False plays a half-open path."""

    def __init__(self, connections, events, answers_pings):
        super().__init__()
        self.connections, self.events, self.answers_pings = connections, events, answers_pings

    def on_ws_connected(self, transport):
        self.connections.append(transport)

    def on_ws_frame(self, transport, frame):
        if frame.msg_type != picows.WSMsgType.TEXT:
            return
        word, _, rest = frame.get_payload_as_bytes().decode().partition(" ")
        if word == "ping":
            self.events.add("pinged")
        replies = {"login": ["ok"], "sub": [f"ack {rest}", "a:1"]}
        if self.answers_pings:
            replies["ping"] = ["pong"]
        for reply in replies.get(word, []):
            transport.send(picows.WSMsgType.TEXT, reply.encode())


def run(scenario, settings=None, answers_pings=True, handler=None):
    async def main():
        connections: list[picows.WSTransport] = []
        events = Events()
        server = await picows.ws_create_server(
            lambda request: Venue(connections, events, answers_pings), "127.0.0.1", 0
        )
        port = server.sockets[0].getsockname()[1]
        session = Session(LineDialect(), ("a",), settings)
        take = handler or events.frame
        link = Link(5, f"ws://127.0.0.1:{port}/", session, WallClock(), take, events)
        try:
            await scenario(link, events, connections, server)
        finally:
            await link.close()
            server.close()
            for transport in connections:
                transport.disconnect(graceful=False)
            await server.wait_closed()

    asyncio.run(main())


def test_frames_reach_the_handler_and_are_counted():
    async def scenario(link, events, connections, server):
        link.start()
        await events.until("frame", 5, b"a:1")
        connections[0].send(picows.WSMsgType.TEXT, b"other")
        await events.until("frame", 5, b"other")
        assert link.is_up
        assert link.session.topics["a"].messages == 1
        assert link.metrics()["messages"] == 4
        assert link.metrics()["last_message_ns"] > 0

    run(scenario)


def test_a_lost_connection_comes_back_subscribed():
    async def scenario(link, events, connections, server):
        link.start()
        await events.until("up", 5)
        connections[0].disconnect(graceful=False)
        await events.until("down", 5, True)
        await events.until("up", 5, times=2)
        assert link.metrics()["connects"] == 2

    run(scenario)


def test_a_silent_path_is_noticed_by_its_missing_pong():
    async def scenario(link, events, connections, server):
        link.start()
        await events.until("down", 5, True)

    settings = SessionSettings(ping_period_ns=20_000_000, pong_deadline_ns=20_000_000)
    run(scenario, settings, answers_pings=False)


def test_pings_measure_the_round_trip():
    async def scenario(link, events, connections, server):
        link.start()
        await events.until("up", 5)
        for _ in range(2):  # the second ping goes out only after the first pong
            await events.until("pinged")
            events.happened.clear()
        assert link.is_up
        assert link.metrics()["ping_ns"] > 0

    run(scenario, SessionSettings(ping_period_ns=20_000_000))


def test_fragments_are_joined():
    async def scenario(link, events, connections, server):
        link.start()
        await events.until("up", 5)
        connections[0].send(picows.WSMsgType.TEXT, b"a:be", fin=False)
        connections[0].send(picows.WSMsgType.CONTINUATION, b"gin", fin=False)
        connections[0].send(picows.WSMsgType.CONTINUATION, b"-end")
        await events.until("frame", 5, b"a:begin-end")

    run(scenario)


def test_an_oversized_message_drops_the_connection():
    async def scenario(link, events, connections, server):
        link.start()
        await events.until("up", 5)
        for _ in range(5):
            connections[0].send(picows.WSMsgType.TEXT, bytes(1_000_000), fin=False)
        await events.until("down", 5, True)

    logging.getLogger("picows").addHandler(logging.NullHandler())
    run(scenario)


def test_nothing_is_written_unless_the_link_is_up():
    async def scenario(link, events, connections, server):
        assert not link.send(b"early")
        link.start()
        assert not link.send(b"early")
        await events.until("up", 5)
        assert link.send(b"now")

    run(scenario)


def test_a_refused_connection_is_told_and_tried_again():
    async def scenario(link, events, connections, server):
        server.close()
        await server.wait_closed()
        link.start()
        await events.until("down", 5, False, times=2)
        assert not link.is_up

    run(scenario)


def test_a_failing_handler_is_surfaced_and_costs_no_connection():
    failures = []

    def fail(index, payload, received_ns):
        raise RuntimeError("broken engine")

    async def scenario(link, events, connections, server):
        loop = asyncio.get_running_loop()
        noticed = asyncio.Event()

        def note(_, found):
            failures.append(found)
            noticed.set()

        loop.set_exception_handler(note)
        link.start()
        await asyncio.wait_for(noticed.wait(), 10)
        assert link.is_up

    run(scenario, handler=fail)
    assert isinstance(failures[0]["exception"], RuntimeError)


def test_a_restart_told_by_the_owner_drops_and_returns():
    async def scenario(link, events, connections, server):
        link.start()
        await events.until("up", 5)
        link.restart("unreadable")
        assert not link.send(b"x")
        await events.until("up", 5, times=2)

    run(scenario)
