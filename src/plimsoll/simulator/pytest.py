"""Fixtures for tests of other programs: ``pytest_plugins = ["plimsoll.simulator.pytest"]``."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from plimsoll.simulator.settings import SimSettings
from plimsoll.simulator.thread import SimulatorThread

Factory = Callable[..., SimulatorThread]


@pytest.fixture(scope="session")
def bybit_simulators() -> Iterator[Factory]:
    """Return a function that starts an exchange with the given settings; all end with the run."""
    started: list[SimulatorThread] = []

    def start(**settings: Any) -> SimulatorThread:  # noqa: ANN401 - fields of SimSettings
        simulator = SimulatorThread(SimSettings(**settings))
        simulator.start()
        started.append(simulator)
        return simulator

    yield start
    for simulator in started:
        simulator.stop()


@pytest.fixture
def bybit_simulator() -> Iterator[SimulatorThread]:
    """Return an exchange of this test's own: key ``sim-key``, secret ``sim-secret``, no limits."""
    with SimulatorThread(SimSettings(limits="off")) as simulator:
        yield simulator
