"""Mistakes about market data."""

from tests.simulation.mutants.mutant import Mutant, both, replaced

from plimsoll.core.book.order_book import BookFault, OrderBook
from plimsoll.websocket.chain import ChainArbiter


def _over_gaps(apply):
    def broken(self, change):
        if not change.is_snapshot and self.fault in (None, BookFault.GAP):
            self.fault, self.update_id = None, change.update_id - 1
        return apply(self, change)

    return broken


def _all_passed(take):
    def broken(self, number, identity, payload, now_ns):
        copy = self.copies.get(number)
        if copy is None or not copy.is_here or len(self.copies) > 1:
            return take(self, number, identity, payload, now_ns)
        return [payload]

    return broken


def _merged(replace):
    def broken(self, change):
        bids, asks = dict(self.bids), dict(self.asks)
        found = replace(self, change)
        if found is None and bids and asks:
            best_bid, best_ask = self.best_bid, self.best_ask
            self.bids = {p: q for p, q in bids.items() if p < best_ask} | self.bids
            self.asks = {p: q for p, q in asks.items() if p > best_bid} | self.asks
            self.bid_keys = sorted(self.bids)
            self.ask_keys = sorted(-price for price in self.asks)
        return found

    return broken


def _never_crossed(spoil):
    def broken(self, fault):
        return None if fault is BookFault.CROSSED else spoil(self, fault)

    return broken


MUTANTS = (
    Mutant(
        "changes across a gap",
        "a missing message is not noticed, and what comes after it is applied",
        "MKT-2, MKT-4",
        both(
            replaced(OrderBook, "apply", _over_gaps),
            replaced(ChainArbiter, "take", _all_passed),
        ),
        test="tests/properties/test_order_book.py::test_the_book_is_its_naive_twin",
    ),
    Mutant(
        "a snapshot is merged",
        "levels a snapshot does not have stay where they were",
        "V-14, MKT-2",
        replaced(OrderBook, "_replace", _merged),
        test="tests/properties/test_order_book.py::test_the_book_is_its_naive_twin",
    ),
    Mutant(
        "a crossed book is trusted",
        "the best bid may be above the best ask",
        "MKT-2",
        replaced(OrderBook, "_spoil", _never_crossed),
    ),
)
