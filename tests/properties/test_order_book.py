"""The order book against a dict and a sort, over good and bad messages."""

import math

from hypothesis import given, settings
from hypothesis import strategies as st

from plimsoll.core.book import BookFault, OrderBook
from plimsoll.core.records import BookChanged

PRICES = st.integers(1, 12).map(float)
QTYS = st.sampled_from([0.0, 0.0, 1.0, 2.5, 7.0])
ROWS = st.lists(st.tuples(PRICES, QTYS), max_size=4)
ODD = st.one_of(
    st.tuples(st.sampled_from([-1.0, 0.0, math.nan, math.inf]), st.just(1.0)),
    st.tuples(PRICES, st.sampled_from([-1.0, math.nan, math.inf])),
)


@st.composite
def messages(draw):
    found = []
    for number in range(draw(st.integers(1, 25))):
        shift = draw(st.sampled_from([0, 0, 0, 0, 0, 0, 1, -1, 5]))
        low = draw(ROWS)
        high = [(price + 10, qty) for price, qty in draw(ROWS)]
        if draw(st.integers(0, 15)) == 0:
            low = [*low, (20.0, 1.0)]  # crosses
        if draw(st.integers(0, 15)) == 0:
            (low if draw(st.booleans()) else high).append(draw(ODD))
        is_snapshot = number == 0 or draw(st.integers(0, 6)) == 0
        found.append((is_snapshot, shift, low, high))
    return found


class Twin:
    def __init__(self) -> None:
        self.bids: dict[float, float] = {}
        self.asks: dict[float, float] = {}
        self.number = 0
        self.fault: BookFault | None = BookFault.EARLY_DELTA

    def apply(self, change):
        if change.is_snapshot:
            self.bids, self.asks, self.fault = {}, {}, None
        elif self.fault:
            return self.fault
        elif change.update_id != self.number + 1:
            self.fault = BookFault.GAP
            return self.fault
        self.number = change.update_id
        for side, rows in ((self.bids, change.bids), (self.asks, change.asks)):
            for price, qty in rows:
                if qty == 0.0:
                    if not change.is_snapshot:  # a snapshot has nothing to delete
                        side.pop(price, None)
                elif not (0.0 < price < math.inf and 0.0 < qty < math.inf):
                    self.fault = BookFault.BAD_LEVEL
                    return self.fault
                else:
                    side[price] = qty
        if self.bids and self.asks and max(self.bids) >= min(self.asks):
            self.fault = BookFault.CROSSED
        return self.fault


@settings(max_examples=200)
@given(sent=messages())
def test_the_book_is_its_naive_twin(sent):
    book, twin, number = OrderBook(), Twin(), 10
    for is_snapshot, shift, bids, asks in sent:
        number += 1 + shift
        change = BookChanged(1, 1, 1, 0, "linear:X", 50, is_snapshot, number, 1, 0, bids, asks)
        found, expected = book.apply(change), twin.apply(change)
        assert found == expected
        if found is None:
            assert (book.bids, book.asks) == (twin.bids, twin.asks)
            assert book.depth(99) == (
                sorted(twin.bids.items(), reverse=True),
                sorted(twin.asks.items()),
            )
            assert book.best_bid == max(twin.bids, default=0.0)
            assert book.best_ask == min(twin.asks, default=0.0)
        else:
            number = book.update_id


@given(rows=st.lists(st.tuples(PRICES, QTYS), max_size=8), levels=st.integers(0, 5))
def test_depth_gives_the_best_rows_best_first(rows, levels):
    book = OrderBook()
    asks = [(price + 20, qty) for price, qty in rows]
    book.apply(BookChanged(1, 1, 1, 0, "linear:X", 50, True, 1, 1, 0, rows, asks))
    bids, high = book.depth(levels)
    kept = {price: qty for price, qty in rows if qty}
    assert [price for price, _ in bids] == sorted(kept, reverse=True)[:levels]
    assert [price for price, _ in high] == sorted(price + 20 for price in kept)[:levels]
