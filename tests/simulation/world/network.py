"""The network: connections that keep TCP's promises, and REST requests that overtake each other.

Inside a living connection nothing is lost, doubled or reordered; bytes are late, stand still, then
the connection breaks, and what was under way is gone (DST-4). Messages are whole here: a piece of
one that a break cuts off is as good as nothing. The named faults of the wire are asked of the
exchange's plan, so that one scenario means the same here and behind real sockets.
"""

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from tests.simulation.world.choices import Choices
from tests.simulation.world.kernel import Kernel, Pause
from tests.simulation.world.venue import Venue

from plimsoll.simulator.brain.messages import Held, Rest, SocketClosed, SocketOpened, SocketText
from plimsoll.simulator.brain.streams import PATHS
from plimsoll.simulator.faults.payload import spoiled
from plimsoll.simulator.faults.plan import Active, Where
from plimsoll.venues.bybit.http import Reply, Unanswered
from plimsoll.websocket.shell import Caller, Place

_MS: Final = 1_000_000
_LOOK_NS: Final = 20 * _MS
_SPOILED: Final = ("malformed_frame", "deep_frame", "nonfinite_frame", "bad_utf8_frame")
_STALLS: Final = ("stall", "loss", "path_dead")
_HUNG_NS: Final = 60_000 * _MS
"""After this the machine at the other end notices that a peer without power says nothing."""


class Network:
    """Between one machine and one exchange."""

    def __init__(self, kernel: Kernel, venue: Venue, choices: Choices) -> None:
        """Connect a machine to an exchange; ``lag`` adds to every message while it is not 0."""
        self.kernel = kernel
        self.venue = venue
        self.choices = choices
        self.latency_ns = _MS
        self.lag_ms = 0
        self.lines: dict[int, WorldLine] = {}
        """Connections the exchange knows, by its number for them."""
        self.on_sent: Callable[[bytes], None] = lambda _payload: None
        """Called with each frame and body before it leaves the engine's machine."""
        self._opened = 0
        venue.deliver = self._deliver
        venue.drop = self._drop

    def delay_ns(self, label: str) -> int:
        """Return how long one message is under way."""
        if not self.lag_ms:
            return self.latency_ns
        return self.latency_ns + self.choices.choose(f"lag {label}", self.lag_ms + 1) * _MS

    def next_number(self) -> int:
        """Return the exchange's number of a new connection."""
        self._opened += 1
        return self._opened

    def _deliver(self, number: int, frame: bytes, topic: str) -> None:
        line = self.lines.get(number)
        if line is not None:
            line.push(frame, topic)

    def _drop(self, number: int, reason: str) -> None:
        line = self.lines.get(number)
        if line is not None:
            line.end_at_venue(reason)


class WorldLine:
    """One connection, both ends of it; the client's end is what a ``Shell`` calls line and socket.

    ``owner`` runs what reaches the client: not at all where its process is dead.
    """

    def __init__(
        self,
        network: Network,
        caller: Caller,
        place: Place,
        owner: Callable[..., None],
        io: Callable[[str], None],
        deadline_s: float,
    ) -> None:
        self.network = network
        self.number = 0
        self.is_open = True
        """Of the client's end: dialled, and neither cut nor lost."""
        self.unsent_bytes = 0
        self._kernel = network.kernel
        self._plan = network.venue.faulty.plan
        self._caller = caller
        self._owner = owner
        self._io = io
        parts = urlsplit(place.url)
        self._path, self._query = parts.path, parts.query
        self.kind = PATHS[parts.path]
        self._is_up = False
        self._up_ns = self._down_ns = 0
        self._up: deque[bytes | None] = deque()
        self._down: deque[tuple[bytes, str]] = deque()
        self._skews: dict[str, int] = {}
        self._looks = False
        self._is_reset = False
        self._deadline = self._kernel.after(int(deadline_s * 1e9), self._give_up)
        self._kernel.after(3 * network.delay_ns(self.kind), self._arrive)

    # ---- the client's end --------------------------------------------------------------------

    @property
    def is_disconnected(self) -> bool:
        """Whether nothing can be written any more."""
        return not (self._is_up and self.is_open)

    def send(self, _kind: object, payload: bytes) -> None:
        """Write one frame: it is under way, whatever becomes of the writer."""
        self._io("send")
        self.network.on_sent(payload)
        self._put_up(payload)
        self._io("sent")

    def cut(self) -> None:
        """Let go of it."""
        if self.is_open:
            self.is_open = False
            self._deadline.cancel()
            if self._is_up:
                self._put_up(None)

    async def ended(self) -> None:
        """Wait for nothing: nothing of it runs."""

    def die(self, *, has_power: bool) -> None:
        """Lose the client: its kernel says goodbye, or nobody does."""
        if has_power or not self._is_up:
            self.cut()
            return
        self.is_open = False
        delay_ns = self.network.choices.choose("hung", 60) * 1000 * _MS
        self._kernel.after(min(delay_ns + 1, _HUNG_NS), self._closed_at_venue, "the peer is gone")

    # ---- up to the exchange ------------------------------------------------------------------

    def _put_up(self, payload: bytes | None) -> None:
        if self._up or (self._plan.active and self._stalled()):
            self._up.append(payload)
            self._look_later()
            return
        at_ns = max(self._up_ns, self._kernel.now_ns + self.network.delay_ns(f"{self.kind} up"))
        self._up_ns = at_ns
        self._kernel.at(at_ns, self._reach_venue, payload)

    def _reach_venue(self, payload: bytes | None) -> None:
        if self.number not in self.network.lines:
            return
        if payload is None:
            self._closed_at_venue("client left")
            return
        if self._plan.active and (fault := self._plan.holding("half_open_in", self._where())):
            self._note(fault)
            return
        self.network.venue.handle(SocketText(self.number, payload.decode()))

    def _arrive(self) -> None:
        """Reach the exchange for the first time: it accepts, refuses, or says nothing."""
        if not self.is_open:
            return
        venue, here = self.network.venue, Where(kind=self.kind)
        refusal = venue.refusal(self._path, here)
        if isinstance(refusal, Active):
            venue.when_over(refusal, self._lose, "reset after a long silence")
            return
        if refusal:
            self._kernel.after(self.network.latency_ns, self._lose, refusal)
            return
        self.number = self.network.next_number()
        self.network.lines[self.number] = self
        self._kernel.after(self.network.latency_ns, self._open)
        venue.handle(SocketOpened(self.number, self._path, self._query))

    def _open(self) -> None:
        self._deadline.cancel()
        if not self.is_open:  # let go of while the answer was under way
            self._is_up = True
            self._put_up(None)
            return
        self._is_up = True
        self._owner(self._caller.opened, self, self)

    # ---- down to the client ------------------------------------------------------------------

    def push(self, frame: bytes, topic: str) -> None:
        """Send one frame of the exchange."""
        if not self._plan.active and not self._down:
            at_ns = self._kernel.now_ns + self.network.delay_ns(f"{self.kind} down")
            self._down_ns = at_ns = max(self._down_ns, at_ns)
            self._kernel.at(at_ns, self._reach_client, frame)
            return
        self._down.append((frame, topic))
        self._look()

    def _reach_client(self, frame: bytes) -> None:
        if self.is_open and self._is_up and not self._is_reset:
            self._owner(self._receive, frame)

    def _receive(self, frame: bytes) -> None:
        if self._caller.line is self:
            self._caller.received(frame)

    def _look(self) -> None:
        """Let through what no stall holds back, both ways."""
        self._looks = False
        while (self._down or self._up) and not self._stalled():
            if self._down:
                frame, topic = self._down.popleft()
                self._leave(frame, topic)
            if self._up:
                payload = self._up.popleft()
                at_ns = self._kernel.now_ns + self.network.delay_ns(f"{self.kind} up")
                self._up_ns = at_ns = max(self._up_ns, at_ns)
                self._kernel.at(at_ns, self._reach_venue, payload)
        if self._down or self._up:
            self._look_later()

    def _look_later(self) -> None:
        if not self._looks:
            self._looks = True
            self._kernel.after(_LOOK_NS, self._look)

    def _stalled(self) -> bool:
        where = self._where()
        for name in _STALLS:
            if fault := self._plan.holding(name, where):
                self._note(fault)
                return True
        return False

    def _leave(self, frame: bytes, topic: str) -> None:
        """Send one frame as the active faults of the wire leave it."""
        plan, here = self._plan, self._where()
        if fault := plan.holding("half_open_out", here):
            self._note(fault)
            return
        where = Where(here.uid, here.kind, here.connection, topic)
        for name in _SPOILED:
            if plan.is_active(name) and (fault := plan.hit(name, where)):
                self._note(fault)
                frame = spoiled(name, frame, int(fault.ask.size))
        for name in ("reset", "close"):
            if fault := plan.hit(name, where):
                self._note(fault)
                self.end_at_venue(f"{name} by the network")
                return
        times = 1
        if fault := plan.hit("duplicate_frame", where):
            self._note(fault)
            times = 2
        at_ns = self._kernel.now_ns + self.network.delay_ns(f"{self.kind} down")
        self._down_ns = at_ns = max(self._down_ns, at_ns + self._slowed_ns(here))
        for _ in range(times):
            self._kernel.at(at_ns, self._reach_client, frame)

    def _slowed_ns(self, here: Where) -> int:
        plan, late_ms = self._plan, 0.0
        if fault := plan.holding("delay", here):
            self._note(fault)
            late_ms += plan.choose(f"{fault.id}:ms:{self.number}", 1000) / 999 * fault.ask.size
        if fault := plan.holding("skew", here):
            self._note(fault)
            if fault.id not in self._skews:
                share = plan.choose(f"{fault.id}:skew:{self.number}", 1000) / 999
                self._skews[fault.id] = int(share * fault.ask.size)
            late_ms += self._skews[fault.id]
        return int(late_ms * _MS)

    # ---- ends --------------------------------------------------------------------------------

    def end_at_venue(self, reason: str) -> None:
        """End it from the exchange's side: what is under way to the client may be lost."""
        self._closed_at_venue(reason)
        self._down.clear()
        self._is_reset = bool(self.network.choices.choose("reset overtakes", 2))
        at_ns = self._kernel.now_ns + self.network.latency_ns
        self._kernel.at(at_ns if self._is_reset else max(at_ns, self._down_ns), self._lose, reason)

    def _closed_at_venue(self, reason: str) -> None:
        if self.network.lines.pop(self.number, None) is not None:
            self.network.venue.handle(SocketClosed(self.number, reason))

    def _lose(self, reason: str) -> None:
        self._deadline.cancel()
        if self.is_open:
            self.is_open = False
            self._owner(self._caller.lost, self, reason)

    def _give_up(self) -> None:
        self._lose("the handshake took too long")

    # ---- inside ------------------------------------------------------------------------------

    def _where(self) -> Where:
        found = self.network.venue.connection(self.number)
        if found is None:
            return Where(kind=self.kind, connection=self.number)
        uid = found.account.uid if found.account else 0
        return Where(uid, found.kind, self.number)

    def _note(self, fault: Active) -> None:
        self.network.venue.faulty.note_once_now(fault, conn=self.number)


class WorldTransport:
    """REST over the network: every request is a connection of its own."""

    def __init__(
        self,
        network: Network,
        owner: Callable[..., None],
        io: Callable[[str], None],
        timeout_s: float,
    ) -> None:
        self._network = network
        self._owner = owner
        self._io = io
        self._timeout_ns = int(timeout_s * 1e9)

    async def ask(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes | None
    ) -> Reply:
        """Send one request; it is under way, whatever becomes of who asked."""
        self._io("ask")
        self._network.on_sent(body or b"")
        pause = Pause()
        path, _, query = target.partition("?")
        named = {name.lower(): value for name, value in headers.items()}
        request = Rest(method, path, query, body or b"", named)
        _Exchanged(self._network, request, lambda *end: self._owner(pause.end, *end))
        late = self._network.kernel.after(
            self._timeout_ns, self._owner, pause.end, None, Unanswered("TimeoutError()")
        )
        self._io("asked")
        try:
            reply: Reply = await pause
        finally:
            late.cancel()
        return reply

    async def close(self) -> None:
        """Nothing is kept open."""


class _Exchanged:
    """One request on its way there and back."""

    def __init__(
        self, network: Network, request: Rest, end: Callable[[Any, Exception | None], None]
    ) -> None:
        self._network = network
        self._kernel = network.kernel
        self._request = request
        self._end = end
        self._kernel.after(network.delay_ns("rest up"), self._arrive)

    def _arrive(self) -> None:
        venue = self._network.venue
        refusal = venue.refusal("", Where(kind="rest"))
        if isinstance(refusal, Active):
            venue.when_over(refusal, self._lose, "reset after a long silence", 0)
        elif refusal.startswith("502"):
            self._answer(Reply(502, {}, (), b"<h1>502 Bad Gateway</h1>"), 0)
        elif refusal:
            self._lose(refusal, 0)
        else:
            self._take(self._request)

    def _take(self, request: Rest | Held) -> None:
        output = self._network.venue.handle(request)
        if output.hold_ns:
            self._kernel.at(output.hold_ns, self._take, Held(self._request))
            return
        answer = output.answer
        assert answer is not None, "a request without an answer"
        late_ns = int(answer.delay_ms * _MS)
        if answer.lost:
            self._lose("connection reset", late_ns)
        else:
            self._answer(Reply(answer.status, answer.headers, (), answer.body), late_ns)

    def _answer(self, reply: Reply, late_ns: int) -> None:
        self._kernel.after(self._network.delay_ns("rest down") + late_ns, self._end, reply, None)

    def _lose(self, reason: str, late_ns: int) -> None:
        error = Unanswered(reason)
        self._kernel.after(self._network.latency_ns + late_ns, self._end, None, error)
