"""Runs one engine for the process-level tests: ``python -m tests.simulation.engine_child JOB``."""

import importlib.util
import sys
import time
from pathlib import Path
from typing import Literal

import msgspec
from tests.simulation.killing import Kill, arm

from plimsoll.core.settings import CoreSettings, StrategySettings
from plimsoll.core.strategy import Strategy
from plimsoll.engine.process import serve
from plimsoll.engine.refusing import Refused
from plimsoll.engine.settings import EngineSettings
from plimsoll.venues.bybit import BybitSettings
from plimsoll.venues.bybit.settings import Secret, environment


class Job(msgspec.Struct):
    """What the parent asks for."""

    core: CoreSettings
    directory: str
    sim: str
    key: str = "sim-key"
    clock_off_s: int = 0
    sync: Literal["kernel", "disk"] = "kernel"
    passphrase_hash: str = ""
    venue: dict[str, float] = {}
    """Times of the venue's settings that are not the usual ones."""
    kill: Kill | None = None


def load(settings: StrategySettings) -> Strategy:
    """Load a strategy from a file of this repository."""
    path, _, name = settings.source.partition(":")
    spec = importlib.util.spec_from_file_location(Path(path).stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    strategy: Strategy = getattr(module, name)()
    for key, value in settings.params.items():
        setattr(strategy, key, value)
    return strategy


def settings_of(job: Job) -> EngineSettings:
    """Return the engine settings of a job."""
    port = msgspec.json.decode(Path(job.sim).read_bytes())["port"]
    hosts = environment("simulator", simulator_port=port)
    root = Path(job.directory)
    return EngineSettings(
        core=job.core,
        journal_dir=root / "journal",
        lease_dir=root / "lease",
        run_dir=root / "run",
        load=load,
        sync=job.sync,
        passphrase_hash=job.passphrase_hash,
        venue=BybitSettings(
            rest_url=hosts.rest_url,
            public_url=hosts.public_url,
            private_url=hosts.private_url,
            trade_url=hosts.trade_url,
            key=job.key,
            secret=Secret("sim-secret"),
            **job.venue,  # type: ignore[arg-type]
        ),
    )


def main(path: Path) -> int:
    """Run the engine of a job until it ends; return its exit code."""
    job = msgspec.json.decode(path.read_bytes(), type=Job)
    if job.clock_off_s:
        real, ahead_ns = time.time_ns, job.clock_off_s * 1_000_000_000
        time.time_ns = lambda: real() + ahead_ns  # this machine's clock is wrong
    if job.kill is not None:
        arm(job.kill)
    try:
        return serve(settings_of(job))
    except Refused as refusal:
        sys.stderr.write(f"error: {refusal}\n")
        return refusal.code


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
