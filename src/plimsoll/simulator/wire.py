"""The last metre of one connection, where faults of the network act on bytes."""

import asyncio
from typing import Final

from aiohttp import WSMsgType, web

from plimsoll.simulator.faults.payload import spoiled
from plimsoll.simulator.faults.plan import Active, Where
from plimsoll.simulator.faults.venue import FaultyVenue

_STEP_S: Final = 0.005
_PIECE_S: Final = 0.0002
_SPOILED: Final = (
    *("malformed_frame", "huge_frame", "deep_frame", "nonfinite_frame", "bad_utf8_frame"),
)
_STALLS: Final = ("stall", "loss", "path_dead")
_FIN: Final = 0x80


class Wire:
    """Sends the frames of one socket, as whole as the active faults leave them."""

    def __init__(
        self,
        number: int,
        venue: FaultyVenue,
        socket: web.WebSocketResponse,
        transport: asyncio.Transport | None,
    ) -> None:
        """Send to a prepared socket."""
        self._number = number
        self._venue = venue
        self._plan = venue.plan
        self._socket = socket
        self._transport = transport
        self._ready_s = 0.0
        self._skews: dict[str, float] = {}

    @property
    def is_calm(self) -> bool:
        """Return whether no fault acts on anything now."""
        return not self._plan.active

    async def send(self, frame: bytes, opcode: WSMsgType, topic: str, queued_s: float) -> None:
        """Send one frame that was queued at a time of the loop's clock.

        Raises:
            ConnectionError: the client is gone.
        """
        if not self._plan.active:
            await self._socket.send_frame(frame, opcode)
            return
        await self._wait(queued_s)
        here = self._where()
        if fault := self._plan.holding("half_open_out", here):
            self._note_once(fault)
            return
        if opcode is not WSMsgType.TEXT:
            await self._socket.send_frame(frame, opcode)
            return
        where = Where(here.uid, here.kind, here.connection, topic)
        for name in _SPOILED:
            if self._plan.is_active(name) and (fault := self._plan.hit(name, where)):
                self._note(fault, topic)
                frame = spoiled(name, frame, int(fault.ask.size))
        for name in ("reset", "close"):
            if fault := self._plan.hit(name, where):
                self._break_off(fault, frame, topic)
                return
        times = 1
        if fault := self._plan.hit("duplicate_frame", where):
            self._note(fault, topic)
            times = 2
        for _ in range(times):
            await self._write(frame, here)

    async def may_hear(self) -> bool:
        """Wait while the connection is stalled; return whether what came in is heard at all."""
        if not self._plan.active:
            return True
        await self._wait_while_stalled()
        fault = self._plan.holding("half_open_in", self._where())
        if fault is None:
            return True
        self._note_once(fault)
        return False

    async def _wait(self, queued_s: float) -> None:
        await self._wait_while_stalled()
        here, delay_ms = self._where(), 0.0
        if fault := self._plan.holding("delay", here):
            self._note_once(fault)
            share = self._plan.choose(f"{fault.id}:ms:{self._number}", 1000) / 999
            delay_ms += share * fault.ask.size
        if fault := self._plan.holding("skew", here):
            self._note_once(fault)
            if fault.id not in self._skews:
                share = self._plan.choose(f"{fault.id}:skew:{self._number}", 1000) / 999
                self._skews[fault.id] = share * fault.ask.size
            delay_ms += self._skews[fault.id]
        self._ready_s = max(self._ready_s, queued_s + delay_ms / 1000)
        wait_s = self._ready_s - asyncio.get_running_loop().time()
        if wait_s > 0:
            await asyncio.sleep(wait_s)

    async def _wait_while_stalled(self) -> None:
        while self._plan.active:
            where = self._where()
            fault = next(
                (found for name in _STALLS if (found := self._plan.holding(name, where))), None
            )
            if fault is None:
                return
            self._note_once(fault)
            await asyncio.sleep(_STEP_S)

    async def _write(self, frame: bytes, here: Where) -> None:
        if fault := self._plan.holding("fragment", here):
            self._note_once(fault)
            size = max(1, int(fault.ask.size))
            parts = [frame[at : at + size] for at in range(0, len(frame), size)] or [b""]
            for index, part in enumerate(parts):
                opcode = WSMsgType.CONTINUATION if index else WSMsgType.TEXT
                self._raw(frame_bytes(part, opcode, is_last=index == len(parts) - 1))
            return
        if fault := self._plan.holding("split", here):
            self._note_once(fault)
            raw, at = frame_bytes(frame, WSMsgType.TEXT), 0
            while at < len(raw):
                most = max(1, int(fault.ask.size))
                size = 1 + self._plan.choose(f"{fault.id}:piece:{self._number}", most)
                self._raw(raw[at : at + size])
                at += size
                await asyncio.sleep(_PIECE_S)
            return
        await self._socket.send_frame(frame, WSMsgType.TEXT)

    def _break_off(self, fault: Active, frame: bytes, topic: str) -> None:
        """Send the frame up to a drawn byte, then end the connection."""
        raw = frame_bytes(frame, WSMsgType.TEXT)
        count = self._plan.choose(f"{fault.id}:byte", len(raw))
        self._note(fault, topic, byte=count)
        self._raw(raw[:count])
        if self._transport is None:
            return
        if fault.ask.name == "reset":
            self._transport.abort()
        else:
            self._transport.close()

    def _raw(self, data: bytes) -> None:
        if self._transport is None or self._transport.is_closing():
            raise ConnectionResetError("the client is gone")
        self._transport.write(data)

    def _where(self) -> Where:
        found = self._venue.exchange.streams.connections.get(self._number)
        if found is None:
            return Where(connection=self._number)
        uid = found.account.uid if found.account else 0
        return Where(uid, found.kind, self._number)

    def _note(self, fault: Active, topic: str, **fields: int) -> None:
        self._venue.note_now(fault, conn=self._number, topic=topic, **fields)

    def _note_once(self, fault: Active) -> None:
        self._venue.note_once_now(fault, conn=self._number)


def frame_bytes(payload: bytes, opcode: WSMsgType, *, is_last: bool = True) -> bytes:
    """Return a WebSocket frame as a server sends it."""
    return frame_head(len(payload), opcode, is_last=is_last) + payload


def frame_head(size: int, opcode: WSMsgType, *, is_last: bool = True) -> bytes:
    """Return the head of a frame without a mask (RFC 6455, 5.2)."""
    first = (_FIN if is_last else 0) | opcode.value
    if size < 126:
        return bytes((first, size))
    if size < 1 << 16:
        return bytes((first, 126)) + size.to_bytes(2, "big")
    return bytes((first, 127)) + size.to_bytes(8, "big")
