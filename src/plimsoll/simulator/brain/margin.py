"""Initial and maintenance margin in one-way mode, cross and isolated.

Formulas (Bybit help, new margin calculation, 2025, and order cost); lev = leverage, f = taker fee:

    fee to close   value x (1 - 1/lev) x f for a long, (1 + 1/lev) for a short
    position IM    value / lev + fee to close
    position MM    value x MMR - mmDeduction + fee to close
    order IM       value / lev + value x f + fee to close

``value`` of a position is size x mark in cross margin, what it was entered at in isolated.
Each is rounded up at 1e-8 of the settle coin, against the account.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import NamedTuple

import msgspec

from plimsoll.core.model import Side
from plimsoll.simulator.brain.accounts import ISOLATED, Account
from plimsoll.simulator.brain.ledger import Position
from plimsoll.simulator.brain.listings import Listing
from plimsoll.simulator.brain.numbers import ZERO, ceil8
from plimsoll.simulator.brain.tiers import Tier, tier_of

MarkOf = Callable[[str], int]
"""Mark price in ticks by instrument name."""


class Quotes(NamedTuple):
    """Prices of one moment: marks in ticks, USD by coin, and the collateral ratio by coin."""

    mark_of: MarkOf
    usd: Mapping[str, Decimal]
    ratios: Mapping[str, Decimal]


class Margin(msgspec.Struct):
    """Totals over the positions and orders that settle in one coin, in that coin."""

    position_im: Decimal = ZERO
    order_im: Decimal = ZERO
    maintenance: Decimal = ZERO
    unrealised: Decimal = ZERO
    order_loss: Decimal = ZERO
    """What open orders would lose against the mark if they were filled."""
    earmarked: Decimal = ZERO
    """Wallet money that belongs to isolated positions."""

    @property
    def initial(self) -> Decimal:
        """Return the margin that positions and orders hold."""
        return self.position_im + self.order_im


class Totals(msgspec.Struct):
    """An account as a whole, in USD; ``coins`` in the coins themselves."""

    coins: dict[str, Margin]
    locked: dict[str, Decimal]
    wallet: Decimal = ZERO
    collateral: Decimal = ZERO
    """Wallet weighted with the collateral ratios."""
    unrealised: Decimal = ZERO
    initial: Decimal = ZERO
    maintenance: Decimal = ZERO
    order_loss: Decimal = ZERO
    haircut: Decimal = ZERO
    """Collateral that open spot orders would turn into coins that count less."""

    @property
    def equity(self) -> Decimal:
        """Return wallet and open profit."""
        return self.wallet + self.unrealised

    @property
    def balance(self) -> Decimal:
        """Return the margin balance."""
        return self.collateral + self.unrealised

    @property
    def available(self) -> Decimal:
        """Return margin balance less haircut and initial margin; below zero is possible."""
        return self.balance - self.haircut - self.initial

    @property
    def base(self) -> Decimal:
        """Return what the margin rates are shares of."""
        return self.balance - self.haircut - self.order_loss

    @property
    def is_exhausted(self) -> bool:
        """Return whether the initial margin rate is at 100 % or above."""
        return self.initial > 0 and self.initial >= self.base

    @property
    def is_liquidated(self) -> bool:
        """Return whether the maintenance margin rate is at 100 % or above."""
        return self.maintenance > 0 and self.maintenance >= self.base


def fee_to_close(value: Decimal, leverage: Decimal, taker: Decimal, *, is_long: bool) -> Decimal:
    """Return the fee of closing ``value`` at its bankruptcy price."""
    factor = 1 - 1 / leverage if is_long else 1 + 1 / leverage
    return value * factor * taker


def position_margin(position: Position, value: Decimal, taker: Decimal) -> tuple[Decimal, Decimal]:
    """Return (initial, maintenance) margin of a position worth ``value``, rounded up.

    Maintenance takes the tier of this value alone: with that of the open orders besides, the
    deduction could be more than the margin.
    """
    leverage = position.leverage
    tier = tier_of(position.listing.tiers, value)
    fee = fee_to_close(value, leverage, taker, is_long=position.lots >= 0)
    maintenance = value * tier.rate - tier.deduction + fee
    return ceil8(value / leverage + fee), ceil8(maintenance)


def order_margin(side: Side, value: Decimal, leverage: Decimal, taker: Decimal) -> Decimal:
    """Return the initial margin of opening ``value``, rounded up."""
    to_close = fee_to_close(value, leverage, taker, is_long=side is Side.BUY)
    return ceil8(value / leverage + value * taker + to_close)


def tier_for(account: Account, position: Position, mark_ticks: int) -> Tier:
    """Return the tier that is shown and bounds leverage: of position and orders at the mark."""
    return tier_of(position.listing.tiers, exposed_value(account, position, mark_ticks))


def exposed_value(account: Account, position: Position, mark_ticks: int) -> Decimal:
    """Return the value at the mark if the larger side of the open orders were filled."""
    name, reserves = position.listing.name, account.reserves
    bought = position.lots + reserves.lots(name, Side.BUY)
    sold = position.lots - reserves.lots(name, Side.SELL)
    return position.listing.value(mark_ticks, max(abs(position.lots), bought, -sold))


def margins_of(account: Account, position: Position, mark_ticks: int) -> tuple[Decimal, Decimal]:
    """Return (initial, maintenance) margin of a position as the account's margin mode counts it."""
    listing = position.listing
    value = listing.value(mark_ticks, abs(position.lots))
    if account.margin_mode == ISOLATED:
        value = position.basis
    return position_margin(position, value, account.ledger.rates(listing).taker)


def margin_of(account: Account, mark_of: MarkOf) -> dict[str, Margin]:
    """Return the margin an account needs now, by settle coin."""
    coins: dict[str, Margin] = {}
    claims = account.reserves
    for name, position in account.ledger.positions.items():
        total = coins.setdefault(position.listing.instrument.settle, Margin())
        has_orders = claims.lots(name, Side.BUY) or claims.lots(name, Side.SELL)
        if not (position.lots or has_orders or position.extra_margin):
            continue
        mark = mark_of(name)
        initial, maintenance = margins_of(account, position, mark)
        total.position_im += initial
        total.maintenance += maintenance
        total.unrealised += position.unrealised(mark)
        if has_orders:
            total.order_im += orders_margin(account, position)
            total.order_loss += _order_loss(account, position.listing, mark)
        total.earmarked += initial + position.extra_margin
    return coins


def locked_of(account: Account) -> dict[str, Decimal]:
    """Return what open spot orders lock, by coin: quote for buys, base for sells."""
    locked: dict[str, Decimal] = {}
    for (_, side), sums in account.reserves.sides.items():
        if sums.listing.is_spot and sums.lots:
            item = sums.listing.instrument
            is_buy = side is Side.BUY
            coin = item.quote if is_buy else item.base
            amount = sums.listing.value(1, sums.ticks) if is_buy else sums.listing.qty(sums.lots)
            locked[coin] = locked.get(coin, ZERO) + amount
    return locked


def totals_of(account: Account, quotes: Quotes) -> Totals:
    """Return the account as a whole at these prices."""
    total = Totals(margin_of(account, quotes.mark_of), locked_of(account))
    for coin, amount in account.ledger.balances.items():
        worth = amount * quotes.usd.get(coin, ZERO)
        total.wallet += worth
        total.collateral += worth * (quotes.ratios.get(coin, ZERO) if amount > 0 else 1)
    for coin, margin in total.coins.items():
        usd = quotes.usd.get(coin, ZERO)
        total.unrealised += margin.unrealised * usd
        total.initial += margin.initial * usd
        total.maintenance += margin.maintenance * usd
        total.order_loss += margin.order_loss * usd
    total.haircut = _haircut(account, quotes)
    return total


def free_coin(account: Account, total: Totals, coin: str) -> Decimal:
    """Return what may be spent or set aside of one coin: nothing is borrowed here."""
    free = account.ledger.balances.get(coin, ZERO) - total.locked.get(coin, ZERO)
    if account.margin_mode == ISOLATED and coin in total.coins:
        free -= total.coins[coin].earmarked + total.coins[coin].order_im
    return free


def orders_margin(account: Account, position: Position) -> Decimal:
    """Return the initial margin of an instrument's open orders.

    The larger of both sides counts; what only reduces the position needs nothing.
    """
    listing, needed = position.listing, ZERO
    taker = account.ledger.rates(listing).taker
    for side in Side:
        lots = account.reserves.lots(listing.name, side)
        opening = max(0, lots - max(0, -side.sign * position.lots))
        if opening:
            value = listing.value(1, account.reserves.ticks(listing.name, side)) * opening / lots
            needed = max(needed, order_margin(side, value, position.leverage, taker))
    return needed


def _order_loss(account: Account, listing: Listing, mark_ticks: int) -> Decimal:
    loss = ZERO
    for side in Side:
        lots = account.reserves.lots(listing.name, side)
        worse = side.sign * (account.reserves.ticks(listing.name, side) - mark_ticks * lots)
        loss += listing.value(1, max(0, worse))
    return loss


def _haircut(account: Account, quotes: Quotes) -> Decimal:
    lost = ZERO
    for (_, side), sums in account.reserves.sides.items():
        if not sums.listing.is_spot or not sums.lots:
            continue
        item = sums.listing.instrument
        counted = {
            coin: quotes.usd.get(coin, ZERO) * quotes.ratios.get(coin, ZERO)
            for coin in (item.quote, item.base)
        }
        in_quote = sums.listing.value(1, sums.ticks) * counted[item.quote]
        in_base = sums.listing.qty(sums.lots) * counted[item.base]
        lost += max(ZERO, side.sign * (in_quote - in_base))
    return lost
