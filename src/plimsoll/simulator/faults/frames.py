"""Faults behind the exchange: what becomes of its pushes, for each connection apart."""

from functools import partial
from typing import Any, Final

import msgspec

from plimsoll.simulator.brain.connection import Connection
from plimsoll.simulator.brain.messages import Output, Send
from plimsoll.simulator.faults.ground import Ground
from plimsoll.simulator.faults.payload import VARIANTS, bad_book, changed
from plimsoll.simulator.faults.plan import Active, Where

_MS: Final = 1_000_000
_HEAL_NS: Final = 200 * _MS
_BAD_BOOKS: Final = ("crossed_book", "empty_book", "zero_book", "negative_book")


class Frames:
    """Drops, doubles, delays and changes pushes; answers pass."""

    def __init__(self, ground: Ground) -> None:
        """Work on the pushes of an exchange."""
        self._ground = ground
        self._plan = ground.plan
        self._swapped: dict[int, Send] = {}
        self._frozen: dict[str, int] = {}

    def passed(self, sends: list[Send], now_ns: int) -> list[Send]:
        """Return what leaves now of these frames; the rest is held back, or never leaves."""
        if not self._plan.active and not self._swapped:
            return sends
        out: list[Send] = []
        for send in sends:
            if not send.is_push:
                out.append(send)
                continue
            for number in send.connections:
                connection = self._ground.exchange.streams.connections.get(number)
                if connection is not None:
                    one = Send((number,), send.frame, is_push=True, topic=send.topic)
                    out += self._one(connection, one, now_ns)
        return out

    def merge(self, output: Output, now_ns: int) -> None:
        """Let out what the exchange caused, its frames as faults leave them."""
        sends, output.sends = output.sends, []
        self._ground.answer(output)
        self._ground.send(*self.passed(sends, now_ns))

    def snapshot(self, connection: Connection, topic: str, now_ns: int) -> Send | None:
        """Return the true book of a topic for one connection, if it still subscribes to it."""
        name = f"{connection.kind}:{topic.rpartition('.')[2]}"
        publisher = self._ground.exchange.streams.publishers.get(name)
        if publisher is None or topic not in connection.topics:
            return None
        frame = publisher.snapshot(topic, now_ns // _MS)
        return Send((connection.number,), frame, is_push=True, topic=topic) if frame else None

    def _one(self, connection: Connection, send: Send, now_ns: int) -> list[Send]:
        is_private = connection.kind == "private"
        where = Where(
            uid=connection.account.uid if connection.account else 0,
            kind=connection.kind,
            connection=connection.number,
            topic=send.topic,
            symbol="" if is_private else send.topic.rpartition(".")[2],
        )
        silent = self._plan.holding("silent_topic", where)
        if silent is not None:
            fields = {"conn": connection.number, "topic": send.topic}
            self._ground.note_once(silent, now_ns, **fields)
            return []
        for name, change in VARIANTS.items():
            fault = self._plan.hit(name, where) if self._plan.is_active(name) else None
            if fault is not None:
                self._note(fault, send, now_ns)
                send = _with(send, changed(send.frame, change))
        if is_private:
            return self._private(where, send, now_ns)
        if send.topic.startswith("orderbook."):
            return self._book(connection, where, send, now_ns)
        return [send]

    def _private(self, where: Where, send: Send, now_ns: int) -> list[Send]:
        plan = self._plan
        if fault := plan.hit("drop_push", where):
            self._note(fault, send, now_ns)
            return []
        if fault := plan.hit("delay_push", where):
            self._hold(fault, send, now_ns)
            return []
        first = plan.holding("execution_first", Where(where.uid, where.kind, where.connection))
        if first is not None and send.topic.partition(".")[0] == "order":
            self._hold(first, send, now_ns)
            return []
        sends = [send]
        if fault := plan.hit("duplicate_push", where):
            self._note(fault, send, now_ns)
            sends.append(send)
        before = self._swapped.pop(where.connection, None)
        if before is not None:
            return [*sends, before]
        if fault := plan.hit("reorder_push", where):
            self._note(fault, send, now_ns)
            self._swapped[where.connection] = send
            due_ns = now_ns + int(fault.ask.size * _MS)
            self._ground.later(due_ns, lambda _: self._release(where.connection, send))
            return sends[1:]
        return sends

    def _book(self, connection: Connection, where: Where, send: Send, now_ns: int) -> list[Send]:
        plan = self._plan
        if b'"type":"delta"' in send.frame and (fault := plan.hit("drop_delta", where)):
            self._note(fault, send, now_ns)
            return []
        for name in _BAD_BOOKS:
            fault = plan.hit(name, where) if plan.is_active(name) else None
            true = self.snapshot(connection, send.topic, now_ns) if fault else None
            if fault is None or true is None:
                continue
            self._note(fault, send, now_ns)
            self._ground.later(now_ns + _HEAL_NS, lambda at: self._heal(connection, send, at))
            return [_with(send, changed(true.frame, partial(bad_book, name)))]
        frozen = plan.holding("frozen_cts", where)
        if frozen is not None:
            cts = self._frozen.setdefault(f"{frozen.id}:{send.topic}", now_ns // _MS)
            fields = {"conn": connection.number, "topic": send.topic}
            self._ground.note_once(frozen, now_ns, **fields)
            send = _with(send, changed(send.frame, lambda book: book | {"cts": cts}))
        return [send]

    def _hold(self, fault: Active, send: Send, now_ns: int) -> None:
        self._note(fault, send, now_ns)
        self._ground.later(now_ns + int(fault.ask.size * _MS), lambda _: self._ground.send(send))

    def _release(self, number: int, send: Send) -> None:
        if self._swapped.get(number) is send:
            del self._swapped[number]
            self._ground.send(send)

    def _heal(self, connection: Connection, send: Send, now_ns: int) -> None:
        true = self.snapshot(connection, send.topic, now_ns)
        if true is not None:
            self._ground.send(true)

    def _note(self, fault: Active, send: Send, now_ns: int) -> None:
        fields: dict[str, Any] = {"conn": send.connections[0], "topic": send.topic}
        fields |= _ids(send)
        self._ground.note(fault, now_ns, **fields)


class _Identified(msgspec.Struct):
    id: str = ""


def _ids(send: Send) -> dict[str, str]:
    """Return the message id of a private frame, {} for a public one."""
    if not send.frame.startswith(b'{"id":"'):
        return {}
    return {"message": msgspec.json.decode(send.frame, type=_Identified).id}


def _with(send: Send, frame: bytes) -> Send:
    return Send(send.connections, frame, is_push=True, topic=send.topic)
