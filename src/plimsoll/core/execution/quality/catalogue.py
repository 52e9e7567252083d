"""What is measured of execution: for each metric its formula, unit, sample and least n.

A figure whose n is too small is not shown: it would be read as if it meant something.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

LEAST_MEAN: Final = 5
"""As many fills as the slippage breaker wants before it looks at their mean."""

LEAST_SHARE: Final = 10
LEAST_P95: Final = 20
LEAST_P99: Final = 100
"""Below these not one of them is expected beyond the quantile."""


class Figure(NamedTuple):
    """One number of a metric, and the smallest n it is shown for."""

    name: str
    least: int


class Metric(NamedTuple):
    """One entry of the catalogue."""

    name: str
    title: str
    unit: str
    formula: str
    sample: str
    """What n counts."""
    figures: tuple[Figure, ...]


_COST: Final = (
    Figure("mean", LEAST_MEAN),
    Figure("p50", LEAST_MEAN),
    Figure("p95", LEAST_P95),
    Figure("p99", LEAST_P99),
)
_TIME: Final = (
    Figure("p50", LEAST_MEAN),
    Figure("p95", LEAST_P95),
    Figure("p99", LEAST_P99),
)
_SHARE: Final = (Figure("value", LEAST_SHARE),)
_COUNT: Final = (Figure("value", 0),)

_FILLS: Final = "fills whose reference is known"
_MEAN: Final = "mean: sum over fills of the cost in money / sum of their worth at the reference"

_ALL: Final = (
    Metric(
        "slippage_decision",
        "slippage to decision",
        "bps",
        "(price - reference) x side / reference; reference: middle the engine knew when the "
        f"strategy asked, of a conditional order its trigger. {_MEAN}",
        _FILLS,
        _COST,
    ),
    Metric(
        "slippage_arrival",
        "slippage to arrival",
        "bps",
        "the same; reference: middle the engine knew at the first sign that the venue has the "
        "order (answer, report or fill), of a conditional order that it was triggered",
        _FILLS,
        _COST,
    ),
    Metric(
        "slippage_fill",
        "slippage to middle",
        "bps",
        "the same; reference: last middle before the fill by the venue's own times",
        _FILLS,
        _COST,
    ),
    *(
        Metric(
            f"markout_{seconds}s",
            f"markout {seconds} s",
            "bps",
            f"(middle at the fill - middle {seconds} s later) x side / middle at the fill: what "
            "the market took back; adverse selection where positive",
            "fills whose two middles are known",
            _COST,
        )
        for seconds in (1, 10, 60)
    ),
    Metric(
        "fees",
        "fees",
        "bps",
        "sum of fees / sum of worth; one paid in base coin at the fill's price",
        "fills whose fee is in a coin of the pair",
        (Figure("mean", LEAST_MEAN),),
    ),
    Metric(
        "maker_share",
        "maker share",
        "share",
        "worth filled as maker / worth filled",
        "fills",
        _SHARE,
    ),
    Metric(
        "fill_ratio",
        "fill ratio",
        "share",
        "sum of filled quantity / sum of asked quantity, each order's at its first own price",
        "orders the venue took that are over: filled, cancelled or expired",
        _SHARE,
    ),
    Metric(
        "cancel_rate",
        "cancel rate",
        "share",
        "orders cancelled or expired with a rest unfilled / orders that are over",
        "orders the venue took that are over: filled, cancelled or expired",
        _SHARE,
    ),
    Metric(
        "time_to_ack",
        "time to ack",
        "ms",
        "from the create leaving (paper: from the decision) to the first sign that the venue has "
        "it; a sign that had to be asked for is left out",
        "orders acknowledged unasked",
        _TIME,
    ),
    Metric(
        "time_to_first_fill",
        "time to first fill",
        "ms",
        "from the decision, of a conditional order from its trigger, to the first fill; one that "
        "had to be asked for counts at the venue's time",
        "orders with a fill",
        _TIME,
    ),
    Metric(
        "time_to_full_fill",
        "time to full fill",
        "ms",
        "the same, to its last fill",
        "orders filled whole",
        _TIME,
    ),
    Metric(
        "execution_success",
        "execution success",
        "share",
        "requests neither rejected nor UNKNOWN / requests",
        "creates and amends that left or may have; on paper those intended",
        _SHARE,
    ),
    Metric(
        "reject_rate",
        "reject rate",
        "share",
        "requests refused or rejected, at once or later / requests",
        "creates and amends that left or may have; on paper those intended",
        _SHARE,
    ),
    Metric(
        "unknown",
        "UNKNOWN",
        "count",
        "requests whose outcome was unknown at some time, also where it became known later",
        "creates and amends that left or may have; on paper those intended",
        _COUNT,
    ),
    Metric(
        "denied",
        "denied by us",
        "count",
        "requests a check of our own refused; nothing was sent",
        "denials; the record does not say which kind of order it would have been",
        _COUNT,
    ),
)

METRICS: Final[Mapping[str, Metric]] = {one.name: one for one in _ALL}
"""All of them by name, in the order of the reference page and of ``plimsoll quality``."""
