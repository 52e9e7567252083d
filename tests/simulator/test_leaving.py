"""A queue that people leave anywhere: clients move up without a print, and never too far."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plimsoll.core.model import Side, TimeInForce
from plimsoll.simulator.brain.floor import Floor
from plimsoll.simulator.brain.leaving import LeavingBook
from plimsoll.simulator.settings import SimSettings

BUY, SELL = Side.BUY, Side.SELL
GTC = TimeInForce.GTC


def book_of(seed: int = 1) -> LeavingBook:
    book = LeavingBook(seed, "linear:X", 1_000_000)
    book.replace([(100, 40)], [(101, 40)])
    book.submit("a", BUY, 100, 5, GTC)
    return book


def ahead_of(book: LeavingBook) -> int:
    return sum(order.ahead_lots for order in book.resting())


def test_what_is_cancelled_stood_partly_ahead():
    found = set()
    for seed in range(50):
        book = book_of(seed)
        book.set_level(BUY, 100, 30)
        found.add(ahead_of(book))
    assert found <= set(range(30, 41)), "between all behind and, as far as is displayed, all ahead"
    capped = {one for one in found if one == 30}
    assert capped, "no more is ahead than there is"
    books = [book_of(seed) for seed in range(50)]
    for book in books:
        book.set_level(BUY, 100, 60)  # others join behind
        book.set_level(BUY, 100, 40)
    assert len({ahead_of(book) for book in books}) > 5
    assert min(ahead_of(book) for book in books) < 25


def test_what_was_printed_is_no_cancellation():
    book = book_of()
    book.set_level(BUY, 100, 60)
    book.public_trade(SELL, 100, 15)
    book.set_level(BUY, 100, 45)
    assert ahead_of(book) == 25


def test_the_same_seed_draws_the_same():
    def moves(seed: int) -> list[int]:
        book, found = book_of(seed), []
        for lots in (90, 70, 65, 60, 45):
            book.set_level(BUY, 100, lots)
            found.append(ahead_of(book))
        return found

    assert moves(3) == moves(3)
    assert any(moves(3) != moves(seed) for seed in range(4, 9))


@given(seed=st.integers(0, 2**32))
@settings(deadline=None)
def test_nobody_moves_back_or_past_the_front(seed):
    random, book = Random(seed), book_of(seed)
    before = ahead_of(book)
    for _ in range(30):
        if random.random() < 0.4:
            book.public_trade(SELL, 100, random.randrange(1, 6))
        else:
            book.set_level(BUY, 100, random.randrange(0, 80))
        now = ahead_of(book)
        assert 0 <= now <= before
        before = now


def test_the_settings_choose_the_queue():
    name = "linear:BTCUSDT"
    for queue, ahead in ((1.0, 40), (0.25, 10), (0.0, 0)):
        book = Floor(SimSettings(queue=queue)).markets[name].book
        book.set_level(BUY, 100, 40)
        book.submit("a", BUY, 100, 5, GTC)
        assert [order.ahead_lots for order in book.resting()] == [ahead]
    leaving = Floor(SimSettings(leaving_queue=True)).markets[name].book
    assert isinstance(leaving, LeavingBook)
    with pytest.raises(ValueError, match=r"queue is a share from 0 to 1, found 1\.5"):
        SimSettings(queue=1.5)
