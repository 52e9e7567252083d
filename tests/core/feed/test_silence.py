"""The learned silence, by example and against a twin that keeps every gap."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plimsoll.core.feed import silence as room
from plimsoll.core.feed.silence import LEAST, LEAST_UNSTEADY, WINDOW, Silence

SECOND = 1_000_000_000
FLOOR, CAP = 3_500_000_000, 15 * SECOND
T = 1_000 * SECOND


def fed(gaps, cap=CAP):
    found, at = Silence(FLOOR, cap), T
    found.heard(at)
    for gap in gaps:
        at += gap
        found.heard(at)
    return found, at


class Twin:
    """Every gap, sorted anew at each question."""

    def __init__(self) -> None:
        self.gaps: list[int] = []

    def learned(self, window):
        count, newest = len(self.gaps), self.gaps[-window:]
        spared = max(min(count, window) // 1_000 + 1, min(count // 10, 10))
        above = sorted(gap for gap in newest if gap > FLOOR)
        if count < LEAST or len(above) <= spared:
            return 0
        return above[-spared - 1]

    def hear(self, gap, window):
        self.gaps.append(0)
        cap = min(max(5 * self.learned(window), CAP), 4 * CAP)
        self.gaps[-1] = gap if gap <= cap else 0  # an outage: counted, and no gap of its own


GAPS = st.lists(st.sampled_from([SECOND, SECOND, 3 * SECOND, 4 * SECOND, 9 * SECOND, 60 * SECOND]))


@settings(max_examples=150)
@given(gaps=st.lists(GAPS, max_size=12), window=st.integers(1, 60))
def test_what_is_learned_is_what_the_twin_reads_from_all_gaps(gaps, window):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(room, "WINDOW", window)
        found, twin, at = Silence(FLOOR, CAP), Twin(), T
        twin.gaps.append(0)  # the first message ends no gap, and counts
        found.heard(at)
        for gap in (gap for some in gaps for gap in some):
            at += gap
            found.heard(at)
            twin.hear(gap, window)
            assert found.learned_ns() == twin.learned(window)


def test_a_busy_stream_keeps_the_floor_and_remembers_nothing():
    found, at = fed([SECOND // 50] * 5_000)
    assert found.learned_ns() == 0
    assert found.too_long_ns(at + FLOOR, at + FLOOR) == 0
    assert found.too_long_ns(at + FLOOR + 1, at + FLOOR + 1) == FLOOR + 1


def test_a_quiet_book_may_be_silent_as_long_as_it_usually_is():
    found, at = fed([9 * SECOND] * LEAST)
    assert found.learned_ns() == 9 * SECOND
    assert found.too_long_ns(at + 9 * SECOND, at + 9 * SECOND) == 0
    assert found.too_long_ns(at + 10 * SECOND, at + 10 * SECOND) == 10 * SECOND


def test_silence_alone_is_no_proof_before_the_cap():
    found, at = fed([SECOND] * 50)
    assert found.too_long_ns(at + CAP, at) == 0
    assert found.too_long_ns(at + CAP, at + FLOOR) == 0
    assert found.too_long_ns(at + CAP + 1, at) == CAP + 1


def test_the_cap_grows_with_what_is_learned_and_ends():
    found, at = fed([6 * SECOND] * LEAST)
    assert found.too_long_ns(at + 30 * SECOND, at) == 0
    assert found.too_long_ns(at + 30 * SECOND + 1, at) > 0
    found, at = fed([14 * SECOND] * LEAST)
    assert found.too_long_ns(at + 60 * SECOND, at) == 0
    assert found.too_long_ns(at + 60 * SECOND + 1, at) > 0


def test_ten_outages_teach_nothing():
    found, _ = fed(([SECOND] * 20 + [12 * SECOND]) * 10)
    assert found.learned_ns() == 0
    found, _ = fed(([SECOND] * 20 + [12 * SECOND]) * 11)
    assert found.learned_ns() == 12 * SECOND


def test_a_silence_beyond_the_cap_is_an_outage_however_often_it_comes():
    found, _ = fed([SECOND] * 20 + [300 * SECOND] * 100)
    assert found.learned_ns() == 0


def test_what_has_left_the_window_is_forgotten():
    found, _ = fed([8 * SECOND] * 100 + [SECOND] * (WINDOW - 12))
    assert found.learned_ns() == 8 * SECOND
    found, _ = fed([8 * SECOND] * 100 + [SECOND] * (WINDOW - 11))
    assert found.learned_ns() == 0


def test_a_sign_of_life_ends_the_silence_and_not_the_gap():
    found, at = fed([SECOND] * 30)
    found.alive(at + 5 * SECOND)
    assert found.too_long_ns(at + 8 * SECOND, at + 8 * SECOND) == 0
    for _ in range(5):  # more of the same length than are spared
        at += 12 * SECOND
        found.heard(at)
    assert found.learned_ns() == 12 * SECOND


def test_a_gap_in_which_something_was_missed_teaches_nothing():
    found, at = fed([SECOND] * 30)
    for _ in range(5):
        at += 40 * SECOND
        found.begin(at)
    assert found.learned_ns() == 0


def test_after_a_broken_link_nothing_is_too_long_until_it_is_heard_again():
    found, at = fed([SECOND] * 30)
    found.forget()
    assert found.too_long_ns(at + 1_000 * SECOND, at + 1_000 * SECOND) == 0
    found.heard(at + 1_000 * SECOND)
    assert found.learned_ns() == 0
    assert found.too_long_ns(at + 1_020 * SECOND, 0) == 20 * SECOND


def test_prints_may_be_silent_for_hours_until_a_thousand_gaps_say_otherwise():
    found, at = fed([SECOND] * (LEAST_UNSTEADY - 2), cap=0)
    assert found.too_long_ns(at + 7_200 * SECOND, at + 7_200 * SECOND) == 0
    found, at = fed([SECOND] * LEAST_UNSTEADY, cap=0)
    assert found.too_long_ns(at + 4 * SECOND, at + 4 * SECOND) == 4 * SECOND
    assert found.too_long_ns(at + 7_200 * SECOND, at) == 0


def test_a_percentile_is_that_of_the_definition():
    gaps = [FLOOR + number for number in range(1, WINDOW + 1)]
    found, _ = fed(gaps)
    above = sum(gap > found.learned_ns() for gap in gaps)
    assert above == math.floor(WINDOW / 1_000) + 1
