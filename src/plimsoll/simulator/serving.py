"""An exchange while it runs: for the length of a block, or until a signal."""

import asyncio
import contextlib
import signal
import sys
from collections.abc import AsyncIterator, Callable
from typing import Any, Final

import msgspec

from plimsoll.simulator.brain.messages import Tick
from plimsoll.simulator.faults.ask import ask_of
from plimsoll.simulator.faults.scenario import ScenarioError
from plimsoll.simulator.market import DataError
from plimsoll.simulator.server import PortInUseError, SimServer
from plimsoll.simulator.settings import SimSettings
from plimsoll.simulator.state import StateError

EXIT_OK: Final = 0
EXIT_DATA: Final = 3
EXIT_PORT: Final = 6


class Running:
    """A running exchange: where it listens, what it has recorded, and its faults."""

    def __init__(self, server: SimServer) -> None:
        """Wrap a server that listens."""
        self._server = server
        self.host = server.settings.host
        self.port = server.port

    @property
    def url(self) -> str:
        """Return the REST address, such as ``http://127.0.0.1:4000``."""
        return f"http://{self.host}:{self.port}"

    @property
    def ws_url(self) -> str:
        """Return the WebSocket address without a path."""
        return f"ws://{self.host}:{self.port}"

    def lines(self, n: int = 1) -> list[dict[str, Any]]:
        """Return the record from line ``n`` on."""
        return [msgspec.json.decode(line) for line in self._server.record.since(n)]

    def start_fault(self, name: str, **asked: Any) -> str:  # noqa: ANN401 - fields of an Ask
        """Start a fault of the catalogue and return its id; call it in the exchange's own loop.

        Raises:
            FaultError: it cannot be had in this form.
        """
        return self._server.ask(ask_of({"name": name, **asked}), "test").id

    def stop_fault(self, fault_id: str) -> None:
        """End a fault."""
        self._server.venue.plan.stop(fault_id, self._server.now())
        self._server.handle(Tick())


def serve(settings: SimSettings, on_port: Callable[[int], None] | None = None) -> int:
    """Run until SIGINT or SIGTERM and return the exit code.

    Args:
        settings: What to run.
        on_port: Called with the bound port once clients may connect.

    Returns:
        0 after a clean stop, 3 for an unusable file, 6 where the port is taken.
    """
    try:
        asyncio.run(_until_signal(settings, on_port))
    except (DataError, ScenarioError, StateError) as error:
        sys.stderr.write(f"error: {error}\n")
        return EXIT_DATA
    except PortInUseError as error:
        sys.stderr.write(f"error: {error}\n")
        return EXIT_PORT
    return EXIT_OK


@contextlib.asynccontextmanager
async def running(settings: SimSettings) -> AsyncIterator[Running]:
    """Run an exchange for the length of a block, in this loop.

    Raises:
        DataError: the data file cannot be used.
        ScenarioError: the scenario cannot be used.
        StateError: what an earlier run left in the directory cannot be used.
        PortInUseError: the port is taken.
    """
    server = SimServer(settings)
    await server.start()
    try:
        yield Running(server)
    finally:
        await server.stop()


async def _until_signal(settings: SimSettings, on_port: Callable[[int], None] | None) -> None:
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with running(settings) as exchange:
        if on_port is not None:
            on_port(exchange.port)
        await stop.wait()
