"""An executor at work: its plan, its legs, what it was refused, and how it ends."""

from collections.abc import Sequence
from typing import Final

import msgspec

from plimsoll.core.model import Order, OrderState, TimeInForce
from plimsoll.core.strategy.executors.grid import Laddered
from plimsoll.core.strategy.executors.iceberg import Resting
from plimsoll.core.strategy.executors.leg import Leg
from plimsoll.core.strategy.executors.legs import Hedged
from plimsoll.core.strategy.executors.plan import SECOND, Send, Sight, Stop
from plimsoll.core.strategy.executors.pov import Following
from plimsoll.core.strategy.executors.schedule import Scheduled

PATIENCE_NS: Final = 600 * SECOND
"""After so long of nothing but refusals an executor gives up."""

MOST_WAIT_NS: Final = 30 * SECOND
"""Pauses after refusals double from a second to this."""

AnyPlan = Scheduled | Resting | Following | Hedged | Laddered


class Run(msgspec.Struct):
    """One executor, from its start to its end."""

    number: int
    kind: str
    plan: AnyPlan
    legs: list[Leg]
    begun_ns: int
    closes: str = ""
    """Why it is about to end; until nothing is in flight any more it has not."""
    ended: str = ""
    refusal: tuple[str, str] = ("", "")
    """Code and words of the newest refusal."""
    tries: int = 0
    refused_ns: int = 0
    """Since when there was nothing but refusals; 0 = the newest order did something."""
    not_before_ns: int = 0

    def step(self, sights: Sequence[Sight], now_ns: int) -> list[Send | Stop]:
        """Return what to do now; this is also where it ends."""
        if self.ended:
            return self._stops(sights, now_ns)
        is_worn = bool(self.refused_ns) and now_ns - self.refused_ns >= PATIENCE_NS
        if not self.closes:
            why = self.plan.over(self.legs, sights, now_ns) or ("refused" if is_worn else "")
            if not why:
                is_early = now_ns < self.not_before_ns
                return [] if is_early else [*self.plan.sends(self.legs, sights, now_ns)]
            self.closes, is_worn = why, False
            self.refused_ns = self.tries = 0  # what the end takes has patience of its own
        if any(leg.in_flight for leg in self.legs):
            return self._stops(sights, now_ns)
        sends = [] if is_worn else self.plan.closing(self.legs, sights)
        if sends:
            return [] if now_ns < self.not_before_ns else [*sends]
        is_whole = all(leg.filled_lots >= leg.qty_lots for leg in self.legs)
        self.ended = "filled" if is_whole else self.closes
        return []

    def refuse(self, code: str, text: str, now_ns: int) -> None:
        """Take a refusal, by the gate or by the venue: wait longer each time."""
        self.refusal = (code, text)
        self.refused_ns = self.refused_ns or now_ns
        self.not_before_ns = now_ns + min(MOST_WAIT_NS, SECOND << min(self.tries, 5))
        self.tries += 1

    def hear(self, leg: Leg, order: Order, now_ns: int) -> None:
        """Take over what an order of a leg has come to."""
        known = leg.pieces.get(order.id)
        if known is None and order.created_ns <= leg.folded_ns:
            return
        had = known.filled_lots if known else 0
        was_final = known is not None and known.is_final
        leg.note(order)
        if order.filled_lots > had:
            self.tries = self.refused_ns = self.not_before_ns = 0
        elif not was_final and (why := refusal_in(order)) is not None:
            if order.state in _UNFILLED:  # no fault of anybody: soon the market may be another
                self.tries = 0
            self.refuse(*why, now_ns)

    def _stops(self, sights: Sequence[Sight], now_ns: int) -> list[Send | Stop]:
        """Cancel what rests, each second anew while it is still there."""
        return [
            Stop(order)
            for sight in sights
            for order in sight.working
            if order.tif is not TimeInForce.IOC
            and now_ns - order.unwanted_ns >= order.cancels * SECOND
        ]


_UNFILLED: Final = frozenset({OrderState.CANCELED, OrderState.EXPIRED})


def refusal_in(order: Order) -> tuple[str, str] | None:
    """Return code and words of an order that came to nothing by itself, None where it did not."""
    if order.is_working or order.filled_lots or order.venue_cum_lots or order.cancels:
        return None
    text = order.reason or f"an order came to nothing: {order.state}"
    return ("unfilled" if order.state in _UNFILLED else str(order.state)), text
