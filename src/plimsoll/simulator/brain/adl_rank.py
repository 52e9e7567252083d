"""Who is next when a position has to be closed against somebody in profit.

Score = profit as a share of the cost x leverage of the account for a winner, divided by it for a
loser (Bybit help, auto-deleveraging). The indicator shows the fifth a position stands in among all
positions of its side on this exchange: 5 is next.
"""

from collections.abc import Iterable
from decimal import Decimal

from plimsoll.core.model import Side
from plimsoll.simulator.brain.accounts import Account
from plimsoll.simulator.brain.ledger import Position
from plimsoll.simulator.brain.listings import Listing
from plimsoll.simulator.brain.margin import Quotes, totals_of
from plimsoll.simulator.brain.numbers import ZERO


def adl_queue(
    accounts: Iterable[Account], listing: Listing, side: Side, quotes: Quotes
) -> list[Account]:
    """Return the accounts that hold this side of an instrument, the next one first."""
    held = [
        (_score(account, position, quotes), account)
        for account in accounts
        if (position := account.ledger.positions.get(listing.name)) is not None
        and position.side is side
    ]
    return [account for _, account in sorted(held, key=lambda pair: (-pair[0], pair[1].uid))]


def adl_rank(
    accounts: Iterable[Account], account: Account, position: Position, quotes: Quotes
) -> int:
    """Return the indicator from 5 (next) to 1, 0 for a flat position."""
    side = position.side
    if side is None:
        return 0
    name = position.listing.name
    rivals = [
        one
        for one in accounts
        if (held := one.ledger.positions.get(name)) is not None and held.side is side
    ]
    if len(rivals) == 1:
        return 5
    place = adl_queue(rivals, position.listing, side, quotes).index(account)
    return 5 - 5 * place // len(rivals)


def _score(account: Account, position: Position, quotes: Quotes) -> Decimal:
    mark = quotes.mark_of(position.listing.name)
    profit = position.unrealised(mark) / position.basis
    equity = totals_of(account, quotes).equity
    value = position.listing.value(mark, abs(position.lots))
    worth = value * quotes.usd.get(position.listing.instrument.settle, ZERO)
    if equity <= 0 or not worth:
        return profit
    leverage = worth / equity
    return profit * leverage if profit > 0 else profit / leverage
