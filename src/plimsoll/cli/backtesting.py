"""From the words of a command line to a backtest's plan: strategy, parameters, data, limits."""

from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from plimsoll.backtest.plan import Load, Plan
from plimsoll.backtest.recorded import run_recorded
from plimsoll.backtest.results import Results
from plimsoll.backtest.run import Progress, run
from plimsoll.backtest.sweep import Params
from plimsoll.backtest.tapes import RecordedPlan
from plimsoll.cli import strategies
from plimsoll.cli.arguments import usage
from plimsoll.cli.backtest_data import data_told, series_of
from plimsoll.cli.backtest_options import (
    Asked,
    files_of,
    finer_of,
    frames_fit,
    named_once,
    pairs_of,
    span_of,
)
from plimsoll.cli.backtest_past import with_finer, with_past
from plimsoll.cli.hanging import hanging_told
from plimsoll.cli.recordings import Wanted, holds_recordings, recorded_plan
from plimsoll.config.project import Project, load_project
from plimsoll.config.translate import core_settings
from plimsoll.core.feed import span_ns
from plimsoll.core.model import CASH_SCALE
from plimsoll.core.settings import CoreSettings, Limits, StrategySettings
from plimsoll.core.strategy import Strategy

_UNITS: Final = 10**CASH_SCALE
_MS: Final = 1_000_000
_LATE_MOST_MS: Final = 86_400_000
_SPREAD_MOST_BPS: Final = 5_000.0
"""Half the price on both sides together: what is wider is a slip of the hand."""

WIDE: Final = 10
"""Limits of a class that is run without a project, in multiples of its capital."""


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
    named_once(asked.data)
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
    frames_fit(load(settings).bars, frames, asked.bars)
    files = files_of(asked.data, names)
    finer, finer_files = finer_of(asked, names)
    span = span_of(asked)
    notes = _unheard(type(load(settings)), settings.name)
    with data_told():
        found = [
            series_of(asked, name, files[place] if files else "", span, notes)
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
            from_ms=span_of(asked)[0],
            until_ms=span_of(asked)[1],
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


def _origin(params: Params, root: Path) -> strategies.Origin:
    """Return where the value of a parameter was written."""
    return lambda _instance, name: "--params" if name in params else root / "plimsoll.toml"


def _unheard(kind: type[Strategy], name: str) -> list[str]:
    """Return what a strategy listens to and bars cannot tell it."""
    heard = [one for one in ("on_book", "on_trade") if getattr(kind, one) != getattr(Strategy, one)]
    if not heard:
        return []
    bars = "" if kind.bars else ", and it declares no bars: it may hear nothing at all"
    return [f"{name}: {' and '.join(heard)} never called over bars{bars}; give --data a recording"]


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
