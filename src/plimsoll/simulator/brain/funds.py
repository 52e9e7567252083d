"""Whether an account can pay for an order: margin on linear, coins on spot."""

from decimal import Decimal

from plimsoll.core.model import Side
from plimsoll.simulator.brain.accounts import Account
from plimsoll.simulator.brain.errors import VenueRefusal
from plimsoll.simulator.brain.floor import Floor
from plimsoll.simulator.brain.margin import available_usdt, locked_of
from plimsoll.simulator.brain.numbers import ZERO
from plimsoll.simulator.brain.orders import Order
from plimsoll.simulator.brain.pricing import cost_of


def check_new(floor: Floor, account: Account, order: Order) -> None:
    """Refuse an order the account cannot pay for; what holds nothing yet passes.

    Raises:
        VenueRefusal: 110007 (linear), 170131 (spot).
    """
    if order.reduce_only or (order.is_waiting and order.filter == "StopOrder"):
        return
    listing = order.listing
    if not listing.is_spot:
        account.ledger.position(listing)  # margin is counted by position, flat ones included
    if listing.is_spot and order.side is Side.BUY and order.kind == "Market":
        market = floor.markets[listing.name]
        waits = order.leaves_value if order.is_waiting else cost_of(market, order)
        left = free_funds(floor, account, order) - (order.asked_value or waits)
    else:
        pool = account.orders.waiting if order.is_waiting else account.orders.open
        pool[order.order_id] = order  # counted as if it rested already
        left = free_funds(floor, account, order)
        del pool[order.order_id]
    refuse_if_short(floor, account, order, left)


def check_amended(floor: Floor, account: Account, order: Order, price: int, lots: int) -> None:
    """Refuse a change of price and quantity the account cannot pay for.

    Raises:
        VenueRefusal: 110007 (linear), 170131 (spot).
    """
    if order.reduce_only or (order.is_waiting and order.filter == "StopOrder"):
        return
    before = order.price_ticks, order.qty_lots
    order.price_ticks, order.qty_lots = price, lots
    left = free_funds(floor, account, order)
    order.price_ticks, order.qty_lots = before
    refuse_if_short(floor, account, order, left)


def refuse_if_short(floor: Floor, account: Account, order: Order, left: Decimal) -> None:
    """Refuse what leaves a shortage, unless the account was as short before.

    Raises:
        VenueRefusal: 110007 (linear), 170131 (spot).
    """
    if left < 0 and left < free_funds(floor, account, order):
        raise VenueRefusal(170131 if order.listing.is_spot else 110007)


def free_funds(floor: Floor, account: Account, order: Order) -> Decimal:
    """Return what such an order may still use: base for spot sells, else USDT."""
    if order.listing.is_spot and order.side is Side.SELL:
        coin = order.listing.instrument.base
        return account.ledger.balances.get(coin, ZERO) - locked_of(account).get(coin, ZERO)
    return available_usdt(account, floor.mark_of)
