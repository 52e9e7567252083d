"""What changed about strategies while they run, as the records tell it: part of the state.

Parameters are a strategy's: both of its books have them, also one that begins later. Signals are an
instance's.

A parameter that was changed holds over a restart for as long as the configuration says of it what
it said then: who edits the file afterwards has the last word.
"""

from collections import deque
from typing import Any, Final

import msgspec

from plimsoll.core.model import strategy_of
from plimsoll.core.records import ParametersChanged, SignalReceived
from plimsoll.core.settings import CoreSettings

IDS_KEPT: Final = 1_000
"""Newest signals of an instance whose ids are remembered."""

MINUTE_NS: Final = 60_000_000_000


class Change(msgspec.Struct, frozen=True):
    """A changed parameter: its value, and what the configuration said meanwhile (None: nothing)."""

    value: Any
    configured: Any
    before: Any = None
    """What was in force until it was first changed: as configured, or the class's default."""


class Taken(msgspec.Struct, frozen=True):
    """A signal that was taken: its record, when, and what it said."""

    seq: int
    ts_ns: int
    payload: str


class Changes:
    """Parameters changed, by strategy, and signals taken, by instance."""

    def __init__(self) -> None:
        """Start with neither."""
        self.parameters: dict[str, dict[str, Change]] = {}
        self.signals: dict[str, dict[str, Taken]] = {}
        """By id, the oldest first."""
        self.recent: dict[str, deque[int]] = {}
        """Times of the newest ones, for their rate."""

    def configure(self, settings: CoreSettings) -> None:
        """Take the configuration of a start: what it says otherwise than before holds."""
        said = {one.name: one.params for one in settings.strategies}
        for owner, changed in list(self.parameters.items()):
            kept = {
                name: one
                for name, one in changed.items()
                if owner in said and said[owner].get(name) == one.configured
            }
            if kept:
                self.parameters[owner] = kept
            else:
                del self.parameters[owner]

    def on_parameters(self, record: ParametersChanged, settings: CoreSettings | None) -> None:
        """Take over what a person changed."""
        strategies = settings.strategies if settings is not None else ()
        name = strategy_of(record.owner)
        said = next((one.params for one in strategies if strategy_of(one.name) == name), {})
        changed = self.parameters.setdefault(name, {})
        for name, value in record.values.items():
            first = changed.get(name)
            before = record.before.get(name) if first is None else first.before
            changed[name] = Change(value, said.get(name), before)

    def on_signal(self, record: SignalReceived) -> None:
        """Remember a signal."""
        taken = self.signals.setdefault(record.owner, {})
        taken[record.id] = Taken(record.seq, record.ts_ns, record.payload)
        while len(taken) > IDS_KEPT:
            del taken[next(iter(taken))]
        recent = self.recent.setdefault(record.owner, deque())
        recent.append(record.ts_ns)
        self._forget(recent, record.ts_ns)

    def of(self, owner: str) -> dict[str, Any]:
        """Return the changed parameters of an instance: those of its strategy."""
        return {
            name: one.value for name, one in self.parameters.get(strategy_of(owner), {}).items()
        }

    def in_a_minute(self, owner: str, now_ns: int) -> int:
        """Return how many signals an instance got within the last minute."""
        return sum(at > now_ns - MINUTE_NS for at in self.recent.get(owner, ()))

    def restore(
        self, parameters: dict[str, dict[str, Change]], signals: dict[str, dict[str, Taken]]
    ) -> None:
        """Take over what a snapshot holds."""
        self.parameters, self.signals = parameters, signals
        self.recent = {
            owner: deque(one.ts_ns for one in taken.values()) for owner, taken in signals.items()
        }

    @staticmethod
    def _forget(recent: deque[int], now_ns: int) -> None:
        while recent and recent[0] <= now_ns - MINUTE_NS:
            recent.popleft()
