"""``Twap``: equal slices over time."""

from typing import NamedTuple

from plimsoll.core.model import Denied
from plimsoll.core.strategy.executors.plan import Terms
from plimsoll.core.strategy.executors.schedule import Scheduled, scheduled
from plimsoll.core.strategy.number import Number


class Twap(NamedTuple):
    """Trade a signed quantity in equal slices, each taking what it finds.

    ``limit``: no slice pays more (sells for less); while the market is beyond it, nothing is sent.
    ``randomised``: 0.3 lets slices start up to 30 % of their time late and differ in size by as
    much, from the instance's own random stream. ``reduce_only``: only makes a position smaller.
    """

    qty: Number
    over_s: float
    slice_s: float
    limit: Number | None = None
    randomised: float = 0.0
    reduce_only: bool = False

    def begin(
        self, terms: Terms, instrument: str
    ) -> tuple[Scheduled, list[tuple[str, int, int]]] | Denied:
        """Return the plan and its leg (instrument, direction, lots), or why there is none."""
        return scheduled(
            terms,
            instrument,
            self.qty,
            self.over_s,
            self.slice_s,
            limit=self.limit,
            randomised=self.randomised,
            reduce_only=self.reduce_only,
        )
