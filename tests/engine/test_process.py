"""The engine process seen from outside: what it refuses, how it stops, what it obeys."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import uuid

import pytest
from tests.simulation.live import PATIENCE_S, EngineProcess, Sim, busy_settings, wait_for

from plimsoll.control import Command, ControlUnreachable, send_command
from plimsoll.core.records import (
    Halted,
    LimitsChanged,
    OrderIntended,
    OrderSent,
    Rearmed,
    StageChanged,
    decode,
)
from plimsoll.engine import Replica
from plimsoll.engine.authority import hashed
from plimsoll.journal import KIND_RECORD, TRADING, scan
from plimsoll.track import read


@pytest.fixture
def sim(tmp_path):
    found = Sim(tmp_path / "sim", limits="off", speed=20.0)
    yield found
    found.stop()


@pytest.fixture
def engine(tmp_path, sim):
    found = EngineProcess(tmp_path / "engine", sim, busy_settings())
    yield found
    if found.is_running:
        found.kill()


def records(engine):
    return [
        decode(entry.payload)
        for entry in scan(engine.journal_dir, TRADING)
        if entry.kind == KIND_RECORD
    ]


def command(engine, cmd, proof=None, **args):
    return send_command(
        engine.directory / "run" / "engine.sock",
        Command(id=uuid.uuid4().hex, actor="tester", cmd=cmd, args=args, proof=proof),
    )


def is_trading(engine):
    return any(isinstance(record, OrderSent) for record in records(engine))


def test_halt_stops_new_risk_at_once_and_only_a_person_rearms(engine, sim):
    engine.start()
    wait_for("orders", lambda: is_trading(engine))
    answer = command(engine, "halt", reason="test")
    assert answer.accepted, answer.reason
    halted = [r for r in records(engine) if isinstance(r, Halted)]
    assert [r.reason for r in halted] == ["test"]
    assert engine.stop() == 143
    after = [
        r
        for r in records(engine)
        if isinstance(r, OrderIntended) and not r.reduce_only and r.seq > halted[0].seq
    ]
    assert after == []

    engine.start()  # a halt survives the restart
    wait_for("readiness", lambda: engine.has_told("ready", pid=engine.process.pid))
    wait_for("a denial", lambda: any(r.code == "halted" for r in denials(engine)))
    before = len(records(engine))
    assert command(engine, "resume", reason="checked").accepted
    wait_for(
        "new orders", lambda: any(isinstance(r, OrderIntended) for r in records(engine)[before:])
    )
    assert any(isinstance(r, Rearmed) and r.actor == "tester" for r in records(engine))
    engine.stop()


def denials(engine):
    replica = Replica(engine.journal_dir)
    replica.poll()
    replica.close()
    return list(replica.core.state.denials)


def test_a_halt_asked_for_while_no_engine_ran_comes_first(engine, sim):
    run = engine.directory / "run"
    run.mkdir(parents=True)
    (run / "halt.json").write_text(json.dumps({"actor": "night shift", "reason": "fire"}))
    engine.start()
    wait_for("readiness", lambda: engine.has_told("ready"))
    wait_for("a denial", lambda: bool(denials(engine)))
    assert not (run / "halt.json").exists()
    engine.stop()
    found = records(engine)
    assert not any(isinstance(r, OrderIntended) for r in found)
    assert [r.actor for r in found if isinstance(r, Halted)] == ["night shift"]


def test_a_second_engine_on_the_same_account_is_refused(engine, sim, tmp_path):
    engine.start()
    wait_for("readiness", lambda: engine.has_told("ready"))
    second = EngineProcess(engine.directory, sim, busy_settings())
    second.log = tmp_path / "second.log"
    second.start()
    assert second.process.wait(PATIENCE_S) == 7
    assert "one engine per account" in second.log.read_text()
    assert engine.stop() == 143


def test_unknown_commands_and_other_sessions_are_refused_with_words(engine, sim):
    engine.start()
    wait_for("readiness", lambda: engine.has_told("ready"))
    path = engine.directory / "run" / "engine.sock"
    unknown = send_command(path, Command(id="1", actor="t", cmd="flatter"))
    assert not unknown.accepted
    assert "halt, resume" in unknown.reason
    other = send_command(path, Command(id="2", actor="t", cmd="halt", epoch=99))
    assert not other.accepted
    assert "session" in other.reason
    assert engine.stop() == 143


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        ({"instruments": ("linear:NOSUCH",)}, 3, "NOSUCH"),
        ({"key": "wrong"}, 5, "key"),
        ({"port": 1}, 6, "127.0.0.1:1"),
    ],
)
def test_what_stands_against_a_start_has_a_message_and_an_exit_code(
    tmp_path, sim, change, code, words
):
    settings = busy_settings(instruments=change.get("instruments", ("linear:ETHUSDT",)))
    engine = EngineProcess(tmp_path / "engine", sim, settings)
    job = json.loads(engine.job.read_text())
    if "port" in change:
        dead = tmp_path / "dead.json"
        dead.write_text(json.dumps({"port": change["port"]}))
        job["sim"] = str(dead)
    if "key" in change:
        job["key"] = change["key"]
    engine.job.write_text(json.dumps(job))
    engine.start()
    assert engine.process.wait(PATIENCE_S) == code, engine.log.read_text()
    text = engine.log.read_text()
    assert words in text
    assert "Traceback" not in text
    assert text.splitlines()[-1].startswith("error: ")


def test_the_trading_process_is_small():
    code = (
        "import sys, plimsoll.engine; print('\\n'.join({n.partition('.')[0] for n in sys.modules}))"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    forbidden = {"fastapi", "uvicorn", "pandas", "sqlalchemy", "rich", "typer", "numpy", "pydantic"}
    assert not forbidden & set(found)
    own = {"plimsoll", *sys.stdlib_module_names}
    third = {name for name in found if name not in own and not name.startswith("_")}
    assert len(third) <= 15, sorted(third)


def test_a_stopped_engine_leaves_a_snapshot_that_equals_the_log(engine, sim):
    engine.start()
    wait_for("orders", lambda: is_trading(engine))
    engine.process.send_signal(signal.SIGTERM)
    assert engine.process.wait(PATIENCE_S) == 143
    from plimsoll.core.engine import State, books_hash
    from plimsoll.engine.restoring import restore_state

    with_snapshot, applied, _ = restore_state(engine.journal_dir)
    assert applied == 0
    without = State()
    for record in records(engine):
        without.apply(record)
    assert books_hash(with_snapshot) == books_hash(without)
    assert os.listdir(engine.journal_dir / "snapshots")


def test_a_clock_ten_seconds_off_is_corrected_and_told(tmp_path, sim, engine):
    job = json.loads(engine.job.read_text())
    job["clock_off_s"] = 10
    engine.job.write_text(json.dumps(job))
    engine.start()
    wait_for("orders", lambda: is_trading(engine))
    assert engine.stop() == 143
    told = [line for line in engine.events() if "clock differs" in line["event"]]
    assert told
    assert abs(abs(told[0]["offset_ms"]) - 10_000) < 2_000


def test_it_trades_where_each_send_waits_for_the_disk(sim, engine):
    job = json.loads(engine.job.read_text())
    job["sync"] = "disk"
    engine.job.write_text(json.dumps(job))
    engine.start()
    wait_for("orders", lambda: len([r for r in records(engine) if isinstance(r, OrderSent)]) > 5)
    assert engine.stop() == 143


def test_a_limit_is_lowered_at_once_and_raised_with_the_passphrase_only(engine, sim):
    job = json.loads(engine.job.read_text())
    engine.job.write_text(json.dumps(job | {"passphrase_hash": hashed("correct horse", b"salt")}))
    engine.start()
    wait_for("orders", lambda: is_trading(engine))
    limit = {"scope": "account", "key": "order_notional"}
    was = job["core"]["limits"]["order_notional"]
    assert command(engine, "limits", **limit, value=0, reason="stop it").accepted
    wait_for("a denial", lambda: any(one.code == "order_notional" for one in denials(engine)))
    raised = {**limit, "value": was, "reason": "again"}
    assert "passphrase" in command(engine, "limits", **raised).reason
    assert "is wrong" in command(engine, "limits", proof="correct hors", **raised).reason
    assert "wait" in command(engine, "limits", proof="correct horse", **raised).reason

    def is_raised():
        return command(engine, "limits", proof="correct horse", **raised).accepted

    wait_for("the end of the pause", is_raised)
    changes = [one for one in records(engine) if isinstance(one, LimitsChanged)]
    assert [(one.value, one.before, one.actor) for one in changes] == [
        (0, was, "tester"), (was, 0, "tester"),
    ]  # fmt: skip
    assert command(engine, "limits", **{**raised, "key": "expozure"}).reason
    assert "has not tripped" in command(engine, "reset", breaker="margin", scope="account").reason
    assert engine.stop() == 143
    for path in engine.directory.rglob("*"):
        assert path == engine.job or not path.is_file() or b"correct hors" not in path.read_bytes()


def test_a_configuration_that_raises_a_limit_changes_nothing_until_a_restart(engine, sim):
    job = json.loads(engine.job.read_text())
    was = job["core"]["limits"]["order_notional"]
    job["core"]["limits"]["order_notional"] = 0
    engine.job.write_text(json.dumps(job))
    engine.start()
    wait_for("a denial", lambda: any(one.code == "order_notional" for one in denials(engine)))
    job["core"]["limits"]["order_notional"] = was
    engine.job.write_text(json.dumps(job))
    seen = denials(engine)[-1].seq
    wait_for("another", lambda: denials(engine)[-1].seq > seen)
    assert not is_trading(engine)
    engine.stop()
    engine.start()
    wait_for("orders", lambda: is_trading(engine))
    engine.stop()


def test_a_stage_outlives_kill_and_a_clean_stop(engine, sim):
    name = json.loads(engine.job.read_text())["core"]["strategies"][0]["name"]
    engine.start()
    wait_for("orders", lambda: is_trading(engine))
    stage = {"strategy": name, "stage": "candidate", "evidence": "ab" * 32, "capital": 7}
    assert command(engine, "stage", **stage, reason="earned").accepted
    assert "does not follow candidate" in command(engine, "stage", **stage).reason
    engine.kill()  # the moment it was answered

    def refuses_again():
        with contextlib.suppress(ControlUnreachable):
            return "does not follow candidate" in command(engine, "stage", **stage).reason
        return False

    for _ in range(2):
        engine.start()
        wait_for("its answer", refuses_again)
        assert engine.stop() == 143
    (change,) = [one for one in records(engine) if isinstance(one, StageChanged)]
    assert (change.owner, change.actor, change.reason) == (name, "tester", "earned")
    tracks = read(engine.journal_dir, 1 << 62, lambda *_: None).tracks
    replica = Replica(engine.journal_dir)
    replica.poll()
    replica.close()
    assert tracks.state.seq == replica.core.seq
    assert tracks.state.stages == replica.core.state.stages
    fills = {
        owner: sum(
            held.fills for (one, _), held in replica.core.ledger.positions.items() if one == owner
        )
        for owner in tracks.of
    }
    assert {owner: one.statistics.activity.fills for owner, one in tracks.of.items()} == fills
    assert sum(fills.values()) > 0
