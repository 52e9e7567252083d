"""``backtest``: what a strategy would have done on stored or given bars, as a report."""

import sys
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from plimsoll.backtest.plan import Plan
from plimsoll.backtest.report import page
from plimsoll.backtest.results import Results, encoded, sealed
from plimsoll.backtest.run import Progress
from plimsoll.backtest.tapes import RecordedPlan
from plimsoll.cli.backtest_data import data_told, fees_of
from plimsoll.cli.backtest_options import Asked, params_of
from plimsoll.cli.backtesting import WIDE, Planned, planned, results_of
from plimsoll.cli.exits import Exit
from plimsoll.cli.failure import Failure
from plimsoll.cli.output import print_json
from plimsoll.cli.recordings import assumptions_of
from plimsoll.core.risk.margin import terms_of


def backtest(
    strategy: str,
    project: str,
    env: str,
    *,
    json: bool,
    params: str,
    out: str,
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
    """Run one strategy and write its report.

    Raises:
        ConfigError: the strategy or the project cannot be used.
        Failure: the data cannot.
    """
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
    found = planned(asked)
    with data_told():
        results = results_of(found.plan, _progress(found.plan, is_quiet=json))
    if not results.events:
        raise Failure(
            Exit.CONFIGURATION,
            "no-bars",
            f"there are no {_kind(found.plan)} in this time",
            "see `plimsoll data list`",
        )
    results = _told(results, found)
    written = _write(results, out, found.plan.strategies[0].name)
    if json:
        fields = {"results": msgspec.json.decode(encoded(results)), "files": written}
        print_json({"backtest": fields})
    else:
        _show(results, written)
    return Exit.DONE


# ---- what is shown ---------------------------------------------------------------------------


def _told(results: Results, found: Planned) -> Results:
    """Add what the results rest on."""
    plan = found.plan
    wide = f"none of a project: {WIDE} times the capital"
    limits = "those of the project" if found.has_limits else wide
    fees = "; ".join(f"{one.instrument.name} {fees_of(one.instrument)}" for one in plan.series)
    if isinstance(plan, RecordedPlan):
        assumptions = assumptions_of(plan, limits, fees)
    else:
        assumptions = _of_bars(plan, results, limits, fees)
    return sealed(
        msgspec.structs.replace(
            results, assumptions=assumptions, warnings=[*found.notes, *results.warnings]
        )
    )


def margin_words(plan: Plan) -> str:
    """Return what margin and liquidation were counted with."""
    found = []
    for one in plan.series:
        instrument = one.instrument
        if instrument.is_spot:
            continue
        terms = terms_of(instrument, plan.leverage_ppm)
        rates = f"maintenance {float(terms.tiers[0].rate):.2%}"
        if instrument.risk_tiers:
            rates += f" to {float(terms.tiers[-1].rate):.2%} in {len(terms.tiers)} tiers"
        else:
            rates += ", assumed: no risk tiers are stored"
        found.append(f"{instrument.name} {rates}, leverage {float(terms.leverage):g}")
    return "; ".join(found) or "none: spot is paid whole"


def _of_bars(plan: Plan, results: Results, limits: str, fees: str) -> dict[str, str]:
    """Return what results over bars rest on."""
    return {
        "fills": "takers at the next open, half a spread worse; limits only where the price went "
        "through by a tick; of a stop and a take in one bar the stop",
        "spread": f"{plan.half_spread_ppm / 50:g} bps",
        "delay": f"a bar is heard {plan.delay_ns / 1e6:g} ms after its close",
        "latency": f"a request takes effect {plan.latency_ns / 1e6:g} ms later",
        "fees": fees,
        **results.assumptions,
        "margin": margin_words(plan),
        "limits": limits,
        "depth": "without end: large orders move nothing",
    }


def _write(results: Results, out: str, name: str) -> list[str]:
    """Write JSON and page; return their names."""
    if not out:
        return []
    directory = Path(out)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        base = directory / f"{name}-{results.hash[:8]}"
        base.with_suffix(".json").write_bytes(encoded(results))
        base.with_suffix(".html").write_text(page(results))
    except OSError as error:
        raise Failure(
            Exit.CONFIGURATION,
            "out",
            f"--out {out}: {error.strerror}",
            "name a directory to write to",
        ) from error
    return [str(base.with_suffix(".html")), str(base.with_suffix(".json"))]


def _show(results: Results, written: list[str]) -> None:
    from rich.console import Console

    from plimsoll.backtest.report.text import summary

    console = Console()
    console.print(summary(results, min(console.width, 110)))
    for name in written:
        print(f"written: {name}")


def _kind(plan: Plan) -> str:
    return "inputs" if isinstance(plan, RecordedPlan) else "bars"


def _progress(plan: Plan, *, is_quiet: bool) -> Progress | None:
    """Return what shows how far it is, where somebody looks."""
    if is_quiet or not sys.stderr.isatty():
        return None
    what = _kind(plan)

    def show(count: int, now_ns: int) -> None:
        day = datetime.fromtimestamp(now_ns / 1e9, UTC).date()
        print(f"\r{count:,} {what}, {day}", end="", file=sys.stderr, flush=True)

    return show
