"""One connection's life as a pure machine: events and times in, actions out.

Theory: the machine is in one of six states. ``start`` asks for a connection; ``opened`` leads over
authentication and subscription to ``live``; whatever goes wrong leads to ``waiting``, and from
there, after a jittered delay and inside a budget of connection attempts, to the next attempt, for
ever. It never reads a clock and never draws a random number: the driver passes both. After each
call the driver carries out the actions and calls ``tick`` again no later than ``wake_at_ns``.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Final, Protocol

import msgspec

SECOND: Final = 1_000_000_000


class State(StrEnum):
    """Where a connection stands."""

    IDLE = "idle"
    CONNECTING = "connecting"
    AUTHENTICATING = "authenticating"
    SUBSCRIBING = "subscribing"
    LIVE = "live"
    WAITING = "waiting"


class TopicPhase(StrEnum):
    """Where one subscription stands."""

    REQUESTED = "requested"
    CONFIRMED = "confirmed"
    LIVE = "live"
    SUSPECT = "suspect"
    REFUSED = "refused"


_LIVE: Final = State.LIVE  # hot: a member read through its class costs ten times a global
_OPEN: Final = frozenset({State.AUTHENTICATING, State.SUBSCRIBING, State.LIVE})


# ---- what a control frame says, in the machine's words -------------------------------------


class AuthAccepted(msgspec.Struct, frozen=True):
    """The venue accepted our key on this connection."""


class AuthRefused(msgspec.Struct, frozen=True):
    """The venue refused our key or signature."""

    text: str


class Subscribed(msgspec.Struct, frozen=True):
    """The request with this id succeeded; an empty id means the oldest one outstanding."""

    request_id: str


class SubscribeRefused(msgspec.Struct, frozen=True):
    """A request failed because of ``topic`` (empty: the venue did not say which).

    ``is_harmless``: the topic was subscribed already, which is what we wanted.
    """

    request_id: str
    topic: str
    text: str
    is_harmless: bool = False


class Pong(msgspec.Struct, frozen=True):
    """The answer to our ping."""


class Notice(msgspec.Struct, frozen=True):
    """A control frame that changes nothing; ``text`` is worth reporting unless empty."""

    text: str = ""


class Malformed(msgspec.Struct, frozen=True):
    """A frame that is no readable message: the connection cannot be trusted any further."""

    text: str


Control = AuthAccepted | AuthRefused | Subscribed | SubscribeRefused | Pong | Notice | Malformed


class Dialect(Protocol):
    """How one venue says the things every streaming venue says."""

    batch: int
    """Most topics in one subscribe request."""

    requires_all: bool
    """Whether one refused topic makes the connection useless (private streams)."""

    def auth(self) -> bytes | None:
        """Return the authentication message, ``None`` where none is needed."""

    def subscribe(self, topics: Sequence[str], request_id: str) -> bytes:
        """Return the message that subscribes ``topics``."""

    def unsubscribe(self, topics: Sequence[str], request_id: str) -> bytes:
        """Return the message that ends the subscription of ``topics``."""

    def ping(self, request_id: str) -> bytes:
        """Return the heartbeat message."""

    def topic_of(self, payload: bytes) -> bytes | None:
        """Return a data frame's topic as it stands there where cheaply seen, else ``None``."""

    def control(self, payload: bytes) -> Control | None:
        """Return what a control frame says; ``None`` if it is data for the handler."""

    def silence_ns(self, topic: str) -> int:
        """Return how long a fresh subscription may stay without data; 0 = for ever."""


# ---- actions -------------------------------------------------------------------------------


class Connect(msgspec.Struct, frozen=True):
    """Open the connection, then call ``opened`` or ``closed``."""


class Send(msgspec.Struct, frozen=True):
    """Write this text frame."""

    payload: bytes


class Close(msgspec.Struct, frozen=True):
    """Drop the connection or the attempt now; nothing of it may reach the machine any more."""

    reason: str


class Up(msgspec.Struct, frozen=True):
    """Authenticated and subscribed."""


class Down(msgspec.Struct, frozen=True):
    """Not usable; ``was_up`` tells a break from an attempt that failed."""

    reason: str
    was_up: bool


class Report(msgspec.Struct, frozen=True):
    """Something to tell a person: ``code`` is topic-refused, topic-silent, auth-refused, notice."""

    code: str
    subject: str
    text: str


Action = Connect | Send | Close | Up | Down | Report


class SessionSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Times and limits of one connection.

    The ping period plus the pong deadline bound how long a dead path stays unnoticed.
    """

    first_delay_ns: int = SECOND // 10
    """Bound of the first reconnect delay; doubled each time (full jitter)."""

    delay_cap_ns: int = 30 * SECOND
    refused_delay_ns: int = 30 * SECOND
    """Wait after a refused key: one attempt per 30 s (reliability X26)."""

    stable_ns: int = 10 * SECOND
    """A connection that was live this long starts the delays afresh."""

    budget: int = 30
    budget_window_ns: int = 300 * SECOND
    step_deadline_ns: int = 10 * SECOND
    """Longest connect, authentication or subscription."""

    ping_period_ns: int = 20 * SECOND
    pong_deadline_ns: int = 10 * SECOND
    resubscribe_ns: int = SECOND
    """Least time between two subscriptions of one topic, doubled while it stays silent."""


class Topic(msgspec.Struct):
    """One subscription, as metrics show it. ``last_ns`` is 0 before the first message."""

    name: str
    phase: TopicPhase = TopicPhase.REQUESTED
    messages: int = 0
    last_ns: int = 0
    asked_ns: int = 0
    retries: int = 0
    is_due: bool = False
    """A renewal was asked for and has not been sent yet; data does not make it needless."""


class Session:
    """The machine of one connection; see the module's first lines."""

    def __init__(
        self,
        dialect: Dialect,
        topics: Iterable[str] = (),
        settings: SessionSettings | None = None,
    ) -> None:
        self.dialect = dialect
        self.settings = settings or SessionSettings()
        self.state = State.IDLE
        self.topics: dict[str, Topic] = {}
        self.by_wire: dict[bytes, Topic] = {}
        """The same topics by their bytes, so that the hot path makes no text."""
        self.connects = 0
        self.failures = 0
        self.ping_ns = 0
        self._request = 0
        self._asked: dict[str, list[str]] = {}
        self._connect_times: deque[int] = deque(maxlen=self.settings.budget)
        self._wake_ns = 0
        self._live_ns = 0
        self._want(topics)
        self._next_ping_ns = 0
        self._ping_sent_ns = 0

    @property
    def is_up(self) -> bool:
        """Return whether the connection is authenticated and subscribed."""
        return self.state is _LIVE

    # ---- events ----------------------------------------------------------------------------

    def start(self, now_ns: int) -> list[Action]:
        """Ask for the first connection."""
        if self.state is not State.IDLE:
            return []
        return self._connect(now_ns)

    def stop(self, reason: str) -> list[Action]:
        """End for good: close whatever there is and stay idle."""
        was_up, was = self.is_up, self.state
        self.state = State.IDLE
        if was is State.IDLE:
            return []
        return [Close(reason), Down(reason, was_up)]

    def opened(self, now_ns: int) -> list[Action]:
        """Go on after the connection was made: authenticate, or subscribe at once."""
        if self.state is not State.CONNECTING:
            return []
        self._next_ping_ns = now_ns + self.settings.ping_period_ns
        self._ping_sent_ns = 0
        message = self.dialect.auth()
        if message is None:
            return self._subscribe_all(now_ns)
        self._enter(State.AUTHENTICATING, now_ns)
        return [Send(message)]

    def closed(self, now_ns: int, jitter: float, reason: str) -> list[Action]:
        """Note that the connection (or the attempt) ended; ``jitter`` is in [0, 1)."""
        if self.state in (State.IDLE, State.WAITING):
            return []
        return self._wait(now_ns, self._delay(now_ns, jitter), reason)

    def control(self, frame: Control, now_ns: int, jitter: float) -> list[Action]:
        """Take a classified control frame."""
        if self.state not in _OPEN:
            return []
        match frame:
            case AuthAccepted():
                return self._subscribe_all(now_ns) if self.state is State.AUTHENTICATING else []
            case AuthRefused(text):
                return self._refused_key(text, now_ns)
            case Subscribed(request_id):
                return self._confirm(self._pop(request_id), now_ns)
            case SubscribeRefused():
                return self._refused(frame, now_ns)
            case Pong():
                self._pong(now_ns)
                return []
            case Notice(text):
                return [Report("notice", "", text)] if text else []
            case Malformed(text):
                return self.drop(f"unreadable frame: {text}", now_ns, jitter)

    def tick(self, now_ns: int, jitter: float) -> list[Action]:
        """Do what is due by time alone."""
        if self.state is State.WAITING:
            return self._connect(now_ns) if now_ns >= self._wake_ns else []
        if self.state is State.IDLE:
            return []
        if self.state is not State.LIVE and now_ns >= self._wake_ns:
            return self.drop(f"no progress while {self.state}", now_ns, jitter)
        if self.state is State.CONNECTING:
            return []
        if self._ping_sent_ns and now_ns >= self._ping_sent_ns + self.settings.pong_deadline_ns:
            return self.drop("no answer to our ping", now_ns, jitter)
        return self._ping(now_ns) + self._silent_topics(now_ns)

    def wake_at_ns(self) -> int:
        """Return when ``tick`` is due at the latest; 0 = no time of its own."""
        if self.state is State.IDLE:
            return 0
        due = [] if self.state is State.LIVE else [self._wake_ns]
        if self.state in _OPEN:
            pong = self._ping_sent_ns + self.settings.pong_deadline_ns
            due.append(pong if self._ping_sent_ns else self._next_ping_ns)
            due.extend(at for at in map(self._silent_at, self.topics.values()) if at)
        return min(due)

    def saw(self, topic: Topic, now_ns: int) -> None:
        """Count a message of a topic; data makes it live, unless a renewal is due."""
        topic.messages += 1
        topic.last_ns = now_ns
        if topic.phase is not TopicPhase.LIVE and not topic.is_due:
            topic.phase = TopicPhase.LIVE
            topic.retries = 0

    def resubscribe(self, names: Sequence[str], now_ns: int) -> list[Action]:
        """End and renew subscriptions (a gap was seen); asked too often, later rather than now.

        Returns:
            Nothing while the connection is not live: it will subscribe everything anyway.
        """
        topics = [self.topics[name] for name in names if name in self.topics]
        if self.state is not State.LIVE:
            return []
        for topic in topics:
            if topic.phase is not TopicPhase.REFUSED:
                topic.phase, topic.is_due = TopicPhase.SUSPECT, True
        return self._renew([t for t in topics if now_ns >= self._retry_at(t)], now_ns)

    def add(self, names: Iterable[str], now_ns: int) -> list[Action]:
        """Want more topics from now on."""
        fresh = [name for name in names if name not in self.topics]
        self._want(fresh)
        if self.state not in (State.SUBSCRIBING, State.LIVE):
            return []
        return self._ask(fresh, now_ns)

    def drop(self, reason: str, now_ns: int, jitter: float) -> list[Action]:
        """Give up the connection, or the attempt, and come back by the usual rules."""
        if self.state in (State.IDLE, State.WAITING):
            return []
        return [Close(reason), *self._wait(now_ns, self._delay(now_ns, jitter), reason)]

    # ---- connecting ------------------------------------------------------------------------

    def _connect(self, now_ns: int) -> list[Action]:
        ready_ns = self._budget_ns(now_ns)
        if ready_ns > now_ns:
            self.state, self._wake_ns = State.WAITING, ready_ns
            return []
        self._connect_times.append(now_ns)
        self.connects += 1
        self._enter(State.CONNECTING, now_ns)
        return [Connect()]

    def _budget_ns(self, now_ns: int) -> int:
        """Return the earliest time the budget of attempts allows another one."""
        if len(self._connect_times) < self.settings.budget:
            return now_ns
        return self._connect_times[0] + self.settings.budget_window_ns

    def _enter(self, state: State, now_ns: int) -> None:
        self.state = state
        self._wake_ns = now_ns + self.settings.step_deadline_ns

    def _delay(self, now_ns: int, jitter: float) -> int:
        if self.is_up and now_ns - self._live_ns >= self.settings.stable_ns:
            self.failures = 0
        doubled = self.settings.first_delay_ns << min(self.failures, 20)
        return int(min(doubled, self.settings.delay_cap_ns) * jitter)

    def _wait(self, now_ns: int, delay_ns: int, reason: str) -> list[Action]:
        was_up = self.is_up
        self.failures += 1
        self.state = State.WAITING
        self._wake_ns = max(now_ns + delay_ns, self._budget_ns(now_ns))
        self._asked.clear()
        self._ping_sent_ns = 0
        for topic in self.topics.values():
            topic.phase, topic.is_due = TopicPhase.REQUESTED, False
        return [Down(reason, was_up)]

    def _refused_key(self, text: str, now_ns: int) -> list[Action]:
        reason = f"authentication refused: {text}"
        down = self._wait(now_ns, self.settings.refused_delay_ns, reason)
        return [Report("auth-refused", "", text), Close(reason), *down]

    # ---- subscribing -----------------------------------------------------------------------

    def _want(self, names: Iterable[str]) -> None:
        for name in names:
            self.topics[name] = self.by_wire[name.encode()] = Topic(name)

    def _subscribe_all(self, now_ns: int) -> list[Action]:
        self._enter(State.SUBSCRIBING, now_ns)
        return self._ask(list(self.topics), now_ns) + self._live_if_settled(now_ns)

    def _ask(self, names: list[str], now_ns: int, batch: int = 0) -> list[Action]:
        size = batch or self.dialect.batch
        actions: list[Action] = []
        for start in range(0, len(names), size):
            part = names[start : start + size]
            self._asked[self._next_id()] = part
            actions.append(Send(self.dialect.subscribe(part, f"{self._request}")))
        for name in names:
            self.topics[name].asked_ns = now_ns
        return actions

    def _next_id(self) -> str:
        self._request += 1
        return f"{self._request}"

    def _pop(self, request_id: str) -> list[str]:
        """Return the topics of an answered request; without an id, of the oldest one."""
        if not request_id and self._asked:
            request_id = next(iter(self._asked))
        return self._asked.pop(request_id, [])

    def _confirm(self, names: list[str], now_ns: int) -> list[Action]:
        for name in names:
            topic = self.topics[name]
            if topic.phase in (TopicPhase.REQUESTED, TopicPhase.REFUSED):
                topic.phase = TopicPhase.CONFIRMED
        return self._live_if_settled(now_ns)

    def _refused(self, frame: SubscribeRefused, now_ns: int) -> list[Action]:
        """Set the bad topic aside and ask again for the others of its request."""
        names = self._pop(frame.request_id)
        if not names:
            return []
        bad = frame.topic if frame.topic in names else names[0] if len(names) == 1 else ""
        if not bad:  # The venue did not say which: ask one by one, then it must.
            return self._ask(names, now_ns, batch=1)
        rest = [name for name in names if name != bad]
        if frame.is_harmless:
            return self._ask(rest, now_ns) + self._confirm([bad], now_ns)
        report = Report("topic-refused", bad, frame.text)
        if self.dialect.requires_all:
            down = self._wait(now_ns, self.settings.refused_delay_ns, f"{bad}: {frame.text}")
            return [report, Close(f"topic {bad} refused"), *down]
        self.topics[bad].phase = TopicPhase.REFUSED
        return [report, *self._ask(rest, now_ns), *self._live_if_settled(now_ns)]

    def _live_if_settled(self, now_ns: int) -> list[Action]:
        if self._asked or self.state is not State.SUBSCRIBING:
            return []
        self.state = State.LIVE
        self._live_ns = now_ns
        return [Up()]

    # ---- heartbeats and silence ------------------------------------------------------------

    def _ping(self, now_ns: int) -> list[Action]:
        if self._ping_sent_ns or now_ns < self._next_ping_ns:
            return []
        self._ping_sent_ns = now_ns
        self._next_ping_ns = now_ns + self.settings.ping_period_ns
        return [Send(self.dialect.ping(self._next_id()))]

    def _pong(self, now_ns: int) -> None:
        if self._ping_sent_ns:
            self.ping_ns = now_ns - self._ping_sent_ns
            self._ping_sent_ns = 0

    def _retry_at(self, topic: Topic) -> int:
        wait = self.settings.resubscribe_ns << min(topic.retries, 5)
        return topic.asked_ns + wait if topic.asked_ns else 0

    def _silent_at(self, topic: Topic) -> int:
        """Return when a topic without data must be asked for again; 0 = never."""
        if self.state is not State.LIVE:
            return 0
        if topic.phase is TopicPhase.SUSPECT:
            return self._retry_at(topic)
        if topic.phase is not TopicPhase.CONFIRMED:
            return 0
        allowed = self.dialect.silence_ns(topic.name)
        return topic.asked_ns + allowed if allowed else 0

    def _silent_topics(self, now_ns: int) -> list[Action]:
        late = [t for t in self.topics.values() if 0 < self._silent_at(t) <= now_ns]
        if not late:
            return []
        actions: list[Action] = []
        for topic in late:
            if topic.phase is TopicPhase.CONFIRMED:
                topic.phase = TopicPhase.SUSPECT
                actions.append(Report("topic-silent", topic.name, "acknowledged, but no data came"))
        return actions + self._renew(late, now_ns)

    def _renew(self, topics: Sequence[Topic], now_ns: int) -> list[Action]:
        names = [topic.name for topic in topics if topic.phase is not TopicPhase.REFUSED]
        if not names:
            return []
        for topic in topics:
            topic.retries, topic.is_due = topic.retries + 1, False
        ended = self.dialect.unsubscribe(names, self._next_id())
        return [Send(ended), *self._ask(names, now_ns)]
