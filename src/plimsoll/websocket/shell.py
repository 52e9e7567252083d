"""What links need of the world outside them: time that passes, work beside them, sockets.

Live that is ``LoopShell`` (asyncio and picows, see ``loop.py``), which only moves bytes. A
simulation brings its own, with its own time and its own network (reliability DST-1).
"""

from collections.abc import Callable, Coroutine, Iterable
from typing import Any, Protocol

Ended = Callable[[Exception | None], None]
"""Takes the failure a work ended with."""


class Timer(Protocol):
    """One call that was put off."""

    def cancel(self) -> None:
        """Let it never happen; nothing where it happened."""


class Work(Protocol):
    """A coroutine that runs beside everything else."""

    def cancel(self) -> object:
        """Ask it to end where it waits."""


class Socket(Protocol):
    """An open connection; ``picows.WSTransport`` is one, so that a send costs one call."""

    @property
    def is_disconnected(self) -> bool:
        """Whether nothing can be written any more."""

    def send(self, kind: Any, payload: bytes, /) -> object:  # noqa: ANN401 - picows' own word
        """Write one whole frame now."""


class Line(Protocol):
    """One attempt to connect, and the socket it leads to."""

    @property
    def unsent_bytes(self) -> int:
        """How much waits for the socket to take it."""

    def cut(self) -> None:
        """Let go of attempt or socket at once, without a close frame; nothing is heard of it."""

    async def ended(self) -> None:
        """Wait until nothing of the attempt runs any more."""


class Caller(Protocol):
    """Who dials; called back inside the callback that brought the bytes, never by ``dial``."""

    line: Line | None
    """The line that counts; what another one brings is dropped before ``received``."""

    def opened(self, line: Line, socket: Socket) -> None:
        """Note that the attempt led to a socket."""

    def received(self, payload: bytes) -> None:
        """Take one whole text message (hot path)."""

    def lost(self, line: Line, reason: str) -> None:
        """Note that the attempt failed or the socket ended."""

    def restart(self, reason: str) -> None:
        """Give the connection up: what it brings cannot be trusted."""


class Place(Protocol):
    """Where a dial leads."""

    @property
    def url(self) -> str:
        """Address of the socket."""

    @property
    def proxy(self) -> str:
        """HTTP proxy to connect through, "" for none."""


class Shell(Protocol):
    """The world outside."""

    def call_later(self, delay_s: float, act: Callable[..., object], *args: Any) -> Timer:  # noqa: ANN401
        """Call ``act`` once, ``delay_s`` from now."""

    def start(self, work: Coroutine[Any, Any, None], name: str, ended: Ended) -> Work:
        """Run ``work`` from the next turn on; ``ended`` hears of its end, cancelled or not."""

    async def end(self, works: Iterable[Work]) -> None:
        """Cancel works and wait for their end."""

    async def sleep(self, seconds: float) -> None:
        """Let time pass."""

    def dial(self, caller: Caller, place: Place, deadline_s: float) -> Line:
        """Begin to connect; what becomes of it reaches ``caller``."""

    def surface(self, text: str, error: Exception) -> None:
        """Hand a failure nobody waits for to who owns the program."""
