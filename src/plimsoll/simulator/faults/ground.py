"""What every fault works with: the exchange, the plan, and what goes out.

``Requests``, ``Operations``, ``Frames`` and ``Events`` act on it; ``FaultyVenue`` puts them in
their places.
"""

import heapq
from collections.abc import Callable
from typing import Any, Final

from plimsoll.simulator.brain.exchange import Exchange
from plimsoll.simulator.brain.messages import Output, Send
from plimsoll.simulator.faults.hands import Hands
from plimsoll.simulator.faults.plan import Active, Plan

LATER_MOST: Final = 100_000
"""Messages held back at one time; beyond it the oldest goes out early."""


class Ground:
    """An exchange under faults: what is planned, what is shut, and what goes out or waits."""

    def __init__(self, exchange: Exchange, plan: Plan) -> None:
        """Work on an exchange under a plan; nothing is shut."""
        self.exchange = exchange
        self.floor = exchange.floor
        self.plan = plan
        self.hands = Hands(exchange)
        self.closed = ""
        """Why nothing is taken at all: "" (open), "break" or "maintenance"."""
        self.restarting: dict[int, Active] = {}
        """Trade sockets that take no new operation, and the fault they are under."""
        self._output = Output()
        self._later: list[tuple[int, int, Callable[[int], None]]] = []
        self._held = 0

    @property
    def has_output(self) -> bool:
        """Return whether ``take`` would return anything of its own."""
        own = self._output
        return bool(own.lines or own.sends or own.drops or own.farewells or own.moves)

    def take(self) -> Output:
        """Return what faults caused by themselves since the last call."""
        output, self._output = self._output, Output()
        output.lines += self.floor.lines
        self.floor.lines = []
        return output

    def note(self, fault: Active, now_ns: int, event: str = "effect", **fields: Any) -> None:  # noqa: ANN401
        """Write one event of a fault into the record."""
        head = {"event": event, "name": fault.ask.name, "id": fault.id}
        uid = fields.pop("uid", fault.uid)
        self.floor.record(now_ns, "fault", uid, head | fields)

    def note_once(self, fault: Active, now_ns: int, **fields: Any) -> None:  # noqa: ANN401
        """Write the first effect of a lasting fault on one part of what it reaches."""
        part = f"told:{fields}"
        if part not in fault.chosen:
            fault.chosen[part] = True
            fault.effects += 1
            self.note(fault, now_ns, **fields)

    def later(self, due_ns: int, act: Callable[[int], None]) -> None:
        """Call ``act`` with the time once it is due."""
        self._held += 1
        heapq.heappush(self._later, (due_ns, self._held, act))
        if len(self._later) > LATER_MOST:
            heapq.heappop(self._later)[2](due_ns)

    def run_due(self, now_ns: int) -> None:
        """Do what was put off until now."""
        while self._later and self._later[0][0] <= now_ns:
            heapq.heappop(self._later)[2](now_ns)

    def send(self, *sends: Send) -> None:
        """Send frames as they are: no further fault meets them here."""
        self._output.sends += sends

    def answer(self, output: Output) -> None:
        """Add an output as it is, its answer included."""
        self._add(output)
        self._output.answer = output.answer
        self._output.hold_ns = output.hold_ns

    def drop(self, *connections: int) -> None:
        """Cut connections."""
        self._output.drops += connections

    def say_goodbye(self, connection: int, code: int) -> None:
        """Close a connection with a close frame."""
        self._output.farewells.append((connection, code))

    def move(self, name: str, share: float, seconds: float) -> None:
        """Let the outside market of an instrument move by a share of its price."""
        self._output.moves.append((name, share, seconds))

    def _add(self, output: Output) -> None:
        own = self._output
        own.lines += output.lines
        own.sends += output.sends
        own.drops += output.drops
        own.farewells += output.farewells
        own.moves += output.moves
