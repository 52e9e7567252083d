"""Executors against the exchange: each kind once, and a ``Twap`` that is killed again and again."""

import asyncio
import random
import time
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from tests.simulation.inside import engine as inside
from tests.simulation.inside import engine_settings, until
from tests.simulation.judge import read_record, violations
from tests.simulation.live import EngineProcess, Sim, busy_settings, wait_for
from tests.simulation.recovering import (
    records,
    settle_and_judge,
    start_and_wait,
    wait_until_ready,
)

from plimsoll.core.model import Mode
from plimsoll.core.records import OrderIntended, StrategyCheckpoint
from plimsoll.core.settings import CoreSettings
from plimsoll.simulator import SimSettings, running

NAMES = ("linear:ETHUSDT", "linear:BTCUSDT")
RUNS = [
    *((kind, Mode.LIVE) for kind in ("twap", "vwap", "iceberg", "pov", "legs", "grid")),
    *((kind, Mode.PAPER) for kind in ("twap", "legs", "grid")),
]


def working(mode: Mode = Mode.LIVE, **params: object) -> CoreSettings:
    core = busy_settings(source="working.py:Working")
    one = msgspec.structs.replace(
        core.strategies[0], name="working", params=params, instruments=NAMES, mode=mode
    )
    return msgspec.structs.replace(core, strategies=(one,))


def executed(record: list[dict[str, Any]]) -> dict[str, Decimal]:
    """Return the signed quantity that was executed, by symbol."""
    found: dict[str, Decimal] = {}
    for line in record:
        if line["kind"] == "execution":
            sign = 1 if line["side"] == "Buy" else -1
            before = found.get(line["symbol"], Decimal(0))
            found[line["symbol"]] = before + sign * Decimal(line["execQty"])
    return found


@pytest.mark.parametrize(("kind", "mode"), RUNS)
def test_each_kind_comes_to_its_end(tmp_path, kind, mode):
    told: list[Any] = []

    async def trade() -> None:
        settings = SimSettings(directory=str(tmp_path / "sim"), limits="off", speed=20.0)
        async with running(settings) as server:
            core = working(mode, kind=kind, over_s=3.0)
            job = engine_settings(tmp_path / "engine", server.port, core)
            async with inside(job) as process:

                def handles() -> list[Any]:
                    desks = process.core.trader.desks if process.core.session else {}
                    return desks["working"].executor_handles() if desks else []

                await until("an executor", lambda: bool(handles()))
                (handle,) = handles()
                if kind == "grid":
                    await until("a turn", lambda: sum(map(_orders, handle.run.legs)) >= 9)
                    handle.cancel()
                await until("its end", lambda: handle.is_done)
                await asyncio.sleep(0)
                told.append(handle)

    asyncio.run(trade())
    (handle,) = told
    record = read_record(tmp_path / "sim" / "record.jsonl")
    assert violations(record, tmp_path / "engine" / "journal", "test") == []
    assert handle.reason == ("cancelled" if kind == "grid" else "filled")
    if mode is Mode.PAPER:
        assert executed(record) == {}
        return
    net: dict[str, Decimal] = {}
    for leg in handle.legs:
        symbol = leg.instrument.partition(":")[2]
        net[symbol] = net.get(symbol, Decimal(0)) + leg.filled
    assert {name: qty for name, qty in executed(record).items() if qty} == {
        name: qty for name, qty in net.items() if qty
    }


def _orders(leg: Any) -> int:
    return len(leg.pieces)


def is_done(engine: EngineProcess) -> bool:
    """Return whether the newest checkpoint knows the executor's end."""
    saved = [one for one in records(engine) if isinstance(one, StrategyCheckpoint)]
    runs = msgspec.msgpack.decode(saved[-1].state)["executors"] if saved else []
    return bool(runs) and all(run["ended"] for run in runs)


@pytest.mark.parametrize("seed", [1])
def test_a_killed_twap_ends_at_its_quantity_or_tells_a_rest(tmp_path, seed):
    draw = random.Random(seed)
    sim = Sim(tmp_path / "sim", is_forked=True, seed=seed, lose_ack=0.05, limits="off", speed=20.0)
    engine = EngineProcess(tmp_path / "engine", sim, working(over_s=16.0), is_forked=True)
    try:
        for _ in range(6):
            engine.start()
            wait_until_ready(engine)
            time.sleep(draw.uniform(0.0, 1.5))  # the instant of the kill is what is drawn
            engine.kill()
        start_and_wait(engine)
        begun = time.monotonic()
        wait_for(
            "its time to be over", lambda: time.monotonic() > begun + 18 or is_done(engine), 40
        )
        record = settle_and_judge(engine, sim)
    finally:
        if engine.is_running:
            engine.kill()
        sim.stop()
    saved = [one for one in records(engine) if isinstance(one, StrategyCheckpoint)][-1]
    (run,) = msgspec.msgpack.decode(saved.state)["executors"]
    assert run["ended"] in ("filled", "time")
    filled = executed(record).get("ETHUSDT", Decimal(0))
    assert filled == Decimal("0.40") if run["ended"] == "filled" else filled < Decimal("0.40")
    # It was started once: that it had been was known before its first order left.
    labels = {one.label for one in records(engine) if isinstance(one, OrderIntended)}
    assert labels == {"twap#1.0"}
