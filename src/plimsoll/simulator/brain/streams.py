"""The three kinds of socket: authentication, subscriptions, heartbeats, and who gets what."""

from typing import Any, Final

import msgspec

from plimsoll.simulator.brain.accounts import Account
from plimsoll.simulator.brain.auth import account_of_socket
from plimsoll.simulator.brain.connection import (
    Connection,
    active_ns,
    auth_answer,
    echo,
    failure,
    pong,
    reply,
)
from plimsoll.simulator.brain.errors import VenueRefusal
from plimsoll.simulator.brain.floor import Floor, PrivatePush
from plimsoll.simulator.brain.messages import Send, SocketOpened
from plimsoll.simulator.brain.numbers import drawn_uuid
from plimsoll.simulator.brain.publisher import Publisher

PATHS: Final = {
    "/v5/public/linear": "linear",
    "/v5/public/spot": "spot",
    "/v5/private": "private",
    "/v5/trade": "trade",
    "/v5/public/misc/status": "status",
}
_PRIVATE: Final = frozenset(
    {
        "wallet",
        "dcp.future",
        "dcp.spot",
        "dcp.option",
        *("order", "order.linear", "order.spot"),
        *("execution", "execution.linear", "execution.spot"),
        *("execution.fast", "execution.fast.linear", "execution.fast.spot"),
        *("position", "position.linear"),
    }
)
_SPOT_ARGS: Final = 10
_ARGS_CHARACTERS: Final = 21_000
"""Of all topics of one public connection (Bybit v5 docs, websocket/connect)."""
_SECOND_NS: Final = 1_000_000_000
_PUBLIC_IDLE_NS: Final = 61 * _SECOND_NS
"""A public socket without subscription and ping was measured to live this long."""
MARKET_CONNECTIONS: Final = 1000
"""Of one address, counted for each category apart."""
STATUS_TOPIC: Final = "system.status"


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
        self._checked_ns = 0
        self._checked_public_ns = 0

    def open(self, request: SocketOpened, now_ns: int) -> Connection:
        """Register a socket."""
        number = request.connection
        conn_id = drawn_uuid(self._floor.settings.seed, "connection", number)
        found = self.connections[number] = Connection(
            number, PATHS[request.path], conn_id, address=request.address, heard_ns=now_ns
        )
        if found.kind in ("private", "trade"):
            found.idle_ns = active_ns(request.query)
        return found

    def is_full(self, path: str, address: str) -> bool:
        """Return whether an address has as many market connections of a category as it may."""
        kind = PATHS[path]
        if kind in ("private", "trade"):
            return False
        held = sum(one.kind == kind and one.address == address for one in self.connections.values())
        return held >= MARKET_CONNECTIONS

    def idle(self, now_ns: int) -> list[int]:
        """Return the sockets to cut because nothing was said for too long.

        Private and trade sockets are looked at by a ticker, so the cut comes up to its period late.
        """
        found: list[Connection] = []
        if now_ns - self._checked_public_ns >= _SECOND_NS:
            self._checked_public_ns = now_ns
            found += [
                one
                for one in self.connections.values()
                if one.kind not in ("private", "trade")
                and not one.topics
                and now_ns - one.heard_ns >= _PUBLIC_IDLE_NS
            ]
        if now_ns - self._checked_ns >= self._floor.settings.socket_check_s * _SECOND_NS:
            self._checked_ns = now_ns
            found += [
                one
                for one in self.connections.values()
                if one.kind in ("private", "trade") and now_ns - one.heard_ns >= one.idle_ns
            ]
        for one in found:
            uid = one.account.uid if one.account else 0
            self._floor.record(now_ns, "connection", uid, {"event": "idle", "conn": one.number})
        return [one.number for one in found]

    def system_status(self, row: dict[str, Any], now_ms: int) -> list[Send]:
        """Return the frame that announces a state of the system."""
        readers = self._readers.get(("status", STATUS_TOPIC))
        if not readers:
            return []
        frame = msgspec.json.encode({"topic": STATUS_TOPIC, "ts": now_ms, "data": [row]})
        return [Send(tuple(readers), frame, is_push=True, topic=STATUS_TOPIC)]

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
            return [pong(connection, message, now_ms + self._floor.skew_ms)]
        if op == "auth" and connection.kind in ("private", "trade"):
            return [self._auth(connection, message, now_ns)]
        if op in ("subscribe", "unsubscribe") and connection.kind != "trade":
            return self._subscribe(connection, message, now_ns, leave=op == "unsubscribe")
        return [failure(connection, message, "error:invalid op")]

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
            Send(tuple(readers), frame, is_push=True, topic=topic)
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
                for number in readers:
                    self.connections[number].heard_ns = now_ns
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
        frame = msgspec.json.encode(head | {"data": push.items})
        return Send(readers, frame, is_push=True, topic=name)

    def _auth(self, connection: Connection, message: dict[str, Any], now_ns: int) -> Send:
        is_trade = connection.kind == "trade"
        refusal: VenueRefusal | None = None
        try:
            if connection.account is not None and is_trade:
                raise VenueRefusal(20001)
            seen_ms = now_ns // 1_000_000 + self._floor.skew_ms
            account = account_of_socket(
                self._floor.accounts, message.get("args"), connection.address, seen_ms
            )
            if is_trade and self._sessions(account) >= self._floor.settings.trade_sessions:
                raise VenueRefusal(10003, "Too many sessions under the same UID")
            connection.account = account
        except VenueRefusal as error:
            refusal = error
        uid = connection.account.uid if connection.account else 0
        code = refusal.code if refusal else 0
        self._floor.record(
            now_ns, "connection", uid, {"event": "auth", "conn": connection.number, "retCode": code}
        )
        return auth_answer(connection, message, refusal)

    def _sessions(self, account: Account) -> int:
        return sum(
            one.kind == "trade" and one.account is account for one in self.connections.values()
        )

    def _subscribe(
        self, connection: Connection, message: dict[str, Any], now_ns: int, *, leave: bool
    ) -> list[Send]:
        args = message.get("args")
        topics = [arg for arg in args if isinstance(arg, str)] if isinstance(args, list) else []
        error = self._subscribe_error(connection, topics, leave=leave)
        if error:
            return [failure(connection, message, error)]
        text = "subscribe" if connection.kind == "spot" else ""
        answer = {"success": True, "ret_msg": text, "conn_id": connection.conn_id}
        answer |= echo(message, "req_id") | {"op": message["op"]}
        sends = [reply(connection, answer)]
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
        if not leave and connection.characters + sum(map(len, topics)) > _ARGS_CHARACTERS:
            return f"args size >{_ARGS_CHARACTERS}"
        if connection.kind == "private" and _is_mixed(topics):
            return "Params Error"
        for topic in topics:
            if not self._exists(connection, topic):
                return f"error:handler not found,topic:{topic}"
            if topic in connection.topics and not leave:
                return f"error:already subscribed,topic:{topic}"
        return ""

    def _exists(self, connection: Connection, topic: str) -> bool:
        if connection.kind == "private":
            return topic in _PRIVATE
        if connection.kind == "status":
            return topic == STATUS_TOPIC
        publisher = self._publisher(connection.kind, topic)
        return publisher is not None and publisher.view(topic)

    def _publisher(self, category: str, topic: str) -> Publisher | None:
        return self.publishers.get(f"{category}:{topic.rpartition('.')[2]}")

    def _join(self, connection: Connection, topic: str, now_ms: int) -> list[Send]:
        if topic not in connection.topics:
            connection.characters += len(topic)
        connection.topics[topic] = None
        if connection.kind == "status":
            self._readers.setdefault((connection.kind, topic), {})[connection.number] = None
        publisher = self._publisher(connection.kind, topic)
        if publisher is None:
            return []
        self._readers.setdefault((connection.kind, topic), {})[connection.number] = None
        self._heard[publisher.market.listing.name] = publisher
        frame = publisher.snapshot(topic, now_ms)
        if not frame:
            return []
        return [Send((connection.number,), frame, is_push=True, topic=topic)]

    def _leave(self, connection: Connection, topic: str) -> None:
        if topic not in connection.topics:
            return
        del connection.topics[topic]
        connection.characters -= len(topic)
        readers = self._readers.get((connection.kind, topic))
        if readers is None:
            return
        readers.pop(connection.number, None)
        publisher = self._publisher(connection.kind, topic)
        if readers:
            return
        del self._readers[connection.kind, topic]
        if publisher is not None:
            publisher.drop(topic)
            if not publisher.is_heard:
                self._heard.pop(publisher.market.listing.name, None)


def _is_mixed(topics: list[str]) -> bool:
    """Return whether ``order`` and ``order.linear`` forms are asked for together."""
    own = [topic for topic in topics if topic in _PRIVATE and not topic.startswith("dcp")]
    categorised = [topic for topic in own if topic.endswith((".linear", ".spot"))]
    return 0 < len(categorised) < len(own)
