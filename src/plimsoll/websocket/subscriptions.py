"""The topics of one connection and the requests for them under way (pure)."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import msgspec

from plimsoll.websocket.actions import Action, Moved, Report, Send
from plimsoll.websocket.dialect import Dialect, SubscribeRefused
from plimsoll.websocket.topics import VAIN_RENEWALS, Topic, TopicPhase

_CALM_NS: Final = 30_000_000_000
"""A topic that was well this long is renewed at once the next time."""

_DOUBTED: Final = (TopicPhase.SUSPECT, TopicPhase.DEAD)


class Pauses(msgspec.Struct, frozen=True, kw_only=True):
    """Times of renewing: the least between two of one topic, the longest for an answer."""

    resubscribe_ns: int
    answer_ns: int


class Subscriptions:
    """What one connection is asked to carry; it says what to send, the session says when."""

    def __init__(self, dialect: Dialect, names: Iterable[str], pauses: Pauses) -> None:
        self.topics: dict[str, Topic] = {}
        self.by_wire: dict[bytes, Topic] = {}
        """The same topics by their bytes, so that the hot path makes no text; and those removed
        whose last messages may be on their way."""
        self._dialect = dialect
        self._pauses = pauses
        self._request = 0
        self._asked: dict[str, list[str]] = {}
        self._ending: dict[str, list[str]] = {}
        self.add(names)

    @property
    def is_settled(self) -> bool:
        """Return whether every subscribe request has its answer."""
        return not self._asked

    def next_id(self) -> str:
        """Return a request id that was not used on this connection."""
        self._request += 1
        return f"{self._request}"

    # ---- wanting ---------------------------------------------------------------------------

    def add(self, names: Iterable[str]) -> list[str]:
        """Want topics; return those that were not wanted."""
        fresh = [name for name in dict.fromkeys(names) if name not in self.topics]
        for name in fresh:
            topic = self.topics[name] = self.by_wire[name.encode()] = Topic(name)
            for request, ended in self._ending.items():
                if name in ended:  # of the subscription that was just ended something may come
                    topic.ending, topic.is_stale = request, True
        return fresh

    def remove(self, names: Iterable[str], *, can_send: bool) -> list[Action]:
        """Want topics no more; what still comes of them is swallowed until the venue's answer."""
        gone = [self.topics.pop(name) for name in dict.fromkeys(names) if name in self.topics]
        for asked in self._asked.values():
            asked[:] = [name for name in asked if name in self.topics]
        if not can_send:
            for topic in gone:
                del self.by_wire[topic.name.encode()]
            return []
        for topic in gone:
            topic.gate = _swallow
        ending = [topic.name for topic in gone if topic.phase is not TopicPhase.REFUSED]
        return [Send(self._unsubscribe(part)[1]) for part in self._parts(ending)]

    def cut(self, reason: str) -> tuple[Topic, ...]:
        """Note the end of the connection; return the topics, all of which changed."""
        self._asked.clear()
        self._ending.clear()
        for topic in self.topics.values():
            topic.cut(reason)
        self.by_wire.clear()
        self.by_wire.update({name.encode(): topic for name, topic in self.topics.items()})
        return tuple(self.topics.values())

    # ---- asking and being answered ---------------------------------------------------------

    def ask_all(self, now_ns: int) -> list[Action]:
        """Return the requests for everything on a new connection, but what was refused before."""
        wanted = [topic for topic in self.topics.values() if topic.phase is not TopicPhase.REFUSED]
        for topic in wanted:
            topic.phase = TopicPhase.REQUESTED
        return self.ask([topic.name for topic in wanted], now_ns)

    def ask(self, names: Sequence[str], now_ns: int, batch: int = 0) -> list[Action]:
        """Return the requests for these topics."""
        actions: list[Action] = []
        for part in self._parts(names, batch):
            request = self.next_id()
            self._asked[request] = part
            actions.append(Send(self._dialect.subscribe(part, request)))
            for name in part:
                self.topics[name].asked(request, now_ns)
        return actions

    def confirmed(self, request_id: str, now_ns: int) -> list[Action]:
        """Note that a subscribe request succeeded."""
        request, names = _pop(self._asked, request_id)
        return self._confirm(request, names, now_ns)

    def ended(self, request_id: str) -> None:
        """Note that an unsubscribe request was answered: what comes from now on is new."""
        request, names = _pop(self._ending, request_id)
        for name in names:
            topic = self.topics.get(name)
            if topic is None:
                self.by_wire.pop(name.encode(), None)
            elif topic.ending == request:
                topic.is_stale = False

    def refused(self, frame: SubscribeRefused, now_ns: int) -> tuple[list[Action], str]:
        """Note a refusal; return what to do, and the topic that is refused ("" where none is).

        The bad topic is set aside and the others of its request are asked for again.
        """
        request, names = _pop(self._asked, frame.request_id)
        if not names:
            return [], ""
        bad = frame.topic if frame.topic in names else names[0] if len(names) == 1 else ""
        if not bad:  # The venue did not say which: ask one by one, then it must.
            return self.ask(names, now_ns, batch=1), ""
        rest = [name for name in names if name != bad]
        again = self.ask(rest, now_ns)
        if frame.is_harmless:
            return again + self._confirm(request, [bad], now_ns), ""
        topic = self.topics[bad]
        topic.phase, topic.reason, topic.is_void = TopicPhase.REFUSED, frame.text, True
        return [Report("topic-refused", bad, frame.text), Moved((topic,)), *again], bad

    # ---- renewing --------------------------------------------------------------------------

    def renew(self, names: Sequence[str], now_ns: int) -> list[Action]:
        """Distrust topics and renew them, now or when their pause is over.

        One that still waits for what its subscription or renewal begins with is left to that: if
        it brings nothing it is repeated anyway.
        """
        found = [self.topics[name] for name in names if name in self.topics]
        doubted = [topic for topic in found if self._has_spoken(topic)]
        for topic in doubted:
            if now_ns - topic.asked_ns > _CALM_NS:
                topic.retries = 0
            topic.is_due = True
            topic.doubted("a gap was seen")
        due = [topic for topic in doubted if now_ns >= self._retry_ns(topic)]
        moved: list[Action] = [Moved(tuple(doubted))] if doubted else []
        return [*moved, *self._renew(due, now_ns)]

    def _has_spoken(self, topic: Topic) -> bool:
        may_be_silent = not self._dialect.silence_ns(topic.name)
        return topic.phase is TopicPhase.LIVE or (
            topic.phase is TopicPhase.CONFIRMED and may_be_silent
        )

    def due_ns(self) -> Iterator[int]:
        """Yield when topics are to be asked for again."""
        return (due for due in map(self._due_ns, self.topics.values()) if due)

    def tick(self, now_ns: int) -> list[Action]:
        """Return what is due: doubts about silent topics, deaths, renewals."""
        late = [topic for topic in self.topics.values() if 0 < self._due_ns(topic) <= now_ns]
        if not late:
            return []
        reports = [action for topic in late for action in self._judge(topic)]
        return [*reports, *self._renew(late, now_ns)]

    def _judge(self, topic: Topic) -> list[Action]:
        name = topic.name
        if topic.phase in (TopicPhase.CONFIRMED, TopicPhase.REQUESTED):
            was = topic.phase
            topic.doubted(f"{was}, but nothing came")
            return [Report("topic-silent", name, topic.reason), Moved((topic,))]
        if topic.phase is TopicPhase.SUSPECT and topic.vain >= VAIN_RENEWALS:
            topic.phase = TopicPhase.DEAD
            topic.reason = f"{topic.vain} renewals brought nothing"
            return [Report("topic-dead", name, topic.reason), Moved((topic,))]
        return []

    def _due_ns(self, topic: Topic) -> int:
        """Return when a topic without data must be asked for again; 0 = never."""
        if topic.phase in _DOUBTED:
            return self._retry_ns(topic)
        if topic.phase is TopicPhase.REQUESTED:
            return topic.asked_ns + self._pauses.answer_ns if topic.asked_ns else 0
        if topic.phase is not TopicPhase.CONFIRMED:
            return 0
        allowed = self._dialect.silence_ns(topic.name)
        return topic.asked_ns + allowed if allowed else 0

    def _retry_ns(self, topic: Topic) -> int:
        return topic.retry_ns(self._pauses.resubscribe_ns)

    def _renew(self, topics: Sequence[Topic], now_ns: int) -> list[Action]:
        actions: list[Action] = []
        for part in self._parts([topic.name for topic in topics]):
            request, message = self._unsubscribe(part)
            for name in part:
                self.topics[name].ended(request, now_ns)
            actions += [Send(message), *self.ask(part, now_ns)]
        return actions

    # ---- details ---------------------------------------------------------------------------

    def _confirm(self, request: str, names: Sequence[str], now_ns: int) -> list[Action]:
        moved = []
        for name in names:
            topic = self.topics.get(name)
            if topic is None or topic.request != request:
                continue  # removed meanwhile, or asked for anew: that answer is still to come
            silent = not self._dialect.silence_ns(name)
            if topic.confirmed(now_ns, may_be_silent=silent):
                moved.append(topic)
        return [Moved(tuple(moved))] if moved else []

    def _unsubscribe(self, names: list[str]) -> tuple[str, bytes]:
        request = self.next_id()
        self._ending[request] = names
        return request, self._dialect.unsubscribe(names, request)

    def _parts(self, names: Sequence[str], batch: int = 0) -> Iterator[list[str]]:
        size = batch or self._dialect.batch
        return (list(names[at : at + size]) for at in range(0, len(names), size))


def _pop(requests: dict[str, list[str]], request_id: str) -> tuple[str, list[str]]:
    """Take out an answered request; an answer without an id is the oldest one's."""
    if not request_id and requests:
        request_id = next(iter(requests))
    return request_id, requests.pop(request_id, [])


def _swallow(payload: bytes, received_ns: int) -> None:
    """Take a message of a topic that is not wanted any more: a gate that leads nowhere."""
