"""Killed exactly at a system call, and calls that fail: nothing lost, nothing sent unlogged (Q2).

``strace`` kills the engine with the n-th call of a kind: before it has an effect. The gate takes a
few, ``KILLS=100`` as many, ``KILLS=all`` every one of the session.
"""

import pytest
from tests.simulation.live import PATIENCE_S, EngineProcess, Sim, scripted_settings, wait_for
from tests.simulation.recovering import (
    is_through,
    settle_and_judge,
    start_and_wait,
    wait_for_core,
    wait_until_ready,
)
from tests.simulation.sizes import kills, spread
from tests.simulation.tracing import require_strace, traced, was_injected

from plimsoll.simulator import AccountSettings

CALLS = {
    "sendto": 105,  # sockets: three upgrades, two logins, two subscriptions, then requests
    "fdatasync": 100,  # segments of the journal; the first one or two in the main thread
    "write": 90,  # chain lines, and the process's own log
    "recvfrom": 300,
    "fsync": 6,
    "pwrite64": 3,
    "rename": 4,
    "ftruncate": 3,
}
"""About how many calls a thread makes in the script of sixty orders."""
CHAIN = "journal/trading/00000000000000000001.chain"
FEW = 5
LONGEST_S = 20.0


def cases() -> list:
    pairs = [(call, n) for call, most in CALLS.items() for n in range(1, most + 1)]
    return [pytest.param(call, n, id=f"{call}-{n}") for call, n in spread(pairs, kills(FEW))]


@pytest.fixture
def sim(tmp_path):
    require_strace()
    account = AccountSettings(vip=3)
    found = Sim(
        tmp_path / "sim",
        is_forked=True,
        limits="off",
        speed=10.0,
        push_periods="none",
        accounts=(account,),
    )
    yield found
    found.stop()


@pytest.fixture
def engine(tmp_path, sim):
    found = EngineProcess(tmp_path / "engine", sim, scripted_settings(rounds=7), is_forked=True)
    yield found
    if found.is_running:
        found.kill()


@pytest.mark.parametrize(("call", "n"), cases())
def test_killed_at_a_system_call_nothing_is_lost(tmp_path, sim, engine, call, n):
    trace = tmp_path / "trace"
    engine.start(under=traced(call, f"signal=SIGKILL:when={n}", trace))
    try:
        wait_for("the kill", lambda: engine.process.poll() is not None, LONGEST_S)
    except AssertionError:
        engine.kill()  # there are not so many calls of this kind: then die anywhere
    start_and_wait(engine)
    wait_for_core("the end of the script", engine, is_through)
    settle_and_judge(engine, sim)


@pytest.mark.parametrize(
    ("call", "error", "when", "place"),
    [
        pytest.param("fdatasync", "EIO", "20+", None, id="force"),
        pytest.param("write", "ENOSPC", "20+", CHAIN, id="chain"),
        pytest.param("rename", "EIO", "2", None, id="rotation"),  # the first one is the epoch's
    ],
)
def test_a_failed_write_ends_the_session_and_the_next_one_knows_all(
    tmp_path, sim, engine, call, error, when, place
):
    trace = tmp_path / "trace"
    only = None if place is None else engine.directory / place
    engine.start(under=traced(call, f"error={error}:when={when}", trace, only=only))
    wait_for("the end", lambda: engine.process.poll() is not None)
    assert was_injected(trace)
    text = engine.log.read_text()
    assert engine.process.wait(1) == 7, text
    assert "Traceback" not in text
    assert "takes no more records after" in text
    start_and_wait(engine)
    wait_for_core("the end of the script", engine, is_through)
    settle_and_judge(engine, sim)


@pytest.mark.parametrize(
    ("call", "what", "words"),
    [
        ("fallocate", "error=ENOSPC:when=1", "No space left on device"),
        ("fdatasync", "error=EIO:when=1", "Input/output error"),
        ("fsync", "error=EIO:when=1", "cannot store epoch"),
        ("rename", "error=EIO:when=1", "cannot store epoch"),
    ],
)
def test_a_disk_that_refuses_at_the_start_is_a_refusal_in_words(
    tmp_path, sim, engine, call, what, words
):
    engine.start(under=traced(call, what, tmp_path / "trace"))
    assert engine.process.wait(PATIENCE_S) == 7, engine.log.read_text()
    text = engine.log.read_text()
    assert "Traceback" not in text
    assert text.splitlines()[-1].startswith("error: ")
    assert words in text.splitlines()[-1]
    start_and_wait(engine)


def test_a_snapshot_that_cannot_be_written_is_told_and_costs_nothing(tmp_path, sim, engine):
    only = engine.journal_dir / "snapshots"
    engine.start(under=traced("fsync", "error=ENOSPC", tmp_path / "trace", only=only))
    wait_until_ready(engine)
    assert engine.stop() == 143, engine.log.read_text()
    assert engine.has_told("venue trouble", code="snapshot")
    start_and_wait(engine)
    settle_and_judge(engine, sim)


def test_a_market_log_that_cannot_be_forced_is_told_in_words_and_stops_nobody(
    tmp_path, sim, engine
):
    """It is forced for the first time soon after the start, or by the stop."""
    only = engine.journal_dir / "market"
    engine.start(under=traced("fsync", "error=EIO", tmp_path / "trace", only=only))
    wait_until_ready(engine)
    assert engine.stop() == 143, engine.log.read_text()
    assert engine.has_told("venue trouble", code="disk")
    text = engine.log.read_text()
    assert "records are left out" in text
    assert "Traceback" not in text
    start_and_wait(engine)
    settle_and_judge(engine, sim)
