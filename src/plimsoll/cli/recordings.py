"""From files of recorded books and prints to a backtest's plan."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import takewhile
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from plimsoll.backtest.instruments import LOOKED_AT, inferred
from plimsoll.backtest.plan import OPEN_BREAKERS, Row, Series
from plimsoll.backtest.tapes import Arrival, RecordedPlan, Tape
from plimsoll.cli.exits import Exit
from plimsoll.cli.failure import Failure
from plimsoll.core.feed import span_ns
from plimsoll.core.model import Instrument
from plimsoll.core.settings import CoreSettings, Limits, StrategySettings
from plimsoll.core.strategy import Strategy
from plimsoll.data import NothingStored, Store, read_bars
from plimsoll.data.recordings import Opened, is_recording, open_file, open_journal

_MS: Final = 1_000_000
_MINUTE_NS: Final = 60_000_000_000
_LATE_NS: Final = 1_500_000_000
"""A recorder whose freshest message is older than this has a clock that is ahead."""

_CATEGORIES: Final = ("linear", "spot")


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of recordings, once strategy and limits are known."""

    settings: StrategySettings
    load: Callable[[StrategySettings], Strategy]
    limits: Limits
    base: CoreSettings | None
    """Of the project, where there is one."""
    store: Path
    data: str
    from_ms: int
    until_ms: int
    delay_ms: int
    latency_ms: int
    seed: int
    session: tuple[int, int] = (0, 0)
    """Of a journal: its epoch and its first seq; without it the newest one."""


class _File(NamedTuple):
    path: Path
    names: dict[str, str]
    """The instruments it may be about, by symbol."""


def holds_recordings(data: str) -> bool:
    """Return whether any of the files or directories holds recorded inputs.

    Raises:
        DataError: one cannot be read.
    """
    paths = [Path(_split(word)[1]) for word in data.split(",") if word]
    return any(is_recording(path) for path in paths if path.exists())


def recorded_plan(wanted: Wanted) -> tuple[RecordedPlan, list[str]]:
    """Return the plan of a run over recordings, and what has to be said of its data.

    Raises:
        Failure: words or data do not fit together.
        DataError: a file cannot be used.
    """
    names = wanted.settings.instruments
    opened = [_open(one, names, wanted) for one in _files(wanted.data, names)]
    _complete(names, opened)
    found = [_instrument(name, opened, wanted.store) for name in names]
    offset_ns, clock_note = _clock(opened)
    has_minutes = any(one.has_minutes for one in opened)
    plan = RecordedPlan(
        strategies=(wanted.settings,),
        load=wanted.load,
        series=[
            Series(one, lambda: iter(()), source=_sources(one.name, opened)) for one, _ in found
        ],
        tapes=[Tape(_until(one, wanted.until_ms), one.source) for one in opened],
        limits=wanted.limits,
        delay_ns=wanted.delay_ms * _MS,
        latency_ns=wanted.latency_ms * _MS,
        seed=wanted.seed,
        base=wanted.base,
        breakers=OPEN_BREAKERS,
        begin_ns=wanted.from_ms * _MS,
        clock_offset_ns=offset_ns,
        minutes_of=frozenset() if has_minutes or not _wants_minutes(wanted) else frozenset(names),
        history=_history(wanted.store, opened),
    )
    notes = [note for _, note in found] + clock_note + _lacks(names, opened)
    return plan, notes


def assumptions_of(plan: RecordedPlan, limits: str, fees: str) -> dict[str, str]:
    """Return what results over recordings rest on."""
    minutes = f"made of prints, heard {plan.delay_ns / 1e6:g} ms after their end"
    return {
        "fills": "takers at the recorded levels, which are gone until the venue sets them anew; "
        "resting orders by recorded prints and levels that cross them",
        "queue": "behind all that stood there; prints work it off, cancels count as from behind "
        "until the level is smaller: fills by it are called `queue`",
        "arrival": "as recorded; where only the venue's time is, "
        f"{plan.delay_ns / 1e6:g} ms after it",
        "latency": f"a request takes effect {plan.latency_ns / 1e6:g} ms later",
        "minutes": minutes if plan.minutes_of else "the venue's own, as recorded",
        "fees": fees,
        "funding": "by recorded tickers; where none tells of one, none is charged",
        "liquidation": "by the mark price of recorded tickers, else the last one",
        "limits": limits,
        "impact": "none beyond the liquidity taken",
    }


# ---- files -----------------------------------------------------------------------------------


def _split(word: str) -> tuple[str, str]:
    """Return instrument, empty where none is named, and file of ``linear:BTCUSDT=FILE``."""
    name, mark, file = word.partition("=")
    is_named = mark and name.partition(":")[0] in _CATEGORIES
    return (name, file) if is_named else ("", word)


def _files(data: str, names: tuple[str, ...]) -> list[_File]:
    found = []
    for word in (one for one in data.split(",") if one):
        name, file = _split(word)
        if name and name not in names:
            raise Failure(
                Exit.USAGE,
                "usage",
                f"--data names {name}, the strategy trades {', '.join(names)}",
                f"--instruments {name}",
            )
        symbols: dict[str, str] = {}
        for one in [name] if name else names:
            symbol = one.partition(":")[2]
            if symbol in symbols and Path(file).is_file():
                raise Failure(
                    Exit.USAGE,
                    "usage",
                    f"--data: {file} may be of {symbols[symbol]} or of {one}",
                    f"--data {one}={file}",
                )
            symbols[symbol] = one
        found.append(_File(Path(file), symbols))
    return found


def _open(file: _File, names: tuple[str, ...], wanted: Wanted) -> Opened:
    if file.path.is_dir():
        return open_journal(file.path, frozenset(names), wanted.session)
    return open_file(file.path, file.names, wanted.delay_ms * _MS)


def _complete(names: tuple[str, ...], opened: list[Opened]) -> None:
    """Refuse an instrument without a book: nothing can be traded without one."""
    for name in names:
        if not any(name in one.books for one in opened):
            raise Failure(
                Exit.CONFIGURATION,
                "no-book",
                f"{name}: no recorded book begins in the data",
                "give a recording that begins with a snapshot of its book; prints alone become "
                "bars when they are given alone",
            )


def _until(opened: Opened, until_ms: int) -> Callable[[int], Iterator[Arrival]]:
    until_ns = until_ms * _MS
    if until_ms >= 1 << 60:
        return opened.arrivals
    return lambda number: takewhile(lambda one: one[0] < until_ns, opened.arrivals(number))


# ---- what is known beforehand ----------------------------------------------------------------


def _instrument(name: str, opened: list[Opened], store: Path) -> tuple[Instrument, str]:
    for one in opened:
        if name in one.listed:
            return one.listed[name], f"{name}: filters and fees are those of the recorded session"
    filters = Store(store).filters(name)
    if filters is not None:
        day = datetime.fromtimestamp(filters.asked_ms / 1000, UTC).date()
        return (
            filters.instrument,
            f"{name}: filters and fees are those of {day}, not of the time of the data",
        )
    prices = [price for one in opened for price in one.prices.get(name, [])][:LOOKED_AT]
    rows: list[Row] = [(0, price, price, price, price, 0.0) for price in prices]
    found = inferred(name, rows)
    fees = f"taker {float(found.taker_fee):.3%}, maker {float(found.maker_fee):.3%}"
    return found, (
        f"{name}: no filters stored: tick {found.tick_size} and lot {found.lot_size} are read off "
        f"the prices, fees are the venue's highest ({fees})"
    )


def _clock(opened: list[Opened]) -> tuple[int, list[str]]:
    """Return how far the venue's clock was ahead of the recorder's, where it shows."""
    leads = [one.early_ns for one in opened if one.early_ns is not None]
    lead_ns = max(leads, default=0)
    if -_LATE_NS < lead_ns <= 0:
        return 0, []
    text = (
        f"the recorder's clock was {abs(lead_ns) / 1e9:.3f} s "
        f"{'behind' if lead_ns > 0 else 'ahead of'} the venue's: its freshest message says so"
    )
    return lead_ns, [text]


def _lacks(names: tuple[str, ...], opened: list[Opened]) -> list[str]:
    notes = []
    if not any(one.has_mark for one in opened) and any(one.startswith("linear:") for one in names):
        notes.append(
            "no mark price was recorded: orders triggered by it never trigger, and risk is "
            "measured at the middle of the book"
        )
    silent = [name for name in names if not any(name in one.printed for one in opened)]
    if silent:
        notes.append(
            f"{', '.join(silent)}: no prints at the beginning of the data: without them resting "
            "orders fill only where the book crosses them, and there are no bars"
        )
    return notes


def _wants_minutes(wanted: Wanted) -> bool:
    frames = wanted.settings.frames
    declared = wanted.load(wanted.settings).bars
    return any(span_ns(frames.get(one, one)) >= _MINUTE_NS for one in declared)


def _history(store: Path, opened: list[Opened]) -> Callable[[str, int, int], Iterator[list[Row]]]:
    """Return where bar windows are filled from: the session's own minutes, else the store."""

    def rows(name: str, since_ms: int, until_ms: int) -> Iterator[list[Row]]:
        recorded = [row for one in opened for row in one.minutes.get(name, [])]
        if recorded:  # some may have been asked for later: nobody may know them yet
            yield [row for row in recorded if row[0] < until_ms]
            return
        try:
            yield from read_bars(store, name, "1m", since_ms, until_ms)
        except NothingStored:
            return

    return rows


def _sources(name: str, opened: list[Opened]) -> str:
    return f"{name}: " + ", ".join(one.source for one in opened if name in one.prices)
