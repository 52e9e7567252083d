"""The shell of the simulated exchange: one port for REST and every socket, one loop, one clock."""

import asyncio
import errno
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgspec
from aiohttp import web

from plimsoll.simulator.brain.exchange import Exchange
from plimsoll.simulator.brain.messages import Held, Output, Request, Tick
from plimsoll.simulator.clock import VenueClock
from plimsoll.simulator.faults.ask import Ask, FaultError
from plimsoll.simulator.faults.plan import Active, Plan, chooser, faults_drawn
from plimsoll.simulator.faults.scenario import ScenarioError, read_scenario
from plimsoll.simulator.faults.venue import FaultyVenue
from plimsoll.simulator.http import LOGGER, Http
from plimsoll.simulator.market import DataError, open_markets
from plimsoll.simulator.market.moved import MovedMarket
from plimsoll.simulator.record import Record
from plimsoll.simulator.settings import SimSettings
from plimsoll.simulator.sockets import Sockets
from plimsoll.simulator.state import SKIPPED_IDS, StateFile

_STEP_S: Final = 0.005
_FLUSH_S: Final = 0.04
_SAVE_SHARE: Final = 10
"""Saving the state takes at most one part in this many of the time."""
_MARKET_BATCH: Final = 2000
"""Market events handled before clients get a turn."""
_NO_STATE: Final = (b"market", b"push", b"connection", b"request", b"fault")
"""Kinds of record lines behind which nothing changed that the next run needs."""


class PortInUseError(Exception):
    """The port cannot be had, mostly because another process listens; the text says what to do."""


class SimServer:
    """Connects the brain and its faults to a port, a clock, a market and the record."""

    def __init__(self, settings: SimSettings) -> None:
        """Load the market, the scenario and what an earlier run left.

        Raises:
            DataError: the data file cannot be used, or the record cannot be written.
            ScenarioError: the scenario cannot be used.
            StateError: what an earlier run left cannot be used.
        """
        self.settings = settings
        self.port = settings.port
        exchange = Exchange(settings)
        floor = exchange.floor
        choose = chooser(settings.seed)
        uids = {account.key: account.uid for account in settings.accounts}
        self.venue = FaultyVenue(exchange, Plan(choose, uids))
        self.venue.on_note = lambda: self._apply(self.venue.take())
        self._asks = _asks_of(settings, choose)
        instruments = {name: listing.instrument for name, listing in floor.listings.items()}
        self._markets = [
            MovedMarket(found) for found in open_markets(settings, instruments, exchange.is_watched)
        ]
        self._state = StateFile(Path(settings.directory), floor) if settings.directory else None
        self._notes: list[str] = []
        self._goes_on = False
        self._is_changed = False
        self._save_after_s = 0.0
        self.record = self._open_record()
        self.sockets = Sockets(self)
        self._clock = VenueClock()
        self._tasks: list[asyncio.Task[None]] = []
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen and let the market run.

        Raises:
            PortInUseError: the port is taken.
            ScenarioError: a fault of the scenario names what does not exist.
        """
        self._apply(self.venue.open(self.now()))
        for market in self._markets:
            for at_ns, event in market.start(self.now()):
                self._apply(self.venue.handle(at_ns, event))
        if self._goes_on:
            self._go_on()
        self.handle(Tick())
        self._plan_faults()
        await self._listen()
        self._write_state_file()
        self._flush()
        self._tasks = [
            asyncio.create_task(self._run_market()),
            asyncio.create_task(self._run_flush()),
        ]

    async def stop(self) -> None:
        """Stop the market, close every socket, finish the record and the state."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.sockets.drop_all()
        if self._runner is not None:
            await self._runner.cleanup()
        if self._state is not None:
            self._state.save(self.record.unwritten(), self.record.count, clean=True)
        self.record.close()

    def handle(self, request: Request | Held) -> Output:
        """Bring a request to the exchange now, and send and record what it causes."""
        output = self.venue.handle(self.now(), request)
        self._apply(output)
        return output

    def ask(self, ask: Ask, source: str) -> Active:
        """Plan a fault; one without ``at_s`` begins at once.

        Raises:
            FaultError: it cannot be had.
        """
        fault = self.venue.ask(ask, self.now(), source)
        self.handle(Tick())
        return fault

    def now(self) -> int:
        """Return the exchange's time: Unix nanoseconds that never fall."""
        return self._clock.now_ns()

    def state(self) -> dict[str, Any]:
        """Return what ``/sim/state`` shows."""
        state = self.venue.exchange.state(self.now())
        positions: dict[str, str] = {}
        for market in self._markets:
            positions |= market.position()
        state |= {"pid": os.getpid(), "port": self.port, "market_position": positions}
        return state | {"faults": self.venue.state(self.now())["active"]}

    async def _listen(self) -> None:
        self._runner = web.AppRunner(
            Http(self, self.sockets).application(),
            access_log=None,
            logger=LOGGER,
            shutdown_timeout=1.0,
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, self.settings.host, self.settings.port)
        try:
            await site.start()
        except OSError as error:
            await self._runner.cleanup()
            self.record.close()
            raise _port_error(self.settings, error) from error
        self.port = self._runner.addresses[0][1]

    async def _run_market(self) -> None:
        """Hand over what is due each 5 ms, with a turn for clients inside a long burst."""
        while True:
            handled = 0
            for market in self._markets:
                for due_ns, event in market.due(self.now()):
                    at_ns = self._clock.reach(due_ns)
                    self._apply(self.venue.handle(at_ns, event))
                    handled += 1
                    if handled % _MARKET_BATCH == 0:
                        await asyncio.sleep(0)
            self.handle(Tick())
            await asyncio.sleep(_STEP_S)

    async def _run_flush(self) -> None:
        while True:
            await asyncio.sleep(_FLUSH_S)
            self._flush()

    def _flush(self) -> None:
        """Write state and record, in this order: see ``StateFile``.

        A state so large that writing it takes long is written less often, and the record with it.
        """
        if self._state is not None and self._is_changed:
            begin_s = time.monotonic()
            if begin_s < self._save_after_s:
                return
            self._is_changed = False
            self._state.save(self.record.unwritten(), self.record.count)
            end_s = time.monotonic()
            self._save_after_s = end_s + _SAVE_SHARE * (end_s - begin_s) - _FLUSH_S
        self.record.flush()

    def _apply(self, output: Output) -> None:
        if output.lines:
            self.record.add(output.lines)
            self._is_changed = self._is_changed or any(map(_changes_state, output.lines))
        self.sockets.deliver(output.sends)
        for number in output.drops:
            self.sockets.drop(number, "cut by the exchange")
        for number, code in output.farewells:
            self.sockets.say_goodbye(number, code)
        for name, share, seconds in output.moves:
            for market in self._markets:
                market.move(name, share, seconds, self.now())

    def _open_record(self) -> Record:
        settings = self.settings
        path = Path(settings.record) if settings.record else None
        if path is None and settings.directory:
            path = Path(settings.directory) / "record.jsonl"
        state = self._state
        try:
            if state is not None and settings.fresh:
                state.forget()
            self._goes_on = state is not None and state.exists
            if state is None or not self._goes_on:
                return Record(path)
            self._notes = state.load()
            record = Record(path, goes_on=True)
        except OSError as error:
            text = f"{path}: the record cannot be written ({error.strerror}); "
            raise DataError(text + "choose another directory") from error
        record.add(state.lines[max(0, record.count - state.first_line + 1) :])
        self.venue.floor.resume(record.count, skipped_ids=0 if state.was_clean else SKIPPED_IDS)
        return record

    def _go_on(self) -> None:
        """Continue what an earlier run left: its open orders, and new numbers of books."""
        now_ns, floor = self.now(), self.venue.floor
        assert self._state is not None
        how = "ended in order" if self._state.was_clean else "died; its last 50 ms may be missing"
        fields: dict[str, Any] = {"event": "restart", "earlier": how, "notes": self._notes}
        fields |= {"orders": len(floor.working), "books": "public u starts anew with 1"}
        fields |= {"queue": "open orders are behind what is displayed"}
        floor.record(now_ns, "config", 0, fields)
        for publisher in self.venue.exchange.streams.publishers.values():
            publisher.restart()
        self._state.reenter(now_ns)

    def _plan_faults(self) -> None:
        for ask, source in self._asks:
            try:
                self.venue.ask(ask, self.now(), source)
            except FaultError as error:
                raise ScenarioError(f"{self.settings.scenario}: {ask.name}: {error}") from error
        self.handle(Tick())

    def _write_state_file(self) -> None:
        if not self.settings.directory:
            return
        path = Path(self.settings.directory) / "sim.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        found = {"pid": os.getpid(), "host": self.settings.host, "port": self.port}
        written = path.with_suffix(".tmp")
        written.write_bytes(msgspec.json.encode(found) + b"\n")
        written.replace(path)  # a reader never sees half a file


def _asks_of(settings: SimSettings, choose: Callable[[str, int], int]) -> list[tuple[Ask, str]]:
    """Return the faults of settings, scenario and seed with their source."""
    asks: list[tuple[Ask, str]] = []
    if settings.lose_ack:
        ask = Ask("lose_ack", rate=settings.lose_ack, endpoint="order.create")
        asks.append((ask, "settings"))
    if settings.drop_connections_every_s:
        every_s = max(0.01, settings.drop_connections_every_s)
        asks.append((Ask("cut", every_s=every_s), "settings"))
    if settings.scenario:
        asks += [(ask, "scenario") for ask in read_scenario(Path(settings.scenario))]
    if settings.faults == "drawn":
        asks += [(ask, "seed") for ask in faults_drawn(choose, settings.chaos_s)]
    return asks


def _changes_state(line: bytes) -> bool:
    kind = line[line.index(b'"kind":"') + 8 :]
    return not kind.startswith(_NO_STATE)


def _port_error(settings: SimSettings, error: OSError) -> PortInUseError:
    where = f"port {settings.port} on {settings.host}"
    if error.errno == errno.EADDRINUSE:
        return PortInUseError(
            f"{where} is in use by another process; "
            "stop that process, or choose another port (0 takes any free one)"
        )
    return PortInUseError(f"{where} cannot be opened ({error.strerror}); choose another port")
