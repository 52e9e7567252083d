"""The venue's disconnect protection: set and verified, and what its act leads to (RSK-12, X27)."""

import asyncio

import pytest
from tests.simulation.inside import engine, engine_settings, until
from tests.watchdog.guarded import resting_settings

from plimsoll.core.records import DisconnectReported, Halted, decode
from plimsoll.journal import KIND_RECORD, TRADING, scan
from plimsoll.simulator import AccountSettings, SimSettings, running

WINDOW_S = 3


def records(settings, kind):
    return [
        item
        for entry in scan(settings.journal_dir, TRADING)
        if entry.kind == KIND_RECORD and isinstance(item := decode(entry.payload), kind)
    ]


def has_acted(exchange):
    return any(line.get("cancelType") == "CancelByDCP" for line in exchange.lines())


def test_it_is_verified_and_its_act_halts(tmp_path):
    asyncio.run(_through_its_act(tmp_path))


async def _through_its_act(tmp_path):
    sim = SimSettings(limits="off", speed=0.2, accounts=(AccountSettings(dcp=True),))
    async with running(sim) as exchange:
        settings = engine_settings(tmp_path, exchange.port, resting_settings(), dcp_s=WINDOW_S)
        async with engine(settings) as process:
            core = process.core
            await until("resting orders", lambda: len(core.orders.working) >= 3)
            known = core.state.disconnect
            assert known["DERIVATIVES"].status == "set"
            await until("its force", lambda: known["DERIVATIVES"].status == "on")
            assert "SPOT" not in known, "no pair is traded"
            fault = exchange.start_fault("refuse_connects", kind="private")
            exchange.start_fault("cut", kind="private")
            await until("the venue's act", lambda: has_acted(exchange))
            exchange.stop_fault(fault)
            await until("the halt", lambda: core.safety.is_halted)
            await until("its orders' end", lambda: not core.orders.working)
            assert core.safety.halt_actor == "venue"
        assert [one.actor for one in records(settings, Halted)] == ["venue"]


@pytest.mark.parametrize("dcp_s", [0, 10])
def test_an_account_without_it_trades_all_the_same(tmp_path, dcp_s):
    asyncio.run(_without_it(tmp_path, dcp_s))


async def _without_it(tmp_path, dcp_s):
    async with running(SimSettings(limits="off", speed=0.2)) as exchange:
        settings = engine_settings(tmp_path, exchange.port, resting_settings(), dcp_s=dcp_s)
        async with engine(settings) as process:
            await until("orders", lambda: len(process.core.orders.working) >= 3)
        found = [(one.product, one.status) for one in records(settings, DisconnectReported)]
        assert found == ([("DERIVATIVES", "none")] if dcp_s else [])
