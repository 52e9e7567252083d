"""What is measured of the orders of one strategy in one instrument: sums, no orders."""

from enum import StrEnum
from typing import Final, NamedTuple

import msgspec

from plimsoll.core.execution.shadow.intervals import Mean, Pairs
from plimsoll.core.execution.shadow.run import Filled
from plimsoll.core.model import TimeInForce

PPB: Final = 1_000_000_000
PPM: Final = 1_000_000

SHARES_PPM: Final = (0, 62_500, 125_000, 250_000, 500_000, 750_000, 1_000_000)
"""Queue shares that every order is tried with, for recalibration: closer where prints are large
against what is displayed, so that the front of the queue is where it matters."""


class Kind(StrEnum):
    """What an order may do; the two have different errors on paper."""

    TAKES = "takes"
    """Immediate or cancel, fill or kill; a market order is the first of these."""
    RESTS = "rests"


class Void(StrEnum):
    """Why a pair says nothing."""

    REFUSED = "refused by the venue"
    BLIND = "the market was not whole"
    STEPS = "steps of price or quantity changed"
    CUT = "it worked before what was asked for"


class Key(NamedTuple):
    """Whose orders, where, of which kind."""

    owner: str
    instrument: str
    kind: Kind


class Cell(msgspec.Struct):
    """Sums over the pairs of one key. Live less shadow: positive is worse, or later, live."""

    orders: int = 0
    """Sent, whatever became of them."""
    voids: dict[str, int] = {}
    price: Mean = msgspec.field(default_factory=Mean)
    """Billionths of the shadow's price."""
    cost_units: int = 0
    worth_units: int = 0
    """The same in quote cash units, of what both filled."""
    first: Mean = msgspec.field(default_factory=Mean)
    complete: Mean = msgspec.field(default_factory=Mean)
    """Nanoseconds."""
    share: Mean = msgspec.field(default_factory=Mean)
    """Parts per million of the order's quantity."""
    pairs: Pairs = msgspec.field(default_factory=Pairs)
    latency: Mean = msgspec.field(default_factory=Mean)
    """Nanoseconds from sending to being in the book, or matched."""
    by_share: list[Pairs] = msgspec.field(default_factory=lambda: [Pairs() for _ in SHARES_PPM])
    """For each of ``SHARES_PPM``."""

    def void(self, reason: Void) -> None:
        """Count a pair that says nothing."""
        self.voids[reason] = self.voids.get(reason, 0) + 1

    def add(
        self, sign: int, qty_lots: int, live: Filled, paper: Filled, cash_per_tick_lot: int
    ) -> None:
        """Count a pair.

        Args:
            sign: +1 where low prices are good.
            qty_lots: Of the order, the most it ever asked for.
            live: What was filled at the venue.
            paper: What was filled by the model.
            cash_per_tick_lot: Worth of a tick of a lot.
        """
        self.pairs.add(live=live.lots > 0, paper=paper.lots > 0)
        self.share.add((live.lots - paper.lots) * PPM // qty_lots)
        if not (live.lots and paper.lots):
            return
        # Mean prices are fractions: their difference over a common denominator is exact.
        apart = (live.notional * paper.lots - paper.notional * live.lots) * sign
        self.price.add(apart * PPB // (paper.notional * live.lots))
        lots = min(live.lots, paper.lots)
        self.cost_units += apart * lots * cash_per_tick_lot // (live.lots * paper.lots)
        self.worth_units += paper.notional * lots * cash_per_tick_lot // paper.lots
        self.first.add(live.first_ns - paper.first_ns)
        if live.lots >= qty_lots and paper.lots >= qty_lots:
            self.complete.add(live.last_ns - paper.last_ns)

    def merge(self, other: "Cell") -> None:
        """Add another's."""
        for name in ("orders", "cost_units", "worth_units"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in ("price", "first", "complete", "share", "pairs", "latency"):
            getattr(self, name).merge(getattr(other, name))
        for mine, theirs in zip(self.by_share, other.by_share, strict=True):
            mine.merge(theirs)
        for reason, count in other.voids.items():
            self.voids[reason] = self.voids.get(reason, 0) + count


class Cells(dict[Key, Cell]):
    """Cells by key; one that is asked for and missing is made."""

    def __missing__(self, key: Key) -> Cell:
        """Make a cell."""
        found = self[key] = Cell()
        return found


_TAKING: Final = frozenset({TimeInForce.IOC, TimeInForce.FOK})


def kind_of(tif: TimeInForce) -> Kind:
    """Return what an order may do."""
    return Kind.TAKES if tif in _TAKING else Kind.RESTS
