"""The exchange behind its faults: the same one door, with what misbehaves in front and behind.

Theory of operation. A request meets the active faults first (``Requests``), then perhaps the
exchange; what the exchange sends meets them again (``Frames``). What a fault does by itself, such
as a cut or an order by hand, is in ``Events``. Nothing here changes matching or money but through
``Hands``, so that the record stays true while clients are told something else.
"""

import heapq
from collections.abc import Callable
from typing import Any, Final

from plimsoll.simulator.brain.exchange import Exchange
from plimsoll.simulator.brain.messages import (
    Held,
    Output,
    Request,
    Rest,
    Send,
    SocketText,
)
from plimsoll.simulator.faults.ask import Ask, FaultError
from plimsoll.simulator.faults.events import Events
from plimsoll.simulator.faults.frames import Frames
from plimsoll.simulator.faults.hands import Hands
from plimsoll.simulator.faults.plan import Active, Plan
from plimsoll.simulator.faults.requests import Requests

LATER_MOST: Final = 100_000
"""Messages held back at one time; beyond it the oldest goes out early."""
_NEVER: Final = 1 << 63


class FaultyVenue:
    """An exchange with a plan of faults. ``handle`` is the only door, as the exchange's own is."""

    def __init__(self, exchange: Exchange, plan: Plan) -> None:
        """Put the plan's faults around an exchange."""
        self.exchange = exchange
        self.floor = exchange.floor
        self.plan = plan
        self.now_ns = 0
        self.on_note: Callable[[], None] = lambda: None
        """Called when a fault of the network was noted between two requests: take its line."""
        self.closed = ""
        """Why nothing is taken at all: "" (open), "break" or "maintenance"."""
        self.restarting: dict[int, Active] = {}
        """Trade sockets that take no new operation, and the fault they are under."""
        self.hands = Hands(exchange)
        self.frames = Frames(self)
        self._requests = Requests(self)
        self._events = Events(self)
        self._output = Output()
        self._later: list[tuple[int, int, Callable[[int], None]]] = []
        self._held = 0

    def open(self, now_ns: int) -> Output:
        """Write the first line of the record."""
        return self.exchange.open(now_ns)

    def handle(self, now_ns: int, request: Request | Held) -> Output:
        """Apply one request, with the faults it meets, and return everything it caused."""
        self.now_ns = now_ns
        self._run_due(now_ns)
        if self.plan.active or self.closed or self.restarting:
            self._meet(now_ns, request)
        else:
            plain = request.rest if isinstance(request, Held) else request
            if not (self.floor.lines or self._is_waiting()):
                return self.exchange.handle(now_ns, plain)
            self.merge(self.exchange.handle(now_ns, plain), now_ns)
        return self.take()

    def take(self) -> Output:
        """Return what faults caused by themselves since the last call."""
        output, self._output = self._output, Output()
        output.lines += self.floor.lines
        self.floor.lines = []
        return output

    def ask(self, ask: Ask, now_ns: int, source: str) -> Active:
        """Plan a fault; it begins with the next request or tick.

        Raises:
            FaultError: it cannot be had.
        """
        symbol = ask.symbol.rpartition(":")[2]
        known = {item.instrument.symbol for item in self.floor.listings.values()}
        if symbol and symbol not in known:
            raise FaultError("symbol", f"no symbol {ask.symbol!r}; one of {', '.join(known)}")
        return self.plan.add(ask, now_ns, source)

    def state(self, now_ns: int) -> dict[str, Any]:
        """Return the active and the coming faults, for people and tests."""
        return {
            "active": [_row(fault, now_ns) for fault in self.plan.active.values()],
            "coming": [_row(fault, now_ns) for fault in self.plan.coming()],
        }

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

    def note_now(self, fault: Active, **fields: Any) -> None:  # noqa: ANN401
        """Write an effect at the time of the newest request: for who has no clock."""
        self.note(fault, self.now_ns, **fields)
        self.on_note()

    def note_once_now(self, fault: Active, **fields: Any) -> None:  # noqa: ANN401
        """Write a first effect at the time of the newest request."""
        self.note_once(fault, self.now_ns, **fields)
        if self.floor.lines:
            self.on_note()

    def later(self, due_ns: int, act: Callable[[int], None]) -> None:
        """Call ``act`` with the time once it is due."""
        self._held += 1
        heapq.heappush(self._later, (due_ns, self._held, act))
        if len(self._later) > LATER_MOST:
            heapq.heappop(self._later)[2](due_ns)

    def send(self, *sends: Send) -> None:
        """Send frames as they are: no further fault meets them here."""
        self._output.sends += sends

    def answer(self, output: Output) -> None:
        """Add an output as it is, its answer included."""
        self._add(output)
        self._output.answer = output.answer
        self._output.hold_ns = output.hold_ns

    def merge(self, output: Output, now_ns: int) -> None:
        """Add what the exchange caused, its frames as faults leave them."""
        sends, output.sends = output.sends, []
        self.answer(output)
        self._output.sends += self.frames.passed(sends, now_ns)

    def drop(self, *connections: int) -> None:
        """Cut connections."""
        self._output.drops += connections

    def say_goodbye(self, connection: int, code: int) -> None:
        """Close a connection with a close frame."""
        self._output.farewells.append((connection, code))

    def move(self, name: str, share: float, seconds: float) -> None:
        """Let the outside market of an instrument move by a share of its price."""
        self._output.moves.append((name, share, seconds))

    def _is_waiting(self) -> bool:
        own = self._output
        return bool(own.lines or own.sends or own.drops or own.farewells or own.moves)

    def _add(self, output: Output) -> None:
        own = self._output
        own.lines += output.lines
        own.sends += output.sends
        own.drops += output.drops
        own.farewells += output.farewells
        own.moves += output.moves

    def _meet(self, now_ns: int, request: Request | Held) -> None:
        self._events.set_clock(now_ns)
        if isinstance(request, Rest):
            self._requests.rest(request, now_ns)
        elif isinstance(request, Held):
            self._requests.arrive(request.rest, now_ns)
        elif isinstance(request, SocketText):
            self._requests.text(request, now_ns)
        else:
            self.merge(self.exchange.handle(now_ns, request), now_ns)

    def _run_due(self, now_ns: int) -> None:
        if now_ns >= self.plan.next_ns:
            for change in self.plan.advance(now_ns):
                self._events.happen(change, now_ns)
        while self._later and self._later[0][0] <= now_ns:
            heapq.heappop(self._later)[2](now_ns)


def _row(fault: Active, now_ns: int) -> dict[str, Any]:
    ask = {name: getattr(fault.ask, name) for name in fault.ask.__struct_fields__}
    shown = {name: value for name, value in ask.items() if value not in ("", 0, None, {})}
    row = {"id": fault.id, **shown, "source": fault.source, "effects": fault.effects}
    row["begins_in_s"] = round(max(0, fault.begun_ns - now_ns) / 1e9, 3)
    if fault.ends_ns < _NEVER:
        row["ends_in_s"] = round((fault.ends_ns - now_ns) / 1e9, 3)
    return row
