"""Minutes made of recorded prints, for strategies on bars where the venue's own were not recorded.

The venue sends a final minute a moment after it is over, with or without a print; so does this, by
the time of the inputs. A minute without a print repeats the last close.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

from plimsoll.core.records import BarChanged, PublicTraded

_MINUTE_MS: Final = 60_000
_MS: Final = 1_000_000
NEVER_NS: Final = 1 << 62


class Minutes:
    """The minutes under way of some instruments."""

    def __init__(self, names: frozenset[str], delay_ns: int) -> None:
        """Begin without a print; a minute is told ``delay_ns`` after its end."""
        self.names = names
        self.delay_ns = delay_ns
        self.due_ns = NEVER_NS
        self._open: dict[str, list[float]] = {}
        """open, high, low, close, volume of the minute under way."""
        self._start_ms = 0

    def add(self, traded: PublicTraded) -> None:
        """Add prints; one that is late belongs to the minute under way."""
        name = traded.instrument
        if name not in self.names:
            return
        if not self._start_ms:
            self._start_ms = traded.rows[0][3] // _MINUTE_MS * _MINUTE_MS
            self.due_ns = (self._start_ms + _MINUTE_MS) * _MS + self.delay_ns
        for price, qty, _is_buy, _ms in traded.rows:
            bar = self._open.get(name)
            if bar is None or not bar[0]:
                before = bar[3] if bar else price
                first = price if bar is None else before
                self._open[name] = [first, max(first, price), min(first, price), price, qty]
            else:
                bar[1], bar[2] = max(bar[1], price), min(bar[2], price)
                bar[3] = price
                bar[4] += qty

    def closed(self, now_ns: int) -> Iterator[Callable[[int, int, int, int], BarChanged]]:
        """Yield what makes the minutes that end now, and begin the next."""
        start_ms, closed_ms = self._start_ms, self._start_ms + _MINUTE_MS
        self._start_ms = closed_ms
        self.due_ns = (closed_ms + _MINUTE_MS) * _MS + self.delay_ns
        for name, bar in list(self._open.items()):
            first, high, low, last, volume = bar if bar[0] else [bar[3]] * 4 + [0.0]
            self._open[name] = [0.0, 0.0, 0.0, last, 0.0]
            yield partial(_made, name, start_ms, (first, high, low, last, volume), closed_ms)


def _made(
    name: str,
    start_ms: int,
    bar: tuple[float, float, float, float, float],
    closed_ms: int,
    *stamp: int,
) -> BarChanged:
    seq, ts_ns, epoch, cause = stamp
    return BarChanged(seq, ts_ns, epoch, cause, name, start_ms, *bar, True, closed_ms)
