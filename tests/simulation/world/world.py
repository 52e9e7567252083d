"""The whole system in one process and in virtual time: DST-1 to DST-9 of the requirements.

Real are strategies, core, engine loop, process, gateway, journal with its recovery, the venue
adapter, the WebSocket machines, and at the other end the simulated exchange with its faults.
Modelled are time, network, disk and the death of processes. One seed decides everything. A run is
chaos, then calm; after 30 s of calm everything must be well and equal to the exchange's record.
"""

import contextlib
import gc
import hashlib
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
from tests.simulation.world.changes import command_of, load
from tests.simulation.world.choices import Choices
from tests.simulation.world.ending import differences, unwell
from tests.simulation.world.engine import BAN_S, Machine
from tests.simulation.world.facts import Violation
from tests.simulation.world.judge import Judge
from tests.simulation.world.kernel import Kernel
from tests.simulation.world.network import Network
from tests.simulation.world.people import switch
from tests.simulation.world.scenario import START_NS, Act, Scenario, draw
from tests.simulation.world.venue import Venue

from plimsoll.core.engine import Core, Load
from plimsoll.core.model import Side
from plimsoll.core.settings import CoreSettings
from plimsoll.engine import prove, sessions
from plimsoll.engine.restoring import restore_state
from plimsoll.simulator.settings import SimSettings

_SECOND: Final = 1_000_000_000
WELL_S: Final = 30.0
"""Everything must be well so long after the last fault (Q18)."""
QUIET_S: Final = 10.0
"""Strategies go on for so long after the last fault: the calm is calm, not dead."""
_LOOK_NS: Final = 250_000_000
_LONG_S: Final = 3.5
"""A process that stood still for so long must know."""
_FUNDING_MIN: Final = 0.5
_LEVELS: Final = 5
"""Best levels of each book that must be the exchange's in the end."""

Mutate = Callable[[], contextlib.AbstractContextManager[object]]
"""Makes a broken variant of the product for the length of a run, as ``mock.patch`` does."""


class Outcome(msgspec.Struct):
    """What came of a run."""

    scenario: Scenario
    violation: str = ""
    at_s: float = 0.0
    trace: str = ""
    """Hash of everything that left a trace: both sides' records."""
    story: list[tuple[float, str]] = []
    counts: dict[str, int] = {}
    events: int = 0
    """Of the kernel."""
    virtual_s: float = 0.0
    harmful: dict[str, list[int]] = {}
    """By label which choices were not 0."""

    messages: int = 0
    """Public frames the engines took."""
    turns: dict[str, int] = {}
    """Turns taken by each strategy instance."""

    @property
    def size(self) -> int:
        """Return how much happened: acts, effects of faults, requests, choices of the world."""
        own = sum(len(found) for label, found in self.harmful.items() if not _is_fault(label))
        happened = self.counts.get("effects", 0) + self.counts.get("requests", 0)
        return len(self.scenario.acts) + happened + own


@contextlib.contextmanager
def _own_garbage() -> Iterator[None]:
    """Let the engine say when garbage is collected, as in its own process, and of this run only."""
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()


class World:
    """One run of one scenario."""

    def __init__(
        self,
        scenario: Scenario,
        *,
        is_told: bool = False,
        proves: bool = False,
        core: CoreSettings | None = None,
        strategies: Load | None = None,
        **sim: Any,
    ) -> None:
        """Put the parts together; ``is_told`` keeps the story, ``proves`` replays every session.

        ``core`` and ``strategies`` are another engine's than the scenario's, ``sim`` another
        exchange's.
        """
        self.scenario = scenario
        self.kernel = Kernel(START_NS)
        self.choices = Choices(scenario.seed, scenario.muted)
        self.proves = proves
        self.story: list[tuple[float, str]] = []
        self.directory = Path(tempfile.mkdtemp(prefix="world-", dir=_memory()))
        self._is_told = is_told
        self._turns: dict[str, int] = {}
        self._hash = hashlib.sha256()
        settings = core or scenario.core(START_NS, scenario.chaos_s + QUIET_S)
        self.load = strategies or load
        self.judge = Judge(settings)
        exchange = SimSettings(
            seed=scenario.seed,
            instrument=scenario.instruments[0],
            history_bars=3,
            speed=scenario.volatile,
            ban_s=BAN_S,
            funding_interval_min={
                name: _FUNDING_MIN
                for name in scenario.instruments
                if scenario.funds and name.startswith("linear:")
            },
            match_delay_ms=scenario.slow_ms,
            cancel_delay_ms=scenario.slow_ms,
            visibility_delay_ms=5 * scenario.slow_ms,
            history_delay_ms=5 * scenario.slow_ms,
            **sim,
        )
        self.venue = Venue(
            self.kernel,
            exchange,
            scenario.instruments,
            self.choices.choose,
            self._lines,
            scenario.pulse_ms,
        )
        self.network = Network(self.kernel, self.venue, self.choices)
        self.network.on_sent = self.judge.sent
        self.machine = Machine(
            self.kernel,
            self.network,
            self.directory,
            settings,
            self.load,
            self.choices,
            self,
            self.tell,
            scenario.sync,
        )

    # ---- the run -----------------------------------------------------------------------------

    def run(self) -> Outcome:
        """Run to the end or to the first violation."""
        violation = ""
        try:
            with self.machine.disk.mounted(), _own_garbage():
                self._run()
        except Violation as found:
            violation = str(found)
        except Exception as error:
            violation = f"{type(error).__name__} outside the engine's loop: {error}"
            if self._is_told:
                raise
        finally:
            self.machine.abandon()
            shutil.rmtree(self.directory, ignore_errors=True)
        violation = violation.replace(f"{self.directory}/", "")
        if violation:
            self.tell(f"VIOLATION: {violation}")
        machine = self.machine
        counts = dict(self.judge.counts) | {
            **self.judge.changes.counts,
            "records": self.judge.records,
            "starts": machine.starts,
            "refusals": machine.refusals,
            "lost bytes": machine.disk.lost_bytes,
        }
        return Outcome(
            self.scenario,
            violation,
            self.kernel.now_s,
            self._hash.hexdigest()[:16],
            self.story,
            counts,
            self.kernel.events,
            self.kernel.now_s,
            self.choices.harmful,
            machine.messages,
            self._turns,
        )

    def _run(self) -> None:
        scenario, kernel = self.scenario, self.kernel
        self.venue.start(scenario.asks, scenario.off)
        kernel.after(_SECOND // 10, self.machine.start)
        for act in scenario.acts:
            if act.at_s >= scenario.chaos_s:
                continue
            kernel.at(START_NS + int(act.at_s * 1e9), self._act, act)
        kernel.after(_LOOK_NS, self._look)
        self._until(scenario.chaos_s)
        self._calm()
        self._until(scenario.chaos_s + WELL_S)
        self._be_well()
        self._compare()
        self._stop()

    def _until(self, at_s: float) -> None:
        self.kernel.run(START_NS + int(at_s * 1e9))

    def _act(self, act: Act) -> None:
        self.tell(f"act: {act.what} {act.size:g} {act.lasts_s:g}")
        machine, kernel = self.machine, self.kernel
        lasts_ns = int(act.lasts_s * 1e9)
        match act.what:
            case "kill" | "power":
                machine.kill(int(act.size), power=act.what == "power")
            case "terminate":
                machine.terminate()
            case "freeze":
                machine.freeze(act.lasts_s)
                if act.lasts_s > _LONG_S:
                    kernel.after(lasts_ns - 1, self._stood_still, machine.starts)
            case "disk_fails":
                machine.disk.fails = True
                kernel.after(lasts_ns, self._mend)
            case "disk_stalls":
                machine.disk.stalled_until_ns = kernel.now_ns + lasts_ns
            case "disk_full":
                machine.disk.is_full = True
                kernel.after(lasts_ns, self._mend)
            case "lag":
                self.network.lag_ms = int(act.size)
                kernel.after(lasts_ns, self._unlag)
            case "clock":
                machine.offset_ns = int(act.size) * 1_000_000
                machine.drift_ppm = int(act.size) // 10
            case "set" | "reload" | "signal":
                self._change(act)
            case "mode":
                self._switch(int(act.size))
            case command:
                self._command(command)

    def _change(self, act: Act) -> None:
        """Change a strategy; ``lasts_s``: the death of the process so many writes after it."""
        owners = [one.name for one in self.machine.strategies]
        cmd, args = command_of(act.what, int(act.size), owners)
        if act.lasts_s >= 1:
            self.machine.kill(int(act.lasts_s))
        if cmd != "signal":
            self.machine.command(cmd, **args, reason="the scenario")
            return
        for _ in range(1 + int(act.size) % 2):  # its sender is not sure that it arrived
            self.machine.command(cmd, f"{cmd}-{act.at_s}-{act.size:g}", **args)

    def _stood_still(self, starts: int) -> None:
        if self.machine.is_paused and self.machine.starts == starts:
            self.judge.stood_still()

    def _mend(self) -> None:
        self.machine.disk.fails = self.machine.disk.is_full = False

    def _unlag(self) -> None:
        self.network.lag_ms = 0

    def _release(self) -> None:
        process = self.machine.process
        if process is not None:
            for name in list(process.core.safety.blocks):
                self.machine.command("release", instrument=name)

    def _command(self, command: str) -> None:
        if command == "release":
            self._release()
        else:
            self.machine.command(command, reason="the scenario")

    def _switch(self, number: int) -> None:
        process = self.machine.process
        if process is not None and process.core.settings is not None:
            switch(process.core, number, self.machine.command)

    def _look(self) -> None:
        """Look at the books now and then."""
        process = self.machine.process
        if process is not None:
            self.judge.look(process.core)
            self._count_turns(process.core)
        self.kernel.after(_LOOK_NS, self._look)

    def _count_turns(self, core: Core) -> None:
        for name, desk in core.trader.desks.items() if core.session is not None else ():
            self._turns[name] = max(self._turns.get(name, 0), getattr(desk.strategy, "turns", 0))

    def _calm(self) -> None:
        """End every fault; people release what stands still."""
        self.tell("calm")
        self._mend()
        self._unlag()
        self.machine.calm()
        plan = self.venue.faulty.plan
        for number in [*plan.active, *(fault.id for fault in plan.coming())]:
            plan.stop(number, self.kernel.now_ns)
        for after_s in (3, 9, 20):
            self.kernel.after(after_s * _SECOND, self._help)

    def _help(self) -> None:
        self._release()
        if self.judge.is_halted and self.scenario.resumes:
            self.machine.command("resume", reason="calm")

    # ---- the end -----------------------------------------------------------------------------

    def _be_well(self) -> None:
        why = "no engine runs"
        for _ in range(20):
            process = self.machine.process
            if process is not None:
                why = unwell(process.core, process.clock.now_ns())
                if not why:
                    return
            self.kernel.run(self.kernel.now_ns + 100_000_000)
        raise Violation(f"not well after {WELL_S:g} s of calm: {why}")

    def _compare(self) -> None:
        self.venue.is_moving = False
        found = ["never compared"]
        for _ in range(10):
            self.kernel.run(self.kernel.now_ns + _SECOND // 2)
            process = self.machine.process
            if process is None:
                raise Violation("the engine died in calm")
            booked = {number for _, number in process.core.ledger.seen}
            found = [
                *differences(self.judge, process.core, booked),
                *self._books(process.core),
            ]
            if not found:
                return
        raise Violation("after calm: " + "; ".join(found[:5]))

    def _books(self, core: Core) -> list[str]:
        found = []
        for name, market in core.markets.items():
            instrument, theirs = market.instrument, self.venue.exchange.floor.markets[name].book
            levels = zip(Side, market.book.depth(_LEVELS), strict=True)
            for side, ours in levels:
                shown = [round(price * market.scale) for price, _ in ours]
                if shown != [ticks for ticks, _ in theirs.levels(side, _LEVELS)]:
                    found.append(f"book of {instrument.name}: {side} side differs")
        return found

    def _stop(self) -> None:
        process = self.machine.process
        assert process is not None
        self.machine.is_wanted = False
        self.machine.terminate()
        self.kernel.run(self.kernel.now_ns + 15 * _SECOND)
        if self.machine.process is not None:
            raise Violation("the engine does not stop")
        if not process.core.is_ended:
            raise Violation("the session was not ended in order")
        journal_dir = self.directory / "journal"
        restored = Core(None, restore_state(journal_dir).state)
        if restored.books_hash() != process.core.books_hash():
            raise Violation("what a restart would know differs from what the session knew")
        if self.proves:
            for epoch in sessions(journal_dir):
                if epoch in self.judge.torn:
                    continue
                report = prove(journal_dir, epoch, self.load)
                if not report.identical:
                    raise Violation(f"epoch {epoch} replays differently: {report.first_difference}")

    # ---- what happens is told and hashed -----------------------------------------------------

    def tell(self, text: str) -> None:
        """Add a line to the story."""
        if self._is_told:
            self.story.append((round(self.kernel.now_s, 4), text))

    def _lines(self, lines: list[bytes]) -> None:
        for line in lines:
            self._hash.update(line)
            if self._is_told:
                self._tell_line(line)
        self.judge.lines(lines)

    def _tell_line(self, text: bytes) -> None:
        line = msgspec.json.decode(text)
        kind = line["kind"]
        if kind == "order":
            self.tell(
                f"venue: {line['orderLinkId'] or line['orderId']} {line['orderStatus']} "
                f"{line['side']} {line['symbol']} {line['qty']} at {line['price']}, "
                f"filled {line['cumExecQty']}"
            )
        elif kind == "execution":
            self.tell(f"venue: execution {line['execId'][:8]} {line['execType']} {line['execQty']}")
        elif kind == "fault":
            shown = {key: value for key, value in line.items() if key not in _UNTOLD}
            self.tell(f"fault: {shown}")
        elif kind == "connection":
            self.tell(f"venue: connection {line.get('conn')} {line['event']}")

    def recorded(self, seq: int, payload: bytes) -> None:
        """Hear of a record in the trading log."""
        self._hash.update(payload)
        self.judge.recorded(seq, payload)

    def began(self, epoch: int, state: Any) -> None:
        """Hear of a new session."""
        self.judge.began(epoch, state)

    def died(self, *, power: bool) -> None:
        """Hear of a death."""
        self.judge.died(power=power)

    def ended(self, *, is_clean: bool) -> None:
        """Hear of an end."""
        self.judge.ended(is_clean=is_clean)


_FAULT_LABEL: Final = re.compile(r"f\d+:")


def _is_fault(label: str) -> bool:
    """Return whether a label is of a fault of the exchange: its effects are counted instead."""
    return _FAULT_LABEL.match(label) is not None


_UNTOLD: Final = frozenset({"n", "t_ns", "kind", "account"})


def scenario_of(seed: int) -> Scenario:
    """Return what a seed means."""
    return draw(seed, Choices(seed).choose)


def run(
    scenario: Scenario,
    *,
    is_told: bool = False,
    proves: bool = False,
    mutate: Mutate | None = None,
) -> Outcome:
    """Run a scenario.

    Args:
        scenario: What happens; ``scenario_of`` makes one from a seed.
        is_told: Keep the story.
        proves: Replay every session afterwards and compare each decision.
        mutate: Breaks the product for the length of the run: what it returns is entered before
            anything is built, so that patched classes and functions are the ones used.
    """
    with mutate() if mutate is not None else contextlib.nullcontext():
        return World(scenario, is_told=is_told, proves=proves).run()


def _memory() -> str | None:
    """Return a directory in memory, where there is one: nothing of a run is to last."""
    path = Path("/dev/shm")  # noqa: S108
    return str(path) if path.is_dir() else None
