"""What becomes of the live orders: the other half of every pair."""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any, Final

import msgspec

from plimsoll.core.execution.orders import OrderStore
from plimsoll.core.execution.shadow.cell import Kind, Void, kind_of
from plimsoll.core.execution.shadow.run import Filled
from plimsoll.core.model import Order, OrderState, Regrid
from plimsoll.core.records import (
    AbsenceShown,
    AmendIntended,
    CancelIntended,
    ExecutionReported,
    OrderIntended,
    OrderReported,
    OrderSent,
    OutcomeLost,
    Record,
    RequestAnswered,
    SendRefused,
)

KEPT_EXECUTIONS: Final = 50_000
"""Newest executions that a repetition is known by."""

_STREAM: Final = "stream"
_NEVER: Final = frozenset({OrderState.REJECTED, OrderState.ABSENT, OrderState.DENIED})
_MS: Final = 1_000_000


class Live(msgspec.Struct):
    """One live order from its intent to its end."""

    terms: OrderIntended
    kind: Kind
    qty_lots: int
    """The most it ever asked for."""
    amend: AmendIntended | None = None
    """The newest one that was decided."""
    filled: Filled = msgspec.field(default_factory=Filled)
    sent_ns: int = 0
    listed_ns: int = 0
    """When the stream first said that it is in the book, or was matched."""
    is_listed: bool = False
    """Whether anybody said so, unasked or asked."""
    end_ns: int = 0
    """When it was known to be over, 0 = it works."""
    is_whole: bool = False
    """Filled, not cut short."""
    is_cancelled: bool = False
    """Whether a cancel of ours was sent."""
    void: Void | None = None


class LiveOrders:
    """The orders this engine sent, until they are let go."""

    def __init__(self) -> None:
        """Start with none."""
        self.of: dict[str, Live] = {}
        self.offset_ns = 0
        """The venue's clock minus ours."""
        self._store = OrderStore("")
        self._seen: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._handlers: dict[type[Record], Callable[[Any], None]] = {
            OrderIntended: self._intended,
            AmendIntended: self._amended,
            CancelIntended: self._store.intend_cancel,
            OrderSent: self._sent,
            SendRefused: self._refused,
            RequestAnswered: self._answered,
            OutcomeLost: self._lost,
            AbsenceShown: self._absent,
            OrderReported: self._reported,
        }

    @property
    def handled(self) -> tuple[type[Record], ...]:
        """Return the types that ``apply`` wants."""
        return tuple(self._handlers)

    def apply(self, record: Record) -> None:
        """Take one record; those about something else are passed over."""
        handler = self._handlers.get(type(record))
        if handler is not None:
            handler(record)
            self._store.contradictions.clear()

    def working_on(self, instrument: str) -> Iterator[Live]:
        """Yield what is kept of an instrument's orders."""
        for live in self.of.values():
            if live.terms.instrument == instrument:
                yield live

    def regrid(self, instrument: str, regrid: Regrid) -> None:
        """Count an instrument's orders in its new steps; what is paired with them is void."""
        self._store.regrid(instrument, regrid)
        for live in self.working_on(instrument):
            live.void = live.void or Void.STEPS

    def tag(self, tag: str) -> None:
        """Know the account's own orders."""
        self._store.tag = tag

    def executed(self, record: ExecutionReported) -> bool:
        """Book an execution; return whether it is news."""
        key = record.instrument, record.execution_id
        if key in self._seen:
            return False
        self._seen[key] = None
        if len(self._seen) > KEPT_EXECUTIONS:
            self._seen.popitem(last=False)
        order = self._store.executed(record)
        self._store.contradictions.clear()
        live = self.of.get(order.id)
        if live is not None:
            is_prompt = record.source == _STREAM
            told_ns = record.executed_ms * _MS - self.offset_ns
            ts_ns = record.ts_ns if is_prompt else told_ns
            self._listed(live, record.ts_ns, is_prompt=is_prompt)
            live.filled.add(record.price_ticks, record.qty_lots, ts_ns)
            self._after(order, live, ts_ns)
        return True

    # ---- inside ----

    def _intended(self, record: OrderIntended) -> None:
        self._store.intend(record)
        live = Live(record, kind_of(record.tif), record.qty_lots)
        self.of[record.client_order_id] = live

    def _amended(self, record: AmendIntended) -> None:
        if record.client_order_id in self._store.working:
            self._store.intend_amend(record)
        live = self.of.get(record.client_order_id)
        if live is not None:
            live.amend = record

    def _sent(self, record: OrderSent) -> None:
        self._store.sent(record)
        live = self.of.get(record.client_order_id)
        if live is None:
            return
        if record.action == "create":
            live.sent_ns = record.ts_ns
        elif record.action == "cancel":
            live.is_cancelled = True
        elif record.action == "amend" and live.amend is not None:
            live.qty_lots = max(live.qty_lots, live.amend.qty_lots)

    def _refused(self, record: SendRefused) -> None:
        self._store.refused(record)
        if record.action == "create":  # nothing left, so there is nothing to compare
            self.of.pop(record.client_order_id, None)

    def _answered(self, record: RequestAnswered) -> None:
        order = self._store.answered(record)
        live = self.of.get(record.client_order_id)
        if order is None or live is None:
            return
        if record.action == "amend" and record.outcome == "refused":
            live.void = live.void or Void.REFUSED
        self._after(order, live, record.ts_ns)

    def _lost(self, record: OutcomeLost) -> None:
        self._store.lost(record)

    def _absent(self, record: AbsenceShown) -> None:
        self._store.shown_absent(record)
        order = self._store.find(record.client_order_id)
        live = self.of.get(record.client_order_id)
        if order is not None and live is not None:
            self._after(order, live, record.ts_ns)

    def _reported(self, record: OrderReported) -> None:
        order = self._store.of_venue(record.client_order_id, record.venue_order_id)
        live = self.of.get(order.id) if order is not None else None
        self._store.reported(record)
        if order is None or live is None:
            return
        if not record.is_untriggered and record.status is not OrderState.REJECTED:
            self._listed(live, record.ts_ns, is_prompt=record.source == _STREAM)
        self._after(order, live, record.ts_ns)

    def _listed(self, live: Live, ts_ns: int, *, is_prompt: bool) -> None:
        if not live.is_listed:
            live.is_listed = True
            if is_prompt and not live.terms.trigger_ticks:
                live.listed_ns = ts_ns

    def _after(self, order: Order, live: Live, ts_ns: int) -> None:
        """Note an end; an end that was none after all is taken back."""
        if order.is_working:
            live.end_ns = 0
            return
        if not live.sent_ns:  # nobody knows when it left
            self.of.pop(order.id, None)
        live.end_ns = live.end_ns or ts_ns
        live.is_whole = order.state is OrderState.FILLED
        if order.state in _NEVER and not live.filled.lots:
            live.void = live.void or Void.REFUSED
