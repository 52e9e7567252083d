"""What a person commands: by the control socket, a signal, a file left while nobody was there.

Each becomes a record before anything follows from it; what cannot be carried out is refused first.
"""

import asyncio
import contextlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from plimsoll.control import Answer, Command
from plimsoll.core.engine.judging import CommandRefused, ReloadArgs, read_command
from plimsoll.core.model import ACCOUNT, Mode
from plimsoll.core.records import OperatorCommand, SignalReceived
from plimsoll.core.risk.limits import is_wider, refusal_of
from plimsoll.core.settings import StrategySettings
from plimsoll.engine.authority import Authority
from plimsoll.engine.clock import EngineClock
from plimsoll.engine.engine import Engine
from plimsoll.engine.renewing import Renewing
from plimsoll.journal import Journal, JournalError
from plimsoll.lease import FileLease

KEEP_S: Final = 1.0
"""Seconds the answer to a command waits for the disk."""

NOT_ON_DISK: Final = "done and in the log; the disk stands still, so a power cut now would lose it"

HALT_REQUEST: Final = "halt.json"
"""Standing request in the run directory: a halt asked for while no engine ran."""

SIGNAL: Final = "signal"
"""Not among an operator's commands: it tells an instance something, and nothing else."""

_STANDING: Final = ("scope", "keep_orders", "protections_too", "all", "flatten")
"""What a standing request may say beside who and why."""


class SignalArgs(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """``signal``: whom it is for, what it says, and when it was made, Unix ms."""

    strategy: str
    payload: dict[str, object]
    at_ms: int = 0


class Commands:
    """Takes commands for the engine of one session."""

    def __init__(
        self,
        run_dir: Path,
        engine: Engine,
        lease: FileLease,
        journal: Journal,
        authority: Authority,
        clock: EngineClock,
        stop: Callable[[str, int], None],
        failure: Callable[[], BaseException | None],
        renewing: Renewing | None = None,
    ) -> None:
        """Share the session's parts.

        Args:
            run_dir: Where a standing request lies.
            engine: Gets the records.
            lease: Of this session; commands may be meant for one of before.
            journal: What was accepted is on its disk when it is answered.
            authority: Proves what only a person with the passphrase may.
            clock: Of the session.
            stop: Begins the end of the session, with reason and exit code.
            failure: Returns what has ended it already, None while nothing has.
            renewing: Loads new code of strategies; None where it is at hand without.
        """
        self.run_dir = run_dir
        self.engine = engine
        self.core = engine.core
        self.lease = lease
        self.journal = journal
        self.authority = authority
        self._clock = clock
        self._stop = stop
        self._failure = failure
        self._renewing = renewing

    async def prepare(self, command: Command) -> str:
        """Do, in its own time, what a command needs before it is decided about.

        Returns:
            Why it is refused, empty where it may be taken: new code is loaded by then.
        """
        settings = self._coming(command)
        if settings is None or self._renewing is None or self._renewing.has(settings):
            return ""
        return await self._renewing.load(settings)

    def obey_standing_request(self) -> None:
        """Halt where a person asked for it while no engine answered, or a watchdog acted."""
        path = self.run_dir / HALT_REQUEST
        if path.exists() and not self.core.is_ended and self._failure() is None:
            try:
                found = json.loads(path.read_text())
            except ValueError:
                found = {}
            found = found if isinstance(found, dict) else {}
            actor, reason = str(found.get("actor", "unknown")), str(found.get("reason", "halt"))
            args = {key: found[key] for key in _STANDING if key in found}
            # What the core cannot understand of it halts the account: the safe side of a halt.
            args["reason"] = reason
            self.give(f"standing-{self.lease.epoch}", actor, "halt", args)
            with contextlib.suppress(JournalError):  # the request stays for the next start
                self.journal.force()
                path.unlink()

    def take(self, command: Command) -> Answer:
        """Take a command from the control socket; acceptance means it is in the log."""
        if command.epoch and command.epoch != self.lease.epoch:
            reason = f"the session is {self.lease.epoch}, the command was for {command.epoch}"
            return Answer(id=command.id, accepted=False, reason=reason)
        if command.cmd == SIGNAL:
            return self._signal(command)
        try:
            read_command(self.core.state, command.cmd, command.args)
        except CommandRefused as refusal:
            return Answer(id=command.id, accepted=False, reason=str(refusal))
        reason = self._why_not(command)
        if reason:
            return Answer(id=command.id, accepted=False, reason=reason)
        seq = self.give(command.id, command.actor, command.cmd, command.args)
        if command.cmd == "stop":
            self._stop(f"{command.actor}: stop", 0)
        failure = self._failure()
        if failure is not None:
            return Answer(id=command.id, accepted=False, reason=str(failure))
        return Answer(id=command.id, accepted=True, seq=seq)

    def _signal(self, command: Command) -> Answer:
        """Take a signal: it is an input of its own and can do nothing that a command can.

        One whose id is known gets the first one's answer, also in a later session.
        """
        try:
            args = msgspec.convert(command.args, SignalArgs)
        except msgspec.ValidationError as error:
            return Answer(id=command.id, accepted=False, reason=f"signal: {error}")
        payload = json.dumps(args.payload)
        first = self.core.state.changes.signals.get(args.strategy, {}).get(command.id)
        changing, now_ns = self.core.changing, self._clock.now_ns()
        reason = ""
        if first is not None and first.payload != payload:
            reason = f"id {command.id} was used for another signal: give each its own"
        elif first is None and changing is None:
            reason = "the engine is starting"
        elif first is None and changing is not None:
            reason = changing.why_not_signal(args.strategy, payload, args.at_ms, now_ns)
        if reason:
            return Answer(id=command.id, accepted=False, reason=reason)
        if first is not None:
            return Answer(id=command.id, accepted=True, seq=first.seq)
        stamp = self.engine.stamp()
        self.engine.put(
            SignalReceived(*stamp, args.strategy, command.id, command.actor, payload, args.at_ms)
        )
        failure = self._failure()
        if failure is not None:
            return Answer(id=command.id, accepted=False, reason=str(failure))
        return Answer(id=command.id, accepted=True, seq=stamp[0])

    def _coming(self, command: Command) -> StrategySettings | None:
        """Return the settings an instance would have after a reload; ``None`` where none comes."""
        changing = self.core.changing
        if command.cmd != "strategy-reload" or changing is None:
            return None
        try:
            args = read_command(self.core.state, command.cmd, command.args)
        except CommandRefused:
            return None
        assert isinstance(args, ReloadArgs)
        return None if changing.why_not(command.cmd, command.args) else changing.coming(args)

    async def kept(self, answer: Answer) -> Answer:
        """Return the answer once its record is on disk: what is said to stand outlives the power.

        A disk that stands still keeps nobody waiting for longer than a second.
        """
        forced = asyncio.get_running_loop().run_in_executor(None, self.journal.force_trading)
        try:
            await asyncio.wait_for(asyncio.shield(forced), KEEP_S)
        except TimeoutError:
            forced.add_done_callback(lambda done: done.exception())  # the journal tells of it
            return msgspec.structs.replace(answer, reason=NOT_ON_DISK)
        except JournalError as error:
            return Answer(id=answer.id, accepted=False, reason=str(error), seq=answer.seq)
        return answer

    def pause(self) -> None:
        """Pause the account by SIGUSR1: for whoever has a process id and nothing else."""
        seq, *_ = self.engine.stamp()
        if ACCOUNT not in self.core.safety.pauses:
            args: dict[str, object] = {"reason": "signal SIGUSR1"}
            self.give(f"signal-{seq}", "SIGUSR1", "pause", args)

    def give(self, number: str, actor: str, cmd: str, args: dict[str, object]) -> int:
        """Put a command on record and carry it out; return its seq.

        Args:
            number: Of the command, unique within the log.
            actor: Who gives it.
            cmd: Its name.
            args: What it says, as the control socket carries it.
        """
        stamp = self.engine.stamp()
        self.engine.put(OperatorCommand(*stamp, number, actor, cmd, json.dumps(args)))
        return stamp[0]

    def _why_not(self, command: Command) -> str:
        """Return why a command would come to nothing, or may not be given; empty where neither."""
        state, args = self.core.state, command.args
        changing = self.core.changing
        if changing is not None:
            reason = changing.why_not(command.cmd, args)
            coming = self._coming(command)
            if not reason and coming and self._renewing and not self._renewing.has(coming):
                reason = "its code was not loaded first"
            if reason:
                return reason
        scope = str(args.get("scope", ""))
        if command.cmd == "reset":
            now_ns = self._clock.now_ns()
            return state.trips.why_not_reset(str(args.get("breaker", "")), scope, now_ns)
        if command.cmd == "mode":
            is_down = str(args.get("mode", "")) == Mode.PAPER
            is_proof = bool(args.get("override") or args.get("evidence"))
            return self.authority.proved(command) if is_proof and not is_down else ""
        if command.cmd != "limits":
            return ""
        key, value = str(args.get("key", "")), args.get("value")
        reason = refusal_of(scope, key, value, state.settings)
        if reason or not isinstance(value, int):
            return reason
        is_raise = is_wider(key, value, state.limits.value(scope, key))
        return self.authority.proved(command) if is_raise else ""
