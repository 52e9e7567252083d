"""Bars by example: own ones from prints, longer ones from minutes."""

import pytest
from tests.properties.driver import PERP, SECOND

from plimsoll.core.feed import BarMaker, span_ns
from plimsoll.core.records import BarChanged, BarReported, PublicTraded

MINUTE = 60_000
DAY = 86_400_000


def prints(maker, *rows):
    return maker.on_public_trade(
        PublicTraded(1, 1, 1, 0, PERP, [(price, qty, True, ms) for ms, price, qty in rows], 0)
    )


def minute(maker, start_ms, first, high, low, last, volume=1.0):
    return maker.on_minute(
        BarChanged(1, 1, 1, 0, PERP, start_ms, first, high, low, last, volume, True, 0)
    )


@pytest.mark.parametrize(
    ("frame", "seconds"), [("1s", 1), ("15s", 15), ("1m", 60), ("4h", 14_400), ("1w", 604_800)]
)
def test_spans(frame, seconds):
    assert span_ns(frame) == seconds * SECOND


@pytest.mark.parametrize("frame", ["", "m", "0m", "-1m", "1x", "7s", "90s", "1.5m"])
def test_frames_that_are_none(frame):
    with pytest.raises(ValueError, match=repr(frame)):
        span_ns(frame)


def test_prints_make_a_bar_that_the_next_print_or_the_timer_closes():
    maker = BarMaker(PERP, "1s", 10)
    assert prints(maker, (1_000, 5.0, 1.0), (1_500, 7.0, 2.0), (1_999, 6.0, 1.0)) == []
    (bar,) = prints(maker, (2_000, 9.0, 1.0))
    assert (bar.start_ns, bar.open, bar.high, bar.low, bar.close, bar.volume) == (
        SECOND,
        5.0,
        7.0,
        5.0,
        6.0,
        4.0,
    )
    assert maker.close_until(2_999_999_999) == []
    assert [bar.close for bar in maker.close_until(3 * SECOND)] == [9.0]


def test_a_frame_without_prints_repeats_the_close_with_no_volume():
    maker = BarMaker(PERP, "1s", 10)
    prints(maker, (1_000, 5.0, 1.0))
    bars = maker.close_until(4 * SECOND)
    assert [(bar.close, bar.volume) for bar in bars] == [(5.0, 1.0), (5.0, 0.0), (5.0, 0.0)]


def test_hours_of_silence_are_not_filled_with_flat_bars():
    maker = BarMaker(PERP, "1s", 10)
    prints(maker, (1_000, 5.0, 1.0))
    assert len(maker.close_until(3_600 * SECOND)) <= 61


def test_a_late_print_belongs_to_the_bar_under_way():
    maker = BarMaker(PERP, "1s", 10)
    prints(maker, (2_000, 5.0, 1.0))
    prints(maker, (1_900, 8.0, 1.0))
    (bar,) = maker.close_until(3 * SECOND)
    assert (bar.start_ns, bar.high) == (2 * SECOND, 8.0)


def test_five_minutes_close_with_their_last_minute():
    maker = BarMaker(PERP, "5m", 10)
    closed = []
    for index in range(5):
        closed += minute(maker, index * MINUTE, index, index + 10.0, index - 1.0, index + 0.5)
    (bar,) = closed
    assert (bar.start_ns, bar.open, bar.high, bar.low, bar.close, bar.volume) == (
        0,
        0,
        14.0,
        -1.0,
        4.5,
        5.0,
    )


def test_a_missing_last_minute_closes_with_the_next_frame():
    maker = BarMaker(PERP, "5m", 10)
    minute(maker, 0, 1.0, 1.0, 1.0, 1.0)
    (bar,) = minute(maker, 5 * MINUTE, 2.0, 2.0, 2.0, 2.0)
    assert (bar.start_ns, bar.close) == (0, 1.0)


def test_a_frame_whose_beginning_was_not_seen_is_left_out():
    """A backtest from 00:30 on, or a stretch of a walk forward, gave half an hour for an hour."""
    maker = BarMaker(PERP, "5m", 10)
    at = [100 * DAY + n * MINUTE for n in (2, 3, 4, 5, 6, 8, 10)]
    closed = [minute(maker, ms, float(n), n + 1.0, n - 1.0, n + 0.5) for n, ms in enumerate(at)]
    assert [len(one) for one in closed] == [0, 0, 0, 0, 0, 0, 1]
    ((bar,),) = [one for one in closed if one]
    assert (bar.start_ns, bar.open, bar.close) == (at[3] * 1_000_000, 3.0, 5.5), "a hole is none"


def test_a_frame_begun_after_a_hole_is_one():
    maker = BarMaker(PERP, "5m", 10)
    closed = []
    for n in (0, 1, 2, 3, 4, 7, 8, 9):
        closed += minute(maker, 100 * DAY + n * MINUTE, 1.0, 1.0, 1.0, 1.0)
    assert [bar.volume for bar in closed] == [5.0, 3.0]


def test_a_repeated_final_minute_is_heard_once():
    maker = BarMaker(PERP, "1m", 10)
    assert len(minute(maker, 0, 1.0, 1.0, 1.0, 1.0)) == 1
    assert minute(maker, 0, 1.0, 1.0, 1.0, 1.0) == []


def test_weeks_start_on_monday():
    maker = BarMaker(PERP, "1w", 10)
    monday = 4 * DAY + 2_000 * 7 * DAY  # 5 January 1970 was one
    minute(maker, monday - 7 * DAY, 1.0, 1.0, 1.0, 1.0)
    minute(maker, monday - MINUTE, 1.0, 1.0, 1.0, 1.0)
    minute(maker, monday, 2.0, 2.0, 2.0, 2.0)
    assert maker.start_ns == monday * 1_000_000
    assert [bar.close for bar in maker.window] == [1.0]


def test_fetched_minutes_are_marked_and_in_prices():
    maker = BarMaker(PERP, "1m", 10)
    (bar,) = maker.on_fetched(BarReported(1, 1, 1, 0, PERP, 0, 10, 12, 8, 11, 3.0, 1), 0.5)
    assert (bar.open, bar.high, bar.low, bar.close, bar.is_warming) == (5.0, 6.0, 4.0, 5.5, True)


def test_the_window_keeps_the_newest():
    maker = BarMaker(PERP, "1m", 2)
    for index in range(4):
        minute(maker, index * MINUTE, index, index, index, index)
    assert [bar.open for bar in maker.window] == [2, 3]
