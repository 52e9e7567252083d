"""Opening a project's logs for reading; the engine may run, be dead, or be of another day."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from plimsoll.cli.exits import Exit
from plimsoll.cli.failure import Failure
from plimsoll.cli.prices import add_prices
from plimsoll.config.books import Books
from plimsoll.engine.replica import Replica
from plimsoll.journal import TRADING, JournalDamaged, JournalError
from plimsoll.lease import Holder, current_holder


def journal_of(books: Books) -> Path:
    """Return the folder of the account's logs.

    Raises:
        Failure: nothing was ever written there.
    """
    folder = books.journal_dir
    if not any((folder / TRADING).glob("*.seg")):
        raise Failure(
            Exit.CONFIGURATION,
            "no-journal",
            f"{folder} holds no log: no engine has run for this account and environment yet",
            f"plimsoll run --project {books.root} starts one; plimsoll demo needs no project",
        )
    return folder


@contextmanager
def replica_of(books: Books) -> Iterator[Replica]:
    """Yield the books as the logs have them now, with the newest prices.

    Raises:
        Failure: there is no log, or it is damaged.
    """
    folder = journal_of(books)
    with damage_told(books):
        replica = Replica(folder)
        try:
            replica.poll()
            add_prices(replica.core, folder)
            yield replica
        finally:
            replica.close()


@contextmanager
def damage_told(books: Books) -> Iterator[None]:
    """Turn a damaged log into words."""
    try:
        yield
    except JournalDamaged as error:
        raise Failure(
            Exit.UNHEALTHY,
            "journal-damaged",
            str(error),
            f"plimsoll journal verify --project {books.root} lists every damaged place",
        ) from error
    except JournalError as error:
        raise Failure(Exit.UNHEALTHY, "journal-unreadable", str(error)) from error


def holder_of(books: Books) -> Holder | None:
    """Return the process that holds the account's lease now: the running engine."""
    return current_holder(books.layout.lease_dir, books.account)


def wall_ns() -> int:
    """Return Unix time, for ages shown to people."""
    return time.time_ns()  # noqa: TID251 - the age of the newest record is what is asked for
