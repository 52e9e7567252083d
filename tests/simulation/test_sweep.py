"""Lesson 4: three of ten private messages are lost without a sign, and every fill is known soon."""

import asyncio

from tests.simulation.inside import engine, engine_settings, until
from tests.simulation.judge import read_record, violations
from tests.simulation.live import QUICK, busy_settings

from plimsoll.core.model import is_own
from plimsoll.core.records import ExecutionReported, Reconciled, decode
from plimsoll.journal import KIND_RECORD, TRADING, scan
from plimsoll.simulator import SimSettings, running

DROPPED_S = 8.0
ROUNDS = 1
"""Of comparing that may end before a fill is known: the one that was under way when it was made."""


def test_with_three_of_ten_pushes_lost_every_fill_is_known_within_two_sweeps(tmp_path):
    asyncio.run(session(tmp_path))
    record = read_record(tmp_path / "sim" / "record.jsonl")
    known: dict[str, tuple[int, str]] = {}
    rounds: list[int] = []
    for entry in scan(tmp_path / "journal", TRADING):
        if entry.kind == KIND_RECORD:
            item = decode(entry.payload)
            if isinstance(item, ExecutionReported):
                known.setdefault(item.execution_id, (item.ts_ns, item.source))
            elif isinstance(item, Reconciled):
                rounds.append(item.ts_ns)
    made = {
        line["execId"]: int(line["execTime"]) * 1_000_000
        for line in record
        if line["kind"] == "execution" and is_own(line["orderLinkId"], "test")
    }
    assert len(made) > 30
    by_query = [one for one in made if known[one][1] == "query"]
    assert len(by_query) > 2, "nothing was lost: the test shows nothing"
    late = {
        one: sum(at_ns < ended_ns < known[one][0] for ended_ns in rounds)
        for one, at_ns in made.items()
    }
    assert max(late.values()) <= ROUNDS
    assert len(rounds) > DROPPED_S * 1e9 / QUICK.sweep_ns / 2, "its period is another"
    assert violations(record, tmp_path / "journal", "test") == []


async def session(directory) -> None:
    sim = SimSettings(directory=str(directory / "sim"), limits="off", speed=10.0)
    async with running(sim) as exchange:
        settings = engine_settings(directory, exchange.port, busy_settings())
        async with engine(settings) as process:
            await until("orders", lambda: process.core.counts.get("execution", 0) > 1)
            fault = exchange.start_fault("drop_push", rate=0.3)
            await asyncio.sleep(DROPPED_S)  # the length of the loss is what is tested
            exchange.stop_fault(fault)
            rounds = process.core.counts["reconciled"]
            await until("two more rounds", lambda: process.core.counts["reconciled"] > rounds + 2)
