"""A link with one connection, and two for the moment in which a successor takes over."""

from collections.abc import Callable, Sequence
from typing import Final

from plimsoll.websocket.budget import ConnectBudget
from plimsoll.websocket.connection import Connection, FrameHandler, LinkClock
from plimsoll.websocket.link import Link, LinkEvents, LinkPlace
from plimsoll.websocket.shell import Shell, Timer
from plimsoll.websocket.succession import End, Succession

DRAIN_NS: Final = 10_000_000_000
"""How long an old connection stays beside its successor at most."""

SETTLE_NS: Final = 1_000_000_000
"""How long after the take-over the old connection is asked for its sign of life."""


class SoleLink(Link):
    """The private or the trade link: fixed topics, requests out, no moment without a connection."""

    def __init__(
        self,
        place: LinkPlace,
        topics: Sequence[str],
        clock: LinkClock,
        handler: FrameHandler,
        events: LinkEvents,
        budget: ConnectBudget | None = None,
        is_drained: Callable[[int], bool] = lambda _number: False,
        drain_ns: int = DRAIN_NS,
        settle_ns: int = SETTLE_NS,
        shell: Shell | None = None,
    ) -> None:
        """Prepare a link that carries ``topics``.

        ``is_drained`` tells of a connection by its number whether all that was asked on it is
        answered; a link that only listens keeps the old connection for the whole ``drain_ns``.
        """
        super().__init__(place, clock, handler, events, budget, shell)
        self._topics = tuple(topics)
        self._is_drained = is_drained
        self._own_budget = ConnectBudget(parent=budget)
        self._numbered = 1
        self._succession = Succession(1, drain_ns, settle_ns)
        self._settle_ns = settle_ns
        self._timer: Timer | None = None

    @property
    def sender(self) -> int:
        """Return the number of the connection that requests go to; 0 where there is none."""
        return self._succession.sender

    @property
    def is_up(self) -> bool:
        """Return whether requests may be sent."""
        connection = self.connections.get(self._succession.sender)
        return connection is not None and connection.is_up

    def start(self) -> None:
        """Begin to connect; from now on the link reconnects by itself."""
        self._open(self._numbered)

    async def close(self, reason: str = "closed by us") -> None:
        """Close for good and wait until nothing of the link runs any more."""
        if self._timer is not None:
            self._timer.cancel()
        for number in [number for number in self.connections if number != self.sender]:
            self._drop(number, reason)
        await super().close(reason)

    def send(self, payload: bytes) -> int:
        """Write one text frame now; return its connection's number, 0 where nothing was written."""
        number = self._succession.sender
        connection = self.connections.get(number)
        return number if connection is not None and connection.send(payload) else 0

    def succeed(self, reason: str) -> None:
        """Let a new connection follow the present one, which goes when it is not needed any more.

        Nothing happens while one is on its way, or while the link is down and comes back anyway.
        """
        if self._succession.is_under_way or not self.is_up:
            return
        self._numbered += 1
        self._succession.begin(self._numbered)
        self._events.link_report(self.index, "succession", f"#{self._numbered}", reason)
        self._open(self._numbered)

    def look(self) -> None:
        """Close the old connection beside its successor if nobody needs it any more."""
        if self._succession.leaver:
            self._look()

    # ---- what a connection tells -------------------------------------------------------------

    def connection_up(self, connection: Connection) -> None:
        """Let a successor take over; probe the old connection, which must prove to be alive."""
        if self._succession.up(connection.number, self._clock.now_ns()):
            old = self.connections[self._succession.leaver]
            self._shell.call_later(self._settle_ns / 1e9, self._probe, old)
            self._look()
        super().connection_up(connection)

    def connection_down(self, connection: Connection, reason: str, was_up: bool) -> None:
        """Tell what the end of a connection means for the link."""
        number = connection.number
        if self.connections.get(number) is not connection:
            return
        end = self._succession.down(number, was_up=was_up)
        if was_up:
            self._events.connection_ended(self.index, number)
        if end is End.GAP or end is End.SUPERSEDED or (end is End.NOTHING and was_up):
            self._drop(number, reason)
        if end is End.GAP:
            self._tell_gap(reason)
            self._look()
        elif end is not End.NOTHING or not self.is_up:
            self._tell_down(reason)

    def connection_proven(self, connection: Connection) -> None:
        """Note that the old connection brought everything from before the take-over."""
        self._succession.proven(connection.number, connection.session.heartbeat.proven_ns)
        self._look()

    def connection_aged(self, connection: Connection) -> None:
        """Let a successor come before the venue cuts."""
        if connection.number == self.sender:
            self.succeed("the venue will cut this connection soon")

    # ---- the old connection ------------------------------------------------------------------

    def _probe(self, old: Connection) -> None:
        if self.connections.get(self._succession.leaver) is old:
            old.probe()

    def _look(self) -> None:
        """Close the old connection if it is not needed any more, else look again in time."""
        succession = self._succession
        number = succession.leaver
        if not number:
            sender = self.connections.get(succession.sender)
            if sender is not None and sender.session.is_aged:
                self.connection_aged(sender)  # it grew old while the one before it still stayed
            return
        now_ns = self._clock.now_ns()
        if succession.may_end(now_ns, is_drained=self._is_drained(number)):
            left_gap = succession.ended()
            self._drop(number, "its successor took over")
            self._events.connection_ended(self.index, number)
            if left_gap:
                self._tell_gap("the old connection gave no sign of life")
            self._look()
            return
        if self._timer is not None:
            self._timer.cancel()
        delay = (succession.ends_ns - now_ns) / 1e9
        self._timer = self._shell.call_later(max(0.0, delay), self._look)

    def _tell_gap(self, reason: str) -> None:
        """Say that the link was away, although it is up: what it should bring may be missing."""
        if self._topics and self._is_told_up:
            self._events.link_down(self.index, f"the succession left a gap: {reason}", True)
            self._events.link_up(self.index)

    def _deliver(self, index: int, payload: bytes, received_ns: int) -> None:
        self._handler(index, payload, received_ns)
        if self._succession.leaver:
            self._look()

    def _open(self, number: int) -> None:
        self._make(number, self._topics, self._deliver, self._own_budget).start()
