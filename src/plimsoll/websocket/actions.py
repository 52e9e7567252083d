"""What a session asks of its driver."""

import msgspec

from plimsoll.websocket.topics import Topic


class Connect(msgspec.Struct, frozen=True):
    """Open the connection, then call ``opened`` or ``closed``."""


class Send(msgspec.Struct, frozen=True):
    """Write this text frame."""

    payload: bytes


class Close(msgspec.Struct, frozen=True):
    """Drop the connection or the attempt now; nothing of it may reach the machine any more."""

    reason: str


class Up(msgspec.Struct, frozen=True):
    """Authenticated and subscribed."""


class Down(msgspec.Struct, frozen=True):
    """Not usable; ``was_up`` tells a break from an attempt that failed."""

    reason: str
    was_up: bool


class Moved(msgspec.Struct, frozen=True):
    """What these topics are worth on this connection changed; ``Session.standing`` says to what."""

    topics: tuple[Topic, ...]


class Proven(msgspec.Struct, frozen=True):
    """A ping was answered: up to the time it was sent everything has arrived."""


class Aged(msgspec.Struct, frozen=True):
    """The venue will cut the connection soon: a successor is wanted. Said once a connection."""


class Report(msgspec.Struct, frozen=True):
    """Something to tell a person.

    ``code`` is topic-refused, topic-silent, topic-dead, auth-refused or notice.
    """

    code: str
    subject: str
    text: str


Action = Connect | Send | Close | Up | Down | Moved | Proven | Aged | Report
