"""The wall clock jumps, or the process stands still: only what must stop stops (P6, P7)."""

import signal
import time

import pytest
from tests.simulation.faketime import WallClock
from tests.simulation.live import EngineProcess, Sim, busy_settings, wait_for
from tests.simulation.recovering import records, settle_and_judge, start_and_wait, wait_until_ready

from plimsoll.core.records import (
    AmendIntended,
    OrderIntended,
    OrderSent,
    Reconciled,
    RequestAnswered,
    Woken,
)

HOUR_S = 3600
WRONG_MS = 60_000
FROZEN_S = 5.0
"""Stands for 30 s: too short for the links to notice by their own means."""


@pytest.fixture
def sim(tmp_path):
    found = Sim(tmp_path / "sim", is_forked=True, limits="off", speed=20.0)
    yield found
    found.stop()


@pytest.fixture
def engine(tmp_path, sim):
    found = EngineProcess(tmp_path / "engine", sim, busy_settings(), is_forked=True)
    yield found
    if found.is_running:
        found.process.send_signal(signal.SIGCONT)
        found.kill()


def answered(engine) -> int:
    return sum(
        isinstance(one, RequestAnswered) and one.outcome == "accepted" for one in records(engine)
    )


def wait_for_trading(engine) -> None:
    before = answered(engine)
    wait_for("accepted orders", lambda: answered(engine) >= before + 5)


@pytest.mark.parametrize("steps", [(HOUR_S, -HOUR_S), (-1, 1)], ids=["hours", "leap-second"])
def test_a_wall_clock_that_jumps_changes_nothing_while_it_trades(tmp_path, sim, engine, steps):
    clock = WallClock(tmp_path / "clock")
    engine.start(env=clock.env)
    wait_until_ready(engine)
    wait_for_trading(engine)
    for off_s in steps:
        clock.step(off_s)
        wait_for_trading(engine)
    began = records(engine)[0].ts_ns
    elapsed = records(engine)[-1].ts_ns - began
    assert 0 < elapsed < HOUR_S * 1e9 / 2, "the time of the records jumped"
    record = settle_and_judge(engine, sim)
    stamps = [line["t"] for line in engine.events()]
    assert max(stamps) - min(stamps) > 0.9 * max(steps), "the wall clock did not jump"
    signed = {
        one.request_id: one.signed_ms for one in records(engine) if isinstance(one, OrderSent)
    }
    off_ms = [
        abs(line["t_ns"] // 1_000_000 - signed[line["reqId"]])
        for line in record
        if line["kind"] == "request" and line.get("reqId") in signed
    ]
    assert max(off_ms) < WRONG_MS, "a request was stamped with the time of the wall clock"


@pytest.mark.parametrize("off_s", [HOUR_S, -HOUR_S])
def test_a_restart_an_hour_off_knows_every_fate_all_the_same(tmp_path, sim, engine, off_s):
    """Killed with requests in flight; the next session's clock is an hour ahead, or behind."""
    start_and_wait(engine)
    wait_for_trading(engine)
    engine.kill()
    clock = WallClock(tmp_path / "clock")
    clock.step(off_s)
    engine.start(env=clock.env)
    wait_until_ready(engine)
    wait_for_trading(engine)
    settle_and_judge(engine, sim)


def test_an_engine_that_stood_still_sends_nothing_before_it_compared_its_books(sim, engine):
    start_and_wait(engine)
    wait_for_trading(engine)
    engine.process.send_signal(signal.SIGSTOP)
    time.sleep(FROZEN_S)  # the length of the standstill is what is tested
    woke_ns = time.time_ns()
    engine.process.send_signal(signal.SIGCONT)
    wait_for_trading(engine)
    settle_and_judge(engine, sim)
    after = [one for one in records(engine) if one.ts_ns >= woke_ns]
    first = next(one for one in after if isinstance(one, (OrderIntended, AmendIntended)))
    before = [one for one in after if one.seq < first.seq]
    assert any(isinstance(one, Woken) for one in before)
    assert any(isinstance(one, Reconciled) for one in before), "it sent before it compared"
