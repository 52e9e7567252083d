"""``Legs``: in step, never far apart, and taken back where one does not follow."""

from decimal import Decimal

import pytest
from tests.core.strategy.executors.bench import Bench
from tests.properties.driver import ETH, PERP, SPOT

from plimsoll.core.model import Side
from plimsoll.core.strategy import Legs

PAIR = [(PERP, "0.040"), (ETH, "-1.00")]


def unhedged(bench) -> float:
    """Return by how much value the venue's position is ahead on either side."""
    long, short = bench.at_venue(PERP) * 50.0, -bench.at_venue(ETH) * 20.0
    return abs(long - short)


def test_both_legs_arrive_and_never_are_far_apart():
    bench = Bench(PERP, ETH)
    handle = bench.execute(Legs(PAIR, most_unhedged=505))
    for _ in range(60):
        assert unhedged(bench) <= 505
        bench.run(0.25)
    assert handle.reason == "filled"
    assert (bench.at_venue(PERP), bench.at_venue(ETH)) == (40, -100)
    assert [one.qty for one in handle.legs] == [Decimal("0.040"), Decimal("-1.00")]
    leads = [one.qty_lots for one in bench.orders if one.instrument == PERP]
    assert max(leads) <= 10


def test_partial_fills_keep_the_pair_together():
    bench = Bench(PERP, ETH)
    bench.share = 0.6
    handle = bench.execute(Legs(PAIR, most_unhedged=505))
    for _ in range(200):
        bench.run(0.25)
        assert unhedged(bench) <= 520
        assert bench.at_venue(PERP) <= 40
        assert bench.at_venue(ETH) >= -100
    assert handle.is_done


def stuck(bench, names):
    """Let orders in these instruments find nothing."""
    create = bench._create

    def made(sent):
        bench.share = 0.0 if sent.instrument in names and not sent.reduce_only else 1.0
        create(sent)

    bench._create = made


def test_a_follower_that_does_not_come_after_has_the_leader_taken_back():
    bench = Bench(PERP, ETH)
    stuck(bench, {ETH})
    handle = bench.execute(Legs(PAIR, most_unhedged=505, within_s=5))
    bench.run(4)
    assert bench.at_venue(PERP) == 10
    assert not handle.is_done
    bench.run(4)
    assert bench.at_venue(PERP) == 0
    assert (handle.reason, handle.filled) == ("unhedged", 0)
    back = bench.orders[-1]
    assert (back.side, back.reduce_only) == (Side.SELL, True)


def test_what_is_taken_back_passes_a_halt():
    bench = Bench(PERP, ETH)
    stuck(bench, {ETH})
    handle = bench.execute(Legs(PAIR, most_unhedged=505, within_s=5))
    bench.run(1)
    bench.command("halt")
    bench.run(8)
    assert bench.at_venue(PERP) == 0
    assert handle.reason == "unhedged"


def test_the_leader_takes_no_step_beside_an_order_without_an_answer():
    bench = Bench(PERP, ETH)
    bench.is_silent = True
    bench.execute(Legs(PAIR, most_unhedged=505))
    bench.run(3)
    assert bench.lots == [10]


def test_a_cancel_leaves_no_leg_ahead():
    bench = Bench(PERP, ETH)
    stuck(bench, {ETH})
    handle = bench.execute(Legs(PAIR, most_unhedged=505, within_s=60))
    bench.run(1)
    assert bench.at_venue(PERP) == 10
    bench.do(lambda s: s.executors()[0].cancel())
    bench.run(2)
    assert (handle.reason, bench.at_venue(PERP)) == ("cancelled", 0)


def test_a_leader_that_finds_nothing_leaves_nothing_behind():
    bench = Bench(PERP, ETH)
    bench.share = 0
    handle = bench.execute(Legs(PAIR, most_unhedged=505))
    bench.run(620)
    assert handle.reason == "refused"
    assert bench.at_venue(PERP) == bench.at_venue(ETH) == 0


def test_taking_back_has_patience_of_its_own_and_ends_as_it_stands():
    bench = Bench(PERP, ETH)
    stuck(bench, {ETH})
    handle = bench.execute(Legs(PAIR, most_unhedged=505, within_s=5))
    bench.run(1)
    bench.rejects = True
    bench.run(400)
    assert not handle.is_done
    bench.run(400)
    assert (handle.reason, handle.filled) == ("unhedged", Decimal("0.010"))
    assert handle.refusal.detail == "rejected"


def test_spot_and_perpetual_of_one_coin():
    bench = Bench(SPOT, PERP)
    bench.venue.wallet["BTC"] = 0
    handle = bench.execute(Legs([(SPOT, "0.010"), (PERP, "-0.010")], most_unhedged=200))
    bench.run(20)
    assert bench.at_venue(PERP) == -10
    assert handle.progress == 1


@pytest.mark.parametrize(
    "wish",
    [
        Legs([(PERP, "0.01")], 500),
        Legs([(PERP, "0.01"), (PERP, "-0.01")], 500),
        Legs([(PERP, "0.01"), ("linear:NONE", "-1")], 500),
        Legs([(PERP, "0.01"), (ETH, "x")], 500),
        Legs(PAIR, 0),
        Legs(PAIR, 30),
        Legs(PAIR, 500, within_s=0),
    ],
)
def test_what_cannot_be_is_refused(wish):
    assert Bench(PERP, ETH).execute(wish).reason == "refused"
