"""A simulator, an engine and its watchdog as processes, and what the exchange's record says."""

import json
import signal
import subprocess
import sys
import time
import urllib.request
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
from tests.simulation.live import HERE, PATIENCE_S, EngineProcess, Sim, busy_settings, wait_for
from tests.watchdog.watchdog_child import Job

from plimsoll.control import Command, send_command
from plimsoll.core.settings import CoreSettings
from plimsoll.watchdog.diary import events
from plimsoll.watchdog.plan import Reach

CHILD = Path(__file__).parent / "watchdog_child.py"
OPEN = {"New", "PartiallyFilled", "Untriggered", "Created"}


def resting_settings(count: int = 3, **changes: Any) -> CoreSettings:
    """Return a core whose one instance keeps resting orders and replaces what goes."""
    core = busy_settings(source=f"{CHILD.parent / 'resting.py'}:Resting")
    strategy = msgspec.structs.replace(
        core.strategies[0],
        source=f"{CHILD.parent / 'resting.py'}:Resting",
        params={"count": count},
    )
    return msgspec.structs.replace(core, strategies=(strategy,), **changes)


class WatchdogProcess:
    """A watchdog that can be killed and started again on the same log."""

    def __init__(self, directory: Path, sim: Sim, **job: Any) -> None:
        """Prepare; ``start`` starts it."""
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        self.job = directory / "watchdog.json"
        self.job.write_bytes(
            msgspec.json.encode(Job(directory=str(directory), sim=str(sim.file), **job))
        )
        self.log = directory / "watchdog.log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it listens."""
        before = len(self.told("watching"))
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                [sys.executable, str(CHILD), str(self.job)], stdout=out, stderr=out
            )
        wait_for("the watchdog", lambda: len(self.told("watching")) > before)

    def kill(self) -> None:
        """Kill it where it stands."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(PATIENCE_S)

    def stop(self) -> int:
        """Stop it; return its exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(PATIENCE_S)

    def told(self, event: str) -> list[dict[str, Any]]:
        """Return the events of its log of one kind."""
        return [one for one in events(self.directory / "journal") if one["event"] == event]

    def command(self, word: str, **args: object) -> str:
        """Give it a command and return its words."""
        path = self.directory / "run" / "watchdog.sock"
        name = f"{word}-{time.monotonic_ns()}"
        answer = send_command(path, Command(id=name, actor="tester", cmd=word, args=args))
        assert answer.accepted, answer.reason
        return answer.reason


class Guarded:
    """The three of them in one directory."""

    def __init__(
        self,
        root: Path,
        core: CoreSettings | None = None,
        sim: dict[str, Any] | None = None,
        **job: Any,
    ) -> None:
        """Start the simulator; the others are started by the test."""
        wanted: dict[str, Any] = {"limits": "off", "speed": 0.2} | (sim or {})
        self.sim = Sim(root / "sim", **wanted)
        self.engine = EngineProcess(root / "desk", self.sim, core or resting_settings())
        self.watchdog = WatchdogProcess(root / "desk", self.sim, **job)

    def up(self) -> None:
        """Start watchdog and engine, and wait for resting orders of ours."""
        self.watchdog.start()
        self.engine.start()
        wait_for("resting orders", lambda: len(self.open_orders("test-")) >= 3)
        wait_for("a beat", lambda: bool(self.watchdog.told("engine")))

    def down(self) -> None:
        """Stop whatever runs."""
        process = self.engine._process
        if process is not None and process.poll() is None:
            process.send_signal(signal.SIGCONT)
            self.engine.kill()
        if self.watchdog.process is not None and self.watchdog.process.poll() is None:
            self.watchdog.kill()
        self.sim.stop()

    def freeze(self) -> None:
        """Stop the engine where it stands."""
        self.engine.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self.engine.process.send_signal(signal.SIGCONT)

    def fault(self, name: str, **asked: Any) -> None:
        """Start a fault of the simulator."""
        body = json.dumps({"name": name, **asked}).encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.sim.port}/sim/faults",
            body,
            {"Content-Type": "application/json"},
        )
        urllib.request.urlopen(request, timeout=60).close()  # noqa: S310

    # ---- the exchange's own record ----

    def record(self) -> list[dict[str, Any]]:
        """Return everything that has happened at the exchange up to now."""
        return self.sim.record()

    def open_orders(self, prefix: str = "") -> dict[str, dict[str, Any]]:
        """Return the newest line of every order that is open, by the venue's id."""
        last: dict[str, dict[str, Any]] = {}
        for line in self.record():
            if line["kind"] == "order" and line.get("orderLinkId", "").startswith(prefix):
                last[line["orderId"]] = line
        return {key: line for key, line in last.items() if line["orderStatus"] in OPEN}

    def created_after(self, n: int) -> list[dict[str, Any]]:
        """Return the orders that came to live behind line ``n``."""
        return [
            line
            for line in self.record()
            if line["kind"] == "order" and line["orderStatus"] == "Created" and line["n"] > n
        ]

    def size(self, symbol: str) -> Decimal:
        """Return a position by the record."""
        found = Decimal(0)
        for line in self.record():
            if line["kind"] == "position" and line["symbol"] == symbol:
                found = Decimal(line["size"] or "0")
        return found


__all__ = [
    "HERE",
    "PATIENCE_S",
    "Guarded",
    "Reach",
    "WatchdogProcess",
    "resting_settings",
    "wait_for",
]
