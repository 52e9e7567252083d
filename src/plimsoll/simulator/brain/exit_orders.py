"""What becomes of exits: they are placed, follow their position, and are cut or ended with it.

On spot a pair is placed for what its parent bought or sold, and either cancels the other.
"""

from collections.abc import Iterable

from plimsoll.core.model import Side, TimeInForce
from plimsoll.simulator.brain.accounts import Account
from plimsoll.simulator.brain.batch import Batch
from plimsoll.simulator.brain.drafting import identify, reducing_side
from plimsoll.simulator.brain.errors import VenueRefusal
from plimsoll.simulator.brain.exits import (
    CLEARED,
    FULL,
    PARTIAL,
    bind,
    exits_on,
    full_exit,
    unbind,
)
from plimsoll.simulator.brain.funds import check_new
from plimsoll.simulator.brain.numbers import ZERO
from plimsoll.simulator.brain.orders import FALLS, RISES, Exit, Order


def follow(batch: Batch, account: Account, filled: Iterable[tuple[Order, int]]) -> None:
    """Bring the exits of a position in line with it after executions.

    Args:
        batch: The event; its instrument is the one that traded.
        account: Whose executions they were.
        filled: Its orders and how many lots of each were filled.
    """
    listing = batch.market.listing
    if listing.is_spot:
        return
    fit_exits(batch, account)
    position = account.ledger.position(listing)
    for order, lots in filled:
        if position.side is not order.side:
            continue
        if order.tpsl_mode == "Full":
            set_full(batch, account, order.take_profit, order.stop_loss, parent=order)
        elif order.tpsl_mode == "Partial":
            _grow_partial(batch, account, order, min(lots, abs(position.lots)))


def fit_exits(batch: Batch, account: Account) -> None:
    """Cancel the exits of a position that is gone or turned; cut or grow the others to it."""
    listing = batch.market.listing
    lots = account.ledger.position(listing).lots
    for order in exits_on(account, listing):
        if not lots or order.side is not reducing_side(lots):
            batch.end(order, CLEARED, "EC_NoError")
            continue
        wanted = abs(lots) if order.stop_type in FULL else min(order.qty_lots, abs(lots))
        if wanted != order.qty_lots:
            order.qty_lots = wanted
            order.updated_ms = batch.now_ms
            batch.changed(order)


def set_full(
    batch: Batch,
    account: Account,
    take_profit: Exit | None,
    stop_loss: Exit | None,
    *,
    parent: Order | None = None,
) -> bool:
    """Set exits of the whole position, ``None`` leaves one as it is; return whether any changed.

    Setting one of them alone ends the bond between the two.
    """
    listing = batch.market.listing
    asked: list[Order] = []
    changed = False
    for stop_type, wanted in (("TakeProfit", take_profit), ("StopLoss", stop_loss)):
        if wanted is None:
            continue
        order = full_exit(account, listing, stop_type)
        if order is None:
            lots = abs(account.ledger.position(listing).lots)
            order = place(batch, account, wanted, stop_type, lots, parent)
            changed = True
        elif (order.trigger_ticks, order.trigger_by) != (wanted.trigger_ticks, wanted.trigger_by):
            order.trigger_ticks, order.trigger_by = wanted.trigger_ticks, wanted.trigger_by
            order.updated_ms = batch.now_ms
            batch.floor.waits += 1
            batch.changed(order)
            changed = True
        asked.append(order)
    if not changed:
        return False
    if len(asked) == 1:
        unbind(account, asked[0])
    else:
        bind(*asked)
    account.tpsl_modes[listing.name] = "Full"
    return True


def add_partial(
    batch: Batch,
    account: Account,
    take_profit: Exit | None,
    stop_loss: Exit | None,
    lots: int,
    parent: Order | None = None,
) -> None:
    """Add exits for a part of the position."""
    placed = [
        place(batch, account, wanted, stop_type, lots, parent)
        for stop_type, wanted in zip(PARTIAL, (take_profit, stop_loss), strict=True)
        if wanted is not None
    ]
    if len(placed) > 1:
        bind(*placed)
    account.tpsl_modes[batch.market.listing.name] = "Partial"


def place_oco(batch: Batch, account: Account, parent: Order) -> None:
    """Place what a finished spot order had attached, for what it received after its fee.

    Where the coins for it are not there any more, it is rejected.
    """
    lot, base = parent.listing.instrument.lot, parent.listing.instrument.base
    lots = parent.cum_lots
    if parent.side is Side.BUY:
        lots -= -int(-parent.fees.get(base, ZERO) // lot)
    if lots <= 0:
        return
    both = parent.take_profit is not None and parent.stop_loss is not None
    placed: list[Order] = []
    for wanted in (parent.take_profit, parent.stop_loss):
        if wanted is not None:
            is_profit = wanted is parent.take_profit
            placed.append(draft_exit(batch, account, wanted, parent, lots, is_profit=is_profit))
            placed[-1].stop_type = placed[-1].filter = "OcoOrder" if both else "tpslOrder"
            placed[-1].oco = "OcoTriggerByUnknown" if both else ""
    if both:
        bind(*placed)
    try:
        check_new(batch.floor, account, placed[0])
    except VenueRefusal:
        for order in placed:
            batch.accept(order)
            batch.reject(order, "EC_Others")
        return
    for order in placed:
        batch.accept(order)
        batch.wait(order)


def place(
    batch: Batch,
    account: Account,
    wanted: Exit,
    stop_type: str,
    lots: int,
    parent: Order | None,
) -> Order:
    """Place one exit of a linear position and return it."""
    order = draft_linear(batch, account, wanted, stop_type, lots, parent)
    batch.accept(order)
    batch.wait(order)
    return order


def draft_linear(
    batch: Batch,
    account: Account,
    wanted: Exit,
    stop_type: str,
    lots: int,
    parent: Order | None = None,
) -> Order:
    """Return one exit of a linear position, not placed yet."""
    is_profit = stop_type.endswith("TakeProfit")
    order = draft_exit(batch, account, wanted, parent, lots, is_profit=is_profit)
    order.stop_type, order.filter = stop_type, "StopOrder"
    order.create_type = f"CreateBy{stop_type}"
    order.reduce_only = order.close_on_trigger = True
    return order


def draft_exit(
    batch: Batch,
    account: Account,
    wanted: Exit,
    parent: Order | None,
    lots: int,
    *,
    is_profit: bool,
) -> Order:
    """Return an exit with ids; what kind of order it is is for the caller to say."""
    listing = batch.market.listing
    if listing.is_spot and parent is not None:
        side = parent.side.opposite
    else:
        side = reducing_side(account.ledger.position(listing).lots)
    order = Order(
        uid=account.uid,
        serial=0,
        listing=listing,
        order_id="",
        link_id="",
        side=side,
        kind=wanted.kind,
        tif=TimeInForce.GTC if wanted.limit_ticks else TimeInForce.IOC,
        price_ticks=wanted.limit_ticks,
        qty_lots=lots,
        created_ms=batch.now_ms,
        updated_ms=batch.now_ms,
        is_leverage="0" if listing.is_spot else "",
        last_ticks=batch.market.last_ticks,
        trigger_ticks=wanted.trigger_ticks,
        trigger_by=wanted.trigger_by,
        trigger_direction=RISES if (side is Side.SELL) is is_profit else FALLS,
        parent_id=parent.order_id if parent is not None else "",
        parent_link=parent.link_id if parent is not None else "",
    )
    identify(batch.floor, order)
    return order


def _grow_partial(batch: Batch, account: Account, parent: Order, lots: int) -> None:
    """Give a parent's exits the lots it filled; a new pair where the first has triggered."""
    mine = [one for one in exits_on(account, parent.listing) if one.parent_id == parent.order_id]
    asked = (parent.take_profit, parent.stop_loss)
    if len(mine) == sum(one is not None for one in asked):
        for order in mine:
            order.qty_lots += lots
            order.updated_ms = batch.now_ms
            batch.changed(order)
        return
    add_partial(batch, account, parent.take_profit, parent.stop_loss, lots, parent)
