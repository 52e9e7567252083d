"""Strategies changed while a real engine trades on the simulated exchange, and what replays say."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cli.conftest import edit

from plimsoll.cli.exits import Exit
from plimsoll.config.sources import digest_of
from plimsoll.control import Command, send_command
from plimsoll.core.records import RECORD_KIND, Record, StrategyCheckpoint, StrategyReloaded, decode
from plimsoll.engine import Replica
from plimsoll.journal import TRADING, scan
from plimsoll.simulator import SimSettings
from plimsoll.simulator.thread import SimulatorThread

NAME = "linear:BTCUSDT"

FOLLOW = '''"""Hold what is told."""
from typing import Literal
from plimsoll.core.strategy import Signal, Strategy, param, state

class Alert(Signal):
    side: Literal["long", "flat"]

class Follow(Strategy):
    """Version ONE."""

    signal = Alert
    bars = {"1m": 5}
    qty: float = param(0.01, ge=0.001, le=0.1, hot=True)
    cold: int = 1
    heard = state(0)
    older = state("x")

    def on_signal(self, signal):
        self.heard += 1
        self.target("linear:BTCUSDT", qty=self.qty if signal.side == "long" else 0)
'''
TAKES = "def __init__(self, x): ..."
CONFIGURED = """
[[strategy]]
name = "follow"
class = "strategies/follow.py:Follow"
instruments = ["linear:BTCUSDT"]
mode = "paper"
capital = "10_000 USDT"
"""


@pytest.fixture
def exchange(tmp_path) -> Iterator[SimulatorThread]:
    with SimulatorThread(SimSettings(directory=str(tmp_path / "sim"), speed=10.0)) as thread:
        yield thread


@pytest.fixture
def desk(project: Path) -> Path:
    (project / "strategies" / "follow.py").write_text(FOLLOW)
    edit(project, "[breakers]", f"{CONFIGURED}\n[breakers]")
    return project


class Runs:
    """An engine of its own process."""

    def __init__(self, root: Path) -> None:
        words = [sys.executable, "-m", "plimsoll.cli", "run", "--project", str(root)]
        self.log = root / "engine.log"
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(words, stdout=out, stderr=out)
        self.journal = root / "var" / "development" / "journal" / "demo"

    def wait(self, what, holds) -> None:
        end = time.monotonic() + 60
        replica = Replica(self.journal)
        try:
            while True:
                replica.poll()
                if holds(replica.core):
                    return
                assert self.process.poll() is None, self.log.read_text()[-3000:]
                assert time.monotonic() < end, f"{what}\n{self.log.read_text()[-3000:]}"
                time.sleep(0.01)
        finally:
            replica.close()

    def started(self, *names: str, epoch: int) -> "Runs":
        end = time.monotonic() + 60
        while not any((self.journal / TRADING).glob("*.seg")):
            assert time.monotonic() < end, self.log.read_text()
            time.sleep(0.01)
        self.wait("a session", lambda core: core.epoch == epoch)
        since = min(one.seq for one in self.records() if one.epoch == epoch)
        self.wait(
            "its strategies",
            lambda _core: set(names) <= self.checkpointed(since),
        )
        return self

    def checkpointed(self, since: int) -> set[str]:
        found = scan(self.journal, TRADING, since)
        records = (decode(one.payload) for one in found if one.kind == RECORD_KIND)
        return {one.owner for one in records if isinstance(one, StrategyCheckpoint)}

    def records(self, kind: str = "") -> list[Record]:
        found = (decode(one.payload) for one in scan(self.journal, TRADING))
        return [one for one in found if kind in ("", type(one).__name__)]

    def stop(self, number=signal.SIGTERM) -> None:
        self.process.send_signal(number)
        self.process.wait(30)


@pytest.fixture
def running(desk) -> Iterator[Runs]:
    engine = Runs(desk)
    try:
        yield engine.started("ema", "follow", epoch=1)
    finally:
        if engine.process.poll() is None:
            engine.stop(signal.SIGKILL)


def test_a_day_of_changes(plimsoll, desk, running, monkeypatch):
    """One engine, in turn: parameters, signals, code, a death, and the replays of it all."""
    shared = ("--project", desk)
    file = desk / "strategies" / "follow.py"

    def refused(*words, code=Exit.USAGE):
        ran = plimsoll(*words, *shared, "--json")
        assert ran.code == code, (ran.out, ran.err)
        return ran.error["message"] + ran.error.get("hint", "")

    # ---- parameters ----
    assert "did you mean 'qty'?" in refused("strategy", "set", "follow", "qt=1")
    assert "found 0.5" in refused("strategy", "set", "follow", "qty=0.5")
    assert 'found "much"' in refused("strategy", "set", "follow", "qty=much")
    assert "it is read at a start only" in refused("strategy", "set", "follow", "cold=2")
    assert "expected KEY=VALUE" in refused("strategy", "set", "follow", "qty")
    assert "running: ema, quoter" in refused("strategy", "set", "folow", "qty=1")
    assert "nothing would change" in refused(
        "strategy", "set", "follow", "qty=0.01", code=Exit.REFUSED
    )
    ran = plimsoll("strategy", "set", "follow", "qty=0.02", "--reason", "calm", *shared)
    assert ran.code == Exit.DONE, ran.err
    assert "follow: qty is 0.02 at seq" in ran.out
    assert "it was 0.01" in ran.out
    assert "params = { qty = 0.02 }" in ran.out
    ran = plimsoll("strategy", "set", "ema", "fast=3", "slow=9", *shared, "--json")
    assert ran.document["values"] == {"fast": 3, "slow": 9}
    assert ran.document["before"] == {"fast": 2, "slow": 5}
    page = plimsoll("status", *shared).out
    assert "ema: fast is 3; the file says 2\n" in page
    assert "follow: qty is 0.02; the file says nothing of it, it was 0.01\n" in page
    changed = plimsoll("status", *shared, "--json").document["parameters"]
    assert changed["ema"]["slow"] == {"value": 9, "file": 5, "before": 5}
    assert changed["follow"] == {"qty": {"value": 0.02, "file": None, "before": 0.01}}
    assert "fast = 2 (set to 3), slow = 5 (set to 9)" in plimsoll("strategy", "list", *shared).out
    one = plimsoll("strategy", "list", "follow", *shared)
    assert one.out.endswith("\nqty is set to 0.02, by `strategy set`\n")

    # ---- signals ----
    long = '{"side": "long"}'
    assert "takes no signals" in refused("signal", "ema", long, code=Exit.REFUSED)
    assert "Invalid enum value" in refused("signal", "follow", '{"side": "up"}', code=Exit.REFUSED)
    assert "expected a JSON object" in refused("signal", "follow", "up")
    assert "expected a JSON object" in refused("signal", "follow", "[1]")
    assert " s old" in refused("signal", "follow", long, "--at", "1700000000000", code=Exit.REFUSED)
    first = plimsoll("signal", "follow", long, "--id", "a1", *shared, "--json").document
    again = plimsoll("signal", "follow", long, "--id", "a1", *shared, "--json").document
    assert first["seq"] == again["seq"]
    assert "used for another" in refused(
        "signal", "follow", '{"side": "flat"}', "--id", "a1", code=Exit.REFUSED
    )
    running.wait("the paper fill", lambda core: core.ledger.qty_lots("follow", NAME) == 20)
    assert len(running.records("SignalReceived")) == 1
    story = plimsoll("why", "a1", *shared).out
    assert story.startswith("a1: ")
    assert "heard by follow" in story
    assert "follow wants to buy 0.020" in story
    assert "follow now holds 0.020" in story

    # ---- code that will not do never touches what runs ----
    assert "is the code that runs" in refused("strategy", "reload", "follow", code=Exit.REFUSED)
    file.write_text("def (")
    assert "cannot be read as Python" in refused(
        "strategy", "reload", "follow", code=Exit.CONFIGURATION
    )
    file.write_text(FOLLOW.replace("class Follow", "class Other"))
    assert "there is no class Follow" in refused(
        "strategy", "reload", "follow", code=Exit.CONFIGURATION
    )
    file.write_text(FOLLOW + "\nraise SystemExit(3)\n")
    assert "SystemExit" in refused("strategy", "reload", "follow", code=Exit.CONFIGURATION)
    monkeypatch.setattr("plimsoll.cli.strategy.changing._PATIENCE_S", 0.2)
    file.write_text(FOLLOW + "\nwhile True:\n    pass\n")
    assert "its import does not end" in refused(
        "strategy", "reload", "follow", code=Exit.CONFIGURATION
    )
    monkeypatch.undo()
    for name in ("PLIMSOLL_JSON", "PLIMSOLL_PROJECT", "PLIMSOLL_ENV"):
        monkeypatch.delenv(name, raising=False)
    assert _past_the_command(desk, running.journal) == []
    assert running.records("StrategyReloaded") == []

    # ---- code that does ----
    file.write_text(
        FOLLOW.replace("ONE", "TWO")
        .replace('older = state("x")', "newer = state(1.0)")
        .replace("self.heard += 1", "self.heard += 10")
    )
    ran = plimsoll("strategy", "reload", "follow", "--reason", "better", *shared)
    assert ran.code == Exit.DONE, ran.err
    assert "state      heard gone over" in ran.out
    assert "dropped    older" in ran.out
    assert "new        newer" in ran.out
    assert plimsoll("signal", "follow", '{"side": "flat"}', *shared).code == Exit.DONE
    running.wait("the exit", lambda core: core.ledger.qty_lots("follow", NAME) == 0)
    (told,) = running.records("StrategyReloaded")
    assert isinstance(told, StrategyReloaded)
    assert told.before != told.source_hash
    codes = running.journal / "code"
    assert {told.before, told.source_hash} <= {one.stem for one in codes.iterdir()}

    # ---- a death, and a start with yet another file ----
    os.kill(running.process.pid, signal.SIGKILL)
    running.process.wait(30)
    second = Runs(desk)
    try:
        second.started("ema", "follow", epoch=2)
        ran = plimsoll("strategy", "set", "ema", "fast=3", *shared, "--json")
        assert "nothing would change" in ran.error["message"], "what was set outlasts a death"
        again = plimsoll("signal", "follow", long, "--id", "a1", *shared, "--json").document
        assert again["seq"] == first["seq"], "a signal counts once, also over a death"
    finally:
        second.stop()
    edit(desk, "params = { fast = 2, slow = 5,", "params = { fast = 4, slow = 5,")
    listed = plimsoll("strategy", "list", "ema", *shared, "--json").document
    assert listed["changed"].keys() == {"slow"}, "who edits the file has the last word"
    file.write_text(FOLLOW.replace("ONE", "THREE").replace("self.qty if", "2 * self.qty if"))
    for epoch in (1, 2):
        ran = plimsoll("replay", epoch, *shared)
        assert ran.code == Exit.DONE, ran.out + ran.err

    # ---- what the third version would have done ----
    ran = plimsoll(
        "replay", 1, "--with", "strategies/follow.py:Follow", "--params", "qty=0.01", *shared,
        "--json",
    )  # fmt: skip
    assert ran.code == Exit.DONE, ran.err
    found = ran.document["what_if"]
    done, again, changed = (found[name] for name in ("done", "again", "changed"))
    assert (done["orders"], done["fills"] > 0) == (2, True)
    assert again["orders"] == done["orders"], "the same code on paper is what was done on paper"
    assert again["positions"] == done["positions"] == {}
    assert changed["orders"] == 2
    assert found["first_difference"] is None, "twice the half is the same"
    words = ("--with", "strategies/follow.py:Follow", "--params", "qty=0.03")
    ran = plimsoll("replay", 1, *words, *shared)
    assert "first difference to what was done, after 0 equal requests" in ran.out
    assert "done      buy 0.020 linear:BTCUSDT" in ran.out
    assert "changed   buy 0.060 linear:BTCUSDT" in ran.out
    assert "`strategy reload` of the session is not done again" in ran.out
    live = plimsoll("replay", 1, "--with", "strategies/ema_cross.py:EmaCross", "--strategy", "ema",
        "--params", "notional=300.0", *shared, "--json")  # fmt: skip
    found = live.document["what_if"]
    assert found["mode"] == "live"
    assert "in whose place?" in refused("replay", 1, "--with", "strategies/ema_cross.py:EmaCross")
    assert "no instance 'x'" in refused("replay", 1, *words, "--strategy", "x")
    assert "belong to --with" in refused("replay", 1, "--strategy", "x")
    assert "expected FILE.py:Class" in refused("replay", 1, "--with", "x", "--strategy", "ema")
    broken = ("--with", "strategies/none.py:X", "--strategy", "ema")
    assert "no such file" in refused("replay", 1, *broken, code=Exit.CONFIGURATION)

    # ---- one that asks wrongly is told, one that does not return is named ----
    wrong = "from plimsoll.core.strategy import Strategy\n\nclass Follow(Strategy):\n"
    wrong += "    def on_start(self):\n        self.target('linear:XUSDT', qty=1)\n"
    (desk / "strategies" / "wrong.py").write_text(wrong)
    ran = plimsoll("replay", 1, "--with", "strategies/wrong.py:Follow", *shared)
    assert "target linear:XUSDT refused at once, 1 x: unknown_instrument" in ran.out
    endless = "from plimsoll.core.strategy import Strategy\n\nclass Follow(Strategy):\n"
    endless += "    def on_start(self):\n        while True:\n            pass\n"
    (desk / "strategies" / "endless.py").write_text(endless)
    words = ("--with", "strategies/endless.py:Follow", "--callback-limit", "0.2")
    ran = plimsoll("replay", 1, *words, *shared)
    assert ran.code == Exit.TIMED_OUT
    assert "follow: on_start did not return" in ran.err
    assert "endless.py:" in ran.err

    # ---- code that is gone is said, and nothing is claimed ----
    (codes / f"{told.source_hash}.py").unlink()
    ran = plimsoll("replay", 1, *shared)
    assert ran.code == Exit.FINDINGS
    assert "cannot be proved from seq" in ran.out
    assert told.source_hash[:12] in ran.out


def _past_the_command(desk: Path, journal: Path) -> list[str]:
    """Give the engine code the command never looked at; return what it did not refuse."""
    file, wrong = desk / "strategies" / "follow.py", []
    for number, (text, words) in enumerate([
        ("def (", "cannot be imported (line 1)"),
        (FOLLOW.replace("class Follow", "class Other"), "there is no class Follow"),
        (FOLLOW + "raise SystemExit(3)", "SystemExit"),
        (FOLLOW.replace("def on_signal", f"{TAKES}\n    def on_signal"), "__init__"),
    ]):  # fmt: skip
        file.write_text(text)
        for sha, why in ((digest_of(file), words), ("0" * 64, "changed since it was looked at")):
            args: dict[str, object] = {"strategy": "follow", "sha256": sha}
            name = f"direct-{number}-{sha[:4]}"
            command = Command(id=name, actor="t", cmd="strategy-reload", args=args)
            answer = send_command(journal.parents[1] / "run" / "engine.sock", command)
            if answer.accepted or why not in answer.reason:
                wrong.append(f"{name}: {answer}")
    return wrong
