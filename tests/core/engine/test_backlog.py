"""While inputs lag, strategies hear fewer books; nothing else is left out (MKT-5, N9)."""

from itertools import pairwise
from typing import Any

import pytest
from tests.properties.driver import (
    ETH,
    MS,
    PERP,
    PRICE,
    SECOND,
    T0,
    Driver,
    Puppet,
    one_strategy,
    replayed,
)
from tests.properties.driver import settings_of as settings

from plimsoll.core.model import OrderState
from plimsoll.core.records import BarChanged, BookChanged, ClockMeasured, PublicTraded
from plimsoll.core.settings import Timing

TIMING = Timing()
LAG_MS = TIMING.lag_ms + 1  # of the driver's clock, which is uncertain by one
COALESCE_MS = TIMING.coalesce_ns // MS


class Listener(Puppet):
    """Remembers every book, print and bar it heard."""

    bars = {"1m": 5}  # noqa: RUF012 - declared as every strategy does

    def __init__(self) -> None:
        super().__init__()
        self.books: list[tuple[int, str, float]] = []

    def on_book(self, market):
        self.books.append((self._port.now_ns // MS, market.instrument.name, market.book.best_bid))
        super().on_book(market)

    def on_trade(self, instrument, price, qty, *, is_buy):
        self.heard.append(("print", price))


def bid(number, name=PERP):
    """Return the best bid after so many messages."""
    return PRICE[name] - 1 + number / 1_000


class Lagging:
    """A driver whose books are as old as a test says."""

    def __init__(self, *names):
        names = names or (PERP,)
        made: dict[str, Any] = {}
        self.driver = Driver(
            settings(one_strategy(instruments=names)),
            lambda one: made.setdefault(one.name, Listener()),
        )
        self.driver.strategies = made
        self.driver.live(*names)
        for query in self.driver.queries[:]:
            self.driver.answer(query)
        self.number = 0
        self.price = 0.0
        self.strategy = made["s"]
        self.strategy.books.clear()

    def book(self, age_ms, name=PERP):
        driver = self.driver
        driver.updates[name] += 1
        self.number += 1
        self.price = bid(self.number, name)
        rows: Any = [(self.price, 1.0)], []
        at_ms = driver.now_ns // MS - age_ms
        number = driver.updates[name]
        driver.put(BookChanged, name, 50, False, number, number, at_ms, *rows)

    def wait(self, ms):
        self.driver.advance(ms * MS)

    @property
    def bids(self):
        return [bid for _, _, bid in self.strategy.books]


def test_books_that_are_young_enough_are_all_heard():
    lagging = Lagging()
    for _ in range(20):
        lagging.wait(1)
        lagging.book(LAG_MS)
    assert len(lagging.bids) == 20
    assert lagging.driver.core.state.coalesced == 0


def test_old_books_are_heard_once_an_interval_and_the_newest_of_them():
    lagging = Lagging()
    for _ in range(500):
        lagging.wait(1)
        lagging.book(LAG_MS + 1)
    times = [at for at, _, _ in lagging.strategy.books]
    assert len(times) == 500 // COALESCE_MS
    assert {b - a for a, b in pairwise(times)} == {COALESCE_MS}
    lagging.wait(COALESCE_MS)
    assert lagging.bids[-1] == lagging.price
    heard, sent = len(lagging.bids), 500
    assert lagging.driver.core.state.coalesced == sent - heard


def test_every_book_is_applied():
    lagging = Lagging()
    for _ in range(7):
        lagging.book(LAG_MS + 1)
        assert lagging.driver.core.markets[PERP].book.best_bid == lagging.price


def test_the_first_young_book_is_heard_at_once_and_instead_of_what_waits():
    lagging = Lagging()
    for _ in range(3):
        lagging.book(LAG_MS + 1)
    lagging.book(0)
    assert lagging.bids == [bid(1), bid(4)]
    lagging.wait(SECOND // MS)
    assert len(lagging.bids) == 2
    assert lagging.driver.core.state.coalesced == 2


def test_what_waits_is_heard_by_time_when_nothing_follows():
    lagging = Lagging()
    lagging.book(LAG_MS + 1)
    lagging.wait(10)
    lagging.book(LAG_MS + 1)
    assert lagging.driver.core.wake_ns == lagging.driver.now_ns + (COALESCE_MS - 10) * MS
    lagging.wait(COALESCE_MS - 10)
    assert [at - T0 // MS for at, _, _ in lagging.strategy.books] == [0, COALESCE_MS]
    assert lagging.driver.core.state.coalesced == 0


def test_a_book_that_tore_while_it_waited_is_not_heard():
    lagging = Lagging()
    lagging.book(LAG_MS + 1)
    lagging.book(LAG_MS + 1)
    driver = lagging.driver
    driver.put(BookChanged, PERP, 50, False, 10_000, 1, driver.now_ns // MS, [], [])
    lagging.wait(SECOND // MS)
    assert lagging.bids == [bid(1)]


def test_instruments_lag_for_themselves():
    lagging = Lagging(PERP, ETH)
    for _ in range(3):
        lagging.book(LAG_MS + 1)
        lagging.book(LAG_MS + 1, ETH)
    lagging.book(0, ETH)
    names = [name for _, name, _ in lagging.strategy.books]
    assert names == [PERP, ETH, ETH]


def test_an_uncertain_clock_is_not_mistaken_for_lag():
    lagging = Lagging()
    lagging.driver.put(ClockMeasured, 0, 400 * MS)
    for _ in range(5):
        lagging.book(LAG_MS + 300)
    assert len(lagging.bids) == 5


def test_prints_bars_and_private_messages_are_never_left_out():
    lagging = Lagging()
    driver, old_ms = lagging.driver, T0 // MS - 1_000
    order = driver.open_order()
    heard = lagging.strategy.heard
    heard.clear()
    for number in range(5):
        lagging.book(LAG_MS + 1)
        driver.put(PublicTraded, PERP, [(50_000.0, 1.0, True, old_ms + number)], old_ms)
        minute = (PERP, number * 60_000, 1.0, 1.0, 1.0, 1.0, 1.0, True, old_ms)
        driver.put(BarChanged, *minute)
        driver.execute(order.id, 1, f"x{number}")
    kinds = [kind for kind, _ in heard]
    assert [kinds.count(kind) for kind in ("print", "bar", "fill")] == [5, 5, 5]
    assert driver.core.orders.find(order.id).state is OrderState.PARTIAL


@pytest.mark.parametrize("age_ms", [0, LAG_MS + 1])
def test_a_replay_hears_the_same(age_ms):
    lagging = Lagging()
    driver = lagging.driver
    for number in range(200):
        lagging.wait(7)
        if number % 40 < 30:
            lagging.book(age_ms)
        else:
            lagging.book(0)
    again: dict[str, Any] = {}
    core = replayed(driver.log, lambda one: again.setdefault(one.name, Listener()))
    assert again["s"].books[-len(lagging.bids) :] == lagging.strategy.books
    assert core.state.coalesced == driver.core.state.coalesced
    assert bool(core.state.coalesced) == bool(age_ms)


def test_older_prints_are_not_heard_and_still_belong_to_bars():
    lagging = Lagging()
    driver, at_ms = lagging.driver, T0 // MS
    driver.put(PublicTraded, PERP, [(50_000.0, 1.0, True, at_ms)], at_ms)
    driver.put(
        PublicTraded, PERP, [(49_000.0, 1.0, True, at_ms - 1), (50_001.0, 1.0, True, at_ms)], at_ms
    )
    prints = [price for kind, price in lagging.strategy.heard if kind == "print"]
    assert prints == [50_000.0, 50_001.0]


def test_another_depth_moves_neither_strategies_nor_paper_orders():
    lagging = Lagging()
    driver = lagging.driver
    driver.put(BookChanged, PERP, 1, True, 9, 9, driver.now_ns // MS, [(1.0, 1.0)], [(2.0, 1.0)])
    assert lagging.bids == []
