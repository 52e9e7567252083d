"""Pays funding and settles USDC sessions when they are due."""

from typing import Final

from plimsoll.simulator.brain.accounts import Account
from plimsoll.simulator.brain.batch import Batch
from plimsoll.simulator.brain.floor import Floor
from plimsoll.simulator.brain.funding import Paid
from plimsoll.simulator.brain.ledger import Position
from plimsoll.simulator.brain.numbers import text_of
from plimsoll.simulator.brain.public import PublicMarket
from plimsoll.simulator.brain.settlement import settle

SESSION_COIN: Final = "USDC"
"""Perpetuals that settle in it turn open profit into cash each session."""


class FundingDesk:
    """Looks at the clock for every perpetual."""

    def __init__(self, floor: Floor) -> None:
        """Serve a floor."""
        self._floor = floor
        self._perpetuals = [one for one in floor.markets.values() if not one.listing.is_spot]
        self._session_ms = round(floor.settings.session_interval_min * 60_000)
        self._due_ms = 0
        """Nothing happens before: no payment, no other rate."""

    def sample(self) -> None:
        """Note each perpetual's premium (each second)."""
        for market in self._perpetuals:
            if market.is_ready:
                market.funding.sample(market.premium)

    def advance(self, now_ns: int) -> None:
        """Pay what is due; of one instant funding comes first, then the session."""
        now_ms = now_ns // 1_000_000
        if now_ms >= self._due_ms:
            for market in self._perpetuals:
                for paid in market.funding.advance(now_ms):
                    self._pay(market, paid, now_ns)
            self._due_ms = min(market.funding.due_ms() for market in self._perpetuals)
        if now_ms >= self._floor.next_session_ms:
            if self._floor.next_session_ms:
                self._settle_sessions(now_ns)
            self._floor.next_session_ms = (now_ms // self._session_ms + 1) * self._session_ms

    def _pay(self, market: PublicMarket, paid: Paid, now_ns: int) -> None:
        fields = {"event": "funding", "symbol": market.listing.name}
        fields |= {"fundingRate": text_of(paid.rate), "fundingRateTimestamp": str(paid.time_ms)}
        self._floor.record(now_ns, "market", 0, fields)
        batch = Batch(self._floor, market, now_ns)
        for account, position in self._held(market):
            batch.funding(account, position, paid.rate)
        settle(batch)

    def _settle_sessions(self, now_ns: int) -> None:
        for market in self._perpetuals:
            if market.listing.instrument.settle != SESSION_COIN:
                continue
            batch = Batch(self._floor, market, now_ns)
            for account, position in self._held(market):
                batch.session(account, position)
            settle(batch)

    def _held(self, market: PublicMarket) -> list[tuple[Account, Position]]:
        """Return who holds a position here; nobody while there is no price to count with."""
        if not market.is_ready:
            return []
        name = market.listing.name
        return [
            (account, position)
            for account in self._floor.accounts.values()
            if (position := account.ledger.positions.get(name)) is not None and position.lots
        ]
