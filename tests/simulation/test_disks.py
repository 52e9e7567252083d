"""A disk that stands still for two seconds: one setting trades on, the other one waits (P5).

A halt in that time is done at once and told as what it is: a power cut would lose it.

``strace`` holds up forced writes. When orders arrived is read from the simulator's own record.
"""

from pathlib import Path

import pytest
from tests.simulation.live import EngineProcess, Sim, busy_settings, wait_for
from tests.simulation.recovering import settle_and_judge, start_and_wait, wait_until_ready
from tests.simulation.tracing import require_strace, traced

from plimsoll.control import Command, send_command
from plimsoll.engine.commands import NOT_ON_DISK

STALL_S = 4.0
MARGIN_S = 1.0
"""At both ends of a stall: the request of before may still arrive, the next one be early."""


def stalls(trace: Path, only: int = 0) -> list[tuple[float, float]]:
    """Return when the disk stood still, Unix s; a stall that is not over is left out.

    ``only``: for this thread. The market log has one of its own, whose stall stops no order.
    """
    begun: dict[str, float] = {}
    found = []
    for line in trace.read_text().splitlines():
        thread, at, call = line.split(maxsplit=2)
        if call.startswith("fdatasync("):
            begun[thread] = float(at)
        if "(DELAYED)" in call and (not only or thread == str(only)):
            found.append((begun[thread], begun[thread] + STALL_S))
    return found


@pytest.mark.parametrize("sync", ["kernel", "disk"])
def test_a_disk_that_stands_still(tmp_path, sync):
    require_strace()
    sim = Sim(tmp_path / "sim", is_forked=True, limits="off", speed=20.0)
    engine = EngineProcess(tmp_path / "engine", sim, busy_settings(), is_forked=True, sync=sync)
    trace = tmp_path / "trace"
    what = f"delay_enter={int(STALL_S * 1e6)}:when=60+40"
    try:
        engine.start(under=traced("fdatasync", what, trace))
        wait_until_ready(engine)
        only = engine.process.pid if sync == "disk" else 0  # before a send the loop itself forces
        wait_for("a stall", lambda: trace.exists() and bool(stalls(trace, only)), 60)
        assert engine.stop() == 143, engine.log.read_text()[-3000:]
        start_and_wait(engine)
        record = settle_and_judge(engine, sim)
    finally:
        if engine.is_running:
            engine.kill()
        sim.stop()
    arrived = [
        line["t_ns"] / 1e9
        for line in record
        if line["kind"] == "request" and line["path"] == "order.create"
    ]
    begin, end = stalls(trace, only)[0]
    during = [at for at in arrived if begin + MARGIN_S < at < end - MARGIN_S]
    assert bool(during) == (sync == "kernel"), (begin, end, during)


def test_a_halt_while_the_disk_stands_still_is_done_and_told_not_to_be_kept(tmp_path):
    require_strace()
    sim = Sim(tmp_path / "sim", is_forked=True, limits="off")
    engine = EngineProcess(tmp_path / "engine", sim, busy_settings(), is_forked=True)
    trace = tmp_path / "trace"
    try:
        engine.start(under=traced("fdatasync", "delay_enter=3000000:when=60+1", trace))
        wait_until_ready(engine)
        wait_for("a stall", lambda: trace.exists() and bool(stalls(trace)), 60)
        # Another try where it fell between two stalls: only the forcing thread is held up.
        answers = [
            send_command(
                engine.directory / "run" / "engine.sock",
                Command(id=f"h{number}", actor="test", cmd="halt", args={"reason": "drill"}),
                timeout=60,
            )
            for number in range(5)
        ]
    finally:
        if engine.is_running:
            engine.kill()
        sim.stop()
    assert all(answer.accepted for answer in answers)
    assert NOT_ON_DISK in {answer.reason for answer in answers}
