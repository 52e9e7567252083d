"""The three kinds of socket: authentication, subscriptions, heartbeats, and who gets what."""

from typing import Any, Final

import msgspec

from plimsoll.simulator.brain.accounts import Account
from plimsoll.simulator.brain.auth import account_of_socket
from plimsoll.simulator.brain.errors import VenueRefusal
from plimsoll.simulator.brain.floor import Floor, PrivatePush
from plimsoll.simulator.brain.messages import Send
from plimsoll.simulator.brain.numbers import drawn_uuid
from plimsoll.simulator.brain.publisher import Publisher

PATHS: Final = {
    "/v5/public/linear": "linear",
    "/v5/public/spot": "spot",
    "/v5/private": "private",
    "/v5/trade": "trade",
}
_PRIVATE: Final = frozenset(
    {
        "wallet",
        "dcp.future",
        "dcp.spot",
        *("order", "order.linear", "order.spot"),
        *("execution", "execution.linear", "execution.spot"),
        *("execution.fast", "execution.fast.linear", "execution.fast.spot"),
        *("position", "position.linear"),
    }
)
_SPOT_ARGS: Final = 10


class Connection(msgspec.Struct):
    """One open socket; ``kind`` is linear, spot, private or trade."""

    number: int
    kind: str
    conn_id: str
    account: Account | None = None
    topics: dict[str, None] = {}
    req_ids: dict[str, None] = {}


class Streams:
    """All open sockets and the frames for them."""

    def __init__(self, floor: Floor) -> None:
        """Serve a floor; nothing is connected yet."""
        self._floor = floor
        self.connections: dict[int, Connection] = {}
        self.is_paced = floor.settings.push_periods == "venue"
        self.publishers = {
            name: Publisher(market, is_paced=self.is_paced)
            for name, market in floor.markets.items()
        }
        self._heard: dict[str, Publisher] = {}
        self._readers: dict[tuple[str, str], dict[int, None]] = {}
        self._pushed = 0

    def open(self, number: int, path: str) -> Connection:
        """Register a socket."""
        conn_id = drawn_uuid(self._floor.settings.seed, "connection", number)
        found = self.connections[number] = Connection(number, PATHS[path], conn_id)
        return found

    def close(self, number: int) -> Connection | None:
        """Forget a socket and its subscriptions."""
        found = self.connections.pop(number, None)
        if found is not None:
            for topic in list(found.topics):
                self._leave(found, topic)
        return found

    def handle(self, connection: Connection, message: dict[str, Any], now_ns: int) -> list[Send]:
        """Answer an operation other than order entry."""
        now_ms = now_ns // 1_000_000
        op = message.get("op")
        if op == "ping":
            return [_to(connection, _pong(connection, message, now_ms))]
        if op == "auth" and connection.kind in ("private", "trade"):
            return [self._auth(connection, message, now_ns)]
        if op in ("subscribe", "unsubscribe") and connection.kind != "trade":
            return self._subscribe(connection, message, now_ns, leave=op == "unsubscribe")
        return [_to(connection, _failure(connection, message, "error:invalid op"))]

    def public_frames(self, now_ms: int) -> list[Send]:
        """Return the public frames due now, each for all its subscribers."""
        return [send for name in self._heard for send in self.frames_of(name, now_ms)]

    def is_heard(self, name: str) -> bool:
        """Return whether anybody subscribes to a topic of this instrument."""
        return name in self._heard

    def frames_of(self, name: str, now_ms: int) -> list[Send]:
        """Return the frames of one instrument that are due now."""
        publisher = self._heard.get(name)
        if publisher is None:
            return []
        category = publisher.market.listing.instrument.category
        return [
            Send(tuple(readers), frame, is_push=True)
            for topic, frame in publisher.due(now_ms)
            if (readers := self._readers.get((category, topic)))
        ]

    def private_frames(self, push: PrivatePush, now_ns: int) -> list[Send]:
        """Return the frames that carry one account's items, one per subscribed topic text.

        The topic text in a frame is the one that was subscribed: ``order`` or ``order.linear``.
        """
        sends = []
        names = [push.topic] + ([f"{push.topic}.{push.category}"] if push.category else [])
        for name in names:
            readers = tuple(
                connection.number
                for connection in self.connections.values()
                if connection.kind == "private"
                and name in connection.topics
                and connection.account is not None
                and connection.account.uid == push.uid
            )
            if readers:
                sends.append(self._private_frame(push, name, readers, now_ns))
        return sends

    def _private_frame(
        self, push: PrivatePush, name: str, readers: tuple[int, ...], now_ns: int
    ) -> Send:
        self._pushed += 1
        head = {"id": f"m-{self._pushed}", "topic": name, "creationTime": now_ns // 1_000_000}
        self._floor.record(
            now_ns,
            "push",
            push.uid,
            {"id": head["id"], "topic": name, "items": len(push.items), "connections": readers},
        )
        return Send(readers, msgspec.json.encode(head | {"data": push.items}), is_push=True)

    def _auth(self, connection: Connection, message: dict[str, Any], now_ns: int) -> Send:
        is_trade = connection.kind == "trade"
        refusal: VenueRefusal | None = None
        try:
            if connection.account is not None and is_trade:
                raise VenueRefusal(20001)
            connection.account = account_of_socket(
                self._floor.accounts, message.get("args"), now_ns // 1_000_000
            )
        except VenueRefusal as error:
            refusal = error
        uid = connection.account.uid if connection.account else 0
        code = refusal.code if refusal else 0
        self._floor.record(
            now_ns, "connection", uid, {"event": "auth", "conn": connection.number, "retCode": code}
        )
        if is_trade:
            text = refusal.message if refusal else "OK"
            answer: dict[str, Any] = {"retCode": code, "retMsg": text, "op": "auth"}
            answer |= {"connId": connection.conn_id} | _echo(message, "reqId")
        else:
            text = refusal.message if refusal else ""
            answer = {"success": refusal is None, "ret_msg": text, "op": "auth"}
            answer |= {"conn_id": connection.conn_id} | _echo(message, "req_id")
        return _to(connection, answer)

    def _subscribe(
        self, connection: Connection, message: dict[str, Any], now_ns: int, *, leave: bool
    ) -> list[Send]:
        args = message.get("args")
        topics = [arg for arg in args if isinstance(arg, str)] if isinstance(args, list) else []
        error = self._subscribe_error(connection, topics, leave=leave)
        if error:
            return [_to(connection, _failure(connection, message, error))]
        text = "subscribe" if connection.kind == "spot" else ""
        answer = {"success": True, "ret_msg": text, "conn_id": connection.conn_id}
        answer |= _echo(message, "req_id") | {"op": message["op"]}
        sends = [_to(connection, answer)]
        for topic in topics:
            if leave:
                self._leave(connection, topic)
            else:
                sends += self._join(connection, topic, now_ns // 1_000_000)
        uid = connection.account.uid if connection.account else 0
        fields = {"event": message["op"], "conn": connection.number, "topics": topics}
        self._floor.record(now_ns, "connection", uid, fields)
        return sends

    def _subscribe_error(self, connection: Connection, topics: list[str], *, leave: bool) -> str:
        """Return why the whole request is refused, "" if it is not."""
        if connection.kind == "private" and connection.account is None:
            return "Request not authorized"
        if not topics:
            return "error:args is empty"
        if connection.kind == "spot" and len(topics) > _SPOT_ARGS:
            return "args size >10"
        for topic in topics:
            if not self._exists(connection, topic):
                return f"error:handler not found,topic:{topic}"
            if topic in connection.topics and not leave:
                return f"error:already subscribed,topic:{topic}"
        return ""

    def _exists(self, connection: Connection, topic: str) -> bool:
        if connection.kind == "private":
            return topic in _PRIVATE
        publisher = self._publisher(connection.kind, topic)
        return publisher is not None and publisher.view(topic)

    def _publisher(self, category: str, topic: str) -> Publisher | None:
        return self.publishers.get(f"{category}:{topic.rpartition('.')[2]}")

    def _join(self, connection: Connection, topic: str, now_ms: int) -> list[Send]:
        connection.topics[topic] = None
        publisher = self._publisher(connection.kind, topic)
        if publisher is None:
            return []
        self._readers.setdefault((connection.kind, topic), {})[connection.number] = None
        self._heard[publisher.market.listing.name] = publisher
        frame = publisher.snapshot(topic, now_ms)
        return [Send((connection.number,), frame, is_push=True)] if frame else []

    def _leave(self, connection: Connection, topic: str) -> None:
        if topic not in connection.topics:
            return
        del connection.topics[topic]
        readers = self._readers.get((connection.kind, topic))
        if readers is None:
            return
        readers.pop(connection.number, None)
        publisher = self._publisher(connection.kind, topic)
        if not readers and publisher is not None:
            del self._readers[connection.kind, topic]
            publisher.drop(topic)
            if not publisher.is_heard:
                self._heard.pop(publisher.market.listing.name, None)


def _pong(connection: Connection, message: dict[str, Any], now_ms: int) -> dict[str, Any]:
    if connection.kind == "trade":
        return {
            **_echo(message, "reqId"),
            "retCode": 0,
            "retMsg": "OK",
            "op": "pong",
            "data": [str(now_ms)],
            "connId": connection.conn_id,
        }
    if connection.kind == "private":
        answer = {"op": "pong", "args": [str(now_ms)], "conn_id": connection.conn_id}
        return _echo(message, "req_id") | answer
    return {
        "success": True,
        "ret_msg": "pong",
        "conn_id": connection.conn_id,
        **_echo(message, "req_id"),
        "op": "ping",
    }


def _failure(connection: Connection, message: dict[str, Any], text: str) -> dict[str, Any]:
    if connection.kind == "trade":
        head = _echo(message, "reqId") | {"retCode": 10404, "retMsg": text}
        return head | {"op": str(message.get("op", "")), "connId": connection.conn_id}
    answer = {"success": False, "ret_msg": text, "conn_id": connection.conn_id}
    return answer | _echo(message, "req_id") | {"op": str(message.get("op", ""))}


def _echo(message: dict[str, Any], name: str) -> dict[str, str]:
    """Return the request's id as text: the venue answers a number with a string."""
    return {name: str(message[name])} if name in message else {}


def _to(connection: Connection, answer: dict[str, Any]) -> Send:
    return Send((connection.number,), msgspec.json.encode(answer), is_push=False)
