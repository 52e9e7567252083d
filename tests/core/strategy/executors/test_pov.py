"""``Pov``: a share of the tape, and no burst after a silence."""

from decimal import Decimal

import pytest
from tests.core.strategy.executors.bench import Bench

from plimsoll.core.strategy import Pov


def test_it_trades_its_share_of_what_the_market_trades():
    bench = Bench()
    handle = bench.execute(Pov("0.100", rate=0.1))
    bench.run(3)
    assert bench.lots == []
    bench.prints(0.200)
    bench.run(2)
    assert bench.lots == [20]
    bench.prints(0.100)
    bench.run(2)
    assert bench.lots == [20, 10]
    bench.prints(2.0)
    bench.run(2)
    assert sum(bench.lots) == 100
    assert handle.reason == "filled"


def test_at_most_one_order_a_second():
    bench = Bench()
    bench.execute(Pov("1.000", rate=0.1))
    for _ in range(16):
        bench.prints(0.020)
        bench.run(0.25)
    assert len(bench.lots) <= 5


def test_nothing_is_sent_beside_an_order_without_an_answer():
    bench = Bench()
    bench.is_silent = True
    bench.execute(Pov("1.000", rate=0.1))
    for _ in range(3):
        bench.prints(0.200)
        bench.run(1.5)
    assert bench.lots == [20]


def test_what_was_missed_long_ago_is_not_caught_up_with():
    bench = Bench()
    bench.share = 0
    handle = bench.execute(Pov("1.000", rate=0.1))
    bench.prints(5.0)
    bench.run(100)
    bench.share = 1.0
    bench.prints(0.100)
    bench.run(3)
    assert handle.filled <= Decimal("0.020")


def test_its_time_may_be_limited():
    bench = Bench()
    handle = bench.execute(Pov("0.100", rate=0.1, over_s=5))
    bench.prints(0.100)
    bench.run(6)
    assert (handle.reason, handle.rest) == ("time", Decimal("0.090"))


def test_beyond_its_limit_nothing_is_sent():
    bench = Bench()
    bench.execute(Pov("0.100", rate=0.1, limit="50000"))
    bench.prints(0.200)
    bench.run(3)
    assert bench.lots == []


@pytest.mark.parametrize(
    "more", [{"rate": 0}, {"rate": 0.6}, {"rate": float("nan")}, {"over_s": 0}, {"qty": "0"}]
)
def test_what_cannot_be_is_refused(more):
    assert Bench().execute(Pov(**{"qty": "0.1", "rate": 0.1} | more)).reason == "refused"
