"""``Executors``: how many there may be, which ones are remembered, whose an order is."""

from tests.core.strategy.executors.bench import Bench
from tests.properties.driver import PERP

from plimsoll.core.model import Refusal
from plimsoll.core.strategy import Iceberg, Legs
from plimsoll.core.strategy.executors import is_executor_label, number_of
from plimsoll.core.strategy.executors.book import ENDED_KEPT, MOST_RUNNING

ICE = Iceberg("0.002", "0.001", limit="40000")


def test_no_more_than_a_hundred_run_at_a_time():
    bench = Bench()
    handles = bench.do(lambda s: [s.execute(ICE, PERP) for _ in range(MOST_RUNNING + 1)])
    assert [one.refusal for one in handles[:-1]] == [None] * MOST_RUNNING
    assert handles[-1].refusal.code == Refusal.EXECUTOR


def test_the_oldest_ended_ones_are_forgotten():
    bench = Bench()
    for _ in range(ENDED_KEPT + 5):
        bench.execute(ICE).cancel()
        bench.run(0.5)
    assert len(bench.handles) <= ENDED_KEPT + 1
    assert bench.resting == []
    assert bench.handles[-1].number == ENDED_KEPT + 5


def test_a_label_says_whose_an_order_is():
    assert [number_of(text) for text in ("twap#12.3", "target", "twap#x.1", "a#1")] == [12, 0, 0, 0]
    assert is_executor_label("legs#1.0")
    assert not is_executor_label("my#label")


def test_several_legs_are_told_of_apart_and_progress_is_that_of_the_last():
    bench = Bench(PERP, "linear:ETHUSDT")
    pair = [(PERP, "0.040"), ("linear:ETHUSDT", "-1.00")]
    handle = bench.execute(Legs(pair, most_unhedged=505))
    assert [one.instrument for one in handle.legs] == [PERP, "linear:ETHUSDT"]
    assert handle.progress == 0.25
    assert handle.qty == handle.legs[0].qty
