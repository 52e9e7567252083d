"""Whether paper and a backtest decide alike: orders of a session held against those made again.

Two orders are the same where instrument, side and quantity are, the price within a tick, and the
time within a tolerance: on paper a timer fires when the machine gets to it, in a backtest on the
dot. Each order has one partner at most, the nearest in time.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

LEAST: Final = 20
"""Orders below which a share says nothing."""

NEAR_TICKS: Final = 1


class Ask(NamedTuple):
    """An order that was decided."""

    ts_ns: int
    instrument: str
    side: str
    price_ticks: int
    qty_lots: int


class Agreement(NamedTuple):
    """What comes of it."""

    recorded: int
    made: int
    alike: int

    @property
    def share(self) -> float | None:
        """Return the share that has a partner, of the longer list; None where both are short."""
        most = max(self.recorded, self.made)
        return self.alike / most if most >= LEAST else None


def agreement_of(recorded: Sequence[Ask], made: Sequence[Ask], within_ns: int) -> Agreement:
    """Return how much of two lists of orders, each in order of time, is alike."""
    left: dict[tuple[str, str, int], list[Ask]] = {}
    for one in made:
        left.setdefault(one[1:3] + one[4:], []).append(one)
    alike = 0
    for ask in recorded:
        others = left.get(ask[1:3] + ask[4:], [])
        while others and others[0].ts_ns < ask.ts_ns - within_ns:
            others.pop(0)
        near = [
            (abs(one.ts_ns - ask.ts_ns), place)
            for place, one in enumerate(others)
            if one.ts_ns <= ask.ts_ns + within_ns
            and abs(one.price_ticks - ask.price_ticks) <= NEAR_TICKS
        ]
        if near:
            others.pop(min(near)[1])
            alike += 1
    return Agreement(len(recorded), len(made), alike)
