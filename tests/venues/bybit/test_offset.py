from hypothesis import given
from hypothesis import strategies as st

from plimsoll.venues.bybit.offset import OffsetEstimate

MS = 1_000_000


def test_without_a_sample_nothing_is_certain():
    assert OffsetEstimate().at(0)[1] > 1_000_000 * MS


def test_the_sample_with_the_shortest_trip_wins():
    estimate = OffsetEstimate()
    estimate.add(0, 500 * MS, 40 * MS)
    estimate.add(100 * MS, 590 * MS + 5 * MS, 110 * MS)
    assert estimate.at(110 * MS) == (490 * MS, 5 * MS)


def test_doubt_grows_with_age():
    estimate = OffsetEstimate()
    estimate.add(0, 0, 10 * MS)
    assert estimate.at(10 * MS + 100_000 * MS)[1] == 5 * MS + 5 * MS


def test_a_clock_that_stepped_makes_old_samples_worthless():
    estimate = OffsetEstimate()
    estimate.add(0, 0, 2 * MS)
    estimate.add(1000 * MS, 9000 * MS, 1100 * MS)
    assert estimate.at(1100 * MS)[0] == 7950 * MS


@given(
    st.integers(-(10**12), 10**12),
    st.lists(st.tuples(st.integers(0, 300 * MS), st.integers(0, 300 * MS)), min_size=1, max_size=8),
)
def test_the_truth_lies_within_the_doubt(offset, trips):
    estimate, now = OffsetEstimate(), 0
    for out, back in trips:
        estimate.add(now, now + out + offset, now + out + back)
        now += out + back
    found, doubt = estimate.at(now)
    assert abs(found - offset) <= doubt + 1
