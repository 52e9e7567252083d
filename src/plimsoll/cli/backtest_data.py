"""The bars of a backtest: where they come from, and what has to be said of them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Final

from plimsoll.backtest.instruments import LOOKED_AT, inferred
from plimsoll.backtest.plan import Row, Series
from plimsoll.cli.backtest_options import Asked
from plimsoll.cli.books import wall_ns
from plimsoll.cli.exits import Exit
from plimsoll.cli.failure import Failure
from plimsoll.core.model import Instrument
from plimsoll.data import BadRows, DataError, NotRecognised, Store, read_bars, read_file

_MS: Final = 1_000_000
_SHOWN: Final = 10

_OF_IMPORT: Final = ("--columns", "--day", "--zone", "--time-format", "--kind")
"""Options that say how a file is read: those of ``data import``."""

_TAKEN: Final = ("without a zone", "taken as", "no newline", "no header")
"""In what is told of a file: what may be otherwise than it was read."""


@contextmanager
def data_told() -> Iterator[None]:
    """Turn what is wrong with data into the end of a command."""
    try:
        yield
    except BadRows as error:
        count = sum(error.counts.values())
        lines = [f"{error.where}: {error.what}", *(one.text for one in error.findings[:_SHOWN])]
        if count > _SHOWN:
            lines.append(f"and {count - _SHOWN:,} more")
        raise Failure(Exit.CONFIGURATION, "data", "\n  ".join(lines), error.how) from error
    except NotRecognised as error:
        how = error.how
        if any(option in how for option in _OF_IMPORT):
            how = f"`plimsoll data import` takes it: {how}; then backtest without --data"
        text = f"{error.where}: {error.what}"
        raise Failure(Exit.CONFIGURATION, "data", text, how) from error
    except DataError as error:
        text = f"{error.where}: {error.what}"
        raise Failure(Exit.CONFIGURATION, "data", text, error.how) from error


def series_of(
    asked: Asked, name: str, file: str, span: tuple[int, int], notes: list[str]
) -> tuple[Series, str]:
    """Return the bars of an instrument, and what has to be said of its filters.

    ``notes`` gets what was taken for granted of a file, once it is read.
    """

    def taken(how: tuple[str, ...]) -> None:
        notes.extend(f"{file}: {one}" for one in how if any(word in one for word in _TAKEN))

    directory = Path(asked.project) / "data"
    chunks: Callable[[], Iterator[list[Row]]]
    if file:
        path = Path(file)
        chunks = partial(
            read_file,
            path,
            asked.bars,
            instrument=name,
            from_ms=span[0],
            to_ms=span[1],
            tell=taken,
            now_ms=wall_ns() // _MS,
        )
        source = f"{name} {asked.bars}: {path.name}"
    else:
        chunks = partial(read_bars, directory, name, asked.bars, *span)
        source = f"{name} {asked.bars}: the project's store"
    filters = Store(directory).filters(name)
    if filters is not None:
        day = datetime.fromtimestamp(filters.asked_ms / 1000, UTC).date()
        note = f"{name}: filters and fees are those of {day}, not of the time of the data"
        return Series(filters.instrument, chunks, source=source), note
    stream = chunks()
    first = list(islice(stream, 1))
    if not first:
        until = f" until {asked.until}" if asked.until else ""
        raise Failure(
            Exit.CONFIGURATION,
            "no-bars",
            f"{source}: there are no bars from {asked.since or 'the first'}{until}",
            "see `plimsoll data list`, or what times the file has",
        )
    try:
        instrument = inferred(name, islice(chain.from_iterable(first), LOOKED_AT))
    except ValueError as error:
        raise Failure(
            Exit.CONFIGURATION,
            "no-bars",
            str(error),
            "prices that are finer than money is counted in cannot be traded; are they per unit?",
        ) from error
    again = iter([chain(first, stream)])

    def once() -> Iterator[list[Row]]:
        return iter(next(again))

    note = (
        f"{name}: no filters stored: tick {instrument.tick_size} and lot {instrument.lot_size} are "
        f"read off the prices, fees are the venue's highest ({fees_of(instrument)})"
    )
    return Series(instrument, once, source=source), note


def fees_of(instrument: Instrument) -> str:
    """Return fee rates in words."""
    return f"taker {float(instrument.taker_fee):.3%}, maker {float(instrument.maker_fee):.3%}"
