"""Real processes for tests: a simulator and an engine that can be killed and started again."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec

from plimsoll.core.model import Mode
from plimsoll.core.risk.breakers import BREAKERS
from plimsoll.core.settings import BreakerSettings, CoreSettings, Limits, StrategySettings, Timing

HERE = Path(__file__).parent
UNIT = 10**8

LIMITS = Limits(
    price_distance_ppm=20_000,
    order_notional=20_000 * UNIT,
    orders_per_second=50,
    orders_per_day=1_000_000,
    open_orders=50,
    position_notional=50_000 * UNIT,
    exposure=100_000 * UNIT,
    daily_loss=50_000 * UNIT,
    drawdown_ppm=500_000,
    leverage_ppm=3_000_000,
)

# Shortened together with the simulator's own bounds: its delays are under a millisecond.
QUICK = Timing(
    answer_ns=500_000_000,
    confirm_ns=500_000_000,
    recv_window_ms=500,
    absence_margin_ms=500,
    absence_gap_ns=100_000_000,
    sweep_ns=2_000_000_000,
    overlap_ms=60_000,
)


BOOKS_ONLY = BreakerSettings(
    off=tuple(set(BREAKERS) - {"unasked_fill", "position_flip", "unknown_epoch"})
)
"""A market at twenty times its speed and a strategy that loses on purpose trip the others; these
must never trip in what we do to ourselves."""


def busy_settings(
    *, timing: Timing = QUICK, instruments=("linear:ETHUSDT",), source="busy.py:Busy"
) -> CoreSettings:
    """Return a core that trades a lot (or as ``source`` does), one live instance an instrument."""
    return CoreSettings(
        account="test",
        tag="test",
        limits=LIMITS,
        timing=timing,
        breakers=BOOKS_ONLY,
        strategies=tuple(
            StrategySettings(
                name=f"busy{index}",
                source=f"{HERE / source}",
                instruments=(name,),
                mode=Mode.LIVE,
                capital=10_000 * UNIT,
                params={"qty": 0.05},
            )
            for index, name in enumerate(instruments)
        ),
    )


def wait_for(what: str, holds, deadline_s: float = 20.0) -> None:
    """Wait until ``holds()`` is true; the deadline is a failure, not a measure."""
    end = time.monotonic() + deadline_s
    while not holds():
        assert time.monotonic() < end, f"waited {deadline_s} s for {what}"
        time.sleep(0.005)


class Sim:
    """A simulator process."""

    def __init__(self, directory: Path, **settings) -> None:
        """Start it and wait until it listens."""
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self.file = directory / "sim.json"
        code = (
            "import sys; from plimsoll.simulator import AccountSettings, SimSettings, serve;"
            f"sys.exit(serve(SimSettings(directory={str(directory)!r}, **{settings!r})))"
        )
        self.out = (directory / "sim.log").open("wb")
        self.process = subprocess.Popen(
            [sys.executable, "-c", code], stdout=self.out, stderr=subprocess.STDOUT
        )
        wait_for("the simulator to listen", self.file.exists)

    def stop(self) -> None:
        """Stop it; its record is complete afterwards."""
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(10)
        self.out.close()


class EngineProcess:
    """An engine process that can be started again and again on the same journal."""

    def __init__(self, directory: Path, sim: Sim, core: CoreSettings) -> None:
        """Prepare; ``start`` starts it."""
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self.journal_dir = directory / "journal"
        self.job = directory / "job.json"
        self.job.write_bytes(
            msgspec.json.encode({"core": core, "directory": str(directory), "sim": str(sim.file)})
        )
        self.log = directory / "engine.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def process(self) -> "subprocess.Popen[bytes]":
        """The newest process."""
        assert self._process is not None, "not started"
        return self._process

    @property
    def is_running(self) -> bool:
        """Whether one was started and lives."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it."""
        with self.log.open("ab") as out:
            self._process = subprocess.Popen(
                [sys.executable, str(HERE / "engine_child.py"), str(self.job)],
                stdout=out,
                stderr=out,
            )

    def kill(self) -> None:
        """Kill it where it stands."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    def stop(self) -> int:
        """Stop it gracefully; return its exit code."""
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(20)

    def events(self) -> list[dict]:
        """Return the log lines so far."""
        if not self.log.exists():
            return []
        return [
            json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")
        ]

    def has_told(self, event: str, **fields: object) -> bool:
        """Return whether a log line with these fields came."""
        return any(
            line["event"] == event and fields.items() <= line.items() for line in self.events()
        )


def pid_is_gone(pid: int) -> bool:
    """Return whether a process has ended."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False
