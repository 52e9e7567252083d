"""Indicators against those made by others (TA-Lib in C, talipp in Python) and against plain sums.

The series are random, and made to break what keeps running sums: a price that never moves, jumps
of four orders of magnitude, bars without volume, long flat stretches.
"""

import math
import random
import statistics
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pytest
import talib
import talipp.indicators as others
from talipp.ohlcv import OHLCV

from plimsoll.core.feed import Bar
from plimsoll.core.strategy.indicators import (
    Adx,
    Atr,
    Bollinger,
    Donchian,
    Ema,
    Macd,
    Obv,
    OfBars,
    Roc,
    Rsi,
    Sma,
    StandardDeviation,
    Stochastic,
    Vwap,
    Wma,
)

SMA: Any = 0
"""TA-Lib's number of the simple average."""
COUNT = 1_500
DAY_NS = 86_400_000_000_000
MINUTE_NS = 60_000_000_000


def bars_of(closes: list[float], volumes: list[float] | None = None, seed: int = 5) -> list[Bar]:
    chance, last, made = random.Random(seed), closes[0], []
    for place, close in enumerate(closes):
        wide = abs(close - last) + close * 0.002
        is_flat = closes[0] == closes[-1] == close
        high = close if is_flat else max(close, last) + wide * chance.random()
        low = close if is_flat else min(close, last) - min(wide, close * 0.5) * chance.random()
        volume = volumes[place] if volumes else round(chance.uniform(0.1, 50), 3)
        made.append(Bar("i", "1m", place * MINUTE_NS, last, high, low, close, volume))
        last = close
    return made


def walk(seed: int, start: float = 100.0, step: float = 0.01) -> list[float]:
    chance, price, found = random.Random(seed), start, []
    for _ in range(COUNT):
        price *= 1 + chance.gauss(0, step)
        found.append(round(price, 4))
    return found


def jumps() -> list[float]:
    chance = random.Random(9)
    found = [one * (100.0 if place % 97 in (0, 1) else 1.0) for place, one in enumerate(walk(3))]
    return [one / 100.0 if chance.random() < 0.01 else one for one in found]


def stretches() -> list[float]:
    found = walk(4)
    return [found[at - at % 40] if at % 80 >= 40 else found[at] for at in range(COUNT)]


CONSTANT = bars_of([100.0] * COUNT)
SERIES = {
    "random": bars_of(walk(1)),
    "another": bars_of(walk(2, 31.7, 0.03)),
    "jumps": bars_of(jumps()),
    "stretches": bars_of(stretches()),
    "no volume": bars_of(walk(6), [0.0 if place % 50 < 30 else 2.5 for place in range(COUNT)]),
    "constant": CONSTANT,
}


class Columns(NamedTuple):
    high: Any
    low: Any
    close: Any
    volume: Any


def columns(bars: list[Bar]) -> Columns:
    return Columns(*(np.array([getattr(bar, name) for bar in bars]) for name in Columns._fields))


class Case(NamedTuple):
    """One indicator, what is read of it, and the same by the others; None where one has none."""

    make: Callable[[], Any]
    read: Callable[[Any], tuple[float, ...]]
    by_talib: Callable[[Columns], Any] | None
    by_talipp: tuple[Callable[[], Any], Callable[[Any], tuple[Any, ...]]] | None
    warm_talib: int = 0
    """Bars beyond the first ready one until the seeds no longer tell."""
    warm_talipp: int = 0
    unlike: tuple[str, ...] = ()
    """Series on which the others have a convention of their own for a range of nothing."""


def value(one: Any) -> tuple[float, ...]:
    return (one.value,)


def plain(one: Any) -> tuple[Any, ...]:
    return (one,)


CASES = {
    "Sma": Case(
        lambda: Sma(20), value, lambda c: talib.SMA(c.close, 20),
        (lambda: others.SMA(20), plain),
    ),
    "Ema": Case(
        lambda: Ema(20), value, lambda c: talib.EMA(c.close, 20),
        (lambda: others.EMA(20), plain), 240, 240,
    ),
    "Wma": Case(
        lambda: Wma(20), value, lambda c: talib.WMA(c.close, 20),
        (lambda: others.WMA(20), plain),
    ),
    "Macd": Case(
        lambda: Macd(12, 26, 9), lambda one: (one.value, one.signal, one.histogram),
        lambda c: talib.MACD(c.close, 12, 26, 9),
        (lambda: others.MACD(12, 26, 9), lambda one: (one.macd, one.signal, one.histogram)),
        420, 420,
    ),
    "Rsi": Case(
        lambda: Rsi(14), value, lambda c: talib.RSI(c.close, 14),
        (lambda: others.RSI(14), plain), 0, 500, ("constant",),
    ),
    "StandardDeviation": Case(
        lambda: StandardDeviation(20), lambda one: (one.value,), None,
        (lambda: others.StdDev(20), plain),
    ),
    "Bollinger": Case(
        lambda: Bollinger(20, 2.5), lambda one: (one.upper, one.value, one.lower), None,
        (lambda: others.BB(20, 2.5), lambda one: (one.ub, one.cb, one.lb)),
    ),
    "Atr": Case(
        lambda: Atr(14), value, lambda c: talib.ATR(c.high, c.low, c.close, 14),
        (lambda: others.ATR(14), plain), 0, 500,
    ),
    "Adx": Case(
        lambda: Adx(14), lambda one: (one.value, one.plus, one.minus),
        lambda c: (
            talib.ADX(c.high, c.low, c.close, 14), talib.PLUS_DI(c.high, c.low, c.close, 14),
            talib.MINUS_DI(c.high, c.low, c.close, 14),
        ),
        (lambda: others.ADX(14, 14), lambda one: (one.adx, one.plus_di, one.minus_di)), 0, 700,
    ),
    "Stochastic": Case(
        lambda: Stochastic(14, 3, 3), lambda one: (one.value, one.signal),
        lambda c: talib.STOCH(c.high, c.low, c.close, 14, 3, SMA, 3, SMA), None,
        unlike=("constant",),
    ),
    "Stochastic, fast": Case(
        lambda: Stochastic(14, 1, 3), lambda one: (one.value, one.signal),
        lambda c: talib.STOCHF(c.high, c.low, c.close, 14, 3, SMA),
        (lambda: others.Stoch(14, 3), lambda one: (one.k, one.d)), unlike=("constant",),
    ),
    "Donchian": Case(
        lambda: Donchian(20), lambda one: (one.upper, one.lower),
        lambda c: (talib.MAX(c.high, 20), talib.MIN(c.low, 20)),
        (lambda: others.DonchianChannels(20), lambda one: (one.ub, one.lb)),
    ),
    "Obv": Case(
        Obv, value, lambda c: talib.OBV(c.close, c.volume), (others.OBV, plain),
    ),
    "Roc": Case(
        lambda: Roc(10), value, lambda c: talib.ROC(c.close, 10),
        (lambda: others.ROC(10), plain),
    ),
}  # fmt: skip


def pairs(whose: str) -> pytest.MarkDecorator:
    """Return each indicator on each series, where there is another and no own convention."""
    found = [
        (name, series)
        for name, case in CASES.items()
        for series in SERIES
        if getattr(case, whose) is not None and series not in case.unlike
    ]
    return pytest.mark.parametrize(("name", "series"), found)


each_series = pytest.mark.parametrize("name", SERIES)
EVERY = {name: case.make for name, case in CASES.items()} | {
    "Vwap": Vwap,
    "Vwap, rolling": lambda: Vwap(30),
}


def run(made: Any, read: Callable[[Any], tuple[float, ...]], bars: list[Bar]) -> list[Any]:
    """Return what an indicator reads after each bar, None while it is not ready."""
    found = []
    for bar in bars:
        made.take(bar)
        found.append(read(made) if made.is_ready else None)
    return found


def differences(ours: list[Any], theirs: list[Any], warm: int) -> list[tuple[int, Any, Any]]:
    first = next(place for place, one in enumerate(ours) if one is not None) + warm
    assert len(ours) - first > 200
    return [
        (place, ours[place], theirs[place])
        for place in range(first, len(ours))
        if any(
            not math.isclose(mine, other, rel_tol=1e-9, abs_tol=1e-9)
            for mine, other in zip(ours[place], theirs[place], strict=True)
        )
    ]


@pairs("by_talib")
def test_it_is_what_talib_makes_of_it(name, series):
    case, bars = CASES[name], SERIES[series]
    assert case.by_talib
    made = case.by_talib(columns(bars))
    rows = list(zip(*(made if isinstance(made, tuple) else (made,)), strict=True))
    assert differences(run(case.make(), case.read, bars), rows, case.warm_talib) == []


@pairs("by_talipp")
def test_it_is_what_talipp_makes_of_it(name, series):
    case, bars = CASES[name], SERIES[series]
    assert case.by_talipp
    make, read = case.by_talipp
    other, rows = make(), []
    takes_bars = isinstance(case.make(), OfBars)
    for bar in bars:
        whole = OHLCV(bar.open, bar.high, bar.low, bar.close, bar.volume)
        other.add(whole if takes_bars else bar.close)
        newest = other[-1]
        rows.append(None if newest is None else read(newest))
    assert differences(run(case.make(), case.read, bars), rows, case.warm_talipp) == []


@pytest.mark.parametrize("name", ["random", "another", "no volume"])
def test_deviations_are_those_of_talib_where_its_squares_keep_them(name):
    bars = SERIES[name]
    theirs = [(one,) for one in talib.STDDEV(columns(bars).close, 20)]
    ours = run(StandardDeviation(20), lambda one: (one.value,), bars)
    assert differences(ours, theirs, 0) == []
    bands = run(Bollinger(20), lambda one: (one.upper, one.value, one.lower), bars)
    whole: Any = zip(*talib.BBANDS(columns(bars).close, 20), strict=True)
    assert differences(bands, list(whole), 0) == []


@pytest.mark.parametrize("name", ["random", "jumps", "stretches"])
def test_the_average_price_of_a_day_is_talipps_and_the_next_day_begins_anew(name):
    bars = SERIES[name]
    ours, other, day = Vwap(), others.VWAP(), 0
    for bar in bars:
        if bar.start_ns // DAY_NS > day:
            other, day = others.VWAP(), bar.start_ns // DAY_NS
        ours.take(bar)
        other.add(OHLCV(bar.open, bar.high, bar.low, bar.close, bar.volume))
        assert math.isclose(ours.value, other[-1], rel_tol=1e-9)
    assert day == 1


def test_a_day_that_was_not_seen_from_its_beginning_is_not_ready():
    late = [msgspec.structs.replace(bar, start_ns=bar.start_ns + DAY_NS // 2) for bar in CONSTANT]
    ready = [made is not None for made in run(Vwap(), value, late)]
    assert ready == [bar.start_ns >= DAY_NS for bar in late]
    assert run(Vwap(), value, CONSTANT[:1]) == [(100.0,)]


@each_series
def test_the_average_price_of_a_window_is_its_definition(name):
    bars, period = SERIES[name], 30
    ours = run(Vwap(period), value, bars)
    for place in range(period - 1, COUNT, 7):
        window = bars[place - period + 1 : place + 1]
        volume = math.fsum(bar.volume for bar in window)
        paid = math.fsum((bar.high + bar.low + bar.close) / 3 * bar.volume for bar in window)
        bar = bars[place]
        wanted = paid / volume if volume else (bar.high + bar.low + bar.close) / 3
        assert math.isclose(ours[place][0], wanted, rel_tol=1e-12)


# ---- what breaks running sums ----

HARSH = [1e12 * random.Random(1).random() if place % 200 == 50 else value
         for place, value in enumerate(walk(8))]  # fmt: skip


@pytest.mark.parametrize("period", [1, 2, 3, 20, 64])
def test_a_jump_that_has_left_the_window_leaves_nothing_behind(period):
    made: dict[str, Any] = {
        "sma": (Sma(period), statistics.fmean),
        "wma": (Wma(period), weighted),
        "deviation": (StandardDeviation(period), statistics.pstdev),
    }
    for place, close in enumerate(HARSH):
        window = HARSH[max(0, place + 1 - period) : place + 1]
        for ours, theirs in made.values():
            found = ours.update(close)
            if place % 5 == 0:
                assert math.isclose(found, theirs(window), rel_tol=1e-9, abs_tol=1e-12)


def weighted(window: list[float]) -> float:
    total = math.fsum(value * (place + 1) for place, value in enumerate(window))
    return total / (len(window) * (len(window) + 1) / 2)


def test_where_nothing_moves_there_is_no_deviation_and_no_side():
    for name, expected in {
        "StandardDeviation": (0.0,),
        "Rsi": (50.0,),
        "Stochastic": (50.0, 50.0),
        "Adx": (0.0, 0.0, 0.0),
        "Atr": (0.0,),
        "Roc": (0.0,),
    }.items():
        assert run(CASES[name].make(), CASES[name].read, CONSTANT)[-1] == expected


def test_after_a_move_a_price_that_stands_keeps_the_index_until_rounding_is_all_that_is_left():
    rsi = Rsi(14)
    for close in (*walk(1)[:100], *[50.0] * 5_000):
        assert 0.0 <= rsi.update(close) <= 100.0
    assert rsi.value == 50.0


# ---- ready, kept, refused ----


@pytest.mark.parametrize(
    ("name", "bars"),
    [("Sma", 20), ("Ema", 20), ("Wma", 20), ("Macd", 34), ("Rsi", 15), ("StandardDeviation", 20),
     ("Bollinger", 20), ("Atr", 15), ("Adx", 28), ("Stochastic", 18), ("Donchian", 20),
     ("Obv", 2), ("Roc", 11), ("Vwap", 1), ("Vwap, rolling", 30)],
)  # fmt: skip
def test_it_is_ready_after_as_many_bars_as_it_says(name, bars):
    found = run(EVERY[name](), value, SERIES["random"][:50])
    assert [one is not None for one in found] == [place + 1 >= bars for place in range(50)]


@each_series
@pytest.mark.parametrize("name_of", EVERY)
def test_one_that_was_saved_goes_on_as_if_it_had_not_been(name, name_of):
    whole, cut = EVERY[name_of](), EVERY[name_of]()
    for place, bar in enumerate(SERIES[name][:300]):
        if place % 37 == 11:
            plainly = msgspec.msgpack.decode(msgspec.msgpack.encode(cut))
            cut = msgspec.convert(plainly, type(cut))
        whole.take(bar)
        cut.take(bar)
        assert cut == whole


def test_an_average_saved_by_an_earlier_release_goes_on():
    saved = {"period": 3, "values": [1.0, 2.0, 3.0], "total": 6.0}
    sma = msgspec.convert(saved, Sma)
    assert (sma.value, sma.update(7.0), sma.update(8.0)) == (2.0, 4.0, 6.0)


@pytest.mark.parametrize(
    "kind",
    [Sma, Ema, Wma, Rsi, Atr, Adx, Donchian, Bollinger, StandardDeviation, Roc, Stochastic, Macd],
)
def test_a_period_without_values_is_refused(kind):
    with pytest.raises(ValueError, match=f"{kind.__name__}: a period is at least 1, found 0"):
        kind(0)


@pytest.mark.parametrize("name", EVERY)
def test_no_result_depends_on_a_bar_to_come(name):
    bars = SERIES["jumps"][:200]
    whole = run(EVERY[name](), value, bars)
    for cut in (30, 77, 150):
        assert run(EVERY[name](), value, bars[:cut]) == whole[:cut]
