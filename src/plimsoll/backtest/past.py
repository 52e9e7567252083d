"""What else is known of the past besides its bars: funding rates, and bars of the mark price.

Rates are paid at their times, at the mark price of then: the open of the mark bar that begins
there, else the newest price there is. Everything is read once, in order, beside the bars.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Final, Generic, TypeVar

import msgspec

from plimsoll.backtest.plan import Rate, Row, Series
from plimsoll.core.portfolio import mark_e8_of, rate_e12_of

_NEVER: Final = 1 << 62
_ItemT = TypeVar("_ItemT", Rate, Row)


class Due(msgspec.Struct, frozen=True):
    """One funding that has come."""

    at_ms: int
    rate_e12: int
    mark_e8: int
    next_ms: int
    """When the next one comes; after the last as long again as before it, 0 = not known."""


class Told(msgspec.Struct):
    """What was found of one instrument, for the report."""

    rates: int = 0
    by_last: int = 0
    """Of them at the last price, for want of a mark price."""
    first_ms: int = 0
    last_ms: int = 0
    marks: int = 0
    """Bars whose mark price was known."""


def funding_words(one: Series, told: Told) -> str:
    """Return what of an instrument's funding was charged."""
    name = one.instrument.name
    if one.rates is None:
        return (
            f"{name}: NOT charged, no rates are stored (plimsoll data fetch {name} --kind funding)"
        )
    if not told.rates:
        return f"{name}: NOT charged, the stored rates are of another time"
    span = f"{moment(told.first_ms)} to {moment(told.last_ms)}"
    by = f", {told.by_last} of them at the last price" if told.by_last else ""
    return f"{name}: {told.rates} rates from {span}, at the mark price{by}"


def mark_words(one: Series, told: Told) -> str:
    """Return which price stops of an instrument looked at."""
    name = one.instrument.name
    if not told.marks:
        return f"{name}: by the LAST price, no bars of the mark price are known"
    return f"{name}: by the mark price ({told.marks:,} bars of it; by the last price elsewhere)"


def moment(at_ms: int) -> str:
    """Return a time in UTC, to the minute."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M")


class Past:
    """The rates and mark bars of one instrument, gone through once."""

    def __init__(
        self,
        rates: Callable[[], Iterator[list[Rate]]] | None,
        marks: Callable[[], Iterator[list[Row]]] | None,
        span_ms: int,
    ) -> None:
        """Read nothing yet. ``span_ms``: length of the mark bars."""
        self.told = Told()
        self._rates = _Ahead(rates)
        self._marks = _Ahead(marks)
        self.span_ms = span_ms
        self._newest_ms = 0
        """When the newest funding came that was gone through."""
        self._closed = (0, 0.0)
        """When the newest mark bar ended, and at which price."""

    @property
    def next_ms(self) -> int:
        """Return when the next funding comes, far away where none does (hot)."""
        head = self._rates.head
        return head[0] if head is not None else _NEVER

    def news_ms(self, span_ms: int) -> int:
        """Return the first beginning of a bar, ``span_ms`` long, in which anything is known."""
        mark = self._marks.head
        funded_ms = self.next_ms - span_ms + 1
        return funded_ms if mark is None else min(funded_ms, mark[0])

    def due(self, until_ms: int, since_ms: int, price: float) -> Iterator[Due]:
        """Yield the fundings up to a moment, oldest first.

        Of those before ``since_ms``, when nobody held anything, the newest is there to be known.

        Args:
            until_ms: The moment.
            since_ms: When the run began.
            price: The newest last price, where no mark price is known.
        """
        while self.next_ms <= until_ms:
            at_ms, rate = self._rates.take()
            next_ms, self._newest_ms = self._after(at_ms), at_ms
            if at_ms < since_ms and self.next_ms < since_ms:
                continue
            mark = self._mark_at(at_ms)
            if at_ms >= since_ms:
                told = self.told
                told.rates += 1
                told.by_last += not mark
                told.first_ms, told.last_ms = told.first_ms or at_ms, at_ms
            yield Due(at_ms, rate_e12_of(rate), mark_e8_of(mark or price), next_ms)

    def _after(self, at_ms: int) -> int:
        """Return when the funding after one comes: the newest that was before tells the pace."""
        if self._rates.head is not None:
            return self._rates.head[0]
        return 2 * at_ms - self._newest_ms if self._newest_ms else 0

    def mark_bar(self, start_ms: int) -> Row | None:
        """Return the mark bar that begins at a moment, None where there is none (hot)."""
        self._pass(start_ms)
        head = self._marks.head
        if head is None or head[0] != start_ms:
            return None
        self.told.marks += 1
        return head

    def _mark_at(self, at_ms: int) -> float:
        self._pass(at_ms)
        head = self._marks.head
        if head is not None and head[0] <= at_ms:  # inside a bar: how it opened
            return head[1]
        ended_ms, price = self._closed
        return price if ended_ms == at_ms else 0.0

    def _pass(self, start_ms: int) -> None:
        """Leave the mark bars behind that have ended by a moment."""
        marks, span_ms = self._marks, self.span_ms
        while (head := marks.head) is not None and head[0] + span_ms <= start_ms:
            self._closed = head[0] + span_ms, head[4]
            marks.take()


class _Ahead(Generic[_ItemT]):
    """Rows of chunks, with the next one in sight."""

    def __init__(self, chunks: Callable[[], Iterator[list[_ItemT]]] | None) -> None:
        self._rows: Iterator[_ItemT] = iter(())
        if chunks is not None:
            self._rows = (row for chunk in chunks() for row in chunk)
        self.head: _ItemT | None = next(self._rows, None)

    def take(self) -> _ItemT:
        """Return the next row, which the caller has seen, and look at the one behind it."""
        found = self.head
        assert found is not None
        self.head = next(self._rows, None)
        return found
