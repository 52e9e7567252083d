"""An engine and an exchange in one process and loop: quick, and every part within reach."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from tests.simulation.engine_child import load

from plimsoll.core.model import OrderState
from plimsoll.core.settings import CoreSettings
from plimsoll.engine.process import Process, _session
from plimsoll.engine.settings import EngineSettings
from plimsoll.venues.bybit import BybitSettings
from plimsoll.venues.bybit.settings import Secret, environment

DEADLINE_S = 60.0


def engine_settings(
    directory: Path, port: int, core: CoreSettings, **venue: object
) -> EngineSettings:
    """Return settings of an engine on the exchange behind a port."""
    hosts = environment("simulator", simulator_port=port)
    fields: dict[str, object] = {
        "rest_url": hosts.rest_url,
        "public_url": hosts.public_url,
        "private_url": hosts.private_url,
        "trade_url": hosts.trade_url,
        "key": "sim-key",
        "secret": Secret("sim-secret"),
    }
    return EngineSettings(
        core=core,
        journal_dir=directory / "journal",
        lease_dir=directory / "lease",
        run_dir=directory / "run",
        load=load,
        venue=BybitSettings(**(fields | venue)),  # type: ignore[arg-type]
        use_uvloop=False,
    )


@contextlib.asynccontextmanager
async def engine(settings: EngineSettings) -> AsyncIterator[Process]:
    """Run an engine for the length of a block, then stop it as a person would."""
    with _session(settings) as process:
        ended = asyncio.create_task(process.run(time.monotonic()))
        try:
            await until("the session", lambda: ended.done() or bool(process.venue.instruments))
            yield process
        finally:
            process._asked_to_stop("the test is through", 0)
            with contextlib.suppress(Exception):
                await ended
        assert ended.result() == 0, process.failure


async def until(what: str, holds: Callable[[], bool], deadline_s: float = DEADLINE_S) -> float:
    """Wait until something holds; return how long that took, s."""
    begin = time.monotonic()
    while not holds():
        assert time.monotonic() < begin + deadline_s, f"waited {deadline_s} s for {what}"
        await asyncio.sleep(0.01)
    return time.monotonic() - begin


def what_is_open(process: Process) -> str:
    """Return what keeps an engine from being well, empty when it is (reliability Q18)."""
    core = process.core
    if not core.safety.is_reconciled:
        return "the books are not compared"
    for order in core.orders.working.values():
        waited_ns = process.clock.now_ns() - order.asked_ns
        is_late = order.asked_ns and waited_ns > process.settings.core.timing.answer_ns
        if order.state in (OrderState.UNKNOWN, OrderState.INTENT) or is_late:
            return f"order {order.id} is {order.state}"
    for name, market in core.markets.items():
        if why_not := market.why_not(process.clock.now_ns()):
            return f"{name} {why_not}"
    return ""
