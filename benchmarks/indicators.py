"""What one bar costs an indicator: ours beside talipp's, the same bars in turns.

Both are incremental and written in Python. talipp keeps every input, so it is made anew each round.
It comes with the tools of the tests: without it only ours are measured.

    python -m benchmarks.indicators [--full]
"""

import random
import time
from collections.abc import Callable
from typing import Any

from benchmarks.report import Result, Size, middle, run

from plimsoll.core.feed import Bar
from plimsoll.core.strategy import indicators as ours

try:
    import talipp.indicators as theirs
    from talipp.ohlcv import OHLCV
except ImportError:
    theirs = None

ROUNDS = {Size.TINY: (1, 60), Size.SMALL: (5, 3_000), Size.FULL: (15, 10_000)}
"""Rounds, and bars in each of them."""

PAIRS: dict[str, tuple[Callable[[], Any], Callable[[Any], Any]]] = {
    "Sma 20": (lambda: ours.Sma(20), lambda by: by.SMA(20)),
    "Ema 20": (lambda: ours.Ema(20), lambda by: by.EMA(20)),
    "Wma 20": (lambda: ours.Wma(20), lambda by: by.WMA(20)),
    "Macd 12 26 9": (lambda: ours.Macd(12, 26, 9), lambda by: by.MACD(12, 26, 9)),
    "Rsi 14": (lambda: ours.Rsi(14), lambda by: by.RSI(14)),
    "StandardDeviation 20": (lambda: ours.StandardDeviation(20), lambda by: by.StdDev(20)),
    "StandardDeviation 200": (lambda: ours.StandardDeviation(200), lambda by: by.StdDev(200)),
    "Bollinger 20": (lambda: ours.Bollinger(20), lambda by: by.BB(20, 2.0)),
    "Atr 14": (lambda: ours.Atr(14), lambda by: by.ATR(14)),
    "Adx 14": (lambda: ours.Adx(14), lambda by: by.ADX(14, 14)),
    "Stochastic 14 1 3": (lambda: ours.Stochastic(14, 1, 3), lambda by: by.Stoch(14, 3)),
    "Donchian 20": (lambda: ours.Donchian(20), lambda by: by.DonchianChannels(20)),
    "Vwap of the day": (ours.Vwap, lambda by: by.VWAP()),
    "Obv": (ours.Obv, lambda by: by.OBV()),
    "Roc 10": (lambda: ours.Roc(10), lambda by: by.ROC(10)),
}


def measure(size: Size) -> Result:
    """Measure every pair in turns."""
    rounds, count = ROUNDS[size]
    bars = _bars(count)
    others = (
        [OHLCV(one.open, one.high, one.low, one.close, one.volume) for one in bars]
        if theirs
        else []
    )
    rows: dict[str, tuple[float, ...]] = {}
    ratios: dict[str, float] = {}
    for name, (make, make_other) in PAIRS.items():
        own, other = [], []
        for _ in range(rounds):
            own.append(_ours(make(), bars))
            if theirs:
                is_of_closes = isinstance(make(), ours.OfCloses)
                values = [one.close for one in bars] if is_of_closes else others
                other.append(_theirs(make_other(theirs), values))
        rows[name] = (min(own), middle(own), *((min(other), middle(other)) if other else ()))
        if other:
            ratios[f"{name} to talipp"] = min(own) / min(other)
    columns = ("best ns", "median ns", "talipp best", "talipp median")
    return Result("one bar into an indicator", columns if theirs else columns[:2], rows, ratios)


def _ours(made: Any, bars: list[Bar]) -> float:
    take = made.take
    begin = time.process_time_ns()
    for bar in bars:
        take(bar)
    return (time.process_time_ns() - begin) / len(bars)


def _theirs(made: Any, values: list[Any]) -> float:
    add = made.add
    begin = time.process_time_ns()
    for one in values:
        add(one)
    return (time.process_time_ns() - begin) / len(values)


def _bars(count: int) -> list[Bar]:
    chance, price, bars = random.Random(1), 100.0, []
    for place in range(count):
        last, price = price, price * (1 + chance.gauss(0, 0.002))
        high, low = max(last, price) * 1.001, min(last, price) * 0.999
        bars.append(Bar("i", "1m", place * 60 * 10**9, last, high, low, price, 1 + chance.random()))
    return bars


if __name__ == "__main__":
    run("one bar into each indicator", [measure])
