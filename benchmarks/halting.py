"""How long from a halt command to the first cancel at the venue, engine healthy (reliability Q8).

A live engine quotes on the simulator. Each round gives ``halt`` to the control socket while orders
rest, waits until none is open, and re-arms. Measured from before the command is given to the first
cancel in the simulator's own record: all of it is one machine's clock.

    python -m benchmarks.halting [--full]
"""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.report import Result, Size, quantile, run
from tests.simulation.judge import read_record
from tests.simulation.live import EngineProcess, Sim, busy_settings, wait_for

from plimsoll.control import Command, send_command
from plimsoll.core.engine import Core
from plimsoll.engine import Replica

ROUNDS = {Size.TINY: 2, Size.SMALL: 50, Size.FULL: 300}
ROOT = Path(__file__).resolve().parents[1]
PATIENCE_S = 30.0


def measure(size: Size) -> Result:
    """Halt and re-arm an engine again and again."""
    with _trading() as (sim, engine):
        replica = Replica(engine.journal_dir)
        asked_ns = [_halt(engine, replica, number) for number in range(ROUNDS[size])]
        replica.close()
        engine.stop()
        sim.stop()
        took_ms = _first_cancels(sim.directory / "record.jsonl", asked_ns)
    figures = [quantile(took_ms, q) for q in (0.5, 0.99, 1.0)]
    rows = {"halt command to first cancel at the venue": figures}
    return Result(
        "halt", ("p50 ms", "p99 ms", "largest ms"), rows, notes=(f"{len(took_ms)} halts",)
    )


@contextmanager
def _trading() -> Iterator[tuple[Sim, EngineProcess]]:
    var = ROOT / "var"
    var.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=var, prefix="bench-") as name:
        sim = Sim(Path(name) / "sim", limits="off")
        engine = EngineProcess(Path(name) / "engine", sim, busy_settings())
        try:
            engine.start()
            yield sim, engine
        finally:
            if engine.is_running:
                engine.kill()
            sim.stop()


def _halt(engine: EngineProcess, replica: Replica, number: int) -> int:
    """Halt while orders rest; return when that was asked, Unix ns. Armed again afterwards."""
    _wait(replica, "resting orders", lambda core: _resting(core) > 0)
    asked_ns = time.time_ns()
    _command(engine, f"halt-{number}", "halt")
    _wait(replica, "the end of all orders", lambda core: not core.orders.working)
    _command(engine, f"resume-{number}", "resume")
    return asked_ns


def _resting(core: Core) -> int:
    working = core.orders.working.values()
    return sum(one.state == "open" and not one.reduce_only for one in working)


def _wait(replica: Replica, what: str, holds) -> None:
    def is_so() -> bool:
        replica.poll()
        return holds(replica.core)

    wait_for(what, is_so, PATIENCE_S)


def _command(engine: EngineProcess, name: str, cmd: str) -> None:
    socket = engine.directory / "run" / "engine.sock"
    command = Command(id=name, actor="benchmark", cmd=cmd, args={"reason": "measured"})
    answer = send_command(socket, command)
    if not answer.accepted:
        raise RuntimeError(f"{cmd} was not accepted: {answer.reason}")


def _first_cancels(record: Path, asked_ns: list[int]) -> list[float]:
    cancels = [
        line["t_ns"]
        for line in read_record(record)
        if line["kind"] == "request" and line["path"] == "order.cancel"
    ]
    after = (next(at for at in cancels if at >= asked) - asked for asked in asked_ns)
    return [took_ns / 1e6 for took_ns in after]


if __name__ == "__main__":
    run("halt", [measure])
