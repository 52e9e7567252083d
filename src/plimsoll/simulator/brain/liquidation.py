"""Liquidation: orders go first, then positions in steps, then the insurance fund or winners pay.

Cross margin begins where the account's maintenance margin rate reaches 100 %, isolated margin
where the mark reaches a position's liquidation price. A step is offered to the book down to the
bankruptcy price; what nobody takes is taken over at that price.
Source: Bybit help, liquidation process, UTA.
"""

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Final

from plimsoll.core.model import Side
from plimsoll.simulator.brain.accounts import ISOLATED, Account
from plimsoll.simulator.brain.deleveraging import Deleveraging
from plimsoll.simulator.brain.floor import Floor
from plimsoll.simulator.brain.ledger import Position
from plimsoll.simulator.brain.liq_price import isolated_bankruptcy, liquidation_price
from plimsoll.simulator.brain.margin import (
    Quotes,
    Totals,
    free_coin,
    margins_of,
    totals_of,
)
from plimsoll.simulator.brain.numbers import ZERO, floor8, text_of
from plimsoll.simulator.brain.order_rows import SIDES
from plimsoll.simulator.brain.orders import Order
from plimsoll.simulator.brain.passing import Passing
from plimsoll.simulator.brain.public import PublicMarket
from plimsoll.simulator.brain.tiers import tier_of

_STEPS_MOST: Final = 500
"""More than any account needs: each step closes at least one lot of a shrinking position."""


class Liquidator:
    """Looks at margin and does what is due."""

    def __init__(self, floor: Floor) -> None:
        """Guard a floor's accounts."""
        self._floor = floor
        self._passing = Passing(floor)
        self.deleveraging = Deleveraging(floor)
        self._seen: dict[int, object] = {}

    def look(self, now_ns: int) -> None:
        """Look at every account whose marks or money changed since the last look."""
        for account in self._floor.accounts.values():
            held = [p for p in account.ledger.positions.values() if p.lots]
            if not held:
                continue
            state = (
                account.ledger.changes,
                tuple([self._floor.mark_of(position.listing.name) for position in held]),
            )
            if self._seen.get(account.uid) != state and self._is_priced(account, held):
                self._seen[account.uid] = state
                self._look_at(account, held, now_ns)

    def force(self, account: Account, market: PublicMarket, lots: int, now_ns: int) -> None:
        """Close lots of a position as a step of a liquidation, whatever its margin is.

        It goes down to the bankruptcy price, though not beyond the price limit.

        Raises:
            ValueError: the position is smaller.
        """
        position = account.ledger.position(market.listing)
        if not 0 < lots <= abs(position.lots):
            held = abs(position.lots)
            raise ValueError(f"{market.listing.name}: {lots} lots to close, {held} are held")
        self._note(account, now_ns)
        high, low = market.price_limits()
        quotes = self._floor.quotes()
        if account.margin_mode == ISOLATED:
            orders = account.orders.open_on(market.listing)
            price = _ticks_of(position, isolated_bankruptcy(position))
        else:
            orders = list(account.orders.open.values())
            price = self._bankruptcy(account, position, totals_of(account, quotes), quotes)
        self._passing.cancel(orders, "CancelAllBeforeLiq", now_ns)
        price = max(price, low) if position.lots > 0 else min(price, high)
        self._reduce(account, position, lots, price, now_ns)

    def forget(self) -> None:
        """Let the next look see every account, because other prices count too (each second)."""
        self._seen.clear()

    def _is_priced(self, account: Account, held: list[Position]) -> bool:
        """Return whether everything that counts has a price: after a start they come one by one."""
        ready = all(self._floor.markets[position.listing.name].is_ready for position in held)
        return ready and all(
            self._floor.has_index(coin)
            for coin, amount in account.ledger.balances.items()
            if amount and self._floor.ratios.get(coin)
        )

    def _look_at(self, account: Account, held: list[Position], now_ns: int) -> None:
        if account.margin_mode == ISOLATED:
            for position in held:
                self._isolated(account, position, now_ns)
        elif totals_of(account, self._floor.quotes()).is_liquidated:
            self._cross(account, now_ns)

    def _cross(self, account: Account, now_ns: int) -> None:
        self._note(account, now_ns)
        adding = [order for order in account.orders.open.values() if not order.reduce_only]
        self._passing.cancel(adding, "CancelByPrepareLiq", now_ns)
        if not totals_of(account, self._floor.quotes()).is_liquidated:
            return
        self._passing.cancel(account.orders.open.values(), "CancelAllBeforeLiq", now_ns)
        began = {p.listing.name: abs(p.lots) for p in account.ledger.positions.values()}
        for _ in range(_STEPS_MOST):
            quotes = self._floor.quotes()
            total = totals_of(account, quotes)
            if not total.is_liquidated:
                return
            position = max(
                (p for p in account.ledger.positions.values() if p.lots),
                key=lambda p: self._maintenance(account, p, quotes),
            )
            lots = self._step(account, position, began[position.listing.name])
            price = self._bankruptcy(account, position, total, quotes)
            self._reduce(account, position, lots, price, now_ns)

    def _isolated(self, account: Account, position: Position, now_ns: int) -> None:
        if not self._is_due(account, position) or self._topped_up(account, position, now_ns):
            return
        self._note(account, now_ns)
        orders = account.orders.open_on(position.listing)
        self._passing.cancel(orders, "CancelAllBeforeLiq", now_ns)
        price = _ticks_of(position, isolated_bankruptcy(position))
        self._reduce(account, position, abs(position.lots), price, now_ns)

    def _is_due(self, account: Account, position: Position) -> bool:
        quotes = self._floor.quotes()
        total = totals_of(account, quotes)
        price = liquidation_price(account, position, total, quotes)
        mark = position.listing.price(quotes.mark_of(position.listing.name))
        if price is None:
            return False
        return mark <= price if position.lots > 0 else mark >= price

    def _topped_up(self, account: Account, position: Position, now_ns: int) -> bool:
        """Draw up to one initial margin from the wallet; return whether that saved the position."""
        if not position.adds_margin:
            return False
        quotes = self._floor.quotes()
        initial, _ = margins_of(account, position, quotes.mark_of(position.listing.name))
        free = free_coin(account, totals_of(account, quotes), position.listing.instrument.settle)
        added = min(initial, floor8(free))
        if added <= 0:
            return False
        position.extra_margin += added
        fields = {"event": "auto-add-margin", "symbol": position.listing.name}
        self._floor.record(now_ns, "config", account.uid, fields | {"margin": text_of(added)})
        return not self._is_due(account, position)

    def _maintenance(self, account: Account, position: Position, quotes: Quotes) -> Decimal:
        usd = quotes.usd.get(position.listing.instrument.settle, ZERO)
        _, maintenance = margins_of(account, position, quotes.mark_of(position.listing.name))
        return maintenance * usd

    def _step(self, account: Account, position: Position, began_lots: int) -> int:
        """Return the lots of one step: into the next lower tier, or a share of the position."""
        listing, held = position.listing, abs(position.lots)
        mark = self._floor.mark_of(listing.name)
        tier = tier_of(listing.tiers, listing.value(mark, held))
        if tier.number > 1:
            limit = listing.tiers[tier.number - 2].limit
            return max(1, held - int(limit // listing.value(mark, 1)))
        share = Decimal(self._floor.settings.liquidation_step)
        return min(held, max(1, int(began_lots * share)))

    def _bankruptcy(
        self, account: Account, position: Position, total: Totals, quotes: Quotes
    ) -> int:
        """Return the price that uses up this position's share of the equity, its fee included.

        The share is that of its maintenance margin. Rounded so that the account does not end below
        zero: the only rounding in its favour.
        """
        listing = position.listing
        usd = quotes.usd.get(listing.instrument.settle, ZERO)
        part = self._maintenance(account, position, quotes) / total.maintenance
        equity = total.base * part / usd
        sign = 1 if position.lots > 0 else -1
        size = listing.qty(abs(position.lots))
        value = listing.price(quotes.mark_of(listing.name)) * size
        taker = account.ledger.rates(listing).taker
        return _ticks_of(position, (value - sign * equity) / (size * (1 - sign * taker)))

    def _reduce(
        self, account: Account, position: Position, lots: int, price: int, now_ns: int
    ) -> None:
        listing = position.listing
        market = self._floor.markets[listing.name]
        side = position.side or Side.BUY
        position.status = "Liq"
        market.liquidations.append(
            {
                "T": now_ns // 1_000_000,
                "s": listing.instrument.symbol,
                "S": SIDES[side],
                "v": listing.qtys.text(lots),
                "p": listing.prices.text(price),
            }
        )
        order = self._order(account, position, lots, price, "CreateByLiq", now_ns)
        left = self._passing.offer(order, now_ns)
        if left:
            self._take_over(account, position, left, price, now_ns)
        position.status = "Normal"

    def _take_over(
        self, account: Account, position: Position, lots: int, price: int, now_ns: int
    ) -> None:
        """Take lots over at the bankruptcy price; winners pay where the insurance fund cannot."""
        listing, side = position.listing, position.side or Side.BUY
        coin = listing.instrument.settle
        mark = self._floor.mark_of(listing.name)
        gain = listing.value(side.sign * (mark - price), lots)
        order = self._order(account, position, lots, price, "CreateByTakeOver_PassThrough", now_ns)
        self._passing.fill(order, "BustTrade", now_ns)
        if self._floor.insurance[coin] + gain < 0:
            market = self._floor.markets[listing.name]
            closed = self.deleveraging.close(
                market, side.opposite, lots, price, now_ns, spared=account.uid
            )
            gain = listing.value(side.sign * (mark - price), lots - closed)
        self._floor.insurance[coin] += gain
        fields = {"event": "insurance", "coin": coin, "change": text_of(gain)}
        left = text_of(self._floor.insurance[coin])
        self._floor.record(now_ns, "market", 0, fields | {"balance": left})

    def _order(
        self,
        account: Account,
        position: Position,
        lots: int,
        price: int,
        create_type: str,
        now_ns: int,
    ) -> Order:
        side = (position.side or Side.BUY).opposite
        return self._passing.order(
            account, position.listing, side, lots, price, create_type, now_ns
        )

    def _note(self, account: Account, now_ns: int) -> None:
        total = totals_of(account, self._floor.quotes())
        fields = {
            "event": "liquidation",
            "marginMode": account.margin_mode,
            "totalMaintenanceMargin": text_of(total.maintenance),
            "totalMarginBalance": text_of(total.balance),
        }
        self._floor.record(now_ns, "margin", account.uid, fields)


def _ticks_of(position: Position, price: Decimal) -> int:
    """Return a price the position is closed at, rounded in favour of its holder."""
    rounding = ROUND_CEILING if position.lots > 0 else ROUND_FLOOR
    return max(1, int((price / position.listing.instrument.tick).to_integral_value(rounding)))
