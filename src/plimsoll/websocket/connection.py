"""Carries out a session's actions with picows; frames reach the handler inside the callback."""

import asyncio
from collections.abc import Callable
from typing import Final, Protocol

from picows import WSError as PicowsError
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from plimsoll.websocket.session import (
    Action,
    Close,
    Connect,
    Down,
    Report,
    Send,
    Session,
    Up,
)

FRAME_CAP: Final = 4 * 1024 * 1024
"""Largest message accepted, in bytes; a larger one drops the connection (reliability N7)."""

_TEXT: Final = WSMsgType.TEXT  # hot: a member read through its class costs ten times a global

_JITTER_STEPS: Final = 1_000_003
"""A prime: the clock's low digits spread evenly over it."""

FrameHandler = Callable[[int, bytes, int], None]
"""Takes (link index, payload, received at) for each data frame; it must not keep the loop busy."""


class LinkClock(Protocol):
    """Where a link gets its times: one clock that never steps."""

    def now_ns(self) -> int:
        """Return the session's time, the same that records carry."""


class LinkEvents(Protocol):
    """Who hears about a link's life."""

    def link_up(self, index: int) -> None:
        """Authenticated and subscribed."""

    def link_down(self, index: int, reason: str, was_up: bool) -> None:
        """Lost, or an attempt failed."""

    def link_report(self, index: int, code: str, subject: str, text: str) -> None:
        """Report something to tell a person; see ``session.Report``."""


class Link:
    """One connection that keeps itself alive from ``start`` to ``close``."""

    def __init__(
        self,
        index: int,
        url: str,
        session: Session,
        clock: LinkClock,
        handler: FrameHandler,
        events: LinkEvents,
    ) -> None:
        self.index = index
        self.url = url
        self.session = session
        self.messages = 0
        self.bytes = 0
        self.last_ns = 0
        self._clock = clock
        self._handler = handler
        self._events = events
        self._topic_of = session.dialect.topic_of
        self._topics = session.by_wire
        self._transport: WSTransport | None = None
        self._listener: _Listener | None = None
        self._attempt: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    @property
    def is_up(self) -> bool:
        """Return whether the link is authenticated and subscribed."""
        return self.session.is_up

    def start(self) -> None:
        """Begin to connect; from now on the link reconnects by itself."""
        self._carry_out(self.session.start(self._clock.now_ns()))

    async def close(self, reason: str = "closed by us") -> None:
        """Close for good and wait until nothing of the link runs any more."""
        attempt = self._attempt
        self._carry_out(self.session.stop(reason))
        if attempt is not None:
            await asyncio.gather(attempt, return_exceptions=True)

    def restart(self, reason: str) -> None:
        """Drop the connection because its content cannot be trusted; it comes back by itself."""
        now_ns = self._clock.now_ns()
        self._carry_out(self.session.drop(reason, now_ns, self._jitter()))

    def send(self, payload: bytes) -> bool:
        """Write one text frame now; return False where the link is not up (nothing was written)."""
        transport = self._transport
        if transport is None or not self.session.is_up or transport.is_disconnected:
            return False
        transport.send(_TEXT, payload)
        return True

    def resubscribe(self, topics: list[str]) -> None:
        """Renew subscriptions whose content has a gap (reliability MKT-3)."""
        self._carry_out(self.session.resubscribe(topics, self._clock.now_ns()))

    def metrics(self) -> dict[str, int]:
        """Return the counters and the last ping's round trip, names without the link's."""
        return {
            "messages": self.messages,
            "bytes": self.bytes,
            "connects": self.session.connects,
            "ping_ns": self.session.ping_ns,
            "last_message_ns": self.last_ns,
        }

    # ---- frames (hot) ----------------------------------------------------------------------

    def received(self, payload: bytes) -> None:
        """Count a frame and give it to the handler, or to the session if it is a control frame."""
        now_ns = self._clock.now_ns()
        session = self.session
        self.messages += 1
        self.bytes += len(payload)
        self.last_ns = now_ns
        name = self._topic_of(payload)
        topic = self._topics.get(name) if name is not None else None
        if topic is not None:
            session.saw(topic, now_ns)
        elif (frame := session.dialect.control(payload)) is not None:
            self._carry_out(session.control(frame, now_ns, self._jitter()))
            return
        try:
            self._handler(self.index, payload, now_ns)
        except Exception as error:  # the callback is a task root: the engine must hear of it
            _surface(f"frame handler of link {self.index} failed", error)

    # ---- actions ---------------------------------------------------------------------------

    def _carry_out(self, actions: list[Action]) -> None:
        for action in actions:
            match action:
                case Connect():
                    self._attempt = asyncio.get_running_loop().create_task(self._connect())
                case Send(payload):
                    self._write(payload)
                case Close():
                    self._cut()
                case Up():
                    self._events.link_up(self.index)
                case Down(reason, was_up):
                    self._events.link_down(self.index, reason, was_up)
                case Report(code, subject, text):
                    self._events.link_report(self.index, code, subject, text)
        self._arm()

    async def _connect(self) -> None:
        listener = _Listener(self)
        self._listener = listener
        try:
            await ws_connect(
                lambda: listener,
                self.url,
                max_frame_size=FRAME_CAP,
                max_redirects=0,
                websocket_handshake_timeout=self.session.settings.step_deadline_ns / 1e9,
            )
        except (OSError, PicowsError, TimeoutError, ValueError) as error:
            self._lost(listener, f"cannot connect to {self.url}: {error!r}")

    def _opened(self, listener: "_Listener", transport: WSTransport) -> None:
        if listener is not self._listener:
            transport.disconnect(graceful=False)
            return
        self._transport = transport
        self._carry_out(self.session.opened(self._clock.now_ns()))

    def _lost(self, listener: "_Listener", reason: str) -> None:
        if listener is not self._listener:
            return
        self._listener = self._transport = None
        self._carry_out(self.session.closed(self._clock.now_ns(), self._jitter(), reason))

    def _cut(self) -> None:
        """Let go of connection and attempt at once; their late callbacks find no listener."""
        transport, attempt = self._transport, self._attempt
        self._listener = self._transport = self._attempt = None
        if transport is not None:
            transport.disconnect(graceful=False)
        elif attempt is not None:
            attempt.cancel()

    def _write(self, payload: bytes) -> None:
        if self._transport is not None and not self._transport.is_disconnected:
            self._transport.send(_TEXT, payload)

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        wake_ns = self.session.wake_at_ns()
        if wake_ns:
            delay = max(0, wake_ns - self._clock.now_ns()) / 1e9
            self._timer = asyncio.get_running_loop().call_later(delay, self._tick)

    def _tick(self) -> None:
        self._carry_out(self.session.tick(self._clock.now_ns(), self._jitter()))

    def _jitter(self) -> float:
        """Return a number in [0, 1) nobody can synchronise on, without a random source."""
        return self._clock.now_ns() % _JITTER_STEPS / _JITTER_STEPS


class _Listener(WSListener):
    """One connection's callbacks; a listener its link has let go of is ignored."""

    def __init__(self, link: Link) -> None:
        super().__init__()
        self.link = link
        self.parts: list[bytes] = []
        self.size = 0

    def on_ws_connected(self, transport: WSTransport) -> None:
        """Start the session on the new connection."""
        self.link._opened(self, transport)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Pass a whole message on; join the parts of a fragmented one."""
        if self.link._listener is not self:
            return
        kind = frame.msg_type
        if kind == _TEXT and frame.fin:
            self.link.received(frame.get_payload_as_bytes())
        elif kind in (_TEXT, WSMsgType.CONTINUATION):
            self._join(frame)
        elif kind == WSMsgType.BINARY:
            self.link.restart("a binary frame where only text is expected")
        elif kind == WSMsgType.CLOSE:
            transport.disconnect(graceful=False)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        """Tell the session, unless the link cut the connection itself."""
        shake = transport.close_handshake
        code = shake.recv.code if shake is not None and shake.recv is not None else "no close frame"
        self.link._lost(self, f"connection ended ({code})")

    def _join(self, frame: WSFrame) -> None:
        self.parts.append(frame.get_payload_as_bytes())
        self.size += frame.payload_size
        if self.size > FRAME_CAP:
            self.link.restart(f"a message larger than {FRAME_CAP} bytes")
        elif frame.fin:
            whole = b"".join(self.parts)
            self.parts, self.size = [], 0
            self.link.received(whole)


def _surface(message: str, error: Exception) -> None:
    """Hand a handler's failure to the loop's exception handler, which the engine owns."""
    loop = asyncio.get_running_loop()
    loop.call_exception_handler({"message": message, "exception": error})
