"""Money of one account: coin balances and positions, in exact decimals.

Every rounding goes against the account, at 1e-8 of a coin: fees up; of an entry cost the part a
close removes is rounded up for a long (paid more) and down for a short (received less).
"""

from decimal import Decimal

import msgspec

from plimsoll.core.model import Side
from plimsoll.simulator.brain.listings import Listing
from plimsoll.simulator.brain.numbers import EXACT, ZERO, ceil8, floor8


class Position(msgspec.Struct):
    """One linear position; ``lots`` is signed, ``cost`` the exact value it was entered at."""

    listing: Listing
    lots: int = 0
    cost: Decimal = ZERO
    leverage: Decimal = Decimal(10)
    cur_realised: Decimal = ZERO
    cum_realised: Decimal = ZERO
    created_ms: int = 0
    updated_ms: int = 0
    opened_ms: int = 0
    seq: int = -1

    @property
    def side(self) -> Side | None:
        """Return the direction, ``None`` when flat."""
        if not self.lots:
            return None
        return Side.BUY if self.lots > 0 else Side.SELL

    @property
    def entry_price(self) -> Decimal:
        """Return the average entry price, 0 when flat; for display, the cost is the truth."""
        return EXACT.divide(self.cost, self.listing.qty(abs(self.lots))) if self.lots else ZERO

    def unrealised(self, mark_ticks: int) -> Decimal:
        """Return value at the mark minus cost, signed for the direction."""
        value = self.listing.value(mark_ticks, abs(self.lots))
        return value - self.cost if self.lots >= 0 else self.cost - value

    def trade(self, side: Side, price_ticks: int, qty_lots: int) -> tuple[int, Decimal]:
        """Change the position by one execution and return (closed lots, realised before fees).

        The part beyond the position opens the other way: a flip.
        """
        closing = 0 if self.lots * side.sign >= 0 else min(qty_lots, abs(self.lots))
        realised = ZERO
        if closing:
            removed = self._remove(closing)
            exit_value = self.listing.value(price_ticks, closing)
            realised = exit_value - removed if side is Side.SELL else removed - exit_value
        opening = qty_lots - closing
        self.cost += self.listing.value(price_ticks, opening)
        self.lots += side.sign * opening
        return closing, realised

    def _remove(self, closing: int) -> Decimal:
        share = EXACT.divide(EXACT.multiply(self.cost, Decimal(closing)), Decimal(abs(self.lots)))
        removed = ceil8(share) if self.lots > 0 else floor8(share)
        self.cost -= removed
        self.lots -= closing if self.lots > 0 else -closing
        return removed


class Booked(msgspec.Struct, frozen=True):
    """What one execution did to the money."""

    fee: Decimal
    fee_coin: str
    fee_rate: Decimal
    closed_lots: int
    realised: Decimal
    changes: list["CoinChange"]


class CoinChange(msgspec.Struct, frozen=True):
    """One row of the transaction log: ``change`` = ``cash_flow`` - ``fee``."""

    coin: str
    cash_flow: Decimal
    fee: Decimal
    balance: Decimal


class Ledger:
    """Balances by coin and positions by instrument name."""

    def __init__(self, balances: dict[str, str]) -> None:
        """Start with the given coins (decimal text) and no position."""
        self.balances = {coin: Decimal(text) for coin, text in balances.items()}
        self.realised: dict[str, Decimal] = {}
        self.positions: dict[str, Position] = {}

    def position(self, listing: Listing) -> Position:
        """Return the position of a linear instrument, made flat on first use."""
        found = self.positions.get(listing.name)
        if found is None:
            found = self.positions[listing.name] = Position(listing)
        return found

    def book(
        self, listing: Listing, side: Side, price_ticks: int, qty_lots: int, *, is_maker: bool
    ) -> Booked:
        """Book one execution and return what it did."""
        rate = listing.maker_rate if is_maker else listing.taker_rate
        if listing.is_spot:
            return self._book_spot(listing, side, price_ticks, qty_lots, rate)
        return self._book_linear(listing, side, price_ticks, qty_lots, rate)

    def _book_linear(
        self, listing: Listing, side: Side, price_ticks: int, qty_lots: int, rate: Decimal
    ) -> Booked:
        position = self.position(listing)
        was = position.lots
        closed, realised = position.trade(side, price_ticks, qty_lots)
        fee = ceil8(listing.value(price_ticks, qty_lots) * rate)
        if was * position.lots <= 0 and not (was and not position.lots):
            position.cur_realised = ZERO  # a new position starts, from flat or by a flip
        net = realised - fee
        position.cur_realised += net
        position.cum_realised += net
        coin = listing.instrument.settle
        self.realised[coin] = self.realised.get(coin, ZERO) + net
        change = self._move(coin, realised, fee)
        return Booked(fee, coin, rate, closed, realised, [change])

    def _book_spot(
        self, listing: Listing, side: Side, price_ticks: int, qty_lots: int, rate: Decimal
    ) -> Booked:
        """A buy pays its fee in base, a sell in quote (Bybit v5 docs, enum, spot fee currency)."""
        item = listing.instrument
        value, qty = listing.value(price_ticks, qty_lots), listing.qty(qty_lots)
        if side is Side.BUY:
            fee, fee_coin = ceil8(qty * rate), item.base
            changes = [self._move(item.quote, -value, ZERO), self._move(item.base, qty, fee)]
        else:
            fee, fee_coin = ceil8(value * rate), item.quote
            changes = [self._move(item.base, -qty, ZERO), self._move(item.quote, value, fee)]
        return Booked(fee, fee_coin, rate, 0, ZERO, changes)

    def _move(self, coin: str, cash_flow: Decimal, fee: Decimal) -> CoinChange:
        balance = self.balances.get(coin, ZERO) + cash_flow - fee
        self.balances[coin] = balance
        return CoinChange(coin, cash_flow, fee, balance)
