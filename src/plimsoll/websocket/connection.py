"""A session's socket: carries out its actions, hands frames on inside the callback."""

from collections.abc import Callable
from typing import Final, Protocol

from plimsoll.websocket.actions import (
    Action,
    Aged,
    Close,
    Connect,
    Down,
    Moved,
    Proven,
    Report,
    Send,
    Up,
)
from plimsoll.websocket.dialect import Control, Data
from plimsoll.websocket.loop import TEXT
from plimsoll.websocket.session import Session
from plimsoll.websocket.shell import Line, Shell, Socket, Timer
from plimsoll.websocket.topics import Topic, TopicPhase

_LIVE: Final = TopicPhase.LIVE

_JITTER_STEPS: Final = 1_000_003
"""A prime: the clock's low digits spread evenly over it."""

_STALL_NS: Final = 1_000_000_000
_GRACE_S: Final = 0.05

FrameHandler = Callable[[int, bytes, int], None]
"""Takes (link index, payload, received at) for each data frame; it must not keep the loop busy."""


class LinkClock(Protocol):
    """Where a link gets its times: one clock that never steps."""

    def now_ns(self) -> int:
        """Return the session's time, the same that records carry."""


class Owner(Protocol):
    """Who hears about a connection's life: its link."""

    def connection_up(self, connection: "Connection") -> None:
        """Authenticated and subscribed."""

    def connection_down(self, connection: "Connection", reason: str, was_up: bool) -> None:
        """Lost, or an attempt failed."""

    def connection_moved(self, connection: "Connection", topics: tuple[Topic, ...]) -> None:
        """What some of its topics are worth changed."""

    def connection_proven(self, connection: "Connection") -> None:
        """A ping was answered."""

    def connection_aged(self, connection: "Connection") -> None:
        """It will be cut soon."""

    def connection_report(self, code: str, subject: str, text: str) -> None:
        """Report something to tell a person; see ``actions.Report``."""


class Connection:
    """One connection that keeps itself alive from ``start`` to ``close``."""

    def __init__(
        self,
        number: int,
        url: str,
        session: Session,
        clock: LinkClock,
        owner: Owner,
        index: int,
        handler: FrameHandler,
        shell: Shell,
    ) -> None:
        """Prepare; ``number`` is the connection's in its link, ``index`` the link's."""
        self.number = number
        self.url = url
        self.proxy = ""
        self.session = session
        self.messages = 0
        self.bytes = 0
        self.last_ns = 0
        self._index = index
        self._clock = clock
        self._handler = handler
        self._owner = owner
        self._topic_of = session.dialect.topic_of
        self._topics = session.by_wire
        self.line: Line | None = None
        """The attempt or socket there is; what an earlier one still brings is ignored."""
        self._shell = shell
        self._transport: Socket | None = None
        self._timer: Timer | None = None
        self._due_ns = 0

    @property
    def unsent_bytes(self) -> int:
        """Return how much waits for the socket to take it: more than nothing is trouble."""
        return self.line.unsent_bytes if self.line is not None else 0

    @property
    def is_up(self) -> bool:
        """Return whether the connection is authenticated and subscribed."""
        return self.session.is_up

    def start(self) -> None:
        """Begin to connect; from now on the connection comes back by itself."""
        self._carry_out(self.session.start(self._clock.now_ns()))

    def stop(self, reason: str) -> None:
        """Close for good, without waiting."""
        self._carry_out(self.session.stop(reason))

    def restart(self, reason: str) -> None:
        """Drop the connection because its content cannot be trusted; it comes back by itself."""
        now_ns = self._clock.now_ns()
        self._carry_out(self.session.drop(reason, now_ns, self._jitter()))

    def send(self, payload: bytes) -> bool:
        """Write one text frame now; return False where it is not up (nothing was written)."""
        transport = self._transport
        if transport is None or not self.session.is_up or transport.is_disconnected:
            return False
        transport.send(TEXT, payload)
        return True

    def resubscribe(self, topics: list[str]) -> None:
        """Renew subscriptions whose content has a gap (reliability MKT-3)."""
        self._carry_out(self.session.resubscribe(topics, self._clock.now_ns()))

    def add(self, topics: tuple[str, ...]) -> None:
        """Carry more topics from now on."""
        self._carry_out(self.session.add(topics, self._clock.now_ns()))

    def remove(self, topics: tuple[str, ...]) -> None:
        """Carry these topics no more."""
        self._carry_out(self.session.remove(topics, self._clock.now_ns()))

    def probe(self) -> None:
        """Ask for a sign of life; the owner hears of the answer."""
        self._carry_out(self.session.probe(self._clock.now_ns()))

    # ---- frames (hot) ----------------------------------------------------------------------

    def received(self, payload: bytes) -> None:
        """Count a frame and give it to the handler, or to the session if it is a control frame."""
        now_ns = self._clock.now_ns()
        size = len(payload)
        self.messages += 1
        self.bytes += size
        self.last_ns = now_ns
        name = self._topic_of(payload)
        topic = self._topics.get(name) if name is not None else None
        if topic is None:
            control = self.session.dialect.control(payload)
            if control is not None and not isinstance(control, Data):
                self._control(control, now_ns)
                return
            if control is not None:
                topic = self._topics.get(control.topic.encode())
        if topic is not None:
            topic.messages += 1
            topic.bytes += size
            topic.last_ns = now_ns
            if topic.phase is not _LIVE:
                self._carry_out(self.session.saw(topic, now_ns))
                now_ns = self._clock.now_ns()  # what was told of it stands before it in the log
            if topic.gate is not None:
                self._pass(topic.gate, payload, now_ns)
                return
        try:
            self._handler(self._index, payload, now_ns)
        except Exception as error:  # the callback is a task root: the engine must hear of it
            self._shell.surface(f"frame handler of link {self._index} failed", error)

    def _pass(self, gate: Callable[[bytes, int], None], payload: bytes, now_ns: int) -> None:
        try:
            gate(payload, now_ns)
        except Exception as error:  # as above
            self._shell.surface(f"frame handler of link {self._index} failed", error)

    def _control(self, frame: Control, now_ns: int) -> None:
        self._carry_out(self.session.control(frame, now_ns, self._jitter()))

    # ---- actions ---------------------------------------------------------------------------

    def _carry_out(self, actions: list[Action]) -> None:
        for action in actions:
            match action:
                case Connect():
                    deadline_s = self.session.settings.step_deadline_ns / 1e9
                    self.line = self._shell.dial(self, self, deadline_s)
                case Send(payload):
                    self._write(payload)
                case Close():
                    self._cut()
                case Up():
                    self._owner.connection_up(self)
                case Down(reason, was_up):
                    self._owner.connection_down(self, reason, was_up)
                case Moved(topics):
                    self._owner.connection_moved(self, topics)
                case Proven():
                    self._owner.connection_proven(self)
                case Aged():
                    self._owner.connection_aged(self)
                case Report(code, subject, text):
                    self._owner.connection_report(code, subject, text)
        self._arm()

    def opened(self, line: Line, socket: Socket) -> None:
        """Begin the session on a socket that was opened."""
        if line is self.line:
            self._transport = socket
            self._carry_out(self.session.opened(self._clock.now_ns()))

    def lost(self, line: Line, reason: str) -> None:
        """Note that the attempt failed or the socket ended."""
        if line is self.line:
            self.line = self._transport = None
            self._carry_out(self.session.closed(self._clock.now_ns(), self._jitter(), reason))

    def _cut(self) -> None:
        """Let go of attempt and socket at once; their late callbacks find another line."""
        line = self.line
        self.line = self._transport = None
        if line is not None:
            line.cut()

    def _write(self, payload: bytes) -> None:
        if self._transport is not None and not self._transport.is_disconnected:
            self._transport.send(TEXT, payload)

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        wake_ns = self.session.wake_at_ns()
        if wake_ns:
            self._due_ns = wake_ns
            delay = max(0, wake_ns - self._clock.now_ns()) / 1e9
            self._timer = self._shell.call_later(delay, self._tick)

    def _tick(self) -> None:
        if self._clock.now_ns() - self._due_ns > _STALL_NS:
            # This process stood still. What the peer sent meanwhile, a pong too, is read first:
            # it is not to be judged by our sleep.
            self._timer = self._shell.call_later(_GRACE_S, self._tick_now)
        else:
            self._tick_now()

    def _tick_now(self) -> None:
        self._carry_out(self.session.tick(self._clock.now_ns(), self._jitter()))

    def _jitter(self) -> float:
        """Return a number in [0, 1) nobody can synchronise on, without a random source."""
        return self._clock.now_ns() % _JITTER_STEPS / _JITTER_STEPS
