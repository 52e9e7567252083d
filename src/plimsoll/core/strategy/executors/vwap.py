"""``Vwap``: slices in the proportions in which a market usually trades."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from plimsoll.core.feed import Bar
from plimsoll.core.model import Denied
from plimsoll.core.strategy.executors.plan import SECOND, Terms, wrong
from plimsoll.core.strategy.executors.schedule import Scheduled, scheduled, slices_of
from plimsoll.core.strategy.number import Number

DAY_NS: Final = 86_400 * SECOND


class Vwap(NamedTuple):
    """Trade a signed quantity in slices sized like the volume of the market.

    Exactly one of ``profile``: weights of equal parts of the time, first to last; ``frame``: a time
    frame declared in ``bars``, whose kept bars say what is usual at each time of the day. Where no
    bar of that time is kept, the average of all stands in. The rest as in ``Twap``.
    """

    qty: Number
    over_s: float
    slice_s: float
    profile: Sequence[float] = ()
    frame: str = ""
    limit: Number | None = None
    randomised: float = 0.0
    reduce_only: bool = False

    def begin(
        self, terms: Terms, instrument: str
    ) -> tuple[Scheduled, list[tuple[str, int, int]]] | Denied:
        """Return the plan and its leg, or why there is none."""
        if bool(self.profile) == bool(self.frame):
            return wrong("Vwap takes one of profile and frame")
        given = [float(one) for one in self.profile]
        if given and not (sum(given) > 0 and all(0 <= one < float("inf") for one in given)):
            return wrong("profile: weights are numbers from zero on, and not all zero")
        spans = slices_of(self.over_s, self.slice_s)
        if isinstance(spans, Denied):
            return spans
        slice_ns, count = spans
        if given:
            weights = [given[index * len(given) // count] for index in range(count)]
        else:
            try:
                window = terms.window(instrument, self.frame)
            except KeyError as error:
                return wrong(str(error.args[0]))
            weights = usual(window, [terms.now_ns + i * slice_ns for i in range(count)])
        if not sum(weights) > 0:
            return wrong("no volume is known for any of the slices")
        return scheduled(
            terms,
            instrument,
            self.qty,
            self.over_s,
            self.slice_s,
            weights=weights,
            limit=self.limit,
            randomised=self.randomised,
            reduce_only=self.reduce_only,
        )


def usual(window: Sequence[Bar], times: Sequence[int]) -> list[float]:
    """Return the mean volume at the time of day of each of these times, Unix ns."""
    if len(window) < 2:
        return [0.0] * len(times)
    # The shortest step: a bar may be missing between two.
    span = min(later.start_ns - one.start_ns for one, later in pairwise(window))
    at: dict[int, list[float]] = {}
    for bar in window:
        at.setdefault(bar.start_ns % DAY_NS // span, []).append(bar.volume)
    mean = sum(bar.volume for bar in window) / len(window)
    return [
        sum(found) / len(found) if (found := at.get(time % DAY_NS // span)) else mean
        for time in times
    ]
