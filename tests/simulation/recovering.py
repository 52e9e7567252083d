"""What follows a kill: a start, every fate known, a stop, the judge, the proof of the replay."""

from collections.abc import Callable

from tests.simulation.engine_child import load
from tests.simulation.judge import read_record, violations
from tests.simulation.live import MARKER_LOTS, PATIENCE_S, EngineProcess, Sim, wait_for

from plimsoll.core.engine import Core
from plimsoll.core.records import Record, decode
from plimsoll.engine import Replica, prove, sessions
from plimsoll.journal import KIND_RECORD, TRADING, scan


def is_settled(core: Core) -> bool:
    """Return whether the books are compared and every order's fate is known."""
    return core.safety.is_reconciled and not any(
        order.state in ("unknown", "intent") for order in core.orders.working.values()
    )


def is_through(core: Core) -> bool:
    """Return whether the script is at its end."""
    working = core.orders.working.values()
    return any(one.qty_lots == MARKER_LOTS and one.state == "open" for one in working)


def wait_for_core(
    what: str, engine: EngineProcess, holds: Callable[[Core], bool], deadline_s: float = PATIENCE_S
) -> None:
    """Wait until something holds for the state of an engine, as its log tells it."""
    replica = Replica(engine.journal_dir)

    def is_so() -> bool:
        replica.poll()
        return holds(replica.core)

    try:
        wait_for(what, is_so, deadline_s)
    finally:
        replica.close()


def records(engine: EngineProcess) -> list[Record]:
    """Return the records of the trading log."""
    return [
        decode(entry.payload)
        for entry in scan(engine.journal_dir, TRADING)
        if entry.kind == KIND_RECORD
    ]


def start_and_wait(engine: EngineProcess) -> None:
    """Start an engine, and wait until it is ready."""
    engine.start()
    wait_until_ready(engine)


def wait_until_ready(engine: EngineProcess) -> None:
    """Wait until an engine that was started is ready; one that ended instead fails with its log."""

    def is_ready() -> bool:
        assert engine.process.poll() is None, engine.log.read_text()[-3000:]
        return engine.has_told("ready", pid=engine.process.pid)

    try:
        wait_for("a session", is_ready)
    except AssertionError as error:
        raise AssertionError(f"{error}\n{engine.log.read_text()[-3000:]}") from None


def settle_and_judge(engine: EngineProcess, sim: Sim, replay: str = "") -> list[dict]:
    """End the newest session of an engine as a person would; return the record it was judged by.

    Args:
        engine: Runs, and is ready.
        sim: Its exchange; stopped here.
        replay: The command that repeats the draws of this test.
    """
    wait_for_core("every fate to be known", engine, is_settled)
    assert engine.stop() == 143, engine.log.read_text()[-3000:]
    sim.stop()
    record = read_record(sim.directory / "record.jsonl")
    found = violations(record, engine.journal_dir, "test")
    assert not found, "\n".join((replay and f"replay with: {replay}", *found))
    for epoch in sessions(engine.journal_dir):
        report = prove(engine.journal_dir, epoch, load)
        assert report.identical, f"epoch {epoch}: {report.first_difference}"
    return record
