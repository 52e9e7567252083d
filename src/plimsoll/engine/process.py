"""The engine process from start to stop.

Start: lease, journal, state from the log, session records, venue, links. Stop: no new risk,
strategies end, the end policy, a last hash, a snapshot, everything forced to disk.
"""

import asyncio
import contextlib
import signal
import time
from collections.abc import Iterator
from typing import Final

import msgspec

from plimsoll import __version__
from plimsoll.control import BeatSender, ControlServer, Life
from plimsoll.core.engine import Core, snapshot
from plimsoll.core.records import (
    Configured,
    InstrumentListed,
    LeaseTaken,
    SessionStopping,
    StrategyRestored,
)
from plimsoll.core.settings import to_text
from plimsoll.engine.authority import Authority
from plimsoll.engine.beating import Heart, Pulse, notify
from plimsoll.engine.claiming import claimed
from plimsoll.engine.clock import EngineClock
from plimsoll.engine.commands import Commands
from plimsoll.engine.engine import Engine
from plimsoll.engine.gateway import Gateway
from plimsoll.engine.guard import CallbackGuard
from plimsoll.engine.memory import settle_memory
from plimsoll.engine.outside import Outside
from plimsoll.engine.practice import Practice
from plimsoll.engine.refusing import refusing
from plimsoll.engine.renewing import Renewing
from plimsoll.engine.restoring import SNAPSHOTS, Restored
from plimsoll.engine.settings import EngineSettings
from plimsoll.engine.shadowing import newest_states
from plimsoll.engine.upkeep import Upkeep
from plimsoll.journal import Journal, JournalError, write_snapshot
from plimsoll.lease import FileLease
from plimsoll.observe import start_logging
from plimsoll.venues.bybit.links import parsers_for
from plimsoll.venues.bybit.venue import BybitVenue
from plimsoll.websocket.shell import Timer

SOCKET: Final = "engine.sock"
STOP_DEADLINE_NS: Final = 10_000_000_000
TIMER_SLACK_S: Final = 0.001
"""The loop's timers have millisecond grain: too late by this is better than too early, twice."""

CLOCK_WARN_NS: Final = 250_000_000


def serve(settings: EngineSettings) -> int:
    """Run the engine until SIGTERM or SIGINT; return the exit code.

    Raises:
        Refused: something stands against a start; nothing was sent.
    """
    started = time.monotonic()
    start_logging()
    if settings.use_uvloop:
        import uvloop

        runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)
    else:
        runner = asyncio.Runner()
    with runner, _session(settings) as process:
        return runner.run(process.run(started))


@contextlib.contextmanager
def _session(settings: EngineSettings) -> Iterator["Process"]:
    """Hold lease and journal for one session."""
    with claimed(settings) as claim:
        yield Process(settings, *claim)


class Process:
    """One session of the engine."""

    def __init__(
        self,
        settings: EngineSettings,
        lease: FileLease,
        journal: Journal,
        restored: Restored,
        outside: Outside | None = None,
    ) -> None:
        """Put the parts together; nothing runs yet."""
        outside = outside or Outside(clock=EngineClock(restored.state.ts_ns))
        self.settings = settings
        self.shell = outside.shell
        self.lease = lease
        self.journal = journal
        self.clock = outside.clock
        self.log = outside.log
        self.core = Core(settings.load, restored.state)
        self.engine = Engine(
            self.core,
            journal,
            self.clock,
            lease.epoch,
            parsers_for(),
            self.log,
            self._failed,
        )
        # One receive window: the proof of absence waits for what the venue is told (ORD-10 a).
        window_ms = settings.core.timing.recv_window_ms
        venue = msgspec.structs.replace(settings.venue, recv_window_ms=window_ms)
        self.venue = BybitVenue(venue, self.engine, self.clock, self.shell, outside.transport)
        authority = Authority(settings.passphrase_hash, time.monotonic)
        self.commands = Commands(
            settings.run_dir,
            self.engine,
            lease,
            journal,
            authority,
            self.clock,
            self._asked_to_stop,
            lambda: self.failure,
            Renewing(settings.renew) if settings.renew is not None else None,
        )
        self.upkeep = Upkeep(
            self.engine, self.venue, journal, settings.journal_dir, self.commands, outside
        )
        self.pulse = Pulse(self.clock)
        self.heart = Heart(outside.guard or BeatSender(settings.run_dir), self._beat, self.shell)
        self.failure: BaseException | None = None
        self._stop_reason = ""
        self._stop = asyncio.Event()
        self._timer: Timer | None = None
        self._restored = restored

    async def run(self, started: float) -> int:
        """Run until told to stop; return the exit code."""
        loop = asyncio.get_running_loop()
        for number, code in ((signal.SIGTERM, 143), (signal.SIGINT, 130)):
            loop.add_signal_handler(number, self._asked_to_stop, signal.Signals(number).name, code)
        loop.add_signal_handler(signal.SIGUSR1, self.commands.pause)
        self._exit_code = 0
        server = ControlServer(
            self.settings.run_dir / SOCKET,
            self.commands.take,
            vet=self.commands.authority.vet,
            keep=self.commands.kept,
            prepare=self.commands.prepare,
        )
        guard = CallbackGuard(self.core.turns, self.settings.callback_limit_ns)
        guard.start()
        self.engine.place_of_cut = lambda: guard.place
        try:
            with refusing():
                await self._start()
                await server.start()
            self.log.ready(
                self.lease.epoch, list(self.venue.instruments), (time.monotonic() - started) * 1e3
            )
            notify("READY=1")
            settle_memory()
            beside = [
                asyncio.create_task(self.upkeep.each_second()),
                asyncio.create_task(self.upkeep.keep_filters()),
            ]
            await self._stop.wait()
            await self._end()
            for task in beside:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
        finally:
            guard.stop()
            await server.close()
            await self.venue.close()
            # Only now: nothing of ours is on its way any more.
            self.heart.stop(is_clean=self.core.is_ended and not self.core.open_ends)
        if isinstance(self.failure, JournalError):
            return 7  # needs a person: disk or damage, no fault of the program
        return 1 if self.failure else self._exit_code

    # ---- start ----

    async def _start(self) -> None:
        engine, core = self.engine, self.settings.core
        self.log.session_started(
            self.lease.epoch, core.account, self._restored.applied, list(self.journal.notes)
        )
        engine.on_wake = self._arm
        engine.on_unreadable = self._unreadable
        engine.on_woken = self._woken
        engine.put(LeaseTaken(*engine.stamp(), core.account, core.tag, "engine", __version__))
        gateway = Gateway(self.core.state, self.journal, self.lease, self.venue, self.pulse)
        engine.connect(gateway, self.venue.query, self.venue.retire)
        if self.settings.practice_ns:
            every_ns = self.settings.practice_ns
            engine.practice = Practice(self.core, gateway.practise, every_ns, engine.trouble)
        self._restore_strategies()
        for strategy in core.strategies:
            self.settings.keep_code(strategy)
        engine.put(Configured(*engine.stamp(), to_text(core)))
        self.commands.obey_standing_request()
        wanted = dict.fromkeys(name for one in core.strategies for name in one.instruments)
        known = [name for name in self.core.state.instruments if self._is_held(name)]
        for instrument in await self.venue.open(list(dict.fromkeys((*wanted, *known)))):
            engine.put(InstrumentListed(*engine.stamp(), instrument))
        self.venue.adopt(list(self.core.state.instruments.values()))
        safety = self.core.safety
        if abs(safety.clock_offset_ns) > CLOCK_WARN_NS:
            self.log.clock(safety.clock_offset_ns / 1e6, safety.clock_uncertainty_ns / 1e6)
        await self.venue.connect()
        self._check()
        self.heart.start()  # from here on orders may leave, and somebody may count on us

    def _restore_strategies(self) -> None:
        """Work out what the strategies knew when the last session broke off, and record it."""
        engine, settings = self.engine, self.settings
        states = newest_states(
            settings.journal_dir, self._restored.checkpoint_seq, settings.load, engine.trouble
        )
        for owner, saved in states.items():
            engine.put(StrategyRestored(*engine.stamp(), owner, saved))

    def _is_held(self, name: str) -> bool:
        """Return whether something of ours is left in an instrument no strategy names any more."""
        state = self.core.state
        return bool(state.held_lots("", name) or state.orders.on_instrument.get(name))

    def _check(self) -> None:
        if self.failure is not None:
            raise self.failure

    # ---- while it runs ----

    def _beat(self) -> tuple[Life, int, int, int, bool]:
        """Do the loop's part of a beat and say how it lives."""
        engine, safety = self.engine, self.core.safety
        engine.beat(self.pulse.beat())
        life = Life.STOPPING if safety.is_stopping else Life.RUNNING
        return life, engine.seq, self.lease.epoch, self.clock.now_ns(), safety.is_reconciled

    def _woken(self) -> None:
        """Plan what follows from a pause: what a guard left behind first, then the venue's time."""
        self.shell.call_later(0.0, self.commands.obey_standing_request)
        self.shell.call_later(0.0, self.venue.remeasure)

    def _unreadable(self, link: int) -> None:
        """Start the connection again that brought this: its streams cannot be trusted any more."""
        self.venue.restart_link(link, "an unreadable public frame")

    def _arm(self, due_ns: int) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if due_ns:
            delay = max(0.0, (due_ns - self.clock.now_ns()) / 1e9) + TIMER_SLACK_S
            self._timer = self.shell.call_later(delay, self._fire, due_ns)

    def _fire(self, due_ns: int) -> None:
        if self.clock.now_ns() < due_ns:
            self._arm(due_ns)
            return
        self.engine.wake_ns = 0
        self.engine.fire(due_ns)

    # ---- stop ----

    def _asked_to_stop(self, reason: str, code: int) -> None:
        if not self._stop_reason:
            self._stop_reason, self._exit_code = reason, code
            self._stop.set()
        else:
            self._hasten = True

    _hasten = False

    def _failed(self, error: BaseException) -> None:
        self.failure = error
        self.lease.held = False
        self._stop.set()

    async def _end(self) -> None:
        """Stop risk, let orders end, write what the next start needs (JRN-8)."""
        if self.failure is not None:
            return
        engine = self.engine
        notify("STOPPING=1")
        engine.put(SessionStopping(*engine.stamp(), self._stop_reason))
        deadline_ns = self.clock.monotonic_ns() + STOP_DEADLINE_NS
        while not self.core.is_ended and not self._hasten:
            if self.clock.monotonic_ns() >= deadline_ns:
                break
            await self.shell.sleep(0.01)  # the end comes as an input; this only looks for it
            if self.failure is not None:
                return
        counters, gauges = self.venue.metrics(with_topics=True)
        engine.tell(counters, gauges)
        engine.close()
        self.lease.held = False
        try:
            self.journal.force()
        except JournalError as error:
            engine.trouble("journal", "stop", str(error))
            self._failed(error)
            return
        self.upkeep.tell_of_space()
        if self.core.is_ended:
            self._write_snapshot()
        self.log.stopped(self._stop_reason, engine.seq)

    def _write_snapshot(self) -> None:
        """Spare the next start the reading of the whole log; without it that only takes longer."""
        path = self.settings.journal_dir / SNAPSHOTS
        try:
            write_snapshot(path, self.engine.seq, snapshot(self.core.state))
        except OSError as error:
            self.engine.trouble("snapshot", str(path), f"not written: {error.strerror or error}")
