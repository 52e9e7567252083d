"""Numbers of results as people read them; what is unknown is a dash with its reason, never 0."""

import re
from datetime import UTC, datetime
from typing import Final

from plimsoll.backtest.results import OwnerResult, RefusedRow
from plimsoll.core.portfolio.statistics import METRICS, Unit

DASH: Final = "–"  # noqa: RUF001 - the dash is meant
_MINUS: Final = "\N{MINUS SIGN}"
_NEGATIVE: Final = re.compile(r"(?<!\S)-(?=\d)")
_MINUTE: Final = 60
_HOUR: Final = 3_600
_DAY: Final = 86_400

SIGNED: Final = frozenset({"total_return", "cagr", "best_day", "worst_day"})
"""Metrics in which a sign tells gain from loss."""

TILES: Final = (
    "total_return",
    "sharpe",
    "drawdown_max",
    "cagr",
    "volatility",
    "win_rate",
    "profit_factor",
    "time_in_market",
)
"""Metrics shown large."""

FOLDED: Final = frozenset({"sharpe_low", "sharpe_high"})
"""Metrics shown with another one."""


def money(value: float, *, signed: bool = False) -> str:
    """Return a sum of money: two decimals, grouped."""
    return _with_sign(f"{abs(value):,.2f}", value, signed=signed)


def percent(share: float, *, signed: bool = False) -> str:
    """Return a fraction as per cent, two decimals."""
    return _with_sign(f"{abs(share) * 100:,.2f}", share, signed=signed) + " %"


def number(value: float, decimals: int = 2) -> str:
    """Return a plain number."""
    return _with_sign(f"{abs(value):,.{decimals}f}", value, signed=False)


def price(value: float) -> str:
    """Return a price or quantity with the digits it has."""
    return _with_sign(f"{abs(value):,.10g}", value, signed=False)


def span(seconds: float) -> str:
    """Return a length of time in the unit that keeps it readable."""
    if seconds >= 2 * _DAY:
        return f"{seconds / _DAY:,.1f} d"
    if seconds >= 2 * _HOUR:
        return f"{seconds / _HOUR:.1f} h"
    return f"{seconds / _MINUTE:.1f} min" if seconds >= 2 * _MINUTE else f"{seconds:.1f} s"


def day(ts_ns: int) -> str:
    """Return the UTC date."""
    return _moment(ts_ns).strftime("%Y-%m-%d")


def moment(ts_ns: int) -> str:
    """Return the UTC date and time, to the second."""
    return _moment(ts_ns).strftime("%Y-%m-%d %H:%M:%S")


def stat(owner: OwnerResult, name: str) -> str:
    """Return the value of a metric, or a dash."""
    value = owner.stats.get(name)
    if not isinstance(value, int | float):
        return DASH
    metric = METRICS.get(name)
    signed = name in SIGNED
    match metric.unit if metric else None:
        case Unit.SHARE:
            return percent(value, signed=signed)
        case Unit.CASH:
            return money(value)
        case Unit.NS:
            return span(value)
        case Unit.TIMES:
            return number(value) + " x"
        case Unit.COUNT:
            return f"{value:,}"
        case _:
            return number(value)


def why_not(owner: OwnerResult, name: str) -> str:
    """Return why a metric has no value, empty where it has one."""
    if owner.stats.get(name) is not None:
        return ""
    return owner.stats_missing.get(name, "not measured")


def sample(owner: OwnerResult, name: str) -> str:
    """Return how large the sample of a metric is, empty where results do not tell."""
    counted = {"days": "days", "round trips": "trips"}.get(str(METRICS[name].sample), "")
    count = owner.stats.get(counted) if counted else None
    return f"n = {count:,}" if isinstance(count, int) else ""


def interval(owner: OwnerResult) -> str:
    """Return the 95 % interval of the Sharpe ratio, empty where there is none."""
    if owner.stats.get("sharpe_low") is None or owner.stats.get("sharpe_high") is None:
        return ""
    return f"{stat(owner, 'sharpe_low')} to {stat(owner, 'sharpe_high')}"


def execution(name: str, value: object) -> str:
    """Return a row of ``OwnerResult.execution``."""
    if isinstance(value, dict):
        return ", ".join(f"{one}: {count}" for one, count in value.items()) or "none"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return DASH if value is None else str(value)
    if name.endswith(("_share", "_ratio")):
        return percent(value)
    if name.endswith("_bps"):
        return _with_sign(f"{abs(value):,.2f}", value, signed=True) + " bps"
    return f"{value:,}" if isinstance(value, int) else number(value)


REFUSED: Final = ("call", "reason", ">times", "first", "the first of them")
"""Titles of what an instance was refused at once."""


def refused(row: RefusedRow) -> tuple[str, str, str, str, str]:
    """Return one kind of what an instance was refused at once."""
    call = f"{row.ask} {row.instrument}"
    return call, row.code, f"{row.times:,}", moment(row.first_ns), row.text


def typographic(text: str) -> str:
    """Return text with true minus signs, for a page; a terminal may lack them."""
    return _NEGATIVE.sub(_MINUS, text)


def _moment(ts_ns: int) -> datetime:
    return datetime.fromtimestamp(ts_ns // 1_000_000_000, UTC)


def _with_sign(digits: str, value: float, *, signed: bool) -> str:
    is_zero = not digits.strip("0.,")
    if is_zero:
        return digits
    return ("-" if value < 0 else "+" if signed else "") + digits
