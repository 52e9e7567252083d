"""What is unusual for an instance is judged by its own past; what is unusual teaches nothing."""

import random

import msgspec
import pytest

from plimsoll.core.risk.habits import FACTOR, LEAST, MINUTE_NS, WINDOW, Habits, Measure

T0 = 1_750_000_000 * 1_000_000_000 // MINUTE_NS * MINUTE_NS


def trained(minutes=LEAST + 1, orders=10, value=1_000, **_ignored):
    habits = Habits()
    for minute in range(minutes):
        for step in range(orders):
            at = T0 + minute * MINUTE_NS + step * 1_000_000_000
            habits.ordered(at, "linear:BTCUSDT buy", 100_000 + step, value)
    return habits, T0 + minutes * MINUTE_NS


def test_nothing_is_unusual_before_enough_minutes_are_known():
    habits, now = trained(minutes=LEAST - 1)
    for _ in range(10_000):
        habits.ordered(now, "linear:BTCUSDT buy", 100_000, 10**12)
    assert habits.unusual() == []


def test_a_runaway_is_seen_in_the_minute_it_begins():
    habits, now = trained(orders=10)
    for _ in range(FACTOR * 10):
        habits.ordered(now, "linear:BTCUSDT buy", 100_000, 1_000)
    assert habits.unusual() == []
    habits.ordered(now, "linear:BTCUSDT buy", 100_000, 1_000)
    (found,) = habits.unusual()
    assert (found.measure, found.value, found.limit) == (Measure.ORDERS, 51, 50)


def test_it_is_told_once_a_minute():
    habits, now = trained()
    habits.ordered(now, "linear:BTCUSDT buy", 100_000, 5_001)
    findings = habits.unusual()
    assert [one.measure for one in findings] == [Measure.VALUE]
    habits.told(findings)
    habits.ordered(now + 1, "linear:BTCUSDT buy", 100_000, 9_000)
    assert habits.unusual() == []
    habits.ordered(now + MINUTE_NS, "linear:BTCUSDT buy", 100_000, 9_000)
    assert [one.measure for one in habits.unusual()] == [Measure.VALUE]


def test_an_unusual_minute_teaches_nothing():
    habits, now = trained()
    for minute in range(200):
        habits.ordered(now + minute * MINUTE_NS, "linear:BTCUSDT buy", 100_000, 10**9)
        assert [one.measure for one in habits.unusual()] == [Measure.VALUE]


def test_a_price_far_from_its_own_last_one_is_unusual():
    habits, now = trained()
    habits.ordered(now, "linear:BTCUSDT buy", 100_009, 1_000)
    habits.ordered(now, "linear:BTCUSDT buy", 101_200, 1_000)
    assert [one.measure for one in habits.unusual()] == [Measure.DISTANCE]
    habits.ordered(now, "linear:ETHUSDT buy", 5, 1_000)  # the first there has no last one
    assert len(habits.unusual()) == 1


def test_flips_of_the_position_and_fills_are_counted():
    habits = Habits()
    for minute in range(LEAST):
        habits.filled(T0 + minute * MINUTE_NS, 5, -5)
    now = T0 + LEAST * MINUTE_NS
    for _ in range(6):
        habits.filled(now, 5, -5)
    assert [one.measure for one in habits.unusual()] == [Measure.FLIPS]
    for _ in range(31):
        habits.filled(now, 5, 4)
    assert {one.measure for one in habits.unusual()} == {Measure.FLIPS, Measure.FILLS}


@pytest.mark.parametrize("seed", range(5))
def test_the_ordered_minutes_are_the_usual_ones_sorted(seed):
    draw, habits = random.Random(seed), Habits()
    for minute in range(WINDOW + 200):
        for _ in range(draw.randint(0, 5)):
            at = T0 + minute * MINUTE_NS
            habits.ordered(at, "a", draw.randint(1, 10**6), draw.randint(1, 10**9))
    for habit in habits.measures.values():
        assert habit.ordered == sorted(habit.usual)
        assert len(habit.usual) <= WINDOW
    kept = msgspec.msgpack.decode(msgspec.msgpack.encode(habits), type=Habits)
    assert kept == habits
