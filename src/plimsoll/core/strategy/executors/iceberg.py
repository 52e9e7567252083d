"""``Iceberg``: a resting order of which only a part is shown."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from plimsoll.core.model import Denied, OrderType, Regrid
from plimsoll.core.model import TimeInForce as Tif
from plimsoll.core.strategy.executors.leg import Leg
from plimsoll.core.strategy.executors.plan import (
    SPACING_NS,
    Send,
    Sight,
    Terms,
    fitted,
    side_of,
    signed_lots,
    usual_end,
    wrong,
)
from plimsoll.core.strategy.number import Number


class Resting(msgspec.Struct, tag="resting"):
    """One order at a limit after the other."""

    shown_lots: int
    limit_ticks: int
    post_only: bool = False
    reduce_only: bool = False

    @property
    def ends_ns(self) -> int:
        """Return 0: it waits for ever."""
        return 0

    def sends(self, legs: Sequence[Leg], sights: Sequence[Sight], now_ns: int) -> list[Send]:
        """Return the next part, once nothing of the one before is in flight."""
        (leg,), (sight,) = legs, sights
        if leg.in_flight or now_ns < leg.newest_ns + SPACING_NS:
            return []
        lots = fitted(self.shown_lots, leg.left_lots, sight)
        if not lots:
            return []
        tif = Tif.POST_ONLY if self.post_only else Tif.GTC
        side = side_of(leg.sign)
        ticks = sight.listed.on_price_step(self.limit_ticks, up=leg.sign < 0)
        return [Send(0, side, OrderType.LIMIT, tif, ticks, lots, self.reduce_only)]

    def over(self, legs: Sequence[Leg], sights: Sequence[Sight], _now_ns: int) -> str:
        """Return whether all is traded."""
        return usual_end(legs, sights)

    def closing(self, _legs: Sequence[Leg], _sights: Sequence[Sight]) -> list[Send]:
        """Return nothing: it may end anywhere."""
        return []

    def regrid(self, _instrument: str, regrid: Regrid) -> None:
        """Count in the new steps."""
        self.shown_lots *= regrid.lot
        self.limit_ticks *= regrid.tick


class Iceberg(NamedTuple):
    """Rest ``shown`` of a signed quantity at ``limit``; when it is filled, show the next part.

    It waits for ever: end it with ``cancel()``. The last part takes along what could not be traded
    alone, so it may be a little larger. ``post_only``: a part that would take is tried again later.
    """

    qty: Number
    shown: Number
    limit: Number
    post_only: bool = False
    reduce_only: bool = False

    def begin(
        self, terms: Terms, instrument: str
    ) -> tuple[Resting, list[tuple[str, int, int]]] | Denied:
        """Return the plan and its leg, or why there is none."""
        listed = terms.listed(instrument)
        if isinstance(listed, Denied):
            return listed
        wanted = signed_lots(terms, listed, self.qty)
        shown = signed_lots(terms, listed, self.shown)
        ticks = terms.ticks(listed, "limit", self.limit)
        if isinstance(wanted, Denied):
            return wanted
        if isinstance(shown, Denied):
            return shown
        if isinstance(ticks, Denied):
            return ticks
        if shown[0] < 0 or shown[1] > wanted[1]:
            return wrong(f"shown {self.shown!r} is not a part of the quantity {self.qty!r}")
        plan = Resting(shown[1], ticks, self.post_only, self.reduce_only)
        return plan, [(instrument, *wanted)]
