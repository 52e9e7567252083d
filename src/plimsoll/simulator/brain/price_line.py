"""Minutes of a price that is computed, not traded: mark, index and premium."""

from collections import deque
from typing import Final

from plimsoll.simulator.brain.candles import DAY_MINUTES, MINUTE_MS, Candle, flat, grouped

_KEPT: Final = DAY_MINUTES + 60


class PriceLine:
    """Open, high, low and close of each minute, in steps the owner chooses."""

    def __init__(self) -> None:
        """Start empty."""
        self._minutes: deque[Candle] = deque(maxlen=_KEPT)

    def update(self, now_ms: int, value: int) -> None:
        """Take the value of now; minutes without one repeat the last."""
        start = now_ms // MINUTE_MS * MINUTE_MS
        minutes = self._minutes
        if not minutes:
            minutes.append(flat(start, value))
        last = minutes[-1]
        if last.start_ms < start:
            first = max(last.start_ms + MINUTE_MS, start - _KEPT * MINUTE_MS)
            for minute in range(first, start + 1, MINUTE_MS):
                minutes.append(flat(minute, last.close))
            last = minutes[-1]
        last.close = value
        if value > last.high:
            last.high = value
        elif value < last.low:
            last.low = value

    def all(self, interval: str) -> list[Candle]:
        """Return every candle of an interval that is kept, oldest first."""
        return grouped(self._minutes, interval)
