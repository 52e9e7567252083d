"""A socket ends with each message of a scripted session in turn: the books equal the venue's.

``CUTS=all`` cuts at every message and at every half one; the gate takes every fourth. Judged from
the exchange's own record.
"""

import asyncio
import contextlib
import os
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.simulation.cutting import Cutter
from tests.simulation.engine_child import load
from tests.simulation.judge import read_record, violations
from tests.simulation.live import HERE, busy_settings
from tests.simulation.scripted import STEPS

from plimsoll.core.settings import CoreSettings
from plimsoll.engine.process import Process, _session
from plimsoll.engine.settings import EngineSettings
from plimsoll.simulator import SimSettings, running
from plimsoll.venues.bybit import BybitSettings
from plimsoll.venues.bybit.settings import Secret, environment

ALL = os.environ.get("CUTS") == "all"
SOCKETS = {"private": ("/v5/private", 36), "trade": ("/v5/trade", 14)}
"""Path of each socket, and about how many messages a session without a cut has on it."""

DEADLINE_S = 60.0


def scripted_settings() -> CoreSettings:
    found = busy_settings()
    one = msgspec.structs.replace(
        found.strategies[0], name="scripted", source=f"{HERE / 'scripted.py'}:Scripted"
    )
    return msgspec.structs.replace(found, strategies=(one,))


def engine_settings(directory: Path, port: int) -> EngineSettings:
    hosts = environment("simulator", simulator_port=port)
    venue = BybitSettings(
        rest_url=hosts.rest_url,
        public_url=hosts.public_url,
        private_url=hosts.private_url,
        trade_url=hosts.trade_url,
        key="sim-key",
        secret=Secret("sim-secret"),
    )
    return EngineSettings(
        core=scripted_settings(),
        journal_dir=directory / "journal",
        lease_dir=directory / "lease",
        run_dir=directory / "run",
        load=load,
        venue=venue,
        use_uvloop=False,
    )


async def until(what: str, holds) -> None:
    end = time.monotonic() + DEADLINE_S
    while not holds():
        assert time.monotonic() < end, f"waited {DEADLINE_S} s for {what}"
        await asyncio.sleep(0.01)


def is_through(process: Process) -> bool:
    """Return whether the script is at its end and every fate known."""
    core = process.core
    if core.session is None or not core.safety.is_reconciled:
        return False
    strategy: Any = core.trader.desks["scripted"].strategy
    return strategy.step >= len(STEPS) and not any(o.is_busy for o in core.orders.working.values())


async def session(directory: Path, cutter: Cutter) -> None:
    """Run the script once, with the cut the cutter was made for."""
    settings = SimSettings(directory=str(directory / "sim"), limits="off", speed=20.0)
    async with running(settings) as exchange, cutter.between(exchange.port):
        with _session(engine_settings(directory, cutter.port)) as process:
            ended = asyncio.create_task(process.run(time.monotonic()))
            try:
                await until("the script", lambda: ended.done() or is_through(process))
                assert not ended.done(), ended.exception()
            finally:
                process._asked_to_stop("the script is through", 0)
                with contextlib.suppress(Exception):
                    await ended
            assert ended.result() == 0


def indices(most: int) -> range:
    return range(1, most + 1) if ALL else range(1, most + 1, 4)


def cases():
    for name, (path, most) in SOCKETS.items():
        for at in indices(most):
            for is_half in (False, True) if ALL else (at % 2 == 0,):
                yield pytest.param(path, at, is_half, id=f"{name}-{at}{'-half' if is_half else ''}")


@pytest.mark.parametrize(("path", "at", "is_half"), list(cases()))
def test_a_socket_that_ends_with_a_message_costs_nothing(tmp_path, path, at, is_half):
    cutter = Cutter(path, at, is_half=is_half)
    asyncio.run(session(tmp_path, cutter))
    if cutter.messages < at:
        pytest.skip(f"the session had {cutter.messages} messages on {path}")
    assert cutter.cuts == 1
    record = read_record(tmp_path / "sim" / "record.jsonl")
    assert sum(line["kind"] == "execution" for line in record) >= 4
    found = violations(record, tmp_path / "journal", "test")
    assert not found, "\n".join(found)
