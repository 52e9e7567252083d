"""Takes notes of a backtest over recordings: what ``Watch`` notes, at the prices of books."""

from collections.abc import Sequence
from typing import Final

import msgspec

from plimsoll.backtest.owner import Owner
from plimsoll.backtest.past import Told
from plimsoll.backtest.results import Results, sealed
from plimsoll.backtest.tapes import RecordedPlan
from plimsoll.backtest.watch import Watch
from plimsoll.backtest.worth import Worth
from plimsoll.core.engine import Core
from plimsoll.core.settings import StrategySettings

_MS: Final = 1_000_000
NEVER_NS: Final = 1 << 62


class RecordedWatch(Watch):
    """The notes of one run; equity and prices are noted every ``span_ns`` of the data's time."""

    def __init__(self, plan: RecordedPlan, core: Core) -> None:
        """Begin before the first input."""
        super().__init__(plan, core)
        self.owners = {one.name: RecordedOwner(plan, core, one) for one in plan.strategies}
        self.events = 0
        self.due_ns = 0
        """When to look next."""
        self._start_ms = 0
        self._last: dict[str, float] = {}

    def begin(self, ts_ns: int) -> None:
        """Note when the first input arrived."""
        self._start_ms = ts_ns // _MS
        self.due_ns = ts_ns + self.plan.span_ns

    def look(self, ts_ns: int) -> None:
        """Note prices and equity of now."""
        for place, name in enumerate(self.names):
            market = self.core.markets[name]
            price = market.newest_ticks(ts_ns) / market.scale
            if price:
                first = self._last.get(name, price)
                self._last[name] = price
                row = (self._start_ms, first, max(first, price), min(first, price), price, 0.0)
                self.bar(place, row, ts_ns)
        self._start_ms, self.due_ns = ts_ns // _MS, ts_ns + self.plan.span_ns

    def results(self, seconds: float, told: Sequence[Told] = ()) -> Results:
        """Return everything; events are inputs."""
        found = super().results(seconds, told)
        return sealed(msgspec.structs.replace(found, events=self.events))


class RecordedOwner(Owner):
    """The notes of one instance where markets are known by their books."""

    def __init__(self, plan: RecordedPlan, core: Core, settings: StrategySettings) -> None:
        """Begin before the first input."""
        super().__init__(plan, core, settings)
        self.worth = RecordedWorth(plan, core, settings)

    def _middle(self, name: str) -> float:
        """Return the middle of the book, where there is one."""
        market = self.core.markets[name]
        return market.book.mid or market.last


class RecordedWorth(Worth):
    """What one instance is worth where markets are known by their books."""

    def _note_held(self) -> None:
        """Value what is held anew each time: the last print may be old, or there may be none."""
        self._held = []

    def _gross(self) -> int:
        core, gross = self.core, 0
        for name in self.instruments:
            lots = core.ledger.qty_lots(self.name, name)
            if lots:
                ticks = core.markets[name].newest_ticks(core.ts_ns)
                gross += core.ledger.instruments[name].notional_units(ticks, abs(lots))
        return gross
