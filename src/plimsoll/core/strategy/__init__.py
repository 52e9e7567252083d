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
)
from plimsoll.core.strategy.desk import Desk
from plimsoll.core.strategy.executors import (
    ExecutorHandle,
    Grid,
    Iceberg,
    Legs,
    Pov,
    Twap,
    Vwap,
)
from plimsoll.core.strategy.indicators import (
    Adx,
    Atr,
    Bollinger,
    Donchian,
    Ema,
    Macd,
    Obv,
    Roc,
    Rsi,
    Sma,
    StandardDeviation,
    Stochastic,
    Wma,
)
from plimsoll.core.strategy.keeping import state
from plimsoll.core.strategy.parameters import Parameter, param
from plimsoll.core.strategy.requests import (
    AmendRequest,
    CancelRequest,
    PlaceRequest,
    Request,
    SizeRequest,
)
from plimsoll.core.strategy.signals import Signal
from plimsoll.core.strategy.wishes import Quote, Target

__all__ = [
    "Adx",
    "AmendRequest",
    "Atr",
    "Bollinger",
    "CancelRequest",
    "Desk",
    "Donchian",
    "Ema",
    "ExecutorHandle",
    "FillEvent",
    "Grid",
    "Holding",
    "Iceberg",
    "Legs",
    "Macd",
    "Obv",
    "OrderHandle",
    "Parameter",
    "PlaceRequest",
    "Pov",
    "Quote",
    "Request",
    "Roc",
    "Rsi",
    "Signal",
    "SizeRequest",
    "Sma",
    "StandardDeviation",
    "Stochastic",
    "Strategy",
    "Target",
    "Twap",
    "Vwap",
    "Wma",
    "param",
    "parameters_of",
    "state",
]
