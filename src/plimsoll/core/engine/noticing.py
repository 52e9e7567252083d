"""Tells a person when an instance does what it never does, and pauses it where that is wanted.

What is usual is learned by ``apply`` from the instance's own records (``risk.habits``).
"""

from collections.abc import Iterator
from typing import Final

from plimsoll.core.engine.state import State
from plimsoll.core.model import Scope, cash_text
from plimsoll.core.records import IncidentRaised, Paused, Record
from plimsoll.core.risk.habits import Finding, Measure
from plimsoll.core.settings import CoreSettings

ACTOR: Final = "engine"
_WORDS: Final[dict[Measure, str]] = {
    Measure.ORDERS: "{} orders and amends within a minute",
    Measure.VALUE: "an order worth {}",
    Measure.FILLS: "{} fills within a minute",
    Measure.DISTANCE: "a price {} away from its last one",
    Measure.FLIPS: "{} changes of side within a minute",
}


class Noticing:
    """Looks at every instance once a beat."""

    def __init__(self, state: State, settings: CoreSettings) -> None:
        """Share the engine's state."""
        self.state = state
        self.is_pausing = settings.unusual == "pause"
        self.looked = -1
        """How much had been noted of habits at the newest look."""

    @property
    def is_curious(self) -> bool:
        """Return whether anything was noted since the newest look."""
        return self.looked != self.state.noted

    def finds_nothing(self) -> bool:
        """Look at what was noted; return whether there is nothing to tell (hot by bars)."""
        if not self.is_curious:
            return True
        for habits in self.state.habits.values():
            if habits.unusual():
                return False
        self.looked = self.state.noted
        return True

    def on_time(self) -> Iterator[Record]:
        """Tell what is unusual, each measure once in its minute."""
        state = self.state
        if not self.is_curious:
            return  # what was usual then is usual now
        self.looked = state.noted
        for owner, habits in state.habits.items():
            found = habits.unusual()
            if not found:
                continue
            habits.told(found)
            text = "; ".join(map(_told, found))
            yield IncidentRaised(*state.stamp(), "unusual_activity", owner, text)
            if self.is_pausing and Scope(owner, "") not in state.safety.pauses:
                yield Paused(*state.stamp(), owner, "", f"unusual activity: {text}", ACTOR)


def _told(finding: Finding) -> str:
    usual = f"usual is up to {_number(finding.measure, finding.limit)}"
    return f"{_WORDS[finding.measure].format(_number(finding.measure, finding.value))}, {usual}"


def _number(measure: Measure, value: int) -> str:
    if measure is Measure.VALUE:
        return cash_text(value)
    return f"{value / 10_000:.2f} %" if measure is Measure.DISTANCE else str(value)
