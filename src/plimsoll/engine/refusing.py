"""What stands against a start: refused with an exit code (docs/reference/commands.md)."""

import contextlib
from collections.abc import Iterator
from typing import Final

from plimsoll.control import ControlError
from plimsoll.journal import JournalDamaged, JournalError
from plimsoll.lease import LeaseError, LeaseHeld
from plimsoll.venues.bybit.errors import (
    AccountUnsupported,
    CredentialsRefused,
    UnknownInstrument,
    VenueError,
    VenueUnreachable,
)

_EXIT_OF: Final[tuple[tuple[type[Exception], int], ...]] = (
    (UnknownInstrument, 3),
    (CredentialsRefused, 5),
    (VenueUnreachable, 6),
    (AccountUnsupported, 7),
    (LeaseHeld, 7),
    (LeaseError, 7),
    (JournalDamaged, 7),
    (JournalError, 7),
    (VenueError, 3),
    (ControlError, 7),
    (OSError, 7),
)


class Refused(Exception):
    """The engine does not start, with the exit code and the words for it."""

    def __init__(self, code: int, text: str) -> None:
        """Carry both."""
        super().__init__(text)
        self.code = code


@contextlib.contextmanager
def refusing() -> Iterator[None]:
    """Turn what stands against a start into a refusal with its exit code."""
    try:
        yield
    except tuple(kind for kind, _ in _EXIT_OF) as error:
        code = next(code for kind, code in _EXIT_OF if isinstance(error, kind))
        raise Refused(code, str(error)) from error
