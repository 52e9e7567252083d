"""One instrument's market as it would be without us: what the paper runs are fed with."""

from typing import Final

import msgspec

from plimsoll.core.execution.quality.middles import Middles
from plimsoll.core.execution.shadow.own import OwnPrints, OwnQuantity, Place
from plimsoll.core.feed import Market
from plimsoll.core.matching.paper import MarketRows, PrintRows
from plimsoll.core.model import Side
from plimsoll.core.records import BookChanged, ExecutionReported, PublicTraded

_FORGET_MS: Final = 10_000


class Feed:
    """Book and tape of one instrument, our own quantity and executions taken out."""

    def __init__(self, middles: Middles) -> None:
        """Clean the market that ``middles`` keeps."""
        self.middles = middles
        self.own = OwnQuantity()
        self.prints = OwnPrints()
        self.takes = OwnPrints()
        """Of these, what would not have been printed without us: we were the taker."""
        self._looked_ms = 0

    @property
    def market(self) -> Market:
        """Return the market as it is, with us in it."""
        return self.middles.market

    @property
    def is_whole(self) -> bool:
        """Return whether its book can be believed."""
        return self.market.book.fault is None

    def on_book(self, change: BookChanged) -> BookChanged:
        """Return a book message without us; the market itself has applied it already."""
        changed = self.own.reach(self.market.event_ms)
        if not changed and not self.own.at:
            return change
        bids = self._without(Side.BUY, change.bids, changed)
        asks = self._without(Side.SELL, change.asks, changed)
        return msgspec.structs.replace(change, bids=bids, asks=asks)

    def rows(self) -> tuple[MarketRows, MarketRows]:
        """Return the whole book without us; nothing where it cannot be believed."""
        if not self.is_whole:
            return [], []
        bids, asks = self.market.book.rows()
        if not self.own.at:
            return bids, asks
        return self._without(Side.BUY, bids, set()), self._without(Side.SELL, asks, set())

    def on_executed(self, record: ExecutionReported) -> None:
        """Take an execution of ours, told once."""
        self.own.on_executed(record)
        self.prints.on_executed(record)
        if not record.is_maker:
            self.takes.on_executed(record)

    def on_public_trade(self, traded: PublicTraded) -> tuple[PrintRows, PrintRows]:
        """Return the newest prints, which the market has heard already, without our executions.

        Returns:
            Without all of them, and without those only that we took.
        """
        if traded.venue_ms - self._looked_ms > _FORGET_MS:
            self._looked_ms = traded.venue_ms
            self.prints.forget(traded.venue_ms)
            self.takes.forget(traded.venue_ms)
        rows = self.market.fresh_rows
        return self._others(rows, self.prints), self._others(rows, self.takes)

    def _others(self, rows: PrintRows, ours: OwnPrints) -> PrintRows:
        """Return what others have of prints."""
        if not ours.is_waiting:
            return rows
        instrument, found = self.market.instrument, []
        for price, qty, is_buy, ms in rows:
            lots = int(qty * instrument.lots_per_qty + 0.5)
            ticks = int(price * instrument.ticks_per_price + 0.5)
            rest = ours.rest_of(ticks, lots, ms, is_buy=is_buy)
            if rest:
                left = qty if rest == lots else rest / instrument.lots_per_qty
                found.append((price, left, is_buy, ms))
        return found

    def _without(self, side: Side, rows: MarketRows, changed: set[Place]) -> MarketRows:
        """Return rows of a side without us, and those places besides that our part changed at."""
        instrument, own = self.market.instrument, self.own.at
        scale, per_lot = instrument.ticks_per_price, instrument.lots_per_qty
        found: MarketRows = []
        for price, qty in rows:
            place = side, int(price * scale + 0.5)
            ours = own.get(place)
            found.append((price, _less(qty, ours, per_lot) if ours else qty))
            changed.discard(place)
        book = self.market.book.bids if side is Side.BUY else self.market.book.asks
        for place in sorted(changed):
            if place[0] is side:
                price = float(instrument.price_text(place[1]))
                found.append((price, _less(book.get(price, 0.0), own.get(place, 0), per_lot)))
        return found


def _less(qty: float, lots: int, per_lot: float) -> float:
    """Return a quantity less lots of ours, never below zero."""
    return max(0, int(qty * per_lot + 0.5) - lots) / per_lot
