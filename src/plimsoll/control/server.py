"""The listening side of the control socket, inside the engine's event loop."""

import asyncio
import os
import socket
import stat
import struct
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import msgspec

from plimsoll.control.address import socket_address
from plimsoll.control.errors import ControlError
from plimsoll.control.protocol import (
    LINE_BYTES,
    Answer,
    Command,
    Refused,
    encode_line,
    parse_command,
)

PING: Final = "ping"
_KEPT_ANSWERS: Final = 1000
_CLIENTS_MOST: Final = 32
_PATIENCE_S: Final = 10.0
_CREDENTIALS: Final = struct.Struct("3i")
"""struct ucred of SO_PEERCRED: pid, uid, gid."""


class ControlServer:
    """Answers commands of the same user, each id once."""

    def __init__(
        self,
        path: Path,
        handle: Callable[[Command], Answer],
        *,
        vet: Callable[[Command], Awaitable[str]] | None = None,
        keep: Callable[[Answer], Awaitable[Answer]] | None = None,
        prepare: Callable[[Command], Awaitable[str]] | None = None,
        uid: int | None = None,
        patience_s: float = _PATIENCE_S,
    ) -> None:
        """Listen at ``path`` from `start` on.

        Args:
            path: The socket's file; its folder exists.
            handle: Decides about a command at once; called on the event loop, once for each id.
                An exception from it is answered as a refusal and reported to the loop's handler.
            vet: Checks the proof of a command that has one, in its own time; returns why it is
                refused, empty where it holds. Without it a proof is refused. `handle` never sees a
                proof, and none is kept.
            keep: Waits, in its own time, until what was accepted would outlive the machine's power.
            prepare: Does, in its own time, what a command needs before it is decided about; returns
                why it is refused instead. It may be asked again about the same command.
            uid: The only user served; this process's by default.
            patience_s: Seconds a client may be silent or slow before it is dropped.
        """
        self.path = path
        self._handle = handle
        self._vet = vet
        self._keep = keep
        self._prepare = prepare
        self._uid = os.geteuid() if uid is None else uid
        self._patience_s = patience_s
        self._answers: dict[str, tuple[Command, Answer]] = {}
        self._clients: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Begin to listen; the socket file of a dead engine is replaced.

        Raises:
            ControlError: another process listens there, or the path cannot be used.
        """
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            _remove_stale(self.path)
            os.fchmod(listener.fileno(), 0o600)  # before bind: the file is born with this mode
            with socket_address(self.path) as address:
                listener.bind(address)
            self._server = await asyncio.start_unix_server(
                self._serve, sock=listener, limit=LINE_BYTES
            )
        except OSError as error:
            listener.close()
            raise ControlError(f"cannot listen at {self.path}: {error.strerror}") from error
        except BaseException:
            listener.close()
            raise

    async def close(self) -> None:
        """Stop listening, drop every client and remove the socket file."""
        if self._server is None:
            return
        self._server.close()
        for writer in list(self._clients):
            writer.transport.abort()
        await self._server.wait_closed()
        self._server = None
        self.path.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._clients) >= _CLIENTS_MOST or _peer_uid(writer) != self._uid:
            writer.transport.abort()
            return
        self._clients.add(writer)
        try:
            while await self._serve_line(reader, writer):
                pass
        except (TimeoutError, OSError, asyncio.IncompleteReadError):
            writer.transport.abort()  # silent, slow or gone: nothing is owed to it
        finally:
            self._clients.discard(writer)
            writer.close()

    async def _serve_line(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one line; return whether the client may send another."""
        async with asyncio.timeout(self._patience_s):
            try:
                line = await reader.readuntil(b"\n")
            except asyncio.LimitOverrunError:
                line = b""
            answer = await self._answer(line) if line else _too_long()
            writer.write(encode_line(answer))
            await writer.drain()
        return bool(line)

    async def _answer(self, line: bytes) -> Answer:
        try:
            command = parse_command(line)
        except Refused as refusal:
            return refusal.answer
        if command.cmd == PING:
            return Answer(id=command.id, accepted=True)
        if command.proof is not None:
            reason = await self._vetted(command)
            if reason:
                return Answer(id=command.id, accepted=False, reason=reason)
            command = msgspec.structs.replace(command, proof="")
        if command.id in self._answers:
            first, answer = self._answers[command.id]
            if first != command:
                return _reused(command)
        else:
            reason = await self._prepared(command)
            if reason:
                return Answer(id=command.id, accepted=False, reason=reason)
            if command.id in self._answers:  # the same one came again meanwhile
                return await self._answer(line)
            answer = self._decide(command)
            self._answers[command.id] = (command, answer)
            if len(self._answers) > _KEPT_ANSWERS:
                del self._answers[next(iter(self._answers))]
        return await self._keep(answer) if self._keep and answer.accepted else answer

    async def _vetted(self, command: Command) -> str:
        return await self._vet(command) if self._vet else "this process takes no proof of authority"

    async def _prepared(self, command: Command) -> str:
        return await self._prepare(command) if self._prepare else ""

    def _decide(self, command: Command) -> Answer:
        try:
            return self._handle(command)
        except Exception as error:  # task root: reported, and the client gets an answer
            context = {"message": f"control command {command.cmd} failed", "exception": error}
            asyncio.get_running_loop().call_exception_handler(context)
            reason = "the engine failed on this command; its log says why"
            return Answer(id=command.id, accepted=False, reason=reason)


def _too_long() -> Answer:
    reason = f"line longer than {LINE_BYTES} bytes"
    return Answer(id="", accepted=False, reason=reason)


def _reused(command: Command) -> Answer:
    reason = f"id {command.id} was used for another command: give each its own"
    return Answer(id=command.id, accepted=False, reason=reason)


def _peer_uid(writer: asyncio.StreamWriter) -> int:
    link = writer.get_extra_info("socket")
    content = link.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    _, uid, _ = _CREDENTIALS.unpack(content)
    return int(uid)


def _remove_stale(path: Path) -> None:
    """Remove the socket file of a dead process.

    Raises:
        ControlError: somebody listens, or the file is no socket.
    """
    if not path.exists():
        return
    if not stat.S_ISSOCK(path.stat().st_mode):
        raise ControlError(f"{path} exists and is no socket: move it away")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        try:
            with socket_address(path) as address:
                probe.connect(address)
        except ConnectionRefusedError:
            path.unlink()
            return
        except BlockingIOError:
            pass  # its backlog is full: alive
    raise ControlError(f"another process listens at {path}: stop it first")
