"""Long series in bounded memory: buckets of time, twice as wide whenever there are too many.

Of each bucket the samples that a picture needs stay as they were measured: the first, the last and
the extremes. Buckets are aligned to multiples of their width, so what is kept depends on the
samples and the final width alone, not on the moments at which buckets were merged.
"""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from typing import Final, Generic, TypeVar

from plimsoll.backtest.plan import Row
from plimsoll.backtest.results import Curve, PriceSeries

CURVE_POINTS: Final = 4_000
"""Most points of a curve."""

PRICE_ROWS: Final = 2_000
"""Most rows of a price series."""

FIRST_WIDTH_NS: Final = 1_000_000
"""Width of a bucket to begin with."""

Point = tuple[int, int, float, float, float]
"""Number, ts_ns, equity, drawdown, exposure."""

Kept = tuple[Point, Point, Point, Point, Point, Point]
"""First, lowest, highest, deepest, most exposed, last: of one bucket."""

Bar = tuple[int, float, float, float, float]
"""ts_ns, open, high, low, close."""

_KeptT = TypeVar("_KeptT")
_MS: Final = 1_000_000


class Buckets(Generic[_KeptT]):
    """What is kept of each stretch of time, oldest first; never more than ``most`` stretches."""

    def __init__(self, most: int, merge: Callable[[_KeptT, _KeptT], _KeptT]) -> None:
        """Start empty; ``merge`` joins an earlier with a later one."""
        self.width_ns = FIRST_WIDTH_NS
        self._most = most
        self._merge = merge
        self._rows: list[_KeptT] = []
        self._places: list[int] = []

    def add(self, ts_ns: int, one: _KeptT) -> None:
        """Take what was measured at a time, not before the last."""
        place = ts_ns // self.width_ns
        if self._places and place <= self._places[-1]:
            if place < self._places[-1]:
                raise ValueError(f"expected samples in order of time, found {ts_ns} behind another")
            self._rows[-1] = self._merge(self._rows[-1], one)
            return
        self._places.append(place)
        self._rows.append(one)
        if len(self._rows) > self._most:
            self._widen()

    def rows(self) -> list[_KeptT]:
        """Return what is kept, oldest first."""
        return list(self._rows)

    def under_way(self, ts_ns: int) -> tuple[_KeptT | None, int]:
        """Return what is kept of the newest stretch and its end; None where a time is not in it."""
        if not self._places or ts_ns // self.width_ns != self._places[-1]:
            return None, 0
        return self._rows[-1], (self._places[-1] + 1) * self.width_ns

    def renew(self, one: _KeptT) -> None:
        """Put another in the place of what is kept of the newest stretch."""
        self._rows[-1] = one

    def _widen(self) -> None:
        """Double the width until there are few enough again, and merge once."""
        times = 1
        while len({place >> times for place in self._places}) > self._most:
            times += 1
        self.width_ns <<= times
        rows: list[_KeptT] = []
        places: list[int] = []
        for place, row in zip(self._places, self._rows, strict=True):
            if places and places[-1] == place >> times:
                rows[-1] = self._merge(rows[-1], row)
            else:
                places.append(place >> times)
                rows.append(row)
        self._rows, self._places = rows, places


class CurveMaker:
    """Makes a ``Curve`` of any number of samples."""

    def __init__(self, points: int = CURVE_POINTS) -> None:
        """Start empty; the curve will have at most so many points, and no fewer than six."""
        self._peak = 0.0
        self._count = 0
        self._buckets: Buckets[Kept] = Buckets(max(1, points // 6), _joined)

    def add(self, ts_ns: int, equity: float, exposure: float = 0.0) -> None:
        """Take a sample, not before the last: equity in quote, exposure as share of capital."""
        self._peak = max(self._peak, equity) if self._count else equity
        drawdown = (self._peak - equity) / self._peak if self._peak > 0 else 0.0
        point = (self._count, ts_ns, equity, drawdown, exposure)
        self._count += 1
        self._buckets.add(ts_ns, (point,) * 6)

    def stretch(
        self, times_ns: Sequence[int], equities: Sequence[float], exposures: Sequence[float]
    ) -> None:
        """Take samples one after the other, as ``add`` would (hot)."""
        at, count, buckets = 0, len(times_ns), self._buckets
        while at < count:
            kept, end_ns = buckets.under_way(times_ns[at])
            if kept is None:
                self.add(times_ns[at], equities[at], exposures[at])
                at += 1
                continue
            end = bisect_left(times_ns, end_ns, at)
            first, lowest, highest, deepest, fullest, last = kept
            low, high, deep, full = lowest[2], highest[2], deepest[3], fullest[4]
            peak, number, drawdown = self._peak, self._count, 0.0
            for place in range(at, end):
                equity, exposure = equities[place], exposures[place]
                if equity > peak:
                    peak = equity
                drawdown = (peak - equity) / peak if peak > 0 else 0.0
                if equity < low:
                    lowest, low = (number, times_ns[place], equity, drawdown, exposure), equity
                if equity > high:
                    highest, high = (number, times_ns[place], equity, drawdown, exposure), equity
                if drawdown > deep:
                    deepest, deep = (number, times_ns[place], equity, drawdown, exposure), drawdown
                if exposure > full:
                    fullest, full = (number, times_ns[place], equity, drawdown, exposure), exposure
                number += 1
            self._peak, self._count = peak, number
            newest = end - 1
            last = (number - 1, times_ns[newest], equities[newest], drawdown, exposures[newest])
            buckets.renew((first, lowest, highest, deepest, fullest, last))
            at = end

    def curve(self) -> Curve:
        """Return the curve so far; the maker may go on."""
        points = sorted({point for kept in self._buckets.rows() for point in kept})
        return Curve(
            ts_ns=[point[1] for point in points],
            equity=[point[2] for point in points],
            drawdown=[point[3] for point in points],
            exposure=[point[4] for point in points],
        )


class PriceMaker:
    """Makes a ``PriceSeries`` of any number of bars or prices."""

    def __init__(self, instrument: str, rows: int = PRICE_ROWS) -> None:
        """Start empty; the series will have at most so many rows."""
        self._instrument = instrument
        self._buckets: Buckets[Bar] = Buckets(rows, _widened)

    def add(self, ts_ns: int, open: float, high: float, low: float, close: float) -> None:
        """Take a bar by its beginning, not before the last."""
        self._buckets.add(ts_ns, (ts_ns, open, high, low, close))

    def stretch(self, rows: Sequence[Row]) -> None:
        """Take bars one after the other, as ``add`` would (hot)."""
        buckets = self._buckets
        kept: Bar | None = None
        end_ns = begin_ns = 0
        first = most = least = last = 0.0
        for start_ms, open, high, low, close, _volume in rows:
            ts_ns = start_ms * _MS
            if begin_ns <= ts_ns < end_ns:
                if high > most:
                    most = high
                if low < least:
                    least = low
                last = close
                continue
            if kept is not None:
                buckets.renew((kept[0], first, most, least, last))
            buckets.add(ts_ns, (ts_ns, open, high, low, close))
            kept, end_ns = buckets.under_way(ts_ns)
            assert kept is not None
            begin_ns = ts_ns
            _, first, most, least, last = kept
        if kept is not None:
            buckets.renew((kept[0], first, most, least, last))

    def add_price(self, ts_ns: int, price: float) -> None:
        """Take a single price."""
        self._buckets.add(ts_ns, (ts_ns, price, price, price, price))

    def series(self) -> PriceSeries:
        """Return the series so far; the maker may go on."""
        rows = self._buckets.rows()
        return PriceSeries(
            self._instrument,
            ts_ns=[row[0] for row in rows],
            open=[row[1] for row in rows],
            high=[row[2] for row in rows],
            low=[row[3] for row in rows],
            close=[row[4] for row in rows],
        )


def _joined(one: Kept, other: Kept) -> Kept:
    """Return what stays of two stretches; of equals the earlier."""
    return (
        one[0],
        other[1] if other[1][2] < one[1][2] else one[1],
        other[2] if other[2][2] > one[2][2] else one[2],
        other[3] if other[3][3] > one[3][3] else one[3],
        other[4] if other[4][4] > one[4][4] else one[4],
        other[5],
    )


def _widened(one: Bar, other: Bar) -> Bar:
    return one[0], one[1], max(one[2], other[2]), min(one[3], other[3]), other[4]
