"""From a client's parameters to an order that may be accepted."""

from plimsoll.core.model import Side
from plimsoll.simulator.brain import conditions, filters
from plimsoll.simulator.brain.accounts import Account
from plimsoll.simulator.brain.errors import VenueRefusal
from plimsoll.simulator.brain.filters import Params
from plimsoll.simulator.brain.floor import Floor
from plimsoll.simulator.brain.listings import Listing
from plimsoll.simulator.brain.numbers import ZERO, text_of
from plimsoll.simulator.brain.orders import Order
from plimsoll.simulator.brain.pricing import book_price, lots_for
from plimsoll.simulator.brain.public import PublicMarket


def drafts_of(floor: Floor, account: Account, params: Params, now_ms: int) -> list[Order]:
    """Return the order asked for; a reduce-only one above the maximum becomes several.

    Raises:
        VenueRefusal: anything the parameters alone, the market or the position forbid.
    """
    listing = floor.listing(params.get("category"), params.get("symbol"))
    market = floor.markets[listing.name]
    order = _words(account, listing, market, params, now_ms)
    if order.is_waiting:
        _size_waiting(market, order, params)
    else:
        _size(account, market, order, params)
    base = order.price_ticks if order.kind == "Limit" and order.price_ticks else 0
    base = base or order.trigger_ticks or market.last_ticks
    conditions.check_exits(listing, order.side, base, order.take_profit, order.stop_loss)
    pieces = [order] if order.is_waiting else _pieces(order)
    for piece in pieces:
        identify(floor, piece)
    return pieces


def identify(floor: Floor, order: Order) -> None:
    """Give an order its number and ids; a spot order without a client id gets one."""
    order.serial = floor.next_serial()
    order.order_id = floor.next_id(order.listing, "order")
    if order.listing.is_spot and not order.link_id:
        order.link_id = str(int(order.order_id) + 1)


def room_for(account: Account, order: Order) -> int:
    """Return how many lots a reduce-only order may have.

    Orders that close on their trigger may have the whole position, others what the working
    reduce-only orders of their side leave.
    """
    position = account.ledger.position(order.listing)
    room = max(0, -order.side.sign * position.lots)
    if order.close_on_trigger:
        return room
    return room - sum(
        one.leaves_lots
        for one in account.orders.open_on(order.listing)
        if one.reduce_only and one.side is order.side and one is not order
    )


def _words(
    account: Account, listing: Listing, market: PublicMarket, params: Params, now_ms: int
) -> Order:
    side, kind = filters.side_of(params), filters.kind_of(params)
    tif, link = filters.tif_of(listing, params, kind), filters.link_of(params)
    filters.check_leverage(params)
    slippage_type, slippage = filters.slippage_of(params, kind)
    bbo_side, bbo_level = filters.bbo_of(listing, params, kind)
    if not market.is_ready:
        raise VenueRefusal(170198 if listing.is_spot else 110118)
    trigger = conditions.trigger_of(market, params)
    exits = conditions.exits_of(listing, params, kind, is_conditional=trigger is not None)
    closes = filters.is_true(params.get("closeOnTrigger")) and not listing.is_spot
    order = Order(
        uid=account.uid,
        serial=0,
        listing=listing,
        order_id="",
        link_id=link,
        side=side,
        kind=kind,
        tif=tif,
        price_ticks=0,
        qty_lots=0,
        created_ms=now_ms,
        updated_ms=now_ms,
        market_unit=str(params.get("marketUnit") or ""),
        reduce_only=not listing.is_spot and (closes or filters.is_true(params.get("reduceOnly"))),
        close_on_trigger=closes,
        smp_type=filters.smp_of(params),
        is_leverage="0" if listing.is_spot else "",
        last_ticks=market.last_ticks,
        create_type="CreateByBboOrder" if bbo_side else "CreateByUser",
        tpsl_mode=exits.mode,
        take_profit=exits.take_profit,
        stop_loss=exits.stop_loss,
        bbo_side=bbo_side,
        bbo_level=bbo_level,
        slippage_type=slippage_type or "UNKNOWN",
        slippage=text_of(slippage) if slippage_type else "",
    )
    if trigger is not None:
        order.trigger_ticks, order.trigger_direction = trigger.ticks, trigger.direction
        order.trigger_by = trigger.by
        order.filter, order.stop_type = trigger.filter, trigger.stop_type
        order.create_type = "CreateByStopOrder"
    return order


def _size(account: Account, market: PublicMarket, order: Order, params: Params) -> None:
    """Set price and quantity of an order that goes to the book at once."""
    listing, kind = order.listing, order.kind
    if kind == "Market":
        order.asked_value = filters.quote_value_of(listing, params)
    elif not order.bbo_side:
        order.price_ticks = filters.ticks_of(listing, params)
    order.price_ticks = book_price(account, market, order)
    if order.asked_value:
        order.qty_lots = lots_for(market, order)
        return
    if order.reduce_only:
        order.qty_lots = _reducing_lots(account, order, params)
    else:
        order.qty_lots = filters.lots_of(listing, params)
    at = market.best(order.side.opposite) if kind == "Market" else order.price_ticks
    lots = order.qty_lots
    if order.reduce_only:
        lots = min(lots, filters.most_lots(listing, kind))
    filters.check_size(listing, kind, at, lots, reduce_only=order.reduce_only)


def _size_waiting(market: PublicMarket, order: Order, params: Params) -> None:
    """Set what is known of a conditional order; the rest follows when it triggers.

    The quantity 0 of an order that closes a position stands for all of it.
    """
    listing, kind = order.listing, order.kind
    if kind == "Limit" and not order.bbo_side:
        order.price_ticks = filters.ticks_of(listing, params)
    order.asked_value = filters.quote_value_of(listing, params) if kind == "Market" else ZERO
    if order.asked_value and order.side is Side.SELL:  # so many are locked until it triggers
        order.qty_lots = int(order.asked_value // listing.value(order.trigger_ticks, 1))
    if order.asked_value or (order.close_on_trigger and not filters.number_of(params, "qty")):
        return
    order.qty_lots = filters.lots_of(listing, params)
    at = order.price_ticks or order.trigger_ticks
    filters.check_size(listing, kind, at, order.qty_lots, reduce_only=order.reduce_only)


def _reducing_lots(account: Account, order: Order, params: Params) -> int:
    """Cut a reduce-only quantity to what the position leaves for it.

    Raises:
        VenueRefusal: 110017 where that is nothing.
    """
    room = room_for(account, order)
    if room <= 0:
        raise VenueRefusal(110017)
    if order.close_on_trigger and not filters.number_of(params, "qty"):
        return min(room, filters.most_lots(order.listing, order.kind))
    return min(room, filters.lots_of(order.listing, params))


def _pieces(order: Order) -> list[Order]:
    """Split a reduce-only order above the maximum; only the first piece has the client's id."""
    most = filters.most_lots(order.listing, order.kind)
    if not order.reduce_only or order.qty_lots <= most:
        return [order]
    pieces: list[Order] = []
    left = order.qty_lots
    while left:
        piece = order if not pieces else _copy(order)
        piece.qty_lots = min(left, most)
        left -= piece.qty_lots
        pieces.append(piece)
    return pieces


def _copy(order: Order) -> Order:
    made = Order(**{name: getattr(order, name) for name in order.__struct_fields__})
    made.link_id, made.fees = "", {}
    return made


def reducing_side(lots: int) -> Side:
    """Return the side that makes a position smaller."""
    return Side.SELL if lots > 0 else Side.BUY
