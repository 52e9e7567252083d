"""The learned distance, by example and against a twin that keeps every sample."""

import statistics

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plimsoll.core.feed.divergence import LEAST, WINDOW_NS, Divergence

SECOND = 1_000_000_000
T = 1_000 * SECOND
TOTAL = 200_000


def refer(found, distance, at, **named):
    found.refer(TOTAL / (1 + distance), TOTAL, at, is_sound=named.get("sound", True))


def test_fifty_basis_points_are_always_allowed():
    found = Divergence()
    refer(found, 0.0049, T)
    assert not found.since_ns
    refer(found, 0.0051, T)
    assert found.since_ns == T
    refer(found, -0.0051, T + 1)
    assert found.since_ns == T
    refer(found, 0.0, T + 2)
    assert not found.since_ns


def test_a_distance_is_a_doubt_after_more_than_a_second():
    found = Divergence()
    refer(found, 0.2, T)
    assert not found.is_doubt(T + SECOND)
    assert found.is_doubt(T + SECOND + 1)
    found.observe(int(TOTAL / 1.2), T + SECOND)
    assert not found.is_doubt(T + SECOND + 1)


def test_five_medians_are_allowed_once_there_are_enough_samples():
    found, at = Divergence(), T
    for _ in range(LEAST - 1):
        refer(found, 0.004, at)
        at += SECOND
    refer(found, 0.019, at - 1)
    assert found.since_ns
    refer(found, 0.004, at)
    assert found.band == pytest.approx(0.02)
    refer(found, 0.019, at + 1)
    assert not found.since_ns
    refer(found, 0.021, at + 2)
    assert found.since_ns


def test_a_book_that_is_not_sound_teaches_nothing():
    found, at = Divergence(), T
    for _ in range(2 * LEAST):
        refer(found, 0.004, at, sound=False)
        at += SECOND
    assert found.median() == 0.0


def test_a_reference_that_is_forgotten_says_nothing():
    found = Divergence()
    refer(found, 0.2, T)
    found.forget()
    assert not found.is_doubt(T + 9 * SECOND)
    found.observe(TOTAL * 5, T + 9 * SECOND)
    assert not found.since_ns


@settings(max_examples=60)
@given(
    steps=st.lists(
        st.tuples(st.integers(1, 40), st.floats(-0.05, 0.05, allow_nan=False)),
        min_size=1,
        max_size=40,
    )
)
def test_the_median_is_that_of_the_last_hour_sampled_each_second(steps):
    found, at, last = Divergence(), T, -SECOND
    samples: list[tuple[int, float]] = []
    for seconds, distance in steps:
        for _ in range(30):
            at += seconds * SECOND // 2
            reference = TOTAL / (1 + distance)
            found.refer(reference, TOTAL, at, is_sound=True)
            if at - last >= SECOND:
                last = at
                samples.append((at, abs(TOTAL - reference) / reference))
    kept = [one for when, one in samples if when > last - WINDOW_NS]
    expected = statistics.median_low(kept) if len(kept) >= LEAST else 0.0
    assert found.median() == expected
    assert found.band == max(0.005, 5 * expected)
