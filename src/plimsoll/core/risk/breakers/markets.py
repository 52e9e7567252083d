"""What an instrument does that it usually does not: moves, spreads, silence.

Theory: once a second a LIVE book is looked at. What is usual is the median of the last hour, which
half an hour of storm does not move; above so many times the usual, and above a floor (an instrument
that hardly moves must not trip on a tick), is not. Until a minute has been seen the floor alone
holds. How long a stream may be silent it has taught ``feed.silence`` itself.
"""

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterator
from typing import Final

from plimsoll.core.feed import Market
from plimsoll.core.risk.breakers.table import Finding
from plimsoll.core.settings import BreakerSettings

PPM: Final = 1_000_000
KEPT: Final = 3_600
LEAST: Final = 60
MINUTE: Final = 60
"""Looks that make the minute a move is measured over."""


class Habit:
    """The median of the newest ``KEPT`` values."""

    def __init__(self) -> None:
        """Start knowing nothing."""
        self._newest: deque[int] = deque()
        self._ordered: list[int] = []

    def learn(self, value: int) -> None:
        """Take a value."""
        self._newest.append(value)
        insort(self._ordered, value)
        if len(self._newest) > KEPT:
            del self._ordered[bisect_left(self._ordered, self._newest.popleft())]

    def usual(self) -> int:
        """Return the median, 0 while there are too few values."""
        count = len(self._ordered)
        return self._ordered[count // 2] if count >= LEAST else 0


class Watch:
    """One instrument, looked at once a second."""

    def __init__(self, name: str) -> None:
        """Start unseen."""
        self.name = name
        self.moves = Habit()
        self.spreads = Habit()
        self.middles: deque[int] = deque(maxlen=MINUTE + 1)
        """Sums of best bid and best ask in ticks, one a look."""
        self.live_ns = 0
        """When it was LIVE last in this session, 0 = never."""

    def look(self, market: Market, now_ns: int, settings: BreakerSettings) -> Iterator[Finding]:
        """Look at the market; yield what is not usual."""
        if market.doubt(now_ns) is not None:
            self.middles.clear()  # what is behind a gap is no minute
            yield from self._stale(now_ns, settings)
            return
        self.live_ns = now_ns
        total = market.bid_ticks + market.ask_ticks
        if not market.bid_ticks or not market.ask_ticks:
            return
        spread = (market.ask_ticks - market.bid_ticks) * 2 * PPM // total
        bound = _bound(self.spreads, settings.spread_ppm, settings.spread_floor_ppm)
        if spread > bound:
            text = f"a spread of {spread / 100:.1f} bps, above {bound / 100:.1f}"
            yield Finding("spread", self.name, spread, bound, text)
        self.spreads.learn(spread)
        yield from self._moved(total, settings)

    def _moved(self, total: int, settings: BreakerSettings) -> Iterator[Finding]:
        middles = self.middles
        middles.append(total)
        move = (max(middles) - min(middles)) * PPM // middles[0]
        bound = _bound(self.moves, settings.volatility_ppm, settings.volatility_floor_ppm)
        if move > bound:
            text = f"moved {move / 10_000:.2f} % within a minute, above {bound / 10_000:.2f} %"
            yield Finding("volatility", self.name, move, bound, text)
        self.moves.learn(move)

    def _stale(self, now_ns: int, settings: BreakerSettings) -> Iterator[Finding]:
        stale_ns = now_ns - self.live_ns
        if self.live_ns and stale_ns > settings.stale_ns:
            text = f"not LIVE for {stale_ns / 1e9:.0f} s"
            limit = settings.stale_ns // 1_000_000
            yield Finding("stale_data", self.name, stale_ns // 1_000_000, limit, text)


def _bound(habit: Habit, multiple_ppm: int, floor_ppm: int) -> int:
    return max(habit.usual() * multiple_ppm // PPM, floor_ppm)
