"""What all indicators share: where their input comes from, and the window of those that have one.

A window never subtracts what leaves it. A running sum that does keeps the rounding error of every
jump it has seen for ever; two stacks of partial results (``Recent``) keep none.
"""

from collections.abc import Callable
from typing import Final

import msgspec

from plimsoll.core.feed import Bar

Part = tuple[float, float, float]
"""What is known of neighbouring values; the first number is how many they are."""

NOTHING: Final = 1e-14
"""Of a price: what is smaller is the rounding of floats and no movement."""


class OfCloses(msgspec.Struct):
    """An indicator of one number a bar."""

    def update(self, value: float) -> float:
        """Add a value and return the newest result."""
        raise NotImplementedError

    def take(self, bar: Bar) -> None:
        """Add the close of a bar."""
        self.update(bar.close)


class OfBars(msgspec.Struct):
    """An indicator of whole bars: it needs high, low or volume."""

    def update(self, bar: Bar) -> float:
        """Add a closed bar and return the newest result."""
        raise NotImplementedError

    def take(self, bar: Bar) -> None:
        """Add a closed bar."""
        self.update(bar)


class Recent(msgspec.Struct):
    """The newest parts as two stacks, and what they come to together."""

    older: list[Part] = []
    """What each of the oldest comes to with all that follow it here; the oldest last."""
    newer: list[Part] = []
    whole: Part = (0.0, 0.0, 0.0)
    """What ``newer`` comes to."""

    def __len__(self) -> int:
        """Return how many parts are in the window."""
        return len(self.older) + len(self.newer)

    def push(self, part: Part, period: int, join: Callable[[Part, Part], Part]) -> Part:
        """Add a part, drop the oldest beyond ``period``, and return what is left together.

        Args:
            part: Of one value.
            period: How many parts are kept.
            join: Puts an older part and a newer one together; the order of joining is free.
        """
        older, newer = self.older, self.newer
        self.whole = join(self.whole, part) if newer else part
        newer.append(part)
        if len(older) + len(newer) > period:
            if not older:
                together = newer.pop()
                older.append(together)
                while newer:
                    together = join(newer.pop(), together)
                    older.append(together)
            older.pop()
        if not older:
            return self.whole
        return join(older[-1], self.whole) if newer else older[-1]


def checked(name: str, *periods: int) -> None:
    """Refuse a period without values.

    Raises:
        ValueError: below one.
    """
    if min(periods) < 1:
        raise ValueError(f"{name}: a period is at least 1, found {min(periods)}")
