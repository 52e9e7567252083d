"""The supervisor's pauses, with a child that only counts."""

import pytest

from plimsoll.cli.demo.children import Supervisor
from plimsoll.cli.demo.command import _instants
from plimsoll.cli.exits import Exit


class FakeChild:
    def __init__(self):
        self.starts = 0
        self.is_alive = False
        self.exit_code = None

    def start(self):
        self.starts += 1
        self.is_alive, self.exit_code = True, None

    def die(self, code=-9):
        self.is_alive, self.exit_code = False, code

    def kill(self):
        self.die()


@pytest.fixture
def child():
    return FakeChild()


@pytest.fixture
def supervisor(child):
    found = Supervisor(child)
    found.tick(100.0)
    assert child.starts == 1
    return found


def pause_after_death(supervisor, child, at):
    child.die()
    supervisor.tick(at)
    starts, now = child.starts, at
    while child.starts == starts:
        now += 0.01
        supervisor.tick(now)
    return now - at, now


def test_a_dead_engine_is_started_again_after_growing_pauses(supervisor, child):
    now, pauses = 101.0, []
    for _ in range(9):
        pause, now = pause_after_death(supervisor, child, now)
        pauses.append(round(pause, 1))
    assert pauses == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30.0]
    assert supervisor.restarts == 9


def test_ten_seconds_of_life_bring_the_shortest_pause_back(supervisor, child):
    _, now = pause_after_death(supervisor, child, 101.0)
    _, now = pause_after_death(supervisor, child, now)
    pause, _ = pause_after_death(supervisor, child, now + 10.0)
    assert pause == pytest.approx(0.2, abs=0.02)


def test_a_killed_engine_is_started_at_once(supervisor, child):
    assert supervisor.kill_now(101.0)
    supervisor.tick(101.0)
    assert (child.starts, supervisor.kills, supervisor.restarts) == (2, 1, 1)


def test_a_dead_engine_cannot_be_killed(supervisor, child):
    child.die()
    assert not supervisor.kill_now(101.0)
    assert supervisor.kills == 0


@pytest.mark.parametrize("code", [Exit.USAGE, Exit.CONFIGURATION, Exit.CREDENTIALS, Exit.REFUSED])
def test_an_engine_that_refuses_to_start_is_not_started_again(supervisor, child, code):
    child.die(code)
    supervisor.tick(101.0)
    supervisor.tick(200.0)
    assert (child.starts, supervisor.refusal) == (1, code)


def test_kills_are_spread_over_the_duration_by_the_seed():
    instants = _instants(7, 10, 30.0)
    assert instants == sorted(instants) == _instants(7, 10, 30.0) != _instants(8, 10, 30.0)
    assert all(3.0 * n < at < 3.0 * (n + 1) for n, at in enumerate(instants))
    assert _instants(7, 0, 30.0) == []
