"""Strategies changed in the middle of chaos: what people do, and what must hold after it."""

from typing import Any, Final

from tests.simulation.world.adversary import Adversary, Successor
from tests.simulation.world.facts import Violation

from plimsoll.core.engine import Core, State
from plimsoll.core.records import ParametersChanged, Record, SignalReceived, StrategyReloaded
from plimsoll.core.settings import StrategySettings
from plimsoll.core.strategy import Strategy

CODES: Final[dict[str, type[Adversary]]] = {"": Adversary, "a" * 64: Adversary, "b" * 64: Successor}
"""By SHA-256; the empty one is that of every start, as the file on the disk is."""

_TURNS: Final = ("take", "rest", "close", "aim", "make", "burst", "nonsense")


def load(settings: StrategySettings) -> Strategy:
    """Make the strategy of an instance, of the code its settings name."""
    made = CODES[settings.source_hash]()
    for key, value in settings.params.items():
        setattr(made, key, value)
    return made


def command_of(what: str, size: int, owners: list[str]) -> tuple[str, dict[str, Any]]:
    """Return what a person commands; everything follows from one number."""
    owner = owners[size % len(owners)]
    rest = size // len(owners)
    if what == "set":
        params = {"every": 1 + rest % 12} if rest % 2 else {"share": 0.001 * (1 + rest % 40)}
        return "strategy-set", {"strategy": owner, "params": params}  # some of it out of bounds
    if what == "reload":
        code = ("a" * 64, "b" * 64, "c" * 64)[rest % 7 % 3]  # the last is there for nobody
        orders = ("keep", "cancel")[rest % 2]
        return "strategy-reload", {"strategy": owner, "sha256": code, "orders": orders}
    payload = {"turn": _TURNS[rest % len(_TURNS)], "times": rest % 5}
    return "signal", {"strategy": owner, "payload": payload}


class ChangesJudge:
    """Holds what is recorded against what runs: nothing set is lost, no code is neither."""

    def __init__(self) -> None:
        """Start with nothing changed."""
        self.values: dict[str, dict[str, Any]] = {}
        self.signals: set[str] = set()
        self.counts = {"sets": 0, "reloads": 0, "signals": 0}

    def recorded(self, record: Record) -> None:
        """Look at a record of the trading log."""
        if isinstance(record, ParametersChanged):
            self.values.setdefault(record.owner, {}).update(record.values)
            self.counts["sets"] += 1
        elif isinstance(record, StrategyReloaded):
            self.counts["reloads"] += 1
        elif isinstance(record, SignalReceived):
            if record.id in self.signals:
                raise Violation(f"signal heard twice: {record.id}")
            self.signals.add(record.id)
            self.counts["signals"] += 1

    def began(self, state: State, *, lost_power: bool) -> None:
        """Compare what a restart knows of changes with what was recorded."""
        known = {owner: state.changes.of(owner) for owner in state.changes.parameters}
        if lost_power:
            self.values = known
            self.signals = {one for taken in state.changes.signals.values() for one in taken}
        elif known != self.values:
            raise Violation(f"parameters that were set: {self.values}, after a restart {known}")

    def look(self, core: Core) -> None:
        """Check that what runs is what is recorded."""
        settings = core.settings
        if core.session is None or settings is None:
            return
        trader = core.session.trader
        for one in settings.strategies:
            desk = trader.desks.get(one.name)
            if desk is None:
                raise Violation(f"{one.name} is gone")
            if desk.settings.source_hash != one.source_hash:
                raise Violation(f"{one.name} runs other code than is recorded")
            kind = type(desk.strategy)  # a test may bring its own
            if kind in CODES.values() and kind is not CODES[one.source_hash]:
                raise Violation(f"{one.name} is {type(desk.strategy).__name__}")
            for name, value in core.state.changes.of(one.name).items():
                if getattr(desk.strategy, name) != value:
                    raise Violation(f"{one.name}: {name} is not what was set: {value}")
