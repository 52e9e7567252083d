"""Whether an account may take on an order, a leverage or a margin mode."""

from decimal import Decimal

import msgspec

from plimsoll.core.model import Side
from plimsoll.simulator.brain.accounts import ISOLATED, Account
from plimsoll.simulator.brain.errors import VenueRefusal
from plimsoll.simulator.brain.floor import Floor
from plimsoll.simulator.brain.ledger import Position
from plimsoll.simulator.brain.margin import Quotes, Totals, exposed_value, free_coin, totals_of
from plimsoll.simulator.brain.numbers import ZERO
from plimsoll.simulator.brain.orders import Order
from plimsoll.simulator.brain.pricing import cost_of
from plimsoll.simulator.brain.reserves import Claim, claim_of, ticks_worth
from plimsoll.simulator.brain.tiers import tier_of


def check_new(floor: Floor, account: Account, order: Order) -> None:
    """Refuse an order the account cannot carry; what claims nothing yet passes.

    Raises:
        VenueRefusal: as ``check_order``.
    """
    claim = claim_of(order, account.orders)
    if claim is None:
        return
    is_spot_buy = order.listing.is_spot and order.side is Side.BUY
    if is_spot_buy and order.kind == "Market" and not (order.asked_value or order.is_waiting):
        cost = cost_of(floor.markets[order.listing.name], order)
        claim = msgspec.structs.replace(claim, ticks=ticks_worth(order.listing, cost))
    check_order(account, floor.quotes(), order, claim)


def check_amended(
    floor: Floor, account: Account, order: Order, price_ticks: int, trigger_ticks: int, lots: int
) -> None:
    """Refuse a change of prices and quantity the account cannot carry.

    Raises:
        VenueRefusal: as ``check_order``.
    """
    wanted = msgspec.structs.replace(
        order, price_ticks=price_ticks, trigger_ticks=trigger_ticks, qty_lots=lots
    )
    claim = claim_of(wanted, account.orders)
    if claim is not None:
        check_order(account, floor.quotes(), order, claim)


def check_order(account: Account, quotes: Quotes, order: Order, claim: Claim) -> None:
    """Refuse an order that would claim this where the account cannot carry it.

    An order that makes nothing worse is never refused.

    Args:
        account: Whose order.
        quotes: Prices now.
        order: A new order, or a live one about to be amended.
        claim: What it would claim in place of what it claims now.

    Raises:
        VenueRefusal: spot 170131; linear 110089, 110090 (tier), 110004, 110044, 110007 (funds).
    """
    listing = order.listing
    if not listing.is_spot:
        account.ledger.position(listing)  # margin is counted by position, flat ones included
    before = totals_of(account, quotes)
    was = account.reserves.put(order.order_id, claim)
    try:
        after = totals_of(account, quotes)
        if not listing.is_spot:
            _check_tier(account, account.ledger.position(listing), quotes)
        _check_funds(account, order, before, after)
    finally:
        account.reserves.put(order.order_id, was)


def covers_positions(account: Account, total: Totals) -> bool:
    """Return whether the account carries what it holds, as its margin mode counts it."""
    if account.margin_mode == ISOLATED:
        return all(free_coin(account, total, coin) >= 0 for coin in total.coins)
    return not total.is_exhausted


def _check_funds(account: Account, order: Order, before: Totals, after: Totals) -> None:
    item = order.listing.instrument
    coin = item.settle or (item.quote if order.side.sign > 0 else item.base)
    free = free_coin(account, after, coin)
    if order.listing.is_spot and free < 0 and free < free_coin(account, before, coin):
        raise VenueRefusal(170131)
    if account.margin_mode == ISOLATED:
        short = free < 0 and free < free_coin(account, before, coin)
    else:
        short = after.is_exhausted and after.base - after.initial < before.base - before.initial
    if not short:
        return
    if order.listing.is_spot:
        raise VenueRefusal(170131)
    raise VenueRefusal(_shortage(before))


def _shortage(before: Totals) -> int:
    """Return which of the venue's codes for too little money: its docs do not tell them apart."""
    if before.balance <= 0:
        return 110004
    return 110044 if before.is_exhausted else 110007


def _check_tier(account: Account, position: Position, quotes: Quotes) -> None:
    listing = position.listing
    value = exposed_value(account, position, quotes.mark_of(listing.name))
    held = listing.value(quotes.mark_of(listing.name), abs(position.lots))
    if value <= held:
        return
    if value > listing.tiers[-1].limit:
        raise VenueRefusal(110089)
    if position.leverage > Decimal(tier_of(listing.tiers, value).max_leverage):
        raise VenueRefusal(110090)


def removable_margin(position: Position, unrealised: Decimal) -> Decimal:
    """Return the added margin that may be taken back: an open loss keeps as much of it."""
    return max(ZERO, position.extra_margin + min(ZERO, unrealised))
