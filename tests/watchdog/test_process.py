"""The watchdog as a process, beside an engine process, judged by the exchange's own record."""

import signal
import subprocess
import sys

import pytest
from tests.watchdog.guarded import CHILD, PATIENCE_S, Guarded, resting_settings, wait_for

from plimsoll.core.records import Halted, OrderIntended, Woken, decode
from plimsoll.journal import KIND_RECORD, TRADING, scan


@pytest.fixture
def make(tmp_path):
    made = []

    def guarded(core=None, sim=None, **job):
        found = Guarded(tmp_path, core, sim, **job)
        made.append(found)
        return found

    yield guarded
    for one in made:
        one.down()


@pytest.fixture
def guarded(make):
    found = make()
    found.up()
    return found


@pytest.fixture
def patient(make):
    """One whose watchdog waits longer than a start can take on a machine that does much else."""
    found = make(patience_ms=60_000, restart_ms=60_000)
    found.up()
    return found


def records(guarded):
    return [
        decode(entry.payload)
        for entry in scan(guarded.engine.journal_dir, TRADING)
        if entry.kind == KIND_RECORD
    ]


def test_a_killed_engine_leaves_no_order_and_the_next_one_begins_halted(guarded):
    before = guarded.record()[-1]["n"]
    guarded.engine.kill()
    wait_for("an act", lambda: bool(guarded.watchdog.told("cleared")))
    assert guarded.open_orders("test-") == {}
    acts, cleared = guarded.watchdog.told("acts")[0], guarded.watchdog.told("cleared")[0]
    assert "no progress" in acts["reason"]
    assert cleared["cancelled"] >= 3
    assert (guarded.watchdog.directory / "run" / "halt.json").exists()
    guarded.engine.start()
    wait_for("readiness", lambda: guarded.engine.has_told("ready", epoch=2))
    wait_for("the watchdog to stand down", lambda: bool(guarded.watchdog.told("stands down")))
    assert guarded.engine.stop() == 143
    halts = [one for one in records(guarded) if isinstance(one, Halted)]
    assert [one.actor for one in halts] == ["watchdog"]
    acted = max(one["n"] for one in guarded.record() if one["n"] > before)
    assert guarded.created_after(acted) == []


def test_a_frozen_engine_has_no_order_left_and_sends_none_after_waking(guarded):
    guarded.freeze()
    wait_for("an act", lambda: bool(guarded.watchdog.told("cleared")))
    assert guarded.open_orders("test-") == {}
    frozen = guarded.record()[-1]["n"]
    guarded.thaw()
    wait_for("the halt", lambda: any(isinstance(one, Halted) for one in records(guarded)))
    wait_for("the watchdog to stand down", lambda: bool(guarded.watchdog.told("stands down")))
    assert guarded.engine.stop() == 143
    woken = [one for one in records(guarded) if isinstance(one, Woken)]
    assert len(woken) == 1
    assert woken[0].gap_ns > 5_000_000_000
    intents = [one for one in records(guarded) if isinstance(one, OrderIntended)]
    assert [one for one in intents if one.seq > woken[0].seq] == []
    assert guarded.created_after(frozen) == []


def test_a_callback_that_does_not_return_is_noticed(make, tmp_path):
    hang = tmp_path / "hang"
    core = resting_settings()
    core.strategies[0].params["hang"] = str(hang)
    guarded = make(core)
    guarded.up()
    hang.touch()
    wait_for("an act", lambda: bool(guarded.watchdog.told("cleared")))
    assert guarded.open_orders("test-") == {}


def test_a_planned_restart_is_no_reason_to_act(patient):
    for epoch in (2, 3):
        assert patient.engine.stop() == 143
        assert patient.open_orders("test-") == {}
        patient.engine.start()
        wait_for("orders", lambda: len(patient.open_orders("test-")) >= 3)
        assert patient.engine.has_told("ready", epoch=epoch)
    patient.engine.stop()
    wait_for("the end", lambda: patient.watchdog.told("engine")[-1]["life"] == "ended")
    assert patient.watchdog.command("state") == "idle: no engine beats"
    assert patient.watchdog.told("acts") == []


def test_a_crash_that_is_repaired_in_time_is_no_reason_to_act(patient):
    patient.engine.kill()
    patient.engine.start()
    wait_for("the next session", lambda: patient.watchdog.told("engine")[-1]["epoch"] == 2)
    patient.engine.stop()
    assert patient.watchdog.told("acts") == []


def test_it_acts_when_told_to_and_leaves_a_halt(guarded):
    guarded.watchdog.command("act", reason="fire drill")
    wait_for("the halt", lambda: any(isinstance(one, Halted) for one in records(guarded)))
    wait_for("the act's end", lambda: bool(guarded.watchdog.told("stands down")))
    assert guarded.open_orders("test-") == {}
    assert guarded.watchdog.told("acts")[0]["reason"] == "tester: fire drill"


def test_a_watchdog_that_was_killed_goes_on_with_what_it_guarded(guarded):
    guarded.watchdog.kill()
    guarded.engine.kill()
    guarded.watchdog.start()
    wait_for("an act", lambda: bool(guarded.watchdog.told("cleared")))
    assert guarded.open_orders("test-") == {}


def test_it_stops_by_signal_and_a_second_one_is_refused(patient):
    second = subprocess.run(
        [sys.executable, str(CHILD), str(patient.watchdog.job)],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert second.returncode != 0
    assert "another process listens" in second.stderr
    assert patient.watchdog.command("state").startswith("watching epoch 1")
    patient.watchdog.process.send_signal(signal.SIGTERM)
    assert patient.watchdog.process.wait(PATIENCE_S) == 143
    assert patient.watchdog.told("acts") == []


def test_flattening_is_asked_for_reduces_only_and_carries_its_own_tag(make):
    core = resting_settings()
    core.strategies[0].params["holds"] = 0.2
    guarded = make(core, flatten=True, reach="account")
    guarded.up()
    wait_for("a position", lambda: guarded.size("ETHUSDT") > 0)
    guarded.engine.kill()
    wait_for("a flat account", lambda: bool(guarded.watchdog.told("flattened")))
    assert guarded.size("ETHUSDT") == 0
    made = [one for one in guarded.record() if one.get("orderLinkId", "").startswith("testW-")]
    assert made
    assert all(one["reduceOnly"] is True for one in made if one["kind"] == "order")
    guarded.engine.start()
    wait_for("readiness", lambda: guarded.engine.has_told("ready", epoch=2))
    wait_for("its return", lambda: bool(guarded.watchdog.told("stands down")))
    guarded.engine.stop()
    told = [line for line in guarded.engine.events() if line["event"] == "incident"]
    assert not any("tag" in line["text"] for line in told)
