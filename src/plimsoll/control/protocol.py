"""The words on the control socket, and those of a beat."""

from enum import StrEnum
from typing import Final

import msgspec

VERSION: Final = 1
LINE_BYTES: Final = 64 * 1024
"""Longest line accepted, its end included."""
_TEXT_MOST: Final = 200


class Command(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One command.

    ``id`` names it for ever: a repeated one gets the first answer. ``actor`` is who asks, ``epoch``
    the session it is meant for (0: whichever runs), ``proof`` what shows the actor's authority
    where the command needs one.
    """

    v: int = VERSION
    id: str
    actor: str
    cmd: str
    args: dict[str, object] = {}
    epoch: int = 0
    proof: str | None = None


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a command: ``seq`` is that of its input record, 0 where there is none.

    ``reason`` says why it was refused, or what is missing although it was accepted.
    """

    id: str
    accepted: bool
    reason: str = ""
    seq: int = 0


class Life(StrEnum):
    """What the engine is doing."""

    STARTING = "starting"
    """Announced before the first beat: the lease is not taken yet."""

    RUNNING = "running"
    STOPPING = "stopping"
    ENDED = "ended"
    """Cleanly, and the end policy is carried out: nothing needs watching."""


class Beat(msgspec.Struct, frozen=True, kw_only=True):
    """One sign of life. ``seq`` is the loop's own: one that stands still is no life."""

    v: int = 1
    life: Life
    seq: int = 0
    epoch: int = 0
    ts_ns: int = 0
    is_ready: bool = False
    """The books have been compared with the venue's."""
    pid: int = 0


class Refused(Exception):
    """A line is no command; the answer to give instead."""

    def __init__(self, answer: Answer) -> None:
        """Carry the answer."""
        super().__init__(answer.reason)
        self.answer = answer


class _Envelope(msgspec.Struct):
    """As much of a line as must be understood to refuse it by its id."""

    v: object = None
    id: object = None


def parse_command(line: bytes) -> Command:
    """Return the command on a line.

    Raises:
        Refused: malformed, of another version, or with wrong types.
    """
    try:
        envelope = msgspec.json.decode(line, type=_Envelope)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _refused("", f"expected one JSON object a line: {error}") from error
    name = envelope.id if isinstance(envelope.id, str) else ""
    if envelope.v != VERSION or isinstance(envelope.v, bool):
        raise _refused(name, f"expected protocol version v={VERSION}, found {envelope.v!r}")
    try:
        command = msgspec.json.decode(line, type=Command)
    except msgspec.MsgspecError as error:
        raise _refused(name, str(error)) from error
    for label, text in (("id", command.id), ("actor", command.actor), ("cmd", command.cmd)):
        if not 0 < len(text) <= _TEXT_MOST:
            what = f"expected 1 to {_TEXT_MOST} characters in {label}, found {len(text)}"
            raise _refused(name[:_TEXT_MOST], what)
    return command


def encode_line(message: Command | Answer) -> bytes:
    """Return a message as its line."""
    return msgspec.json.encode(message) + b"\n"


def _refused(name: str, reason: str) -> Refused:
    return Refused(Answer(id=name, accepted=False, reason=reason[:1000]))
