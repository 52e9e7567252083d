"""The whole program as its users start it: simulator, engine, strategies, proof."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from plimsoll.cli.exits import Exit

PATIENCE_S = 180


def run_demo(directory: Path, *words: str) -> tuple[int, dict, str]:
    ran = subprocess.run(
        [
            sys.executable,
            "-m",
            "plimsoll.cli",
            "demo",
            "--headless",
            "--json",
            "--dir",
            str(directory),
            *words,
        ],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert ran.stdout.count("\n") == 1, ran.stderr
    return ran.returncode, json.loads(ran.stdout), ran.stderr


def engine_log(found: dict) -> str:
    return (Path(found["project"]) / "var/engine.log").read_text()[-3000:]


def test_a_demo_trades_and_its_books_are_the_exchanges(tmp_path, plimsoll):
    code, found, talk = run_demo(tmp_path, "--duration", "14")
    assert code == Exit.DONE, (found["reconcile"], found["replay"], engine_log(found))
    assert found["orders_sent"] > 0
    assert found["fills"] > 0
    assert found["reconcile"] == {"differences": 0, "list": []}
    assert found["replay"]["identical"] is True
    assert found["replay"]["decisions"] > 0
    assert found["graceful_stop"] is True
    assert found["restarts"] == found["kills"] == 0
    assert set(found["per_strategy"]) == {"ema", "quoter", "ema-paper"}
    assert found["tick_to_order_us"]["n"] > 0
    assert found["feed"]["messages"] > 0
    assert found["auditor"]["finding"] is None
    assert found["auditor"]["states_checked"] > 0
    assert found["project"] in talk

    where = ("--project", found["project"])
    assert plimsoll("status", *where).code == Exit.DONE
    assert plimsoll("status", *where, "--json").document["state"] == "stopped"
    assert "ema" in plimsoll("positions", *where).out
    assert len(plimsoll("orders", *where, "--all", "--json").document["orders"]) > 0
    assert plimsoll("reconcile", *where).code == Exit.DONE
    assert plimsoll("replay", "last", *where).code == Exit.DONE
    assert plimsoll("replay", "99", *where).code == Exit.USAGE
    assert plimsoll("journal", "verify", *where).code == Exit.DONE
    assert plimsoll("journal", "tail", *where, "--type", "end").out.count("\n") == 1
    forge(Path(found["project"]) / "var/sim/record.jsonl")
    ran = plimsoll("reconcile", *where)
    assert ran.code == Exit.FINDINGS
    assert "execution" in ran.out


def forge(record: Path) -> None:
    """Make the exchange say that the first execution had another quantity."""
    lines = record.read_text().splitlines()
    place = next(n for n, line in enumerate(lines) if '"kind":"execution"' in line)
    found = json.loads(lines[place])
    lines[place] = json.dumps(found | {"execQty": "9"})
    record.write_text("\n".join(lines) + "\n")


def test_a_demo_whose_engine_is_killed_loses_nothing(tmp_path):
    code, found, _ = run_demo(tmp_path, "--duration", "18", "--kill", "2", "--seed", "5")
    assert code == Exit.DONE, (found["reconcile"], found["replay"], engine_log(found))
    assert found["kills"] == 2
    assert found["restarts"] == 2
    assert found["orders_sent"] > 0
    assert found["reconcile"]["differences"] == 0
    epochs = [session["epoch"] for session in found["replay"]["sessions"]]
    assert epochs == sorted(epochs)
    # A kill before the lease is in the log leaves no session; on a busy machine that happens.
    assert epochs[-1] <= 3 <= len(epochs) + found["kills"]
    assert all(session["identical"] for session in found["replay"]["sessions"])
    assert found["auditor"]["finding"] is None
    assert found["auditor"]["books_checked"] >= 1


def test_an_interrupted_demo_stops_gracefully_and_reports(tmp_path):
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "plimsoll.cli",
            "demo",
            "--headless",
            "--json",
            "--dir",
            str(tmp_path),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        assert process.stderr.readline().startswith("project ")
        os.kill(process.pid, signal.SIGINT)
        out, _ = process.communicate(timeout=PATIENCE_S)
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(PATIENCE_S)
    assert process.returncode == Exit.INTERRUPTED
    assert json.loads(out)["reconcile"]["differences"] == 0


def test_a_killed_demo_leaves_no_process_behind(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-m", "plimsoll.cli", "demo", "--headless", "--dir", str(tmp_path)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        # exchange, engine, watchdog and auditor
        assert eventually(lambda: len(children_of(process.pid)) == 4)
        started = children_of(process.pid)
    finally:
        process.kill()
        process.wait(PATIENCE_S)
    assert eventually(lambda: not any(is_running(pid) for pid in started))


def eventually(is_so) -> bool:
    deadline = time.monotonic() + PATIENCE_S
    while not is_so():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def children_of(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def is_running(pid: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["--kill", "3"], Exit.USAGE, "--kill needs --duration"),
        (["--duration", "nan"], Exit.USAGE, "expected a number from 0, found 'nan'"),
        (["--duration", "-3"], Exit.USAGE, "expected a number from 0"),
        (["--kill", "-1", "--duration", "3"], Exit.USAGE, "expected a whole number from 0"),
        (["--speed", "0"], Exit.USAGE, "expected a number above 0"),
        (["--instruments", "linear:BTCUSDT"], Exit.USAGE, "three different"),
        (["--data", "none.csv"], Exit.CONFIGURATION, "none.csv"),
    ],
)
def test_a_demo_that_cannot_start_says_why(plimsoll, tmp_path, words, code, message):
    ran = plimsoll("demo", "--dir", tmp_path, "--headless", *words)
    assert ran.code == code
    assert message in ran.err
    assert list(tmp_path.iterdir()) == []
