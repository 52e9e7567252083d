"""Long series are thinned in bounded memory, and nothing a picture needs is lost."""

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plimsoll.backtest.results import Curve
from plimsoll.backtest.thinning import CURVE_POINTS, PRICE_ROWS, Buckets, CurveMaker, PriceMaker

STEPS = st.lists(st.integers(0, 10**10), min_size=1, max_size=200)


def curve_of(samples, points: int = CURVE_POINTS) -> Curve:
    maker = CurveMaker(points)
    for sample in samples:
        maker.add(*sample)
    return maker.curve()


def walk(count: int, step_ns: int = 60_000_000_000, seed: int = 1):
    chance, equity = random.Random(seed), 1000.0
    for number in range(count):
        equity *= 1 + chance.gauss(0, 0.001)
        yield number * step_ns, equity, chance.random()


def test_few_samples_are_kept_as_they_are() -> None:
    samples = list(walk(600))
    curve = curve_of(samples)
    assert list(zip(curve.ts_ns, curve.equity, curve.exposure, strict=True)) == samples


def test_many_samples_keep_the_first_the_last_and_the_extremes() -> None:
    samples = list(walk(100_000))
    curve = curve_of(samples)
    assert 1_000 <= len(curve.ts_ns) <= CURVE_POINTS
    assert curve.ts_ns == sorted(curve.ts_ns)
    assert (curve.ts_ns[0], curve.equity[0]) == samples[0][:2]
    assert (curve.ts_ns[-1], curve.equity[-1]) == samples[-1][:2]
    equities = [equity for _, equity, _ in samples]
    assert (min(curve.equity), max(curve.equity)) == (min(equities), max(equities))
    assert max(curve.exposure) == max(exposure for _, _, exposure in samples)
    peak, deepest = equities[0], 0.0
    for equity in equities:
        peak = max(peak, equity)
        deepest = max(deepest, (peak - equity) / peak)
    assert max(curve.drawdown) == deepest


def test_an_empty_curve_is_empty() -> None:
    assert curve_of([]) == Curve()


def test_equity_that_was_never_above_zero_has_no_drawdown() -> None:
    assert curve_of([(0, -5.0, 0.0), (1, -7.0, 0.0)]).drawdown == [0.0, 0.0]


def test_what_is_told_backwards_is_refused() -> None:
    maker = CurveMaker()
    maker.add(10_000_000, 1.0)
    with pytest.raises(ValueError, match="in order of time"):
        maker.add(0, 1.0)


@given(STEPS, st.integers(1, 20))
def test_buckets_are_those_of_the_final_width_whenever_they_were_merged(steps, most) -> None:
    buckets: Buckets[list[int]] = Buckets(most, lambda one, other: one + other)
    times = [sum(steps[: number + 1]) for number in range(len(steps))]
    for ts_ns in times:
        buckets.add(ts_ns, [ts_ns])
    naive: dict[int, list[int]] = {}
    for ts_ns in times:
        naive.setdefault(ts_ns // buckets.width_ns, []).append(ts_ns)
    assert buckets.rows() == list(naive.values())
    assert len(naive) <= most


@given(st.lists(st.tuples(st.integers(0, 10**9), st.floats(1, 2)), max_size=300))
def test_a_curve_never_has_more_points_and_goes_forward(moves) -> None:
    maker, ts_ns = CurveMaker(30), 0
    for step_ns, equity in moves:
        ts_ns += step_ns
        maker.add(ts_ns, equity)
    curve = maker.curve()
    assert len(curve.ts_ns) <= 30
    assert all(one <= other for one, other in pairwise(curve.ts_ns))


def test_prices_become_wider_bars() -> None:
    maker, chance = PriceMaker("linear:BTCUSDT"), random.Random(2)
    rows = []
    for number in range(10_000):
        open_, close = chance.uniform(90, 110), chance.uniform(90, 110)
        low, high = min(open_, close) - chance.random(), max(open_, close) + chance.random()
        rows.append((number * 60_000_000_000, open_, high, low, close))
        maker.add(*rows[-1])
    series = maker.series()
    assert 500 <= len(series.ts_ns) <= PRICE_ROWS
    assert (series.open[0], series.close[-1]) == (rows[0][1], rows[-1][4])
    assert max(series.high) == max(row[2] for row in rows)
    assert min(series.low) == min(row[3] for row in rows)


def test_a_single_price_is_a_bar_of_its_own() -> None:
    maker = PriceMaker("spot:BTCUSDT")
    maker.add_price(5, 100.0)
    series = maker.series()
    assert (series.ts_ns, series.open, series.high) == ([5], [100.0], [100.0])


@given(STEPS, st.integers(1, 40), st.integers(6, 60))
def test_a_stretch_of_samples_is_the_same_as_one_after_the_other(steps, size, points) -> None:
    chance, at, samples = random.Random(len(steps)), 0, []
    for step in steps:
        at += step
        samples.append((at, round(chance.gauss(100, 90), 1), round(chance.random(), 1)))
    one, other = CurveMaker(points), CurveMaker(points)
    for sample in samples:
        one.add(*sample)
    for begin in range(0, len(samples), size):
        other.stretch(*zip(*samples[begin : begin + size], strict=True))
    assert one.curve() == other.curve()


@given(STEPS, st.integers(1, 40), st.integers(1, 30))
def test_a_stretch_of_bars_is_the_same_as_one_after_the_other(steps, size, most) -> None:
    chance, at, bars = random.Random(len(steps)), 0, []
    for step in steps:
        at += step // 1_000_000
        prices = sorted(round(chance.gauss(100, 2), 1) for _ in range(4))
        bars.append((at, prices[1], prices[3], prices[0], prices[2], 1.0))
    one, other = PriceMaker("x", most), PriceMaker("x", most)
    for start_ms, *prices, _ in bars:
        one.add(start_ms * 1_000_000, *prices)
    for begin in range(0, len(bars), size):
        other.stretch(bars[begin : begin + size])
    assert one.series() == other.series()
