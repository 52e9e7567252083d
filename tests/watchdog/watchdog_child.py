"""Runs one watchdog for the process-level tests: ``watchdog_child.py JOB.json``."""

import json
import sys
from pathlib import Path

import msgspec

from plimsoll.engine.clock import EngineClock
from plimsoll.venues.bybit import BybitSettings
from plimsoll.venues.bybit.settings import Secret, environment
from plimsoll.watchdog import Reach, WatchdogSettings
from plimsoll.watchdog.process import serve


class Job(msgspec.Struct):
    """What the parent asks for."""

    directory: str
    sim: str
    reach: Reach = Reach.OWN
    key: str = "sim-key"
    secret: str = "sim-secret"
    patience_ms: int = 5_000
    restart_ms: int = 15_000
    flatten: bool = False


def settings_of(job: Job) -> WatchdogSettings:
    """Return the watchdog settings of a job."""
    port = msgspec.json.decode(Path(job.sim).read_bytes())["port"]
    hosts = environment("simulator", simulator_port=port)
    root = Path(job.directory)

    def leave_halt(reason: str) -> None:
        text = json.dumps({"actor": "watchdog", "reason": reason})
        (root / "run" / "halt.json").write_text(text)

    return WatchdogSettings(
        account="test",
        tag="test",
        reach=job.reach,
        journal_dir=root / "journal",
        run_dir=root / "run",
        venue=BybitSettings(
            rest_url=hosts.rest_url,
            public_url=hosts.public_url,
            private_url=hosts.private_url,
            trade_url=hosts.trade_url,
            key=job.key,
            secret=Secret(job.secret),
        ),
        leave_halt=leave_halt,
        patience_ns=job.patience_ms * 1_000_000,
        restart_ns=job.restart_ms * 1_000_000,
        flatten=job.flatten,
    )


if __name__ == "__main__":
    job = msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=Job)
    sys.exit(serve(settings_of(job), EngineClock()))
