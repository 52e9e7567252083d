"""Real processes for tests: a simulator and an engine that can be killed and started again."""

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from tests.simulation.judge import read_record
from tests.simulation.killing import Kill
from tests.simulation.launcher import Forked, Work

from plimsoll.core.model import Mode
from plimsoll.core.risk.breakers import BREAKERS
from plimsoll.core.settings import BreakerSettings, CoreSettings, Limits, StrategySettings, Timing
from plimsoll.simulator import SimSettings

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
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
    recv_window_ms=1_000,
    absence_margin_ms=500,
    absence_gap_ns=100_000_000,
    sweep_ns=2_000_000_000,
    overlap_ms=60_000,
)

MARKER_LOTS = 7
"""Of the order that shows that a script is at its end."""
HASTY = msgspec.structs.replace(
    QUICK,
    answer_ns=300_000_000,
    recv_window_ms=800,
    absence_margin_ms=200,
    absence_gap_ns=50_000_000,
)
"""Shorter still: for sessions that shall know every fate soon."""


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


def scripted_settings(*, rounds: int = 1) -> CoreSettings:
    """Return a core that follows the script as often as asked, and leaves a mark at its end."""
    found = busy_settings(timing=HASTY)
    one = msgspec.structs.replace(
        found.strategies[0],
        name="scripted",
        source=f"{HERE / 'scripted.py'}:Scripted",
        params={"qty": 0.05, "rounds": rounds, "marker": MARKER_LOTS / 100},
    )
    return msgspec.structs.replace(found, strategies=(one,), venue_orders_per_second=60)


PATIENCE_S = 60.0
"""For what takes a second or two on an idle machine: a deadline is a failure, not a measure."""


def wait_for(what: str, holds, deadline_s: float = PATIENCE_S) -> None:
    """Wait until ``holds()`` is true."""
    end = time.monotonic() + deadline_s
    while not holds():
        assert time.monotonic() < end, f"waited {deadline_s} s for {what}"
        time.sleep(0.005)


class Sim:
    """A simulator process."""

    def __init__(self, directory: Path, *, is_forked: bool = False, **settings: Any) -> None:
        """Start it and wait until it listens; ``is_forked`` by a launcher, which is quicker."""
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self.file = directory / "sim.json"
        log = directory / "sim.log"
        wanted = msgspec.json.encode(SimSettings(directory=str(directory), **settings)).decode()
        self.process: subprocess.Popen[bytes] | Forked
        if is_forked:
            self.process = Forked(Work("exchange", wanted, str(log)))
        else:
            code = (
                "import msgspec, sys; from plimsoll.simulator import SimSettings, serve;"
                f"sys.exit(serve(msgspec.json.decode({wanted!r}, type=SimSettings)))"
            )
            self.process = _started([sys.executable, "-c", code], log)
        wait_for("the simulator to listen", self.file.exists)
        self._lines: list[dict[str, Any]] = []

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(json.loads(self.file.read_text())["port"])

    def record(self) -> list[dict[str, Any]]:
        """Return its record: while it runs, everything that has happened up to now.

        It is asked for what is new, since its file may be a moment behind what others were told.
        """
        if self.process.poll() is None:
            self._lines += self._new_lines()
            return list(self._lines)
        return read_record(self.directory / "record.jsonl")

    def _new_lines(self) -> list[dict[str, Any]]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        try:
            connection.request("GET", f"/sim/record?from={len(self._lines) + 1}")
            answer = connection.getresponse()
            assert answer.status == 200, answer.reason
            return [json.loads(line) for line in answer.read().splitlines()]
        finally:
            connection.close()

    def stop(self) -> None:
        """Stop it; its record is complete afterwards."""
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(PATIENCE_S)


class EngineProcess:
    """An engine process that can be started again and again on the same journal."""

    def __init__(
        self,
        directory: Path,
        sim: Sim,
        core: CoreSettings,
        *,
        is_forked: bool = False,
        **job: object,
    ) -> None:
        """Prepare; ``start`` starts it.

        Args:
            directory: Everything of this engine.
            sim: Where it trades.
            core: What it does.
            is_forked: Start it by a launcher, which is quicker.
            job: More fields of ``engine_child.Job``.
        """
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self.journal_dir = directory / "journal"
        self.job = directory / "job.json"
        self.job.write_bytes(
            msgspec.json.encode(
                {"core": core, "directory": str(directory), "sim": str(sim.file), **job}
            )
        )
        self.log = directory / "engine.log"
        self._is_forked = is_forked
        self._process: subprocess.Popen[bytes] | Forked | None = None

    @property
    def process(self) -> "subprocess.Popen[bytes] | Forked":
        """The newest process."""
        assert self._process is not None, "not started"
        return self._process

    @property
    def is_running(self) -> bool:
        """Whether one was started and lives."""
        return self._process is not None and self._process.poll() is None

    def start(
        self,
        *,
        kill: Kill | None = None,
        under: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
    ) -> None:
        """Start it.

        Args:
            kill: Where it shall kill itself.
            under: Words of a command that runs it, such as ``strace`` and its options.
            env: Variables besides the usual ones.
        """
        job = json.loads(self.job.read_bytes())
        if job.get("kill") != msgspec.to_builtins(kill):
            self.job.write_bytes(msgspec.json.encode(job | {"kill": kill}))
        if self._is_forked and not under and not env:
            self._process = Forked(Work("engine", str(self.job), str(self.log)))
            return
        words = [*under, sys.executable, "-m", "tests.simulation.engine_child", str(self.job)]
        self._process = _started(words, self.log, env)

    def kill(self) -> None:
        """Kill it where it stands."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(PATIENCE_S)

    def stop(self) -> int:
        """Stop it gracefully; return its exit code."""
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(PATIENCE_S)

    def events(self) -> list[dict]:
        """Return the log lines so far; one that is being written is left out."""
        if not self.log.exists():
            return []
        lines = self.log.read_text().splitlines(keepends=True)
        return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("\n")]

    def has_told(self, event: str, **fields: object) -> bool:
        """Return whether a log line with these fields came."""
        return any(
            line["event"] == event and fields.items() <= line.items() for line in self.events()
        )


def _started(
    words: Sequence[str], log: Path, env: Mapping[str, str] | None = None
) -> "subprocess.Popen[bytes]":
    with log.open("ab") as out:
        return subprocess.Popen(
            words, stdout=out, stderr=out, cwd=ROOT, env=os.environ | dict(env or {})
        )


def pid_is_gone(pid: int) -> bool:
    """Return whether a process has ended."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False
