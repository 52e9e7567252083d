"""Conditional orders at the exchange: triggered, amended, cancelled, perpetual and spot."""

import asyncio

import pytest
from tests.simulation.inside import engine, engine_settings, until
from tests.simulation.judge import read_record, violations
from tests.simulation.live import busy_settings

from plimsoll.core.model import OrderState
from plimsoll.simulator import SimSettings, running


@pytest.mark.parametrize("name", ["linear:ETHUSDT", "spot:ETHUSDT"])
def test_conditional_orders_trigger_and_can_be_amended_and_cancelled(tmp_path, name):
    core = busy_settings(instruments=(name,), source="waiting.py:Waiting")

    async def trade() -> None:
        settings = SimSettings(directory=str(tmp_path / "sim"), limits="off", speed=30.0)
        async with running(settings) as server:
            job = engine_settings(tmp_path / "engine", server.port, core)
            async with engine(job) as process:
                orders = process.core.orders

                def over() -> bool:
                    return len(orders.closed) >= 3 and not orders.working

                await until("one to be cancelled", lambda: bool(orders.closed))
                server.start_fault("crash", symbol="ETHUSDT", magnitude=0.01)
                await until("three orders to end", over)
                ends = sorted(order.state for order in orders.closed.values())
                assert ends == [OrderState.CANCELED, OrderState.CANCELED, OrderState.FILLED]
                assert list(process.core.incidents) == []

    asyncio.run(trade())
    record = read_record(tmp_path / "sim" / "record.jsonl")
    assert violations(record, tmp_path / "engine" / "journal", "test") == []
    lines = [line for line in record if line["kind"] == "order" and line["orderLinkId"]]
    assert {line["orderStatus"] for line in lines} >= {"Untriggered", "Triggered", "Filled"}
    prices: dict[str, set[str]] = {}
    for line in lines:
        prices.setdefault(line["orderLinkId"], set()).add(line["triggerPrice"])
    assert sorted(len(found) for found in prices.values()) == [1, 1, 2]  # one was moved
