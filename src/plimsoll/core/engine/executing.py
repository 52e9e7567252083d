"""Executors carried out: their orders meet the books, and go through the gate like every order.

What a plan wants is pure (``strategy.executors``); this reads what its orders came to, asks it, and
tells it what was refused.
"""

from collections.abc import Generator, Iterable, Iterator
from typing import Final

from plimsoll.core.engine.placing import Placer
from plimsoll.core.engine.state import State
from plimsoll.core.model import Order
from plimsoll.core.records import OrderDenied, Record
from plimsoll.core.strategy import Desk, PlaceRequest
from plimsoll.core.strategy.executors import Run, Send, Sight, Stop

AGAIN_NS: Final = 1_000_000_000
"""A cancel that left its order where it is, is asked for again after this."""


class Executing:
    """Works the executors of all instances."""

    def __init__(self, state: State, placer: Placer) -> None:
        """Share the engine's state."""
        self.state = state
        self.placer = placer

    def take_up(self, desk: Desk) -> None:
        """Begin with what the books know of an instance's orders, whatever its checkpoint says."""
        orders = self.state.orders
        known = (*orders.closed.values(), *orders.working.values())
        own = [order for order in known if order.owner == desk.name]
        own.sort(key=lambda order: order.created_ns)
        desk.executors.take_up(own)
        desk.wish_changed.update(order.instrument for order in own if order.is_working)

    def hear(self, desk: Desk, order: Order) -> None:
        """Take over what an order has come to."""
        desk.executors.hear(order, self.state.ts_ns)

    def carry_out(self, desk: Desk, changed: Iterable[str]) -> Iterator[Record]:
        """Take the next step of every executor in these instruments."""
        for name in changed:
            yield from self._orphans(desk, name)
        for run in desk.executors.running(changed):
            yield from self._step(desk, run)

    # ---- inside ----

    def _step(self, desk: Desk, run: Run) -> Iterator[Record]:
        state = self.state
        sights = [self._sight(desk, run, index) for index in range(len(run.legs))]
        for change in run.step(sights, state.ts_ns):
            if isinstance(change, Stop):
                yield from self.placer.cancel(change.order, f"its executor ends: {run.closes}")
                continue
            denied = yield from self._send(desk, run, change)
            if denied is not None:
                run.refuse(denied.code, denied.text, state.ts_ns)
                return

    def _send(
        self, desk: Desk, run: Run, send: Send
    ) -> Generator[Record, None, OrderDenied | None]:
        """Ask for an order; return why not."""
        leg = run.legs[send.leg]
        request = PlaceRequest(
            leg.instrument,
            send.side,
            send.order_type,
            send.tif,
            send.price_ticks,
            send.qty_lots,
            send.reduce_only,
            leg.label,
            None,
        )
        denied = None
        for decision in self.placer.place(desk, request):
            yield decision
            if isinstance(decision, OrderDenied):
                denied = decision
        return denied

    def _sight(self, desk: Desk, run: Run, index: int) -> Sight:
        """Return what a leg sees, after it has read what its orders came to."""
        state, leg = self.state, run.legs[index]
        name = leg.instrument
        working = [o for o in state.orders.of_owner(desk.name, name) if o.label == leg.label]
        for order in working:
            leg.note(order)
        leg.read(state.orders.find)
        market = state.markets[name]
        is_whole = market.fault is None
        return Sight(
            state.instruments[name],
            market.bid_ticks if is_whole else 0,
            market.ask_ticks if is_whole else 0,
            state.ledger.qty_lots(desk.name, name),
            working,
        )

    def _orphans(self, desk: Desk, name: str) -> Iterator[Record]:
        """Cancel orders of executors that have ended, or that nobody remembers."""
        now = self.state.ts_ns
        for order in list(self.state.orders.of_owner(desk.name, name)):
            if not desk.executors.is_parentless(order):
                continue
            if now - order.unwanted_ns >= order.cancels * AGAIN_NS:
                yield from self.placer.cancel(order, "its executor has ended")
