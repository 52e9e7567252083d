"""Statistics of an owner, event by event: returns, drawdown, round trips, exposure (trading.md 4).

In: samples of equity with the cash that flowed, executions with the books after them. Out: every
metric of the catalogue, each with its sample or the reason why it has no value.
"""

from plimsoll.core.portfolio.statistics.catalogue import METRICS, Metric, Sample, Unit
from plimsoll.core.portfolio.statistics.owner import Measure, Statistics, months_of
from plimsoll.core.portfolio.statistics.returns import Day, Returns
from plimsoll.core.portfolio.statistics.round_trips import (
    RoundTrip,
    RoundTripMaker,
    RoundTripTotals,
    Streak,
)

__all__ = [
    "METRICS",
    "Day",
    "Measure",
    "Metric",
    "Returns",
    "RoundTrip",
    "RoundTripMaker",
    "RoundTripTotals",
    "Sample",
    "Statistics",
    "Streak",
    "Unit",
    "months_of",
]
