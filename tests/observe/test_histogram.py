"""Histograms: what goes in comes out again, whole or in sum."""

import random

import pytest

from plimsoll.observe import BOUNDS_US, Histogram, merged, quantile, size_of


def histogram_of(durations_us):
    found = Histogram()
    for duration in durations_us:
        found.add_ns(int(duration * 1_000))
    return found


def test_an_empty_one_takes_no_room_and_has_no_quantile():
    assert Histogram().packed() == []
    assert quantile([], 0.5) == 0.0
    assert size_of([]) == 0


def test_packed_holds_the_filled_buckets_only():
    assert histogram_of([1, 1, 1_000_000_000]).packed() == [0, 2, len(BOUNDS_US), 1]


@pytest.mark.parametrize("q", [0.01, 0.5, 0.9, 0.99])
def test_a_quantile_is_right_to_the_width_of_a_bucket(q):
    draw = random.Random(7)
    durations = sorted(draw.lognormvariate(6, 1.5) for _ in range(20_000))
    exact = durations[int(q * len(durations))]
    assert quantile(histogram_of(durations).packed(), q) == pytest.approx(exact, rel=0.13, abs=5)


def test_the_sum_of_parts_is_the_whole():
    draw = random.Random(8)
    durations = [draw.lognormvariate(6, 1.5) for _ in range(3_000)]
    parts = [histogram_of(durations[n::3]).packed() for n in range(3)]
    assert merged(parts) == histogram_of(durations).packed()
    assert merged([]) == []


def test_clocks_that_disagree_are_counted_not_refused():
    assert histogram_of([-3.0]).packed() == [0, 1]
