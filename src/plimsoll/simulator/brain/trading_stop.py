"""Exits of a position, set by its owner: ``/v5/position/trading-stop``."""

from plimsoll.core.model import Side
from plimsoll.simulator.brain import conditions, exit_orders, exits, filters
from plimsoll.simulator.brain.accounts import Account
from plimsoll.simulator.brain.asking import Params, Result
from plimsoll.simulator.brain.batch import Batch
from plimsoll.simulator.brain.conditions import LAST, is_given
from plimsoll.simulator.brain.errors import VenueRefusal
from plimsoll.simulator.brain.exits import PARTIAL, PARTIAL_MOST
from plimsoll.simulator.brain.floor import Floor
from plimsoll.simulator.brain.ledger import Position
from plimsoll.simulator.brain.orders import Exit
from plimsoll.simulator.brain.public import PublicMarket
from plimsoll.simulator.brain.settlement import settle


def trading_stop(floor: Floor, account: Account, params: Params, now_ns: int) -> Result:
    """Answer ``/v5/position/trading-stop``.

    Raises:
        VenueRefusal: 34040 where nothing changes; 110058, 110061 for too much or too many partial
            ones; 10001 for a flat position, bad words and prices on the wrong side.
    """
    listing = floor.listing(params.get("category"), params.get("symbol"))
    if listing.is_spot:
        raise VenueRefusal(10001, "params error: category spot has no positions")
    if str(params.get("positionIdx") or "0") != "0":
        raise VenueRefusal(10001, "position idx not match position mode")
    position = account.ledger.position(listing)
    side = position.side
    if side is None:
        raise VenueRefusal(10001, "can not set tp/sl/ts for zero position")
    market = floor.markets[listing.name]
    take_profit = conditions.exit_of(listing, params, "takeProfit")
    stop_loss = conditions.exit_of(listing, params, "stopLoss")
    mode = conditions.mode_of(params, take_profit, stop_loss)
    for tp, sl in ((take_profit, None), (None, stop_loss)):
        by = (tp or sl or Exit(0, LAST)).trigger_by
        conditions.check_exits(listing, side, conditions.price_of(market, by), tp, sl)
    distance, active = _trailing_of(market, side, params)
    batch = Batch(floor, market, now_ns)
    if mode == "Partial":
        changed = _add_partial(batch, account, position, params, take_profit, stop_loss)
    else:
        changed = exit_orders.set_full(batch, account, take_profit, stop_loss)
        changed |= _remove(batch, account, params)
    changed |= _trail(batch, account, distance, active)
    settle(batch)
    if not changed:
        raise VenueRefusal(34040)
    return {}


def _trailing_of(market: PublicMarket, side: Side, params: Params) -> tuple[int | None, int]:
    """Return (distance, active price) in ticks; ``None`` leaves the trailing stop as it is."""
    if params.get("trailingStop") in (None, ""):
        return None, 0
    if not is_given(params, "trailingStop") or not filters.number_of(params, "trailingStop"):
        return 0, 0
    listing = market.listing
    distance = filters.ticks_of(listing, params, "trailingStop")
    if distance >= market.last_ticks:
        raise VenueRefusal(10001, "params error: trailingStop is not below the price")
    if not is_given(params, "activePrice"):
        return distance, 0
    active = filters.ticks_of(listing, params, "activePrice")
    if (active - market.last_ticks) * side.sign <= 0:
        word = "higher" if side is Side.BUY else "lower"
        raise VenueRefusal(10001, f"params error: activePrice should be {word} than the last price")
    return distance, active


def _remove(batch: Batch, account: Account, params: Params) -> bool:
    """Cancel the exits that were set to "0"; return whether there were any."""
    changed = False
    for name, stop_type in (("takeProfit", "TakeProfit"), ("stopLoss", "StopLoss")):
        if params.get(name) in (None, "") or filters.number_of(params, name):
            continue
        order = exits.full_exit(account, batch.market.listing, stop_type)
        if order is not None:
            exits.unbind(account, order)
            batch.end(order, "CancelByUser", "EC_PerCancelRequest")
            changed = True
    return changed


def _trail(batch: Batch, account: Account, distance: int | None, active: int) -> bool:
    """Set, move or cancel the trailing stop; return whether anything changed."""
    order = exits.full_exit(account, batch.market.listing, "TrailingStop")
    if distance is None or (order is None and not distance):
        return False
    if not distance and order is not None:
        batch.end(order, "CancelByUser", "EC_PerCancelRequest")
        return True
    if order is not None and (order.trail_ticks, order.active_ticks) == (distance, active):
        return False
    is_new = order is None
    if order is None:
        lots = abs(account.ledger.position(batch.market.listing).lots)
        order = exit_orders.draft_linear(batch, account, Exit(0, LAST), "TrailingStop", lots)
    order.trail_ticks, order.active_ticks = distance, active
    order.trigger_ticks = 0
    if not active:
        order.trigger_ticks = max(1, batch.market.last_ticks + order.side.sign * distance)
    order.updated_ms = batch.now_ms
    if is_new:
        batch.accept(order)
        batch.wait(order)
    else:
        batch.changed(order)
    return True


def _add_partial(
    batch: Batch,
    account: Account,
    position: Position,
    params: Params,
    take_profit: Exit | None,
    stop_loss: Exit | None,
) -> bool:
    """Add a pair, or one of it, for a part of the position."""
    if take_profit is None and stop_loss is None:
        return False
    sizes = [
        filters.lots_of(batch.market.listing, params, name)
        for name, one in (("tpSize", take_profit), ("slSize", stop_loss))
        if one is not None and is_given(params, name)
    ]
    if not sizes or min(sizes) != max(sizes):
        raise VenueRefusal(10001, "params error: tpSize and slSize must be given and equal")
    if sizes[0] > abs(position.lots):
        raise VenueRefusal(110058)
    held = exits.exits_on(account, batch.market.listing)
    for stop_type, one in zip(PARTIAL, (take_profit, stop_loss), strict=True):
        if one is not None and sum(o.stop_type == stop_type for o in held) >= PARTIAL_MOST:
            raise VenueRefusal(110061)
    exit_orders.add_partial(batch, account, take_profit, stop_loss, sizes[0])
    return True
