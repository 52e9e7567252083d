"""Commands that ask the venue: one client, one question, every end as words and an exit code."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from plimsoll.cli.exits import Exit
from plimsoll.cli.failure import Failure
from plimsoll.cli.wiring import venue_settings
from plimsoll.config.project import Project
from plimsoll.engine.clock import EngineClock
from plimsoll.venues.bybit.api import BybitClient, CallFailed
from plimsoll.venues.bybit.codes import CodeClass, class_of
from plimsoll.venues.bybit.errors import (
    AccountUnsupported,
    CredentialsRefused,
    ParseError,
    UnknownInstrument,
    VenueError,
    VenueUnreachable,
)
from plimsoll.venues.bybit.rest import Answer, End
from plimsoll.venues.bybit.settings import BybitSettings

FoundT = TypeVar("FoundT")

_EXIT_OF: Final[tuple[tuple[type[VenueError], Exit, str], ...]] = (
    (UnknownInstrument, Exit.CONFIGURATION, "unknown-instrument"),
    (CredentialsRefused, Exit.CREDENTIALS, "credentials"),
    (VenueUnreachable, Exit.UNREACHABLE, "unreachable"),
    (AccountUnsupported, Exit.REFUSED, "account"),
)
_KEY_CODES: Final = frozenset({10003, 10004, 10007, 10010, 33004, -2015})


def ask(project: Project, work: Callable[[BybitClient], Awaitable[FoundT]]) -> FoundT:
    """Return what ``work`` makes of a client of the project's venue.

    Raises:
        ConfigError: region or credentials cannot be used.
        Failure: the venue is not there, refuses, or says what nobody understands.
    """
    return ask_at(venue_settings(project), work, lambda: key_hint(project))


def ask_at(
    settings: BybitSettings,
    work: Callable[[BybitClient], Awaitable[FoundT]],
    key_hint: Callable[[], str] = lambda: "",
) -> FoundT:
    """Return what ``work`` makes of a client of a venue.

    Args:
        settings: Where it is, and who asks.
        work: The question.
        key_hint: What to say where the venue does not know the key.

    Raises:
        Failure: the venue is not there, refuses, or says what nobody understands.
    """

    async def main() -> FoundT:
        async with BybitClient(settings, EngineClock()) as client:
            return await work(client)

    try:
        return asyncio.run(main())
    except CallFailed as failed:
        raise _of_answer(str(failed), failed.answer, key_hint) from failed
    except VenueError as error:
        kinds = (one for one in _EXIT_OF if isinstance(error, one[0]))
        _, code, word = next(kinds, (VenueError, Exit.CONFIGURATION, "venue"))
        raise Failure(code, word, str(error)) from error
    except ParseError as error:
        text = f"the venue's answer is not understood: {error}"
        raise Failure(Exit.UNREACHABLE, "unreadable", text) from error


def key_hint(project: Project) -> str:
    """Return the likely cause of a key that is not known (10003)."""
    here = project.settings.venue.environment
    return (
        f"the configuration says venue.environment {here}, and a key belongs to exactly one of "
        "mainnet, testnet and demo; `plimsoll account check --probe` asks the others for it"
    )


def _of_answer(text: str, answer: Answer, key_hint: Callable[[], str]) -> Failure:
    if answer.end not in (End.OK, End.REFUSED):
        return Failure(Exit.UNREACHABLE, "unreachable", text, "nothing is known of its effect")
    if answer.code == 10003:
        return Failure(Exit.CREDENTIALS, "key-unknown", text, key_hint())
    if answer.code in _KEY_CODES or class_of(answer.code) is CodeClass.FATAL:
        hint = "check key, secret, rights and bound address at the venue"
        return Failure(Exit.CREDENTIALS, "key-refused", text, hint)
    return Failure(Exit.REFUSED, "refused", text)
