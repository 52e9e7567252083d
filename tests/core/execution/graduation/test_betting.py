"""The sequential test: its naive twin, its error under many nulls, and how long it still takes."""

import math
import random
from fractions import Fraction

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plimsoll.core.execution.graduation.betting import MOST_DAYS, STAKES, Betting

BOUND = 0.1


def told(gains, *, level=0.0, sign=1) -> Betting:
    test = Betting(BOUND, level=level, sign=sign)
    for gain in gains:
        test.add(gain)
    return test


def naive(gains) -> tuple[float, float]:
    """Return the wealth and the most it ever was, all at once and in fractions."""
    wealths = [Fraction(1)]
    for until in range(1, len(gains) + 1):
        total = Fraction(0)
        for nth in range(STAKES):
            stake, one = Fraction(1, 2**nth) / Fraction(BOUND), Fraction(1)
            for gain in gains[:until]:
                one *= 1 + stake * Fraction(gain)
            total += one
        wealths.append(total / STAKES)
    return float(wealths[-1]), float(max(wealths))


@given(st.lists(st.floats(-0.0999, 0.5), max_size=12))
def test_is_the_mean_of_the_products(gains):
    test = told(gains)
    now, most = naive(gains)
    assert test.wealth == pytest.approx(now, rel=1e-9)
    assert test.best == pytest.approx(most, rel=1e-9)
    assert test.days == len(gains)


def test_bets_below_a_level_too():
    mirrored = told([0.01, -0.02, 0.03], level=0.005, sign=-1)
    assert mirrored.log == pytest.approx(told([-0.005, 0.025, -0.025]).log)


@pytest.mark.parametrize("gain", [-0.1, -0.5, -math.inf, math.nan])
def test_a_day_beyond_the_bound_ends_it_for_good(gain):
    test = told([0.05, gain, 0.09, 0.09])
    assert test.is_over
    assert test.wealth == 0
    assert test.best == pytest.approx(naive([0.05])[1])
    assert test.days_until(20, 0.01, 0.0001) is None
    assert told([0.05, -0.0999]).is_over is False


def _nulls():
    """Yield draws of returns whose mean, given all before, is zero."""
    yield lambda draw, _before: draw.gauss(0, 0.01)
    yield lambda draw, _before: draw.choice((-0.09, 0.09))
    # Small gains, rare crashes: the strategy that looks best until it does not.
    yield lambda draw, _before: -0.099 if draw.random() < 0.01 else 0.001
    # Wilder after losses: nothing here is independent.
    yield lambda draw, before: draw.choice((-1, 1)) * (0.03 if before < 0 else 0.004)


@pytest.mark.parametrize("null", list(_nulls()))
def test_without_edge_evidence_of_x_comes_once_in_x_lives_at_most(null):
    draw, lives, most = random.Random(7), 400, []
    for _ in range(lives):
        test, before = Betting(BOUND), 0.0
        for _day in range(250):
            before = null(draw, before)
            test.add(before)
        most.append(test.best)
    for wealth in (2, 6, 20):
        chance, found = 1 / wealth, sum(best >= wealth for best in most) / lives
        assert found <= chance + 3 * math.sqrt(chance * (1 - chance) / lives)


def test_an_edge_is_found():
    draw = random.Random(3)
    assert told([draw.gauss(0.0015, 0.01) for _ in range(1_000)]).best > 20


@given(
    st.lists(st.floats(-0.03, 0.03), max_size=6),
    st.floats(0.0003, 0.004),
    st.floats(0.004, 0.02),
    st.sampled_from([2, 6, 20]),
)
def test_days_still_needed_are_those_that_bring_it_there(gains, mean, spread, wealth):
    test = told(gains)
    needed = test.days_until(wealth, mean, spread * spread)
    growths = [
        stake * mean - stake * stake * (spread * spread + mean * mean) / 2
        for stake in test.stakes()
    ]

    def after(days: int) -> float:
        logs = zip(test.logs, growths, strict=True)
        return sum(math.exp(log + days * growth) for log, growth in logs) / STAKES

    if test.best >= wealth:
        assert needed == 0
    elif needed is None:
        assert after(MOST_DAYS) < wealth
    else:
        assert after(needed) >= wealth * (1 - 1e-9)
        assert after(needed - 1) < wealth * (1 + 1e-9)


@pytest.mark.parametrize(
    ("mean", "variance"), [(0.0, 1e-4), (-0.001, 1e-4), (math.nan, 1e-4), (0.001, math.inf)]
)
def test_what_leads_nowhere_is_never(mean, variance):
    assert Betting(BOUND).days_until(20, mean, variance) is None


def test_may_be_stored_and_taken_up_again():
    gains = [0.01, -0.02, 0.013]
    again = msgspec.msgpack.decode(msgspec.msgpack.encode(told(gains)), type=Betting)
    for test in (again, expected := told(gains)):
        test.add(0.02)
    assert again == expected
