"""The engine process from start to stop.

Start: lease, journal, state from the log, session records, venue, links. Stop: no new risk,
strategies end, the end policy, a last hash, a snapshot, everything forced to disk. Each refusal to
start has its exit code (docs/reference/commands.md).
"""

import asyncio
import contextlib
import gc
import signal
import time
from collections.abc import Iterator
from typing import Final

import msgspec

from plimsoll import __version__
from plimsoll.control import BeatSender, ControlError, ControlServer, Life
from plimsoll.core.engine import Core, snapshot
from plimsoll.core.feed import StreamName
from plimsoll.core.records import (
    Configured,
    InstrumentListed,
    LeaseTaken,
    SessionStopping,
    SpaceChanged,
    StrategyRestored,
)
from plimsoll.core.settings import to_text
from plimsoll.engine.authority import Authority
from plimsoll.engine.beating import Heart, Pulse, announce, notify
from plimsoll.engine.clock import EngineClock
from plimsoll.engine.commands import Commands
from plimsoll.engine.engine import Engine
from plimsoll.engine.gateway import Gateway
from plimsoll.engine.guard import CallbackGuard
from plimsoll.engine.outside import Outside
from plimsoll.engine.practice import Practice
from plimsoll.engine.renewing import Renewing
from plimsoll.engine.restoring import (
    SNAPSHOTS,
    Restored,
    highest_epoch_of,
    restore_state,
)
from plimsoll.engine.settings import EngineSettings
from plimsoll.engine.shadowing import newest_states
from plimsoll.journal import (
    Journal,
    JournalDamaged,
    JournalError,
    JournalSettings,
    repair,
    write_snapshot,
)
from plimsoll.lease import FileLease, LeaseError, LeaseHeld, take
from plimsoll.observe import start_logging
from plimsoll.venues.bybit.errors import (
    AccountUnsupported,
    CredentialsRefused,
    UnknownInstrument,
    VenueError,
    VenueUnreachable,
)
from plimsoll.venues.bybit.links import parsers_for
from plimsoll.venues.bybit.venue import BybitVenue
from plimsoll.websocket.shell import Timer

SOCKET: Final = "engine.sock"
STOP_DEADLINE_NS: Final = 10_000_000_000
SECOND_NS: Final = 1_000_000_000
TIMER_SLACK_S: Final = 0.001
"""The loop's timers have millisecond grain: too late by this is better than too early, twice."""

FILTERS_NS: Final = 60_000_000_000
FILTERS_SOON_NS: Final = 5_000_000_000
FEES_NS: Final = 3_600_000_000_000
"""How often filters are read again; sooner after a refusal that they explain; and fee rates."""

TOPICS_EACH_S: Final = 10
"""How often telemetry also has the numbers of each connection and topic: they are many."""

CLOCK_WARN_NS: Final = 250_000_000

_EXIT_OF: Final[tuple[tuple[type[Exception], int], ...]] = (
    (UnknownInstrument, 3),
    (CredentialsRefused, 5),
    (VenueUnreachable, 6),
    (AccountUnsupported, 7),
    (LeaseHeld, 7),
    (LeaseError, 7),
    (JournalDamaged, 7),
    (JournalError, 7),
    (VenueError, 3),
    (ControlError, 7),
    (OSError, 7),
)


class Refused(Exception):
    """The engine does not start, with the exit code and the words for it."""

    def __init__(self, code: int, text: str) -> None:
        """Carry both."""
        super().__init__(text)
        self.code = code


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
    with _refusing():
        settings.run_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        announce(settings.run_dir)
        lease, restored = _take(settings)
        try:
            journal = Journal.open(
                settings.journal_dir,
                settings.core.account,
                lease.epoch,
                JournalSettings(
                    sync=settings.sync,
                    market_keep_bytes=settings.market_keep_bytes,
                    market_keep_s=settings.market_keep_s,
                ),
            )
        except OSError as error:
            lease.release()
            where, why = settings.journal_dir, error.strerror or error
            raise JournalError(
                f"cannot open {where}: {why}; check the disk, the folder and free space"
            ) from error
        except BaseException:
            lease.release()
            raise
    try:
        yield Process(settings, lease, journal, restored)
    finally:
        lease.held = False
        with contextlib.suppress(JournalError):
            journal.close()
        lease.release()


def _take(settings: EngineSettings) -> tuple[FileLease, Restored]:
    """Take the lease with an epoch above every one in the journal, and read the journal."""
    account = settings.core.account
    lease = take(settings.lease_dir, account, "engine")
    try:
        repair(settings.journal_dir, account)  # what a power cut left is read by nobody before
        restored = restore_state(settings.journal_dir, keep=True)
        seen = highest_epoch_of(restored.state, settings.core.tag)
        if seen >= lease.epoch:  # the epoch file was lost, or is an old copy
            lease.release()
            lease = take(settings.lease_dir, account, "engine", floor=seen)
    except BaseException:
        lease.release()
        raise
    return lease, restored


@contextlib.contextmanager
def _refusing() -> Iterator[None]:
    """Turn what stands against a start into a refusal with its exit code."""
    try:
        yield
    except tuple(kind for kind, _ in _EXIT_OF) as error:
        code = next(code for kind, code in _EXIT_OF if isinstance(error, kind))
        raise Refused(code, str(error)) from error


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
        self.pulse = Pulse(self.clock)
        self.heart = Heart(outside.guard or BeatSender(settings.run_dir), self._beat, self.shell)
        self.failure: BaseException | None = None
        self._stop_reason = ""
        self._is_warned = False
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
            with _refusing():
                await self._start()
                await server.start()
            self.log.ready(
                self.lease.epoch, list(self.venue.instruments), (time.monotonic() - started) * 1e3
            )
            notify("READY=1")
            _settle_memory()
            beside = [
                asyncio.create_task(self._each_second()),
                asyncio.create_task(self._keep_filters()),
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

    async def _each_second(self) -> None:
        """Telemetry, renewal of books a snapshot would mend, young garbage."""
        now = self.clock.monotonic_ns
        due_ns, seconds = now() + SECOND_NS, 0
        while True:
            await self.shell.sleep(max(0, due_ns - now()) / 1e9)
            lag_ns = now() - due_ns
            due_ns = max(due_ns + SECOND_NS, now())
            self.engine.meter.loop_lag.add_ns(max(0, lag_ns))
            counters, gauges = self.venue.metrics(with_topics=seconds % TOPICS_EACH_S == 0)
            self._watch_space()
            self.commands.obey_standing_request()
            gauges["journal_behind"] = self.engine.seq - self.journal.forced_seq
            gauges |= self._live_markets()
            self.engine.tell(counters, gauges)
            now_ns = self.clock.now_ns()
            for name, market in self.core.markets.items():
                if market.wants_renewal(now_ns) and name in self.venue.instruments:
                    self.venue.resubscribe(name)
            seconds += 1
            self._tidy(seconds)

    def _live_markets(self) -> dict[str, float]:
        """Return for each instrument whether all of its streams are LIVE."""
        now_ns = self.clock.now_ns()
        return {
            f"live.{name}": float(market.doubt(now_ns, tuple(StreamName)) is None)
            for name, market in self.core.markets.items()
        }

    def _tidy(self, seconds: int) -> None:
        """Collect what a second left behind; the collector does nothing by itself."""
        gc.collect(2 if seconds % 60 == 0 else 1)

    async def _keep_filters(self) -> None:
        """Read filters each minute and where an order was refused for them, fees each hour."""
        now = self.clock.monotonic_ns
        read_at = fees_at = now()
        while True:
            await self.shell.sleep(1.0)
            waited = now() - read_at
            if waited < (FILTERS_SOON_NS if self.venue.has_misfit else FILTERS_NS):
                continue
            read_at = now()
            with_fees = read_at - fees_at >= FEES_NS
            fees_at = read_at if with_fees else fees_at
            await self._read_filters(with_fees=with_fees)

    async def _read_filters(self, *, with_fees: bool) -> None:
        try:
            changed = await self.venue.refresh(with_fees=with_fees)
        except VenueError as error:
            self.engine.trouble("filters", "refresh", str(error))
            return
        for instrument in changed:
            self.engine.put(InstrumentListed(*self.engine.stamp(), instrument))
        if changed:
            # The core may keep the old steps until what is open fits the new ones.
            self.venue.adopt(list(self.core.state.instruments.values()))

    def _watch_space(self) -> None:
        """Tell once that space is getting short; forbid new risk while there is none (JRN-4)."""
        if self.journal.low_space != self.core.safety.is_space_low:
            self.engine.put(SpaceChanged(*self.engine.stamp(), self.journal.low_space))
        self._tell_of_space()

    def _tell_of_space(self) -> None:
        lost = self.journal.market_failure
        if (self.journal.warn_space or lost) and not self._is_warned:
            self._is_warned = True
            text = f"market log: {lost}" if lost else "space is getting short"
            self.engine.trouble("disk", str(self.settings.journal_dir), text)

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
        self._tell_of_space()
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


def _settle_memory() -> None:
    """Keep the collector away from the hot path: what lives now lives long."""
    gc.collect()
    gc.freeze()
    gc.disable()
