"""The exchange behind its faults: the same one door, with what misbehaves in front and behind.

Theory of operation. A request meets the active faults first (``Requests`` and, on sockets,
``Operations``), then perhaps the exchange; what the exchange sends meets them again (``Frames``).
What a fault does by itself, such as a cut or an order by hand, is in ``Events``. Nothing here
changes matching or money but through ``Hands``, so that the record stays true while clients are
told something else.
"""

from collections.abc import Callable
from typing import Any, Final

from plimsoll.simulator.brain.exchange import Exchange
from plimsoll.simulator.brain.messages import (
    Held,
    Output,
    Request,
    Rest,
    SocketText,
)
from plimsoll.simulator.faults.ask import Ask, FaultError
from plimsoll.simulator.faults.events import Events
from plimsoll.simulator.faults.frames import Frames
from plimsoll.simulator.faults.ground import Ground
from plimsoll.simulator.faults.operations import Operations
from plimsoll.simulator.faults.plan import Active, Plan
from plimsoll.simulator.faults.requests import Requests

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
        self._ground = Ground(exchange, plan)
        self._frames = Frames(self._ground)
        self._requests = Requests(self._ground, self._frames)
        self._operations = Operations(self._ground, self._frames)
        self._events = Events(self._ground, self._frames)

    @property
    def closed(self) -> str:
        """Return why nothing is taken at all: "" (open), "break" or "maintenance"."""
        return self._ground.closed

    def open(self, now_ns: int) -> Output:
        """Write the first line of the record."""
        return self.exchange.open(now_ns)

    def handle(self, now_ns: int, request: Request | Held) -> Output:
        """Apply one request, with the faults it meets, and return everything it caused."""
        self.now_ns = now_ns
        self._run_due(now_ns)
        if self.plan.active or self._ground.closed or self._ground.restarting:
            self._meet(now_ns, request)
        else:
            plain = request.rest if isinstance(request, Held) else request
            if not (self.floor.lines or self._ground.has_output):
                return self.exchange.handle(now_ns, plain)
            self._frames.merge(self.exchange.handle(now_ns, plain), now_ns)
        return self.take()

    def take(self) -> Output:
        """Return what faults caused by themselves since the last call."""
        return self._ground.take()

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

    def note_now(self, fault: Active, **fields: Any) -> None:  # noqa: ANN401
        """Write an effect at the time of the newest request: for who has no clock."""
        self._ground.note(fault, self.now_ns, **fields)
        self.on_note()

    def note_once_now(self, fault: Active, **fields: Any) -> None:  # noqa: ANN401
        """Write a first effect at the time of the newest request."""
        self._ground.note_once(fault, self.now_ns, **fields)
        if self.floor.lines:
            self.on_note()

    def _meet(self, now_ns: int, request: Request | Held) -> None:
        self._events.set_clock(now_ns)
        if isinstance(request, Rest):
            self._requests.rest(request, now_ns)
        elif isinstance(request, Held):
            self._requests.arrive(request.rest, now_ns)
        elif isinstance(request, SocketText):
            self._operations.text(request, now_ns)
        else:
            self._frames.merge(self.exchange.handle(now_ns, request), now_ns)

    def _run_due(self, now_ns: int) -> None:
        if now_ns >= self.plan.next_ns:
            for change in self.plan.advance(now_ns):
                self._events.happen(change, now_ns)
        self._ground.run_due(now_ns)


def _row(fault: Active, now_ns: int) -> dict[str, Any]:
    ask = {name: getattr(fault.ask, name) for name in fault.ask.__struct_fields__}
    shown = {name: value for name, value in ask.items() if value not in ("", 0, None, {})}
    row = {"id": fault.id, **shown, "source": fault.source, "effects": fault.effects}
    row["begins_in_s"] = round(max(0, fault.begun_ns - now_ns) / 1e9, 3)
    if fault.ends_ns < _NEVER:
        row["ends_in_s"] = round((fault.ends_ns - now_ns) / 1e9, 3)
    return row
