"""What may not happen: pre-trade checks, worst-case exposure, halts and blocks, loss limits.

In: order changes, positions, a candidate. Out: a ``Refusal`` with words, or nothing.
``core.engine`` asks it before each intent; it knows no strategy and no venue.
"""

from plimsoll.core.risk.exposure import Exposure
from plimsoll.core.risk.gate import Candidate, Gate, Surroundings
from plimsoll.core.risk.losses import Losses
from plimsoll.core.risk.pacing import Pacing
from plimsoll.core.risk.safety import Safety

__all__ = [
    "Candidate",
    "Exposure",
    "Gate",
    "Losses",
    "Pacing",
    "Safety",
    "Surroundings",
]
