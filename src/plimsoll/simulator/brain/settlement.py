"""How an event ends: exits follow, reduce-only orders are cut, then everything is sent."""

from plimsoll.core.model import Side
from plimsoll.simulator.brain.accounts import Account
from plimsoll.simulator.brain.batch import Batch
from plimsoll.simulator.brain.exit_orders import follow, place_oco
from plimsoll.simulator.brain.exits import CLEARED, FULL, PARTIAL


def settle(batch: Batch) -> None:
    """Let exits follow, trim reduce-only orders, then push and record what changed."""
    for account, filled in batch.traded():
        follow(batch, account, filled)
    for account in batch.to_trim():
        _trim_reduce_only(batch, account)
    _place_oco(batch)
    batch.push()


def _trim_reduce_only(batch: Batch, account: Account) -> None:
    """Cut resting reduce-only orders to the position, the newest first.

    Orders that close on their trigger come before all others.
    """
    listing = batch.market.listing
    if listing.is_spot:
        return
    lots = account.ledger.position(listing).lots
    orders = [
        order for order in account.orders.open_on(listing) if order.reduce_only and order.is_open
    ]
    room = {Side.BUY: max(0, -lots), Side.SELL: max(0, lots)}
    orders.sort(key=lambda order: not order.close_on_trigger)
    for order in orders:  # oldest first: they keep what room there is
        keep = min(order.leaves_lots, room[order.side])
        room[order.side] -= keep
        if keep == order.leaves_lots:
            continue
        if keep:
            batch.market.book.amend(order.order_id, order.price_ticks, keep)
            order.qty_lots = order.cum_lots + keep
            order.updated_ms = batch.now_ms
            batch.changed(order)
        else:
            is_exit = order.stop_type in FULL + PARTIAL
            word = CLEARED if is_exit and not lots else "CancelByReduceOnly"
            batch.end(order, word, "EC_NoError")


def _place_oco(batch: Batch) -> None:
    """Place the exits of spot orders that are done."""
    for order in list(batch.orders.values()):
        has_exits = order.take_profit is not None or order.stop_loss is not None
        if order.listing.is_spot and has_exits and order.cum_lots and not order.is_live:
            place_oco(batch, batch.floor.by_uid[order.uid], order)
