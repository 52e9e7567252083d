"""The time of a session: it never steps, and never begins before the journal's last record."""

import time

from plimsoll.engine.clock import EngineClock

HOUR_NS = 3_600_000_000_000


def test_it_begins_with_the_wall_clock():
    before = time.time_ns()
    assert before <= EngineClock(floor_ns=before - HOUR_NS).now_ns() <= time.time_ns()


def test_a_wall_clock_put_back_does_not_put_records_before_older_ones():
    floor = time.time_ns() + HOUR_NS
    clock = EngineClock(floor_ns=floor)
    first = clock.now_ns()
    assert floor <= first <= floor + HOUR_NS // 60
    assert clock.now_ns() >= first
