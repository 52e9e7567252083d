"""A world with a chosen cast: the machine, network and exchange of the world, and our own actors.

Chaos is asked for by name, virtual time, one process; judged from the exchange's record.
"""

import contextlib
import dataclasses
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import msgspec
from tests.simulation.world.choices import Choices
from tests.simulation.world.ending import differences, unwell
from tests.simulation.world.engine import Machine
from tests.simulation.world.judge import Judge
from tests.simulation.world.kernel import Kernel
from tests.simulation.world.network import Network
from tests.simulation.world.scenario import START_NS
from tests.simulation.world.venue import Venue

from plimsoll.core.engine import Core, State
from plimsoll.core.execution.flatten import FLATTEN_LABEL
from plimsoll.core.execution.shadow import Model, Shadow
from plimsoll.core.model import Mode
from plimsoll.core.records import OrderIntended, Record, decode
from plimsoll.core.risk.breakers import BREAKERS
from plimsoll.core.settings import BreakerSettings, CoreSettings, Limits, StrategySettings
from plimsoll.core.strategy import Strategy
from plimsoll.engine.reading import EntryReader
from plimsoll.journal import MARKET, TRADING, merge, scan
from plimsoll.simulator.faults.ask import Ask
from plimsoll.simulator.settings import SimSettings

FULL: Final = os.environ.get("TORTURE") == "full"
"""Whether rows run in full size; the gate runs a small one of each."""

SECOND: Final = 1_000_000_000
UNIT: Final = 10**8
TAG: Final = "tort"
PERP, ETH, SPOT = "linear:BTCUSDT", "linear:ETHUSDT", "spot:BTCUSDT"
NO_BREAKERS: Final = BreakerSettings(off=tuple(BREAKERS))
WIDE: Final = Limits(
    price_distance_ppm=50_000,
    order_notional=10**6 * UNIT,
    orders_per_second=1_000,
    orders_per_day=10**7,
    open_orders=400,
    position_notional=10**6 * UNIT,
    exposure=10**7 * UNIT,
    daily_loss=10**6 * UNIT,
    drawdown_ppm=900_000,
    leverage_ppm=100_000_000,
)
"""Limits that stop nothing that a test is not about."""


def actor(
    name: str,
    *instruments: str,
    mode: Mode = Mode.LIVE,
    capital: int = 50_000,
    **params: Any,
) -> StrategySettings:
    """Return the settings of an instance; its class is what ``cast`` of the stage has under it."""
    return StrategySettings(
        name=name,
        source=f"cast:{name}",
        instruments=instruments or (PERP,),
        mode=mode,
        capital=capital * UNIT,
        params=params,
    )


class Venues(Judge):
    """The exchange's record, kept as it comes: what the tests judge from."""

    def __init__(self, settings: CoreSettings) -> None:
        """Begin with nothing."""
        super().__init__(settings)
        self.record: list[dict[str, Any]] = []
        self.keeps: frozenset[str] = frozenset({"order", "execution", "answer", "position"})

    def lines(self, lines: list[bytes]) -> None:
        """Keep what a test asks for, then judge."""
        for text in lines:
            line = msgspec.json.decode(text)
            if line["kind"] in self.keeps:
                self.record.append(line)
        super().lines(lines)

    def of(self, kind: str) -> list[dict[str, Any]]:
        """Return the lines of a kind."""
        return [line for line in self.record if line["kind"] == kind]

    def recorded(self, seq: int, payload: bytes) -> None:
        """Judge; what closes under a halt may be sent."""
        super().recorded(seq, payload)
        record = decode(payload)
        if isinstance(record, OrderIntended) and record.label.startswith(FLATTEN_LABEL):
            self.intents[record.client_order_id].is_halted = False

    def _exposed(self, new: Any) -> None:
        """Leave limits to the rows that are about them."""


class Engine:
    """One machine on the stage, with what it wrote."""

    def __init__(
        self, stage: "Stage", settings: CoreSettings, name: str, *, is_judged: bool = True
    ) -> None:
        """Prepare; the judge looks at one engine only: ids of two may be the same."""
        self.stage = stage
        self.is_judged = is_judged
        self.records: list[Record] = []
        self.hears: list[Callable[[Record], None]] = []
        """Called with each record of the trading log, before it is applied."""
        self.ends: list[bool] = []
        self.machine = Machine(
            stage.kernel,
            stage.network,
            stage.directory / name,
            settings,
            stage.load,
            stage.choices,
            self,
            stage.tell,
        )
        whole = self.machine._settings
        adapter = msgspec.structs.replace(whole.venue, **stage.adapter)
        self.machine._settings = dataclasses.replace(whole, venue=adapter)

    @property
    def core(self) -> Core:
        """The core of the running process."""
        assert self.machine.process is not None, "no engine runs"
        return self.machine.process.core

    @property
    def is_running(self) -> bool:
        """Whether a process lives."""
        return self.machine.process is not None

    def of(self, kind: type[Record]) -> list[Any]:
        """Return the records of a type, of all sessions."""
        return [one for one in self.records if type(one) is kind]

    def codes(self) -> list[str]:
        """Return the codes of the incidents told."""
        return [one.code for one in self.records if type(one).__name__ == "IncidentRaised"]  # type: ignore[attr-defined]

    def recorded(self, seq: int, payload: bytes) -> None:
        """Keep a record of the trading log."""
        record = decode(payload)
        self.records.append(record)
        for hear in self.hears:
            hear(record)
        if self.is_judged:
            self.stage.judge.recorded(seq, payload)

    def began(self, epoch: int, state: State) -> None:
        """Hear of a session."""
        if self.is_judged:
            self.stage.judge.began(epoch, state)

    def died(self, *, power: bool) -> None:
        """Hear of a death."""
        if self.is_judged:
            self.stage.judge.died(power=power)

    def ended(self, *, is_clean: bool) -> None:
        """Hear of an end."""
        self.ends.append(is_clean)
        if self.is_judged:
            self.stage.judge.ended(is_clean=is_clean)


class Stage:
    """Kernel, exchange, network and engines of one test."""

    def __init__(
        self,
        cast: dict[str, type[Strategy]],
        *strategies: StrategySettings,
        instruments: Sequence[str] = (),
        seed: int = 1,
        pulse_ms: int = 200,
        sim: dict[str, Any] | None = None,
        venue: dict[str, Any] | None = None,
        **core: Any,
    ) -> None:
        """Open the exchange; no engine runs yet.

        Args:
            cast: Classes by the name of their instance.
            strategies: What the engine's settings name.
            instruments: Markets that move; all that the strategies trade, where left out.
            seed: Of everything drawn.
            pulse_ms: Period of the market.
            sim: Settings of the exchange.
            venue: Settings of the engine's adapter.
            core: Settings of the engine.
        """
        self.cast = cast
        self.actors: dict[str, Any] = {}
        """The newest object of each instance."""
        self.kernel = Kernel(START_NS)
        self.choices = Choices(seed)
        self.story: list[str] = []
        self.directory = Path(tempfile.mkdtemp(prefix="stage-", dir=_memory()))
        core.setdefault("limits", WIDE)
        core.setdefault("breakers", NO_BREAKERS)
        core.setdefault("repeat_max", 10**9)
        core.setdefault("same_action_max", 10**9)
        self.settings = CoreSettings(account="stage", tag=TAG, strategies=strategies, **core)
        self.judge = Venues(self.settings)
        named = dict.fromkeys(name for one in strategies for name in one.instruments)
        moving = tuple(instruments or named)
        sim = {"history_bars": 3, "instrument": moving[0], **(sim or {})}
        self.adapter = venue or {}
        self.venue = Venue(
            self.kernel,
            SimSettings(seed=seed, **sim),
            moving,
            self.choices.choose,
            self.judge.lines,
            pulse_ms,
        )
        self.network = Network(self.kernel, self.venue, self.choices)
        self.engine = Engine(self, self.settings, "one")

    # ---- the run -----------------------------------------------------------------------------

    @contextlib.contextmanager
    def running(self, *asks: Ask) -> Iterator[Engine]:
        """Start exchange and engine, and let go of everything at the end."""
        engines = [self.engine]
        self.engines = engines
        with self.engine.machine.disk.mounted():
            self.venue.start(asks)
            self.kernel.after(SECOND // 10, self.engine.machine.start)
            try:
                yield self.engine
            finally:
                for one in engines:
                    one.machine.abandon()
                shutil.rmtree(self.directory, ignore_errors=True)

    def second(self, settings: CoreSettings | None = None, name: str = "two") -> Engine:
        """Return one more machine on the same key; the same ``name`` is the same disk."""
        engine = Engine(self, settings or self.settings, name, is_judged=False)
        engine.machine.disk = self.engine.machine.disk  # one mounted disk is enough
        self.engines.append(engine)
        return engine

    def run(self, seconds: float) -> None:
        """Let time pass."""
        self.kernel.run(self.kernel.now_ns + int(seconds * 1e9))

    def until(self, what: str, holds: Callable[[], bool], seconds: float = 60.0) -> float:
        """Let time pass until something holds; return how long that took, virtual s."""
        begin_ns = self.kernel.now_ns
        while not holds():
            waited_s = (self.kernel.now_ns - begin_ns) / 1e9
            assert waited_s < seconds, f"waited {seconds} s for {what}\n" + self.told()
            self.kernel.run(self.kernel.now_ns + SECOND // 20)
        return (self.kernel.now_ns - begin_ns) / 1e9

    def ready(self) -> None:
        """Wait until the books are compared and every instance has started."""
        self.until("a session", self._is_ready)

    def _is_ready(self) -> bool:
        if not self.engine.is_running:
            return False
        core = self.engine.core
        return (
            core.safety.is_reconciled
            and core.session is not None
            and not core.session.starting.waits
        )

    def ask(self, name: str, **fields: Any) -> None:
        """Have a fault begin now."""
        self.venue.ask(Ask(name, **fields))

    def agree(self, seconds: float = 30.0) -> None:
        """Wait until engine and exchange are well and equal to the last unit."""
        self.venue.is_moving = False

        def found() -> list[str]:
            core = self.engine.core
            booked = {number for _, number in core.ledger.seen}
            why = unwell(core, self.engine.machine.process.clock.now_ns())  # type: ignore[union-attr]
            return [*([why] if why else []), *differences(self.judge, core, booked)]

        try:
            self.until("agreement", lambda: not found(), seconds)
        except AssertionError as error:
            raise AssertionError(f"{found()}\n{error}") from None
        self.venue.is_moving = True

    def shadow(self, model: Model | None = None) -> Shadow:
        """Follow both logs of the first engine as they are now, as ``plimsoll gap`` does."""
        journal = self.directory / "one" / "journal"
        shadow, reader = Shadow(model), EntryReader()
        for entry in merge(scan(journal, TRADING), scan(journal, MARKET)):
            record = reader.record(entry)
            if record is not None:
                shadow.apply(record)
        shadow.settle()
        return shadow

    # ---- what the world asks of its witness --------------------------------------------------

    def load(self, settings: StrategySettings) -> Strategy:
        """Make the strategy of an instance."""
        made = self.cast[settings.name]()
        for key, value in settings.params.items():
            setattr(made, key, value)
        self.actors[settings.name] = made
        return made

    def tell(self, text: str) -> None:
        """Keep a line of the story."""
        self.story.append(f"{self.kernel.now_s:8.3f} {text}")

    def told(self) -> str:
        """Return the end of the story."""
        return "\n".join(self.story[-30:])

    # ---- what the exchange knows -------------------------------------------------------------

    @property
    def account(self) -> Any:
        """The exchange's account."""
        (account,) = self.venue.exchange.floor.accounts.values()
        return account

    def held(self, name: str) -> int:
        """Return a position at the exchange, in lots."""
        position = self.account.ledger.positions.get(name)
        return position.lots if position else 0

    def balances(self) -> dict[str, Decimal]:
        """Return the wallet at the exchange."""
        return dict(self.account.ledger.balances)

    def refusals(self, *codes: int) -> list[dict[str, Any]]:
        """Return the exchange's answers with these codes, any but 0 where none is named."""
        return [
            line
            for line in self.judge.of("answer")
            if (line.get("retCode", 0) in codes if codes else line.get("retCode", 0))
        ]


def _memory() -> str | None:
    path = Path("/dev/shm")  # noqa: S108
    return str(path) if path.is_dir() else None
