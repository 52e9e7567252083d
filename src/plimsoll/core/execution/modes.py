"""Which instances each strategy has: a function of configurations and recorded switches.

Theory: a book is paper or live for ever, and an instance has one book. A strategy has up to two
instances. Its mode says whether the paper one runs, its *stage* what the live one may do. A switch
never moves an order or a position between books: it starts, restrains or ends instances.
"""

from collections.abc import Iterator
from typing import Final

import msgspec

from plimsoll.core.model import LiveStage, Mode, live_name, paper_name
from plimsoll.core.records import LiveEnded, ModeSet
from plimsoll.core.settings import CoreSettings, StrategySettings

RUNNING: Final = frozenset({LiveStage.LIVE, LiveStage.RUN_OFF, LiveStage.FLATTEN})
"""Stages with a live instance."""

POLICIES: Final = {
    "run_off": LiveStage.RUN_OFF,
    "flatten": LiveStage.FLATTEN,
    "hand_over": LiveStage.HANDED_OVER,
}
"""What becomes of the live book when a strategy goes to paper."""

CONFIGURATION: Final = "configuration"


class Standing(msgspec.Struct):
    """How one strategy stands."""

    strategy: str
    mode: Mode
    stage: LiveStage
    configured: Mode
    """What the configuration said last."""
    seq: int = 0
    """Of the newest switch; 0 = the configuration alone decided."""
    since_ns: int = 0
    policy: str = ""
    cap_units: int = 0
    evidence: str = ""
    actor: str = CONFIGURATION
    reason: str = ""
    fell: bool = False
    """Whether its stage was taken from it while it was live: it has to go to paper."""

    @property
    def is_capped(self) -> bool:
        """Return whether its live book has a most of its own: an override's, or the ramp's."""
        return self.mode is not Mode.PAPER and self.cap_units > 0

    @property
    def is_unproven(self) -> bool:
        """Return whether it is live by a person's word alone."""
        return self.is_capped and not self.evidence

    @property
    def must_fall(self) -> bool:
        """Return whether it is still live although its stage was taken from it."""
        return self.fell and self.stage is LiveStage.LIVE

    @property
    def words(self) -> str:
        """Return mode, stage and what stands behind them, for people."""
        word = str(self.mode)
        if self.stage not in (LiveStage.NONE, LiveStage.LIVE):
            word += f", live book {self.stage.replace('_', ' ')}"
        return f"{word}, UNPROVEN" if self.is_unproven else word


class Modes:
    """The standings of all strategies, and which owner is which kind of book."""

    def __init__(self) -> None:
        """Start with none."""
        self.standings: dict[str, Standing] = {}
        self.paper_owners: frozenset[str] = frozenset()
        self.live_owners: frozenset[str] = frozenset()
        self.serial = 0
        """Grows with each change of what runs."""
        self._configured: CoreSettings | None = None

    # ---- books ----

    def live_book(self, strategy: str) -> str:
        """Return the owner of a strategy's live orders and positions."""
        return live_name(strategy) if strategy in self.paper_owners else strategy

    def paper_book(self, strategy: str) -> str:
        """Return the owner of a strategy's paper orders and positions."""
        return paper_name(strategy) if strategy in self.live_owners else strategy

    # ---- what happens ----

    def configure(self, settings: CoreSettings, ts_ns: int) -> None:
        """Take the configuration of a start. It may take risk from a standing, never give it."""
        self._configured = settings
        for one in settings.strategies:
            found = self.standings.get(one.name)
            if found is None or not found.seq:
                self.standings[one.name] = self._by_configuration(one, found)
            elif one.mode is not found.configured:
                _edited(found, one.mode, ts_ns)
        self._changed()

    @property
    def configuration(self) -> CoreSettings | None:
        """Return the newest configuration, as it was recorded."""
        return self._configured

    def resume(self, configured: CoreSettings) -> None:
        """Go on inside a session with what was configured at its start."""
        self._configured = configured

    def on_set(self, record: ModeSet) -> None:
        """Take a switch."""
        found = self.standings.get(record.strategy)
        if found is None:
            return
        found.mode, found.stage = record.mode, record.stage
        found.seq, found.since_ns, found.policy = record.seq, record.ts_ns, record.policy
        found.cap_units, found.evidence = record.cap_units, record.evidence
        found.actor, found.reason = record.actor, record.reason
        found.fell = False
        self._changed()

    def on_fall(self, strategy: str) -> None:
        """Take the loss of a stage that money stood behind."""
        found = self.standings.get(strategy)
        if found is not None:
            found.fell = found.stage is LiveStage.LIVE

    def on_ended(self, record: LiveEnded) -> None:
        """Take the end of a live instance."""
        found = self.standings.get(record.strategy)
        if found is not None and found.stage is not LiveStage.LIVE:
            found.stage = LiveStage.NONE
            self._changed()

    # ---- what runs ----

    def effective(self) -> CoreSettings | None:
        """Return the configuration with the instances that run in the place of strategies."""
        settings = self._configured
        if settings is None:
            return None
        instances = tuple(each for one in settings.strategies for each in self._instances(one))
        if instances == settings.strategies:
            return settings
        return msgspec.structs.replace(settings, strategies=instances)

    def restrained(self) -> dict[str, str]:
        """Return the live books that may only reduce, and why."""
        return {
            self.live_book(one.strategy): f"{one.strategy} went to paper ({one.policy}) by "
            f"{one.actor}: {one.reason or 'no reason given'}"
            for one in self.standings.values()
            if one.stage is not LiveStage.LIVE and self.live_book(one.strategy) in self.live_owners
        }

    def caps(self) -> dict[str, int]:
        """Return the most that live books of an override or of the ramp may risk, cash units."""
        return {
            self.live_book(one.strategy): one.cap_units
            for one in self.standings.values()
            if one.is_capped
        }

    def configured(self, strategy: str) -> StrategySettings | None:
        """Return a strategy as the configuration has it."""
        entries = self._configured.strategies if self._configured else ()
        return next((one for one in entries if one.name == strategy), None)

    # ---- inside ----

    def _by_configuration(self, one: StrategySettings, before: Standing | None) -> Standing:
        """Return how a strategy stands that nobody ever switched."""
        if one.mode is not Mode.PAPER:
            fell = before is not None and before.must_fall  # a death came before the switch
            return Standing(one.name, one.mode, LiveStage.LIVE, one.mode, fell=fell)
        if before is not None and before.mode is Mode.PAPER:
            return before
        was_live = self.live_book(one.name) in self.live_owners
        stage = LiveStage.RUN_OFF if was_live else LiveStage.NONE
        return Standing(one.name, one.mode, stage, one.mode, policy="run_off" if was_live else "")

    def _instances(self, one: StrategySettings) -> Iterator[StrategySettings]:
        found = self.standings[one.name]
        if found.stage in RUNNING:
            capital = one.live_capital or one.capital
            if found.is_capped:
                capital = min(capital, found.cap_units) if capital else found.cap_units
            yield _instance(one, self.live_book(one.name), Mode.LIVE, capital)
        if found.mode is not Mode.LIVE:
            yield _instance(one, self.paper_book(one.name), Mode.PAPER, one.capital)

    def _changed(self) -> None:
        """Let whatever runs have its book: the live one of a new strategy is the first."""
        self.serial += 1
        for one in self.standings.values():
            if one.stage in RUNNING:
                self.live_owners |= {self.live_book(one.strategy)}
            if one.mode is not Mode.LIVE:
                self.paper_owners |= {self.paper_book(one.strategy)}


def _edited(found: Standing, mode: Mode, ts_ns: int) -> None:
    """Take an edit of the configuration after a switch: what is lower holds, nothing else."""
    found.configured = mode
    if found.mode is Mode.PAPER:
        return
    found.mode = mode
    if mode is Mode.PAPER:
        found.stage, found.policy = LiveStage.RUN_OFF, "run_off"
        found.cap_units, found.evidence, found.since_ns = 0, "", ts_ns
        found.actor, found.reason = CONFIGURATION, "it says paper now"


def _instance(one: StrategySettings, name: str, mode: Mode, capital: int) -> StrategySettings:
    if (one.name, one.mode, one.capital) == (name, mode, capital):
        return one
    return msgspec.structs.replace(one, name=name, mode=mode, capital=capital)
