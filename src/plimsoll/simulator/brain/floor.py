"""What every part of the exchange shares: markets, accounts, ids, the record and the pushes."""

from decimal import Decimal
from typing import Any, Final

import msgspec

from plimsoll.core.matching import WHOLE_QUEUE, MatchingBook
from plimsoll.simulator.brain.accounts import Account
from plimsoll.simulator.brain.collateral import RATIOS
from plimsoll.simulator.brain.errors import VenueRefusal
from plimsoll.simulator.brain.later import Later
from plimsoll.simulator.brain.leaving import LeavingBook
from plimsoll.simulator.brain.listings import Listing, default_listings, extra_listings
from plimsoll.simulator.brain.margin import Quotes
from plimsoll.simulator.brain.numbers import decimal_of, drawn_uuid
from plimsoll.simulator.brain.orders import Order
from plimsoll.simulator.brain.public import PublicMarket
from plimsoll.simulator.settings import SimSettings

CATEGORIES: Final = ("linear", "spot", "inverse", "option")
"""What the venue knows. Nothing is listed here under the last two: their lists are empty."""
_SPOT_ID_BASE = 1_900_000_000_000_000_000


class PrivatePush(msgspec.Struct, frozen=True):
    """Items for one account's subscribers; ``category`` is "" where the topic has none."""

    uid: int
    topic: str
    category: str
    items: list[dict[str, Any]]


class Floor:
    """The state of the exchange, and the only way to write its record."""

    def __init__(self, settings: SimSettings) -> None:
        """Open with the settings' accounts and no prices yet."""
        self.settings = settings
        self.listings = default_listings(
            settings.price_limit_linear,
            settings.price_limit_spot,
            settings.funding_interval_min,
        )
        self.listings |= extra_listings(settings.extra_symbols, settings.price_limit_linear)
        self.markets = {
            name: PublicMarket(listing, settings.seed, _book(settings, name))
            for name, listing in self.listings.items()
        }
        self._priced = {
            item.base: market
            for market in self.markets.values()
            if (item := market.listing.instrument).is_spot and item.quote == "USDT"
        }
        for name in settings.funding_interval_min:
            self.perpetual(name)
        for name, rate in settings.funding_rates.items():
            self.perpetual(name).funding.fix(decimal_of(rate))
        self.ratios = RATIOS | {
            coin: decimal_of(text) for coin, text in settings.collateral_ratios.items()
        }
        self.insurance = {coin: decimal_of(settings.insurance_fund) for coin in ("USDT", "USDC")}
        """What the insurance fund holds, by settle coin."""
        self.accounts = {entry.key: Account(entry) for entry in settings.accounts}
        self.by_uid = {account.uid: account for account in self.accounts.values()}
        self.working: dict[str, Order] = {}
        """Orders that may still be filled, by order id."""
        self.waiting: dict[str, dict[str, Order]] = {}
        """Orders that wait for their trigger, by instrument name and order id, oldest first."""
        self.waits = 0
        """Grows with every order that begins to wait and every trigger that is moved."""
        self.lines: list[bytes] = []
        self.pushes: list[PrivatePush] = []
        self.serial = 0
        self.later = Later()
        """Changes of orders that were acknowledged and have not had their effect."""
        self.next_session_ms = 0
        """When USDC perpetuals are settled next, 0 before the first look at the clock."""
        self.skew_ms = 0
        """How far the clock that checks and answers requests is off; a fault."""
        self._n = 0
        self._ids = 0

    def record(self, now_ns: int, kind: str, uid: int, fields: dict[str, Any]) -> int:
        """Append a line to the record and return its ``n``; ``uid`` 0 means no account."""
        self._n += 1
        head = {"n": self._n, "t_ns": now_ns, "kind": kind, "account": str(uid) if uid else ""}
        self.lines.append(msgspec.json.encode(head | fields))
        return self._n

    def resume(self, n: int, *, skipped_ids: int) -> None:
        """Continue a record after its line ``n``, leaving out ids that may have been given out."""
        self._n = n
        self._ids += skipped_ids

    def push(self, uid: int, topic: str, category: str, items: list[dict[str, Any]]) -> None:
        """Queue items for an account's subscribers."""
        self.pushes.append(PrivatePush(uid, topic, category, items))

    def listing(self, category: object, symbol: object) -> Listing:
        """Return an instrument.

        Raises:
            VenueRefusal: 10001 for an unknown category or symbol.
        """
        if category not in CATEGORIES:
            raise VenueRefusal(10001, f"params error: Category {category!r} is invalid")
        found = self.listings.get(f"{category}:{symbol}")
        if found is None:
            raise VenueRefusal(10001, f"params error: symbol invalid {symbol}")
        return found

    def perpetual(self, name: str) -> PublicMarket:
        """Return a perpetual's market, for what is not asked by a client.

        Raises:
            ValueError: none of that name is listed.
        """
        market = self.markets.get(name)
        if market is None or market.listing.is_spot:
            known = ", ".join(n for n, one in self.listings.items() if not one.is_spot)
            raise ValueError(f"there is no perpetual {name!r}; known: {known}")
        return market

    def account(self, uid: int) -> Account:
        """Return an account, for what is not asked by a client.

        Raises:
            ValueError: there is none of that number.
        """
        found = self.by_uid.get(uid)
        if found is None:
            raise ValueError(f"there is no account {uid}")
        return found

    def next_serial(self) -> int:
        """Return the next number of an order, execution or log row."""
        self.serial += 1
        return self.serial

    def next_id(self, listing: Listing, kind: str) -> str:
        """Return the next order or execution id: UUID text on linear, digits on spot."""
        self._ids += 1
        if listing.is_spot:
            return str(_SPOT_ID_BASE + self.settings.seed % 1000 * 10**12 + 2 * self._ids)
        return drawn_uuid(self.settings.seed, kind, self._ids)

    def mark_of(self, name: str) -> int:
        """Return an instrument's mark price in ticks."""
        return self.markets[name].mark_ticks

    def index_of(self) -> dict[str, Decimal]:
        """Return the USD price of each coin: its spot index against USDT, which counts as one.

        So does USDC while no market of it against USDT is listed.
        """
        prices = {"USDT": Decimal(1), "USDC": Decimal(1)}
        for coin, market in self._priced.items():
            if market.is_ready:
                prices[coin] = market.listing.price(market.index_ticks)
        return prices

    def has_index(self, coin: str) -> bool:
        """Return whether a coin has a USD price now."""
        market = self._priced.get(coin)
        return coin in ("USDT", "USDC") or (market is not None and market.is_ready)

    def quotes(self) -> Quotes:
        """Return the prices money is counted with now."""
        return Quotes(self.mark_of, self.index_of(), self.ratios)


def _book(settings: SimSettings, name: str) -> MatchingBook:
    queue_ppm = round(settings.queue * WHOLE_QUEUE)
    if settings.leaving_queue:
        return LeavingBook(settings.seed, name, queue_ppm)
    return MatchingBook(queue_ppm=queue_ppm)
