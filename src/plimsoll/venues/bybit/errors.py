"""What can go wrong at the venue's door, each with what was found and how to fix it."""

from typing import Final

_WORDS_MOST: Final = 500


class VenueError(Exception):
    """Base of the refusals to start; the message says what, where and how to fix it."""

    def __init__(self, text: str) -> None:
        """Keep the words to a length a log line can bear: some quote what was sent."""
        super().__init__(shortened(text))


class CredentialsRefused(VenueError):
    """The venue does not accept the key, or the key may do more or less than trading needs."""


class VenueUnreachable(VenueError):
    """No usable answer from the venue."""


class UnknownInstrument(VenueError):
    """A configured instrument does not exist, does not trade, or cannot be counted exactly."""


class AccountUnsupported(VenueError):
    """The account's mode is outside what this version supports."""


class ParseError(ValueError):
    """A message of the venue could not be understood; nothing of the faulty item was used."""

    def __init__(self, text: str) -> None:
        """Keep the words to a length a log line can bear: they quote what was sent."""
        super().__init__(shortened(text))


def shortened(text: str) -> str:
    """Return a text at the length a log line, an error or a record can bear."""
    return text if len(text) <= _WORDS_MOST else f"{text[:_WORDS_MOST]}..."
