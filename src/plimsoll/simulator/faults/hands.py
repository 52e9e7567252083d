"""What faults change at the exchange itself, by the same ways as clients and the venue do."""

from typing import Any, Final

from plimsoll.core.model import Side
from plimsoll.simulator.brain.accounts import Account
from plimsoll.simulator.brain.errors import VenueRefusal
from plimsoll.simulator.brain.exchange import Exchange
from plimsoll.simulator.brain.ledger import Position
from plimsoll.simulator.brain.messages import (
    Deleverage,
    FeesChanged,
    FundingFixed,
    KeyChanged,
    Liquidate,
    Output,
    Printed,
    Request,
    Tick,
)
from plimsoll.simulator.brain.orders import Order
from plimsoll.simulator.brain.passing import Passing

_USUAL: Final = {
    "category": "linear",
    "symbol": "BTCUSDT",
    "side": "Buy",
    "orderType": "Limit",
    "qty": "0.01",
}
_FEES: Final = {"category": "linear", "taker": "0.001", "maker": "-0.0001"}
_BELOW: Final = 95
"""Where a limit buy without a price is placed by hand, in percent of the last price."""


class Hands:
    """Orders, cancels and closes that no client asked for; each method returns what was done."""

    def __init__(self, exchange: Exchange) -> None:
        """Reach into an exchange."""
        self._exchange = exchange
        self._floor = exchange.floor
        self._passing = Passing(exchange.floor)

    def order(self, account: Account, values: dict[str, str], now_ns: int) -> dict[str, Any]:
        """Place an order; returns its ids, or the refusal."""
        params = _USUAL | values
        if params["orderType"] == "Limit" and "price" not in params:
            try:
                listing = self._floor.listing(params["category"], params["symbol"])
            except VenueRefusal as refusal:
                return _told({}, refusal)
            last = self._floor.markets[listing.name].last_ticks
            percent = _BELOW if params["side"] == "Buy" else 200 - _BELOW
            params["price"] = listing.prices.text(last * percent // 100)
        done = self._exchange.entry.run(account, "order.create", params, now_ns)
        return _told(done.result, done.refusal)

    def cancel_oldest(self, account: Account, symbol: str, now_ns: int) -> dict[str, Any]:
        """Cancel the oldest open order; returns its ids, {} where there is none."""
        found = self._open(account, symbol)
        if not found:
            return {}
        item = found[0].listing.instrument
        params = {"category": item.category, "symbol": item.symbol, "orderId": found[0].order_id}
        done = self._exchange.entry.run(account, "order.cancel", params, now_ns)
        return _told(done.result, done.refusal)

    def close_positions(self, account: Account, symbol: str, now_ns: int) -> list[dict[str, Any]]:
        """Close positions at the market; returns the ids of the orders."""
        told = []
        for position in self.held(account, symbol):
            item = position.listing.instrument
            params = {
                "category": item.category,
                "symbol": item.symbol,
                "side": "Sell" if position.lots > 0 else "Buy",
                "orderType": "Market",
                "qty": position.listing.qtys.text(abs(position.lots)),
                "reduceOnly": "true",
            }
            done = self._exchange.entry.run(account, "order.create", params, now_ns)
            told.append(_told(done.result, done.refusal))
        return told

    def cancel_for_venue(
        self, account: Account, symbol: str, cancel_type: str, now_ns: int
    ) -> list[str]:
        """Cancel open orders as the venue does by itself; returns their ids."""
        found = self._open(account, symbol)
        self._passing.cancel(found, cancel_type, now_ns, "EC_Others")
        return [order.order_id for order in found]

    def handle_sparing(
        self, account: Account, count: int, request: Request, now_ns: int
    ) -> tuple[Output, list[str]]:
        """Handle a cancel-all that does not see its ``count`` newest orders; return their ids."""
        orders = account.orders.open
        kept = dict(list(orders.items())[-count:]) if count else {}
        for order_id in kept:
            del orders[order_id]
        output = self._exchange.handle(now_ns, request)
        orders.update(kept)
        return output, list(kept)

    def liquidate(self, account: Account, position: Position, share: float, now_ns: int) -> Output:
        """Liquidate a share of a position, at least a lot."""
        request = Liquidate(position.listing.name, account.uid, _share_of(position, share))
        return self._exchange.handle(now_ns, request)

    def deleverage(self, account: Account, position: Position, share: float, now_ns: int) -> Output:
        """Deleverage a share of a position at the mark, at least a lot."""
        request = Deleverage(position.listing.name, account.uid, _share_of(position, share))
        return self._exchange.handle(now_ns, request)

    def fix_funding(self, name: str, rate: str, now_ns: int) -> Output:
        """Fix the funding rate of an instrument; "" is what the settings say of it."""
        text = rate or self._floor.settings.funding_rates.get(name, "")
        return self._exchange.handle(now_ns, FundingFixed(name, text))

    def change_fees(self, account: Account, values: dict[str, str], now_ns: int) -> Output:
        """Let an account pay other fee rates."""
        return self._exchange.handle(now_ns, FeesChanged(account.uid, **(_FEES | values)))

    def change_key(self, account: Account, changes: dict[str, Any], now_ns: int) -> Output:
        """Change what the account's key may do."""
        return self._exchange.handle(now_ns, KeyChanged(account.uid, changes))

    def forget_recent(self, account: Account) -> int:
        """Let ``realtime`` forget the closed orders; return how many there were."""
        count = sum(map(len, account.orders.recent.values()))
        account.orders.forget_recent()
        return count

    def held(self, account: Account, symbol: str) -> list[Position]:
        """Return the account's positions, of one symbol or of all."""
        return [
            position
            for position in account.ledger.positions.values()
            if position.lots and symbol in ("", position.listing.instrument.symbol)
        ]

    def perpetuals(self, symbol: str) -> list[str]:
        """Return the names of the perpetuals of a symbol, of all for ""."""
        return [
            name
            for name, listing in self._floor.listings.items()
            if not listing.is_spot and symbol in ("", listing.instrument.symbol)
        ]

    def print_away(self, symbol: str, share: float, now_ns: int) -> list[str]:
        """Print one trade a share of the price away; return the instruments."""
        told = []
        for name, market in self._floor.markets.items():
            if symbol and symbol != market.listing.instrument.symbol:
                continue
            ticks = max(1, round(market.last_ticks * (1 + share)))
            taker = Side.BUY if share > 0 else Side.SELL
            market.print_trade(taker, ticks, 1, now_ns // 1_000_000)
            told.append(name)
        return told

    def print_back(self, name: str, ticks: int, now_ns: int) -> Output:
        """Print one trade at a price again."""
        return self._exchange.handle(now_ns, Printed(name, Side.SELL, ticks, 1))

    def settle(self, now_ns: int) -> Output:
        """Return what the changes caused: pushes and record lines."""
        return self._exchange.handle(now_ns, Tick())

    def accounts(self, uid: int) -> list[Account]:
        """Return the account of a uid, or all of them for 0."""
        return [one for one in self._floor.accounts.values() if uid in (0, one.uid)]

    def _open(self, account: Account, symbol: str) -> list[Order]:
        return [
            order
            for order in account.orders.open.values()
            if order.is_open and (not symbol or order.listing.instrument.symbol == symbol)
        ]


def _share_of(position: Position, share: float) -> int:
    return max(1, round(abs(position.lots) * share))


def _told(result: dict[str, Any], refusal: VenueRefusal | None) -> dict[str, Any]:
    return result if refusal is None else {"retCode": refusal.code, "retMsg": refusal.message}
