"""A socket that keeps every frame: no reconnects, no renewals, nothing between us and the venue."""

import asyncio
import contextlib
import json
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple, Self

import aiohttp

from plimsoll.venues.bybit.errors import VenueUnreachable
from plimsoll.venues.bybit.ports import Clock
from plimsoll.venues.bybit.probe.tape import Tape

_FRAME_CAP: Final = 16 * 1024 * 1024
_PING: Final = '{"req_id":"probe-ping","op":"ping"}'


class Frame(NamedTuple):
    """A frame as it came; ``found`` is its content, empty where it is no JSON object."""

    at_ns: int
    raw: str
    found: dict[str, Any]

    @property
    def topic(self) -> str:
        """Return its topic, empty for a control frame."""
        return str(self.found.get("topic", ""))

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Return its items."""
        data = self.found.get("data")
        items = data if isinstance(data, list) else [data]
        return [item for item in items if isinstance(item, dict)]


class Socket:
    """One connection of the probe; use it with ``async with``."""

    def __init__(
        self,
        link: str,
        url: str,
        tape: Tape,
        clock: Clock,
        *,
        ping_s: float = 15.0,
        proxy: str = "",
    ) -> None:
        """Prepare; ``ping_s`` of zero sends no heartbeat at all."""
        self.link = link
        self.url = url
        self.frames: list[Frame] = []
        self.closed_ns = 0
        self.opened_ns = 0
        self.on_frame: Callable[[Frame], None] | None = None
        self._tape = tape
        self._clock = clock
        self._ping_s = ping_s
        self._proxy = proxy
        self._changed = asyncio.Event()
        self._session: aiohttp.ClientSession | None = None
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._asked = 0

    async def __aenter__(self) -> Self:
        """Connect.

        Raises:
            VenueUnreachable: it does not take the connection.
        """
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None, connect=10))
        try:
            self._socket = await self._session.ws_connect(
                self.url, max_msg_size=_FRAME_CAP, proxy=self._proxy or None
            )
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            await self._session.close()
            raise VenueUnreachable(f"{self.url}: {error!r}") from error
        self.opened_ns = self._clock.now_ns()
        self._tasks = [asyncio.create_task(self._read(self._socket))]
        if self._ping_s:
            self._tasks.append(asyncio.create_task(self._keep()))
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._socket is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(2):
                    await self._socket.close()
        if self._session is not None:
            await self._session.close()

    @property
    def is_open(self) -> bool:
        """Return whether the venue has not ended it."""
        return not self.closed_ns

    def mark(self) -> int:
        """Return the number of the next frame, to look at what comes from now on."""
        return len(self.frames)

    async def say(self, text: str, shown: str = "") -> None:
        """Write a frame; ``shown`` stands in the recording instead of a signed one.

        Raises:
            VenueUnreachable: the connection has ended.
        """
        assert self._socket is not None
        self._tape.frame(self.link, "out", shown or text)
        try:
            await self._socket.send_str(text)
        except (ConnectionError, aiohttp.ClientError) as error:
            raise VenueUnreachable(f"{self.url}: the connection has ended") from error

    async def ask(
        self, op: str, *, patience_s: float, args: object = None, shown: str = "", **fields: object
    ) -> Frame | None:
        """Send a control message and return the answer with its id or operation."""
        self._asked += 1
        request_id = f"probe-{self._asked}"
        message: dict[str, object] = {"req_id": request_id, "op": op, **fields}
        if args is not None:
            message["args"] = args
        since = self.mark()
        await self.say(json.dumps(message, separators=(",", ":")), shown)

        def answers(frame: Frame) -> bool:
            found = frame.found
            if frame.topic:
                return False
            is_op = found.get("op") in (op, "pong" if op == "ping" else op)
            return found.get("req_id", request_id) == request_id and is_op

        return await self.first(answers, since, patience_s)

    async def first(
        self, test: Callable[[Frame], bool], since: int, patience_s: float
    ) -> Frame | None:
        """Return the first frame from number ``since`` on that passes, waiting for it."""
        at = since
        loop = asyncio.get_running_loop()
        until = loop.time() + patience_s
        while True:
            while at < len(self.frames):
                if test(self.frames[at]):
                    return self.frames[at]
                at += 1
            if loop.time() >= until or self.closed_ns:
                return None
            self._changed.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(until):
                    await self._changed.wait()

    async def ended(self, patience_s: float) -> bool:
        """Wait for the venue to end the connection and return whether it did."""
        await self.first(lambda frame: False, self.mark(), patience_s)
        return bool(self.closed_ns)

    def of(self, topic: str, since: int = 0) -> list[Frame]:
        """Return the frames of a topic, its categorised forms included."""
        return [frame for frame in self.frames[since:] if frame.topic.partition(".")[0] == topic]

    def rows(self, topic: str, since: int = 0) -> Iterator[tuple[Frame, dict[str, Any]]]:
        """Yield the items of a topic with the frame they came in."""
        for frame in self.of(topic, since):
            for row in frame.rows:
                yield frame, row

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        try:
            async for message in socket:
                if message.type is aiohttp.WSMsgType.TEXT:
                    self._take(message.data)
        finally:
            self.closed_ns = self._clock.now_ns()
            self._changed.set()

    def _take(self, text: str) -> None:
        self._tape.frame(self.link, "in", text)
        try:
            found = json.loads(text)
        except ValueError:
            found = {}
        frame = Frame(self._clock.now_ns(), text, found if isinstance(found, dict) else {})
        self.frames.append(frame)
        if self.on_frame is not None:
            self.on_frame(frame)
        self._changed.set()

    async def _keep(self) -> None:
        while self.is_open:
            await asyncio.sleep(self._ping_s)
            with contextlib.suppress(VenueUnreachable):
                await self.say(_PING)
