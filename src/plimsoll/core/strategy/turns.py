"""Which callback of a strategy is under way, and which ones are known to have been cut off (P8).

The core calls; who watches the time stands outside (``engine.guard``) and raises ``Cut`` inside the
callback. That it was cut is a record, so that a replay cuts at the same place without a clock.
"""


class Cut(BaseException):
    """Raised inside a callback that does not return; ``except Exception`` does not take it."""


class Turns:
    """Shared by the core, which writes, and by whoever watches the time, which only reads (hot)."""

    __slots__ = ("is_inside", "known", "nth", "serial")

    def __init__(self) -> None:
        """Start before the first callback."""
        self.serial = 0
        """Callbacks begun since the process started: tells one from the next."""
        self.is_inside = False
        """Whether a callback is under way: only then may ``Cut`` be raised."""
        self.nth = 0
        """Callbacks begun within the input being handled."""
        self.known: frozenset[tuple[int, int]] = frozenset()
        """Of a replay: seq of the input and ``nth`` of each callback that was cut off."""
