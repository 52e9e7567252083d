"""Round trips from executions and the books: whole, in parts, across zero, with funding."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.properties.driver import CASH, INSTRUMENTS, PERP, SPOT

from plimsoll.core.model import Position, Side
from plimsoll.core.portfolio.history import Booked, book_alone
from plimsoll.core.portfolio.statistics import RoundTrip, RoundTripMaker, RoundTripTotals


class Book:
    """One owner's books and round trips."""

    def __init__(self, name: str = PERP) -> None:
        self.instrument = INSTRUMENTS[name]
        self.held = Position()
        self.maker = RoundTripMaker()
        self.totals = RoundTripTotals()
        self.lots = 0
        self.now = 0

    def fill(self, lots: int, price: int, fee: int = 0) -> RoundTrip | None:
        """Trade signed lots at a price in ticks."""
        self.now += 1
        side = Side.BUY if lots > 0 else Side.SELL
        coin = self.instrument.settle or self.instrument.quote
        fill = Booked(0, 0, 0, str(self.now), side, price, abs(lots), fee, coin)
        book_alone(self.held, self.instrument, fill)
        self.lots += lots
        trip = self.maker.on_fill(
            self.now,
            self.instrument.name,
            lots * self.instrument.base_units_per_lot,
            self.instrument.notional_units(price, abs(lots)),
            lots=self.lots,
            held=self.held,
        )
        if trip:
            self.totals.add(trip)
        return trip


def test_one_in_one_out() -> None:
    book = Book()
    assert book.fill(10, 500_000, fee=100) is None
    trip = book.fill(-10, 510_000, fee=150)
    assert trip is not None
    assert (trip.side, trip.opened_ns, trip.closed_ns) == (1, 1, 2)
    assert (trip.entry, trip.exit) == (50_000, 51_000)
    assert (trip.fee_units, trip.profit_units) == (250, 10 * CASH - 250)
    assert trip.most_units == CASH // 100


def test_parts_are_averaged() -> None:
    book = Book()
    assert book.fill(-10, 500_000) is None
    assert book.fill(-10, 520_000) is None
    assert book.fill(5, 500_000) is None
    trip = book.fill(15, 480_000)
    assert trip is not None
    assert (trip.side, trip.entry, trip.exit) == (-1, 51_000, 48_500)
    assert trip.profit_units == 50 * CASH


def test_across_zero_ends_one_and_begins_the_next() -> None:
    book = Book()
    book.fill(10, 500_000, fee=10)
    trip = book.fill(-30, 510_000, fee=30)
    assert trip is not None
    assert (trip.closed_units, trip.exit, trip.fee_units) == (CASH // 100, 51_000, 40)
    after = book.fill(20, 500_000, fee=20)
    assert after is not None
    assert (after.side, after.entry, after.exit) == (-1, 51_000, 50_000)
    assert (after.opened_ns, after.fee_units) == (2, 20)
    assert after.profit_units == 20 * CASH - 20


def test_funding_counts() -> None:
    book = Book()
    book.fill(10, 500_000)
    book.held.funding_units += 70
    trip = book.fill(-10, 500_000)
    assert trip is not None
    assert (trip.funding_units, trip.profit_units) == (70, -70)
    assert (book.totals.losses, book.totals.lost_units) == (1, 70)


def test_nothing_won_and_nothing_lost_is_neither() -> None:
    book = Book(SPOT)
    book.fill(10, 500_000)
    book.fill(-10, 500_000)
    assert (book.totals.count, book.totals.wins, book.totals.losses) == (1, 0, 0)


def test_a_losing_streak_ends_with_a_profit() -> None:
    book = Book()
    for price in (490_000, 480_000):
        book.fill(10, 500_000)
        book.fill(-10, price)
        book.fill(-1, 500_000)
        book.fill(1, 500_001)
    assert book.maker.streak.lost == 4
    book.fill(10, 500_000)
    book.fill(-10, 510_000)
    assert book.maker.streak.lost == 0
    assert (book.totals.largest_win_units, book.totals.largest_loss_units) == (10 * CASH, 20 * CASH)


@given(
    st.lists(
        st.tuples(
            st.integers(-20, 20).filter(bool), st.integers(400_000, 600_000), st.integers(-5, 50)
        ),
        max_size=60,
    )
)
def test_round_trips_add_up_to_the_books_whenever_flat(fills) -> None:
    book, trips = Book(), []
    for lots, price, fee in fills:
        trip = book.fill(lots, price, fee)
        trips += [trip] if trip else []
    if book.lots:
        closing = book.fill(-book.lots, 500_000)
        assert closing is not None
        trips.append(closing)
    held = book.held
    assert sum(trip.profit_units for trip in trips) == held.realised_units - held.fee_units
    assert sum(trip.fee_units for trip in trips) == held.fee_units
    assert book.totals.profit_units == book.totals.won_units - book.totals.lost_units
    for trip in trips:
        assert trip.opened_units == trip.closed_units >= trip.most_units > 0
        paid = (trip.exit - trip.entry) * trip.side * trip.opened_units
        gross = trip.profit_units + trip.fee_units
        assert gross == pytest.approx(paid, abs=1 + 2e-9 * abs(trip.opened_value_units))
