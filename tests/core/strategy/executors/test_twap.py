"""``Twap``: equal slices, none twice, what cannot be traded is told."""

from decimal import Decimal

import pytest
from msgspec.structs import replace
from tests.core.strategy.executors.bench import Bench
from tests.properties.driver import CASH, ETH, PERP, SECOND, T0, WIDE

from plimsoll.core.model import Mode, Refusal
from plimsoll.core.records import OrderDenied, PaperOrderIntended
from plimsoll.core.strategy import Twap


def test_equal_slices_at_equal_times():
    bench = Bench()
    handle = bench.execute(Twap("0.010", over_s=10, slice_s=2))
    assert bench.lots == [2]
    assert handle.progress == 0.2
    bench.run(10)
    assert bench.lots == [2, 2, 2, 2, 2]
    starts = [(one.ts_ns - bench.orders[0].ts_ns) / SECOND for one in bench.orders]
    assert starts == pytest.approx([0, 2, 4, 6, 8], abs=0.5)
    assert (handle.is_done, handle.reason, handle.rest) == (True, "filled", 0)
    assert handle.filled == Decimal("0.010")
    assert handle.average_price == pytest.approx(50_000, rel=0.01)
    assert bench.at_venue() == 10


def test_a_sale_is_a_negative_quantity():
    bench = Bench()
    handle = bench.execute(Twap(-0.01, 4, 2))
    bench.run(4)
    assert handle.filled == Decimal("-0.010")
    assert bench.at_venue() == -10


def test_slices_below_the_minimum_wait_and_the_last_one_is_tradable():
    """Minimum 0.001 and 5 USDT: 0.007 in five slices is never less than a lot, and whole."""
    bench = Bench()
    handle = bench.execute(Twap("0.007", 10, 2))
    bench.run(12)
    assert sum(bench.lots) == 7
    assert min(bench.lots) >= 1
    assert handle.reason == "filled"


def test_what_would_not_be_tradable_alone_goes_along():
    """On a minimum of 60 lots, three slices of 70 would leave 30 that nobody could trade."""
    bench = Bench()
    driver = bench.driver
    coarse = driver.core.state.instruments[PERP]
    driver.core.state.instruments[PERP] = replace(coarse, min_qty="0.060")
    bench.execute(Twap("0.170", 6, 2))
    bench.run(9)
    assert sum(bench.lots) == 170
    assert min(bench.lots) >= 60


def test_a_slice_is_sent_once_however_often_the_plan_is_asked():
    bench = Bench()
    bench.share = 0
    bench.execute(Twap("0.010", 10, 2))
    for _ in range(5):
        bench.do(lambda s: None)
    assert bench.lots == [2]


def test_a_partial_fill_is_caught_up_with_by_at_most_a_slice():
    bench = Bench()
    bench.share = 0
    handle = bench.execute(Twap("0.010", 10, 2))
    bench.run(4)
    bench.share = 1.0
    bench.run(12)
    assert max(bench.lots) <= 4
    assert handle.reason == "filled"
    assert bench.at_venue() == 10


def test_after_a_long_silence_time_ends_it_with_a_told_rest():
    bench = Bench()
    bench.share = 0
    handle = bench.execute(Twap("0.010", 10, 2))
    bench.run(8.5)
    bench.share = 1.0
    bench.run(6)
    assert handle.reason == "time"
    assert handle.filled + handle.rest == Decimal("0.010")
    assert 0 < handle.filled < Decimal("0.010")
    assert int(handle.filled * 1000) == bench.at_venue()


def test_a_lost_answer_counts_in_full_until_it_is_explained():
    bench = Bench()
    bench.is_silent = True
    handle = bench.execute(Twap("0.010", 10, 2))
    bench.is_silent = False
    bench.run(9)
    assert bench.lots == [2] * 5
    (unknown,) = [one.client_order_id for one in bench.orders[:1]]
    assert not handle.is_done
    bench.fill(unknown, 2)
    bench.run(3)
    assert handle.reason == "filled"
    assert bench.at_venue() == 10


def test_beyond_its_limit_nothing_is_sent():
    bench = Bench()
    handle = bench.execute(Twap("0.010", 10, 2, limit="50000.5"))
    bench.run(4)
    assert bench.lots == []
    bench.move(PERP, 49_990.0)
    bench.run(10)
    assert {one.price_ticks for one in bench.orders} == {500_005}
    assert handle.filled > 0


def test_limit_and_band_whichever_is_better():
    bench = Bench()
    bench.execute(Twap("0.010", 10, 2, limit=60_000))
    assert bench.orders[0].price_ticks < 502_000


def test_randomised_starts_and_sizes_come_from_the_instances_own_stream():
    def made(seed):
        core = replace(Bench().settings, seed=seed)
        bench = Bench(core=core)
        handle = bench.execute(Twap("0.100", 20, 2, randomised=0.5))
        bench.run(24)
        assert handle.reason == "filled"
        return [(one.ts_ns - T0, one.qty_lots) for one in bench.orders]

    first = made(1)
    assert first == made(1)
    assert first != made(2)
    assert sum(lots for _, lots in first) == 100
    assert len({lots for _, lots in first}) > 2


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        (Twap("0", 10, 2), Refusal.EXECUTOR),
        (Twap("nonsense", 10, 2), Refusal.EXECUTOR),
        (Twap("0.0005", 10, 2), Refusal.OFF_STEP),
        (Twap(0.0005, 10, 2), Refusal.BELOW_MINIMUM),
        (Twap("0.01", float("nan"), 2), Refusal.EXECUTOR),
        (Twap("0.01", 10, 0.1), Refusal.EXECUTOR),
        (Twap("0.01", 10_000, 1), Refusal.EXECUTOR),
        (Twap("0.01", 10, 2, randomised=1), Refusal.EXECUTOR),
        (Twap("0.01", 10, 2, limit="50000.01"), Refusal.OFF_STEP),
        (Twap("0.01", 10, 2, limit=-1), Refusal.OFF_STEP),
    ],
)
def test_what_cannot_be_is_refused_in_words(wish, code):
    handle = Bench().execute(wish)
    assert handle.refusal.code == code
    assert (handle.is_done, handle.reason, handle.progress, handle.rest) == (True, "refused", 0, 0)
    handle.cancel()


def test_an_instrument_that_is_not_ones_own_is_refused():
    assert Bench().execute(Twap("0.1", 10, 2), ETH).refusal.code == Refusal.UNKNOWN_INSTRUMENT


def test_the_same_on_paper():
    bench = Bench(mode=Mode.PAPER)
    handle = bench.execute(Twap("0.010", 10, 2))
    bench.run(11)
    assert handle.reason == "filled"
    assert [one.qty_lots for one in bench.driver.of(PaperOrderIntended)] == [2] * 5
    assert bench.driver.sent == []


def test_a_refusal_is_told_and_tried_again():
    """The position's limit leaves room for five lots: the rest is refused, backed off, and told."""
    narrow = replace(WIDE, position_notional=260 * CASH)
    core = replace(Bench().settings, limits=narrow)
    bench = Bench(core=core)
    handle = bench.execute(Twap("0.010", 10, 2))
    bench.run(13)
    assert handle.filled <= Decimal("0.005")
    assert handle.refusal.code == Refusal.POSITION
    assert handle.reason == "time"
    assert 2 <= len(bench.driver.of(OrderDenied)) < 9
