"""One way to fill orders on paper: latency and queue share, and the orders it is asked for.

The venue and the order table are those of paper instances; only nobody trades here.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple

import msgspec

from plimsoll.core.execution.orders import OrderStore
from plimsoll.core.matching.paper import MarketRows, PaperEvent, PaperVenue, PrintRows
from plimsoll.core.model import Instrument
from plimsoll.core.records import (
    BookChanged,
    OrderIntended,
    PaperAmendIntended,
    PaperCancelIntended,
    PaperFilled,
    PaperOrderIntended,
    PaperReported,
)

IDLE_NS: Final = 5_000_000_000
"""What paper has taken of a book nobody rests in is remembered for this long."""


class Terms(NamedTuple):
    """What an order or an amend of it asks for."""

    price_ticks: int
    qty_lots: int
    trigger_ticks: int


NO_TERMS: Final = Terms(0, 0, 0)


class Filled(msgspec.Struct):
    """What of an order was filled, live or on paper."""

    lots: int = 0
    notional: int = 0
    """Sum of price in ticks x lots."""
    first_ns: int = 0
    last_ns: int = 0

    def add(self, price_ticks: int, qty_lots: int, ts_ns: int) -> None:
        """Count an execution."""
        self.lots += qty_lots
        self.notional += price_ticks * qty_lots
        self.first_ns = min(self.first_ns or ts_ns, ts_ns)
        self.last_ns = max(self.last_ns, ts_ns)


class Run:
    """The same orders, filled by one model."""

    def __init__(
        self,
        latency_ns: int,
        queue_ppm: int,
        rows: Callable[[str], tuple[MarketRows, MarketRows]],
        listed: Callable[[str], Instrument],
    ) -> None:
        """Fill orders after a latency, behind a share of what is displayed."""
        self.latency_ns = latency_ns
        self.filled: dict[str, Filled] = {}
        """By order, of those that were placed and not forgotten."""
        self._store = OrderStore("")
        # No position stands behind the shadow, so orders come without reduce-only.
        self._venue = PaperVenue(
            latency_ns, self._store.find, lambda _owner, _name: 0, rows, listed, queue_ppm
        )
        self._used_ns: dict[tuple[str, str], int] = {}

    # ---- what is asked for ----

    def set_queue(self, queue_ppm: int) -> None:
        """Take another share; books that are kept keep theirs."""
        self._venue.queue_ppm = queue_ppm

    def place(self, terms: OrderIntended, ts_ns: int, latency_ns: int) -> None:
        """Ask for the same order."""
        record = PaperOrderIntended(
            0,
            ts_ns,
            0,
            0,
            terms.client_order_id,
            terms.owner,
            terms.instrument,
            terms.side,
            terms.order_type,
            terms.tif,
            terms.price_ticks,
            terms.qty_lots,
            reduce_only=False,
            label="",
            trigger_ticks=terms.trigger_ticks,
            trigger_rises=terms.trigger_rises,
            trigger_by=terms.trigger_by,
        )
        self._store.intend(record)
        self.filled[terms.client_order_id] = Filled()
        asked = Terms(terms.price_ticks, terms.qty_lots, terms.trigger_ticks)
        self._ask(terms.client_order_id, "place", asked, ts_ns, latency_ns)

    def amend(self, order_id: str, new: Terms, ts_ns: int, latency_ns: int) -> None:
        """Ask for other terms of an order that works here still."""
        if order_id in self._store.working:
            self._store.intend_amend(PaperAmendIntended(0, ts_ns, 0, 0, order_id, *new))
            self._ask(order_id, "amend", new, ts_ns, latency_ns)

    def cancel(self, order_id: str, ts_ns: int, latency_ns: int) -> None:
        """Ask for the end of an order that works here still."""
        if order_id in self._store.working:
            self._store.intend_cancel(PaperCancelIntended(0, ts_ns, 0, 0, order_id, ""))
            self._ask(order_id, "cancel", NO_TERMS, ts_ns, latency_ns)

    def is_over(self, order_id: str) -> bool:
        """Return whether an order works here no more."""
        return order_id not in self._store.working

    def forget(self, order_id: str) -> None:
        """Let an order go, whatever has become of it."""
        self.filled.pop(order_id, None)
        self._store.closed.pop(order_id, None)
        order = self._store.working.pop(order_id, None)
        if order is not None:
            self._store.on_instrument[order.instrument].pop(order_id, None)
            self._venue.untriggered.get(order.instrument, {}).pop(order_id, None)
            book = self._venue.matching.get((order.owner, order.instrument))
            if book is not None:
                book.cancel(order_id)

    def drop(self, instrument: str) -> None:
        """Forget the books of an instrument: what comes next is another market."""
        for key in [key for key in self._venue.matching if key[1] == instrument]:
            del self._venue.matching[key]

    # ---- what happens ----

    def until(self, now_ns: int) -> None:
        """Let everything take effect that is due, each at its own time."""
        while 0 < self._venue.next_due_ns <= now_ns:
            due_ns = self._venue.next_due_ns
            self._happen(self._venue.until(due_ns), due_ns)

    def on_book(self, change: BookChanged) -> None:
        """Take a book message without us over."""
        for key in [key for key in self._venue.matching if key[1] == change.instrument]:
            if any(True for _ in self._venue.matching[key].resting()):
                self._used_ns[key] = change.ts_ns
            elif change.ts_ns - self._used_ns.get(key, 0) > IDLE_NS:
                del self._venue.matching[key]
        if self._venue.matching:
            self._happen(self._venue.on_book(change), change.ts_ns)

    def on_public_trade(self, instrument: str, rows: PrintRows, ts_ns: int) -> None:
        """Take prints without us over."""
        if rows and self._venue.matching:
            self._happen(self._venue.on_public_trade(instrument, rows), ts_ns)

    def on_price(self, instrument: str, by: str, ticks: int, ts_ns: int) -> None:
        """Let in what waits for a price."""
        if self._venue.untriggered.get(instrument):
            self._happen(self._venue.on_price(instrument, by, ticks), ts_ns)

    # ---- inside ----

    def _ask(self, order_id: str, kind: str, new: Terms, ts_ns: int, latency_ns: int) -> None:
        self._venue.latency_ns = latency_ns
        terms = new.price_ticks, new.qty_lots, ts_ns
        self._venue.ask(order_id, kind, *terms, new.trigger_ticks)

    def _happen(self, events: Iterable[PaperEvent] | Iterator[PaperEvent], ts_ns: int) -> None:
        """Book what the venue did, one event before the next is made."""
        for event in events:
            order = self._store.find(event.order_id)
            if order is None:
                continue
            self._used_ns[order.owner, order.instrument] = ts_ns
            terms = event.price_ticks, event.qty_lots
            if event.status is None:
                fill = (order.id, "", *terms, 0, "", event.is_maker)
                self._store.paper_filled(PaperFilled(0, ts_ns, 0, 0, *fill))
                self.filled[order.id].add(*terms, ts_ns)
            else:
                told = (order.id, event.status, *terms, event.reason)
                waits = event.is_untriggered, event.trigger_ticks
                self._store.paper_reported(PaperReported(0, ts_ns, 0, 0, *told, *waits))
        self._store.contradictions.clear()
