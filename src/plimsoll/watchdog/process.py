"""The watchdog from start to stop: hears beats, acts when they stay away, and tells what it does.

No shared memory, key or connection with the engine: a beat a datagram, the venue by REST.
Order of an act: noted in its own log, the standing halt left behind, then cancels (RSK-9).
"""

import asyncio
import contextlib
import signal
import time
from typing import Final

from plimsoll.control import WATCHDOG_SOCKET, Answer, Beat, BeatListener, Command, ControlServer
from plimsoll.core.model import guard_id
from plimsoll.observe import Log, start_logging
from plimsoll.venues.bybit.ports import Clock
from plimsoll.watchdog.clearing import Clearing
from plimsoll.watchdog.diary import Diary
from plimsoll.watchdog.flattening import flatten
from plimsoll.watchdog.hands import Hands
from plimsoll.watchdog.settings import WatchdogSettings
from plimsoll.watchdog.vigil import Phase, Vigil

LOOK_S: Final = 0.1
MEASURE_S: Final = 30.0
"""How often the venue's clock is measured: an act begins without a question about the time."""

AGAIN_S: Final = 5.0
"""Between clearings while an act stands: what turns up late goes too."""


def serve(settings: WatchdogSettings, clock: Clock) -> int:
    """Run until SIGTERM or SIGINT; return the exit code.

    Raises:
        ControlError: another watchdog serves this account, or a socket cannot be made.
        CredentialsRefused: the key cannot be used for signing.
    """
    start_logging()
    return asyncio.run(Watchdog(settings, clock).run())


class Watchdog:
    """One watchdog of one account."""

    def __init__(self, settings: WatchdogSettings, clock: Clock) -> None:
        """Put the parts together; nothing runs yet."""
        self.settings = settings
        self.vigil = Vigil(settings.patience_ns, settings.restart_ns, _now_ns())
        self.acts = 0
        self._clock = clock
        self._log = Log("plimsoll.watchdog")
        self._hands = Hands(settings.venue, clock)
        self._diary = Diary(settings.journal_dir, settings.account, self._trouble)
        self._reductions = 0
        self._act: asyncio.Task[None] | None = None
        self._stop = asyncio.Event()
        self._code = 0

    async def run(self) -> int:
        """Watch until told to stop; return the exit code."""
        loop = asyncio.get_running_loop()
        for number, code in ((signal.SIGTERM, 143), (signal.SIGINT, 130)):
            loop.add_signal_handler(number, self._asked_to_stop, code)
        run_dir = self.settings.run_dir
        run_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        server = ControlServer(run_dir / WATCHDOG_SOCKET, self._command)
        listener = BeatListener(run_dir, self._hear)
        tasks: list[asyncio.Task[None]] = []
        try:
            await server.start()  # first: it refuses where another watchdog listens
            listener.start()
            self._tell("watching", reach=str(self.settings.reach), start=self._diary.epoch)
            self._resume()
            tasks = [asyncio.create_task(self._look()), asyncio.create_task(self._measure())]
            for task in tasks:
                task.add_done_callback(self._died)
            await self._stop.wait()
        finally:
            await _end(tasks + ([self._act] if self._act else []))
            listener.close()
            await server.close()
            await self._hands.close()
            self._tell("ended", phase=str(self.vigil.phase))
            self._diary.close()
        return self._code

    def _died(self, task: asyncio.Task[None]) -> None:
        """End the process where a part of it ended: one that only seems to watch is worse."""
        if not task.cancelled() and (error := task.exception()) is not None:
            self._log.failed(error)
            self._asked_to_stop(1)

    def _resume(self) -> None:
        """Go on where a watchdog that was killed left off: its log tells what it was about."""
        left = self._diary.left
        if left.is_acting:
            self._begin("it was killed in the middle of an act")
        elif left.epoch:
            self.vigil.restore(left.epoch, _now_ns())

    # ---- what comes in ----

    def _hear(self, beat: Beat) -> None:
        before, epoch = self.vigil.life, self.vigil.epoch
        self.vigil.hear(beat, _now_ns())
        if (self.vigil.life, self.vigil.epoch) != (before, epoch):
            self._tell("engine", life=str(self.vigil.life), epoch=self.vigil.epoch, pid=beat.pid)

    def _command(self, command: Command) -> Answer:
        if command.cmd == "act":
            reason = str(command.args.get("reason", "")) or "asked to"
            self._begin(f"{command.actor}: {reason}")
            return Answer(id=command.id, accepted=True)
        if command.cmd == "state":
            return Answer(id=command.id, accepted=True, reason=self.words())
        reason = f"unknown command {command.cmd!r}; known: act, state"
        return Answer(id=command.id, accepted=False, reason=reason)

    def words(self) -> str:
        """Return what it is about, for a person."""
        vigil = self.vigil
        age_s = (_now_ns() - vigil.progress_ns) / 1e9
        if vigil.phase is Phase.ACTING:
            return f"acting since it saw epoch {vigil.epoch} stand still; a halt stands"
        if vigil.phase is Phase.IDLE:
            return "idle: no engine beats"
        return f"watching epoch {vigil.epoch}, last progress {age_s:.1f} s ago"

    def _asked_to_stop(self, code: int) -> None:
        self._code = code
        self._stop.set()

    # ---- what it does ----

    async def _look(self) -> None:
        while True:
            reason = self.vigil.look(_now_ns())
            if reason:
                self._begin(reason)
            await asyncio.sleep(LOOK_S)

    async def _measure(self) -> None:
        while True:
            trouble = await self._hands.measure()
            if trouble:
                self._trouble("venue", trouble)
            await asyncio.sleep(MEASURE_S)

    def _begin(self, reason: str) -> None:
        """Record, leave the halt, then let the act run; one that runs already goes on."""
        self.vigil.acts(_now_ns())
        self.acts += 1
        self._tell("acts", is_bad=True, reason=reason, reach=str(self.settings.reach))
        try:
            self.settings.leave_halt(f"watchdog: {reason}")
        except OSError as error:  # the cancels matter more
            self._trouble("halt", f"the standing halt cannot be written: {error.strerror}")
        if self._act is None or self._act.done():
            self._act = asyncio.create_task(self._carry_out())

    async def _carry_out(self) -> None:
        """Clear again and again until the act is over; no fault of ours may end it before."""
        flattens = self.settings.flatten
        while True:
            try:
                await self._clear()
                if flattens:
                    flattens = not await self._flatten()  # once: what is left is a person's choice
            except Exception as error:  # task root: what is left is still to be cancelled
                self._log.failed(error)
            if self.vigil.stands_down():
                self._tell("stands down", phase=str(self.vigil.phase), epoch=self.vigil.epoch)
                return
            await asyncio.sleep(AGAIN_S)

    async def _clear(self) -> None:
        settings = self.settings
        outcome = await Clearing(self._hands, settings.reach, settings.tag, self._note).run()
        self._tell(
            "cleared",
            cancelled=len(outcome.cancelled),
            protection=len(outcome.protection),
            foreign=len(outcome.foreign),
            failed_requests=outcome.failed_requests,
        )
        self.vigil.cleared()

    async def _flatten(self) -> bool:
        done = await flatten(self._hands, self._number, self._note)
        left = [f"{one.symbol} {one.signed_size}" for one in done.left]
        self._tell("flattened", is_bad=bool(left), sent=done.sent, left=left)
        return True

    def _number(self) -> str:
        self._reductions += 1
        return guard_id(self.settings.tag, self._diary.epoch, self._reductions)

    # ---- telling ----

    def _tell(self, event: str, *, is_bad: bool = False, **fields: object) -> None:
        """Note an event, then tell it on stderr."""
        self._diary.note(self._clock.now_ns(), event, fields)
        self._log.watchdog(event, is_bad=is_bad, fields=fields)

    def _note(self, event: str, fields: dict[str, object]) -> None:
        """Note a step of an act; failures are told on stderr besides."""
        self._diary.note(self._clock.now_ns(), event, fields)
        if "why" in fields:
            self._trouble(event, str(fields["why"]))

    def _trouble(self, code: str, text: str) -> None:
        self._log.trouble(code, "watchdog", text)


async def _end(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    for task in tasks:
        with contextlib.suppress(asyncio.CancelledError, Exception):  # told where it was raised
            await task


def _now_ns() -> int:
    """Return ns of the clock that goes on while the machine is suspended."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)
