"""Positions and their stops at the exchange: never one without the other, whoever is dead."""

import asyncio
import json
import random
import time

import msgspec
import pytest
from tests.simulation.exits import exits, naked, size
from tests.simulation.inside import engine as inside
from tests.simulation.inside import engine_settings, until
from tests.simulation.judge import read_record, violations
from tests.simulation.live import EngineProcess, Sim, busy_settings, wait_for

from plimsoll.core.engine import Core
from plimsoll.engine import Replica
from plimsoll.simulator import SimSettings, running

NAME = "linear:ETHUSDT"


def bracketed(**params):
    core = busy_settings(instruments=(NAME,), source="bracketed.py:Bracketed")
    one = msgspec.structs.replace(core.strategies[0], params={"qty": 0.05, **params})
    return msgspec.structs.replace(core, strategies=(one,))


def replica_of(engine: EngineProcess) -> Core:
    replica = Replica(engine.journal_dir)
    replica.poll()
    replica.close()
    return replica.core


def is_settled(engine: EngineProcess) -> bool:
    core = replica_of(engine)
    return core.safety.is_reconciled and not any(
        order.state in ("unknown", "intent") for order in core.orders.working.values()
    )


def test_every_position_has_its_stop_from_its_first_moment_to_its_last(tmp_path):
    async def trade() -> None:
        settings = SimSettings(directory=str(tmp_path / "sim"), limits="off", speed=20.0)
        async with running(settings) as server:
            job = engine_settings(tmp_path / "engine", server.port, bracketed())
            async with inside(job) as process:
                state = process.core.state
                await until("turns", lambda: _fills(process.core) > 12)
                await until("a stop shown", lambda: bool(state.protections.of(NAME).shown[0]))

    asyncio.run(trade())
    record = read_record(tmp_path / "sim" / "record.jsonl")
    assert naked(record) == []
    assert violations(record, tmp_path / "engine" / "journal", "test") == []
    # The session is over and the position is still protected, by exactly one pair.
    assert exits(record) == ({"ETHUSDT": ["StopLoss", "TakeProfit"]} if size(record) else {})


def _fills(core: Core) -> int:
    return sum(held.fills for held in core.ledger.positions.values())


def test_the_exchange_stops_a_position_while_the_engine_is_dead_and_its_owner_learns_it(tmp_path):
    sim = Sim(tmp_path / "sim", limits="off")
    engine = EngineProcess(tmp_path / "engine", sim, bracketed(turn=0, away=0.01))

    try:
        engine.start()
        wait_for("a session", lambda: engine.has_told("ready", pid=engine.process.pid))
        wait_for("a protected position", lambda: bool(exits(sim.record())))
        engine.kill()
        _fault(sim, "crash", symbol="ETHUSDT", magnitude=-0.05)
        wait_for("the stop at the exchange", lambda: size(sim.record()) == 0)
        engine.start()
        wait_for("the next session", lambda: engine.has_told("ready", pid=engine.process.pid))
        wait_for("a comparison", lambda: is_settled(engine))
        wait_for("it to be booked", lambda: not replica_of(engine).ledger.qty_lots("busy0", NAME))
        assert engine.stop() == 143, engine.log.read_text()[-3000:]
    finally:
        if engine.is_running:
            engine.kill()
        sim.stop()
    lines = sim.record()
    assert violations(lines, engine.journal_dir, "test") == []
    assert size(lines) == 0, "it was bought back"
    position = replica_of(engine).ledger.position("busy0", NAME)
    assert position.fills >= 2


def _fault(sim: Sim, name: str, **asked: object) -> None:
    from urllib.request import Request, urlopen

    body = json.dumps({"name": name, **asked}).encode()
    with urlopen(Request(f"http://127.0.0.1:{sim.port}/sim/faults", body), timeout=60) as answer:
        assert answer.status == 201


@pytest.mark.parametrize("seed", [1])
def test_killed_while_it_trades_brackets_each_position_has_exactly_its_exits(tmp_path, seed):
    draw = random.Random(seed)
    sim = Sim(tmp_path / "sim", seed=seed, lose_ack=0.05, limits="off", speed=20.0)
    engine = EngineProcess(tmp_path / "engine", sim, bracketed())
    try:
        for _ in range(5):
            engine.start()
            wait_for("a session", lambda: engine.has_told("ready", pid=engine.process.pid))
            time.sleep(draw.uniform(0.0, 1.5))  # the instant of the kill is what is drawn
            engine.kill()
        engine.start()
        wait_for("the last session", lambda: engine.has_told("ready", pid=engine.process.pid))
        wait_for("every fate to be known", lambda: is_settled(engine))
        assert engine.stop() == 143, engine.log.read_text()[-3000:]
    finally:
        if engine.is_running:
            engine.kill()
        sim.stop()
    record = sim.record()
    assert sum(line["kind"] == "execution" for line in record) > 4
    assert violations(record, engine.journal_dir, "test") == []
    assert naked(record) == []
    assert exits(record) == ({"ETHUSDT": ["StopLoss", "TakeProfit"]} if size(record) else {})
