"""Bars: sub-minute ones made from prints, minutes from the venue, longer ones from minutes."""

from collections import deque
from typing import Final

import msgspec

from plimsoll.core.records import BarChanged, BarReported, PublicTraded

_UNITS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
MINUTE_NS: Final = 60_000_000_000
_MONDAY_NS: Final = 4 * 86_400 * 1_000_000_000
"""The Unix epoch was a Thursday: weeks start four days later (trading.md 5)."""


class Bar(msgspec.Struct, frozen=True, gc=False):
    """One closed bar. Prices and volume are floats: signals, never money. Times Unix ns, UTC."""

    instrument: str
    frame: str
    start_ns: int
    open: float
    high: float
    low: float
    close: float
    volume: float
    is_warming: bool = False


def span_ns(frame: str) -> int:
    """Return the length of a time frame such as ``1s``, ``5m``, ``4h``, ``1d``, ``1w``.

    Raises:
        ValueError: not a number and a unit, or a sub-minute frame that does not divide a minute.
    """
    count, unit = frame[:-1], frame[-1:]
    if not count.isdecimal() or int(count) == 0 or unit not in _UNITS:
        raise ValueError(f"time frame {frame!r} must look like 1s, 5m, 4h, 1d or 1w")
    span = int(count) * _UNITS[unit] * 1_000_000_000
    if span < MINUTE_NS and MINUTE_NS % span:
        raise ValueError(f"time frame {frame!r} does not divide a minute")
    if span > MINUTE_NS and span % MINUTE_NS:
        raise ValueError(f"time frame {frame!r} is not a whole number of minutes")
    return span


class BarMaker:
    """Makes the bars of one instrument and one time frame, and keeps a window of them.

    Sub-minute frames close by ``close_until`` (timer + 250 ms); a frame without a print repeats
    the last close with no volume. Minutes close when the venue says so; longer frames close with
    their last minute. The first one of a longer frame is left out where its beginning was not seen.
    """

    __slots__ = (
        "base_ns",
        "frame",
        "instrument",
        "offset_ns",
        "open_bar",
        "span",
        "start_ns",
        "window",
    )

    def __init__(self, instrument: str, frame: str, keep: int, made: str = "") -> None:
        """Keep the newest ``keep`` closed bars; ``made``: their real frame, where another."""
        self.base_ns = MINUTE_NS
        """Length of the bars it is made from; a backtest's may be longer than a minute."""
        self.instrument = instrument
        self.frame = frame
        made = made or frame
        self.span = span_ns(made)
        self.offset_ns = _MONDAY_NS if made.endswith("w") else 0
        self.window: deque[Bar] = deque(maxlen=max(keep, 1))
        self.start_ns = 0
        self.open_bar: list[float] = []
        """open, high, low, close, volume of the bar under way; empty when there is none."""

    @property
    def is_whole(self) -> bool:
        """Return whether each bar is one of those it is made from."""
        return self.span == self.base_ns

    @property
    def is_own(self) -> bool:
        """Return whether the bars are ours (sub-minute) and need a timer to close."""
        return self.span < MINUTE_NS

    def on_public_trade(self, traded: PublicTraded) -> list[Bar]:
        """Add prints to a sub-minute bar; return bars that a later print closed."""
        closed: list[Bar] = []
        for price, qty, _is_buy, match_ms in traded.rows:
            start = self._start_of(match_ms * 1_000_000)
            if start > self.start_ns:
                closed += self._close_before(start)
            if start < self.start_ns:
                start = self.start_ns  # a late print belongs to the bar under way
            self._add(start, price, price, price, price, qty)
        return closed

    def close_until(self, venue_ns: int) -> list[Bar]:
        """Close the sub-minute bars that ended at or before ``venue_ns``."""
        return self._close_before(self._start_of(venue_ns)) if self.start_ns else []

    def on_minute(self, bar: BarChanged) -> list[Bar]:
        """Take the venue's final minute; return the bar it closes, if any."""
        return self._minute(
            bar.start_ms, bar.open, bar.high, bar.low, bar.close, bar.volume, is_warming=False
        )

    def on_row(
        self, start_ms: int, first: float, high: float, low: float, last: float, volume: float
    ) -> list[Bar]:
        """Take the same as a row."""
        return self._minute(start_ms, first, high, low, last, volume, is_warming=False)

    def on_fetched(self, bar: BarReported, tick: float) -> list[Bar]:
        """Take a fetched minute (warm-up); ``tick`` is the price of one tick."""
        prices = (bar.open_ticks, bar.high_ticks, bar.low_ticks, bar.close_ticks)
        first, high, low, last = (ticks * tick for ticks in prices)
        return self._minute(bar.start_ms, first, high, low, last, bar.volume_lots, is_warming=True)

    def _minute(
        self,
        start_ms: int,
        first: float,
        high: float,
        low: float,
        last: float,
        volume: float,
        *,
        is_warming: bool,
    ) -> list[Bar]:
        minute_ns = start_ms * 1_000_000
        start = self._start_of(minute_ns)
        if start == minute_ns and self.span == self.base_ns and not self.open_bar:
            bar = self.whole(start, first, high, low, last, volume, is_warming)
            return [] if bar is None else [bar]
        newest = self.window[-1].start_ns if self.window else -1
        if start <= newest:
            return []  # already closed: a repeated final message
        closed = (
            self._emit(is_warming=is_warming) if self.open_bar and start > self.start_ns else []
        )
        is_first = not self.start_ns or start == self.start_ns
        if minute_ns > start and is_first and not self.open_bar:
            self.start_ns = start  # the first one, begun in its middle: half a bar is none
            return closed
        self._add(start, first, high, low, last, volume)
        if minute_ns + self.base_ns == start + self.span:
            closed += self._emit(is_warming=is_warming)
        return closed

    def whole(
        self,
        start_ns: int,
        first: float,
        high: float,
        low: float,
        last: float,
        volume: float,
        is_warming: bool = False,
    ) -> Bar | None:
        """Take a bar that is one of its own as it stands, None where it was closed before (hot).

        Only for ``is_whole``, at a multiple of the span, with no bar under way.
        """
        window = self.window
        if window and start_ns <= window[-1].start_ns:
            return None
        self.start_ns = start_ns
        bar = Bar(self.instrument, self.frame, start_ns, first, high, low, last, volume, is_warming)
        window.append(bar)
        return bar

    def _start_of(self, at_ns: int) -> int:
        return at_ns - (at_ns - self.offset_ns) % self.span

    def _add(
        self, start: int, first: float, high: float, low: float, last: float, volume: float
    ) -> None:
        bar = self.open_bar
        if not bar:
            self.start_ns = start
            self.open_bar = [first, high, low, last, volume]
            return
        bar[1] = max(bar[1], high)
        bar[2] = min(bar[2], low)
        bar[3] = last
        bar[4] += volume

    def _close_before(self, start: int) -> list[Bar]:
        closed: list[Bar] = []
        while self.start_ns and self.start_ns < start:
            last = self.open_bar[3] if self.open_bar else self.window[-1].close
            if not self.open_bar:
                self.open_bar = [last, last, last, last, 0.0]
            following = self.start_ns + self.span
            closed += self._emit(is_warming=False)
            if following < start - 60 * self.span:
                following = start  # after a long silence do not invent hours of flat bars
            self.start_ns = following
        return closed

    def _emit(self, *, is_warming: bool) -> list[Bar]:
        first, high, low, last, volume = self.open_bar
        bar = Bar(
            self.instrument,
            self.frame,
            self.start_ns,
            first,
            high,
            low,
            last,
            volume,
            is_warming,
        )
        self.open_bar = []
        self.window.append(bar)
        return [bar]
