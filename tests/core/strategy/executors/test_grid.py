"""``Grid``: each cell buys low and sells high, once at a time."""

import pytest
from tests.core.strategy.executors.bench import Bench
from tests.properties.driver import PERP

from plimsoll.core.model import Side
from plimsoll.core.strategy import Grid


def begun():
    bench = Bench()
    return bench, bench.execute(Grid(49_000, 51_000, levels=5, qty="0.010"))


def rows(bench):
    return sorted((one.side, one.price, one.leaves) for one in bench.resting)


def at(bench, price):
    (order,) = [one for one in bench.resting if one.price == price * 10]
    return order.id


def test_it_rests_a_buy_at_each_level_below_the_market():
    bench, _ = begun()
    bench.run(1)
    assert rows(bench) == [(Side.BUY, price, 10) for price in (490_000, 495_000, 500_000)]


def test_what_was_bought_is_sold_a_level_higher_and_bought_again():
    bench, handle = begun()
    bench.move(PERP, 49_600.0)
    bench.fill(at(bench, 50_000), 10)
    bench.run(1)
    assert (Side.SELL, 505_000, 10) in rows(bench)
    bench.move(PERP, 50_400.0)
    bench.fill(at(bench, 50_500), 10)
    bench.run(1)
    assert (Side.BUY, 500_000, 10) in rows(bench)
    assert bench.at_venue() == 0
    assert not handle.is_done


def test_a_part_waits_for_the_whole():
    bench, _ = begun()
    bench.fill(at(bench, 50_000), 4)
    bench.run(1)
    assert [row for row in rows(bench) if row[0] is Side.SELL] == []


def test_a_cancel_takes_all_orders_and_leaves_what_is_held():
    bench, handle = begun()
    bench.fill(at(bench, 50_000), 10)
    bench.do(lambda s: s.executors()[0].cancel())
    bench.run(1)
    assert bench.resting == []
    assert handle.reason == "cancelled"
    assert bench.at_venue() == 10


def test_each_cell_holds_one_quantity_at_most():
    bench, handle = begun()
    for turn in range(100):
        bench.move(PERP, 49_250.0 if turn % 2 else 50_750.0)
        for order in bench.resting:
            if (order.price - bench.mids[PERP] * 10) * order.side.sign > 0:
                bench.fill(order.id, order.leaves)
        bench.run(1)
        assert 0 <= bench.at_venue() <= 40
    assert all(0 <= leg.filled_lots <= leg.qty_lots for leg in handle.run.legs)
    assert all(len(leg.pieces) <= 65 for leg in handle.run.legs)
    assert len(bench.orders) > 100


@pytest.mark.parametrize(
    "wish",
    [
        Grid(49_000, 51_000, 1, "0.01"),
        Grid(49_000, 51_000, 51, "0.01"),
        Grid(51_000, 49_000, 5, "0.01"),
        Grid(49_000, 49_000.1, 5, "0.01"),
        Grid(49_000, 51_000, 5, "-0.01"),
        Grid("x", 51_000, 5, "0.01"),
    ],
)
def test_what_cannot_be_is_refused(wish):
    assert Bench().execute(wish).reason == "refused"
