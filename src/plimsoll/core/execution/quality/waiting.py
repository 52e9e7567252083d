"""Fills that wait for the middle of a moment: just before them, and a while after."""

from heapq import heapify, heappop, heappush
from typing import Final, NamedTuple

from plimsoll.core.execution.quality.cell import HORIZONS_S, Cells, Key
from plimsoll.core.execution.quality.middles import Middles

MOST_WAITING: Final = 20_000
"""Fills of one instrument that wait at the same time; what is beyond is not measured."""

_AT_FILL: Final = -1


class _One(NamedTuple):
    """A fill and the moment it waits for, Unix ms of the venue."""

    due_ms: int
    number: int
    horizon: int
    """Which of ``HORIZONS_S``, or ``_AT_FILL``."""
    key: Key
    sign: int
    halves: int
    """The fill's price, or the middle at the fill."""
    weight: int


class Waiting:
    """The fills of one instrument, by when their middle is known."""

    def __init__(self, middles: Middles, cells: Cells) -> None:
        """Ask ``middles``, measure into ``cells``."""
        self._middles = middles
        self._cells = cells
        self._heap: list[_One] = []
        self._number = 0

    def add(self, key: Key, sign: int, price_ticks: int, weight: int, filled_ms: int) -> None:
        """Take a fill; it is measured at once where all up to then is known."""
        self._push(filled_ms - 1, _AT_FILL, key, sign, 2 * price_ticks, weight)
        self.resolve(self._middles.reached_ms)

    def resolve(self, reached_ms: int) -> None:
        """Measure what waited for a middle that no message from ``reached_ms`` on can change."""
        heap = self._heap
        while heap and heap[0].due_ms < reached_ms:
            due_ms, _, horizon, key, sign, halves, weight = heappop(heap)
            middle = self._middles.at(due_ms)
            if not middle:
                continue
            cell = self._cells[key]
            if horizon != _AT_FILL:
                cell.markouts[horizon].add(-sign, middle, halves, weight)
                continue
            cell.at_fill.add(sign, halves, middle, weight)
            for place, seconds in enumerate(HORIZONS_S):
                later_ms = due_ms + 1 + seconds * 1_000
                self._push(later_ms, place, key, sign, middle, weight)

    def regrid(self, tick: int) -> None:
        """Count in smaller ticks."""
        self._heap = [
            one._replace(halves=one.halves * tick, weight=one.weight // tick) for one in self._heap
        ]
        heapify(self._heap)

    def _push(
        self, due_ms: int, horizon: int, key: Key, sign: int, halves: int, weight: int
    ) -> None:
        if len(self._heap) < MOST_WAITING:
            self._number += 1
            heappush(self._heap, _One(due_ms, self._number, horizon, key, sign, halves, weight))
