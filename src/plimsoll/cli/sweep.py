"""``sweep``: one strategy, many parameters, on all processors; what the best did afterwards."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import msgspec

from plimsoll.backtest.proposing import Learner
from plimsoll.backtest.search import search as searched
from plimsoll.backtest.space import Dimension, dimension_of
from plimsoll.backtest.sweep import (
    Outcome,
    Params,
    Step,
    compounded,
    grid,
    outcome_of,
    ranked,
    walk_forward,
)
from plimsoll.cli.arguments import usage
from plimsoll.cli.backtest_data import data_told
from plimsoll.cli.backtest_options import Asked, pairs_of, params_of, value_of
from plimsoll.cli.backtesting import Planned, planned, results_of
from plimsoll.cli.exits import Exit
from plimsoll.cli.failure import Failure
from plimsoll.cli.output import print_json
from plimsoll.cli.runners import missing, runner
from plimsoll.core.strategy.base import parameters_of

if TYPE_CHECKING:
    from rich.table import Table

_SHOWN: Final = 20
_FAILED_SHOWN: Final = 5
_MOST: Final = 10_000
_WHY_NONE: Final = {
    "sharpe": "it takes thirty days of returns that differ",
    "total_return": "nothing was measured",
    "calmar": "it takes thirty days and a drawdown",
    "profit_factor": "it takes a round trip that lost",
}


def sweep(
    strategy: str,
    project: str,
    env: str,
    *,
    json: bool,
    grid: str,
    search: str,
    trials: int,
    params: str,
    by: str,
    steps: int,
    workers: int,
    cluster: str,
    instruments: str,
    data: str,
    frames: str,
    bars: str,
    intrabar: str,
    from_: str,
    until: str,
    capital: float,
    spread_bps: float,
    delay_ms: int,
    latency_ms: int,
    callback_limit: float,
    seed: int,
) -> Exit:
    """Run every combination, or those a search proposes; print the best, walk forward.

    Raises:
        ConfigError: the strategy or the project cannot be used.
        Failure: the data cannot, or every combination failed.
    """
    if bool(grid) == bool(search):
        raise usage("expected --grid or --search, one of them", "--search 'fast=5..50'")
    asked = Asked(
        project=project,
        env=env,
        strategy=strategy,
        params=params_of(params),
        instruments=instruments,
        data=data,
        frames=frames,
        bars=bars,
        intrabar=intrabar,
        since=from_,
        until=until,
        capital=capital,
        spread_bps=spread_bps,
        delay_ms=delay_ms,
        latency_ms=latency_ms,
        callback_limit_s=callback_limit,
        seed=seed,
    )
    sets = _sets(grid) if grid else [{}]
    both = sorted(asked.params.keys() & sets[0].keys())
    if both:
        raise usage(f"{both[0]} stands in --params and in --grid", "name it in one of them")
    # Words are looked at here and now.
    found = planned(msgspec.structs.replace(asked, params=asked.params | sets[0]))
    space = _space(search, found)
    with runner(workers, cluster) as pool:

        def all_of(asked: Asked, *, is_shown: bool = False) -> list[Outcome]:
            count = trials if space else len(sets)
            tell = _Teller(count, is_quiet=json or not is_shown)
            if not space:
                return list(tell.passing(_all(pool, asked, sets)))
            learner = _learner(space, by, seed)
            return searched(
                learner, trials, lambda some: list(tell.passing(_all(pool, asked, some)))
            )

        outcomes = ranked(all_of(asked, is_shown=True), by)
        if all(one.failure for one in outcomes):
            raise Failure(
                Exit.CONFIGURATION, "sweep", outcomes[0].failure, "see `plimsoll backtest`"
            )
        walked: list[Step] = []
        if steps:
            walked = walk_forward(
                outcomes[0].began_ns,
                outcomes[0].ended_ns,
                steps,
                by,
                lambda *span: all_of(_within(asked, *span)),
                lambda chosen, *span: next(_all(pool, _within(asked, *span), [chosen])),
            )
    if json:
        print_json(
            {"sweep": {"by": by, "outcomes": _plain(outcomes), "walk_forward": _plain(walked)}}
        )
    else:
        _print(outcomes, walked, by)
    return Exit.DONE


# ---- running ---------------------------------------------------------------------------------


def _sets(text: str) -> list[Params]:
    """Return the combinations of ``fast=5|10|20,slow=50|100``."""
    values = [
        (name, [value_of(one.strip()) for one in some.split("|")]) for name, some in pairs_of(text)
    ]
    found = grid(values)
    if not text or len(found) > _MOST:
        raise usage(
            f"--grid: expected 1 to {_MOST:,} combinations, found {len(found) if text else 0:,}",
            "--grid 'fast=5|10|20,slow=50|100'",
        )
    return found


def _space(text: str, found: Planned) -> list[Dimension]:
    """Return what ``fast=5..50,side=long|short`` may choose from."""
    declared = parameters_of(type(found.plan.load(found.plan.strategies[0])))
    try:
        space = [dimension_of(one, declared, value_of) for one in text.split(",") if text]
    except ValueError as error:
        raise usage(f"--search: {error}", "--search 'fast=5..50,slow=20..200..10'") from error
    if len({one.name for one in space}) < len(space):
        raise usage("--search: a parameter stands there twice", "name each one once")
    return space


def _learner(space: Sequence[Dimension], by: str, seed: int) -> Learner:
    try:
        return Learner(space, by, seed)
    except ImportError as error:
        raise missing("optuna", "sweep") from error


def _all(pool: Executor, asked: Asked, sets: Sequence[Params]) -> Iterator[Outcome]:
    """Yield the outcomes in the order of the sets, whichever is done first."""
    return iter(pool.map(_job, [asked] * len(sets), sets))


def _job(asked: Asked, params: Params) -> Outcome:
    """Run one set in a process of the pool; what it cannot is told as its outcome."""
    try:
        found = planned(msgspec.structs.replace(asked, params=asked.params | params))
        with data_told():
            results = results_of(found.plan)
    except Exception as error:
        return Outcome(params=params, failure=str(error) or repr(error))
    if not results.events:
        return Outcome(params=params, failure="there are no bars in this time")
    outcome = outcome_of(params, results)
    return msgspec.structs.replace(outcome, warnings=[*found.notes, *outcome.warnings])


def _within(asked: Asked, began_ns: int, ended_ns: int) -> Asked:
    since, until = (
        datetime.fromtimestamp(at / 1e9, UTC).isoformat() for at in (began_ns, ended_ns)
    )
    return msgspec.structs.replace(asked, since=since, until=until)


# ---- showing ---------------------------------------------------------------------------------


class _Teller:
    """Says how many runs are done where somebody looks."""

    def __init__(self, count: int, *, is_quiet: bool) -> None:
        self._count = count
        self._done = 0
        self._is_seen = sys.stderr.isatty() and not is_quiet

    def passing(self, outcomes: Iterator[Outcome]) -> Iterator[Outcome]:
        """Pass outcomes on."""
        for outcome in outcomes:
            self._done += 1
            if self._is_seen:
                print(f"\r{self._done:,} of {self._count:,}", end="", file=sys.stderr, flush=True)
            yield outcome
        if self._is_seen:
            print("\r", end="", file=sys.stderr)


def _plain(rows: Sequence[Outcome] | Sequence[Step]) -> Any:  # noqa: ANN401 - JSON
    return msgspec.json.decode(msgspec.json.encode(rows))


def _print(outcomes: Sequence[Outcome], walked: Sequence[Step], by: str) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    table = Table(title=f"{len(outcomes):,} combinations, best by {by} first")
    for name in ("parameters", "Sharpe", "return", "Calmar", "profit f.", "drawdown", "trips"):
        table.add_column(name, justify="left" if name == "parameters" else "right")
    for one in outcomes[:_SHOWN]:
        table.add_row(*_cells(one))
    console.print(table)
    if len(outcomes) > _SHOWN:
        print(f"and {len(outcomes) - _SHOWN:,} more: --json shows all")
    ordered = [*outcomes, *(step.chosen for step in walked)]
    if any(getattr(one, by) is None for one in ordered if not one.failure):
        print(f"Where there is no {by} (-), the return decides: {_WHY_NONE[by]}.")
    for text in _failures(outcomes):
        print(text)
    print("The best of many is the luckiest of many: --steps 5 shows what the best did afterwards.")
    if walked:
        console.print(_of_steps(walked, by))
        print(f"Afterwards, one stretch after the other: {_share(compounded(walked))}")
    for text in outcomes[0].warnings:
        print(f"warning: {text}")


def _failures(outcomes: Sequence[Outcome]) -> list[str]:
    """Return which sets could not be run, and why: as many as a person reads."""
    failed = [one for one in outcomes if one.failure]
    told = [f"failed: {_words(one.params)}: {one.failure}" for one in failed[:_FAILED_SHOWN]]
    more = len(failed) - len(told)
    return [*told, *([f"and {more:,} more failed: --json shows all"] if more else [])]


def _of_steps(walked: Sequence[Step], by: str) -> Table:
    from rich.table import Table

    steps = Table(title="walk forward: chosen on one stretch, looked at on the next")
    names = ["chosen", f"{by} there", f"{by} afterwards", "return afterwards"]
    is_return = by == "total_return"
    for name in ["chosen", "return there", "return afterwards"] if is_return else names:
        steps.add_column(name, justify="left" if name == "chosen" else "right")
    for step in walked:
        figures = [_figure(getattr(step.chosen, by)), _figure(getattr(step.after, by))]
        shown = [_share(step.chosen.total_return)] if is_return else figures
        steps.add_row(_words(step.chosen.params), *shown, _share(step.after.total_return))
    return steps


def _cells(one: Outcome) -> list[str]:
    if one.failure:
        return [_words(one.params), "failed"]
    figures = [_figure(one.sharpe), _share(one.total_return)]
    figures += [_figure(one.calmar), _figure(one.profit_factor)]
    drawdown = "-" if one.max_drawdown is None else f"{one.max_drawdown:.2%}"
    return [_words(one.params), *figures, drawdown, f"{one.trips:,}"]


def _words(params: Params) -> str:
    return " ".join(f"{name}={value}" for name, value in params.items())


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:+.2%}"
