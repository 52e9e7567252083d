"""Brings the venue's protection of positions to what the instances wish, and tells where it is not.

The engine's own stop stands behind it (``wishing``). Requirement ORD-12, lesson 7.
"""

from collections.abc import Iterator
from typing import Final

from plimsoll.core.engine.state import State
from plimsoll.core.execution.protection import NO_LEVEL, Level, Wish, next_level, wanted
from plimsoll.core.model import Side
from plimsoll.core.records import (
    IncidentRaised,
    OutcomeLost,
    ProtectionAnswered,
    ProtectionIntended,
    ProtectionWished,
    Record,
)
from plimsoll.core.settings import Timing

NAKED_NS: Final = 5_000_000_000
"""A position whose wished stop is not at the venue for longer is an incident."""

LATE_SLACK_NS: Final = 1_000_000_000
"""Beyond the receive window: the venue takes stamps so far ahead."""


class Protecting:
    """Levels of all live perpetuals."""

    def __init__(self, state: State, timing: Timing) -> None:
        """Share the engine's state."""
        self.state = state
        self.answer_ns = 2 * timing.answer_ns
        self.late_ns = timing.recv_window_ms * 1_000_000 + LATE_SLACK_NS
        self.naked_since: dict[str, int] = {}
        self.told: set[str] = set()
        """Instruments a person was told of as naked, until they are protected again."""

    def wish(self, owner: str, name: str, side: Side, level: Level) -> Iterator[Record]:
        """Record what an instance wants for a position of this side, and ask the venue for it."""
        now = self.state.protections.wishes.get((owner, name))
        if now == Wish(side, level) or (now is None and level == NO_LEVEL):
            return
        yield ProtectionWished(*self.state.stamp(), owner, name, side, *level)
        yield from self.look(owner, name)

    def look(self, owner: str, name: str) -> Iterator[Record]:
        """Ask for the wished level where the position does not show it."""
        state = self.state
        if not state.keeps_at_venue(owner, name):
            return
        held = state.ledger.qty_lots(owner, name)
        level = wanted(state.protections.wishes.get((owner, name)), held)
        if level is None or state.held_lots("", name) * held <= 0:
            self._covered(name)
            return
        found = state.protections.of(name)
        if found.sent_ns and state.ts_ns - found.sent_ns > self.answer_ns:
            yield OutcomeLost(*state.stamp(), name, "protect", "no answer in time")
        safety = state.safety
        asked = next_level(
            found,
            level,
            Side.BUY if held > 0 else Side.SELL,
            state.ts_ns,
            self.late_ns,
            may_loosen=not safety.is_halted and not safety.is_stopping,
        )
        if asked is not None and safety.is_reconciled:
            yield ProtectionIntended(*state.stamp(), owner, name, *asked)
        if level.stop_ticks and not found.shown.stop_ticks:
            yield from self._naked(name, level)
        else:
            self._covered(name)

    def look_at(self, name: str) -> Iterator[Record]:
        """Look at whoever wished something for an instrument."""
        for owner, wished in list(self.state.protections.wishes):
            if wished == name:
                yield from self.look(owner, name)

    def on_time(self) -> Iterator[Record]:
        """Look at every wish."""
        for owner, name in list(self.state.protections.wishes):
            yield from self.look(owner, name)

    def on_answer(self, answer: ProtectionAnswered) -> Iterator[Record]:
        """Tell a person once of a level that the venue does not take."""
        found = self.state.protections.of(answer.instrument)
        if answer.outcome == "refused" and found.tries == 1:
            text = f"{answer.code} {answer.text}; the engine's own stop stays"
            yield IncidentRaised(*self.state.stamp(), "protection_refused", answer.instrument, text)

    # ---- inside ----

    def _naked(self, name: str, level: Level) -> Iterator[Record]:
        state = self.state
        since_ns = self.naked_since.setdefault(name, state.ts_ns)
        if state.ts_ns - since_ns <= NAKED_NS or name in self.told:
            return
        self.told.add(name)
        shown = state.instruments[name].price_text(level.stop_ticks)
        why = state.protections.of(name).refusal or "not shown by the venue's position"
        text = f"no stop at the venue for {NAKED_NS // 1_000_000_000} s, wanted {shown}: {why}"
        yield IncidentRaised(*state.stamp(), "naked", name, text)

    def _covered(self, name: str) -> None:
        self.naked_since.pop(name, None)
        self.told.discard(name)
