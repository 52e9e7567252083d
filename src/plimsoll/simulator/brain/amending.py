"""What an amendment asks for, checked against the order and the market of now."""

from plimsoll.simulator.brain import conditions, filters, funds
from plimsoll.simulator.brain.accounts import Account
from plimsoll.simulator.brain.conditions import is_given
from plimsoll.simulator.brain.errors import VenueRefusal
from plimsoll.simulator.brain.exits import FULL
from plimsoll.simulator.brain.filters import Params
from plimsoll.simulator.brain.floor import Floor
from plimsoll.simulator.brain.later import Terms
from plimsoll.simulator.brain.orders import Exit, Order
from plimsoll.simulator.brain.pricing import limited_price
from plimsoll.simulator.brain.public import PublicMarket


def terms_of(floor: Floor, account: Account, order: Order, params: Params) -> Terms:
    """Return the terms an order gets.

    Raises:
        VenueRefusal: 10001 where nothing changes or a word is bad; 110064, 170313 for a quantity
            that is filled already; 110017 for a reduce-only one that would grow; 110059 for the
            exits of a partly filled order; 110092, 110093 for a passed trigger; and whatever the
            new price and quantity would be refused with in a new order.
    """
    market = floor.markets[order.listing.name]
    ticks, direction, by = _trigger_of(market, order, params)
    take_profit, stop_loss, mode = _exits_of(order, params)
    price = _price_of(account, market, order, params)
    lots = order.qty_lots
    if params.get("qty") not in (None, ""):
        if order.stop_type in FULL:
            raise VenueRefusal(10001, "params error: qty follows the position")
        lots = filters.lots_of(order.listing, params)
    terms = Terms(price, lots, ticks, direction, by, mode, take_profit, stop_loss)
    if terms == _terms_now(order):
        raise VenueRefusal(10001, "order not modified")
    _check_size(floor, account, order, terms)
    base = price or ticks or market.last_ticks
    conditions.check_exits(order.listing, order.side, base, take_profit, stop_loss)
    return terms


def _terms_now(order: Order) -> Terms:
    return Terms(
        order.price_ticks,
        order.qty_lots,
        order.trigger_ticks,
        order.trigger_direction,
        order.trigger_by,
        order.tpsl_mode,
        order.take_profit,
        order.stop_loss,
    )


def _price_of(account: Account, market: PublicMarket, order: Order, params: Params) -> int:
    if params.get("price") in (None, "") or order.kind == "Market":
        return order.price_ticks
    wanted = filters.ticks_of(order.listing, params)
    return wanted if order.is_waiting else limited_price(account, market, order.side, wanted)


def _trigger_of(market: PublicMarket, order: Order, params: Params) -> tuple[int, int, str]:
    """Return (ticks, direction, price looked at) of the trigger as it shall be."""
    now = order.trigger_ticks, order.trigger_direction, order.trigger_by
    asks = is_given(params, "triggerPrice") or params.get("triggerBy")
    if not asks:
        return now
    if not order.is_waiting or order.trail_ticks:
        raise VenueRefusal(10001, "params error: this order has no trigger price to change")
    ticks = now[0]
    if is_given(params, "triggerPrice"):
        ticks = filters.ticks_of(order.listing, params, "triggerPrice")
    if order.listing.is_spot:
        return ticks, conditions.spot_direction(market, ticks), order.trigger_by
    by = conditions.trigger_by(params, "triggerBy") if params.get("triggerBy") else now[2]
    if (ticks, by) != (now[0], now[2]):
        conditions.check_ahead(market, ticks, now[1], by)
    return ticks, now[1], by


def _exits_of(order: Order, params: Params) -> tuple[Exit | None, Exit | None, str]:
    """Return (take-profit, stop-loss, mode) as they shall be; "0" removes one."""
    found: dict[str, Exit | None] = {
        "takeProfit": order.take_profit,
        "stopLoss": order.stop_loss,
    }
    asked = [name for name in found if params.get(name) not in (None, "")]
    if not asked:
        return order.take_profit, order.stop_loss, order.tpsl_mode
    if order.cum_lots:
        raise VenueRefusal(110059)
    if order.reduce_only or (order.listing.is_spot and order.kind == "Market"):
        raise VenueRefusal(10001, "params error: TP/SL cannot be set on this order")
    for name in asked:
        before = found[name]
        by = f"{'tp' if name == 'takeProfit' else 'sl'}TriggerBy"
        found[name] = conditions.exit_of(
            order.listing,
            params if before is None or params.get(by) else {**params, by: before.trigger_by},
            name,
        )
        needs_by = not order.listing.is_spot and before is None and found[name] is not None
        if needs_by and not params.get(by):
            raise VenueRefusal(10001, f"params error: {by} is needed")
    take_profit, stop_loss = found["takeProfit"], found["stopLoss"]
    if order.listing.is_spot or (take_profit is None and stop_loss is None):
        return take_profit, stop_loss, ""
    words = {"tpslMode": params.get("tpslMode") or order.tpsl_mode}
    return take_profit, stop_loss, conditions.mode_of(words, take_profit, stop_loss)


def _check_size(floor: Floor, account: Account, order: Order, terms: Terms) -> None:
    listing, price, lots = order.listing, terms.price_ticks, terms.qty_lots
    at = price or terms.trigger_ticks
    if (price, lots) != (order.price_ticks, order.qty_lots):
        if lots <= order.cum_lots:
            raise VenueRefusal(170313 if listing.is_spot else 110064)
        filters.check_size(listing, order.kind, at, lots, reduce_only=order.reduce_only)
        if order.reduce_only and not order.is_waiting and lots > order.qty_lots:
            raise VenueRefusal(110017)
    funds.check_amended(floor, account, order, price, terms.trigger_ticks, lots)
