"""The follower: feed it every record of both logs in their order, and it measures.

Theory: orders live in an ``OrderStore`` as in the engine; beside each stands a ``Life`` with the
prices and times it is measured against, until it has been over for ``KEPT_LIVES`` others. What is
measured goes into a ``Cell`` at once or, where it needs the middle of a later moment, waits in a
heap. Nothing grows with the log.

An order counts for whoever asked for it, whoever has it later; executions nobody here asked for
(the venue's own exits, a person's by hand) are only counted.
"""

from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Any, Final

from plimsoll.core.execution.modes import Modes
from plimsoll.core.execution.orders import OrderStore
from plimsoll.core.execution.quality.cell import Cells, Key, Kind
from plimsoll.core.execution.quality.life import REJECTED, UNKNOWN, Life, Request
from plimsoll.core.execution.quality.middles import Places
from plimsoll.core.execution.quality.waiting import Waiting
from plimsoll.core.model import Order, OrderState, OrderType
from plimsoll.core.portfolio.fees import fee_in_quote
from plimsoll.core.records import (
    AbsenceShown,
    AmendIntended,
    BookChanged,
    CancelIntended,
    ClockMeasured,
    Configured,
    ExecutionReported,
    InstrumentListed,
    LeaseTaken,
    LinkChanged,
    ModeSet,
    OrderDenied,
    OrderIntended,
    OrderReported,
    OrderSent,
    OutcomeLost,
    PaperAmendIntended,
    PaperCancelIntended,
    PaperFilled,
    PaperOrderIntended,
    PaperReported,
    Record,
    RequestAnswered,
    SendRefused,
    StreamChanged,
    Woken,
)
from plimsoll.core.settings import from_text

KEPT_LIVES: Final = 10_000
KEPT_EXECUTIONS: Final = 50_000
"""Newest executions that a repetition is known by."""

_REQUESTS: Final[dict[str, Request]] = {"create": "create", "amend": "amend"}
"""Actions that are measured: a cancel that comes too late is no failure."""
_STREAM: Final = "stream"
_MS: Final = 1_000_000


class Quality:
    """Measures everything it is fed. ``cells`` is the result, at any time."""

    def __init__(self) -> None:
        """Start before the first record."""
        self.cells = Cells()
        self.places = Places()
        self.outside = 0
        """Executions of orders that nobody here asked for, or that are long over."""
        self.ts_ns = 0
        self._orders = OrderStore("")
        self._lives: dict[str, Life] = {}
        self._over: deque[str] = deque()
        self._seen: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._waiting: dict[str, Waiting] = {}
        self._modes = Modes()
        self._handlers = self._table()

    def apply(self, record: Record) -> None:
        """Take one record. Total: those that say nothing about execution are passed over."""
        handler = self._handlers.get(type(record))
        if handler is not None:
            handler(record)
            self._orders.contradictions.clear()
        self.ts_ns = record.ts_ns

    def forget(self) -> None:
        """Begin to count anew; orders that still work go on and count when they end."""
        self.cells = Cells()
        self.outside = 0
        self._waiting = {}
        working = self._orders.working
        self._lives = {name: life for name, life in self._lives.items() if name in working}
        for life in self._lives.values():
            life.forget()

    # ---- our own decisions ----

    def _intended(self, record: OrderIntended | PaperOrderIntended) -> None:
        if record.instrument not in self.places.instruments:
            return
        order = self._orders.intend(record)
        kind = Kind.MARKET if record.order_type is OrderType.MARKET else Kind.LIMIT
        decision, start_ns = self.places.now(record.instrument), record.ts_ns
        if record.trigger_ticks:
            kind, decision, start_ns = Kind.STOP, 2 * record.trigger_ticks, 0
        key = Key(record.owner, record.instrument, order.is_paper, kind)
        price = record.price_ticks or record.trigger_ticks
        life = Life(key, record.side.sign, price, decision, record.ts_ns, start_ns)
        self._lives[record.client_order_id] = life
        self.cells[key].orders += 1
        if order.is_paper:
            life.ask(self.cells[life.key], "create")

    def _amended(self, record: AmendIntended | PaperAmendIntended) -> None:
        if record.client_order_id not in self._orders.working:
            return
        self._orders.intend_amend(record)
        life = self._lives.get(record.client_order_id)
        if life is not None and life.key.is_paper:
            life.ask(self.cells[life.key], "amend")

    def _denied(self, record: OrderDenied) -> None:
        is_paper = record.owner in self._modes.paper_owners
        self.cells[Key(record.owner, record.instrument, is_paper, Kind.NONE)].denied += 1

    # ---- requests ----

    def _sent(self, record: OrderSent) -> None:
        self._orders.sent(record)
        life = self._lives.get(record.client_order_id)
        request = _REQUESTS.get(record.action)
        if life is None or request is None:
            return
        if request == "create":
            life.sent_ns = record.ts_ns
        life.ask(self.cells[life.key], request)

    def _refused(self, record: SendRefused) -> None:
        self._after(self._orders.refused(record))

    def _answered(self, record: RequestAnswered) -> None:
        order = self._orders.answered(record)
        life = self._lives.get(record.client_order_id)
        request = _REQUESTS.get(record.action)
        if life is not None and request is not None:
            if record.outcome == "refused":
                life.fail(self.cells[life.key], request, REJECTED)
            elif record.outcome == "unknown":
                life.fail(self.cells[life.key], request, UNKNOWN)
            elif record.outcome == "accepted" and request == "create":
                has_arrived = life.key.kind is not Kind.STOP
                self._heard(life, record.ts_ns, is_prompt=True, has_arrived=has_arrived)
        self._after(order)

    def _lost(self, record: OutcomeLost) -> None:
        life = self._lives.get(record.client_order_id)
        request = _REQUESTS.get(record.action)
        if life is not None and request is not None:
            life.fail(self.cells[life.key], request, UNKNOWN)
        self._after(self._orders.lost(record))

    def _absent(self, record: AbsenceShown) -> None:
        self._orders.shown_absent(record)
        self._after(self._orders.find(record.client_order_id))

    # ---- what the venue says ----

    def _reported(self, record: OrderReported) -> None:
        order = self._orders.of_venue(record.client_order_id, record.venue_order_id)
        life = self._lives.get(order.id) if order is not None else None
        if order is None or life is None:
            return
        before = order.state
        self._orders.reported(record)
        if order.state is OrderState.REJECTED:
            if before is not OrderState.REJECTED:
                life.fail(self.cells[life.key], "create", REJECTED)
        elif record.status is not OrderState.REJECTED:
            is_prompt, has_arrived = record.source == _STREAM, not record.is_untriggered
            self._heard(life, record.ts_ns, is_prompt=is_prompt, has_arrived=has_arrived)
        self._after(order)

    def _executed(self, record: ExecutionReported) -> None:
        key = record.instrument, record.execution_id
        if record.kind != "Trade" or self._is_repeated(key):
            return
        order = self._orders.of_venue(record.client_order_id, record.venue_order_id)
        life = self._lives.get(order.id) if order is not None else None
        if order is None or life is None:
            self.outside += 1
            return
        is_prompt = record.source == _STREAM
        self._heard(life, record.ts_ns, is_prompt=is_prompt, has_arrived=True)
        self._orders.executed(record)
        # What was fetched is as old as the venue says, what streamed in as its record.
        filled_ns = record.executed_ms * _MS - self.places.offset_ns
        self._fill(life, order, record, record.ts_ns if is_prompt else filled_ns)
        self._wait(life, record.price_ticks, record.qty_lots, record.executed_ms)

    def _paper_reported(self, record: PaperReported) -> None:
        known = self._orders.find(record.client_order_id)
        was_rejected = known is not None and known.state is OrderState.REJECTED
        order = self._orders.paper_reported(record)
        life = self._lives.get(record.client_order_id)
        if life is not None and record.status is OrderState.REJECTED:
            if not was_rejected:
                life.fail(self.cells[life.key], "create", REJECTED)
        elif life is not None:
            has_arrived = not record.is_untriggered
            self._heard(life, record.ts_ns, is_prompt=True, has_arrived=has_arrived)
        self._after(order)

    def _paper_filled(self, record: PaperFilled) -> None:
        order = self._orders.paper_filled(record)
        life = self._lives.get(record.client_order_id)
        if order is None or life is None:
            self.outside += 1
            return
        self._heard(life, record.ts_ns, is_prompt=True, has_arrived=True)
        self._fill(life, order, record, record.ts_ns)
        middles = self.places.of[order.instrument]
        is_of_book = record.cause == middles.book_seq != 0
        filled_ms = middles.reached_ms if is_of_book else self.places.now_ms(record.ts_ns)
        self._wait(life, record.price_ticks, record.qty_lots, filled_ms)

    # ---- the market ----

    def _book(self, record: BookChanged) -> None:
        middles = self.places.of.get(record.instrument)
        if middles is None:
            return
        waiting = self._waiting.get(record.instrument)
        if waiting is not None:
            waiting.resolve(max(self.places.book_ms(record), middles.reached_ms))
        self.places.on_book(record, middles)

    def _listed(self, record: InstrumentListed) -> None:
        regrid = self.places.on_listed(record)
        if not regrid.is_needed:
            return
        name, tick = record.instrument.name, regrid.tick
        self._orders.regrid(name, regrid)
        for life in self._lives.values():
            if life.key.instrument == name:
                life.regrid(tick)
        if name in self._waiting:
            self._waiting[name].regrid(tick)

    def _configured(self, record: Configured) -> None:
        self.places.on_configured(record)
        self._modes.configure(from_text(record.settings), record.ts_ns)

    def _lease(self, record: LeaseTaken) -> None:
        self._orders.tag = record.tag
        self.places.on_lease(record, self.ts_ns)

    # ---- inside ----

    def _heard(self, life: Life, ts_ns: int, *, is_prompt: bool, has_arrived: bool) -> None:
        """Take a sign that the venue has the order; one that was asked for says not since when."""
        if not life.is_acked:
            life.is_acked = True
            if is_prompt:
                self.cells[life.key].ack.add_ns(ts_ns - (life.sent_ns or life.asked_ns))
        if has_arrived and not life.has_arrived:
            life.has_arrived = True
            if is_prompt:
                life.arrival = self.places.now(life.key.instrument)
                life.start_ns = life.start_ns or ts_ns

    def _fill(
        self, life: Life, order: Order, record: ExecutionReported | PaperFilled, filled_ns: int
    ) -> None:
        """Count an execution that has just been booked on its order."""
        cell, instrument = self.cells[life.key], self.places.instruments[order.instrument]
        value = instrument.notional_units(record.price_ticks, record.qty_lots)
        cell.fills += 1
        cell.worth_units += value
        cell.maker_units += value if record.is_maker else 0
        fee_units = fee_in_quote(instrument, record.fee_units, record.fee_coin, record.price_ticks)
        if fee_units is not None:
            cell.fee_fills += 1
            cell.fee_units += fee_units
            cell.fee_worth_units += value
        weight = record.qty_lots * instrument.cash_per_tick_lot
        price = 2 * record.price_ticks
        if life.decision:
            cell.decision.add(life.sign, price, life.decision, weight)
        if life.arrival:
            cell.arrival.add(life.sign, price, life.arrival, weight)
        if not life.is_filled and life.start_ns:
            cell.first_fill.add_ns(filled_ns - life.start_ns)
        life.is_filled = True
        life.filled_ns = max(life.filled_ns, filled_ns)
        self._after(order)

    def _wait(self, life: Life, price_ticks: int, qty_lots: int, filled_ms: int) -> None:
        name = life.key.instrument
        waiting = self._waiting.get(name)
        if waiting is None:
            waiting = self._waiting[name] = Waiting(self.places.of[name], self.cells)
        weight = qty_lots * self.places.instruments[name].cash_per_tick_lot
        waiting.add(life.key, life.sign, price_ticks, weight, filled_ms)

    def _after(self, order: Order | None) -> None:
        """Count what has become of an order; forget those long over."""
        life = self._lives.get(order.id) if order is not None else None
        if order is None or life is None:
            return
        life.recount(self.cells[life.key], order, self.places.instruments[order.instrument])
        if not order.is_working:
            self._over.append(order.id)
            if len(self._over) > KEPT_LIVES:
                oldest = self._over.popleft()
                if oldest not in self._orders.working:
                    self._lives.pop(oldest, None)

    def _is_repeated(self, key: tuple[str, str]) -> bool:
        if key in self._seen:
            return True
        self._seen[key] = None
        if len(self._seen) > KEPT_EXECUTIONS:
            self._seen.popitem(last=False)
        return False

    def _table(self) -> dict[type[Record], Callable[[Any], None]]:
        return {
            BookChanged: self._book,
            OrderIntended: self._intended,
            PaperOrderIntended: self._intended,
            AmendIntended: self._amended,
            PaperAmendIntended: self._amended,
            CancelIntended: self._orders.intend_cancel,
            PaperCancelIntended: self._orders.intend_cancel,
            OrderDenied: self._denied,
            OrderSent: self._sent,
            SendRefused: self._refused,
            RequestAnswered: self._answered,
            OutcomeLost: self._lost,
            AbsenceShown: self._absent,
            OrderReported: self._reported,
            ExecutionReported: self._executed,
            PaperReported: self._paper_reported,
            PaperFilled: self._paper_filled,
            InstrumentListed: self._listed,
            Configured: self._configured,
            ModeSet: self._modes.on_set,
            LeaseTaken: self._lease,
            ClockMeasured: self.places.on_clock,
            LinkChanged: self.places.on_link,
            StreamChanged: self.places.on_stream,
            Woken: self.places.on_woken,
        }
