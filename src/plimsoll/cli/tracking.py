"""Track records for the commands that show or judge them."""

import difflib
import time
from collections.abc import Iterable
from typing import Final

from plimsoll.cli.books import damage_told, journal_of, wall_ns
from plimsoll.cli.exits import Exit
from plimsoll.cli.failure import Failure
from plimsoll.cli.measuring import tell
from plimsoll.config.books import Books
from plimsoll.core.model import strategy_of
from plimsoll.track import Read, Track, read

_TELL_S: Final = 2.0


def tracks_of(books: Books) -> Read:
    """Return the track records of an account as its log has them now.

    Raises:
        Failure: there is no log, or it is damaged.
    """
    told_s = time.monotonic()

    def told(records: int, ts_ns: int) -> None:
        nonlocal told_s
        if time.monotonic() - told_s >= _TELL_S:
            told_s = time.monotonic()
            tell(records, ts_ns)

    folder = journal_of(books)
    with damage_told(books):
        return read(folder, wall_ns(), told)


def wanted(found: Read, strategy: str) -> list[Track]:
    """Return the records asked for, those of instances that are configured first.

    Args:
        found: All of them.
        strategy: One strategy with each of its books, or one book; empty: everything.

    Raises:
        Failure: there is no such strategy or instance.
    """
    tracks = found.tracks.of
    if strategy:
        of_strategy = [one for name, one in tracks.items() if strategy_of(name) == strategy]
        if of_strategy:
            return of_strategy
        must_be_there(strategy, tracks)
        return [tracks[strategy]]
    settings = found.tracks.state.settings
    configured = [one.name for one in settings.strategies] if settings is not None else []
    return sorted(tracks.values(), key=lambda one: one.settings.name not in configured)


def strategies_of(found: Read, strategy: str = "") -> list[str]:
    """Return the strategies asked for, those that are configured first.

    Raises:
        Failure: there is no such strategy, or a book was named.
    """
    names = list(dict.fromkeys(strategy_of(one.settings.name) for one in wanted(found, "")))
    if not strategy:
        return names
    if strategy not in names and strategy_of(strategy) in names:
        what = f"{strategy} is a book of {strategy_of(strategy)}, and a stage is the strategy's"
        raise Failure(Exit.USAGE, "not-found", what, f"did you mean {strategy_of(strategy)}?")
    must_be_there(strategy, names)
    return [strategy]


def book_of(found: Read, strategy: str) -> Track:
    """Return the record that counts for what a strategy may become next.

    With money behind it that is its live book's, else that on paper; the other one where there is
    only that.
    """
    tracks = [one for name, one in found.tracks.of.items() if strategy_of(name) == strategy]
    is_live = found.tracks.state.standing(strategy).stage.is_promoted
    return min(tracks, key=lambda one: one.is_paper is is_live)


def must_be_there(name: str, names: Iterable[str]) -> None:
    """Refuse a name that no instance has.

    Raises:
        Failure: there is none.
    """
    known = sorted(names)
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(known) or 'none'}"
        raise Failure(Exit.USAGE, "not-found", f"no strategy instance is called {name!r}", hint)
