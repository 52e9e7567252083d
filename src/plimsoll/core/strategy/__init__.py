"""What a strategy sees and may ask for, and how wishes become order changes.

In: bars, books, prints, fills, order changes. Out: requests (place, amend, cancel) for the gate.
Strategies import ``Strategy`` from here; ``core.engine`` runs them.
"""

from plimsoll.core.strategy.base import (
    FillEvent,
    Holding,
    OrderHandle,
    Strategy,
    parameters_of,
    state,
)
from plimsoll.core.strategy.desk import (
    AmendRequest,
    CancelRequest,
    Desk,
    PlaceRequest,
    Request,
    SizeRequest,
)
from plimsoll.core.strategy.executors import (
    ExecutorHandle,
    Grid,
    Iceberg,
    Legs,
    Pov,
    Twap,
    Vwap,
)
from plimsoll.core.strategy.indicators import Ema, Sma
from plimsoll.core.strategy.wishes import Quote, Target

__all__ = [
    "AmendRequest",
    "CancelRequest",
    "Desk",
    "Ema",
    "ExecutorHandle",
    "FillEvent",
    "Grid",
    "Holding",
    "Iceberg",
    "Legs",
    "OrderHandle",
    "PlaceRequest",
    "Pov",
    "Quote",
    "Request",
    "SizeRequest",
    "Sma",
    "Strategy",
    "Target",
    "Twap",
    "Vwap",
    "parameters_of",
    "state",
]
