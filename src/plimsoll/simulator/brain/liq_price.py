"""At which mark a position would be liquidated, and at which price it would be bankrupt."""

from decimal import Decimal

from plimsoll.simulator.brain.accounts import ISOLATED, Account
from plimsoll.simulator.brain.ledger import Position
from plimsoll.simulator.brain.margin import Quotes, Totals
from plimsoll.simulator.brain.numbers import ZERO
from plimsoll.simulator.brain.tiers import tier_of


def liquidation_price(
    account: Account, position: Position, total: Totals, quotes: Quotes
) -> Decimal | None:
    """Return the mark at which liquidation begins, ``None`` where there is none above zero.

    Cross: every other price held still, margin balance and maintenance margin are straight lines
    of this mark; they meet at mark -+ (base - MM) / (size x (1 -+ k)) for long and short, with
    k = MMR + fee to close as a share of the value.

    Isolated: long entry x (1 - 1/lev + MMR) - (extra + mmDeduction) / size, short mirrored.
    """
    if not position.lots:
        return None
    if account.margin_mode == ISOLATED:
        return _above_zero(_isolated_liquidation(position))
    return _above_zero(_cross_liquidation(account, position, total, quotes))


def isolated_bankruptcy(position: Position) -> Decimal:
    """Return the price at which an isolated position has used up its margin.

    Long entry x (1 - 1/lev) - extra / size, short entry x (1 + 1/lev) + extra / size; the fee of
    closing there is part of the margin besides.
    """
    sign = 1 if position.lots > 0 else -1
    margin = position.basis / position.leverage + position.extra_margin
    return position.session_price - sign * margin / position.listing.qty(abs(position.lots))


def _isolated_liquidation(position: Position) -> Decimal:
    tier = tier_of(position.listing.tiers, position.basis)
    kept = position.basis * tier.rate - tier.deduction
    sign = 1 if position.lots > 0 else -1
    size = position.listing.qty(abs(position.lots))
    return isolated_bankruptcy(position) + sign * kept / size


def _cross_liquidation(
    account: Account, position: Position, total: Totals, quotes: Quotes
) -> Decimal | None:
    listing = position.listing
    mark = quotes.mark_of(listing.name)
    usd = quotes.usd.get(listing.instrument.settle, ZERO)
    sign = 1 if position.lots > 0 else -1
    taker = account.ledger.rates(listing).taker
    tier = tier_of(listing.tiers, listing.value(mark, abs(position.lots)))
    share = tier.rate + (1 - sign / position.leverage) * taker
    slope = listing.qty(abs(position.lots)) * usd * (1 - sign * share)
    if not slope:
        return None
    return listing.price(mark) - sign * (total.base - total.maintenance) / slope


def _above_zero(price: Decimal | None) -> Decimal | None:
    return price if price is not None and price > 0 else None
