"""Intervals against what is known of them: integrals, exact fractions, published examples."""

from fractions import Fraction
from math import gamma, pi, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plimsoll.core.execution.shadow.intervals import Estimate, Mean, Pairs, share, student


def beyond(freedom: int, t: float, steps: int = 20_000) -> float:
    """Return the probability under Student's density from -t to t, by Simpson's rule."""
    scale = gamma((freedom + 1) / 2) / (sqrt(freedom * pi) * gamma(freedom / 2))
    width = 2 * t / steps
    total = 0.0
    for place in range(steps + 1):
        x = -t + place * width
        weight = 1 if place in (0, steps) else 4 if place % 2 else 2
        total += weight * (1 + x * x / freedom) ** (-(freedom + 1) / 2)
    return scale * total * width / 3


@pytest.mark.parametrize("freedom", [1, 2, 5, 17, 30, 31, 60, 200])
def test_ninety_five_of_a_hundred_lie_inside_students_quantile(freedom):
    assert beyond(freedom, student(freedom)) == pytest.approx(0.95, abs=2e-5)


def test_the_quantile_falls_towards_the_normal_one_without_a_step():
    values = [student(freedom) for freedom in range(1, 2_000)]
    assert values == sorted(values, reverse=True)
    assert values[-1] == pytest.approx(1.95996, abs=2e-3)


@given(values=st.lists(st.integers(-(10**15), 10**15), min_size=2, max_size=40), cut=st.integers(0))
def test_a_mean_is_exact_in_any_order_and_in_parts(values, cut):
    whole, left, right = Mean(), Mean(), Mean()
    for place, value in enumerate(values):
        whole.add(value)
        (left if place < cut % len(values) else right).add(value)
    left.merge(right)
    assert left == whole
    mean = Fraction(sum(values), len(values))
    variance = sum((value - mean) ** 2 for value in values) / (len(values) - 1)
    found = whole.estimate()
    assert found.value == pytest.approx(float(mean))
    assert found.low is not None
    assert found.high is not None
    reach = student(len(values) - 1) * sqrt(variance / len(values))
    assert found.high - found.low == pytest.approx(2 * reach, rel=1e-6, abs=1e-6)


def test_nothing_has_no_mean_and_one_has_no_interval():
    mean = Mean()
    assert mean.estimate() == Estimate(0, None)
    mean.add(7)
    assert mean.estimate() == Estimate(1, 7.0)
    assert mean.estimate().scaled(0.5) == Estimate(1, 3.5)


def test_a_share_has_wilsons_interval():
    found = share(81, 263)  # Newcombe, Statistics in Medicine 17 (1998), table I
    assert (found.low, found.high) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert share(0, 20)[1:] == pytest.approx((0.0, 0.0, 0.1611), abs=1e-4)
    assert share(0, 0) == Estimate(0, None)


def test_a_difference_of_pairs_is_that_of_agresti_and_min():
    pairs = Pairs(both=794, live_only=86, paper_only=150, neither=570)  # their table of approval
    found = pairs.difference()
    assert found.value == pytest.approx(-0.04)
    assert (found.low, found.high) == pytest.approx((-0.0588, -0.0211), abs=2e-4)


def test_pairs_that_agree_leave_room_for_those_that_did_not_come_yet():
    few, many = Pairs(both=10), Pairs(both=1_000)
    assert few.difference().value == many.difference().value == 0.0
    assert few.difference().high == pytest.approx(0.162, abs=2e-3)
    assert many.difference().high == pytest.approx(0.002, abs=5e-4)


def test_each_order_is_in_one_cell_of_the_table():
    pairs = Pairs()
    for live in (True, False):
        for paper in (True, False):
            pairs.add(live=live, paper=paper)
    assert pairs == Pairs(1, 1, 1, 1)
    pairs.merge(Pairs(both=3))
    assert (pairs.both, pairs.n) == (4, 7)
    assert pairs.live().value == pytest.approx(5 / 7)
    assert pairs.paper().value == pytest.approx(5 / 7)
