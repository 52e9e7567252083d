"""The shell of a running program: asyncio for time and work, picows for sockets."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, Final, cast

from picows import WSError as PicowsError
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

from plimsoll.websocket.shell import Caller, Ended, Line, Place, Timer, Work

FRAME_CAP: Final = 4 * 1024 * 1024
"""Largest message accepted, in bytes; a larger one drops the connection (reliability N7)."""

TEXT: Final = WSMsgType.TEXT  # hot: a member read through its class costs ten times a global


class LoopShell:
    """Everything happens in the event loop that runs when it is called."""

    def call_later(self, delay_s: float, act: Callable[..., object], *args: Any) -> Timer:  # noqa: ANN401
        """Call ``act`` once, ``delay_s`` from now."""
        return asyncio.get_running_loop().call_later(delay_s, act, *args)

    def start(self, work: Coroutine[Any, Any, None], name: str, ended: Ended) -> Work:
        """Run ``work`` from the next turn of the loop on."""
        task = asyncio.get_running_loop().create_task(work, name=name)
        task.add_done_callback(lambda task: ended(_failure_of(task)))
        return task

    async def end(self, works: Iterable[Work]) -> None:
        """Cancel works and wait for their end."""
        tasks = [cast("asyncio.Task[None]", work) for work in works]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def sleep(self, seconds: float) -> None:
        """Let time pass."""
        await asyncio.sleep(seconds)

    def dial(self, caller: Caller, place: Place, deadline_s: float) -> Line:
        """Begin to connect; what becomes of it reaches ``caller``."""
        return _Listener(caller, place, deadline_s)

    def surface(self, text: str, error: Exception) -> None:
        """Hand a failure to the loop's exception handler, which the engine owns."""
        loop = asyncio.get_running_loop()
        loop.call_exception_handler({"message": text, "exception": error})


def _failure_of(task: asyncio.Task[None]) -> Exception | None:
    error = None if task.cancelled() else task.exception()
    return error if isinstance(error, Exception) else None


class _Listener(WSListener):
    """One attempt and its callbacks; a line its caller has let go of is ignored."""

    def __init__(self, caller: Caller, place: Place, deadline_s: float) -> None:
        super().__init__()
        self.caller = caller
        self.parts: list[bytes] = []
        self.size = 0
        self._transport: WSTransport | None = None
        self._attempt = asyncio.get_running_loop().create_task(self._connect(place, deadline_s))

    @property
    def unsent_bytes(self) -> int:
        """Return how much waits for the socket to take it."""
        transport = self._transport
        if transport is None or transport.is_disconnected:
            return 0
        return int(transport.underlying_transport.get_write_buffer_size())

    def cut(self) -> None:
        """Let go of attempt or socket at once."""
        if self._transport is not None:
            self._transport.disconnect(graceful=False)
        else:
            self._attempt.cancel()

    async def ended(self) -> None:
        """Wait until nothing of attempt and socket runs any more."""
        await asyncio.gather(self._attempt, return_exceptions=True)
        if self._transport is not None:
            await self._transport.wait_disconnected()

    async def _connect(self, place: Place, deadline_s: float) -> None:
        try:
            await ws_connect(
                lambda: self,
                place.url,
                max_frame_size=FRAME_CAP,
                max_redirects=0,
                proxy=place.proxy or None,
                websocket_handshake_timeout=deadline_s,
            )
        except (OSError, PicowsError, TimeoutError, ValueError) as error:
            self.caller.lost(self, f"cannot connect to {place.url}: {error!r}")

    # ---- picows' callbacks -----------------------------------------------------------------

    def on_ws_connected(self, transport: WSTransport) -> None:
        """Start the session on the new connection."""
        self._transport = transport
        if self.caller.line is self:
            self.caller.opened(self, transport)
        else:
            transport.disconnect(graceful=False)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Pass a whole message on; join the parts of a fragmented one."""
        if self.caller.line is not self:
            return
        kind = frame.msg_type
        if kind == TEXT and frame.fin:
            self.caller.received(frame.get_payload_as_bytes())
        elif kind in (TEXT, WSMsgType.CONTINUATION):
            self._join(frame)
        elif kind == WSMsgType.BINARY:
            self.caller.restart("a binary frame where only text is expected")
        elif kind == WSMsgType.CLOSE:
            transport.disconnect(graceful=False)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        """Tell the session, unless the connection was cut by us."""
        shake = transport.close_handshake
        code = shake.recv.code if shake is not None and shake.recv is not None else "no close frame"
        self.caller.lost(self, f"connection ended ({code})")

    def _join(self, frame: WSFrame) -> None:
        self.parts.append(frame.get_payload_as_bytes())
        self.size += frame.payload_size
        if self.size > FRAME_CAP:
            self.caller.restart(f"a message larger than {FRAME_CAP} bytes")
        elif frame.fin:
            whole = b"".join(self.parts)
            self.parts, self.size = [], 0
            self.caller.received(whole)
