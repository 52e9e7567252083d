"""Circuit breakers: what each looks at, and which of them are in force (trading.md 8).

In: what the books, the venue and the markets show. Out: a ``Finding``, where one should trip.
``core.engine.breaking`` turns findings into records; the gate asks ``Trips``.
"""

from plimsoll.core.risk.breakers.table import BREAKERS, Breaker, Effect, Finding, Rearm
from plimsoll.core.risk.breakers.trips import Trip, Trips

__all__ = ["BREAKERS", "Breaker", "Effect", "Finding", "Rearm", "Trip", "Trips"]
