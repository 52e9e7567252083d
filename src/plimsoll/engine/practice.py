"""Keeps the way of an order in the processor's caches, between frames, where nothing is urgent.

What a practice run decides is written into memory as the log would have it, and its request as the
socket would, and is forgotten: there is no way from here to either of them.
"""

from collections.abc import Callable
from typing import Final

from plimsoll.core.engine import Core
from plimsoll.core.records import OrderIntended, encode

QUIET_NS: Final = 1_000_000
"""Frames closer to one another than this, by themselves or on the average, are a burst or a busy
stream: the next one may wait already, and what it needs is near without us."""

_NEWEST: Final = 8
"""Frames the average is of, about."""

_LONG_NS: Final = _NEWEST * QUIET_NS
"""A longer gap counts as this one."""


class Practice:
    """Practises every so often."""

    def __init__(
        self,
        core: Core,
        practise: Callable[[OrderIntended], None],
        every_ns: int,
        trouble: Callable[[str, str, str], None],
    ) -> None:
        """Begin; ``practise``: the gateway's checks and the writing of the request."""
        self.core = core
        self.is_off = False
        """Whether one has failed: none follows it, and trading goes on."""
        self._trouble = trouble
        self.count = 0
        """Practice runs so far."""
        self._practise = practise
        self._every_ns = every_ns
        self._heard_ns = self._due_ns = 0
        self._usual_ns = 0
        """Between two frames, of late."""

    def heard(self, received_ns: int) -> None:
        """Practise behind a frame that led to nothing, where the next one is not near (hot)."""
        gap_ns, self._heard_ns = received_ns - self._heard_ns, received_ns
        self._usual_ns += (min(gap_ns, _LONG_NS) - self._usual_ns) // _NEWEST
        if received_ns < self._due_ns or gap_ns < QUIET_NS or self._usual_ns < QUIET_NS:
            return
        if self.is_off:
            return
        self._due_ns = received_ns + self._every_ns
        try:
            order = self.core.practised()
            if order is not None:
                encode(order)
                self._practise(order)
                self.count += 1
        except Exception as error:
            self.is_off = True
            self._trouble("practice", "no more of them", repr(error))
