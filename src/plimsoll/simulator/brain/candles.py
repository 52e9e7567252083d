"""Candles: minutes, and the longer ones made of them."""

from collections import deque
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

import msgspec

from plimsoll.simulator.brain.numbers import ZERO

MINUTE_MS: Final = 60_000
DAY_MINUTES: Final = 1440
DAY_MS: Final = DAY_MINUTES * MINUTE_MS
INTERVALS: Final = {
    "1": 1,
    "3": 3,
    "5": 5,
    "15": 15,
    "30": 30,
    "60": 60,
    "120": 120,
    "240": 240,
    "360": 360,
    "720": 720,
    "D": DAY_MINUTES,
    "W": 7 * DAY_MINUTES,
    "M": 0,
}
"""Minutes of every interval; a month has as many as it has."""
_THURSDAY: Final = 3
"""Days from a Monday to the Thursday on which Unix time began."""
_DAYS_KEPT: Final = 400


class Candle(msgspec.Struct):
    """One interval; prices in ticks, quantity in lots, ``turnover`` in quote coin."""

    start_ms: int
    open: int
    high: int
    low: int
    close: int
    lots: int = 0
    turnover: Decimal = ZERO
    last_ms: int = 0


class Candles:
    """Minutes of the last day and closed days before, oldest first; the last minute is open."""

    def __init__(self) -> None:
        """Start empty."""
        self.minutes: deque[Candle] = deque(maxlen=DAY_MINUTES + 60)
        self._days: deque[Candle] = deque(maxlen=_DAYS_KEPT)

    def add(self, candle: Candle) -> None:
        """Take the next minute; where it begins a day, the day before is closed."""
        minutes = self.minutes
        if minutes and candle.start_ms // DAY_MS != minutes[-1].start_ms // DAY_MS:
            start = minutes[-1].start_ms // DAY_MS * DAY_MS
            self._days.append(merged(self.since(start), start))
        minutes.append(candle)

    def since(self, start_ms: int) -> list[Candle]:
        """Return the minutes from a time on."""
        found = []
        for candle in reversed(self.minutes):
            if candle.start_ms < start_ms:
                break
            found.append(candle)
        return found[::-1]

    def period(self, interval: str, at_ms: int) -> Candle | None:
        """Return the candle of the interval that holds a moment, ``None`` where nothing is kept."""
        start, end = start_of(interval, at_ms), end_of(interval, at_ms)
        if end - start > DAY_MS:
            parts = [part for part in self._parts() if start <= part.start_ms < end]
        else:
            parts = [part for part in self.since(start) if part.start_ms < end]
        return merged(parts, start) if parts else None

    def all(self, interval: str) -> list[Candle]:
        """Return every candle of an interval that is kept, oldest first."""
        parts = self._parts() if interval in ("D", "W", "M") else self.minutes
        return grouped(parts, interval)

    def _parts(self) -> list[Candle]:
        """Return closed days, then the minutes of today."""
        today = self.minutes[-1].start_ms // DAY_MS * DAY_MS if self.minutes else 0
        return [*self._days, *self.since(today)]


def grouped(parts: Iterable[Candle], interval: str) -> list[Candle]:
    """Return candles of an interval made of shorter ones, oldest first."""
    groups: dict[int, list[Candle]] = {}
    for candle in parts:
        groups.setdefault(start_of(interval, candle.start_ms), []).append(candle)
    return [merged(group, start) for start, group in groups.items()]


def merged(parts: list[Candle], start_ms: int) -> Candle:
    """Return the candle made of consecutive ones, oldest first; at least one."""
    return Candle(
        start_ms,
        parts[0].open,
        max(part.high for part in parts),
        min(part.low for part in parts),
        parts[-1].close,
        sum(part.lots for part in parts),
        sum((part.turnover for part in parts), ZERO),
        parts[-1].last_ms,
    )


def flat(start_ms: int, ticks: int) -> Candle:
    """Return a candle in which nothing happened."""
    return Candle(start_ms, ticks, ticks, ticks, ticks, last_ms=start_ms)


def start_of(interval: str, at_ms: int) -> int:
    """Return when the interval that holds a moment began; weeks begin on Monday, in UTC."""
    if interval == "M":
        return _month(at_ms, 0)
    if interval == "W":
        day = at_ms // DAY_MS
        return (day - (day + _THURSDAY) % 7) * DAY_MS
    length = INTERVALS[interval] * MINUTE_MS
    return at_ms // length * length


def end_of(interval: str, at_ms: int) -> int:
    """Return when the next interval begins."""
    if interval == "M":
        return _month(at_ms, 1)
    return start_of(interval, at_ms) + INTERVALS[interval] * MINUTE_MS


def _month(at_ms: int, later: int) -> int:
    day = datetime.fromtimestamp(at_ms / 1000, UTC)
    number = day.year * 12 + day.month - 1 + later
    first = datetime(number // 12, number % 12 + 1, 1, tzinfo=UTC)
    return int(first.timestamp()) * 1000
