"""What a venue's dialect has to know, and the words in which it tells what a frame says."""

from collections.abc import Hashable, Sequence
from typing import Protocol

import msgspec


class AuthAccepted(msgspec.Struct, frozen=True):
    """The venue accepted our key on this connection."""


class AuthRefused(msgspec.Struct, frozen=True):
    """The venue refused our key or signature."""

    text: str


class Subscribed(msgspec.Struct, frozen=True):
    """The request with this id succeeded; an empty id means the oldest one outstanding."""

    request_id: str


class SubscribeRefused(msgspec.Struct, frozen=True):
    """A request failed because of ``topic`` (empty: the venue did not say which).

    ``is_harmless``: the topic was subscribed already, which is what we wanted.
    """

    request_id: str
    topic: str
    text: str
    is_harmless: bool = False


class Unsubscribed(msgspec.Struct, frozen=True):
    """The venue answered a request to end subscriptions: what comes from now on is not of them."""

    request_id: str


class Pong(msgspec.Struct, frozen=True):
    """The answer to our ping."""


class Data(msgspec.Struct, frozen=True):
    """No control frame: a message of this topic, which was not to be seen cheaply."""

    topic: str


class Notice(msgspec.Struct, frozen=True):
    """A control frame that changes nothing; ``text`` is worth reporting unless empty."""

    text: str = ""


class Malformed(msgspec.Struct, frozen=True):
    """A frame that is no readable message: the connection cannot be trusted any further."""

    text: str


Control = (
    AuthAccepted
    | AuthRefused
    | Subscribed
    | SubscribeRefused
    | Unsubscribed
    | Pong
    | Data
    | Notice
    | Malformed
)


class Dialect(Protocol):
    """How one venue says the things every streaming venue says."""

    batch: int
    """Most topics in one subscribe or unsubscribe request."""

    args_chars: int
    """Most characters of topics that one connection may carry."""

    requires_all: bool
    """Whether one refused topic makes the connection useless (private streams)."""

    def auth(self) -> bytes | None:
        """Return the authentication message, ``None`` where none is needed."""

    def subscribe(self, topics: Sequence[str], request_id: str) -> bytes:
        """Return the message that subscribes ``topics``."""

    def unsubscribe(self, topics: Sequence[str], request_id: str) -> bytes:
        """Return the message that ends the subscription of ``topics``."""

    def ping(self, request_id: str) -> bytes:
        """Return the heartbeat message."""

    def topic_of(self, payload: bytes) -> bytes | None:
        """Return a data frame's topic as it stands there where cheaply seen, else ``None``."""

    def control(self, payload: bytes) -> Control | None:
        """Return what a frame says; ``None`` if it is for the handler and has no topic."""

    def silence_ns(self, topic: str) -> int:
        """Return how long a fresh subscription may stay without data; 0 = for ever."""

    def is_chained(self, topic: str) -> bool:
        """Return whether each message of the topic numbers itself as the successor of another."""

    def identity(self, topic: str, payload: bytes) -> Hashable | None:
        """Return what makes a message of the topic the same on two connections.

        Of a chained topic it is an ``arbiter.ChainId``; ``None``: it cannot be told.
        """
