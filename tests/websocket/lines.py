"""A line dialect, a venue that speaks it over real sockets, and whoever hears of links."""

import asyncio
import contextlib
import itertools
import time

import picows

from plimsoll.websocket import (
    AuthAccepted,
    AuthRefused,
    ChainId,
    MessageId,
    Pong,
    SessionSettings,
    Subscribed,
    SubscribeRefused,
    Unsubscribed,
)


class WallClock:
    def now_ns(self):
        return time.monotonic_ns() + 1


class LineDialect:
    """Control frames are ``ok``, ``no``, ``ack N``, ``bad N``, ``end N`` and ``pong``.

    Data is ``topic:number:content`` with ``!`` at its end for a snapshot; topics of capitals
    are chained.
    """

    batch, args_chars, requires_all = 2, 1000, False

    def auth(self):
        return b"login"

    def subscribe(self, topics, request_id):
        return f"sub {request_id} {','.join(topics)}".encode()

    def unsubscribe(self, topics, request_id):
        return f"unsub {request_id} {','.join(topics)}".encode()

    def ping(self, request_id):
        return b"ping"

    def topic_of(self, payload):
        name, colon, _ = payload.partition(b":")
        return name if colon else None

    def control(self, payload):
        word, _, rest = payload.decode().partition(" ")
        if word == "bad":
            request_id, topic = rest.split(" ")
            return SubscribeRefused(request_id, topic, "unknown")
        return {
            "ok": AuthAccepted(),
            "no": AuthRefused("no"),
            "ack": Subscribed(rest),
            "end": Unsubscribed(rest),
            "pong": Pong(),
        }.get(word)

    def silence_ns(self, topic):
        return 10_000_000_000 if topic.isupper() else 0

    def is_chained(self, topic):
        return topic.isupper()

    def identity(self, topic, payload):
        _, number, content = payload.decode().rstrip("!").split(":")
        if topic.isupper():
            return ChainId(int(number), int(content), payload.endswith(b"!"))
        return MessageId(int(number), int(number), content)


class Events:
    """Keeps what happened; wakes whoever waits for it."""

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

    def topic_changed(self, index, topic, phase, reason, is_void):
        self.add("topic", topic, phase.value, is_void)

    def connection_ended(self, index, number):
        self.add("ended", number)

    def frame(self, index, payload, received_ns):
        self.add("frame", index, payload.decode())

    def count(self, *event):
        return sum(1 for found in self.happened if found[: len(event)] == event)

    def frames(self, topic):
        """Return what of a topic's frames stands behind its name."""
        marks = [event[2] for event in self.happened if event[0] == "frame"]
        return [mark.partition(":")[2] for mark in marks if mark.startswith(f"{topic}:")]

    def topics(self, topic):
        return [event[2:] for event in self.happened if event[:2] == ("topic", topic)]

    async def until(self, *event, times=1):
        await self.see(lambda: self.count(*event) >= times)

    async def see(self, condition):
        async with asyncio.timeout(60):
            while not condition():
                self.changed.clear()
                with contextlib.suppress(TimeoutError):  # not every effect is an event
                    await asyncio.wait_for(self.changed.wait(), 0.005)


class Peer(picows.WSListener):
    """One connection at the venue; ``topics`` is what it carries."""

    def __init__(self, venue):
        super().__init__()
        self.venue, self.topics, self.got = venue, [], []
        self.transport = None
        self.is_mute = False
        """It reads and never answers: a path that is dead in one direction."""

    def on_ws_connected(self, transport):
        self.transport = transport
        self.venue.peers.append(self)
        self.venue.events.add("connected")
        if self.venue.life_s:
            asyncio.get_running_loop().call_later(self.venue.life_s, self.cut)

    def on_ws_disconnected(self, transport):
        self.transport = None
        self.venue.events.add("peer gone")

    def on_ws_frame(self, transport, frame):
        if frame.msg_type != picows.WSMsgType.TEXT:
            return
        text = frame.get_payload_as_bytes().decode()
        self.got.append(text)
        self.venue.events.add("got", text.split(" ")[0])
        if not self.is_mute:
            for reply in self.venue.replies(self, *text.split(" ")):
                self.send(reply)

    def send(self, text):
        if self.transport is not None:
            self.transport.send(picows.WSMsgType.TEXT, text.encode())

    def cut(self):
        if self.transport is not None:
            self.transport.disconnect(graceful=False)


class Venue:
    """Answers as the dialect expects, begins chained topics with their book's number."""

    def __init__(self, events):
        self.events, self.peers, self.refused, self.url = events, [], set(), ""
        self.book = 5
        self.admits = True
        self.life_s = 0.0
        """Connections are cut at this age; 0 = never."""

    @property
    def alive(self):
        return [peer for peer in self.peers if peer.transport is not None]

    def replies(self, peer, word, request_id="", names=""):
        topics = [name for name in names.split(",") if name]
        if word == "login":
            return ["ok" if self.admits else "no"]
        if word == "ping":
            return ["pong"]
        if word == "unsub":
            peer.topics = [name for name in peer.topics if name not in topics]
            return [f"end {request_id}"]
        if word != "sub":
            return [f"answer to {word}"]
        bad = next((name for name in topics if name in self.refused), None)
        if bad is not None:
            return [f"bad {request_id} {bad}"]
        peer.topics += topics
        books = [f"{name}:{self.book}:{self.book * 10}!" for name in topics if name.isupper()]
        return [f"ack {request_id}", *books]

    def push(self, topic, number, content=None, only=None):
        """Send a message to every peer that carries its topic, or to ``only`` one."""
        content = number * 10 if content is None else content
        for peer in self.alive if only is None else [only]:
            if topic in peer.topics:
                peer.send(f"{topic}:{number}:{content}")

    def grow(self, topic="BOOK", only=None):
        if only is None or only is self.alive[0]:
            self.book += 1
        self.push(topic, self.book, only=only)


QUICK = SessionSettings(ping_period_ns=20_000_000, late_pong_ns=2_000_000_000)


def in_order(frames):
    """Return the numbers of a chained topic's frames, having seen that they are a chain."""
    numbers = [int(frame.split(":")[0]) for frame in frames]
    assert all(b == a + 1 for a, b in itertools.pairwise(numbers)), numbers
    return numbers
