"""From the exact statistics of the core to the rows of results: quote, fractions, seconds."""

from collections.abc import Iterable
from typing import Final

from plimsoll.backtest.results import OwnerResult, TripRow
from plimsoll.core.model import CASH_SCALE, Refusal, day_text
from plimsoll.core.portfolio.statistics import METRICS, Day, Measure, RoundTrip, Unit

_UNITS: Final = 10**CASH_SCALE
_SECOND_NS: Final = 1_000_000_000
_PASSING: Final = frozenset({Refusal.NO_SUCH_ORDER, Refusal.ORDER_BUSY})
"""Refusals that come of an order having moved on meanwhile: counted, and no reason to warn."""


def stats_of(measures: dict[str, Measure]) -> tuple[dict[str, object], dict[str, str]]:
    """Return ``OwnerResult.stats`` and ``stats_missing``: cash in quote, times in seconds."""
    stats: dict[str, object] = {}
    missing = {}
    for name, measure in measures.items():
        stats[name] = _plain(METRICS[name].unit, measure.value)
        if measure.value is None:
            missing[name] = measure.missing
    return stats, missing


def trip_row(owner: str, trip: RoundTrip) -> TripRow:
    """Return a round trip as a row."""
    return TripRow(
        owner=owner,
        instrument=trip.instrument,
        opened_ns=trip.opened_ns,
        closed_ns=trip.closed_ns,
        side=trip.side,
        qty=trip.most_units / _UNITS,
        entry=trip.entry,
        exit=trip.exit,
        profit=trip.profit_units / _UNITS,
        fees=trip.fee_units / _UNITS,
        funding=trip.funding_units / _UNITS,
    )


def daily_of(days: Iterable[Day]) -> list[tuple[str, float]]:
    """Return ``OwnerResult.daily``."""
    return [(day_text(day.day), day.gain) for day in days]


def told_of(owner: OwnerResult) -> list[str]:
    """Return a warning where an instance was refused at once what it asked for: it asks wrongly."""
    rows = [row for row in owner.refused if row.code not in _PASSING]
    if not rows:
        return []
    first, total = rows[0], sum(row.times for row in rows)
    share = "" if len(rows) == 1 else f"most often ({first.times:,}) "
    calls = "1 call was" if total == 1 else f"{total:,} calls were"
    return [
        f"{owner.owner}: {calls} refused at once, {share}{first.ask} for {first.code}: {first.text}"
    ]


def _plain(unit: Unit, value: float | int | None) -> float | int | None:
    if value is None:
        return None
    if unit is Unit.CASH:
        return value / _UNITS
    return value / _SECOND_NS if unit is Unit.NS else value
