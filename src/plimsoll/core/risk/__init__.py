"""What may not happen: pre-trade checks, worst-case exposure, halts and blocks, loss limits.

In: order changes, positions, a candidate. Out: a ``Refusal`` with words, or nothing.
``core.engine`` asks it before each intent; it knows no strategy and no venue.
"""

from plimsoll.core.risk.breakers import Trips
from plimsoll.core.risk.exposure import LIVE_SCOPE, Exposure
from plimsoll.core.risk.gate import Candidate, Gate, Surroundings
from plimsoll.core.risk.health import Health
from plimsoll.core.risk.limits import LimitBook, pace_of
from plimsoll.core.risk.losses import Losses, OwnLosses
from plimsoll.core.risk.pacing import Lane, Pacing, VenueRates, group_of
from plimsoll.core.risk.safety import Halt, Pause, Safety

__all__ = [
    "LIVE_SCOPE",
    "Candidate",
    "Exposure",
    "Gate",
    "Halt",
    "Health",
    "Lane",
    "LimitBook",
    "Losses",
    "OwnLosses",
    "Pacing",
    "Pause",
    "Safety",
    "Surroundings",
    "Trips",
    "VenueRates",
    "group_of",
    "pace_of",
]
