"""``Vwap``: the schedule of ``Twap`` with the shares of a market's volume."""

import pytest
from tests.core.strategy.executors.bench import Bench
from tests.properties.driver import SECOND

from plimsoll.core.feed import Bar
from plimsoll.core.strategy import Vwap
from plimsoll.core.strategy.executors.vwap import DAY_NS, usual

HOUR = 3_600 * SECOND


def bar(start_ns, volume):
    return Bar("linear:BTCUSDT", "1h", start_ns, 1.0, 1.0, 1.0, 1.0, volume)


def test_slices_have_the_weights_of_the_profile():
    bench = Bench()
    handle = bench.execute(Vwap("0.010", 8, 2, profile=[1, 2, 4, 3]))
    bench.run(9)
    assert bench.lots == [1, 2, 4, 3]
    assert handle.reason == "filled"


def test_a_profile_is_stretched_over_the_slices():
    bench = Bench()
    bench.execute(Vwap("0.012", 8, 2, profile=[1, 2]))
    bench.run(9)
    assert bench.lots == [2, 2, 4, 4]


def test_a_slice_without_weight_trades_nothing():
    bench = Bench()
    bench.execute(Vwap("0.010", 6, 2, profile=[1, 0, 1]))
    bench.run(3.5)
    assert bench.lots == [5]
    bench.run(3)
    assert bench.lots == [5, 5]


def test_usual_volume_is_that_of_the_same_time_of_day():
    window = [bar(hour * HOUR, hour % 24 + (hour // 24) * 2) for hour in range(48)]
    assert usual(window, [DAY_NS * 9 + 3 * HOUR + 5, DAY_NS * 9 + 4 * HOUR]) == [4.0, 5.0]


def test_where_no_bar_of_that_time_is_kept_the_average_stands_in():
    assert usual([bar(0, 2.0), bar(HOUR, 4.0)], [0, 7 * HOUR]) == [2.0, 3.0]
    assert usual([bar(0, 2.0)], [0]) == [0.0]


def test_a_frame_that_is_not_declared_or_empty_is_refused():
    assert "not declared" in Bench().execute(Vwap("0.01", 8, 2, frame="1h")).refusal.text


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"profile": [1], "frame": "1h"},
        {"profile": [0, 0]},
        {"profile": [1, -1]},
        {"profile": [float("nan")]},
        {"profile": [float("inf"), 1]},
        {"profile": [1], "over_s": float("inf")},
    ],
)
def test_what_cannot_be_is_refused(more):
    wish = Vwap(**{"qty": "0.01", "over_s": 8, "slice_s": 2} | more)
    assert Bench().execute(wish).reason == "refused"
