"""``Pov``: a share of what the market trades."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec

from plimsoll.core.model import Denied, Instrument, Regrid
from plimsoll.core.records import PublicTraded
from plimsoll.core.strategy.executors.leg import Leg
from plimsoll.core.strategy.executors.plan import (
    SECOND,
    Send,
    Sight,
    Terms,
    at_market,
    fitted,
    is_reached,
    limit_ticks,
    side_of,
    signed_lots,
    span_ns,
    usual_end,
    wrong,
)
from plimsoll.core.strategy.number import Number

PPM: Final = 1_000_000
BUCKET_NS: Final = 30 * SECOND
EVERY_NS: Final = SECOND
LONGEST_S: Final = 7 * 86_400


class Following(msgspec.Struct, tag="following"):
    """What the tape has shown since the start, and lately."""

    rate_ppm: int
    end_ns: int
    """0 = none."""
    limit_ticks: int = 0
    reduce_only: bool = False
    seen_lots: int = 0
    now_lots: int = 0
    """In the bucket of time under way, and in the one before."""
    last_lots: int = 0
    bucket: int = 0
    missed_lots: int = 0
    """Shares of long ago that are not caught up with any more."""

    @property
    def ends_ns(self) -> int:
        """Return when its time is over, 0 where it has none."""
        return self.end_ns

    def on_public_trade(self, traded: PublicTraded, listed: Instrument) -> None:
        """Count what was traded."""
        bucket = traded.ts_ns // BUCKET_NS
        if bucket != self.bucket:
            self.last_lots = self.now_lots if bucket == self.bucket + 1 else 0
            self.now_lots, self.bucket = 0, bucket
        lots = sum(int(row[1] * listed.lots_per_qty + 0.5) for row in traded.rows)
        self.seen_lots += lots
        self.now_lots += lots

    def sends(self, legs: Sequence[Leg], sights: Sequence[Sight], now_ns: int) -> list[Send]:
        """Return an order for the share not traded yet; of long ago no more is caught up with."""
        (leg,), (sight,) = legs, sights
        side = side_of(leg.sign)
        if leg.in_flight or now_ns < leg.newest_ns + EVERY_NS:
            return []
        if not is_reached(self.limit_ticks, side, sight):
            return []
        due = self.seen_lots * self.rate_ppm // PPM - self.missed_lots - leg.filled_lots
        lately = 0 if now_ns // BUCKET_NS > self.bucket + 1 else self.now_lots + self.last_lots
        most = max(lately * self.rate_ppm // PPM, sight.least_lots)
        self.missed_lots += max(0, due - most)
        lots = fitted(min(due, most), leg.left_lots, sight)
        if not lots:
            return []
        return [at_market(0, side, lots, self.limit_ticks, reduce_only=self.reduce_only)]

    def over(self, legs: Sequence[Leg], sights: Sequence[Sight], now_ns: int) -> str:
        """Return whether all is traded, or its time is."""
        is_late = bool(self.end_ns) and now_ns >= self.end_ns
        return usual_end(legs, sights) or ("time" if is_late else "")

    def closing(self, _legs: Sequence[Leg], _sights: Sequence[Sight]) -> list[Send]:
        """Return nothing: it may end anywhere."""
        return []

    def regrid(self, _instrument: str, regrid: Regrid) -> None:
        """Count in the new steps."""
        self.limit_ticks *= regrid.tick
        self.seen_lots *= regrid.lot
        self.now_lots *= regrid.lot
        self.last_lots *= regrid.lot
        self.missed_lots *= regrid.lot


class Pov(NamedTuple):
    """Trade a signed quantity as ``rate`` of the volume on the public tape, own executions counted.

    At most one order a second. What was missed for more than a minute, in a halt say, is not caught
    up with. ``over_s``: ends then, whatever is left.
    """

    qty: Number
    rate: float
    over_s: float | None = None
    limit: Number | None = None
    reduce_only: bool = False

    def begin(
        self, terms: Terms, instrument: str
    ) -> tuple[Following, list[tuple[str, int, int]]] | Denied:
        """Return the plan and its leg, or why there is none."""
        listed = terms.listed(instrument)
        if isinstance(listed, Denied):
            return listed
        wanted, ticks = signed_lots(terms, listed, self.qty), limit_ticks(terms, listed, self.limit)
        over_s = self.over_s
        over = 0 if over_s is None else span_ns("over_s", over_s, least=1, most=LONGEST_S)
        if isinstance(wanted, Denied):
            return wanted
        if isinstance(ticks, Denied):
            return ticks
        if isinstance(over, Denied):
            return over
        if not 0.001 <= self.rate <= 0.5:
            return wrong(f"rate {self.rate!r} is not from 0.001 to 0.5 of the volume")
        end_ns = terms.now_ns + over if over else 0
        plan = Following(int(self.rate * PPM), end_ns, ticks, self.reduce_only)
        return plan, [(instrument, *wanted)]
