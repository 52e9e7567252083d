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
from plimsoll.cli.books import wall_ns
from plimsoll.cli.exits import Exit
from plimsoll.cli.failure import Failure
from plimsoll.cli.hanging import LIMIT_S, hanging_told
from plimsoll.cli.recordings import Wanted, holds_recordings, recorded_plan
from plimsoll.config.project import Project, load_project
from plimsoll.config.translate import core_settings
from plimsoll.core.feed import span_ns
from plimsoll.core.model import CASH_SCALE, Instrument
from plimsoll.core.settings import CoreSettings, Limits, StrategySettings
from plimsoll.core.strategy import Strategy
from plimsoll.data import BadRows, DataError, NotRecognised, Store, read_bars, read_file

_UNITS: Final = 10**CASH_SCALE
_MS: Final = 1_000_000
_EVER_MS: Final = 1 << 62
_SHOWN: Final = 10
_LATE_MOST_MS: Final = 86_400_000
_SPREAD_MOST_BPS: Final = 5_000.0
"""Half the price on both sides together: what is wider is a slip of the hand."""

_OF_IMPORT: Final = ("--columns", "--day", "--zone", "--time-format", "--kind")
"""Options that say how a file is read: those of ``data import``."""

_TAKEN: Final = ("without a zone", "taken as", "no newline", "no header")
"""In what is told of a file: what may be otherwise than it was read."""

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
    callback_limit_s: float = LIMIT_S
    session: tuple[int, int] = (0, 0)
    """Of a journal: its epoch and its first seq; without it the newest one."""


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
        names = tuple(name.strip() for name in asked.instruments.split(",") if name.strip())
        settings = msgspec.structs.replace(settings, instruments=names)
    load = partial(strategies.load, root=root, origin=_origin(asked.params, root))
    names = settings.instruments or tuple(load(settings).instruments)
    if not names:
        raise usage("the strategy names no instruments", "--instruments linear:BTCUSDT")
    twice = [name for place, name in enumerate(names) if name in names[:place]]
    if twice:
        raise usage(f"{twice[0]} stands twice among the instruments", "name each one once")
    settings = msgspec.structs.replace(settings, instruments=tuple(names))
    frames = dict(pairs_of(asked.frames, "--frames 1s=1m"))
    settings = msgspec.structs.replace(settings, frames=frames)
    _once(asked.data)
    with data_told():
        if holds_recordings(asked.data):
            if asked.intrabar or asked.bars != "1m":
                raise usage(
                    f"{'--intrabar' if asked.intrabar else '--bars'} is for bars, and --data holds "
                    "a recording",
                    "leave it out: what happens inside a bar was recorded",
                )
            return _recorded(asked, settings, load, base)
    for option, ms in (("--delay-ms", asked.delay_ms), ("--latency-ms", asked.latency_ms)):
        if ms > _LATE_MOST_MS:
            raise usage(f"{option} {ms} is more than a day", "in ms: 20, or 500 to be careful")
    if asked.spread_bps > _SPREAD_MOST_BPS:
        raise usage(f"--spread-bps {asked.spread_bps:g} is a price of nothing", "1 is 0.01 %")
    _frames_fit(load(settings).bars, frames, asked.bars)
    files = _files(asked.data, names)
    finer, finer_files = _intrabar(asked, names)
    span = _span(asked)
    notes = _unheard(type(load(settings)), settings.name)
    with data_told():
        found = [
            _series(asked, name, files[place] if files else "", span, notes)
            for place, name in enumerate(names)
        ]
        notes += [note for _, note in found]
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
        callback_limit_ns=round(asked.callback_limit_s * 1e9),
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
            from_ms=_span(asked)[0],
            until_ms=_span(asked)[1],
            delay_ms=asked.delay_ms,
            latency_ms=asked.latency_ms,
            seed=asked.seed,
            session=asked.session,
        )
    )
    plan.callback_limit_ns = round(asked.callback_limit_s * 1e9)
    return Planned(plan, notes, base is not None)


def results_of(plan: Plan, progress: Progress | None = None) -> Results:
    """Return what a plan's strategies would have done, over bars or over recordings.

    Raises:
        Failure: a callback did not return.
    """
    with hanging_told():
        if isinstance(plan, RecordedPlan):
            return run_recorded(plan, progress)
        return run(plan, progress)


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


# ---- what is asked for -----------------------------------------------------------------------


def _origin(params: Params, root: Path) -> strategies.Origin:
    """Return where the value of a parameter was written."""
    return lambda _instance, name: "--params" if name in params else root / "plimsoll.toml"


def _strategy(asked: Asked) -> tuple[Path, CoreSettings | None, StrategySettings]:
    """Return the root that files are read from, the project's settings if any, the strategy's."""
    strategy, units = asked.strategy, round(asked.capital * _UNITS)
    if strategy.endswith(".py"):
        raise usage(f"{strategy} is a file, not a strategy", f"name its class: {strategy}:CLASS")
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
    found: list[tuple[str, str]] = []
    for pair in text.split(",") if text else ():
        name, mark, value = pair.partition("=")
        if not mark or not name.strip():
            raise usage(f"expected NAME=VALUE, found {pair!r}", example)
        if any(name.strip() == known for known, _ in found):
            raise usage(f"{name.strip()} stands there twice", example)
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


def _span(asked: Asked) -> tuple[int, int]:
    """Return the first moment and the first one left out, Unix ms."""
    first, end = _moment(asked.since, 0), _moment(asked.until, _EVER_MS)
    if end <= first:
        raise usage(
            f"--until {asked.until} leaves nothing of what comes from {asked.since or 1970} on",
            "--from 2024-01-01 --until 2024-02-01",
        )
    return first, end


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


def _once(data: str) -> None:
    """Refuse a file that is named twice: its prints would count twice, or be two instruments'.

    Raises:
        Failure: one is.
    """
    paths = [Path(one.strip().rpartition("=")[2]).resolve() for one in data.split(",") if one]
    for place, path in enumerate(paths):
        if path in paths[:place]:
            raise usage(f"--data names {path.name} twice", "name each file once")


def _unheard(kind: type[Strategy], name: str) -> list[str]:
    """Return what a strategy listens to and bars cannot tell it."""
    heard = [one for one in ("on_book", "on_trade") if getattr(kind, one) != getattr(Strategy, one)]
    if not heard:
        return []
    bars = "" if kind.bars else ", and it declares no bars: it may hear nothing at all"
    return [f"{name}: {' and '.join(heard)} never called over bars{bars}; give --data a recording"]


def _files(data: str, names: tuple[str, ...], option: str = "--data") -> list[str]:
    files = [one.strip() for one in data.split(",") if one.strip()]
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


def usage(message: str, hint: str) -> Failure:
    """Return the refusal of a command line."""
    return Failure(Exit.USAGE, "usage", message, hint)


# ---- data ------------------------------------------------------------------------------------


def _series(
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
