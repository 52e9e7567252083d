"""One L2 order book.

Prices and quantities stay floats as decoded: the same decimal text is always the same float, so
equality holds, and converting ten levels a message to ticks would double the cost of the hot path.
What leaves the book towards orders is converted to ticks by the feed. Keys are sorted with the best
price last on both sides (asks by negated price), so that the common insert is near the end.
"""

from bisect import bisect_left, insort
from enum import StrEnum
from typing import Final

from plimsoll.core.records import BookChanged

INF: Final = float("inf")


class BookFault(StrEnum):
    """Why a book message made the book SUSPECT (MKT-2); a word for programs."""

    GAP = "gap"
    EARLY_DELTA = "early_delta"
    CROSSED = "crossed"
    BAD_LEVEL = "bad_level"
    EMPTY = "empty"


class OrderBook:
    """Bids and asks of one stream; ``apply`` keeps them, ``fault`` says why they are unusable.

    Source of the rules: Bybit v5 docs, websocket/public/orderbook (facts V-14, MKT-2).
    """

    __slots__ = (
        "ask_keys",
        "asks",
        "bid_keys",
        "bids",
        "fault",
        "gaps",
        "snapshots",
        "strict",
        "update_id",
    )

    def __init__(self, *, strict: bool = True) -> None:
        """Start empty. ``strict``: update ids must grow by exactly one (depth 50 and more)."""
        self.bids: dict[float, float] = {}
        self.asks: dict[float, float] = {}
        self.bid_keys: list[float] = []
        self.ask_keys: list[float] = []
        self.update_id = 0
        self.fault: BookFault | None = BookFault.EARLY_DELTA
        self.gaps = 0
        self.snapshots = 0
        self.strict = strict

    @property
    def best_bid(self) -> float:
        """Highest bid price, 0.0 when there is none."""
        return self.bid_keys[-1] if self.bid_keys else 0.0

    @property
    def best_ask(self) -> float:
        """Lowest ask price, 0.0 when there is none."""
        return -self.ask_keys[-1] if self.ask_keys else 0.0

    @property
    def mid(self) -> float:
        """Middle of best bid and ask, 0.0 when either is missing."""
        if not self.bid_keys or not self.ask_keys:
            return 0.0
        return (self.bid_keys[-1] - self.ask_keys[-1]) / 2

    def rows(self) -> tuple[list[tuple[float, float]], list[tuple[float, float]]]:
        """Return copies of all rows (price, quantity) of bids and asks, in no order."""
        return list(self.bids.items()), list(self.asks.items())

    def depth(self, levels: int) -> tuple[list[tuple[float, float]], list[tuple[float, float]]]:
        """Return copies of the best ``levels`` rows (price, quantity) per side, best first."""
        bids = [(price, self.bids[price]) for price in self.bid_keys[: -levels - 1 : -1]]
        asks = [(-key, self.asks[-key]) for key in self.ask_keys[: -levels - 1 : -1]]
        return bids, asks

    def apply(self, change: BookChanged) -> BookFault | None:  # noqa: C901 - hot: no calls inside
        """Take one message over; return the fault it left the book with, None when usable.

        After a fault deltas are refused until the next snapshot: a gap is never guessed over.
        """
        if change.is_snapshot:
            return self._replace(change)
        if self.fault is not None:
            return self.fault
        update_id = change.update_id
        if (self.strict and update_id != self.update_id + 1) or update_id <= self.update_id:
            self.gaps += 1
            self.fault = BookFault.GAP
            return self.fault
        self.update_id = update_id
        bids, bid_keys = self.bids, self.bid_keys
        for price, qty in change.bids:
            if qty == 0.0:
                if bids.pop(price, None) is not None:
                    del bid_keys[bisect_left(bid_keys, price)]
            elif not 0.0 < qty < INF:
                return self._spoil(BookFault.BAD_LEVEL)
            elif price in bids:
                bids[price] = qty
            elif 0.0 < price < INF:
                bids[price] = qty
                insort(bid_keys, price)
            else:
                return self._spoil(BookFault.BAD_LEVEL)
        asks, ask_keys = self.asks, self.ask_keys
        for price, qty in change.asks:
            if qty == 0.0:
                if asks.pop(price, None) is not None:
                    del ask_keys[bisect_left(ask_keys, -price)]
            elif not 0.0 < qty < INF:
                return self._spoil(BookFault.BAD_LEVEL)
            elif price in asks:
                asks[price] = qty
            elif 0.0 < price < INF:
                asks[price] = qty
                insort(ask_keys, -price)
            else:
                return self._spoil(BookFault.BAD_LEVEL)
        if bid_keys and ask_keys and bid_keys[-1] >= -ask_keys[-1]:
            return self._spoil(BookFault.CROSSED)
        return None

    def _replace(self, change: BookChanged) -> BookFault | None:
        self.bids = {price: qty for price, qty in change.bids if qty != 0.0}
        self.asks = {price: qty for price, qty in change.asks if qty != 0.0}
        self.bid_keys = sorted(self.bids)
        self.ask_keys = sorted(-price for price in self.asks)
        self.update_id = change.update_id
        self.snapshots += 1
        self.fault = None
        # The comparisons catch NaN as well.
        for side in (self.bids, self.asks):
            for price, qty in side.items():
                if not 0.0 < price < INF or not 0.0 < qty < INF:
                    return self._spoil(BookFault.BAD_LEVEL)
        if self.bid_keys and self.ask_keys and self.bid_keys[-1] >= -self.ask_keys[-1]:
            return self._spoil(BookFault.CROSSED)
        return None

    def distrust(self) -> None:
        """Refuse deltas until the next snapshot: this one was no book to build on."""
        self._spoil(BookFault.EMPTY)

    def _spoil(self, fault: BookFault) -> BookFault:
        """Hold nothing: what a bad message left behind is half an update (MKT-4)."""
        self.fault = fault
        self.bids, self.asks, self.bid_keys, self.ask_keys = {}, {}, [], []
        return fault
