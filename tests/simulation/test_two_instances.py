"""Two engines of one account, started at the same moment or one frozen: exactly one trades (P13).

The gate starts twenty pairs, ``PAIRS=1000`` as many (the first half of Q9). Judged from the
simulator's own record, over all the sessions.
"""

import os
import signal
import time

import pytest
from tests.simulation.live import PATIENCE_S, EngineProcess, Sim, busy_settings, wait_for
from tests.simulation.recovering import records, settle_and_judge, start_and_wait

from plimsoll.core.records import OrderSent

PAIRS = int(os.environ.get("PAIRS", "20"))
TRADES_EVERY = 5
"""One pair in so many gets the time to trade; the other winners are killed during their start."""


def is_over(engine: EngineProcess) -> bool:
    return engine.process.poll() is not None


def sends(engine: EngineProcess, epoch: int) -> int:
    return sum(isinstance(one, OrderSent) and one.epoch == epoch for one in records(engine))


@pytest.fixture
def sim(tmp_path):
    found = Sim(tmp_path / "sim", is_forked=True, limits="off", speed=20.0)
    yield found
    found.stop()


@pytest.fixture
def pair(tmp_path, sim):
    """Two engines of one account and directory."""
    found = [
        EngineProcess(tmp_path / "engine", sim, busy_settings(), is_forked=True) for _ in range(2)
    ]
    found[1].log = tmp_path / "second.log"
    yield found
    for engine in found:
        if engine.is_running:
            engine.process.send_signal(signal.SIGCONT)
            engine.kill()


@pytest.mark.timeout(300 + 2 * PAIRS)
def test_of_two_started_at_the_same_moment_exactly_one_trades(sim, pair):
    for turn in range(PAIRS):
        for engine in pair:
            engine.start()
        wait_for("one to give way", lambda: any(map(is_over, pair)))
        loser = pair[0] if is_over(pair[0]) else pair[1]
        winner = pair[1] if loser is pair[0] else pair[0]
        assert loser.process.wait(1) == 7, loser.log.read_text()[-2000:]
        assert "one engine per account" in loser.log.read_text().splitlines()[-1]
        if turn % TRADES_EVERY == 0:
            ready = lambda: winner.has_told("ready", pid=winner.process.pid)  # noqa: E731, B023
            wait_for("the winner", ready)
            epoch = records(winner)[-1].epoch
            wait_for("its orders", lambda: sends(winner, epoch) > 0)  # noqa: B023
        assert not is_over(winner), winner.log.read_text()[-2000:]
        winner.kill()
    start_and_wait(pair[0])
    settle_and_judge(pair[0], sim)


def test_a_frozen_engine_keeps_its_lease_and_goes_on_as_the_only_one(sim, pair):
    """On one machine nobody can take over from a process that still exists: its lock is held."""
    first, second = pair
    start_and_wait(first)
    epoch = records(first)[0].epoch
    wait_for("orders", lambda: sends(first, epoch) > 0)
    first.process.send_signal(signal.SIGSTOP)
    second.start()
    assert second.process.wait(PATIENCE_S) == 7, second.log.read_text()
    first.process.send_signal(signal.SIGCONT)
    before = sends(first, epoch)
    wait_for("it to trade on", lambda: sends(first, epoch) > before)
    settle_and_judge(first, sim)


def test_the_journal_stops_a_second_engine_where_somebody_removed_the_lock_of_the_first(sim, pair):
    first, second = pair
    start_and_wait(first)
    epoch = records(first)[0].epoch
    wait_for("orders", lambda: sends(first, epoch) > 0)
    first.process.send_signal(signal.SIGSTOP)
    (first.directory / "lease" / "test.lock").unlink()
    second.start()
    assert second.process.wait(PATIENCE_S) == 7, second.log.read_text()
    assert "is being written by another process" in second.log.read_text()
    first.process.send_signal(signal.SIGCONT)
    settle_and_judge(first, sim)


def test_a_frozen_engine_that_is_killed_is_followed_by_the_next_one(sim, pair):
    first, second = pair
    start_and_wait(first)
    epoch = records(first)[0].epoch
    wait_for("orders", lambda: sends(first, epoch) > 0)
    first.process.send_signal(signal.SIGSTOP)
    time.sleep(0.2)  # it holds what it was doing
    first.kill()
    start_and_wait(second)
    settle_and_judge(second, sim)
