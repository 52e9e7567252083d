"""Money of one account: coin balances and positions, in exact decimals.

Every rounding goes against the account, at 1e-8 of a coin: fees and funding up; of an entry cost
the part a close removes is rounded up for a long (paid more) and down for a short (received less).

A balance changes in ``move`` and nowhere else, and each change is a row of the transaction log.
"""

from decimal import Decimal

import msgspec

from plimsoll.core.model import Side
from plimsoll.simulator.brain.listings import Listing
from plimsoll.simulator.brain.numbers import EXACT, ZERO, ceil8, floor8


class Position(msgspec.Struct):
    """One linear position; ``lots`` is signed, ``cost`` the exact value it was entered at.

    ``basis`` is what profit counts from: the cost, or the value at the last session settlement.
    """

    listing: Listing
    lots: int = 0
    cost: Decimal = ZERO
    basis: Decimal = ZERO
    leverage: Decimal = Decimal(10)
    open_fees: Decimal = ZERO
    """Fees paid for what is open now."""
    extra_margin: Decimal = ZERO
    """Added by hand to an isolated position."""
    adds_margin: bool = False
    """Whether an isolated position draws margin from the wallet instead of being liquidated."""
    cur_realised: Decimal = ZERO
    cum_realised: Decimal = ZERO
    status: str = "Normal"
    """Normal, Liq or Adl."""
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
        return self._average(self.cost)

    @property
    def session_price(self) -> Decimal:
        """Return the average price profit counts from, 0 when flat."""
        return self._average(self.basis)

    def unrealised(self, mark_ticks: int) -> Decimal:
        """Return value at the mark minus what profit counts from, signed for the direction."""
        value = self.listing.value(mark_ticks, abs(self.lots))
        return value - self.basis if self.lots >= 0 else self.basis - value

    def trade(self, side: Side, price_ticks: int, qty_lots: int) -> "Traded":
        """Change the position by one execution.

        The part beyond the position opens the other way: a flip.
        """
        closing = 0 if self.lots * side.sign >= 0 else min(qty_lots, abs(self.lots))
        traded = Traded(0, ZERO, ZERO, ZERO)
        if closing:
            removed, fees = self._remove(closing)
            exit_value = self.listing.value(price_ticks, closing)
            realised = exit_value - removed if side is Side.SELL else removed - exit_value
            traded = Traded(closing, realised, removed, fees)
        opening = qty_lots - closing
        self.cost += self.listing.value(price_ticks, opening)
        self.basis += self.listing.value(price_ticks, opening)
        self.lots += side.sign * opening
        return traded

    def settle_session(self, mark_ticks: int) -> Decimal:
        """Return the profit since the last session and count from the mark from here on."""
        profit = self.unrealised(mark_ticks)
        self.basis = self.listing.value(mark_ticks, abs(self.lots))
        return profit

    def _average(self, value: Decimal) -> Decimal:
        return EXACT.divide(value, self.listing.qty(abs(self.lots))) if self.lots else ZERO

    def _remove(self, closing: int) -> tuple[Decimal, Decimal]:
        """Take out what belongs to the closed lots; return the basis and the opening fees of it."""
        held = abs(self.lots)
        against = ceil8 if self.lots > 0 else floor8
        removed = against(_share(self.basis, closing, held))
        fees = ceil8(_share(self.open_fees, closing, held))
        self.basis -= removed
        self.cost -= against(_share(self.cost, closing, held))
        self.open_fees -= fees
        self.extra_margin -= floor8(_share(self.extra_margin, closing, held))
        self.lots -= closing if self.lots > 0 else -closing
        return removed, fees


class Traded(msgspec.Struct, frozen=True):
    """What an execution closed: lots, profit before fees, basis and opening fees of them."""

    closed_lots: int
    realised: Decimal
    basis: Decimal
    open_fees: Decimal


class Rates(msgspec.Struct, frozen=True):
    """Fee rates of an account; a negative maker rate is a rebate."""

    taker: Decimal
    maker: Decimal


class CoinChange(msgspec.Struct, frozen=True):
    """One row of the transaction log; ``funding`` positive = received, ``fee`` = paid."""

    coin: str
    cash_flow: Decimal
    fee: Decimal
    balance: Decimal
    funding: Decimal = ZERO

    @property
    def change(self) -> Decimal:
        """Return what the balance changed by."""
        return self.cash_flow + self.funding - self.fee


class Booked(msgspec.Struct, frozen=True):
    """What one execution did to the money."""

    fee: Decimal
    fee_coin: str
    fee_rate: Decimal
    closed_lots: int
    realised: Decimal
    changes: list[CoinChange]
    entry_value: Decimal = ZERO
    """What profit of the closed lots counts from."""
    open_fee: Decimal = ZERO
    close_fee: Decimal = ZERO
    """The part of ``fee`` that belongs to the closed lots."""


class Ledger:
    """Balances by coin and positions by instrument name."""

    def __init__(self, balances: dict[str, str]) -> None:
        """Start with the given coins (decimal text) and no position."""
        self.balances = {coin: Decimal(text) for coin, text in balances.items()}
        self.realised: dict[str, Decimal] = {}
        self.bonus: dict[str, Decimal] = {}
        self.positions: dict[str, Position] = {}
        self.fees: dict[str, Rates] = {}
        """By category; what is missing pays the instrument's own rates."""
        self.changes = 0
        """How often a balance changed."""

    def position(self, listing: Listing) -> Position:
        """Return the position of a linear instrument, made flat on first use."""
        found = self.positions.get(listing.name)
        if found is None:
            found = self.positions[listing.name] = Position(listing)
        return found

    def rates(self, listing: Listing) -> Rates:
        """Return the fee rates this account pays on an instrument."""
        own = self.fees.get(listing.instrument.category)
        return own or Rates(listing.taker_rate, listing.maker_rate)

    def book(
        self,
        listing: Listing,
        side: Side,
        price_ticks: int,
        qty_lots: int,
        *,
        is_maker: bool,
        rate: Decimal | None = None,
    ) -> Booked:
        """Book one execution and return what it did; ``rate`` replaces the account's fee rate."""
        if rate is None:
            rates = self.rates(listing)
            rate = rates.maker if is_maker else rates.taker
        if listing.is_spot:
            return self._book_spot(listing, side, price_ticks, qty_lots, rate)
        return self._book_linear(listing, side, price_ticks, qty_lots, rate)

    def move(
        self, coin: str, cash_flow: Decimal, fee: Decimal = ZERO, funding: Decimal = ZERO
    ) -> CoinChange:
        """Change a balance; the only way there is."""
        balance = self.balances.get(coin, ZERO) + cash_flow + funding - fee
        self.balances[coin] = balance
        self.changes += 1
        return CoinChange(coin, cash_flow, fee, balance, funding)

    def pay_funding(self, position: Position, mark_ticks: int, rate: Decimal) -> CoinChange:
        """Book the funding of a position: a long pays where the rate is positive, rounded up."""
        value = position.listing.value(mark_ticks, position.lots)
        return self._realise(position, ZERO, -ceil8(value * rate))

    def settle_session(self, position: Position, mark_ticks: int) -> CoinChange:
        """Turn the open profit of a USDC perpetual into cash (Bybit v5 docs, position)."""
        return self._realise(position, position.settle_session(mark_ticks), ZERO)

    def _realise(self, position: Position, profit: Decimal, funding: Decimal) -> CoinChange:
        coin = position.listing.instrument.settle
        self._count(position, profit + funding)
        return self.move(coin, profit, funding=funding)

    def _count(self, position: Position, net: Decimal) -> None:
        coin = position.listing.instrument.settle
        position.cur_realised += net
        position.cum_realised += net
        self.realised[coin] = self.realised.get(coin, ZERO) + net

    def _book_linear(
        self, listing: Listing, side: Side, price_ticks: int, qty_lots: int, rate: Decimal
    ) -> Booked:
        position = self.position(listing)
        was = position.lots
        traded = position.trade(side, price_ticks, qty_lots)
        closed = traded.closed_lots
        fee = ceil8(listing.value(price_ticks, qty_lots) * rate)
        close_fee = ceil8(_share(fee, closed, qty_lots))
        if was * position.lots <= 0 and not (was and not position.lots):
            position.cur_realised = ZERO  # a new position starts, from flat or by a flip
            position.extra_margin = ZERO
        position.open_fees += fee - close_fee
        self._count(position, traded.realised - fee)
        coin = listing.instrument.settle
        change = self.move(coin, traded.realised, fee)
        return Booked(
            fee,
            coin,
            rate,
            closed,
            traded.realised,
            [change],
            traded.basis,
            traded.open_fees,
            close_fee,
        )

    def _book_spot(
        self, listing: Listing, side: Side, price_ticks: int, qty_lots: int, rate: Decimal
    ) -> Booked:
        """A fee is paid in the coin received, a rebate in the coin given away.

        Source: Bybit v5 docs, enum, spot fee currency.
        """
        item = listing.instrument
        value, qty = listing.value(price_ticks, qty_lots), listing.qty(qty_lots)
        in_base = (side is Side.BUY) == (rate >= 0)
        fee, coin = (ceil8(qty * rate), item.base) if in_base else (ceil8(value * rate), item.quote)
        flows = [(item.quote, -side.sign * value), (item.base, side.sign * qty)]
        if side is Side.SELL:
            flows.reverse()
        changes = [self.move(name, flow, fee if name == coin else ZERO) for name, flow in flows]
        return Booked(fee, coin, rate, 0, ZERO, changes)


def _share(amount: Decimal, part: int, whole: int) -> Decimal:
    return EXACT.divide(EXACT.multiply(amount, Decimal(part)), Decimal(whole))
