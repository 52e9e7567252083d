"""How an order gets into the book: the same way for a client's and for a triggered one."""

from typing import Final

from plimsoll.core.matching import Outcome
from plimsoll.simulator.brain.batch import Batch
from plimsoll.simulator.brain.drafting import room_for
from plimsoll.simulator.brain.floor import Floor
from plimsoll.simulator.brain.orders import Order

_ENDS: Final = {
    "post_only": ("UNKNOWN", "EC_PostOnlyWillTakeLiquidity"),
    "ioc": ("UNKNOWN", "EC_NoImmediateQtyToFill"),
    "fok": ("UNKNOWN", "EC_NoEnoughQtyToFill"),
    "self_match": ("CancelBySmp", "EC_BySelfMatch"),
}
"""How matching ended an order: cancelType and rejectReason."""


class Door:
    """The way into the book and through it."""

    def __init__(self, floor: Floor) -> None:
        """Let orders onto a floor."""
        self._floor = floor

    def enter(self, batch: Batch, order: Order) -> None:
        """Match an accepted order; what is left rests or ends."""
        if order.reduce_only and not self._cut_to_position(order):
            batch.end(order, "CancelByReduceOnly", "EC_NoError")
            return
        outcome = batch.market.book.submit(
            order.order_id,
            order.side,
            order.price_ticks,
            order.qty_lots,
            order.tif,
            str(order.uid),
            smp=order.smp_type in ("CancelTaker", "CancelBoth"),
            smp_maker=order.smp_type in ("CancelMaker", "CancelBoth"),
        )
        self._conclude(batch, order, outcome)
        if order.close_on_trigger:
            batch.trim(self._floor.by_uid[order.uid])

    def change(self, batch: Batch, order: Order, price_ticks: int, qty_lots: int) -> None:
        """Give an order in the book another price or quantity; it may take on its way."""
        order.price_ticks, order.qty_lots = price_ticks, qty_lots
        order.updated_ms = batch.now_ms
        batch.amended = order
        outcome = batch.market.book.amend(order.order_id, price_ticks, order.leaves_lots)
        if outcome is None:
            raise AssertionError(f"open order {order.order_id} is not in the book")
        self._conclude(batch, order, outcome)

    def _cut_to_position(self, order: Order) -> bool:
        """Cut a reduce-only order to its position and return whether anything is left of it."""
        room = room_for(self._floor.by_uid[order.uid], order)
        order.qty_lots = min(order.qty_lots, room)
        return order.qty_lots > 0

    def _conclude(self, batch: Batch, order: Order, outcome: Outcome) -> None:
        batch.market.touch(batch.now_ms)
        batch.fills(outcome.fills)
        for key in outcome.removed:
            maker = self._floor.working[key]
            maker.smp_order_id = order.order_id
            batch.end(maker, "CancelBySmp", "EC_NoError")
        if outcome.end in _ENDS:
            order.smp_order_id = outcome.met
            cancel_type, reason = _ENDS[outcome.end]
            if outcome.end == "ioc" and order.cum_lots:
                reason = "EC_CancelForNoFullFill"
            elif outcome.end == "ioc" and order.kind == "Market":
                reason = "EC_ReachMarketPriceLimit"
            order.end(batch.now_ms, cancel_type, reason)
            batch.changed(order)
        elif outcome.end == "" and not outcome.fills:
            order.rest(batch.now_ms)
            batch.changed(order)
