"""The instances of a session: how they are made, who hears what, and what they may read.

A strategy object is the user's code; a desk is ours around it. Instances come and go with modes,
reloads and restarts; whoever keeps a list of them asks ``everybody``, which is another tuple then.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from plimsoll.core.engine.placing import Placer
from plimsoll.core.engine.sizing import Sizing
from plimsoll.core.engine.state import State
from plimsoll.core.engine.valuing import profit_of, unrealised
from plimsoll.core.model import strategy_of
from plimsoll.core.settings import CoreSettings, StrategySettings
from plimsoll.core.strategy import Desk, Holding, Strategy, parameters_of
from plimsoll.core.strategy.desk import Reader
from plimsoll.core.strategy.parameters import read_hot
from plimsoll.core.strategy.repetition import Repetition

Load = Callable[[StrategySettings], Strategy]
"""Makes a strategy object from its settings; effects (imports, files) are the caller's."""

_SECOND_BOOK: Final = 500
"""Between the random streams of a strategy's two instances."""


class Roster:
    """All strategy instances."""

    def __init__(self, state: State, settings: CoreSettings, load: Load, placer: Placer) -> None:
        """Load the instances and restore what the newest checkpoints hold."""
        self.state = state
        self.settings = settings
        self.load = load
        self._reader = Reader(
            state.markets.__getitem__,
            state.instruments.get,
            self._holding,
            lambda owner, name: list(state.orders.of_owner(owner, name)),
            partial(profit_of, state),
            lambda request: self.sizing.lots(request),
            state.safety.pause_of,
            self._is_there,
            state.rearm,
        )
        self.desks: Final[dict[str, Desk]] = {}
        """By name."""
        self.sizing = Sizing(state, placer, self.desks)
        for one in settings.strategies:
            self.desks[one.name] = self.desk(one)
        for owner in state.faulty.keys() & self.desks.keys():
            self.desks[owner].stop_reason = state.stopped[owner]  # until a person frees it (RSK-8)
        self.arrange()

    # ---- making them ----

    def desk(self, one: StrategySettings, saved: bytes | None = None) -> Desk:
        """Make an instance, with what its newest checkpoint holds; ``saved``: of other code."""
        settings = self.settings
        strategy = self.load(one)
        left_out = _set_changed(strategy, self.state.changes.of(one.name))
        desk = Desk(one, strategy, self._reader, settings.seed * 1_000 + self._place(one))
        desk.left_out = left_out
        desk.repetition = Repetition(settings.same_action_max, settings.repeat_ns)
        if settings.by_bars is not None:
            for maker in desk.makers.values():
                maker.base_ns = settings.by_bars.span_ns
        if saved is not None:
            desk.restore(saved, of_other_code=True)
        elif one.name in self.state.checkpoints:
            desk.restore(self.state.checkpoints[one.name])
        return desk

    def _place(self, one: StrategySettings) -> int:
        """Return a number of its own for each instance; a second one of a strategy is far off."""
        names = list(self.state.modes.standings)
        name = strategy_of(one.name)
        place = names.index(name) if name in names else 0
        return place if one.name == name else place + _SECOND_BOOK

    def arrange(self) -> None:
        """Note who hears what."""
        self.everybody = tuple(self.desks.values())
        """All of them; another tuple once one was renewed."""
        self.on_instrument: dict[str, list[Desk]] = {}
        for desk in self.desks.values():
            for name in desk.names:
                self.on_instrument.setdefault(name, []).append(desk)
        self.book_hearers = {
            name: [desk for desk in desks if desk.hears_book]
            for name, desks in self.on_instrument.items()
        }

    def renew(self, owner: str) -> None:
        """Put a new object in the place of a stopped instance; it starts when it may."""
        self.desks[owner] = self.desk(self.desks[owner].settings)
        self.arrange()

    def made(self, settings: StrategySettings) -> Desk:
        """Return an instance with other code that goes on where the one at work stands.

        It is not put in its place yet: whatever comes out of the new code, the old one goes on.
        """
        before = self.desks[settings.name]
        saved = self.state.checkpoints.get(settings.name) if before.is_stopped else before.save()
        desk = self.desk(settings, saved)
        desk.stop_reason = before.stop_reason
        desk.go_on_from(before)
        return desk

    def put(self, desk: Desk) -> None:
        """Put an instance in the place of the one that has its name."""
        self.desks[desk.name] = desk
        self.arrange()

    def on(self, instrument: str) -> Sequence[Desk]:
        """Return the instances that trade an instrument."""
        return self.on_instrument.get(instrument, ())

    def saved(self) -> dict[str, bytes]:
        """Return the state of every instance that is not stopped."""
        return {desk.name: desk.save() for desk in self.desks.values() if not desk.is_stopped}

    # ---- who may begin ----

    def not_started(self) -> frozenset[str]:
        """Return the instances that have not started and may."""
        return frozenset(
            desk.name for desk in self.desks.values() if not desk.is_started and not desk.is_stopped
        )

    def startable(self) -> list[Desk]:
        """Return the instances whose markets are LIVE and, for live ones, whose books agree."""
        state = self.state
        return [
            desk
            for desk in self.desks.values()
            if not desk.is_started
            and not desk.is_stopped
            and all(
                name in state.markets
                and state.markets[name].doubt(state.ts_ns, desk.streams) is None
                for name in desk.names
            )
            and (state.is_paper(desk.name) or state.safety.is_reconciled)
        ]

    # ---- what they may read ----

    def _is_there(self, owner: str, name: str, lots: int) -> bool:
        state = self.state
        if state.ledger.qty_lots(owner, name) != lots or state.protections.wishes:
            return False
        working = state.orders.on_instrument.get(name)
        return not working or next(state.orders.of_owner(owner, name), None) is None

    def _holding(self, owner: str, name: str) -> Holding:
        state = self.state
        instrument = state.instruments[name]
        held = state.ledger.position(owner, name)
        lots = state.ledger.qty_lots(owner, name)
        return Holding(
            lots,
            instrument.qty(lots),
            held.cost_units / held.qty_units if held.qty_units else 0.0,
            unrealised(state, owner, name) / 1e8,
            held.realised_units / 1e8,
        )


def _set_changed(strategy: Strategy, changed: dict[str, object]) -> list[str]:
    """Set the parameters a person changed; return the names of those its class does not take."""
    if not changed:
        return []
    kind = type(strategy)
    found, _ = read_hot(kind.__name__, parameters_of(kind), changed)
    for name, value in found.items():
        setattr(strategy, name, value)
    return [name for name in changed if name not in found]
