"""The shell as its HTTP side and its sockets see it; the server is one."""

from typing import Any, Protocol

from plimsoll.simulator.brain.messages import Held, Output, Request
from plimsoll.simulator.faults.ask import Ask
from plimsoll.simulator.faults.plan import Active
from plimsoll.simulator.faults.venue import FaultyVenue
from plimsoll.simulator.record import Record
from plimsoll.simulator.settings import SimSettings


class Host(Protocol):
    """An exchange with a clock and a record, to bring requests to."""

    settings: SimSettings
    venue: FaultyVenue
    record: Record

    def handle(self, request: Request | Held) -> Output:
        """Bring a request to the exchange now, and send and record what it causes."""

    def ask(self, ask: Ask, source: str) -> Active:
        """Plan a fault; one without ``at_s`` begins at once.

        Raises:
            FaultError: it cannot be had.
        """

    def now(self) -> int:
        """Return the exchange's time: Unix nanoseconds that never fall."""

    def state(self) -> dict[str, Any]:
        """Return what ``/sim/state`` shows."""
