"""Ending UNKNOWN: what to ask the venue when, and when silence has become proof (ORD-8..10).

An inquiry runs for every order whose fate is open: UNKNOWN, or accepted and never confirmed, or
with an amend that got no answer. Queries are decisions, their rows come in as reports; only reports
and *clean empty* queries end an inquiry. A failed query counts for nothing (ORD-9).
"""

from collections.abc import Callable
from typing import NamedTuple

import msgspec

from plimsoll.core.model import Order, OrderState
from plimsoll.core.settings import Timing

EMPTY_NEEDED = 3
"""Clean empty queries that prove absence; as many with the old terms prove an amend was lost."""

PROVABLE_MS = 23 * 3_600_000
"""After this long since the last send silence proves nothing: the venue lists cancelled orders
for 24 hours only (ORD-10 e, V-5)."""

ESCALATE_NS = 15_000_000_000
"""An inquiry open for longer is an incident a person sees (ALR-4)."""


class Inquiry(msgspec.Struct):
    """One open question."""

    order_id: str
    opened_ns: int
    next_ns: int
    empties: int = 0
    unmoved: int = 0
    """Clean queries that showed the order and left its amend unanswered."""
    query_id: int = 0
    """Query under way, 0 = none."""
    counts: bool = False
    """Whether the query under way started after every condition of the proof held."""
    is_told: bool = False
    is_overdue: bool = False
    """Whether the connection that carries the request is to end: half of the margin is over, so
    that it has ended once the other half is."""
    is_draining: bool = False
    """Whether that connection was asked to end."""


class Ask(NamedTuple):
    """Wanted: a query by this id."""

    inquiry: Inquiry
    order: Order


class Inquiries:
    """All open inquiries."""

    def __init__(self, timing: Timing) -> None:
        """Start with none."""
        self.timing = timing
        self.open: dict[str, Inquiry] = {}
        self.of_query: dict[int, str] = {}

    def start(self, order: Order, now_ns: int) -> None:
        """Open an inquiry, at once asked for; a second one for the same order changes nothing."""
        if order.id not in self.open:
            self.open[order.id] = Inquiry(order.id, now_ns, now_ns)

    def settle(self, order: Order) -> None:
        """Close the inquiry of an order whose fate is known."""
        if order.id in self.open and not _is_open(order):
            del self.open[order.id]

    def next_due_ns(self) -> int:
        """Return when the next query may leave, 0 = none is due."""
        return min((one.next_ns for one in self.open.values() if not one.query_id), default=0)

    def due(self, now_ns: int, find: Callable[[str], Order | None]) -> list[Ask]:
        """Return the queries that may leave now."""
        asks = []
        for inquiry in list(self.open.values()):
            order = find(inquiry.order_id)
            if order is None or not order.is_working:
                del self.open[inquiry.order_id]
            elif not inquiry.query_id and inquiry.next_ns <= now_ns:
                asks.append(Ask(inquiry, order))
        return asks

    def asked(
        self, ask: Ask, query_id: int, now_ns: int, offset_ns: int, *, is_connected: bool
    ) -> None:
        """Note that the query left.

        ``offset_ns``: venue clock minus ours. ``is_connected``: private streams healthy and the
        books compared since they came up (condition d of the proof). While an answer may still come
        on the connection that carried the request nothing is proof (condition b).
        """
        ask.inquiry.query_id = query_id
        sent_ms = ask.order.signed_ms or (ask.order.touched_ns + offset_ns) // 1_000_000
        age_ms = (now_ns + offset_ns) // 1_000_000 - sent_ms
        proves = self.timing.recv_window_ms + self.timing.absence_margin_ms
        order = ask.order
        ask.inquiry.is_overdue = age_ms >= proves - self.timing.absence_margin_ms // 2
        is_carried = bool(order.create_on or order.amend_on)
        is_ripe = is_connected and proves <= age_ms < PROVABLE_MS
        ask.inquiry.counts = is_ripe and not is_carried
        self.of_query[query_id] = ask.inquiry.order_id

    def answered(self, query_id: int, now_ns: int, *, is_ok: bool, rows: int) -> Inquiry | None:
        """Note the end of a query; return the inquiry when what it (not) saw is now proof."""
        order_id = self.of_query.pop(query_id, None)
        inquiry = self.open.get(order_id) if order_id else None
        if inquiry is None:
            return None
        inquiry.query_id = 0
        inquiry.next_ns = now_ns + self.timing.absence_gap_ns
        if not is_ok:
            return None
        if rows:
            inquiry.empties = 0  # it is there, and its report has moved the order
            inquiry.unmoved += inquiry.counts
        elif inquiry.counts:
            inquiry.empties += 1
        return inquiry if max(inquiry.empties, inquiry.unmoved) >= EMPTY_NEEDED else None

    def reset(self) -> None:
        """Forget queries under way: the connection they ran on is gone."""
        self.of_query.clear()
        for inquiry in self.open.values():
            inquiry.query_id = inquiry.empties = inquiry.unmoved = 0


def _is_open(order: Order) -> bool:
    unanswered_amend = bool(order.amend_qty_lots) and order.is_working
    return unanswered_amend or order.state in (OrderState.UNKNOWN, OrderState.ACKED)
