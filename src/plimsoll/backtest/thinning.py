"""Long series in bounded memory: buckets of time, twice as wide whenever there are too many.

Of each bucket the samples that a picture needs stay as they were measured: the first, the last and
the extremes. Buckets are aligned to multiples of their width, so what is kept depends on the
samples and the final width alone, not on the moments at which buckets were merged.
"""

from collections.abc import Callable
from typing import Final, Generic, TypeVar

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
        while len(self._rows) > self._most:
            self._widen()

    def rows(self) -> list[_KeptT]:
        """Return what is kept, oldest first."""
        return list(self._rows)

    def _widen(self) -> None:
        self.width_ns *= 2
        rows: list[_KeptT] = []
        places: list[int] = []
        for place, row in zip(self._places, self._rows, strict=True):
            if places and places[-1] == place // 2:
                rows[-1] = self._merge(rows[-1], row)
            else:
                places.append(place // 2)
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
