"""The demo itself: start, watch, kill where asked, stop, report."""

import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

from plimsoll.cli.books import holder_of
from plimsoll.cli.demo.children import Child, Supervisor, await_file
from plimsoll.cli.demo.project import SIM_DIR, instruments_of, make
from plimsoll.cli.demo.report import outcome
from plimsoll.cli.demo.screen import Show, open_screen
from plimsoll.cli.exits import Exit
from plimsoll.cli.failure import Failure
from plimsoll.cli.giving import SOCKET
from plimsoll.cli.output import print_json
from plimsoll.config.layout import Layout
from plimsoll.config.project import load_project
from plimsoll.core.strategy.random_stream import RandomStream
from plimsoll.engine.replica import Replica
from plimsoll.journal import TRADING
from plimsoll.lease import read_epoch

_START_S: Final = 20.0
_SETTLE_S: Final = 20.0
_STOP_ENGINE_S: Final = 20.0
_STOP_AUDITOR_S: Final = 10.0
_STOP_SIM_S: Final = 10.0
_TICK_S: Final = 0.05


def demo(
    *,
    duration: float,
    headless: bool,
    json: bool,
    kill: int,
    market: str,
    data: str,
    instruments: str,
    speed: float,
    seed: int,
    dir: str,
) -> Exit:
    """Run the demo and print its report.

    Raises:
        Failure: an option does not do, or a process could not be started.
    """
    if kill and not duration:
        raise Failure(
            Exit.USAGE, "usage", "--kill needs --duration", "plimsoll demo --kill 10 --duration 30"
        )
    if speed <= 0:
        raise Failure(Exit.USAGE, "usage", f"--speed {speed:g}: expected a number above 0")
    if data and not Path(data).is_file():
        raise Failure(Exit.CONFIGURATION, "no-data", f"--data {data}: there is no such file")
    names = instruments_of(instruments)
    root = _root(dir)
    make(root, names)
    sim_words = ["sim", "--dir", str(root / SIM_DIR), "--market", market, "--seed", str(seed)]
    sim_words += ["--speed", str(speed), "--instrument", names.cross]
    sim_words += ["--data", str(Path(data).absolute())] if data else []
    sim = Child(sim_words, root / "var/sim.log")
    supervisor = Supervisor(Child(["run", "--project", str(root)], root / "var/engine.log"))
    guard = Child(["watchdog", "--project", str(root)], root / "var/watchdog.log")
    auditor = Supervisor(Child(["auditor", "--project", str(root)], root / "var/auditor.log"))
    with _signals() as caught:
        print(f"project {root}", file=sys.stderr, flush=True)
        try:
            _start(sim, root)
            screen = open_screen(root, supervisor, headless=headless or json)
            kills = _instants(seed, kill, duration)
            logs = load_project(root, environ={}).journal_dir / TRADING
            beside = _Beside(sim, guard, Layout.of(root).run_dir / SOCKET, auditor, logs)
            seconds = _trade(supervisor, beside, screen, caught, duration, kills)
            print("stopping: the engine ends its orders first", file=sys.stderr, flush=True)
            _settle(supervisor, sim, root)
        finally:
            is_graceful = supervisor.child.stop(_STOP_ENGINE_S)
            guard.stop(_STOP_SIM_S)  # after the engine: it hears of the clean end
            auditor.child.stop(_STOP_AUDITOR_S)  # after the engine: it reads to the end first
            sim.stop(_STOP_SIM_S)
    return _report(root, supervisor, seconds, caught, as_json=json, is_graceful=is_graceful)


def _root(directory: str) -> Path:
    stamp = datetime.fromtimestamp(_wall_s(), UTC).strftime("%Y%m%dT%H%M%SZ")
    parent = Path(directory or tempfile.gettempdir()).absolute()
    name = f"plimsoll-demo-{stamp}"
    root, count = parent / name, 1
    while root.exists():  # two within a second
        count += 1
        root = parent / f"{name}-{count}"
    return root


def _wall_s() -> float:
    return time.time()  # noqa: TID251 - names a directory


def _instants(seed: int, kills: int, duration: float) -> list[float]:
    """Return seconds at which to kill: one at random in each of equal parts of the duration."""
    stream = RandomStream(seed)
    part = duration / kills if kills else 0.0
    return [(number + 0.1 + 0.8 * stream.random()) * part for number in range(kills)]


def _start(sim: Child, root: Path) -> None:
    sim.start()
    if await_file(root / SIM_DIR / "sim.json", sim, _START_S):
        return
    code = sim.exit_code
    sim.kill()
    told = (Exit.USAGE, Exit.CONFIGURATION, Exit.UNREACHABLE)
    raise Failure(
        next((exit_code for exit_code in told if exit_code == code), Exit.TIMED_OUT),
        "simulator",
        f"the simulator did not start: {sim.last_words() or 'it said nothing'}",
        f"its output is in {sim.log}",
    )


def _trade(
    supervisor: Supervisor,
    beside: "_Beside",
    screen: Show,
    caught: list[int],
    duration: float,
    kills: list[float],
) -> float:
    """Keep engine and auditor running until the time is over or a signal comes; return seconds."""
    start = time.monotonic()
    with screen:
        while not caught:
            now = time.monotonic()
            elapsed = now - start
            if duration and elapsed >= duration:
                break
            supervisor.tick(now)
            if kills and elapsed >= kills[0] and supervisor.kill_now(now):
                kills.pop(0)
            _check(supervisor, beside.sim)
            beside.tick(now)
            screen.show(elapsed)
            time.sleep(_TICK_S)
    return time.monotonic() - start


class _Beside(NamedTuple):
    """What runs beside the engine: the exchange before it, the others once it is up."""

    sim: Child
    guard: Child
    engine_socket: Path
    auditor: Supervisor
    logs: Path

    def tick(self, now: float) -> None:
        """Start the watchdog when the engine first listens, and keep the auditor running.

        Until then the engine has the processors for itself.
        """
        if not self.guard.starts and self.engine_socket.exists():
            self.guard.start()
        if self.logs.is_dir():
            self.auditor.tick(now)


def _settle(supervisor: Supervisor, sim: Child, root: Path) -> None:
    """Wait until an engine runs that has compared its books, however the last one ended."""
    project = load_project(root, environ={})
    epoch_file = project.lease_dir / f"{project.settings.account.name}.epoch"
    replica = Replica(project.journal_dir)
    deadline = time.monotonic() + _SETTLE_S
    try:
        while time.monotonic() < deadline:
            supervisor.tick(time.monotonic())
            _check(supervisor, sim)
            replica.poll()
            core = replica.core
            # The session in the log must be that of the process that holds the lease now.
            holder = holder_of(project.books)
            is_newest = holder is not None and holder.pid == supervisor.child.pid
            is_newest = is_newest and core.epoch == read_epoch(epoch_file)
            if is_newest and core.safety.is_reconciled:
                return
            time.sleep(_TICK_S)
    finally:
        replica.close()


def _check(supervisor: Supervisor, sim: Child) -> None:
    if supervisor.refusal is not None:
        child = supervisor.child
        raise Failure(
            Exit(supervisor.refusal),
            "engine",
            f"the engine refused to start: {child.last_words()}",
            f"its output is in {child.log}",
        )
    if not sim.is_alive:
        raise Failure(
            Exit.UNREACHABLE,
            "simulator",
            f"the simulator ended (exit code {sim.exit_code}): {sim.last_words()}",
            f"its output is in {sim.log}",
        )


def _report(
    root: Path,
    supervisor: Supervisor,
    seconds: float,
    caught: list[int],
    *,
    as_json: bool,
    is_graceful: bool,
) -> Exit:
    found = outcome(load_project(root, environ={}), supervisor, seconds)
    if as_json:
        print_json(found.fields | {"graceful_stop": is_graceful})
    else:
        print(f"\n{found.page}\n\nproject kept in {root}")
        print(f"look at it: plimsoll status --project {root}")
    if found.has_findings:
        return Exit.FINDINGS
    if caught:
        return Exit.INTERRUPTED if caught[0] == signal.SIGINT else Exit.TERMINATED
    return Exit.DONE


@contextmanager
def _signals() -> Iterator[list[int]]:
    """Collect SIGINT and SIGTERM instead of dying; a third one kills this process at once."""
    caught: list[int] = []

    def note(number: int, _frame: object) -> None:
        caught.append(number)
        if len(caught) > 2:
            os._exit(128 + number)

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield caught
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
