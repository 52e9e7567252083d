"""A Bybit-v5-compatible exchange on loopback, a product of its own.

In: settings, bars or a recording, clients. Out: REST, three kinds of socket, a complete record.
``cli`` and above start it, tests too; it shares only the model and the matching with the engine.
"""

from plimsoll.simulator.faults.ask import FaultError
from plimsoll.simulator.faults.scenario import ScenarioError
from plimsoll.simulator.market import DataError
from plimsoll.simulator.server import PortInUseError
from plimsoll.simulator.serving import Running, running, serve
from plimsoll.simulator.settings import AccountSettings, SimSettings
from plimsoll.simulator.state import StateError

__all__ = [
    "AccountSettings",
    "DataError",
    "FaultError",
    "PortInUseError",
    "Running",
    "ScenarioError",
    "SimSettings",
    "StateError",
    "running",
    "serve",
]
