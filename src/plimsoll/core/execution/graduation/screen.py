"""The screens: what a strategy must show before a stage, row by row, and why a row says so.

A screen is against broken strategies. It is no evidence of edge: one without any passes it often,
given time (docs/explanation/graduation.md has how often).
"""

import math
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final, NamedTuple

import msgspec

from plimsoll.core.execution.graduation.days import LEAST_DAYS, LEAST_REQUESTS, Summary
from plimsoll.core.execution.graduation.defaults import DEFAULTS, Defaults

NOTE: Final = (
    "a screen against broken strategies, not evidence of edge: one without any passes it often"
)


class Outcome(StrEnum):
    """What a row of a screen says."""

    MET = "pass"
    FAIL = "fail"
    UNKNOWN = "unknown"


class Need(NamedTuple):
    """One row of a screen.

    Attributes:
        name: As results say it.
        label: As people read it.
        needed: At least this, or at most where ``is_most``.
        unit: ``count``, ``ratio`` or ``share``.
        is_most: Whether less is better.
    """

    name: str
    label: str
    needed: float
    unit: str = "count"
    is_most: bool = False


_AGREEMENT: Final = Need("agreement", "paper and backtest decide alike", 0.80, "share")
_GAP: Final = Need("shadow_gap", "gap to the shadow, in its bounds", 1.0, "ratio", is_most=True)
_SUCCESS: Final = Need("execution_success", "execution success", 0.95, "share")


def _needs(sharpe: float, drawdown: float, factor: float) -> tuple[Need, ...]:
    return (
        Need("sharpe", "Sharpe", sharpe, "ratio"),
        Need("drawdown", "largest drawdown", drawdown, "share", is_most=True),
        Need("profit_factor", "profit factor", factor, "ratio"),
    )


SCREENS: Final[Mapping[str, tuple[Need, ...]]] = {
    "candidate": (
        Need("trips", "round trips", 50),
        Need("days", "days", 30),
        *_needs(1.0, 0.15, 1.2),
        _AGREEMENT,
    ),
    "live": (
        Need("trips", "round trips", 100),
        Need("days", "days", 60),
        *_needs(1.2, 0.12, 1.3),
        _GAP,
        _SUCCESS,
    ),
    "stay": (*_needs(0.5, 0.20, 1.0), _SUCCESS),
}
"""By what is asked for: to become a candidate, to go live, to stay there (newest 30 days)."""


class Outside(msgspec.Struct, frozen=True):
    """What is measured elsewhere; None: nobody has."""

    agreement: float | None = None
    """Share of decisions that paper and backtest make alike."""
    shadow_gap: float | None = None
    """Measured gap between real and shadow fills over its bound: 1 is at the bound."""
    agreement_missing: str = ""
    gap_missing: str = ""
    """Why there is none."""


class Row(NamedTuple):
    """One row, judged."""

    need: Need
    measured: float | None
    outcome: Outcome
    reason: str = ""
    """Why it is unknown, or what would have to happen; empty where it passes."""
    is_unreachable: bool = False
    """At the present rate it is not met within the horizon, or not at all."""


def judged(name: str, of: Summary, outside: Outside, defaults: Defaults = DEFAULTS) -> list[Row]:
    """Return every row of a screen: what was measured, and what it comes to."""
    return [_row(need, of, outside, defaults, name) for need in SCREENS[name]]


def passes(rows: Sequence[Row], waived: frozenset[str] = frozenset()) -> bool:
    """Return whether a screen is passed; of a row that is unknown a person may answer for it."""
    return all(
        row.outcome is Outcome.MET or (row.outcome is Outcome.UNKNOWN and row.need.name in waived)
        for row in rows
    )


WAIVABLE: Final = frozenset({"agreement", "shadow_gap"})
"""Rows measured elsewhere: where nobody has, a person may answer for them by name."""


# ---- rows ----


def _row(need: Need, of: Summary, outside: Outside, defaults: Defaults, screen: str) -> Row:
    measured, missing = _measured(need.name, of, outside)
    if missing:
        is_never, forecast = _forecast(need, of, defaults)
        reason = f"{missing}; {forecast}" if forecast else missing
        return Row(need, None, Outcome.UNKNOWN, reason, is_never)
    if measured is not None and math.isnan(measured):
        reason = "not a number: what was recorded cannot be right"
        return Row(need, None, Outcome.UNKNOWN, reason, is_unreachable=True)
    if need.name == "profit_factor" and measured is None:
        return Row(need, None, Outcome.MET, "no round trip lost")
    assert measured is not None
    if measured <= need.needed if need.is_most else measured >= need.needed:
        return Row(need, measured, Outcome.MET)
    if need.name == "drawdown" and screen != "stay":
        reason = "does not become smaller; a record begins anew from paper or with other code"
        return Row(need, measured, Outcome.FAIL, reason, is_unreachable=True)
    is_never, reason = _forecast(need, of, defaults)
    return Row(need, measured, Outcome.FAIL, reason, is_never)


def _measured(name: str, of: Summary, outside: Outside) -> tuple[float | None, str]:
    """Return a figure, or None with why there is none."""
    if name == "trips":
        return of.trips, ""
    if name == "days":
        return of.days, ""
    if name == "sharpe":
        if of.days < LEAST_DAYS:
            return None, f"n too small: {of.days} of {LEAST_DAYS} days"
        return of.sharpe, "" if of.sharpe is not None else "no two days differed"
    if name == "drawdown":
        return of.drawdown, "" if of.days else "no day has ended"
    if name == "profit_factor":
        return of.profit_factor, "" if of.trips else "no round trip"
    if name == "execution_success":
        few = f"n too small: {of.requests} of {LEAST_REQUESTS} requests"
        return of.success, few if of.requests < LEAST_REQUESTS else ""
    found, why = outside.shadow_gap, outside.gap_missing
    if name == "agreement":
        found, why = outside.agreement, outside.agreement_missing
    return found, "" if found is not None else why or "not measured"


def _forecast(need: Need, of: Summary, defaults: Defaults) -> tuple[bool, str]:
    """Return whether a row is out of reach, and when it could be met."""
    if need.name == "days" or (need.name == "sharpe" and of.days < LEAST_DAYS):
        wanted = need.needed if need.name == "days" else LEAST_DAYS
        return False, f"{wanted - of.days:.0f} more days"
    if need.name != "trips":
        return False, ""
    if not of.days:
        return False, "no day has ended"
    if not of.trips:
        is_long = of.days >= defaults.alert_days
        return is_long, f"none in {of.days} days" + (": at this rate never" if is_long else "")
    rate = of.trips / of.days
    wait = math.ceil((need.needed - of.trips) / rate)
    is_far = wait > defaults.horizon_days
    far = f", beyond the horizon of {defaults.horizon_days}" if is_far else ""
    return is_far, f"{wait:,} more days at {rate:.2g} a day{far}"
