"""The exchange changes an instrument's filters under a trading engine (X21, X22)."""

import asyncio
import contextlib
from decimal import Decimal

import pytest
from tests.simulation.inside import engine, engine_settings, until, what_is_open
from tests.simulation.judge import read_record, violations
from tests.simulation.live import busy_settings

from plimsoll.engine import upkeep
from plimsoll.simulator import SimSettings, running

NAME = "linear:ETHUSDT"


@pytest.mark.parametrize("tick", ["0.05", "0.001"])
def test_a_new_tick_is_traded_on_within_its_period(tmp_path, monkeypatch, tick):
    monkeypatch.setattr(upkeep, "FILTERS_NS", 1_000_000_000)
    core = busy_settings(instruments=(NAME,))

    async def trade() -> None:
        settings = SimSettings(directory=str(tmp_path / "sim"), limits="off", speed=20.0)
        async with contextlib.AsyncExitStack() as stack:
            server = await stack.enter_async_context(running(settings))
            job = engine_settings(tmp_path / "engine", server.port, core)
            process = await stack.enter_async_context(engine(job))
            state = process.core.state
            await until("orders", lambda: process.core.counts.get("execution", 0) > 3)
            server.start_fault("filters_changed", symbol="ETHUSDT", values={"tickSize": tick})

            def has_it() -> bool:
                listed = state.instruments[NAME]
                return listed.tick * listed.price_step == Decimal(tick)

            await until("the new tick", has_it)
            before = process.core.counts.get("execution", 0)
            await until("trading", lambda: process.core.counts["execution"] > before + 3)
            assert state.safety.blocks == {}
            await until("calm", lambda: not what_is_open(process))

    asyncio.run(trade())
    record = read_record(tmp_path / "sim" / "record.jsonl")
    assert violations(record, tmp_path / "engine" / "journal", "test") == []


def test_a_start_into_a_halted_instrument_watches_all_and_trades_once_it_trades(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(upkeep, "FILTERS_NS", 1_000_000_000)
    core = busy_settings(instruments=(NAME,))

    async def trade() -> None:
        settings = SimSettings(directory=str(tmp_path / "sim"), limits="off", speed=20.0)
        async with contextlib.AsyncExitStack() as stack:
            server = await stack.enter_async_context(running(settings))
            halted = server.start_fault("halt_instrument", symbol="ETHUSDT")
            job = engine_settings(tmp_path / "engine", server.port, core)
            process = await stack.enter_async_context(engine(job))
            safety = process.core.state.safety
            await until("the block", lambda: "Closed" in safety.blocks.get(NAME, ""))
            await until("comparison", lambda: safety.is_reconciled)
            assert not process.core.counts.get("intend")
            server.stop_fault(halted)
            await until("trading", lambda: process.core.counts.get("execution", 0) > 3)
            assert safety.blocks == {}
            await until("calm", lambda: not what_is_open(process))

    asyncio.run(trade())
    record = read_record(tmp_path / "sim" / "record.jsonl")
    assert violations(record, tmp_path / "engine" / "journal", "test") == []
