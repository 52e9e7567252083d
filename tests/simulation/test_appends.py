"""Killed exactly before or after an append, and again in the recovery: nothing is lost (Q2).

A script of sixty orders runs; its process dies at the n-th append to the journal. The next process
dies at an append of its start, the one after that goes to the end of the script. The gate takes a
spread of appends, ``KILLS=100`` as many, ``KILLS=all`` every one, on both sides.
"""

import pytest
from tests.simulation.killing import Kill
from tests.simulation.live import EngineProcess, Sim, scripted_settings, wait_for
from tests.simulation.recovering import (
    is_through,
    records,
    settle_and_judge,
    start_and_wait,
    wait_for_core,
)
from tests.simulation.sizes import kills, spread

from plimsoll.core.records import OrderIntended
from plimsoll.simulator import AccountSettings

ROUNDS = 7
"""Of the script: 63 orders."""
APPENDS = 630
"""To the trading log, in a session nobody kills; the last of them belong to its stop."""
STARTING = 30
"""Appends to the trading log until the books are compared."""
FRAMES = 250
KINDS = (
    *("LeaseTaken", "Configured", "InstrumentListed", "LinkChanged", "QueryIntended"),
    *("QueryAnswered", "WalletAdopted", "Reconciled", "EquityMeasured", "StreamChanged"),
    *("OrderIntended", "AmendIntended", "CancelIntended", "OrderSent", "RequestAnswered"),
    *("OrderReported", "ExecutionReported", "PositionReported", "WalletReported", "TimerFired"),
    *("StrategyCheckpoint", "HashTaken", "RateMeasured", "ClockMeasured"),
)
LONGEST_S = 8.0
"""From a start to the end of the script, with room to spare."""
ALWAYS = [  # the borders ORD-4 is about, then a spread
    (Kill(13, kind="OrderIntended"), Kill(5)),
    (Kill(13, is_after=True, kind="OrderIntended"), Kill(20)),
    (Kill(13, kind="OrderSent"), Kill(12, is_after=True)),
]
FEW = 9
"""Kills in the gate."""


def cases() -> list[tuple[Kill, Kill]]:
    """Return where the first process dies, and where the second one."""
    first = [Kill(n, is_after) for n in range(1, APPENDS + 1) for is_after in (False, True)]
    first += [
        Kill(n, is_after, kind=kind)
        for kind in KINDS
        for n in (1, 2, 13)
        for is_after in (False, True)
    ]
    first += [Kill(n, log="market") for n in range(1, FRAMES + 1, 10)]
    second = [Kill(n, is_after) for n in range(1, STARTING + 1) for is_after in (False, True)]
    second += [Kill(1, kind=kind) for kind in ("StrategyRestored", "Reconciled")]
    pairs = [(one, second[index * 7 % len(second)]) for index, one in enumerate(first)]
    return [*ALWAYS, *spread(pairs, kills(FEW))]


@pytest.mark.parametrize(("first", "second"), cases(), ids=str)
def test_killed_at_an_append_and_again_in_the_recovery_nothing_is_lost(tmp_path, first, second):
    account = AccountSettings(vip=3)  # 60 orders a second: the script need not wait
    sim = Sim(
        tmp_path / "sim",
        is_forked=True,
        limits="off",
        speed=10.0,
        push_periods="none",
        accounts=(account,),
    )
    core = scripted_settings(rounds=ROUNDS)
    engine = EngineProcess(tmp_path / "engine", sim, core, is_forked=True)
    try:
        for kill in (first, second):
            engine.start(kill=kill)
            if not dies(engine):
                engine.kill()  # there are not so many appends of this kind: then die anywhere
        start_and_wait(engine)
        wait_for_core("the end of the script", engine, is_through)
        settle_and_judge(engine, sim)
    finally:
        if engine.is_running:
            engine.kill()
        sim.stop()
    intended = sum(isinstance(one, OrderIntended) for one in records(engine))
    assert intended >= 55, "the script did not go on: the test shows little"


def dies(engine: EngineProcess) -> bool:
    """Wait for the death of an engine; return False where it lives on after the whole script."""
    try:
        wait_for("the kill", lambda: engine.process.poll() is not None, LONGEST_S)
    except AssertionError:
        return False
    assert engine.process.wait(1) == -9, engine.log.read_text()[-3000:]
    return True
