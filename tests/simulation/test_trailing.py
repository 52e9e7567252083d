"""Stops that follow at the exchange: never a position without one, and none ever goes back."""

import asyncio
from itertools import pairwise

from tests.simulation.exits import naked
from tests.simulation.inside import engine as inside
from tests.simulation.inside import engine_settings, until
from tests.simulation.judge import read_record, violations
from tests.simulation.live import busy_settings

from plimsoll.core.records import ProtectionWished, decode
from plimsoll.journal import KIND_RECORD, TRADING, scan
from plimsoll.simulator import SimSettings, running


def test_the_exchange_has_a_stop_that_follows_and_never_goes_back(tmp_path):
    async def trade() -> None:
        settings = SimSettings(directory=str(tmp_path / "sim"), limits="off", speed=50.0, seed=3)
        async with running(settings) as server:
            core = busy_settings(source="trailing.py:Trailing")
            job = engine_settings(tmp_path / "engine", server.port, core)
            async with inside(job) as process:
                shown: set[int] = set()

                def is_moved() -> bool:
                    found = process.core.state.protections.of("linear:ETHUSDT").shown
                    shown.add(found.stop_ticks)
                    return len(shown) > 4

                await until("stops to move", is_moved)

    asyncio.run(trade())
    record = read_record(tmp_path / "sim" / "record.jsonl")
    journal = tmp_path / "engine" / "journal"
    assert violations(record, journal, "test") == []
    assert naked(record) == []
    wishes = [
        one
        for entry in scan(journal, TRADING)
        if entry.kind == KIND_RECORD and isinstance(one := decode(entry.payload), ProtectionWished)
    ]
    for one, later in pairwise(wishes):
        if one.side is later.side and later.stop_ticks:
            assert (later.stop_ticks - one.stop_ticks) * one.side.sign >= 0
    assert len(wishes) > 3
