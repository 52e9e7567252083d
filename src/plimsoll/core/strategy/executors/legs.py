"""``Legs``: several instruments traded together, never far apart.

Theory: the first leg leads by a step, the others follow to the same part of their quantity before
it takes the next. What is filled on the leader and not yet on a follower is unhedged: no step is
larger than allowed, and where the followers do not come after in time, what is ahead is taken back.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

import msgspec

from plimsoll.core.model import CASH_SCALE, Denied, Regrid
from plimsoll.core.strategy.executors.leg import Leg
from plimsoll.core.strategy.executors.plan import (
    SPACING_NS,
    Send,
    Sight,
    Terms,
    at_market,
    fitted,
    side_of,
    signed_lots,
    span_ns,
    usual_end,
    wrong,
)
from plimsoll.core.strategy.number import Number


class Hedged(msgspec.Struct, tag="hedged"):
    """How far, and for how long, the leader may be ahead."""

    most_units: int
    """In quote cash units."""
    within_ns: int
    apart_ns: int = 0
    """Since when a follower is behind; 0 = none is."""

    @property
    def ends_ns(self) -> int:
        """Return 0: it ends with its quantity, or where legs are too far apart."""
        return 0

    def sends(self, legs: Sequence[Leg], sights: Sequence[Sight], now_ns: int) -> list[Send]:
        """Return what followers need, or the next step of the leader once they are level."""
        behind = [
            at_market(index, side_of(leg.sign), lots, 0, reduce_only=False)
            for index, (leg, sight) in enumerate(zip(legs, sights, strict=True))
            if index
            and not leg.in_flight
            and (lots := fitted(_due(legs[0], leg), leg.left_lots, sight))
        ]
        if behind or any(leg.in_flight for leg in legs):
            return behind
        if now_ns < legs[0].newest_ns + SPACING_NS or not all(one.bid_ticks for one in sights):
            return []
        lots = self._step(legs, sights)
        return [at_market(0, side_of(legs[0].sign), lots, 0, reduce_only=False)] if lots else []

    def over(self, legs: Sequence[Leg], sights: Sequence[Sight], now_ns: int) -> str:
        """Return ``unhedged`` where followers were behind for too long."""
        if not self._is_apart(legs, sights):
            self.apart_ns = 0
        elif not self.apart_ns:
            self.apart_ns = now_ns
        elif now_ns - self.apart_ns >= self.within_ns:
            return "unhedged"
        end = usual_end(legs, sights)
        if end or self.apart_ns or any(leg.in_flight for leg in legs):
            return end
        if not all(one.bid_ticks for one in sights) or self._step(legs, sights):
            return ""
        return "dust" if legs[0].left_lots < smallest_step(legs, sights) else "limit"

    def closing(self, legs: Sequence[Leg], sights: Sequence[Sight]) -> list[Send]:
        """Return what takes the legs back that are ahead of the one furthest behind."""
        last = min(legs, key=lambda leg: leg.filled_lots / leg.qty_lots)
        sends = []
        for index, (leg, sight) in enumerate(zip(legs, sights, strict=True)):
            excess = leg.filled_lots - -(-leg.qty_lots * last.filled_lots // last.qty_lots)
            held = sight.held_lots * leg.sign
            reduces = held > 0
            if reduces:  # on spot fees have been taken off what was bought
                excess = min(excess, held)
            lots = fitted(excess, excess, sight)
            if lots:
                sends.append(at_market(index, side_of(-leg.sign), lots, 0, reduce_only=reduces))
        return sends

    def regrid(self, _instrument: str, _regrid: Regrid) -> None:
        """Change nothing: it counts in cash."""

    def _is_apart(self, legs: Sequence[Leg], sights: Sequence[Sight]) -> bool:
        leader = legs[0]
        pairs = zip(legs[1:], sights[1:], strict=True)
        return any(
            bool(fitted(_due(leader, leg) + leg.coming_lots, leg.qty_lots, sight))
            for leg, sight in pairs
        )

    def _step(self, legs: Sequence[Leg], sights: Sequence[Sight]) -> int:
        """Return the lots of the leader's next step, 0 where the smallest would be too much."""
        leader, sight = legs[0], sights[0]
        least, left = smallest_step(legs, sights), leader.left_lots
        lots = min(left, self.lots_allowed(legs, sights))
        if 0 < left - lots < least and left - least >= least:
            lots = left - least  # the last one must be tradable, too
        if sight.listed.max_lots:
            lots = min(lots, sight.listed.max_lots)
        lots = sight.listed.on_qty_step(lots)
        return lots if lots >= least else 0

    def lots_allowed(self, legs: Sequence[Leg], sights: Sequence[Sight]) -> int:
        """Return the leader's lots after which no leg is further apart than allowed."""
        leader = legs[0]
        # What is too little to follow is apart all the same.
        behind = min(leg.filled_lots * leader.qty_lots // leg.qty_lots for leg in legs[1:])
        apart, found = max(0, leader.filled_lots - behind), []
        for leg, sight in zip(legs, sights, strict=True):
            price = max(sight.bid_ticks, sight.ask_ticks)
            lots = self.most_units // sight.listed.notional_units(price, 1)
            found.append(lots * leader.qty_lots // leg.qty_lots)
        return max(0, min(found) - apart)


def smallest_step(legs: Sequence[Leg], sights: Sequence[Sight]) -> int:
    """Return the leader's lots after which every leg has something tradable to do."""
    leader = legs[0]
    return max(
        -(-sight.least_lots * leader.qty_lots // leg.qty_lots)
        for leg, sight in zip(legs, sights, strict=True)
    )


def _due(leader: Leg, leg: Leg) -> int:
    """Return what a follower lacks to be level with the leader."""
    part = leg.qty_lots * min(leader.filled_lots, leader.qty_lots) // leader.qty_lots
    return part - leg.filled_lots - leg.coming_lots


class Legs(NamedTuple):
    """Trade several instruments in step, the first one leading: name the hardest to trade first.

    ``most_unhedged``: value, in quote coin, by which a leg may be ahead of another. ``within_s``:
    how long; then everything is cancelled and what is ahead is taken back (``unhedged``). A
    follower's part below the venue's minimum order counts as level.
    """

    legs: Sequence[tuple[str, Number]]
    most_unhedged: Number
    within_s: float = 30.0

    def begin(
        self, terms: Terms, _instrument: str
    ) -> tuple[Hedged, list[tuple[str, int, int]]] | Denied:
        """Return the plan and its legs, or why there is none."""
        names = [name for name, _ in self.legs]
        if len(names) < 2 or len(set(names)) < len(names):
            return wrong("Legs takes two or more different instruments")
        wanted: list[tuple[str, int, int]] = []
        for name, qty in self.legs:
            listed = terms.listed(name)
            if isinstance(listed, Denied):
                return listed
            read = signed_lots(terms, listed, qty)
            if isinstance(read, Denied):
                return read
            wanted.append((name, *read))
        most, within = (
            terms.number(self.most_unhedged),
            span_ns("within_s", self.within_s, least=1, most=3_600),
        )
        if most is None or most <= 0:
            return wrong(f"most_unhedged {self.most_unhedged!r} is not a value above zero")
        if isinstance(within, Denied):
            return within
        plan = Hedged(int(most * Decimal(10) ** CASH_SCALE), within)
        return self._too_small(terms, plan, wanted) or (plan, wanted)

    def _too_small(
        self, terms: Terms, plan: Hedged, wanted: Sequence[tuple[str, int, int]]
    ) -> Denied | None:
        """Refuse what not even the smallest step would keep within."""
        legs = [Leg(name, "", sign, lots) for name, sign, lots in wanted]
        sights = []
        for name, _, _ in wanted:
            market, listed = terms.market(name), terms.listed(name)
            assert not isinstance(listed, Denied)
            if not market.bid_ticks or not market.ask_ticks:
                return wrong(f"{name} has no price")
            sights.append(Sight(listed, market.bid_ticks, market.ask_ticks, 0, ()))
        if plan.lots_allowed(legs, sights) >= smallest_step(legs, sights):
            return None
        return wrong(f"most_unhedged {self.most_unhedged!r} is less than the smallest step needs")
