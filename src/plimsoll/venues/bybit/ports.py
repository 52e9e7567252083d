"""What the venue needs from its engine: a place to put records, and a clock."""

from typing import NamedTuple, Protocol

from plimsoll.core.records import Record


class Clock(Protocol):
    """The session's clock: Unix time at its start plus monotonic time elapsed."""

    def now_ns(self) -> int:
        """Return the session's time in Unix ns."""

    def monotonic_ns(self) -> int:
        """Return monotonic time in ns."""


class Inbox(Protocol):
    """Where inputs go; the engine implements it, and each call is done when it returns."""

    def stamp(self) -> tuple[int, int, int, int]:
        """Return (seq, ts_ns, epoch, cause) for the next input."""

    def put(self, record: Record) -> None:
        """Append, apply and decide, synchronously."""

    def frame(self, link: int, raw: bytes, received_ns: int) -> None:
        """Take a raw public data frame (hot path)."""

    def trouble(self, code: str, subject: str, text: str) -> None:
        """Hear of something a person should know: parse errors, unlisted symbols, bad topics."""


class Sent(NamedTuple):
    """A request that was written: what ``OrderSent`` records."""

    request_id: str
    signed_ms: int
    via: str
    """``trade`` or ``rest``."""

    connection: int = 0
    """Number of the trade connection, 0 by REST."""
