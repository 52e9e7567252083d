"""What is kept of the orders of one instance in one instrument: sums and buckets, no orders.

Money is counted in half cash units of the quote coin: the middle of a book is half of best bid plus
best ask, and so stays exact. Every sum is an integer that can be added to another instrument's.
"""

from bisect import bisect_left
from enum import StrEnum
from typing import Final, NamedTuple

import msgspec

from plimsoll.core.model import grown_bounds, quantile_of, slipped

PPB: Final = 1_000_000_000
_SIDE: Final = grown_bounds(100, PPB)
COSTS_PPB: Final = (*(-bound for bound in reversed(_SIDE)), 0, *_SIDE)
"""Bounds of the buckets of costs, parts per billion: both signs, from a thousandth of a basis
point (half a tick of a dear instrument is several) to a whole price."""

TIMES_US: Final = grown_bounds(5, 604_800_000_000)
"""Bounds of the buckets of times, microseconds: a resting order may wait a week."""

HORIZONS_S: Final = (1, 10, 60)
"""Seconds after a fill at which the middle is looked at again."""


class Kind(StrEnum):
    """What kind of order it was; each is measured apart."""

    MARKET = "market"
    LIMIT = "limit"
    STOP = "stop"
    """Conditional: held against its trigger, not against the market it was asked in."""
    NONE = "none"
    """What was denied: the record does not say of what kind it would have been."""


class Key(NamedTuple):
    """Whose orders of which kind; an instance counts apart on paper and live."""

    owner: str
    instrument: str
    is_paper: bool
    kind: Kind


class Times(msgspec.Struct):
    """How long something took: buckets of microseconds."""

    n: int = 0
    counts: dict[int, int] = {}

    def add_ns(self, duration_ns: int) -> None:
        """Count one; below zero (two clocks disagree) is none at all."""
        place = bisect_left(TIMES_US, max(0, duration_ns) // 1_000)
        self.counts[place] = self.counts.get(place, 0) + 1
        self.n += 1

    def quantile_us(self, q: float) -> float | None:
        """Return a quantile in microseconds, right to a bucket's 12 %."""
        return quantile_of(sorted(self.counts.items()), TIMES_US, q, lowest=0)

    def merge(self, other: "Times") -> None:
        """Add another's."""
        self.n += other.n
        _add(self.counts, other.counts)


class Cost(msgspec.Struct):
    """What fills cost against a reference: the sum in money, and single fills in buckets."""

    n: int = 0
    cost_halves: int = 0
    base_halves: int = 0
    """Worth at the reference of what was filled."""
    counts: dict[int, int] = {}

    def add(self, sign: int, price_halves: int, reference_halves: int, weight: int) -> None:
        """Take a fill.

        Args:
            sign: +1 where low prices are good.
            price_halves: Its price in half ticks.
            reference_halves: What it is held against, above 0, in half ticks.
            weight: Lots times what a tick of a lot is worth in cash units.
        """
        self.n += 1
        self.cost_halves += (price_halves - reference_halves) * sign * weight
        self.base_halves += reference_halves * weight
        place = bisect_left(COSTS_PPB, slipped(sign, price_halves, reference_halves, PPB))
        self.counts[place] = self.counts.get(place, 0) + 1

    @property
    def mean_bps(self) -> float | None:
        """Return the cost in basis points of the worth, exact up to this one division."""
        return self.cost_halves * 10_000 / self.base_halves if self.base_halves else None

    def quantile_bps(self, q: float) -> float | None:
        """Return a quantile over fills, right to a bucket's 12 %."""
        found = quantile_of(sorted(self.counts.items()), COSTS_PPB, q, lowest=COSTS_PPB[0])
        return None if found is None else found * 10_000 / PPB

    def merge(self, other: "Cost") -> None:
        """Add another's."""
        self.n += other.n
        self.cost_halves += other.cost_halves
        self.base_halves += other.base_halves
        _add(self.counts, other.counts)


class Cell(msgspec.Struct):
    """Everything measured of one key; worth is in cash units of the quote coin."""

    orders: int = 0
    ended: int = 0
    """Orders that the venue took and that are over."""
    canceled: int = 0
    """Of these, cancelled or expired before all of it was filled."""
    asked_units: int = 0
    filled_units: int = 0
    """Of the ended ones, both at the order's own first price."""
    denied: int = 0
    requests: int = 0
    """Creates and amends that left, or may have."""
    rejected: int = 0
    unknown: int = 0
    failed: int = 0
    """Rejected, UNKNOWN or both."""
    fills: int = 0
    worth_units: int = 0
    maker_units: int = 0
    fee_fills: int = 0
    """Fills whose fee was paid in a coin of the pair."""
    fee_units: int = 0
    fee_worth_units: int = 0
    decision: Cost = msgspec.field(default_factory=Cost)
    arrival: Cost = msgspec.field(default_factory=Cost)
    at_fill: Cost = msgspec.field(default_factory=Cost)
    markouts: list[Cost] = msgspec.field(default_factory=lambda: [Cost() for _ in HORIZONS_S])
    ack: Times = msgspec.field(default_factory=Times)
    first_fill: Times = msgspec.field(default_factory=Times)
    full_fill: Times = msgspec.field(default_factory=Times)

    def merge(self, other: "Cell") -> None:
        """Add another's."""
        for name in _COUNTS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in _PARTS:
            getattr(self, name).merge(getattr(other, name))
        for mine, theirs in zip(self.markouts, other.markouts, strict=True):
            mine.merge(theirs)


class Cells(dict[Key, Cell]):
    """Cells by key; one that is asked for and missing is made."""

    def __missing__(self, key: Key) -> Cell:
        """Make a cell."""
        found = self[key] = Cell()
        return found


_PARTS: Final = ("decision", "arrival", "at_fill", "ack", "first_fill", "full_fill")
_COUNTS: Final = tuple(name for name in Cell.__struct_fields__ if name not in (*_PARTS, "markouts"))


def _add(mine: dict[int, int], theirs: dict[int, int]) -> None:
    for place, count in theirs.items():
        mine[place] = mine.get(place, 0) + count
