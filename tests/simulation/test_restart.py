"""What a killed session knew is known to the next one."""

import msgspec
from tests.simulation.live import HERE, UNIT, EngineProcess, Sim, busy_settings, wait_for

from plimsoll.core.model import Mode
from plimsoll.core.records import PublicTraded, StrategyCheckpoint, StrategyRestored, decode
from plimsoll.core.settings import StrategySettings
from plimsoll.engine import Replica
from plimsoll.engine.reading import EntryReader
from plimsoll.journal import KIND_RECORD, MARKET, TRADING, scan


def seen_in(saved: bytes) -> int:
    return msgspec.msgpack.decode(saved)["states"]["seen"]


def records(engine, kind):
    return [
        record
        for entry in scan(engine.journal_dir, TRADING)
        if entry.kind == KIND_RECORD and isinstance(record := decode(entry.payload), kind)
    ]


def prints(engine, after: int) -> int:
    reader = EntryReader()
    found = [reader.record(entry) for entry in scan(engine.journal_dir, MARKET, after + 1)]
    return sum(len(record.rows) for record in found if isinstance(record, PublicTraded))


def test_a_restart_remembers_what_happened_after_the_last_checkpoint(tmp_path):
    sim = Sim(tmp_path / "sim", limits="off", speed=50.0)
    core = msgspec.structs.replace(
        busy_settings(),
        strategies=(
            StrategySettings(
                name="counting",
                source=f"{HERE / 'counting.py'}:Counting",
                instruments=("linear:ETHUSDT",),
                mode=Mode.PAPER,
                capital=UNIT,
            ),
        ),
    )
    engine = EngineProcess(tmp_path / "engine", sim, core)
    try:
        engine.start()
        wait_for("a checkpoint", lambda: bool(records(engine, StrategyCheckpoint)))
        first = records(engine, StrategyCheckpoint)[0]
        wait_for("prints", lambda: prints(engine, first.seq) >= 20)
        engine.kill()
        expected = seen_in(first.state) + prints(engine, first.seq)
        engine.start()
        wait_for("the restart", lambda: engine.has_told("ready", pid=engine.process.pid))
        assert engine.stop() == 143
    finally:
        if engine.is_running:
            engine.kill()
        sim.stop()
    restored = records(engine, StrategyRestored)
    assert [seen_in(one.state) for one in restored] == [expected]
    last = records(engine, StrategyCheckpoint)[-1]
    assert seen_in(last.state) >= expected
    replica = Replica(engine.journal_dir)
    replica.poll()
    assert replica.core.is_ended
