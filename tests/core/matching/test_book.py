"""Matching: rules by example, and the same as a naive twin under random use."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plimsoll.core.matching import WHOLE_QUEUE, Fill, MatchingBook
from plimsoll.core.model import Side, TimeInForce

BUY, SELL = Side.BUY, Side.SELL
GTC, IOC, FOK = TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK
POST_ONLY = TimeInForce.POST_ONLY


def book_of(*, queue_ppm: int = WHOLE_QUEUE) -> MatchingBook:
    book = MatchingBook(queue_ppm=queue_ppm)
    book.replace([(100, 10), (99, 20)], [(101, 10), (102, 20)])
    return book


def test_taker_pays_each_levels_price_and_liquidity_is_gone() -> None:
    book = book_of()
    outcome = book.submit("a", BUY, 102, 15, GTC)
    assert outcome.fills == [Fill("a", 101, 10, False, ""), Fill("a", 102, 5, False, "")]
    assert (outcome.leaves_lots, outcome.end) == (0, "filled")
    assert book.best(SELL) == 102
    assert book.submit("b", BUY, 102, 100, IOC).fills == [Fill("b", 102, 15, False, "")]
    book.set_level(SELL, 101, 10)
    assert book.submit("c", BUY, 101, 3, IOC).end == "filled"


def test_rest_of_a_limit_order_becomes_the_best_price() -> None:
    book = book_of()
    outcome = book.submit("a", BUY, 101, 15, GTC)
    assert (outcome.leaves_lots, outcome.end) == (5, "")
    assert (book.best(BUY), book.best(SELL)) == (101, 102)
    assert book.levels(BUY, 2) == [(101, 5), (100, 10)]


def test_endings() -> None:
    book = book_of()
    assert book.submit("a", BUY, 101, 1, POST_ONLY).end == "post_only"
    assert book.submit("b", BUY, 101, 11, FOK).end == "fok"
    assert book.submit("c", BUY, 100, 1, IOC).end == "ioc"
    assert book.submit("d", BUY, 101, 10, FOK).end == "filled"
    assert list(book.resting()) == []


def test_prints_work_off_the_queue_exactly() -> None:
    book = book_of()
    book.submit("a", BUY, 100, 5, GTC)
    book.submit("b", BUY, 100, 5, GTC)
    assert book.public_trade(SELL, 100, 9) == []
    assert book.public_trade(SELL, 100, 3) == [Fill("a", 100, 2, True, "", "queue")]
    assert book.public_trade(SELL, 100, 4) == [
        Fill("a", 100, 3, True, "", "queue"),
        Fill("b", 100, 1, True, "", "queue"),
    ]
    assert book.public_trade(BUY, 100, 50) == []


def test_shrinking_level_caps_what_is_ahead() -> None:
    book = book_of()
    book.submit("a", BUY, 100, 5, GTC)
    book.set_level(BUY, 100, 4)
    book.set_level(BUY, 100, 50)
    assert book.public_trade(SELL, 100, 5) == [Fill("a", 100, 1, True, "", "queue")]


def test_print_through_the_price_fills_all() -> None:
    book = book_of()
    book.submit("a", BUY, 100, 500, GTC)
    assert book.public_trade(SELL, 99, 1) == [Fill("a", 100, 500, True, "")]


def test_a_book_is_idle_once_nothing_of_ours_shows_in_it() -> None:
    book = book_of()
    assert book.is_idle
    book.submit("a", BUY, 101, 4, IOC)
    assert not book.is_idle  # four lots are gone that the market still shows
    book.set_levels(SELL, [(102, 5)])
    assert not book.is_idle
    book.set_levels(SELL, [(101, 10)])
    assert book.is_idle
    book.submit("b", SELL, 103, 1, GTC)
    assert not book.is_idle
    book.cancel("b")
    book.submit("c", BUY, 102, 15, IOC)
    book.replace([(100, 10)], [(101, 10)])
    assert book.is_idle


def test_without_queue_an_order_stands_in_front() -> None:
    book = book_of(queue_ppm=0)
    book.submit("a", BUY, 100, 5, GTC)
    assert book.public_trade(SELL, 100, 5) == [Fill("a", 100, 5, True, "")]


def test_level_that_crosses_fills_at_the_makers_price_and_is_used_up() -> None:
    book = book_of()
    book.submit("a", SELL, 101, 4, GTC)
    book.submit("b", SELL, 103, 4, GTC)
    fills = book.set_level(BUY, 103, 6)
    assert fills == [Fill("a", 101, 4, True, ""), Fill("b", 103, 2, True, "")]
    assert book.best(BUY) == 100


def test_own_orders_meet_each_other_in_price_time_order() -> None:
    book = MatchingBook()
    book.submit("a", SELL, 101, 5, GTC, "x")
    book.submit("b", SELL, 100, 5, GTC, "y")
    outcome = book.submit("c", BUY, 101, 7, GTC, "z")
    assert outcome.fills == [
        Fill("c", 100, 5, False, "b"),
        Fill("b", 100, 5, True, "c"),
        Fill("c", 101, 2, False, "a"),
        Fill("a", 101, 2, True, "c"),
    ]


def test_external_quantity_behind_an_own_order_is_taken_after_it() -> None:
    book = book_of()
    book.submit("a", SELL, 101, 5, GTC)
    book.set_level(SELL, 101, 30)
    fills = book.submit("b", BUY, 101, 20, IOC).fills
    assert fills == [
        Fill("b", 101, 10, False, ""),
        Fill("b", 101, 5, False, "a"),
        Fill("a", 101, 5, True, "b"),
        Fill("b", 101, 5, False, ""),
    ]


def test_self_match_stops_the_taker_when_asked() -> None:
    book = book_of()
    book.submit("a", SELL, 101, 5, GTC, "me")
    outcome = book.submit("b", BUY, 102, 20, GTC, "me", smp=True)
    assert outcome.fills == [Fill("b", 101, 10, False, "")]
    assert (outcome.leaves_lots, outcome.end) == (10, "self_match")
    assert book.submit("c", BUY, 101, 1, GTC, "other", smp=True).end == "filled"


def test_fok_counts_only_what_stands_before_an_own_order() -> None:
    book = book_of()
    book.submit("a", SELL, 101, 5, GTC, "me")
    assert book.submit("b", BUY, 102, 11, FOK, "me", smp=True).end == "fok"
    assert book.submit("c", BUY, 102, 10, FOK, "me", smp=True).end == "filled"


def test_self_match_takes_out_the_makers_it_reaches_and_no_others() -> None:
    book = book_of()
    book.submit("near", SELL, 101, 5, GTC, "me")
    book.submit("theirs", SELL, 101, 5, GTC, "other")
    book.submit("far", SELL, 103, 5, GTC, "me")
    outcome = book.submit("b", BUY, 103, 15, GTC, "me", smp_maker=True)
    assert (outcome.end, outcome.removed, outcome.met) == ("filled", ["near"], "")
    assert [fill.counter for fill in outcome.fills if not fill.is_maker] == ["", "theirs"]
    assert [order.key for order in book.resting()] == ["far"]


def test_self_match_of_both_ends_taker_and_maker() -> None:
    book = book_of()
    book.submit("a", SELL, 101, 5, GTC, "me")
    book.submit("later", SELL, 101, 5, GTC, "me")
    outcome = book.submit("b", BUY, 102, 20, GTC, "me", smp=True, smp_maker=True)
    assert (outcome.end, outcome.removed, outcome.met) == ("self_match", ["a"], "a")
    assert outcome.leaves_lots == 10
    assert [order.key for order in book.resting()] == ["later"]


def test_fok_does_not_count_makers_it_would_take_out() -> None:
    book = book_of()
    book.submit("a", SELL, 101, 5, GTC, "me")
    outcome = book.submit("b", BUY, 101, 11, FOK, "me", smp_maker=True)
    assert (outcome.end, outcome.removed) == ("fok", [])
    assert book.submit("c", BUY, 101, 10, FOK, "me", smp_maker=True).end == "filled"


def test_amend_keeps_its_place_only_when_it_shrinks_in_place() -> None:
    book = book_of()
    book.submit("a", BUY, 100, 5, GTC)
    book.submit("b", BUY, 100, 5, GTC)
    book.amend("a", 100, 3)
    assert [fill.key for fill in book.public_trade(SELL, 100, 12)] == ["a"]
    book.amend("a", 100, 4)
    assert [fill.key for fill in book.public_trade(SELL, 100, 16)] == ["b", "a"]
    assert book.amend("nothing", 100, 1) is None


def test_post_only_stays_post_only_when_amended() -> None:
    book = book_of()
    book.submit("a", BUY, 100, 5, POST_ONLY)
    outcome = book.amend("a", 101, 5)
    assert outcome is not None
    assert outcome.end == "post_only"
    assert list(book.resting()) == []


def test_cancel_tells_what_was_left() -> None:
    book = book_of()
    book.submit("a", BUY, 101, 15, GTC)
    assert book.cancel("a") == 5
    assert book.cancel("a") is None
    assert book.best(BUY) == 100


def test_replace_drops_levels_that_are_not_in_the_snapshot() -> None:
    book = book_of()
    book.submit("a", BUY, 98, 5, GTC)
    book.replace([(97, 1)], [(105, 1)])
    assert book.levels(BUY, 9) == [(98, 5), (97, 1)]
    assert book.levels(SELL, 9) == [(105, 1)]


@pytest.mark.parametrize(("price", "qty"), [(0, 1), (1, 0), (-1, 1)])
def test_nonsense_is_refused(price: int, qty: int) -> None:
    with pytest.raises(ValueError, match="needs"):
        MatchingBook().submit("a", BUY, price, qty, GTC)
    with pytest.raises(ValueError, match="needs"):
        MatchingBook().set_level(BUY, 0, 1)


@dataclass
class TwinOrder:
    key: str
    side: Side
    price: int
    left: int
    ahead: int


@dataclass
class Twin:
    """The same rules written as plainly as possible: one list of orders, searched each time."""

    external: dict[tuple[Side, int], int] = field(default_factory=dict)
    orders: list[TwinOrder] = field(default_factory=list)

    def level(self, side: Side, price: int, qty: int) -> list[Fill]:
        fills = []
        for order in self.reached(side, price):
            take = min(order.left, qty)
            if take:
                qty -= take
                fills.append(self.fill(order, take))
        self.set(side, price, qty)
        return fills

    def print(self, taker: Side, price: int, qty: int) -> list[Fill]:
        fills = []
        for order in self.reached(taker, price):
            if order.price == price:
                take = min(order.left, max(0, qty - order.ahead))
                order.ahead = max(0, order.ahead - qty)
                qty -= take
            else:
                take = order.left
            if take:
                rule = "queue" if order.price == price else ""
                fills.append(self.fill(order, take)._replace(rule=rule))
        return fills

    def submit(self, key: str, side: Side, price: int, qty: int, tif: TimeInForce) -> Any:
        """Take lot by lot from the front of the best price."""
        reach = self.reachable(side, price)
        if tif is POST_ONLY and reach:
            return [], qty, "post_only"
        if tif is FOK and reach < qty:
            return [], qty, "fok"
        lots = []
        while qty and (front := self.front(side, price)):
            at, maker = front
            qty -= 1
            lots.append((at, maker.key if maker else ""))
            if maker:
                self.fill(maker, 1)
            else:
                self.set(side.opposite, at, self.external[side.opposite, at] - 1, moves=True)
        if qty and tif in (GTC, POST_ONLY):
            self.orders.append(
                TwinOrder(key, side, price, qty, self.external.get((side, price), 0))
            )
            return lots, qty, ""
        return lots, qty, "filled" if not qty else tif.value

    def front(self, side: Side, limit: int) -> tuple[int, TwinOrder | None] | None:
        other = side.opposite
        prices = {p for s, p in self.external if s is other}
        prices |= {order.price for order in self.orders if order.side is other}
        prices = {p for p in prices if (limit - p) * side.sign >= 0}
        if not prices:
            return None
        best = min(prices) if side is BUY else max(prices)
        first = next((o for o in self.orders if o.side is other and o.price == best), None)
        return (best, first) if first and not first.ahead else (best, None)

    def reachable(self, side: Side, limit: int) -> int:
        own = sum(o.left for o in self.reached(side, limit))
        other = side.opposite
        return own + sum(
            q for (s, p), q in self.external.items() if s is other and (limit - p) * side.sign >= 0
        )

    def reached(self, taker: Side, limit: int) -> list[TwinOrder]:
        found = [
            o
            for o in self.orders
            if o.side is taker.opposite and (limit - o.price) * taker.sign >= 0
        ]
        return sorted(found, key=lambda order: order.price * taker.sign)

    def fill(self, order: TwinOrder, qty: int) -> Fill:
        order.left -= qty
        if not order.left:
            self.orders.remove(order)
        return Fill(order.key, order.price, qty, True, "")

    def set(self, side: Side, price: int, qty: int, *, moves: bool = False) -> None:
        self.external.pop((side, price), None)
        if qty:
            self.external[side, price] = qty
        for order in self.orders:
            if order.side is side and order.price == price:
                order.ahead = max(0, order.ahead - 1) if moves else min(order.ahead, qty)


sides = st.sampled_from(Side)
prices = st.integers(95, 105)
qtys = st.integers(1, 12)
steps = st.one_of(
    st.tuples(st.just("level"), sides, prices, st.integers(0, 12)),
    st.tuples(st.just("print"), sides, prices, qtys),
    st.tuples(st.just("submit"), sides, prices, qtys, st.sampled_from(TimeInForce)),
    st.tuples(st.just("cancel"), st.integers(0, 20)),
)


@given(st.lists(steps, max_size=40))
def test_same_as_the_naive_twin(actions: list[Any]) -> None:
    book, twin = MatchingBook(), Twin()
    for number, (action, *args) in enumerate(actions):
        if action == "level":
            assert book.set_level(*args) == twin.level(*args)
        elif action == "print":
            assert book.public_trade(*args) == twin.print(*args)
        elif action == "submit":
            outcome = book.submit(str(number), *args)
            lots, left, end = twin.submit(str(number), *args)
            taken = [fill for fill in outcome.fills if not fill.is_maker]
            assert [(f.price_ticks, f.counter) for f in taken for _ in range(f.qty_lots)] == lots
            assert (outcome.leaves_lots, outcome.end) == (left, end)
        else:
            key = str(args[0])
            gone = next((order for order in twin.orders if order.key == key), None)
            if gone:
                twin.orders.remove(gone)
            assert book.cancel(key) == (gone.left if gone else None)
        assert [(o.key, o.leaves_lots, o.ahead_lots) for o in book.resting()] == [
            (o.key, o.left, o.ahead) for o in twin.orders
        ]


@given(
    st.lists(st.tuples(st.sampled_from(Side), st.integers(1, 6), st.integers(0, 5)), max_size=30),
    st.lists(st.tuples(st.sampled_from(Side), st.integers(1, 6), st.integers(1, 5)), max_size=25),
)
def test_many_levels_at_once_are_the_same_as_one_after_another(
    rows: list[tuple[Side, int, int]], own: list[tuple[Side, int, int]]
) -> None:
    one, many = MatchingBook(), MatchingBook()
    for book in (one, many):
        book.replace([(2, 7)], [(5, 7)])
        for number, (found, price, qty) in enumerate(own):
            book.submit(str(number), found, price, qty, POST_ONLY)
    for side in Side:
        mine = [(price, qty) for found, price, qty in rows if found is side]
        fills = [fill for price, qty in mine for fill in one.set_level(side, price, qty)]
        assert many.set_levels(side, mine) == fills
    for side in Side:
        levels = one.levels(side, 9)
        assert many.levels(side, 9) == levels
        prices = [price for price, _ in levels]
        assert many.quantities(side, prices) == levels
        assert many.prices_between(side, None, None) == prices
        for place, price in enumerate(prices):
            assert many.price_at(side, place) == price
            assert many.prices_between(side, price, None) == prices[place + 1 :]
            assert many.prices_between(side, None, price) == prices[: place + 1]
        assert many.price_at(side, len(prices)) is None
    with pytest.raises(ValueError, match="found 0, 1"):
        many.set_levels(Side.BUY, [(0, 1)])
