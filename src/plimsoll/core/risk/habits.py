"""What is usual for an instance, learned from its own past, and what is not.

Theory: what an instance does is counted in minutes in which it did anything. A minute is unusual
in a measure when it is above a floor and above ``FACTOR`` times the 99th percentile of the newest
``WINDOW`` such minutes. The minute under way is judged while it grows, so that a runaway is seen
after seconds; an unusual minute teaches nothing, so that it cannot become its own measure.

Everything follows from records of the trading log: a restored state knows the same habits.
"""

from bisect import bisect_left, insort
from enum import StrEnum
from typing import Final, NamedTuple

import msgspec

MINUTE_NS: Final = 60_000_000_000
WINDOW: Final = 1_440
"""Newest minutes of activity that are looked at: a day of an instance that never rests."""

LEAST: Final = 60
"""Minutes of activity before anything counts as usual; until then nothing is unusual."""

FACTOR: Final = 5


class Measure(StrEnum):
    """What is counted."""

    ORDERS = "orders"
    """Creates and amends in a minute."""
    VALUE = "value"
    """Largest value of an order, quote cash units."""
    FILLS = "fills"
    """Executions in a minute."""
    DISTANCE = "distance"
    """Largest step from its last order on the same instrument and side, parts per million."""
    FLIPS = "flips"
    """Times its position changed sides in a minute."""


FLOORS: Final[dict[str, int]] = {
    Measure.ORDERS: 30,
    Measure.VALUE: 0,
    Measure.FILLS: 30,
    Measure.DISTANCE: 10_000,
    Measure.FLIPS: 3,
}
"""Never unusual up to here: five times next to nothing is still next to nothing."""


_ORDERS: Final = Measure.ORDERS  # hot: read through its class it costs ten times a global
_VALUE: Final = Measure.VALUE
_FILLS: Final = Measure.FILLS
_DISTANCE: Final = Measure.DISTANCE
_FLIPS: Final = Measure.FLIPS


class Habit(msgspec.Struct):
    """One measure of one instance: its usual minutes, and the one under way."""

    usual: list[int] = []
    """The newest minutes, oldest first."""
    ordered: list[int] = []
    """The same, smallest first."""
    now: int = 0
    is_told: bool = False
    """Whether a person heard of the minute under way."""

    def limit(self, floor: int) -> int:
        """Return the largest value that is not unusual, 0 while too little is known."""
        ordered = self.ordered
        count = len(ordered)
        if count < LEAST:
            return 0
        most = FACTOR * ordered[(count * 99 - 1) // 100]
        return most if most > floor else floor  # noqa: FURB136 - hot

    def close(self, floor: int) -> None:
        """End the minute under way and learn from it, where it was usual."""
        limit = self.limit(floor)
        if self.now and (not limit or self.now <= limit):
            self.usual.append(self.now)
            insort(self.ordered, self.now)
            if len(self.usual) > WINDOW:
                del self.ordered[bisect_left(self.ordered, self.usual.pop(0))]
        self.now, self.is_told = 0, False


class Finding(NamedTuple):
    """A measure that is beyond what is usual: its value, and the largest usual one."""

    measure: Measure
    value: int
    limit: int


class Habits(msgspec.Struct):
    """All measures of one instance."""

    minute: int = 0
    """The minute under way, counted from 1970."""
    measures: dict[str, Habit] = {}
    prices: dict[str, int] = {}
    """Price in ticks of its last order, by instrument and side."""

    def ordered(self, ts_ns: int, place: str, price_ticks: int, value_units: int) -> None:
        """Take a create or amend. ``place``: instrument and side, ``value_units``: of the order."""
        self._turn(ts_ns)
        self._of(_ORDERS).now += 1
        value = self._of(_VALUE)
        if value_units > value.now:
            value.now = value_units
        before = self.prices.get(place, 0)
        if price_ticks:
            self.prices[place] = price_ticks
            if before:
                far = self._of(_DISTANCE)
                far.now = max(far.now, abs(price_ticks - before) * 1_000_000 // before)

    def filled(self, ts_ns: int, held_before: int, held_after: int) -> None:
        """Take an execution and the position around it, signed in any unit."""
        self._turn(ts_ns)
        self._of(_FILLS).now += 1
        if held_before * held_after < 0:
            self._of(_FLIPS).now += 1

    def unusual(self) -> list[Finding]:
        """Return what the minute under way has too much of, each once."""
        found = []
        for name, habit in self.measures.items():
            if not habit.now or habit.is_told:
                continue
            limit = habit.limit(FLOORS[name])
            if limit and habit.now > limit:
                found.append(Finding(Measure(name), habit.now, limit))
        return found

    def told(self, findings: list[Finding]) -> None:
        """Note that a person was told."""
        for finding in findings:
            self.measures[finding.measure].is_told = True

    def _of(self, measure: Measure) -> Habit:
        habit = self.measures.get(measure)
        if habit is None:
            habit = self.measures[measure] = Habit()
        return habit

    def _turn(self, ts_ns: int) -> None:
        minute = ts_ns // MINUTE_NS
        if minute != self.minute:
            self.minute = minute
            for name, habit in self.measures.items():
                if habit.now or habit.is_told:
                    habit.close(FLOORS[name])
