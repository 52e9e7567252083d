"""A quantity spread over time by shares: what ``Twap`` and ``Vwap`` become.

Each slice sends one order that takes what it finds, for what the schedule wants by its end, less
what is filled or may still be. A slice behind the schedule catches up, by at most its own planned
quantity; one slice more follows the last. What then is left is told, not forced through.
"""

from bisect import bisect_right
from collections.abc import Sequence
from math import ceil
from typing import Final

import msgspec

from plimsoll.core.model import Denied, Regrid
from plimsoll.core.strategy.executors.leg import Leg
from plimsoll.core.strategy.executors.plan import (
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
from plimsoll.core.strategy.random_stream import RandomStream

PARTS: Final = 1_000_000_000
MOST_SLICES: Final = 1_000
LONGEST_S: Final = 7 * 86_400
CATCH_UP: Final = 2
"""A slice is at most so many times its planned quantity."""


class Scheduled(msgspec.Struct, tag="scheduled"):
    """Slices with the share of the quantity that each one completes."""

    starts: list[int]
    """Unix ns, ascending."""
    shares: list[int]
    """Parts in a thousand million by the end of each slice, ascending to the whole."""
    end_ns: int
    slice_ns: int
    limit_ticks: int = 0
    reduce_only: bool = False

    @property
    def ends_ns(self) -> int:
        """Return when the slice that catches up is over."""
        return self.end_ns + self.slice_ns

    def sends(self, legs: Sequence[Leg], sights: Sequence[Sight], now_ns: int) -> list[Send]:
        """Return the order of the slice under way, unless it was sent."""
        (leg,), (sight,) = legs, sights
        at = bisect_right(self.starts, now_ns) - 1
        if now_ns >= self.end_ns:
            at = len(self.starts)  # the one that catches up
        begin = self.end_ns if at == len(self.starts) else self.starts[at]
        side = side_of(leg.sign)
        if at < 0 or leg.newest_ns >= begin or not is_reached(self.limit_ticks, side, sight):
            return []
        share = PARTS if at >= len(self.shares) else self.shares[at]
        due = leg.qty_lots * share // PARTS - leg.filled_lots - leg.coming_lots
        most = max(CATCH_UP * self._planned(leg, at), sight.least_lots)
        lots = fitted(min(due, most), leg.left_lots, sight)
        if not lots:
            return []
        return [at_market(0, side, lots, self.limit_ticks, reduce_only=self.reduce_only)]

    def over(self, legs: Sequence[Leg], sights: Sequence[Sight], now_ns: int) -> str:
        """Return ``time`` once the slice that catches up is over, too."""
        is_late = now_ns >= self.ends_ns
        return usual_end(legs, sights) or ("time" if is_late else "")

    def closing(self, _legs: Sequence[Leg], _sights: Sequence[Sight]) -> list[Send]:
        """Return nothing: it may end anywhere."""
        return []

    def regrid(self, _instrument: str, regrid: Regrid) -> None:
        """Count the limit in the new ticks."""
        self.limit_ticks *= regrid.tick

    def _planned(self, leg: Leg, at: int) -> int:
        if at >= len(self.shares):
            return -(-leg.qty_lots // len(self.shares))
        before = self.shares[at - 1] if at else 0
        return -(-leg.qty_lots * (self.shares[at] - before) // PARTS)


def slices_of(over_s: float, slice_s: float) -> tuple[int, int] | Denied:
    """Return length, ns, and number of equal slices."""
    over_ns = span_ns("over_s", over_s, least=1, most=LONGEST_S)
    slice_ns = span_ns("slice_s", slice_s, least=1, most=LONGEST_S)
    if isinstance(over_ns, Denied):
        return over_ns
    if isinstance(slice_ns, Denied):
        return slice_ns
    count = max(1, over_ns // slice_ns)
    if count > MOST_SLICES:
        return wrong(f"{count} slices are more than {MOST_SLICES}")
    return over_ns // count, count


def scheduled(
    terms: Terms,
    instrument: str,
    qty: Number,
    over_s: float,
    slice_s: float,
    *,
    weights: Sequence[float] = (),
    limit: Number | None = None,
    randomised: float = 0.0,
    reduce_only: bool = False,
) -> tuple[Scheduled, list[tuple[str, int, int]]] | Denied:
    """Return a plan and its leg, or why there is none.

    ``weights``: of the slices, where they are not equal. ``randomised``: how much of a slice its
    start may be late, and how far sizes may differ, from 0 to below 1.
    """
    listed = terms.listed(instrument)
    if isinstance(listed, Denied):
        return listed
    spans = slices_of(over_s, slice_s)
    wanted, ticks = signed_lots(terms, listed, qty), limit_ticks(terms, listed, limit)
    if isinstance(spans, Denied):
        return spans
    if isinstance(wanted, Denied):
        return wanted
    if isinstance(ticks, Denied):
        return ticks
    if not 0 <= randomised < 1:
        return wrong(f"randomised {randomised!r} is not from 0 to below 1")
    slice_ns, count = spans
    over_ns = slice_ns * count
    stream = RandomStream(terms.rng.next_word())
    each = list(weights) or [1.0] * count
    spread = [one * (1 + randomised * (stream.random() - 0.5)) for one in each]
    whole, so_far, shares = sum(spread), 0.0, []
    for one in spread:
        so_far += one
        shares.append(min(PARTS, ceil(so_far / whole * PARTS)))
    shares[-1] = PARTS
    late = [int(randomised * stream.random() * slice_ns) for _ in range(count)]
    begin = terms.now_ns
    starts = [begin + index * slice_ns + late[index] for index in range(count)]
    plan = Scheduled(starts, shares, begin + over_ns, slice_ns, ticks, reduce_only)
    return plan, [(instrument, *wanted)]
