"""What a venue holds of a kind of traffic: a name, connections, one handler, topics and events."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Protocol

import msgspec

from plimsoll.websocket.budget import ConnectBudget
from plimsoll.websocket.connection import Connection, FrameHandler, LinkClock
from plimsoll.websocket.dialect import Dialect
from plimsoll.websocket.session import Session, SessionSettings
from plimsoll.websocket.topics import Standing, Topic, TopicPhase, joint


class LinkEvents(Protocol):
    """Who hears about a link's life."""

    def link_up(self, index: int) -> None:
        """Authenticated and subscribed."""

    def link_down(self, index: int, reason: str, was_up: bool) -> None:
        """Lost with its last connection, or an attempt failed while there is none."""

    def link_report(self, index: int, code: str, subject: str, text: str) -> None:
        """Report something to tell a person; see ``actions.Report``."""

    def topic_changed(
        self, index: int, topic: str, phase: TopicPhase, reason: str, is_void: bool
    ) -> None:
        """Note what a topic is worth now, all its copies taken together."""

    def connection_ended(self, index: int, number: int) -> None:
        """Note the end of a connection that was up: what was asked on it is not answered."""


class LinkPlace(msgspec.Struct, frozen=True):
    """Where a link leads and how it is spoken to there."""

    index: int
    """The kind of traffic; it goes with each frame to the handler."""

    url: str
    dialect: Dialect
    settings: SessionSettings = SessionSettings()
    proxy: str = ""
    """HTTP proxy to connect through."""


class Link:
    """What all links have in common; see ``sole.SoleLink`` and ``pooled.PooledLink``."""

    def __init__(
        self,
        place: LinkPlace,
        clock: LinkClock,
        handler: FrameHandler,
        events: LinkEvents,
        budget: ConnectBudget | None = None,
    ) -> None:
        """Prepare; ``budget`` is shared with the other links of the host."""
        self.index = place.index
        self.place = place
        self.connections: dict[int, Connection] = {}
        self._clock = clock
        self._handler = handler
        self._events = events
        self._budget = budget
        self._standings: dict[str, Standing] = {}
        self._is_told_up = False
        self._is_closing = False
        self._gone: Counter[str] = Counter()

    @property
    def is_up(self) -> bool:
        """Return whether a connection is authenticated and subscribed."""
        return any(connection.is_up for connection in self.connections.values())

    async def close(self, reason: str = "closed by us") -> None:
        """Close for good and wait until nothing of the link runs any more."""
        self._is_closing = True
        connections = list(self.connections.values())
        await asyncio.gather(*(connection.close(reason) for connection in connections))

    def restart(self, reason: str) -> None:
        """Drop a connection because its content cannot be trusted; it comes back by itself.

        Called while the handler takes a message, it is the connection that brought it.
        """
        newest = max(self.connections.values(), key=lambda one: one.last_ns, default=None)
        if newest is not None:
            newest.restart(reason)

    def restart_all(self, reason: str) -> None:
        """Drop every connection: what came on them is too old to be trusted."""
        for connection in list(self.connections.values()):
            connection.restart(reason)

    def renew(self, topics: Sequence[str]) -> None:
        """Renew topics whose content has a gap, on every connection that carries them (MKT-3)."""
        for connection in list(self.connections.values()):
            held = [topic for topic in topics if topic in connection.session.topics]
            if held:
                connection.resubscribe(held)

    def standing(self, topic: str) -> Standing | None:
        """Return what a topic is worth, ``None`` if nothing is known of it yet."""
        return self._standings.get(topic)

    # ---- what a connection tells -------------------------------------------------------------

    def connection_up(self, connection: Connection) -> None:
        """Tell of the first connection that is up."""
        if not self._is_told_up:
            self._is_told_up = True
            self._events.link_up(self.index)

    def connection_down(self, connection: Connection, reason: str, was_up: bool) -> None:
        """Tell of the last connection that was up, or of an attempt that failed without one."""
        if self.connections.get(connection.number) is not connection:
            return
        if was_up:
            self._events.connection_ended(self.index, connection.number)
        self._tell_down(reason)

    def connection_moved(self, connection: Connection, topics: tuple[Topic, ...]) -> None:
        """Judge topics anew."""
        if self.connections.get(connection.number) is connection:
            for topic in topics:
                self._judge(topic.name)

    def connection_proven(self, connection: Connection) -> None:
        """Nothing: only a succession waits for it."""

    def connection_aged(self, connection: Connection) -> None:
        """Nothing: only a link with one connection has successors."""

    def connection_report(self, code: str, subject: str, text: str) -> None:
        """Pass it on."""
        self._events.link_report(self.index, code, subject, text)

    def _tell_down(self, reason: str) -> None:
        if not self.is_up:
            was_up, self._is_told_up = self._is_told_up, False
            self._events.link_down(self.index, reason, was_up)

    def _judge(self, topic: str) -> None:
        """Tell what a topic is worth where that changed; a new reason alone is no news."""
        carried = [
            connection.session.standing(found)
            for connection in self.connections.values()
            if (found := connection.session.topics.get(topic)) is not None
        ]
        if not carried:
            return
        now, before = joint(carried), self._standings.get(topic)
        self._standings[topic] = now
        if before is None or (before.phase, before.is_void) != (now.phase, now.is_void):
            self._changed(topic, before, now)

    def _changed(self, topic: str, before: Standing | None, now: Standing) -> None:
        self._events.topic_changed(self.index, topic, now.phase, now.reason, now.is_void)

    # ---- opening and closing connections -------------------------------------------------------

    def _make(
        self, number: int, topics: Sequence[str], handler: FrameHandler, budget: ConnectBudget
    ) -> Connection:
        place = self.place
        session = Session(place.dialect, topics, place.settings, budget)
        made = Connection(number, place.url, session, self._clock, self, self.index, handler)
        made.proxy = place.proxy
        self.connections[number] = made
        return made

    def _drop(self, number: int, reason: str) -> None:
        """Close a connection for good; nothing more is heard of it."""
        connection = self.connections.pop(number)
        connection.stop(reason)
        self._gone.update(_totals(connection))

    # ---- counters ------------------------------------------------------------------------------

    def metrics(self) -> dict[str, int]:
        """Return the sums over all connections, those that are gone included.

        ``ping_ns`` is the longest of the last round trips, ``last_message_ns`` the newest time,
        ``unsent_bytes`` what waits for the sockets.
        """
        sums = Counter(self._gone)
        for connection in self.connections.values():
            sums.update(_totals(connection))
        found = list(self.connections.values())
        return {
            "messages": sums["messages"],
            "bytes": sums["bytes"],
            "connects": sums["connects"],
            "drops": sums["drops"],
            "ping_ns": max((one.session.heartbeat.round_trip_ns for one in found), default=0),
            "last_message_ns": max((one.last_ns for one in found), default=0),
            "unsent_bytes": sum(one.unsent_bytes for one in found),
        }

    def counters(self) -> dict[tuple[int, str], dict[str, int]]:
        """Return numbers by (connection, topic); the connection's own under an empty topic."""
        found: dict[tuple[int, str], dict[str, int]] = {}
        for number, connection in self.connections.items():
            found[number, ""] = _totals(connection) | {
                "last_ns": connection.last_ns,
                "ping_ns": connection.session.heartbeat.round_trip_ns,
            }
            for name, topic in connection.session.topics.items():
                found[number, name] = {
                    "messages": topic.messages,
                    "bytes": topic.bytes,
                    "last_ns": topic.last_ns,
                    "renewals": topic.renewals,
                }
        return found


def _totals(connection: Connection) -> dict[str, int]:
    return {
        "messages": connection.messages,
        "bytes": connection.bytes,
        "connects": connection.session.connects,
        "drops": connection.session.drops,
    }
