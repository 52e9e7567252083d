"""The paper venue: orders of paper instances matched against the live market, inside the core.

An order takes effect one latency after it was intended, against the market as it is then. Each
paper instance has a book of its own: instances do not take each other's liquidity. The venue only
says what happened; the engine records it as decisions, and those move orders and positions.
"""

from collections.abc import Callable, Iterator
from heapq import heappop, heappush
from typing import Final, NamedTuple

from plimsoll.core.matching.book import WHOLE_QUEUE, Fill, MatchingBook, Outcome
from plimsoll.core.model import Instrument, Order, OrderState, Regrid, Side, TimeInForce
from plimsoll.core.records import BookChanged

_REASONS: Final = {
    "post_only": "post-only would have taken",
    "ioc": "nothing more to take inside the limit",
    "fok": "not all of it could be filled at once",
    "self_match": "would have crossed an own order",
}


_BUY: Final = Side.BUY  # hot: read through their classes they cost 15 times a global
_SELL: Final = Side.SELL
_OPEN: Final = OrderState.OPEN
_CANCELED: Final = OrderState.CANCELED

MarketRows = list[tuple[float, float]]
"""Rows (price, quantity) of one side of a market's book."""

PrintRows = list[tuple[float, float, bool, int]]
"""Rows of ``PublicTraded``."""


class PaperEvent(NamedTuple):
    """What the paper venue did to an order.

    ``status`` None: a fill of ``qty_lots`` at ``price_ticks``; else a new state under these terms.
    """

    order_id: str
    status: OrderState | None
    price_ticks: int
    qty_lots: int
    is_maker: bool
    reason: str
    is_untriggered: bool = False
    trigger_ticks: int = 0
    rule: str = ""
    """What decided a fill where the data does not."""


class _Action(NamedTuple):
    due_ns: int
    number: int
    order_id: str
    kind: str
    price_ticks: int
    qty_lots: int
    trigger_ticks: int = 0


class PaperVenue:
    """Working paper orders of all paper instances."""

    def __init__(
        self,
        latency_ns: int,
        find: Callable[[str], Order | None],
        held_lots: Callable[[str, str], int],
        rows: Callable[[str], tuple[MarketRows, MarketRows]],
        listed: Callable[[str], Instrument],
        queue_ppm: int = WHOLE_QUEUE,
    ) -> None:
        """Read orders, positions, the market's (bids, asks) and filters through the functions."""
        self.latency_ns = latency_ns
        self.queue_ppm = queue_ppm
        self.find = find
        self.held_lots = held_lots
        self.rows = rows
        self.listed = listed
        self.matching: dict[tuple[str, str], MatchingBook] = {}
        self.waiting: list[_Action] = []
        self.untriggered: dict[str, dict[str, None]] = {}
        """Conditional orders by instrument, oldest first."""
        self.number = 0
        self.is_at_once = False
        """Whether what is asked now takes effect without latency: a stop inside a bar."""
        self.is_told = False
        """Whether the record tells what becomes of orders: then nothing is matched here."""

    @property
    def next_due_ns(self) -> int:
        """Return when the next action takes effect, 0 = none waits."""
        return self.waiting[0].due_ns if self.waiting else 0

    def ask(
        self,
        order_id: str,
        kind: str,
        price_ticks: int,
        qty_lots: int,
        now_ns: int,
        trigger_ticks: int = 0,
    ) -> None:
        """Take a ``place``, ``amend`` or ``cancel``; it has its effect one latency later."""
        if self.is_told:
            return
        self.number += 1
        due_ns = now_ns if self.is_at_once else now_ns + self.latency_ns
        terms = (price_ticks, qty_lots, trigger_ticks)
        heappush(self.waiting, _Action(due_ns, self.number, order_id, kind, *terms))

    def until(self, now_ns: int, only: str = "", after: int = 0) -> Iterator[PaperEvent]:
        """Let everything take effect that is due.

        ``only``: the instrument it is about; the books of others are of an older moment.
        ``after``: what was asked before this number waits.
        """
        others: list[_Action] = []
        while self.waiting and self.waiting[0].due_ns <= now_ns:
            action = heappop(self.waiting)
            order = self.find(action.order_id)
            if order is None or not order.is_working:
                continue
            if (only and order.instrument != only) or action.number <= after:
                others.append(action)
                continue
            yield from self._act(action, order)
        for action in others:
            heappush(self.waiting, action)

    def is_due(self, instrument: str, now_ns: int) -> bool:
        """Return whether something of an instrument would take effect now."""
        for action in self.waiting:
            order = self.find(action.order_id) if action.due_ns <= now_ns else None
            if order is not None and order.instrument == instrument:
                return True
        return False

    def on_book(self, change: BookChanged) -> Iterator[PaperEvent]:
        """Take a market book message over into the matching books of its instrument.

        One that holds nothing of its own any more is let go: the next order makes it anew.
        """
        idle = []
        for key, matching in self.matching.items():
            if key[1] != change.instrument:
                continue
            instrument = self.listed(key[1])
            bids, asks = _rows(change.bids, instrument), _rows(change.asks, instrument)
            if change.is_snapshot:
                yield from _filled(matching.replace(bids, asks))
            else:
                for side, rows in ((_BUY, bids), (_SELL, asks)):
                    if fills := matching.set_levels(side, rows):
                        yield from _filled(fills)
            if matching.is_idle:
                idle.append(key)
        for key in idle:
            del self.matching[key]

    def on_top(self, traded: str, bids: MarketRows, asks: MarketRows) -> Iterator[PaperEvent]:
        """Replace the market's levels in the matching books of an instrument."""
        instrument = self.listed(traded)
        for (_, name), matching in self.matching.items():
            if name == traded:
                rows = _rows(bids, instrument), _rows(asks, instrument)
                yield from _filled(matching.replace(*rows))

    def on_public_trade(self, traded: str, rows: PrintRows) -> Iterator[PaperEvent]:
        """Take prints of an instrument over: they advance queues and fill what they pass."""
        for (_, name), matching in self.matching.items():
            if name != traded:
                continue
            instrument = self.listed(name)
            for price, qty, is_buy, _ms in rows:
                taker = _BUY if is_buy else _SELL
                ((price_ticks, qty_lots),) = _rows([(price, qty)], instrument)
                yield from _filled(matching.public_trade(taker, price_ticks, qty_lots))

    def on_price(self, instrument: str, by: str, ticks: int) -> Iterator[PaperEvent]:
        """Let the conditional orders in that a price has reached: those passed first, then by age.

        Args:
            instrument: Whose price it is.
            by: ``mark`` or ``last``.
            ticks: The price, 0 = not known.
        """
        if not ticks:
            return
        found = [self.find(one) for one in self.untriggered.get(instrument, ())]
        reached = [
            order
            for order in found
            if order is not None and order.trigger_by == by and _is_at(order, ticks)
        ]
        for order in sorted(reached, key=lambda one: -abs(one.trigger_ticks - ticks)):
            self.untriggered[instrument].pop(order.id, None)
            terms = (order.price_ticks, order.qty_lots, order.trigger_ticks)
            yield from self._place(_Action(0, 0, order.id, "place", *terms), order, triggers=True)

    def regrid(self, instrument: str, regrid: Regrid) -> None:
        """Forget the books of an instrument whose steps changed; ``resume`` its orders next.

        What is still on its way is counted in the new steps.
        """
        for key in [key for key in self.matching if key[1] == instrument]:
            del self.matching[key]
        for place, action in enumerate(self.waiting):
            order = self.find(action.order_id)
            if order is not None and order.instrument == instrument:
                self.waiting[place] = action._replace(
                    price_ticks=action.price_ticks * regrid.tick,
                    qty_lots=action.qty_lots * regrid.lot,
                    trigger_ticks=action.trigger_ticks * regrid.tick,
                )

    def resume(self, order: Order, now_ns: int) -> Iterator[PaperEvent]:
        """Put a working order of an earlier session back, at the end of its queue.

        A request that had not taken effect is asked again. What the market has passed meanwhile
        fills at once.
        """
        if self.is_told:
            return
        if order.is_untriggered:
            self.untriggered.setdefault(order.instrument, {})[order.id] = None
        elif order.state is OrderState.INTENT:
            self.ask(order.id, "place", order.price_ticks, order.qty_lots, now_ns)
        elif order.qty_lots > order.filled_lots:
            outcome = self._book(order).submit(
                order.id,
                order.side,
                order.price_ticks,
                order.qty_lots - order.filled_lots,
                TimeInForce.GTC,
                owner=order.owner,
            )
            yield from _filled(outcome.fills)
        if order.amend_qty_lots:
            terms = (order.amend_price_ticks, order.amend_qty_lots, now_ns)
            self.ask(order.id, "amend", *terms, order.amend_trigger_ticks)
        if order.cancel_pending:
            self.ask(order.id, "cancel", 0, 0, now_ns)

    def withdraw(self, order: Order) -> None:
        """Take an order out of its book at once, without a word: a liquidation ends it."""
        self.untriggered.get(order.instrument, {}).pop(order.id, None)
        book = self.matching.get((order.owner, order.instrument))
        if book is not None:
            book.cancel(order.id)

    def _act(self, action: _Action, order: Order) -> Iterator[PaperEvent]:
        book = self._book(order)
        if action.kind == "cancel":
            self.untriggered.get(order.instrument, {}).pop(order.id, None)
            book.cancel(order.id)
            yield _event(order, _CANCELED, order.price_ticks, order.qty_lots, "cancelled")
        elif action.kind == "amend":
            if order.filled_lots >= order.qty_lots:  # all of it, while the amend was on its way
                yield _event(order, OrderState.FILLED, order.price_ticks, order.qty_lots, "")
                return
            leaves = action.qty_lots - order.filled_lots
            if leaves <= 0:  # filled that far while the amend was on its way
                book.cancel(order.id)
                yield _event(order, _CANCELED, order.price_ticks, order.filled_lots, "amended away")
                return
            if order.is_untriggered:
                yield _waits(action, order)
                return
            outcome = book.amend(order.id, action.price_ticks, leaves)
            if outcome is not None:
                yield from self._open(order, action.price_ticks, action.qty_lots, outcome)
        else:
            yield from self._place(action, order, triggers=False)

    def _place(self, action: _Action, order: Order, *, triggers: bool) -> Iterator[PaperEvent]:
        if order.trigger_ticks and not triggers:
            self.untriggered.setdefault(order.instrument, {})[order.id] = None
            yield _waits(action, order)
            return
        book, qty_lots = self._book(order), action.qty_lots
        if order.reduce_only:
            held = self.held_lots(order.owner, order.instrument) * -order.side.sign
            qty_lots = min(qty_lots, max(0, held))
            if not qty_lots:
                yield _event(
                    order,
                    _CANCELED,
                    order.price_ticks,
                    order.qty_lots,
                    "nothing left to reduce",
                )
                return
        outcome = book.submit(
            order.id, order.side, action.price_ticks, qty_lots, order.tif, owner=order.owner
        )
        yield from self._open(order, action.price_ticks, qty_lots, outcome)

    def _open(
        self, order: Order, price_ticks: int, qty_lots: int, outcome: Outcome
    ) -> Iterator[PaperEvent]:
        if outcome.end in ("", "filled"):
            yield _event(order, _OPEN, price_ticks, qty_lots, "")
        yield from _filled(outcome.fills)
        if outcome.end not in ("", "filled"):
            yield _event(order, _CANCELED, price_ticks, qty_lots, _REASONS[outcome.end])

    def _book(self, order: Order) -> MatchingBook:
        key = (order.owner, order.instrument)
        found = self.matching.get(key)
        if found is None:
            found = self.matching[key] = MatchingBook(queue_ppm=self.queue_ppm)
            instrument = self.listed(order.instrument)
            bids, asks = self.rows(order.instrument)
            found.replace(_rows(bids, instrument), _rows(asks, instrument))
        return found


def _is_at(order: Order, ticks: int) -> bool:
    if order.trigger_rises:
        return ticks >= order.trigger_ticks
    return ticks <= order.trigger_ticks


def _waits(action: _Action, order: Order) -> PaperEvent:
    return PaperEvent(
        order.id,
        _OPEN,
        action.price_ticks,
        action.qty_lots,
        is_maker=False,
        reason="",
        is_untriggered=True,
        trigger_ticks=action.trigger_ticks or order.trigger_ticks,
    )


def _rows(rows: MarketRows, instrument: Instrument) -> list[tuple[int, int]]:
    """Bring market rows to ticks and lots, rounded to the nearest step."""
    ticks, lots = instrument.ticks_per_price, instrument.lots_per_qty
    return [(int(price * ticks + 0.5), int(qty * lots + 0.5)) for price, qty in rows]


def _filled(fills: list[Fill]) -> Iterator[PaperEvent]:
    for fill in fills:
        yield PaperEvent(
            fill.key, None, fill.price_ticks, fill.qty_lots, fill.is_maker, "", rule=fill.rule
        )


def _event(
    order: Order, status: OrderState, price_ticks: int, qty_lots: int, reason: str
) -> PaperEvent:
    return PaperEvent(order.id, status, price_ticks, qty_lots, is_maker=False, reason=reason)
