"""The series of a page in few bytes: columns of short numbers, times as steps.

A page holds every owner's curve and newest fills, thinned further where there are many owners:
a dozen of them stay below a megabyte. The page's own script (``assets/data.js``) unpacks them.
"""

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any, Final

from plimsoll.backtest.results import Curve, OwnerResult, PriceSeries, Results
from plimsoll.backtest.thinning import CURVE_POINTS, PRICE_ROWS, CurveMaker, PriceMaker

CURVE_ROWS: Final = 14_000
"""Points of all curves of a page together; one of holding counts half, it has fewer columns."""

PRICE_BARS: Final = 4_000
"""Rows of all price series."""

FILL_ROWS: Final = 4_000
"""Fills of all owners."""

DAY_ROWS: Final = 20_000
"""Daily returns of all owners."""

_MS: Final = 1_000_000


def series_of(results: Results) -> dict[str, Any]:
    """Return everything the charts draw, ready for JSON."""
    held = list(dict.fromkeys(name for one in results.owners for name in one.instruments))
    benchmark = {name: curve for name, curve in results.benchmark.items() if name in held}
    owners = max(1, len(results.owners))
    points = min(CURVE_POINTS, 2 * CURVE_ROWS // (2 * owners + len(benchmark)))
    rows = min(PRICE_ROWS, PRICE_BARS // max(1, len(results.prices)))
    return {
        "owners": [
            _owner(one, points, fills=FILL_ROWS // owners, days=DAY_ROWS // owners)
            for one in results.owners
        ],
        "hold": {name: _curve(curve, points, whole=False) for name, curve in benchmark.items()},
        "prices": {one.instrument: _prices(one, rows) for one in results.prices},
    }


def fills_shown(results: Results) -> int:
    """Return how many fills of an owner a page can show."""
    return FILL_ROWS // max(1, len(results.owners))


def _owner(owner: OwnerResult, points: int, *, fills: int, days: int) -> dict[str, Any]:
    daily = owner.daily[-days:]
    return {
        "name": owner.owner,
        "capital": owner.capital,
        "instruments": _instruments(owner),
        "curve": _curve(owner.curve, points, whole=True),
        "fills": _fills(owner, fills),
        "day": daily[0][0] if daily else "",
        "daily": [_short(gain, 5) for _, gain in daily],
    }


def _curve(curve: Curve, points: int, *, whole: bool) -> dict[str, Any]:
    if len(curve.ts_ns) > points:
        maker = CurveMaker(points)
        for sample in zip(curve.ts_ns, curve.equity, curve.exposure, strict=True):
            maker.add(*sample)
        curve = maker.curve()
    packed = {"t": _steps(curve.ts_ns), "equity": [_short(one, 8) for one in curve.equity]}
    if whole:
        packed["drawdown"] = [round(one * 100_000) for one in curve.drawdown]
        packed["exposure"] = [round(one * 1_000) for one in curve.exposure]
    return packed


def _prices(series: PriceSeries, rows: int) -> dict[str, Any]:
    if len(series.ts_ns) > rows:
        maker = PriceMaker(series.instrument, rows)
        columns = (series.ts_ns, series.open, series.high, series.low, series.close)
        for bar in zip(*columns, strict=True):
            maker.add(*bar)
        series = maker.series()
    names = ("open", "high", "low", "close")
    columns_ = {name: [_short(one, 9) for one in getattr(series, name)] for name in names}
    return {"t": _steps(series.ts_ns), **columns_}


def _fills(owner: OwnerResult, most: int) -> dict[str, Any]:
    kept = owner.fills[-most:]
    held = _instruments(owner)
    rules = list(dict.fromkeys(fill.rule for fill in kept))
    places = {rule: place for place, rule in enumerate(rules)}
    return {
        "t": _steps([fill.ts_ns for fill in kept]),
        "instrument": [held.index(one.instrument) for one in kept] if len(held) > 1 else [],
        "qty": [_short(fill.qty * fill.side, 8) for fill in kept],
        "price": [_short(fill.price, 9) for fill in kept],
        "maker": [int(fill.is_maker) for fill in kept],
        "rule": [places[fill.rule] for fill in kept],
        "rules": rules,
    }


def _instruments(owner: OwnerResult) -> list[str]:
    """Return what an owner was to trade, and what else he did."""
    return list(dict.fromkeys([*owner.instruments, *(one.instrument for one in owner.fills)]))


def _steps(ts_ns: Sequence[int]) -> dict[str, Any]:
    """Return the first time in ms, the length of a step in ms, and steps from one to the next."""
    times = [one // _MS for one in ts_ns]
    gaps = [after - before for before, after in pairwise(times)]
    step = math.gcd(*gaps) or 1
    return {"first": times[0] if times else 0, "step": step, "steps": _runs(gaps, step)}


def _runs(gaps: Iterable[int], step: int) -> list[int | list[int]]:
    """Return gaps in steps; three or more equal ones as ``[steps, times]``."""
    found: list[list[int]] = []
    for gap in gaps:
        if found and found[-1][0] == gap // step:
            found[-1][1] += 1
        else:
            found.append([gap // step, 1])
    packed: list[int | list[int]] = []
    for run in found:
        packed += [run] if run[1] > 2 else [run[0]] * run[1]
    return packed


def _short(value: float, digits: int) -> float | int:
    short = float(f"{value:.{digits}g}")
    return int(short) if short.is_integer() else short
