"""From the words of a command line to a backtest's plan: strategy, parameters, data, limits."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from plimsoll.backtest.instruments import LOOKED_AT, inferred
from plimsoll.backtest.plan import Load, Plan, Row, Series
from plimsoll.backtest.recorded import run_recorded
from plimsoll.backtest.results import Results
from plimsoll.backtest.run import Progress, run
from plimsoll.backtest.tapes import RecordedPlan
from plimsoll.cli import strategies
from plimsoll.cli.backtest_past import with_finer, with_past
from plimsoll.cli.exits import Exit
from plimsoll.cli.failure import Failure
from plimsoll.cli.recordings import Wanted, holds_recordings, recorded_plan
from plimsoll.config.project import Project, load_project
from plimsoll.config.translate import core_settings
from plimsoll.core.feed import span_ns
from plimsoll.core.model import CASH_SCALE, Instrument
from plimsoll.core.settings import CoreSettings, Limits, StrategySettings
from plimsoll.core.strategy import Strategy
from plimsoll.data import DataError, Store, read_bars, read_file

_UNITS: Final = 10**CASH_SCALE
_MS: Final = 1_000_000
_EVER_MS: Final = 1 << 62
WIDE: Final = 10
"""Limits of a class that is run without a project, in multiples of its capital."""

Params = dict[str, str | int | float | bool]


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """The options of ``backtest`` and ``sweep`` that say what is run; plain, to be sent around."""

    project: str
    env: str
    strategy: str
    instruments: str = ""
    data: str = ""
    bars: str = "1m"
    frames: str = ""
    since: str = ""
    until: str = ""
    capital: float = 0.0
    params: Params = {}
    spread_bps: float = 1.0
    delay_ms: int = 100
    latency_ms: int = 20
    seed: int = 1
    intrabar: str = ""


class Planned(NamedTuple):
    """A plan, what has to be said of its data, and whether its limits are a project's."""

    plan: Plan
    notes: list[str]
    has_limits: bool


def planned(asked: Asked) -> Planned:
    """Return the plan of what was asked for.

    Raises:
        ConfigError: the strategy or the project cannot be used.
        Failure: the data cannot, or the words are not understood.
    """
    root, base, settings = _strategy(asked)
    limits = base.limits if base is not None else None
    leverage_ppm = base.venue_leverage_ppm if base is not None else 0
    settings = msgspec.structs.replace(settings, params=settings.params | asked.params)
    if asked.instruments:
        names = tuple(asked.instruments.split(","))
        settings = msgspec.structs.replace(settings, instruments=names)
    load = partial(strategies.load, root=root)
    names = settings.instruments or tuple(load(settings).instruments)
    if not names:
        raise usage("the strategy names no instruments", "--instruments linear:BTCUSDT")
    settings = msgspec.structs.replace(settings, instruments=tuple(names))
    frames = dict(pairs_of(asked.frames, "--frames 1s=1m"))
    settings = msgspec.structs.replace(settings, frames=frames)
    with data_told():
        if holds_recordings(asked.data):
            return _recorded(asked, settings, load, base)
    made = load(settings)
    _frames_fit(made.bars, frames, asked.bars)
    files = _files(asked.data, names)
    finer, finer_files = _intrabar(asked, names)
    span = (_moment(asked.since, 0), _moment(asked.until, _EVER_MS))
    with data_told():
        found = [
            _series(asked, name, files[place] if files else "", span)
            for place, name in enumerate(names)
        ]
        notes = [note for _, note in found] + _unheard(made)
        for place, (one, _) in enumerate(found):
            file = finer_files[place] if finer_files else ""
            notes += with_past(one, Path(asked.project) / "data", finer or asked.bars, span)
            if finer:
                notes += with_finer(one, Path(asked.project) / "data", finer, file, span)
    plan = Plan(
        strategies=(settings,),
        load=load,
        series=[one for one, _ in found],
        span_ns=span_ns(asked.bars),
        finer_ns=span_ns(finer) if finer else 0,
        leverage_ppm=leverage_ppm,
        limits=limits or _wide(settings.capital),
        half_spread_ppm=round(asked.spread_bps * 50),
        delay_ns=asked.delay_ms * _MS,
        latency_ns=asked.latency_ms * _MS,
        seed=asked.seed,
    )
    return Planned(plan, notes, limits is not None)


def _recorded(
    asked: Asked, settings: StrategySettings, load: Load, base: CoreSettings | None
) -> Planned:
    plan, notes = recorded_plan(
        Wanted(
            settings=settings,
            load=load,
            limits=base.limits if base is not None else _wide(settings.capital),
            base=base,
            store=Path(asked.project) / "data",
            data=asked.data,
            from_ms=_moment(asked.since, 0),
            until_ms=_moment(asked.until, _EVER_MS),
            delay_ms=asked.delay_ms,
            latency_ms=asked.latency_ms,
            seed=asked.seed,
        )
    )
    return Planned(plan, notes, base is not None)


def results_of(plan: Plan, progress: Progress | None = None) -> Results:
    """Return what a plan's strategies would have done, over bars or over recordings."""
    if isinstance(plan, RecordedPlan):
        return run_recorded(plan, progress)
    return run(plan, progress)


@contextmanager
def data_told() -> Iterator[None]:
    """Turn what is wrong with data into the end of a command."""
    try:
        yield
    except DataError as error:
        text = f"{error.where}: {error.what}"
        raise Failure(Exit.CONFIGURATION, "data", text, error.how) from error


# ---- what is asked for -----------------------------------------------------------------------


def _strategy(asked: Asked) -> tuple[Path, CoreSettings | None, StrategySettings]:
    """Return the root that files are read from, the project's settings if any, the strategy's."""
    strategy, units = asked.strategy, round(asked.capital * _UNITS)
    if strategy.rpartition(":")[0].endswith(".py"):
        path = Path(strategy.rpartition(":")[0]).resolve()
        name = f"{path.name}:{strategy.rpartition(':')[2]}"
        settings = StrategySettings(
            name=strategy.rpartition(":")[2], source=name, capital=units or 10_000 * _UNITS
        )
        return path.parent, None, settings
    if ":" in strategy:
        settings = StrategySettings(
            name=strategy.rpartition(":")[2], source=strategy, capital=units or 10_000 * _UNITS
        )
        return Path.cwd(), None, settings
    found: Project = load_project(Path(asked.project), asked.env)
    core = core_settings(found)
    one = next((one for one in core.strategies if one.name == strategy), None)
    if one is None:
        known = ", ".join(one.name for one in core.strategies) or "none"
        raise usage(
            f"the project has no strategy {strategy!r}", f"it has: {known}; or FILE.py:Class"
        )
    one = msgspec.structs.replace(one, limits=None, capital=units or one.capital)
    return found.root, core, one


def params_of(text: str) -> Params:
    """Return ``fast=10,slow=30`` as parameters, typed as TOML would.

    Raises:
        Failure: a pair is none.
    """
    return {name: value_of(value) for name, value in pairs_of(text)}


def pairs_of(text: str, example: str = "--params fast=10,slow=30") -> list[tuple[str, str]]:
    """Return the names and the texts of ``fast=10,slow=30``.

    Raises:
        Failure: a pair is none.
    """
    found = []
    for pair in text.split(",") if text else ():
        name, mark, value = pair.partition("=")
        if not mark or not name.strip():
            raise usage(f"expected NAME=VALUE, found {pair!r}", example)
        found.append((name.strip(), value.strip()))
    return found


def value_of(text: str) -> str | int | float | bool:
    """Return a value as TOML would type it; what is no number and no truth is text."""
    if text in ("true", "false"):
        return text == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _moment(text: str, default_ms: int) -> int:
    """Return a date or time in UTC as Unix ms."""
    if not text:
        return default_ms
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise usage(
            f"expected a date or time, found {text!r}", "--from 2024-01-31 or 2024-01-31T12:00"
        ) from None
    found = found if found.tzinfo else found.replace(tzinfo=UTC)
    return round(found.timestamp() * 1000)


def _files(data: str, names: tuple[str, ...], option: str = "--data") -> list[str]:
    files = [one for one in data.split(",") if one]
    if files and len(files) != len(names):
        raise usage(
            f"{option} names {len(files)} files for {len(names)} instruments",
            f"one for each of {', '.join(names)}, in this order",
        )
    return files


def _intrabar(asked: Asked, names: tuple[str, ...]) -> tuple[str, list[str]]:
    """Return the frame of the finer bars and their files: ``1m``, or ``1m=FILE,FILE``.

    Raises:
        Failure: it is no frame, or none that the bars are made of.
    """
    if not asked.intrabar:
        return "", []
    frame, _, files = asked.intrabar.partition("=")
    example = f"--intrabar 1m beside --bars {asked.bars if asked.bars != '1m' else '1h'}"
    try:
        finer, whole = span_ns(frame), span_ns(asked.bars)
    except ValueError as error:
        raise usage(f"--intrabar: {error}", example) from None
    if finer >= whole or whole % finer:
        raise usage(f"--intrabar: bars of {asked.bars} are not made of bars of {frame}", example)
    return frame, _files(files, names, "--intrabar")


def _frames_fit(declared: dict[str, int], frames: dict[str, str], bars: str) -> None:
    """Refuse a strategy that wants finer bars than there are, and frames it does not declare.

    Raises:
        Failure: it does.
    """
    try:
        base = span_ns(bars)
    except ValueError as error:
        raise usage(f"--bars: {error}", "--bars 1m") from None
    strange = [frame for frame in frames if frame not in declared]
    if strange:
        raise usage(
            f"--frames: the strategy declares no {strange[0]!r}",
            f"it declares {', '.join(declared) or 'none'}",
        )
    for frame in declared:
        wanted = frames.get(frame, frame)
        try:
            is_finer = span_ns(wanted) % base
        except ValueError as error:
            raise usage(f"--frames: {error}", "--frames 1s=1m") from None
        if is_finer:
            raise Failure(
                Exit.CONFIGURATION,
                "frame",
                f"the strategy wants bars of {wanted}, the data has bars of {bars}",
                f"--frames {frame}={bars} gives it those instead, or give finer data",
            )


def _unheard(strategy: Strategy) -> list[str]:
    """Say what a strategy listens to and bars do not have: silence would look like a result."""
    kind = type(strategy)
    words = [
        word
        for word, is_heard in (
            ("books (on_book)", kind.on_book is not Strategy.on_book),
            ("prints (on_trade)", kind.on_trade is not Strategy.on_trade),
        )
        if is_heard
    ]
    if not words:
        return []
    text = f"{kind.__name__} listens to {' and '.join(words)}, which bars never call"
    return [f"{text}; --data takes recorded books and prints"]


def usage(message: str, hint: str) -> Failure:
    """Return the refusal of a command line."""
    return Failure(Exit.USAGE, "usage", message, hint)


# ---- data ------------------------------------------------------------------------------------


def _series(asked: Asked, name: str, file: str, span: tuple[int, int]) -> tuple[Series, str]:
    """Return the bars of an instrument, and what has to be said of its filters."""
    directory = Path(asked.project) / "data"
    chunks: Callable[[], Iterator[list[Row]]]
    if file:
        path = Path(file)
        chunks = partial(
            read_file, path, asked.bars, instrument=name, from_ms=span[0], to_ms=span[1]
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
    try:
        instrument = inferred(name, islice(chain.from_iterable(first), LOOKED_AT))
    except ValueError as error:
        raise Failure(
            Exit.CONFIGURATION, "no-bars", str(error), "see `plimsoll data list`"
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


def _wide(capital_units: int) -> Limits:
    most = capital_units * WIDE
    return Limits(
        price_distance_ppm=100_000,
        order_notional=most,
        orders_per_second=1_000,
        orders_per_day=1_000_000,
        open_orders=1_000,
        position_notional=most,
        exposure=most,
        daily_loss=capital_units,
        drawdown_ppm=1_000_000,
        leverage_ppm=WIDE * 1_000_000,
    )
