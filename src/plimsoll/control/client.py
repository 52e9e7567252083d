"""Sending one command and waiting for its answer, without an event loop."""

import socket
import time
from pathlib import Path

import msgspec

from plimsoll.control.address import socket_address
from plimsoll.control.errors import ControlError, ControlUnanswered, ControlUnreachable
from plimsoll.control.protocol import LINE_BYTES, Answer, Command, encode_line


def send_command(path: Path, command: Command, timeout: float = 5.0) -> Answer:
    """Give a command to the process listening at ``path`` and return its answer.

    Args:
        path: The control socket.
        command: What to ask.
        timeout: Seconds for everything together.

    Raises:
        ControlUnreachable: nobody listens; nothing was given to anyone.
        ControlUnanswered: it was sent, and it may have been accepted: repeat it with the same id.
        ControlError: the command is too long.
    """
    line = encode_line(command)
    if len(line) > LINE_BYTES:
        raise ControlError(f"command of {len(line)} bytes, at most {LINE_BYTES} are accepted")
    deadline = time.monotonic() + timeout
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
        link.settimeout(timeout)
        _connect(link, path)
        try:
            link.sendall(line)
            return _answer(link, path, command.id, deadline)
        except OSError as error:
            raise _unanswered(path, command.id, str(error) or "no answer in time") from error


def _connect(link: socket.socket, path: Path) -> None:
    try:
        with socket_address(path) as address:
            link.connect(address)
    except OSError as error:
        raise ControlUnreachable(
            f"nobody answers at {path} ({error.strerror or error}). Is the engine running, by the "
            f"same user? `plimsoll status` reads its logs even when it is not"
        ) from error


def _answer(link: socket.socket, path: Path, name: str, deadline: float) -> Answer:
    received = b""
    while not received.endswith(b"\n"):
        left = deadline - time.monotonic()
        if left <= 0:
            raise _unanswered(path, name, "no answer in time")
        link.settimeout(left)
        chunk = link.recv(LINE_BYTES)
        if not chunk or len(received) + len(chunk) > LINE_BYTES:
            raise _unanswered(path, name, "the connection ended before a whole answer")
        received += chunk
    try:
        answer = msgspec.json.decode(received, type=Answer)
    except msgspec.MsgspecError as error:
        raise _unanswered(path, name, f"not an answer: {error}") from error
    if answer.id not in (name, ""):
        raise _unanswered(path, name, f"the answer belongs to {answer.id!r}")
    return answer


def _unanswered(path: Path, name: str, reason: str) -> ControlUnanswered:
    return ControlUnanswered(
        f"{path}: {reason}; command {name} may have been accepted. Send it again with the same id: "
        f"it is never carried out twice by one engine"
    )
