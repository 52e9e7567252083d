"""A link with as many connections as its topics need; what two of them carry is arbitrated."""

from collections.abc import Sequence
from functools import partial

from plimsoll.websocket.arbiter import Arbiter
from plimsoll.websocket.budget import ConnectBudget
from plimsoll.websocket.chain import ChainArbiter
from plimsoll.websocket.connection import Connection, FrameHandler, LinkClock
from plimsoll.websocket.link import Link, LinkEvents, LinkPlace
from plimsoll.websocket.pool import Carry, Change, Pool, PoolLimits, Shed
from plimsoll.websocket.sequence import SequenceArbiter
from plimsoll.websocket.shell import Shell, Timer
from plimsoll.websocket.topics import Standing, Topic, TopicPhase


class PooledLink(Link):
    """A public link: topics come and go, connections follow."""

    def __init__(
        self,
        place: LinkPlace,
        clock: LinkClock,
        handler: FrameHandler,
        events: LinkEvents,
        budget: ConnectBudget | None = None,
        limits: PoolLimits | None = None,
        shell: Shell | None = None,
    ) -> None:
        """Prepare a link that carries nothing yet."""
        super().__init__(place, clock, handler, events, budget, shell)
        self.pool = Pool(limits or PoolLimits(chars=place.dialect.args_chars))
        self._arbiters: dict[str, Arbiter] = {}
        self._timer: Timer | None = None

    async def close(self, reason: str = "closed by us") -> None:
        """Close for good and wait until nothing of the link runs any more."""
        await super().close(reason)
        if self._timer is not None:
            self._timer.cancel()

    def want(self, topics: Sequence[str], copies: int = 1) -> None:
        """Carry topics from now on, each on ``copies`` connections; wanted again they stay.

        Raises:
            ValueError: a topic is longer than a connection may carry.
        """
        for topic in topics:
            if copies > 1 and topic not in self.pool:
                chained = self.place.dialect.is_chained(topic)
                self._arbiters[topic] = ChainArbiter() if chained else SequenceArbiter()
        self._apply(self.pool.want(topics, copies))

    def release(self, topics: Sequence[str]) -> None:
        """Take back one ``want`` of each topic; what nobody wants any more is not carried on.

        Raises:
            KeyError: a topic is not wanted.
        """
        self._apply(self.pool.release(topics))
        for topic in topics:
            if topic not in self.pool:
                self._arbiters.pop(topic, None)
                if self._standings.pop(topic, None) is not None:
                    self._events.topic_changed(
                        self.index, topic, TopicPhase.SUSPECT, "not followed any more", True
                    )

    # ---- carrying out the plan ---------------------------------------------------------------

    def _apply(self, changes: list[Change]) -> None:
        for change in changes:
            match change:
                case Carry(number, topics, opens):
                    self._carry(number, topics, opens=opens)
                case Shed(number, topics, closes):
                    if not closes:
                        self.connections[number].remove(topics)
                        continue
                    self._drop(number, "nothing to carry")
                    if self._is_told_up:
                        self._tell_down("nothing to carry")

    def _carry(self, number: int, topics: Sequence[str], *, opens: bool) -> None:
        if opens:
            budget = ConnectBudget(parent=self._budget)
            connection = self._make(number, topics, self._handler, budget)
            self._set_gates(connection, topics)
            connection.start()
        else:
            connection = self.connections[number]
            connection.add(tuple(topics))  # its messages come in later callbacks, by the gates
            self._set_gates(connection, topics)

    def _set_gates(self, connection: Connection, topics: Sequence[str]) -> None:
        for name in topics:
            arbiter = self._arbiters.get(name)
            if arbiter is not None:
                topic = connection.session.topics[name]
                topic.gate = partial(self._arbitrate, connection.number, topic, arbiter)

    # ---- what a connection tells -------------------------------------------------------------

    def connection_down(self, connection: Connection, reason: str, was_up: bool) -> None:
        """Tell of the last connection that was up; of another one in the log only."""
        super().connection_down(connection, reason, was_up)
        if was_up and self.is_up and not self._is_closing:
            subject = f"#{connection.number}"
            self._events.link_report(self.index, "connection-lost", subject, reason)

    def connection_moved(self, connection: Connection, topics: tuple[Topic, ...]) -> None:
        """Let the arbiters know who carries, then judge topics anew."""
        if self.connections.get(connection.number) is not connection:
            return
        for topic in topics:
            arbiter = self._arbiters.get(topic.name)
            if arbiter is not None:
                self._attend(connection, topic, arbiter)
            self._judge(topic.name)

    def _tell_down(self, reason: str) -> None:
        if not self.is_up and (self._is_told_up or self.connections):
            super()._tell_down(reason)

    def _changed(self, topic: str, before: Standing | None, now: Standing) -> None:
        arbiter = self._arbiters.get(topic)
        if arbiter is not None and now.is_void and before is not None and not before.is_void:
            arbiter.reset()
        super()._changed(topic, before, now)

    # ---- topics carried twice ----------------------------------------------------------------

    def _attend(self, connection: Connection, topic: Topic, arbiter: Arbiter) -> None:
        """Tell an arbiter that a copy joined or left."""
        number = connection.number
        if topic.phase is TopicPhase.CONFIRMED or not topic.is_void:
            arbiter.join(number, topic.since_ns)
            return
        now_ns = self._clock.now_ns()
        proven_ns = connection.session.heartbeat.proven_ns
        self._pass(topic.name, arbiter, arbiter.leave(number, proven_ns), now_ns)

    def _arbitrate(
        self, number: int, topic: Topic, arbiter: Arbiter, payload: bytes, now_ns: int
    ) -> None:
        if topic.is_stale:  # of a subscription that was ended
            return
        identity = self.place.dialect.identity(topic.name, payload)
        passed = arbiter.take(number, identity, payload, now_ns)
        self._pass(topic.name, arbiter, passed, now_ns)

    def _pass(self, topic: str, arbiter: Arbiter, passed: list[bytes], now_ns: int) -> None:
        """Hand on what an arbiter passes, at the time it does so, and see to what it needs."""
        if arbiter.breaks:
            reasons, arbiter.breaks = arbiter.breaks, []
            self._tell_break(topic, "; ".join(reasons))
            now_ns = self._clock.now_ns()
        for payload in passed:
            self._handler(self.index, payload, now_ns)
        if arbiter.renewals:
            numbers, arbiter.renewals = arbiter.renewals, []
            for number in numbers:
                self.connections[number].resubscribe([topic])
        if arbiter.due_ns and self._timer is None:
            self._arm(arbiter.due_ns - now_ns)

    def _tell_break(self, topic: str, reason: str) -> None:
        """Say that a stream is whole again but may lack messages, which nothing else shows."""
        standing = self._standings.get(topic)
        if standing is not None and not standing.is_void:
            index, phase = self.index, standing.phase
            self._events.topic_changed(index, topic, TopicPhase.SUSPECT, reason, False)
            self._events.topic_changed(index, topic, phase, standing.reason, False)

    def _tick(self) -> None:
        """Ask the arbiters what has waited long enough."""
        now_ns = self._clock.now_ns()
        try:
            for topic, arbiter in list(self._arbiters.items()):
                if arbiter.due_ns:
                    self._pass(topic, arbiter, arbiter.tick(now_ns), now_ns)
        except Exception as error:  # the callback is a task root: the engine must hear of it
            self._shell.surface(f"frame handler of link {self.index} failed", error)
        self._timer = None
        due = [arbiter.due_ns for arbiter in self._arbiters.values() if arbiter.due_ns]
        if due and not self._is_closing:
            self._arm(min(due) - now_ns)

    def _arm(self, delay_ns: int) -> None:
        self._timer = self._shell.call_later(max(0, delay_ns) / 1e9, self._tick)

    # ---- counters ----------------------------------------------------------------------------

    def counters(self) -> dict[tuple[int, str], dict[str, int]]:
        """Return numbers by (connection, topic), with the arbiter's for topics carried twice."""
        found = super().counters()
        for (number, topic), numbers in found.items():
            arbiter = self._arbiters.get(topic)
            if arbiter is not None:
                copy = arbiter.copy_of(number)
                numbers |= {
                    "firsts": copy.firsts,
                    "duplicates": copy.duplicates,
                    "held": copy.held,
                    "gaps": copy.gaps,
                }
        return found
