"""The fixtures other people's tests use, without asyncio and without the engine."""

import json
import urllib.error
import urllib.request
from typing import Any

import pytest

from plimsoll.simulator import FaultError, PortInUseError, SimSettings
from plimsoll.simulator.thread import SimulatorThread

pytest_plugins = ["plimsoll.simulator.pytest"]


def asked(url: str) -> dict[str, Any]:
    with urllib.request.urlopen(f"{url}/v5/market/time", timeout=60) as answer:  # noqa: S310
        return json.loads(answer.read())


def test_a_simulator_of_its_own(bybit_simulator: Any) -> None:
    assert asked(bybit_simulator.url)["retCode"] == 0
    fault = bybit_simulator.start_fault("http_error", code=503)
    with pytest.raises(urllib.error.HTTPError, match="503"):
        asked(bybit_simulator.url)
    bybit_simulator.stop_fault(fault)
    assert asked(bybit_simulator.url)["retCode"] == 0
    names = [line["event"] for line in bybit_simulator.lines() if line["kind"] == "fault"]
    assert names == ["begin", "effect", "end"]
    with pytest.raises(FaultError, match="no fault"):
        bybit_simulator.start_fault("nothing")


def test_as_many_as_wanted(bybit_simulators: Any) -> None:
    first, second = bybit_simulators(seed=1), bybit_simulators(seed=2)
    assert first.url != second.url
    assert asked(first.url)["retCode"] == asked(second.url)["retCode"] == 0
    assert first.ws_url.startswith("ws://127.0.0.1:")


def test_a_thread_tells_why_it_cannot_start(bybit_simulator: Any) -> None:
    with pytest.raises(PortInUseError, match="in use"):
        SimulatorThread(SimSettings(port=bybit_simulator.port)).start()
    with pytest.raises(RuntimeError, match="call start"):
        _ = SimulatorThread().url


def test_it_is_gone_afterwards() -> None:
    with SimulatorThread() as simulator:
        url = simulator.url
    with pytest.raises(urllib.error.URLError):
        asked(url)
