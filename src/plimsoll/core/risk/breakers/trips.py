"""Which breakers are in force: made from the records alone, so that a restart finds them.

A scope is text: ``account``, the name of an instance, that of an instrument, or both with a stroke
between (``ema/linear:BTCUSDT``).
"""

from collections.abc import Iterable

import msgspec

from plimsoll.core.model import DAY_NS, FOREIGN, Order
from plimsoll.core.records import Reset, Tripped
from plimsoll.core.risk.breakers.table import BREAKERS, Effect, Rearm
from plimsoll.core.risk.limits import ACCOUNT


class Trip(msgspec.Struct, frozen=True):
    """A breaker in force; see ``Tripped``."""

    breaker: str
    scope: str
    effect: str
    since_ns: int
    until_ns: int
    text: str
    measured: int
    limit: int


class Trips:
    """Breakers in force, and how often each tripped on its newest day."""

    def __init__(self) -> None:
        """Start with none."""
        self.active: dict[tuple[str, str], Trip] = {}
        """By breaker and scope."""
        self.days: dict[tuple[str, str], tuple[int, int]] = {}
        """UTC day and count of a breaker's trips in a scope."""

    def on_tripped(self, record: Tripped) -> None:
        """Put a breaker in force."""
        key = record.breaker, record.scope
        self.active[key] = Trip(
            record.breaker,
            record.scope,
            record.effect,
            record.ts_ns,
            record.until_ns,
            record.text,
            record.measured,
            record.limit,
        )
        self.days[key] = record.ts_ns // DAY_NS, self.today(*key, record.ts_ns) + 1

    def on_reset(self, record: Reset) -> None:
        """End it."""
        self.active.pop((record.breaker, record.scope), None)

    def today(self, breaker: str, scope: str, ts_ns: int) -> int:
        """Return how often a breaker has tripped in a scope on the UTC day of ``ts_ns``."""
        day, count = self.days.get((breaker, scope), (0, 0))
        return count if day == ts_ns // DAY_NS else 0

    def against(self, owner: str, instrument: str, *, is_paper: bool) -> Trip | None:
        """Return what stands against new risk of an instance in an instrument."""
        for trip in self.active.values():
            if covers(trip.scope, owner, instrument, is_paper=is_paper):
                return trip
        return None

    def why_not_reset(self, breaker: str, scope: str, now_ns: int) -> str:
        """Return why a person may not arm this again now, empty where they may."""
        trip = self.active.get((breaker, scope))
        if trip is None:
            known = "; ".join(f"{name} {where}" for name, where in self.active) or "none"
            return f"{breaker} has not tripped for {scope}; in force: {known}"
        if BREAKERS[breaker].rearm is Rearm.NEXT_DAY and now_ns < trip.until_ns:
            return f"{breaker} is re-armed by a person, and not before 00:00 UTC"
        return ""


def covers(scope: str, owner: str, instrument: str, *, is_paper: bool) -> bool:
    """Return whether a scope holds what an instance does in an instrument.

    The account is what is live; an instrument's market is the same on paper.
    """
    if scope == ACCOUNT:
        return not is_paper
    return scope in (owner, instrument, f"{owner}/{instrument}")


def touched(effect: str, scope: str, orders: Iterable[Order]) -> list[Order]:
    """Return the working orders an effect cancels: those that can add risk; protection stays."""
    if effect == Effect.NO_ENTRIES:
        return []
    return [
        order
        for order in orders
        if not order.reduce_only
        and order.owner != FOREIGN
        and covers(scope, order.owner, order.instrument, is_paper=order.is_paper)
    ]
