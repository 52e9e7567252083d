"""Finer bars inside those a strategy hears: they decide the walk in the place of the rule.

Only where they cover a bar without a hole: a bar half seen would hide a stop. Of several
instruments everything happens in the order of time: the finer bars by their ends, and a bar once
its last finer one has been walked.
"""

from collections.abc import Iterable, Iterator
from enum import IntEnum
from heapq import merge
from typing import Final, NamedTuple

from plimsoll.backtest.plan import Row, Series, rows_of

_MS: Final = 1_000_000


class Kind(IntEnum):
    """What a row is; of one moment in this order."""

    FINER = 0
    LAST_FINER = 1
    """The one that ends its bar."""
    BAR = 2
    OPEN = 3
    """The beginning of a bar without finer ones: what waits for it meets it then."""


class Event(NamedTuple):
    """One row, to be taken at ``end_ms``: when it ends; an open when it begins."""

    end_ms: int
    kind: Kind
    place: int
    """Of its series in the plan."""
    row: Row


def events(series: Iterable[Series], span_ns: int, finer_ns: int) -> Iterator[Event]:
    """Yield the bars of all series, and the finer ones of those that have any, in time."""
    span_ms, finer_ms = span_ns // _MS, finer_ns // _MS
    yield from merge(*(_of_one(place, one, span_ms, finer_ms) for place, one in enumerate(series)))


def _of_one(place: int, one: Series, span_ms: int, finer_ms: int) -> Iterator[Event]:
    finer = _rows(one.finer() if one.finer is not None else ())
    ahead = next(finer, None)
    most = span_ms // finer_ms
    for bar in rows_of(one, span_ms * _MS):
        start_ms = bar[0]
        end_ms = start_ms + span_ms
        inside = []
        while ahead is not None and ahead[0] < end_ms:
            if ahead[0] >= start_ms:
                inside.append(ahead)
            ahead = next(finer, None)
        if len(inside) == most:
            for number, row in enumerate(inside, start=1):
                kind = Kind.LAST_FINER if number == most else Kind.FINER
                yield Event(row[0] + finer_ms, kind, place, row)
        else:
            yield Event(start_ms, Kind.OPEN, place, bar)
        yield Event(end_ms, Kind.BAR, place, bar)


def _rows(chunks: Iterable[list[Row]]) -> Iterator[Row]:
    for chunk in chunks:
        yield from chunk
