"""What the engine needs of a lease, whatever store it comes from."""

from typing import Protocol


class Lease(Protocol):
    """The right to send for one account.

    ``held`` is one word, read as the last step before the socket (deployment.md LSE-5); a store
    with expiry clears it in time. ``epoch`` is greater than that of every lease before.
    """

    held: bool

    @property
    def epoch(self) -> int:
        """Return the number that marks ids and records of this session."""
        ...

    def release(self) -> None:
        """Give the right back; ``held`` is False before anybody else can take it."""
        ...
