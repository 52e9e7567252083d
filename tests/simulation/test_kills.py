"""kill -9 at random instants of a live session: nothing lost, nothing doubled (Q1).

Two instances trade on linear and spot, one answer in twenty is lost, the engine is killed during
its start, its recovery and its trading, and started again each time. The gate does 50 kills in
batches of 25; ``KILLS=1000`` as many, ``SEEDS=5-9`` or ``SEED=7`` the batches of those seeds.
Judged from the simulator's own record. One line replays a failure: ``make chaos SEED=n``.
"""

import os
import random
import time

import pytest
from tests.simulation.live import EngineProcess, Sim, busy_settings
from tests.simulation.recovering import settle_and_judge, start_and_wait, wait_until_ready
from tests.simulation.sizes import kills

BATCH = 25
MOST = 1000
"""Kills at random instants have no end: ``KILLS=all`` is the size of Q1."""


def seeds() -> list[int]:
    """Return SEED=7, or SEEDS=200 (1 to 200) or SEEDS=5-9 of the environment; else by KILLS."""
    if os.environ.get("SEED"):
        return [int(os.environ["SEED"])]
    batches = -(-min(kills(2 * BATCH), MOST) // BATCH)
    first, _, last = os.environ.get("SEEDS", str(batches)).rpartition("-")
    return list(range(int(first or 1), int(last) + 1))


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", seeds())
def test_killed_at_random_instants_nothing_is_lost_or_doubled(tmp_path, seed):
    draw = random.Random(seed)
    sim = Sim(tmp_path / "sim", is_forked=True, seed=seed, lose_ack=0.05, limits="off", speed=20.0)
    core = busy_settings(instruments=("linear:ETHUSDT", "spot:BTCUSDT"))
    engine = EngineProcess(tmp_path / "engine", sim, core, is_forked=True)
    try:
        for _ in range(BATCH):
            engine.start()
            if draw.random() < 0.7:
                wait_until_ready(engine)
                time.sleep(draw.uniform(0.0, 1.2))  # the instant of the kill is what is drawn
            else:
                time.sleep(draw.uniform(0.0, 0.3))  # the start and the recovery
            engine.kill()
        start_and_wait(engine)
        record = settle_and_judge(engine, sim, f"make chaos SEED={seed}")
    finally:
        if engine.is_running:
            engine.kill()
        sim.stop()
    executed = {line["category"] for line in record if line["kind"] == "execution"}
    assert executed == {"linear", "spot"}, "the session traded little: the test shows nothing"
