"""From sums to what is told: the gap with its intervals, and whether it is inside its bound."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final

import msgspec

from plimsoll.core.execution.shadow.cell import PPB, PPM, Cell, Key
from plimsoll.core.execution.shadow.intervals import Estimate
from plimsoll.core.settings import CoreSettings

LEAST: Final = 30
"""Orders below which no verdict is given."""


class Gap(msgspec.Struct, frozen=True):
    """What live orders got, less what their shadows got."""

    orders: int
    """Sent."""
    compared: int
    price_bps: Estimate
    """Positive: live fills cost more."""
    bias_bps: float | None
    """The same weighted by money: what paper results are too good by, for what is traded."""
    worth_units: int
    first_s: Estimate
    """Positive: live fills come later."""
    complete_s: Estimate
    filled_live: Estimate
    filled_paper: Estimate
    filled: Estimate
    """Share filled at all; negative: live is filled less often."""
    quantity: Estimate
    """Mean filled share of an order's quantity; negative: live gets less."""
    latency_ms: Estimate
    voids: dict[str, int]


class Verdict(StrEnum):
    """Whether paper results of an instance in an instrument may be believed."""

    INSIDE = "inside"
    OUTSIDE = "outside"
    OPEN = "open"


class Bound(msgspec.Struct, frozen=True):
    """How far live may be from paper, either way."""

    price_bps: float
    filled: float
    least: int = LEAST


class Judged(msgspec.Struct, frozen=True):
    """The verdict on one instance in one instrument, with why."""

    owner: str
    instrument: str
    verdict: Verdict
    reason: str
    gap: Gap


def gap_of(cell: Cell) -> Gap:
    """Return what a cell holds as figures."""
    bias = cell.cost_units * 10_000 / cell.worth_units if cell.worth_units else None
    return Gap(
        cell.orders,
        cell.pairs.n,
        cell.price.estimate().scaled(10_000 / PPB),
        bias,
        cell.worth_units,
        cell.first.estimate().scaled(1e-9),
        cell.complete.estimate().scaled(1e-9),
        cell.pairs.live(),
        cell.pairs.paper(),
        cell.pairs.difference(),
        cell.share.estimate().scaled(1 / PPM),
        cell.latency.estimate().scaled(1e-6),
        dict(cell.voids),
    )


def bound_of(settings: CoreSettings) -> Bound:
    """Return the bound a session was configured with."""
    return Bound(settings.gap_price_ppm / 100, settings.gap_filled_ppm / PPM)


def judged(cells: Mapping[Key, Cell], bound: Bound) -> list[Judged]:
    """Return the verdict on each instance in each instrument, its kinds of orders together."""
    return [
        _judge(owner, instrument, gap_of(merged(kinds)), bound)
        for (owner, instrument), kinds in by_pair(cells).items()
    ]


def by_pair(cells: Mapping[Key, Cell]) -> dict[tuple[str, str], list[Cell]]:
    """Return the cells of each instance in each instrument."""
    found: dict[tuple[str, str], list[Cell]] = {}
    for key, cell in sorted(cells.items()):
        found.setdefault((key.owner, key.instrument), []).append(cell)
    return found


def merged(cells: Iterable[Cell]) -> Cell:
    """Return one cell that holds what all of them do."""
    whole = Cell()
    for cell in cells:
        whole.merge(cell)
    return whole


def _judge(owner: str, instrument: str, gap: Gap, bound: Bound) -> Judged:
    verdicts = []
    reasons = []
    for name, unit, estimate, most in (
        ("price", "bps", gap.price_bps, bound.price_bps),
        ("filled", "%", gap.filled.scaled(100), bound.filled * 100),
    ):
        verdict = _within(estimate, most, bound.least)
        verdicts.append(verdict)
        if verdict is not Verdict.INSIDE:
            reasons.append(_reason(name, unit, estimate, most, bound.least, verdict))
    for verdict in (Verdict.OUTSIDE, Verdict.OPEN):
        if verdict in verdicts:
            return Judged(owner, instrument, verdict, "; ".join(reasons), gap)
    return Judged(owner, instrument, Verdict.INSIDE, "", gap)


def _within(estimate: Estimate, most: float, least: int) -> Verdict:
    if estimate.low is None or estimate.high is None or estimate.n < least:
        return Verdict.OPEN
    if -most <= estimate.low and estimate.high <= most:
        return Verdict.INSIDE
    if estimate.low > most or estimate.high < -most:
        return Verdict.OUTSIDE
    return Verdict.OPEN


def _reason(
    name: str, unit: str, estimate: Estimate, most: float, least: int, verdict: Verdict
) -> str:
    if estimate.low is None or estimate.high is None or estimate.n < least:
        return f"{name}: n is {estimate.n}, needs {least}"
    where = f"{name}: {estimate.low:+.2f} to {estimate.high:+.2f} {unit}"
    if verdict is Verdict.OUTSIDE:
        return f"{where} is beyond {most:g}"
    return f"{where} is not wholly within {most:g}"
