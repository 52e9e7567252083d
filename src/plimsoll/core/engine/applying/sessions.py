"""How records about sessions and instances change the facts."""

from collections.abc import Callable
from typing import Any

from plimsoll.core.engine.facts import FAULTS, MODE, Facts
from plimsoll.core.execution.graduation.stages import standing_after
from plimsoll.core.model import IdMaker, LiveStage, strategy_of
from plimsoll.core.records import (
    Configured,
    LeaseTaken,
    LiveEnded,
    ModeSet,
    ParametersChanged,
    Record,
    SessionEnded,
    SessionStopping,
    StageChanged,
    StrategyCheckpoint,
    StrategyFreed,
    StrategyReloaded,
    StrategyRestored,
    StrategyStopped,
)
from plimsoll.core.settings import CoreSettings, from_text, with_code


class Sessions:
    """Sessions, and the instances in them."""

    def __init__(self, facts: Facts) -> None:
        """Change these."""
        self.facts = facts

    def table(self) -> dict[type[Record], Callable[[Any], None]]:
        """Return who applies which record."""
        return {
            LeaseTaken: self._lease,
            Configured: self._configured,
            StageChanged: self._staged,
            SessionStopping: self._stopping,
            SessionEnded: self._ended,
            StrategyStopped: self._strategy_stopped,
            StrategyFreed: self._freed,
            ModeSet: self._mode,
            LiveEnded: self._live_ended,
            StrategyCheckpoint: self._checkpoint,
            StrategyRestored: self._checkpoint,
            ParametersChanged: self._parameters,
            StrategyReloaded: self._reloaded,
        }

    def _lease(self, record: LeaseTaken) -> None:
        self.facts.known_epoch, self.facts.epoch = self.facts.epoch, record.epoch
        self.facts.account = record.account
        self.facts.ids = IdMaker(record.tag, record.epoch)
        self.facts.orders.tag = record.tag
        self.facts.is_ended = False
        self.facts.stopped = {owner: self.facts.stopped[owner] for owner in self.facts.faulty}
        self.facts.swept.clear()
        self.facts.doubts.clear()
        self.facts.refused.clear()
        self.facts.disconnect.clear()
        self.facts.safety.on_lease(record)
        self.facts.orders.disconnect_all()
        self.facts.protections.restart(record.ts_ns)
        self.facts.rates.forget_closures()
        self.facts.health.forget()
        for market in self.facts.markets.values():
            market.restart()

    def _configured(self, record: Configured) -> None:
        settings = from_text(record.settings)
        self.facts.limits.configure(settings)
        self.facts.codes.clear()  # a session begins with what the files hold
        self.facts.changes.configure(settings)
        self.facts.modes.configure(settings, record.ts_ns)
        self._enlist()

    def resume(self, configured: CoreSettings, codes: dict[str, str]) -> None:
        """Go on inside a session: its configuration, and the code that was replaced since."""
        self.facts.limits.configure(configured)
        self.facts.modes.resume(configured)
        self.facts.codes = dict(codes)
        self._enlist()

    def _mode(self, record: ModeSet) -> None:
        before = self.facts.modes.standings.get(record.strategy)
        is_fresh = before is not None and before.stage is not LiveStage.LIVE
        self.facts.modes.on_set(record)
        self._enlist()
        if is_fresh and record.stage is LiveStage.LIVE:
            self._forget_life(self.facts.modes.live_book(record.strategy))

    def _forget_life(self, book: str) -> None:
        """Let a live book begin anew: nothing that its instance wanted or knew is left."""
        self.facts.checkpoints.pop(book, None)
        for key in [key for key in self.facts.protections.wishes if key[0] == book]:
            del self.facts.protections.wishes[key]

    def _live_ended(self, record: LiveEnded) -> None:
        self.facts.modes.on_ended(record)
        self._enlist()

    def _enlist(self) -> None:
        """Let the rest of the state know which instances run, and what their books may do."""
        self.facts.paper_owners = self.facts.modes.paper_owners
        self.facts.safety.restrained = self.facts.modes.restrained()
        settings = self.facts.modes.effective()
        if settings is not None:  # else a session is read from its middle
            for strategy, source_hash in self.facts.codes.items():
                settings = with_code(settings, strategy, source_hash)
            self.facts.settings = settings
            self.facts.limits.enlist(settings, self.facts.modes.caps())

    def _stopping(self, _record: SessionStopping) -> None:
        self.facts.safety.is_stopping = True

    def _ended(self, _record: SessionEnded) -> None:
        self.facts.is_ended = True

    def _checkpoint(self, record: StrategyCheckpoint | StrategyRestored) -> None:
        self.facts.checkpoints[record.owner] = record.state

    def _strategy_stopped(self, record: StrategyStopped) -> None:
        if record.code == MODE:
            return
        self.facts.stopped[record.owner] = record.reason
        if record.code in FAULTS:
            self.facts.faulty[record.owner] = record.code

    def _freed(self, record: StrategyFreed) -> None:
        self.facts.stopped.pop(record.owner, None)
        self.facts.faulty.pop(record.owner, None)

    def _parameters(self, record: ParametersChanged) -> None:
        self.facts.changes.on_parameters(record, self.facts.settings)

    def _reloaded(self, record: StrategyReloaded) -> None:
        strategy = strategy_of(record.owner)
        self.facts.codes[strategy] = record.source_hash
        if self.facts.settings is not None:
            self.facts.settings = with_code(self.facts.settings, strategy, record.source_hash)
        for key in [key for key in self.facts.refused if strategy_of(key[0]) == strategy]:
            del self.facts.refused[key]  # the new code counts anew

    def _staged(self, record: StageChanged) -> None:
        strategy, before = strategy_of(record.owner), self.facts.standing(record.owner)
        now = self.facts.stages[strategy] = standing_after(before, record)
        if before.stage.is_promoted and not now.stage.is_promoted:
            self.facts.modes.on_fall(strategy)
