"""A simulated exchange in a thread of its own: for programs and tests without asyncio."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any, Final, TypeVar

from plimsoll.simulator.serving import Running, running
from plimsoll.simulator.settings import SimSettings

Result = TypeVar("Result")
_WAIT_S: Final = 10.0


class SimulatorThread:
    """An exchange that runs between ``start`` and ``stop``, or for the length of a block."""

    def __init__(self, settings: SimSettings | None = None) -> None:
        """Prepare one; nothing runs yet."""
        self._settings = settings or SimSettings()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._running: Running | None = None
        self._error: BaseException | None = None
        self._ready = threading.Event()
        self._stop: asyncio.Event | None = None

    def __enter__(self) -> "SimulatorThread":
        """Start it."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it."""
        self.stop()

    @property
    def url(self) -> str:
        """Return the REST address, such as ``http://127.0.0.1:4000``."""
        return self._exchange.url

    @property
    def ws_url(self) -> str:
        """Return the WebSocket address without a path."""
        return self._exchange.ws_url

    @property
    def port(self) -> int:
        """Return the port it listens on."""
        return self._exchange.port

    def start(self) -> None:
        """Start it and wait until clients may connect.

        Raises:
            DataError, ScenarioError, StateError, PortInUseError: as ``running`` does.
        """
        self._thread = threading.Thread(target=self._run, name="simulated-exchange", daemon=True)
        self._thread.start()
        self._ready.wait()
        if self._error is not None:
            raise self._error

    def stop(self) -> None:
        """Stop it and wait for its end; its record is complete afterwards."""
        if self._thread is not None and self._loop is not None and self._stop is not None:
            if self._thread.is_alive():
                self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(_WAIT_S)

    def lines(self, n: int = 1) -> list[dict[str, Any]]:
        """Return the record from line ``n`` on."""
        return self._call(lambda: self._exchange.lines(n))

    def start_fault(self, name: str, **asked: Any) -> str:  # noqa: ANN401 - fields of an Ask
        """Start a fault of the catalogue and return its id.

        Raises:
            FaultError: it cannot be had in this form.
        """
        return self._call(lambda: self._exchange.start_fault(name, **asked))

    def stop_fault(self, fault_id: str) -> None:
        """End a fault."""
        self._call(lambda: self._exchange.stop_fault(fault_id))

    @property
    def _exchange(self) -> Running:
        if self._running is None:
            raise RuntimeError("the simulated exchange does not run: call start() first")
        return self._running

    def _call(self, what: Callable[[], Result]) -> Result:
        """Run a function in the exchange's own thread and return its result."""

        async def call() -> Result:
            return what()

        assert self._loop is not None, "the simulated exchange does not run"
        return asyncio.run_coroutine_threadsafe(call(), self._loop).result(_WAIT_S)

    def _run(self) -> None:
        try:
            asyncio.run(self._main())
        except BaseException as error:  # handed to the thread that waits in `start`
            self._error = error
        finally:
            self._ready.set()

    async def _main(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        async with running(self._settings) as exchange:
            self._running = exchange
            self._ready.set()
            await self._stop.wait()
