"""At which price an order goes to the book, and what the book would give for it."""

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Final

from plimsoll.core.model import Side
from plimsoll.simulator.brain.accounts import Account
from plimsoll.simulator.brain.errors import VenueRefusal
from plimsoll.simulator.brain.numbers import ZERO
from plimsoll.simulator.brain.orders import Order
from plimsoll.simulator.brain.public import PublicMarket

_ALL: Final = 1_000_000


def book_price(account: Account, market: PublicMarket, order: Order) -> int:
    """Return the price in ticks an order enters the book with.

    Raises:
        VenueRefusal: 110118, 170198 without liquidity; 30208, 30209, 170193, 170194 beyond the
            price limits where the account has them refused; 10001 for a level the book lacks.
    """
    if order.kind == "Market":
        return _protection_price(market, order)
    wanted = _level_price(market, order) if order.bbo_side else order.price_ticks
    return limited_price(account, market, order.side, wanted)


def limited_price(account: Account, market: PublicMarket, side: Side, ticks: int) -> int:
    """Keep a limit price inside the venue's band: moved or refused, as the account chose.

    Raises:
        VenueRefusal: 30208, 30209 (linear), 170193, 170194 (spot).
    """
    high, low = market.price_limits()
    inside = min(ticks, high) if side is Side.BUY else max(ticks, low)
    if inside == ticks or account.adjusts_price[market.listing.instrument.category]:
        return inside
    spot = market.listing.is_spot
    if side is Side.BUY:
        raise VenueRefusal(170193 if spot else 30208)
    raise VenueRefusal(170194 if spot else 30209)


def lots_for(market: PublicMarket, order: Order) -> int:
    """Return the lots that the order's value in quote coin buys from or brings in the book.

    Raises:
        VenueRefusal: 170140 where that is nothing.
    """
    lots, value = 0, order.asked_value
    for price, qty in market.book.levels(order.side.opposite, _ALL):
        if (price - order.price_ticks) * order.side.sign > 0:
            break
        take = min(qty, int(value // market.listing.value(price, 1)))
        lots += take
        value -= market.listing.value(price, take)
        if take < qty:
            break
    if not lots:
        raise VenueRefusal(170140)
    return lots


def cost_of(market: PublicMarket, order: Order) -> Decimal:
    """Return what a market buy of so many lots costs in the present book."""
    left, cost = order.qty_lots, ZERO
    for price, qty in market.book.levels(Side.SELL, _ALL):
        if price > order.price_ticks or not left:
            break
        take = min(left, qty)
        cost += market.listing.value(price, take)
        left -= take
    return cost


def _protection_price(market: PublicMarket, order: Order) -> int:
    """A market order is an IOC limit at the price limit, or at its own tolerance if nearer."""
    best = market.book.best(order.side.opposite)
    if best is None:
        raise VenueRefusal(170198 if market.listing.is_spot else 110118)
    high, low = market.price_limits()
    if order.slippage_type == "UNKNOWN":
        return high if order.side is Side.BUY else low
    worst = _tolerated(best, order)
    return min(high, worst) if order.side is Side.BUY else max(low, worst, 1)


def _tolerated(best: int, order: Order) -> int:
    """Return best bid or ask moved by the tolerance, rounded to the market's side."""
    if order.slippage_type == "TickSize":
        return best + order.side.sign * int(order.slippage)
    moved = best * (1 + order.side.sign * Decimal(order.slippage) / 100)
    rounding = ROUND_FLOOR if order.side is Side.BUY else ROUND_CEILING
    return int(moved.to_integral_value(rounding))


def _level_price(market: PublicMarket, order: Order) -> int:
    side = order.side if order.bbo_side == "Queue" else order.side.opposite
    levels = market.book.levels(side, order.bbo_level)
    if len(levels) < order.bbo_level:
        raise VenueRefusal(10001, f"params error: the book has no level {order.bbo_level}")
    return levels[-1][0]
