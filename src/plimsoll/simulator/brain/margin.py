"""Initial and maintenance margin, one-way and cross (reference: Bybit help, order cost, 2025)."""

from collections.abc import Callable
from decimal import Decimal

import msgspec

from plimsoll.core.model import Side
from plimsoll.simulator.brain.accounts import Account
from plimsoll.simulator.brain.ledger import Position
from plimsoll.simulator.brain.listings import Listing
from plimsoll.simulator.brain.numbers import ZERO

MarkOf = Callable[[str], int]
"""Mark price in ticks by instrument name."""


class Margin(msgspec.Struct):
    """Totals over an account, in USDT."""

    position_im: Decimal = ZERO
    order_im: Decimal = ZERO
    maintenance: Decimal = ZERO
    unrealised: Decimal = ZERO

    @property
    def initial(self) -> Decimal:
        """Return the margin that positions and orders hold."""
        return self.position_im + self.order_im


def position_margin(position: Position, mark_ticks: int) -> tuple[Decimal, Decimal]:
    """Return (initial, maintenance) margin of a position, the fee to close included."""
    listing = position.listing
    value = listing.value(mark_ticks, abs(position.lots))
    fee = _fee_to_close(listing, value, position.leverage, is_long=position.lots >= 0)
    return value / position.leverage + fee, value * listing.maintenance_rate + fee


def order_margin(listing: Listing, side: Side, value: Decimal, leverage: Decimal) -> Decimal:
    """Return the initial margin of opening ``value``, the fees to open and close included."""
    to_close = _fee_to_close(listing, value, leverage, is_long=side is Side.BUY)
    return value / leverage + value * listing.taker_rate + to_close


def margin_of(account: Account, mark_of: MarkOf) -> Margin:
    """Return the margin an account needs now."""
    total = Margin()
    for name, position in account.ledger.positions.items():
        mark = mark_of(name)
        initial, maintenance = position_margin(position, mark)
        total.position_im += initial
        total.maintenance += maintenance
        total.unrealised += position.unrealised(mark)
        total.order_im += _orders_margin(account, position)
    return total


def locked_of(account: Account) -> dict[str, Decimal]:
    """Return what open spot orders lock, by coin: quote for buys, base for sells."""
    locked: dict[str, Decimal] = {}
    for order in account.orders.locking():
        item = order.listing.instrument
        coin, amount = (
            (item.quote, order.leaves_value)
            if order.side is Side.BUY
            else (item.base, order.listing.qty(order.leaves_lots))
        )
        locked[coin] = locked.get(coin, ZERO) + amount
    return locked


def available_usdt(account: Account, mark_of: MarkOf) -> Decimal:
    """Return the USDT free for new risk: only USDT is collateral here."""
    margin = margin_of(account, mark_of)
    balance = account.ledger.balances.get("USDT", ZERO)
    return balance + margin.unrealised - margin.initial - locked_of(account).get("USDT", ZERO)


def _orders_margin(account: Account, position: Position) -> Decimal:
    """The larger of both sides counts; what only reduces the position needs nothing."""
    sides = {Side.BUY: (0, ZERO), Side.SELL: (0, ZERO)}
    for order in account.orders.open_on(position.listing):
        if not order.reduce_only:
            lots, value = sides[order.side]
            value += order.listing.value(order.price_ticks, order.leaves_lots)
            sides[order.side] = lots + order.leaves_lots, value
    needed = ZERO
    for side, (lots, value) in sides.items():
        opening = max(0, lots - max(0, -side.sign * position.lots))
        if opening:
            value = value * opening / lots
            needed = max(needed, order_margin(position.listing, side, value, position.leverage))
    return needed


def _fee_to_close(listing: Listing, value: Decimal, leverage: Decimal, *, is_long: bool) -> Decimal:
    factor = 1 - 1 / leverage if is_long else 1 + 1 / leverage
    return value * factor * listing.taker_rate
