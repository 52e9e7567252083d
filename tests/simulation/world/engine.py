"""The machine an engine runs on: starts it, kills it anywhere, cuts its power, starts it again.

The process is the product's own (``engine.process.Process``); what it touches outside are the
kernel's time and work, the network's lines and the disk's journal.
"""

import gc
from collections.abc import Callable, Coroutine, Iterable
from pathlib import Path
from typing import Any, Final

import msgspec
from tests.simulation.world.choices import Choices
from tests.simulation.world.disk import SETTINGS, Disk, WorldJournal
from tests.simulation.world.facts import Violation
from tests.simulation.world.judge import Witness
from tests.simulation.world.kernel import Event, Kernel, Pause, Work
from tests.simulation.world.network import Network, WorldLine, WorldTransport

from plimsoll.control import BeatSender, Command, Life
from plimsoll.core.engine import Load
from plimsoll.core.records import FRAME_KIND
from plimsoll.core.settings import CoreSettings, StrategySettings
from plimsoll.engine.claiming import take_over
from plimsoll.engine.clock import EngineClock
from plimsoll.engine.outside import Outside
from plimsoll.engine.process import Process
from plimsoll.engine.refusing import Refused, refusing
from plimsoll.engine.settings import EngineSettings
from plimsoll.journal import JournalError
from plimsoll.lease import FileLease
from plimsoll.observe import Log
from plimsoll.venues.bybit import BybitSettings, Secret, environment
from plimsoll.websocket.shell import Caller, Ended, Line, Place, Timer
from plimsoll.websocket.shell import Work as Works

_SECOND: Final = 1_000_000_000
_RESTARTS_NS: Final = 200_000_000
_RETRY_NS: Final = 2 * _SECOND
"""A process that refused to start, or ended by a fault, is started again after this."""


BAN_S: Final = 5.0
"""How long REST is silent after a 403, here and there; ten minutes would outlast a run."""


class Killed(BaseException):
    """The process is gone, in the middle of what it was doing. Not an ``Exception``: no one in the
    product may catch it."""


class WorldClock(EngineClock):
    """The machine's clock: off by an amount, and faster or slower than it should be."""

    def __init__(self, kernel: Kernel, offset_ns: int, drift_ppm: int) -> None:
        """Begin now."""
        self._kernel = kernel
        self._drift_ppm = drift_ppm
        self._base = offset_ns

    def monotonic_ns(self) -> int:
        """Return monotonic nanoseconds."""
        now_ns = self._kernel.now_ns
        return now_ns + (now_ns - self._kernel.start_ns) * self._drift_ppm // 1_000_000

    def now_ns(self) -> int:
        """Return Unix nanoseconds."""
        now_ns = self._kernel.now_ns
        drifted = (now_ns - self._kernel.start_ns) * self._drift_ppm // 1_000_000
        return self._base + now_ns + drifted

    def boot_ns(self) -> int:
        """Return the same: this machine never sleeps."""
        return self.monotonic_ns()


class Nobody(BeatSender):
    """No watchdog listens here."""

    def __init__(self) -> None:
        """Open nothing."""

    def send(
        self, life: Life, seq: int = 0, epoch: int = 0, ts_ns: int = 0, *, is_ready: bool = False
    ) -> bool:
        """Tell nobody."""
        return False

    def close(self) -> None:
        """Nothing was opened."""


class WorldLog(Log):
    """Keeps what the process tells."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        """Tell it to the story."""
        super().__init__()
        self._story = tell
        self.error: BaseException | None = None

    def failed(self, error: BaseException) -> None:
        """Keep the failure."""
        self.error = error
        self._story(f"engine failed: {error!r}")

    def trouble(self, code: str, subject: str, text: str) -> None:
        """Tell it; strategies that fall back to their checkpoints lost what they knew."""
        super().trouble(code, subject, text)
        if code == "not-restored":
            raise Violation(f"{subject} not restored: {text}")

    def _tell(self, level: int, message: str, **fields: object) -> None:
        self._story(f"{message} {fields}")


class WorldShell:
    """Time, work and sockets of one process: all of it ends with the process."""

    def __init__(self, machine: "Machine") -> None:
        self.is_alive = True
        self._machine = machine
        self._kernel = machine.kernel
        self._works: dict[Work, None] = {}
        self.lines: dict[WorldLine, None] = {}

    def run(self, act: Callable[..., object], *args: Any) -> None:
        """Run something as this process; nothing where it is dead."""
        if not self.is_alive:
            return
        if self._machine.is_paused:
            self._machine.paused.append((self, act, args))
            return
        try:
            act(*args)
        except Killed as death:
            self._machine.die(str(death))

    def call_later(self, delay_s: float, act: Callable[..., object], *args: Any) -> Timer:
        """Call ``act`` once."""
        event: Event = self._kernel.after(int(delay_s * 1e9), self.run, act, *args)
        return event

    def start(
        self, work: Coroutine[Any, Any, None], name: str, ended: Ended | None = None
    ) -> Works:
        """Run ``work`` from the next event on; without ``ended`` a failure is a violation."""
        made = Work(work, name, ended)
        self._works = {one: None for one in self._works if not one.is_over}
        self._works[made] = None
        self._kernel.after(0, self.run, made.step)
        return made

    async def end(self, works: Iterable[Works]) -> None:
        """Cancel works."""
        for work in works:
            work.cancel()

    async def sleep(self, seconds: float) -> None:
        """Let time pass."""
        pause = Pause()
        self._kernel.after(int(seconds * 1e9), self.run, pause.end)
        await pause

    def dial(self, caller: Caller, place: Place, deadline_s: float) -> Line:
        """Begin to connect."""
        machine = self._machine
        line = WorldLine(machine.network, caller, place, self.run, machine.io, deadline_s)
        self.lines = {one: None for one in self.lines if one.is_open}
        self.lines[line] = None
        return line

    def surface(self, text: str, error: Exception) -> None:
        """A failure nobody waits for is a bug."""
        raise Violation(f"{text}: {error!r}") from error

    def die(self, *, has_power: bool) -> None:
        """Stop at once."""
        self.is_alive = False
        for line in self.lines:
            if line.is_open:
                line.die(has_power=has_power)
        for work in self._works:
            work.kill()


class WorldProcess(Process):
    """The engine process without signals and sockets of its own."""

    ended: Pause

    def _asked_to_stop(self, reason: str, code: int) -> None:
        if not self._stop_reason:
            self._exit_code = code
        super()._asked_to_stop(reason, code)
        self.ended.end()

    def _failed(self, error: BaseException) -> None:
        super()._failed(error)
        self.ended.end()


def tidy(seconds: int) -> None:
    """Collect as the engine does, less often: there is no pause to keep short here."""
    if not seconds % 60:
        gc.collect(1)


class Machine:
    """One computer with one engine on it."""

    def __init__(
        self,
        kernel: Kernel,
        network: Network,
        directory: Path,
        core: CoreSettings,
        load: Load,
        choices: Choices,
        judge: Witness,
        tell: Callable[[str], None],
        sync: str = "kernel",
    ) -> None:
        self.kernel = kernel
        self.network = network
        self.choices = choices
        self.disk = Disk(kernel, choices)
        self.process: WorldProcess | None = None
        self.offset_ns = 0
        self.drift_ppm = 0
        self._sizes = msgspec.structs.replace(SETTINGS, sync=sync)
        self.is_wanted = True
        """Whether a process that ended is started again."""
        self.is_paused = False
        self.paused: list[tuple[WorldShell, Callable[..., object], tuple[Any, ...]]] = []
        self.starts = self.deaths = self.refusals = 0
        self.commands = 0
        self.messages = 0
        self._core = core
        self._judge = judge
        self._tell = tell
        self._lease: FileLease | None = None
        self._shell: WorldShell | None = None
        self._journal: WorldJournal | None = None
        self._dies_in = 0
        self._loses_power = False
        self._until_io = ""
        self._settings = _settings(directory, core, load)

    # ---- life and death ----------------------------------------------------------------------

    def start(self) -> None:
        """Start the process, as its supervisor does."""
        if self.process is not None or not self.is_wanted:
            return
        self.starts += 1
        self._tell("start")
        shell = self._shell = WorldShell(self)
        shell.run(self._boot, shell)

    def kill(self, after_io: int = 0, *, power: bool = False) -> None:
        """Kill it now, or in the middle of the n-th write or send from now on."""
        self._loses_power = power
        if after_io:
            self._dies_in = after_io
        else:
            self.die("killed")

    def io(self, what: str) -> None:
        """Stand at a point where a kill is told apart: before and after each write and send."""
        if self._dies_in:
            self._dies_in -= 1
            if not self._dies_in:
                raise Killed(f"killed at: {what}")

    def die(self, how: str) -> None:
        """Be dead; the supervisor starts it again."""
        self._dies_in = 0
        power, self._loses_power = self._loses_power, False
        shell, journal, lease = self._shell, self._journal, self._lease
        self.process = self._shell = self._journal = self._lease = None
        if shell is None:
            return
        if lease is not None:
            lease.forget()
        self.is_paused = False
        self.deaths += 1
        self._tell(f"{how}{', power lost' if power else ''}")
        shell.die(has_power=not power)
        is_lost = power
        if journal is not None:
            is_lost = journal.die(has_power=not power)
        if power:
            self.disk.boots += 1
        self._judge.died(power=is_lost)
        self._again(_RESTARTS_NS * (1 + self.choices.choose("down for", 25)))

    def _again(self, delay_ns: int) -> None:
        self.kernel.after(delay_ns, self.start)

    def freeze(self, seconds: float) -> None:
        """Stop the process where it stands (SIGSTOP) and let it go on later."""
        self.is_paused = True
        self.kernel.after(int(seconds * 1e9), self._thaw)

    def calm(self) -> None:
        """Plan no death any more, and go on where it was frozen."""
        self._dies_in, self._loses_power = 0, False
        self._thaw()

    def _thaw(self) -> None:
        self.is_paused = False
        held, self.paused = self.paused, []
        for shell, act, args in held:
            shell.run(act, *args)

    # ---- one session -------------------------------------------------------------------------

    def _boot(self, shell: WorldShell) -> None:
        try:
            with refusing():
                self._lease, restored = take_over(self._settings)
                lease = self._lease
                journal = WorldJournal.open(
                    self._settings.journal_dir, self._core.account, lease.epoch, self._sizes
                )
        except Refused as refusal:
            self._refused(shell, refusal)
            return
        assert isinstance(journal, WorldJournal)
        self._journal = journal
        journal.live_on(self.disk, self)
        for note in journal.notes:
            self._tell(f"journal: {note}")
        venue = self._settings.venue
        transport = WorldTransport(self.network, shell.run, self.io, venue.rest_timeout_s)
        outside = Outside(
            shell=shell,
            transport=transport,
            clock=WorldClock(self.kernel, self.offset_ns, self.drift_ppm),
            log=WorldLog(self._tell),
            guard=Nobody(),
            tidy=tidy,
        )
        process = WorldProcess(self._settings, lease, journal, restored, outside)
        process.ended = Pause()
        self.process = process
        self._judge.began(lease.epoch, restored.state)
        shell.start(self._live(process, journal, lease), "session")

    def _refused(self, shell: WorldShell, refusal: Refused) -> None:
        """End a start that found lease or journal unusable; only a bad disk may be the cause."""
        if not self.disk.fails:
            raise Violation(f"the journal is refused after a crash: {refusal}") from refusal
        self._tell(f"refused to start: {refusal}")
        self.refusals += 1
        shell.is_alive = False
        if self._lease is not None:
            self._lease.forget()
        self._lease = self._shell = None
        self._again(_RETRY_NS)

    async def _live(self, process: WorldProcess, journal: WorldJournal, lease: FileLease) -> None:
        process._exit_code = 0
        code = 0
        try:
            with refusing():
                await process._start()
        except Refused as refusal:
            self._tell(f"refused to start: {refusal}")
            self.refusals += 1
            code = refusal.code
        else:
            self._tell(f"session {lease.epoch} runs")
            beside = [
                Work(process.upkeep.each_second(), "each second"),
                Work(process.upkeep.keep_filters(), "filters"),
            ]
            for work in beside:
                work.step()
            await process.ended
            await process._end()
            for work in beside:
                work.cancel()
        await process.venue.close()
        process.heart.stop(is_clean=True)
        self._over(process, journal, lease, code)

    def _over(
        self, process: WorldProcess, journal: WorldJournal, lease: FileLease, code: int
    ) -> None:
        """End the process in order, or as orderly as its failure lets it."""
        failure = process.failure
        if failure is not None and not isinstance(failure, JournalError):
            raise Violation(f"the engine failed: {failure!r}") from failure
        lease.held = False
        if failure is None and not self.disk.fails:
            journal.close()
        else:
            self._judge.died(power=journal.die(has_power=True))
            self.disk.fails = False  # a person replaced it
        lease.release()
        if self._shell is not None:
            self._shell.die(has_power=True)
        self.process = self._journal = self._shell = self._lease = None
        self._tell(f"ended with code {code or process._exit_code}")
        self._judge.ended(is_clean=failure is None and not code)
        self._again(_RETRY_NS)

    def abandon(self) -> None:
        """Let go of everything: the run is over."""
        shell, journal = self._shell, self._journal
        if self._lease is not None:
            self._lease.forget()
        self.process = self._shell = self._journal = self._lease = None
        if shell is not None:
            shell.die(has_power=False)
        if journal is not None:
            journal.die(has_power=True)

    # ---- what people do ----------------------------------------------------------------------

    @property
    def strategies(self) -> tuple[StrategySettings, ...]:
        """Return the instances that are configured."""
        return self._core.strategies

    def command(self, cmd: str, number: str = "", /, **args: object) -> None:
        """Give a command at the control socket, where somebody listens; ``number`` is its id."""
        if self._shell is not None and self.process is not None:
            self._shell.run(self._command, cmd, args, number)

    def _command(self, cmd: str, args: dict[str, object], number: str) -> None:
        process = self.process
        if process is None or process.core.settings is None or process._stop_reason:
            return
        self.commands += 1
        self._tell(f"command: {cmd} {args}")
        number = number or f"c{self.commands}"
        process.commands.authority._proved.add(number)  # whoever it is knows the passphrase
        process.commands.take(Command(id=number, actor="person", cmd=cmd, args=args))

    def terminate(self) -> None:
        """Ask the process to stop (SIGTERM)."""
        if self._shell is not None and self.process is not None:
            self._tell("SIGTERM")
            self._shell.run(self.process._asked_to_stop, "SIGTERM", 143)

    # ---- what the journal passes through -----------------------------------------------------

    def trading(self, append: Callable[[int, int, int, bytes], None]) -> Any:
        """Return an append that can be killed at, and that the judge sees."""
        io, recorded = self.io, self._judge.recorded

        def spied(seq: int, ts_ns: int, kind: int, payload: bytes) -> None:
            io("append")
            append(seq, ts_ns, kind, payload)
            recorded(seq, payload)
            io("appended")

        return spied

    def market(self, append: Callable[[int, int, int, bytes], None]) -> Any:
        """Return an append to the market log, counted."""

        def counted(seq: int, ts_ns: int, kind: int, payload: bytes) -> None:
            self.messages += kind == FRAME_KIND
            append(seq, ts_ns, kind, payload)

        return counted


PRACTICE_NS = 5_000_000
"""One world in four practises, as the product does by default: it costs a third of its speed."""


def _settings(directory: Path, core: CoreSettings, load: Load) -> EngineSettings:
    hosts = environment("simulator", simulator_port=1)
    run_dir = directory / "run"
    run_dir.mkdir(parents=True, exist_ok=True)
    venue = BybitSettings(
        rest_url=hosts.rest_url,
        public_url=hosts.public_url,
        private_url=hosts.private_url,
        trade_url=hosts.trade_url,
        key="sim-key",
        secret=Secret("sim-secret"),
        ban_s=BAN_S,
    )
    return EngineSettings(
        core=core,
        journal_dir=directory / "journal",
        lease_dir=directory / "lease",
        run_dir=run_dir,
        load=load,
        venue=venue,
        practice_ns=PRACTICE_NS if core.seed // 100 % 4 == 0 else 0,
    )
