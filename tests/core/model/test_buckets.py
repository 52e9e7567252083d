"""Buckets are as wide as they say, and a quantile lies in the right one."""

from bisect import bisect_left
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plimsoll.core.model import grown_bounds, quantile_of

BOUNDS = grown_bounds(5, 1_000_000)
SIGNED = (*(-bound for bound in reversed(BOUNDS)), 0, *BOUNDS)


def test_bounds_grow_by_a_bucket_to_what_was_asked_for():
    assert BOUNDS[0] == 5
    assert BOUNDS[-2] < 1_000_000 <= BOUNDS[-1]
    assert all(low < high for low, high in pairwise(BOUNDS))
    assert all(high <= low * 1.13 for low, high in pairwise(BOUNDS) if low > 100)


@given(
    values=st.lists(st.integers(-900_000, 900_000), min_size=1, max_size=50),
    q=st.sampled_from((0.0, 0.5, 0.95, 1.0)),
)
def test_a_quantile_lies_in_the_bucket_of_the_exact_one(values, q):
    counted = sorted(Counter(bisect_left(SIGNED, value) for value in values).items())
    found = quantile_of(counted, SIGNED, q, lowest=SIGNED[0])
    assert found is not None
    rank = max(1, -(-int(q * 100) * len(values) // 100))
    place = bisect_left(SIGNED, sorted(values)[rank - 1])
    assert SIGNED[place - 1] <= found <= SIGNED[place]


def test_what_is_above_the_last_bound_stands_for_it():
    assert quantile_of([(len(BOUNDS), 3)], BOUNDS, 0.5, lowest=0) == BOUNDS[-1]


def test_nothing_counted_has_no_quantile():
    assert quantile_of([], BOUNDS, 0.5, lowest=0) is None


@pytest.mark.parametrize("lowest", [0, -5])
def test_the_first_bucket_begins_where_it_is_told_to(lowest):
    assert quantile_of([(0, 1)], BOUNDS, 0.0, lowest=lowest) == lowest
