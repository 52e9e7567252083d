"""One connection's life as a pure machine: events and times in, actions out.

Theory: the machine is in one of six states. ``start`` asks for a connection; ``opened`` leads over
authentication and subscription to ``live``; whatever goes wrong leads to ``waiting``, and from
there, after a jittered delay and inside a budget of connection attempts, to the next attempt, for
ever. It never reads a clock and never draws a random number: the driver passes both. After each
call the driver carries out the actions and calls ``tick`` again no later than ``wake_at_ns``.
What becomes of each topic meanwhile stands in ``topics``; requests for them in ``subscriptions``.
"""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Final

import msgspec

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
from plimsoll.websocket.budget import ConnectBudget
from plimsoll.websocket.dialect import (
    AuthAccepted,
    AuthRefused,
    Control,
    Data,
    Dialect,
    Malformed,
    Notice,
    Pong,
    Subscribed,
    SubscribeRefused,
    Unsubscribed,
)
from plimsoll.websocket.heartbeat import Heartbeat
from plimsoll.websocket.subscriptions import Pauses, Subscriptions
from plimsoll.websocket.topics import Standing, Topic, TopicPhase

SECOND: Final = 1_000_000_000


class State(StrEnum):
    """Where a connection stands."""

    IDLE = "idle"
    CONNECTING = "connecting"
    AUTHENTICATING = "authenticating"
    SUBSCRIBING = "subscribing"
    LIVE = "live"
    WAITING = "waiting"


_LIVE: Final = State.LIVE  # hot: a member read through its class costs ten times a global
_OPEN: Final = frozenset({State.AUTHENTICATING, State.SUBSCRIBING, State.LIVE})
_TALKING: Final = frozenset({State.SUBSCRIBING, State.LIVE})


class SessionSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Times and limits of one connection.

    The ping period plus the pong deadline bound how long a dead path stays unnoticed: 9 s.
    """

    first_delay_ns: int = SECOND // 10
    """Bound of the first reconnect delay; doubled each time (full jitter)."""

    delay_cap_ns: int = 30 * SECOND
    refused_delay_ns: int = 30 * SECOND
    """Wait after a refused key: one attempt per 30 s (reliability X26)."""

    stable_ns: int = 10 * SECOND
    """A connection that was live this long starts the delays afresh."""

    step_deadline_ns: int = 8 * SECOND
    """Longest connect, authentication, subscription, or answer to a request."""

    ping_period_ns: int = 5 * SECOND
    pong_deadline_ns: int = 4 * SECOND
    late_pong_ns: int = 2 * SECOND
    """From here to the pong the topics are SUSPECT; what is held of them is not void."""

    resubscribe_ns: int = SECOND
    """Least time between two subscriptions of one topic, doubled while they follow each other."""

    max_age_ns: int = 0
    """After this long a successor is asked for; 0 = the venue cuts at no known time."""


class Session:
    """The machine of one connection; see the module's first lines."""

    def __init__(
        self,
        dialect: Dialect,
        topics: Iterable[str] = (),
        settings: SessionSettings | None = None,
        budget: ConnectBudget | None = None,
    ) -> None:
        """Want ``topics``; ``budget`` is shared with others, by default 30 in 5 minutes alone."""
        self.dialect = dialect
        self.settings = own = settings or SessionSettings()
        self.state = State.IDLE
        self.connects = 0
        self.drops = 0
        """How often a connection that was up ended."""
        self.failures = 0
        pauses = Pauses(resubscribe_ns=own.resubscribe_ns, answer_ns=own.step_deadline_ns)
        self.subscriptions = Subscriptions(dialect, topics, pauses)
        self.topics = self.subscriptions.topics
        self.by_wire = self.subscriptions.by_wire
        self.heartbeat = Heartbeat(own.ping_period_ns, own.pong_deadline_ns, own.late_pong_ns)
        self._budget = budget or ConnectBudget()
        self._wake_ns = 0
        self._live_ns = 0
        self.is_aged = False
        """Whether it was said that a successor is wanted."""

    @property
    def is_up(self) -> bool:
        """Return whether the connection is authenticated and subscribed."""
        return self.state is _LIVE

    def standing(self, topic: Topic) -> Standing:
        """Return how this connection carries a topic; a late pong casts doubt on all of them."""
        found = topic.standing
        if self.heartbeat.is_late and found.phase in (TopicPhase.LIVE, TopicPhase.CONFIRMED):
            return Standing(TopicPhase.SUSPECT, "the answer to our ping is late", found.is_void)
        return found

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
        moved = self.subscriptions.cut(reason)
        return [Close(reason), Moved(moved), Down(reason, was_up)]

    def opened(self, now_ns: int) -> list[Action]:
        """Go on after the connection was made: authenticate, or subscribe at once."""
        if self.state is not State.CONNECTING:
            return []
        self.heartbeat.begin(now_ns)
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
                actions = self.subscriptions.confirmed(request_id, now_ns)
                return actions + self._live_if_settled(now_ns)
            case Unsubscribed(request_id):
                self.subscriptions.ended(request_id)
                return []
            case SubscribeRefused():
                return self._refused(frame, now_ns)
            case Pong():
                return self._pong(now_ns)
            case Notice(text):
                return [Report("notice", "", text)] if text else []
            case Malformed(text):
                return self.drop(f"unreadable frame: {text}", now_ns, jitter)
            case Data():
                return []

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
        if self.heartbeat.is_lost(now_ns):
            return self.drop("no answer to our ping", now_ns, jitter)
        return [*self._ping(now_ns), *self._late(now_ns), *self._age(now_ns), *self._due(now_ns)]

    def wake_at_ns(self) -> int:
        """Return when ``tick`` is due at the latest; 0 = no time of its own."""
        if self.state is State.IDLE:
            return 0
        due = [] if self.state is State.LIVE else [self._wake_ns]
        if self.state in _OPEN:
            due.append(self.heartbeat.wake_ns())
        if self.state is State.LIVE:
            due.extend(self.subscriptions.due_ns())
            if self.settings.max_age_ns and not self.is_aged:
                due.append(self._live_ns + self.settings.max_age_ns)
        return min(due)

    def saw(self, topic: Topic, now_ns: int) -> list[Action]:
        """Note a message of a topic that is not LIVE; the driver counts the messages."""
        return [Moved((topic,))] if topic.data(now_ns) else []

    def resubscribe(self, names: Sequence[str], now_ns: int) -> list[Action]:
        """End and renew subscriptions (a gap was seen); asked too often, later rather than now.

        Returns:
            Nothing while the connection is not live: it will subscribe everything anyway.
        """
        if self.state is not State.LIVE:
            return []
        return self.subscriptions.renew(names, now_ns)

    def add(self, names: Iterable[str], now_ns: int) -> list[Action]:
        """Want more topics from now on."""
        fresh = self.subscriptions.add(names)
        return self.subscriptions.ask(fresh, now_ns) if self.state in _TALKING else []

    def remove(self, names: Iterable[str], now_ns: int) -> list[Action]:
        """Want these topics no more; what still comes of them is nobody's."""
        actions = self.subscriptions.remove(names, can_send=self.state in _TALKING)
        return actions + self._live_if_settled(now_ns)

    def probe(self, now_ns: int) -> list[Action]:
        """Ping as soon as possible; ``Proven`` tells that it was answered."""
        self.heartbeat.hasten(now_ns)
        return self._ping(now_ns) if self.state in _OPEN else []

    def drop(self, reason: str, now_ns: int, jitter: float) -> list[Action]:
        """Give up the connection, or the attempt, and come back by the usual rules."""
        if self.state in (State.IDLE, State.WAITING):
            return []
        return [Close(reason), *self._wait(now_ns, self._delay(now_ns, jitter), reason)]

    # ---- connecting ------------------------------------------------------------------------

    def _connect(self, now_ns: int) -> list[Action]:
        ready_ns = self._budget.ready_ns(now_ns)
        if ready_ns > now_ns:
            self.state, self._wake_ns = State.WAITING, ready_ns
            return []
        self._budget.spend(now_ns)
        self.connects += 1
        self._enter(State.CONNECTING, now_ns)
        return [Connect()]

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
        self.drops += was_up
        self.state = State.WAITING
        self._wake_ns = max(now_ns + delay_ns, self._budget.ready_ns(now_ns))
        return [Moved(self.subscriptions.cut(reason)), Down(reason, was_up)]

    def _refused_key(self, text: str, now_ns: int) -> list[Action]:
        reason = f"authentication refused: {text}"
        down = self._wait(now_ns, self.settings.refused_delay_ns, reason)
        return [Report("auth-refused", "", text), Close(reason), *down]

    # ---- subscribing -----------------------------------------------------------------------

    def _subscribe_all(self, now_ns: int) -> list[Action]:
        self._enter(State.SUBSCRIBING, now_ns)
        return self.subscriptions.ask_all(now_ns) + self._live_if_settled(now_ns)

    def _refused(self, frame: SubscribeRefused, now_ns: int) -> list[Action]:
        """Set the bad topic aside, unless all are needed: then the connection is useless."""
        actions, refused = self.subscriptions.refused(frame, now_ns)
        if refused and self.dialect.requires_all:
            reason = f"{refused}: {frame.text}"
            down = self._wait(now_ns, self.settings.refused_delay_ns, reason)
            report = Report("topic-refused", refused, frame.text)
            return [report, Close(f"topic {refused} refused"), *down]
        return actions + self._live_if_settled(now_ns)

    def _live_if_settled(self, now_ns: int) -> list[Action]:
        if self.state is not State.SUBSCRIBING or not self.subscriptions.is_settled:
            return []
        self.state = State.LIVE
        self._live_ns = now_ns
        self.is_aged = False
        return [Up()]

    # ---- heartbeats, age and silence -------------------------------------------------------

    def _ping(self, now_ns: int) -> list[Action]:
        if not self.heartbeat.is_due(now_ns):
            return []
        self.heartbeat.sent(now_ns)
        return [Send(self.dialect.ping(self.subscriptions.next_id()))]

    def _pong(self, now_ns: int) -> list[Action]:
        ends_lateness = self.heartbeat.answered(now_ns)
        moved: list[Action] = [Moved(tuple(self.topics.values()))] if ends_lateness else []
        return [Proven(), *moved, *self._ping(now_ns)]

    def _late(self, now_ns: int) -> list[Action]:
        if not self.heartbeat.becomes_late(now_ns):
            return []
        return [Moved(tuple(self.topics.values()))]

    def _age(self, now_ns: int) -> list[Action]:
        age_ns = self.settings.max_age_ns
        if not age_ns or self.is_aged or not self.is_up or now_ns < self._live_ns + age_ns:
            return []
        self.is_aged = True
        return [Aged()]

    def _due(self, now_ns: int) -> list[Action]:
        return self.subscriptions.tick(now_ns) if self.state is State.LIVE else []
