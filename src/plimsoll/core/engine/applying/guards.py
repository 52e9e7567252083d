"""How records about breakers, halts and what a person is told change the facts."""

from collections.abc import Callable
from typing import Any

from plimsoll.core.engine.facts import Facts
from plimsoll.core.feed import STREAM_DEAD, STREAM_LIVE, STREAM_SUSPECT
from plimsoll.core.records import (
    DisconnectReported,
    FlattenBegun,
    FlattenEnded,
    Halted,
    IncidentRaised,
    Paused,
    Record,
    Reset,
    Swept,
    Tripped,
    Unpaused,
)
from plimsoll.core.risk.limits import ACCOUNT


class Guards:
    """Breakers, halts, pauses, flattens, incidents."""

    def __init__(self, facts: Facts) -> None:
        """Change these."""
        self.facts = facts

    def table(self) -> dict[type[Record], Callable[[Any], None]]:
        """Return who applies which record."""
        return {
            DisconnectReported: self._disconnect,
            Tripped: self._tripped,
            Reset: self._reset,
            Halted: self._halted,
            Paused: self._paused,
            Unpaused: self._paused,
            Swept: self._swept,
            FlattenBegun: self._flatten_begun,
            FlattenEnded: self._flatten_ended,
            IncidentRaised: self._incident,
        }

    def _tripped(self, record: Tripped) -> None:
        self.facts.trips.on_tripped(record)
        owner, _, instrument = record.scope.partition("/")
        if record.breaker == "losing_streak" and (owner, instrument) in self.facts.streaks:
            self.facts.streaks[owner, instrument].lost = 0

    def _reset(self, record: Reset) -> None:
        self.facts.trips.on_reset(record)
        if record.breaker == "drawdown":
            if record.scope == ACCOUNT:
                self.facts.losses.forgive()
            elif record.scope in self.facts.own_losses:
                self.facts.own_losses[record.scope].forgive()

    def _disconnect(self, record: DisconnectReported) -> None:
        self.facts.disconnect[record.product] = record

    def _paused(self, record: Paused | Unpaused) -> None:
        """Take a pause or its end; either says that what was taken until now is known."""
        held = self.facts.ledger.positions.get((record.owner, record.instrument))
        if held is not None:
            held.told_units = held.outside_units
        if isinstance(record, Paused):
            self.facts.safety.on_paused(record)
        else:
            self.facts.safety.on_unpaused(record)

    def _incident(self, record: IncidentRaised) -> None:
        self.facts.incidents.append(record)
        instrument = record.subject.partition(" ")[0]
        if record.code in (STREAM_DEAD, STREAM_SUSPECT):
            self.facts.doubts[instrument] = record
        elif record.code == STREAM_LIVE:
            self.facts.doubts.pop(instrument, None)

    def _halted(self, record: Halted) -> None:
        self.facts.safety.on_halted(record)
        self.facts.swept.pop(record.scope, None)

    def _swept(self, record: Swept) -> None:
        self.facts.swept[record.scope] = record

    def _flatten_begun(self, record: FlattenBegun) -> None:
        self.facts.flattens[record.id] = record

    def _flatten_ended(self, record: FlattenEnded) -> None:
        self.facts.flattens.pop(record.id, None)
        self.facts.flattened.append(record)
