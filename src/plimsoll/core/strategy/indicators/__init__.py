"""Incremental indicators: plain values, checkpointed with the strategy that uses them.

In: closes or closed bars, one at a time, each in constant time (those with a window: on average).
Out: ``value`` and, once enough was seen, ``is_ready``. Strategies get them by ``self.ema(...)``, or
keep one of their own as ``state(StandardDeviation(60))`` and call ``update``.
"""

from collections.abc import Mapping
from typing import Any, Final

from plimsoll.core.strategy.indicators.averages import Ema, Macd, Sma, Vwap, Wma
from plimsoll.core.strategy.indicators.base import OfBars, OfCloses
from plimsoll.core.strategy.indicators.ranges import (
    Adx,
    Atr,
    Bollinger,
    Donchian,
    StandardDeviation,
)
from plimsoll.core.strategy.indicators.swings import Obv, Roc, Rsi, Stochastic

KINDS: Final[Mapping[str, type[Any]]] = {
    "adx": Adx,
    "atr": Atr,
    "bollinger": Bollinger,
    "deviation": StandardDeviation,
    "donchian": Donchian,
    "ema": Ema,
    "macd": Macd,
    "obv": Obv,
    "roc": Roc,
    "rsi": Rsi,
    "sma": Sma,
    "stochastic": Stochastic,
    "vwap": Vwap,
    "wma": Wma,
}
"""By the words a strategy asks with, which are those of a checkpoint."""

__all__ = [
    "KINDS",
    "Adx",
    "Atr",
    "Bollinger",
    "Donchian",
    "Ema",
    "Macd",
    "Obv",
    "OfBars",
    "OfCloses",
    "Roc",
    "Rsi",
    "Sma",
    "StandardDeviation",
    "Stochastic",
    "Vwap",
    "Wma",
]
