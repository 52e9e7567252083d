"""What may not happen: pre-trade checks, worst-case exposure, halts and blocks, loss limits.

In: order changes, positions, a candidate. Out: a ``Refusal`` with words, or nothing.
``core.engine`` asks it before each intent; it knows no strategy and no venue.
"""

from plimsoll.core.risk.exposure import LIVE_SCOPE, Exposure
from plimsoll.core.risk.gate import Candidate, Gate, Surroundings
from plimsoll.core.risk.losses import Losses
from plimsoll.core.risk.pacing import Lane, Pacing, VenueRates, group_of
from plimsoll.core.risk.safety import WHOLE_ACCOUNT, Halt, Pause, Safety

__all__ = [
    "LIVE_SCOPE",
    "WHOLE_ACCOUNT",
    "Candidate",
    "Exposure",
    "Gate",
    "Halt",
    "Lane",
    "Losses",
    "Pacing",
    "Pause",
    "Safety",
    "Surroundings",
    "VenueRates",
    "group_of",
]
