"""Executors listed and cancelled while a real engine works them on the simulated exchange."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cli.conftest import edit
from tests.cli.test_changing import Runs
from tests.simulation.judge import read_record

from plimsoll.cli.exits import Exit
from plimsoll.core.engine.underway import executors_of
from plimsoll.core.records import StrategyCheckpoint
from plimsoll.simulator import SimSettings
from plimsoll.simulator.thread import SimulatorThread

NAME = "linear:DOGEUSDT"

WORK = '''"""Work what is told."""
from typing import Literal
from plimsoll.core.strategy import Grid, Iceberg, Legs, Signal, Strategy, Twap, state

class Order(Signal):
    kind: Literal["ice", "twap"]

class Work(Strategy):
    """Works what it is told."""

    signal = Order
    heard = state([])

    def on_executor(self, handle):
        self.heard = [*self.heard, [handle.number, handle.reason]]

    def on_signal(self, order):
        name = "linear:DOGEUSDT"
        market = self.market(name)
        price = market.bid_ticks * float(market.instrument.tick)
        ice = Iceberg(5_000.0, 1_000.0, limit=price * 0.99)
        self.execute(ice if order.kind == "ice" else Twap(5_000.0, 600, 60), name)
'''
CONFIGURED = """
[[strategy]]
name = "work"
class = "strategies/work.py:Work"
instruments = ["linear:DOGEUSDT"]
mode = "live"
capital = "10_000 USDT"
"""


@pytest.fixture
def exchange(tmp_path) -> Iterator[SimulatorThread]:
    with SimulatorThread(SimSettings(directory=str(tmp_path / "sim"))) as thread:
        yield thread


@pytest.fixture
def desk(project: Path) -> Path:
    (project / "strategies" / "work.py").write_text(WORK)
    edit(project, "[breakers]", f"{CONFIGURED}\n[breakers]")
    return project


def test_a_person_sees_and_ends_what_is_worked(plimsoll, desk, tmp_path):
    shared = ("--project", desk)

    def listed(*more):
        ran = plimsoll("executors", "list", *more, *shared, "--json")
        assert ran.code == Exit.DONE, ran.err
        return ran.document["executors"]

    def refused(*words, code=Exit.REFUSED):
        ran = plimsoll("executors", *words, *shared, "--json")
        assert ran.code == code, (ran.out, ran.err)
        return ran.error["message"] + ran.error.get("hint", "")

    engine = Runs(desk)
    try:
        engine.started("work", epoch=1)
        assert listed() == []
        for kind in ("ice", "twap"):
            ran = plimsoll("signal", "work", f'{{"kind": "{kind}"}}', *shared)
            assert ran.code == Exit.DONE, ran.err
        engine.wait("an order rests", lambda core: _resting(core) == 1)
        engine.wait("a slice", lambda core: core.ledger.qty_lots("work", NAME) > 0)

        # ---- what is seen ----
        ice, twap = listed("--instance", "work")
        assert (ice["id"], ice["kind"], ice["state"]) == ("work#1", "iceberg", "working")
        (leg,) = ice["legs"]
        assert (leg["side"], leg["qty"], leg["filled"]) == ("buy", "5000", "0")
        assert len(leg["working"]) == 1
        assert twap["ends_ns"] == twap["begun_ns"] + 660 * 10**9
        assert twap["legs"][0]["filled"] != "0"
        page = plimsoll("executors", "list", *shared).out
        assert "iceberg buy linear:DOGEUSDT" in page
        assert "when filled" in page
        assert (
            "work#1 iceberg buy linear:DOGEUSDT: 0 of 5000 done" in plimsoll("status", *shared).out
        )
        assert plimsoll("status", *shared, "--json").document["executors"] == ["work#1", "work#2"]
        assert "running: ema, quoter" in refused("list", "--instance", "x", code=Exit.USAGE)

        # ---- what cannot be ----
        assert "named INSTANCE#NUMBER" in refused("cancel", "work", code=Exit.USAGE)
        assert "under way: work#1, work#2" in refused("cancel", "work#7")
        assert "no instance is called 'ice'" in refused("cancel", "ice#1")

        # ---- what can ----
        ran = plimsoll("executors", "cancel", "work#1", "--reason", "enough", *shared)
        assert ran.code == Exit.DONE, ran.err
        assert "work#1 has ended (operator), cancelled at seq" in ran.out
        assert "has ended: operator" in refused("cancel", "work#1")
        assert [one["id"] for one in listed()] == ["work#2"]
        assert b"operator" in _checkpoint(engine), "its strategy has heard it"

        # ---- and a death changes nothing ----
        os.kill(engine.process.pid, signal.SIGKILL)
        engine.process.wait(30)
        assert [one["id"] for one in listed()] == ["work#2"]
        said = plimsoll("executors", "list", *shared).out
        assert said.startswith("no engine runs: they go on with the next start")
        assert "no engine answers" in refused("cancel", "work#2", code=Exit.UNREACHABLE)
        engine = Runs(desk)
        engine.started("work", epoch=2)
        ended, going = listed("--all")
        assert (ended["state"], ended["reason"], going["state"]) == ("ended", "operator", "working")
        ran = plimsoll("executors", "cancel", "work#2", *shared, "--json")
        assert (ran.code, ran.document["reason"]) == (Exit.DONE, "operator")
    finally:
        if engine.process.poll() is None:
            engine.stop()
    for epoch in (1, 2):
        ran = plimsoll("replay", epoch, *shared)
        assert ran.code == Exit.DONE, ran.out + ran.err

    words = ("replay", 1, "--with", "strategies/work.py:Work", "--strategy", "work")
    found = plimsoll(*words, *shared, "--json").document["what_if"]
    assert found["again"]["cancels"] == 1, "the same code meets the command again"
    assert found["changed"]["cancels"] == 0, "another one has other numbers"
    told = plimsoll(*words, *shared).out
    assert "`executors cancel` of the session is not done again" in told

    # ---- the exchange's own record ----
    lines = read_record(tmp_path / "sim" / "record.jsonl")
    orders = [one for one in lines if one["kind"] == "order" and one["symbol"] == "DOGEUSDT"]
    rested = {one["orderLinkId"]: one for one in orders if one["timeInForce"] == "GTC"}
    assert list(rested) == leg["working"], "nothing rested anew"
    assert rested[leg["working"][0]]["orderStatus"] == "Cancelled"


def _resting(core) -> int:
    return sum(len(one.working) for one in executors_of(core.state) if one.run.kind == "iceberg")


def _checkpoint(engine: Runs) -> bytes:
    saved = [one for one in engine.records() if isinstance(one, StrategyCheckpoint)]
    return next(one.state for one in reversed(saved) if one.owner == "work")
