"""What of one instrument's market is ourselves: resting quantity in the book, executions in it.

Theory: both the venue's reports about us and its books carry the matching engine's time. A report
of some ms is true of the books from that ms on, whenever either was heard: what our orders rest
with is kept by that time, and taken over when the book has reached it.
"""

from collections import OrderedDict
from heapq import heappop, heappush
from typing import Final, NamedTuple

import msgspec

from plimsoll.core.model import OrderState, Side
from plimsoll.core.records import ExecutionReported, OrderReported

NEAR_MS: Final = 5
"""A print and an execution at the same price are one where their times are this close."""

KEPT_PRINTS_MS: Final = 60_000
"""An execution that no print was found for within this is forgotten, and counted."""

KEPT_ENDED: Final = 1_000
"""Newest ended orders that a late report is known by."""

_STANDING: Final = frozenset({OrderState.OPEN, OrderState.PARTIAL})

Place = tuple[Side, int]
"""Side and price in ticks."""


class _Stand(NamedTuple):
    """What one order shows in the book from a venue time on."""

    from_ms: int
    number: int
    order: str
    side: Side
    price_ticks: int
    lots: int


class _Known(msgspec.Struct):
    """The newest terms of one order of ours at the venue."""

    side: Side
    price_ticks: int = 0
    qty_lots: int = 0
    told_cum: int = 0
    booked: int = 0
    updated_ms: int = 0
    is_standing: bool = False

    @property
    def lots(self) -> int:
        """Return what of it stands in the book."""
        if not self.is_standing:
            return 0
        return max(0, self.qty_lots - max(self.told_cum, self.booked))


class OwnQuantity:
    """Our resting orders as the books show them, whoever asked for them."""

    def __init__(self) -> None:
        """Start with none."""
        self.at: dict[Place, int] = {}
        """Lots of ours by side and price, in the newest book."""
        self._known: dict[str, _Known] = {}
        self._ended: OrderedDict[str, int] = OrderedDict()
        self._pending: list[_Stand] = []
        self._shown: dict[str, _Stand] = {}
        self._number = 0

    def on_reported(self, record: OrderReported) -> None:
        """Take the venue's statement about an order; an older one says nothing new."""
        order = record.venue_order_id
        if record.updated_ms < self._ended.get(order, 0):
            return
        known = self._known.get(order)
        if known is None:
            known = self._known[order] = _Known(record.side)
        if record.updated_ms < known.updated_ms:
            return
        known.updated_ms = record.updated_ms
        known.price_ticks, known.qty_lots = record.price_ticks, record.qty_lots
        known.told_cum = max(known.told_cum, record.cum_lots)
        known.is_standing = record.status in _STANDING and not record.is_untriggered
        self._stand(order, known, record.updated_ms)
        if record.status not in _STANDING:
            del self._known[order]
            self._ended[order] = record.updated_ms
            if len(self._ended) > KEPT_ENDED:
                self._ended.popitem(last=False)

    def on_executed(self, record: ExecutionReported) -> None:
        """Take an execution: what is filled stands there no more. Each is told once."""
        known = self._known.get(record.venue_order_id)
        if known is not None:
            known.booked += record.qty_lots
            self._stand(record.venue_order_id, known, record.executed_ms)

    def reach(self, book_ms: int) -> set[Place]:
        """Take over what the book of a venue time shows of us; return the places that changed."""
        changed: set[Place] = set()
        while self._pending and self._pending[0].from_ms <= book_ms:
            new = heappop(self._pending)
            old = self._shown.pop(new.order, None)
            if old is not None and old.from_ms > new.from_ms:
                self._shown[new.order] = old
                continue
            for one, sign in ((old, -1), (new, +1)):
                if one is not None and one.lots:
                    changed.add(self._move(one, sign))
            if new.lots or new.order in self._known:
                self._shown[new.order] = new
        return changed

    def _move(self, stand: _Stand, sign: int) -> Place:
        place = stand.side, stand.price_ticks
        lots = self.at.get(place, 0) + sign * stand.lots
        if lots:
            self.at[place] = lots
        else:
            self.at.pop(place, None)
        return place

    def _stand(self, order: str, known: _Known, from_ms: int) -> None:
        self._number += 1
        terms = known.side, known.price_ticks, known.lots
        heappush(self._pending, _Stand(from_ms, self._number, order, *terms))


class OwnPrints:
    """Our executions that are still to be found on the tape."""

    def __init__(self) -> None:
        """Start with none."""
        self.missing = 0
        """Executions that no print was found for."""
        self.removed = 0
        """Prints we were found in."""
        self._wanted: dict[tuple[int, bool], list[tuple[int, int]]] = {}

    @property
    def is_waiting(self) -> bool:
        """Return whether anything is still looked for (hot)."""
        return bool(self._wanted)

    def on_executed(self, record: ExecutionReported) -> None:
        """Take an execution of ours; the taker of its print is us, or the other side."""
        is_buy = (record.side is Side.BUY) is not record.is_maker
        rows = self._wanted.setdefault((record.price_ticks, is_buy), [])
        rows.append((record.executed_ms, record.qty_lots))

    def rest_of(self, price_ticks: int, qty_lots: int, ms: int, *, is_buy: bool) -> int:
        """Return what of a print is not ours."""
        rows = self._wanted.get((price_ticks, is_buy))
        if not rows:
            return qty_lots
        left, kept = qty_lots, []
        for own_ms, own_lots in rows:
            taken = min(left, own_lots) if abs(own_ms - ms) <= NEAR_MS else 0
            left -= taken
            self.removed += bool(taken)
            if own_lots > taken:
                kept.append((own_ms, own_lots - taken))
        self._keep((price_ticks, is_buy), kept)
        return left

    def forget(self, now_ms: int) -> None:
        """Give up on executions that are long past."""
        for key in list(self._wanted):
            kept = [row for row in self._wanted[key] if row[0] > now_ms - KEPT_PRINTS_MS]
            self.missing += len(self._wanted[key]) - len(kept)
            self._keep(key, kept)

    def _keep(self, key: tuple[int, bool], rows: list[tuple[int, int]]) -> None:
        if rows:
            self._wanted[key] = rows
        else:
            self._wanted.pop(key, None)
