"""What is measured each second or asked each five: equity, instances' profit, the account's health.

Prices are not in the trading log, so what is measured with them is recorded as a decision.
"""

from collections.abc import Iterator
from typing import Final

from plimsoll.core.engine.state import State
from plimsoll.core.engine.valuing import account_equity, firm_profit_of
from plimsoll.core.model import DAY_NS
from plimsoll.core.records import (
    EquityMeasured,
    IncidentRaised,
    ProfitMeasured,
    QueryAnswered,
    QueryIntended,
    Record,
)
from plimsoll.core.settings import CoreSettings

MEASURE_NS: Final = 1_000_000_000
"""Equity is measured once a second (trading.md 4)."""

HEALTH_NS: Final = 5_000_000_000
"""Unrealised profit is not pushed, so margin rates are asked for (trading.md 1)."""

PATIENCE_NS: Final = 15_000_000_000
"""After this the next question leaves although one is unanswered."""


class Measuring:
    """Measures and asks."""

    def __init__(self, state: State, settings: CoreSettings) -> None:
        """Share the engine's state."""
        self.state = state
        self.settings = settings
        self.measured_ns = 0
        self.asked_ns = 0
        self.query_id = 0
        """Question under way, 0 = none."""
        self.is_told = False

    def owns(self, query_id: int) -> bool:
        """Return whether a query is the one of health under way."""
        return query_id == self.query_id

    def answered(self, _answer: QueryAnswered) -> None:
        """Take the end of the question; a failed one is asked again in its time."""
        self.query_id = 0

    def on_time(self) -> Iterator[Record]:
        """Measure and ask what is due."""
        if self.state.ts_ns - self.measured_ns >= MEASURE_NS:
            yield from self.measure()
        yield from self._ask()

    def measure(self) -> Iterator[Record]:
        """Record equity, and the profit of each instance where it changed."""
        state = self.state
        if state.safety.is_reconciled or state.ledger.cash:
            equity = account_equity(state)
            if equity is not None:
                self.measured_ns = state.ts_ns
                yield EquityMeasured(*state.stamp(), equity)
        yield from self.tell(self.news())

    def news(self) -> list[tuple[str, int]]:
        """Return the profit of each instance where it changed, or where a day began."""
        state, found = self.state, []
        day = state.ts_ns // DAY_NS
        for owner in self.owners():
            own = state.own_losses.get(owner)
            profit = firm_profit_of(state, owner)
            if profit is not None and (own is None or own.profit != profit or own.day != day):
                found.append((owner, profit))
        return found

    def owners(self) -> list[str]:
        """Return the instances that run now."""
        return [one.name for one in (self.state.settings or self.settings).strategies]

    def tell(self, news: list[tuple[str, int]]) -> Iterator[Record]:
        """Record profits."""
        for owner, profit in news:
            yield ProfitMeasured(*self.state.stamp(), owner, profit)

    def _ask(self) -> Iterator[Record]:
        state = self.state
        now_ns, safety = state.ts_ns, state.safety
        if not safety.links.get("private") or not safety.is_reconciled or safety.is_stopping:
            return
        if now_ns - self.asked_ns < (PATIENCE_NS if self.query_id else HEALTH_NS):
            return
        stamp = state.stamp()
        self.asked_ns, self.query_id = now_ns, stamp[0]
        yield QueryIntended(*stamp, stamp[0], "health", "", "", "", "", 0)
        is_old = bool(state.health.ts_ns) and not state.health.is_known(now_ns)
        if is_old and not self.is_told:
            text = "the venue has not said the account's margin for a minute"
            yield IncidentRaised(*state.stamp(), "health_unknown", "", text)
        self.is_told = is_old
