"""A strategy that does not return is cut off and stopped; the others trade on (P8, P16).

Judged from the exchange's record and by a replay of the session.
"""

import asyncio
import itertools
from pathlib import Path

import msgspec
import pytest
from tests.simulation.engine_child import load
from tests.simulation.inside import engine, engine_settings, until
from tests.simulation.judge import read_record, violations
from tests.simulation.live import HERE, busy_settings

from plimsoll.core.engine import Core
from plimsoll.engine.replay import prove
from plimsoll.simulator import SimSettings, running

NAMES = ("linear:ETHUSDT", "linear:BTCUSDT")


def settings_with(kind: str):
    found = busy_settings(instruments=NAMES)
    bad = msgspec.structs.replace(
        found.strategies[1], name="bad", source=f"{HERE / 'stuck.py'}:{kind}", params={"after": 20}
    )
    return msgspec.structs.replace(found, strategies=(found.strategies[0], bad))


async def session(directory: Path, kind: str) -> Core:
    sim = SimSettings(directory=str(directory / "sim"), limits="off", speed=10.0)
    async with running(sim) as exchange:
        settings = engine_settings(directory, exchange.port, settings_with(kind))
        async with engine(settings) as process:
            counts = process.core.counts
            await until("the stop of it", lambda: "bad" in process.core.state.stopped)
            before = process.core.counts.get("execution", 0)
            await until("trading after it", lambda: process.core.counts["execution"] > before + 3)
            assert process.failure is None
            assert counts is not process.core.counts
            return process.core


@pytest.mark.parametrize(
    ("kind", "cuts"), [("Loops", 1), ("Swallows", 1), ("Sleeps", 1), ("Exits", 0)]
)
def test_a_callback_that_does_not_return_ends_its_instance_and_nothing_else(
    tmp_path, kind, cuts, caplog
):
    core = asyncio.run(session(tmp_path, kind))
    logged = [one for one in caplog.records if one.message == "callback cut off"]
    assert len(logged) == cuts
    assert all("stuck.py:" in vars(one)["plimsoll_fields"]["place"] for one in logged)
    assert core.counts.get("cut", 0) == cuts
    assert set(itertools.chain(core.state.stopped)) >= {"bad"}
    told = [one for one in core.incidents if one.code == "strategy_stopped"]
    assert [one.subject for one in told] == ["bad"]
    assert not [one for one in core.orders.closed.values() if one.owner == "bad"]
    record = read_record(tmp_path / "sim" / "record.jsonl")
    assert violations(record, tmp_path / "journal", "test") == []
    report = prove(tmp_path / "journal", core.epoch, load)
    assert report.identical, report.first_difference


async def wrongly(directory: Path) -> Core:
    sim = SimSettings(directory=str(directory / "sim"), limits="off", speed=10.0)
    async with running(sim) as exchange:
        settings = engine_settings(directory, exchange.port, settings_with("Wrong"))
        async with engine(settings) as process:
            desks = process.core.trader.desks
            kinds = desks["bad"].refusals.kinds
            await until("wrong calls", lambda: any(one.times > 50 for one in kinds.values()))
            assert "bad" not in process.core.state.stopped
            return process.core


@pytest.mark.timeout(120)
def test_a_strategy_that_asks_wrongly_is_told_of_once_and_counted_to_its_end(tmp_path, caplog):
    core = asyncio.run(wrongly(tmp_path))
    logged = [one for one in caplog.records if one.message == "strategy refused at once"]
    assert [vars(one)["plimsoll_fields"]["owner"] for one in logged] == ["bad"]
    assert "stop 'abc'" in vars(logged[0])["plimsoll_fields"]["text"]
    (told,) = core.state.refused.values()
    assert (told.owner, told.ask, told.times > 50) == ("bad", "target", True)
    assert core.counts["ask-refused"] < 8, "the first, checkpoints, and the end"
    report = prove(tmp_path / "journal", core.epoch, load)
    assert report.identical, report.first_difference
