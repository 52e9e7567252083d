"""The exchange in virtual time: the simulator's brain and faults, its markets, its record."""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from tests.simulation.world.kernel import Kernel

from plimsoll.simulator.brain.connection import Connection
from plimsoll.simulator.brain.exchange import Exchange
from plimsoll.simulator.brain.messages import Held, Output, Request, Tick
from plimsoll.simulator.brain.streams import PATHS
from plimsoll.simulator.faults.ask import Ask, FaultError
from plimsoll.simulator.faults.plan import Active, Choose, Plan, Where
from plimsoll.simulator.faults.venue import FaultyVenue
from plimsoll.simulator.market import open_markets
from plimsoll.simulator.market.moved import MovedMarket
from plimsoll.simulator.settings import SimSettings

_SOON_NS: Final = 20_000_000


class Venue:
    """What ``SimServer`` is in a process of its own: one door, and where what comes out goes."""

    def __init__(
        self,
        kernel: Kernel,
        settings: SimSettings,
        instruments: Sequence[str],
        choose: Choose,
        on_lines: Callable[[list[bytes]], None],
        pulse_ms: int,
    ) -> None:
        """Open; markets exist for ``instruments`` only, the others stand still.

        ``pulse_ms``: how often the market moves on and what is published leaves.
        """
        self.settings = settings
        self.exchange = Exchange(settings)
        uids = {account.key: account.uid for account in settings.accounts}
        self.faulty = FaultyVenue(self.exchange, Plan(choose, uids))
        self.faulty.on_note = lambda: self._apply(self.faulty.take())
        self.deliver: Callable[[int, bytes, str], None] = lambda *_: None
        self.drop: Callable[[int, str], None] = lambda *_: None
        self.is_moving = True
        """Whether the outside market goes on."""
        self._last_ns = kernel.now_ns
        """The exchange's time never falls, although market events come a little late."""
        self._kernel = kernel
        self._on_lines = on_lines
        self._pulse_ns = pulse_ms * 1_000_000
        listed = self.exchange.floor.listings
        traded = {name: listed[name].instrument for name in instruments}
        self._markets = [
            MovedMarket(one) for one in open_markets(settings, traded, self.exchange.is_watched)
        ]

    def start(self, asks: Iterable[Ask], off: Iterable[int] = ()) -> None:
        """Let the market run and plan the faults.

        A fault's id is its place in the list, so that the draws of the others stay the same where
        one is ``off``.
        """
        now_ns = self._kernel.now_ns
        self._apply(self.faulty.open(now_ns))
        for market in self._markets:
            for at_ns, event in market.start(now_ns):
                self._apply(self.faulty.handle(at_ns, event))
        for place, ask in enumerate(asks):
            self.faulty.plan._asked = place
            if place not in off:
                self.faulty.ask(ask, now_ns, "seed")
        self._tick()

    def handle(self, request: Request | Held) -> Output:
        """Bring a request now; what it causes is on its way when this returns."""
        self._last_ns = self._kernel.now_ns
        output = self.faulty.handle(self._last_ns, request)
        self._apply(output)
        return output

    def ask(self, ask: Ask) -> None:
        """Plan one more fault, where it can be had."""
        try:
            self.faulty.ask(ask, self._kernel.now_ns, "seed")
        except FaultError:
            return
        self.handle(Tick())

    def connection(self, number: int) -> Connection | None:
        """Return what the exchange knows of a connection."""
        return self.exchange.streams.connections.get(number)

    def refusal(self, path: str, where: Where) -> str | Active:
        """Return what becomes of an attempt: "" it is taken; a fault is silence while it lasts."""
        plan, closed = self.faulty.plan, self.faulty.closed
        if fault := plan.hit("refuse_connects", where):
            self.faulty.note_once_now(fault, kind=where.kind)
            return "connection refused"
        if fault := plan.hit("bad_gateway", where):
            self.faulty.note_once_now(fault, kind=where.kind)
            return "502 Bad Gateway"
        if fault := plan.hit("path_dead", where):
            self.faulty.note_once_now(fault, kind=where.kind)
            return fault
        if path and closed and PATHS[path] != "status":
            return f"closed: {closed}"
        limits = self.exchange.limits
        if path and not limits.allow_connect("127.0.0.1", self._kernel.now_ns):
            return "403 too many connection attempts"
        return ""

    def when_over(self, fault: Active, act: Callable[..., None], *args: object) -> None:
        """Call once a fault has ended."""
        if fault.id in self.faulty.plan.active:
            self._kernel.after(_SOON_NS, self.when_over, fault, act, *args)
        else:
            act(*args)

    def _tick(self) -> None:
        now_ns = self._kernel.now_ns
        if self.is_moving:
            for market in self._markets:
                for at_ns, event in market.due(now_ns):
                    self._last_ns = max(self._last_ns, min(at_ns, now_ns))
                    self._apply(self.faulty.handle(self._last_ns, event))
        self.handle(Tick())
        self._kernel.after(self._pulse_ns, self._tick)

    def _apply(self, output: Output) -> None:
        if output.lines:
            self._on_lines(output.lines)
        for send in output.sends:
            for number in send.connections:
                self.deliver(number, send.frame, send.topic)
        for number in output.drops:
            self.drop(number, "cut by the exchange")
        for number, code in output.farewells:
            self.drop(number, f"closed by the exchange ({code})")
        for name, share, seconds in output.moves:
            for market in self._markets:
                market.move(name, share, seconds, self._kernel.now_ns)
