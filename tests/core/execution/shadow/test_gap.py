"""Verdicts, sums of kinds, and the settings that would agree with what was measured."""

import pytest

from plimsoll.core.execution.shadow import (
    Bound,
    Cell,
    Key,
    Kind,
    Mean,
    Pairs,
    Verdict,
    bound_of,
    gap_of,
    judged,
    latency_of,
    merged,
    queue_share_of,
)
from plimsoll.core.execution.shadow.cell import PPB
from plimsoll.core.execution.shadow.run import Filled
from plimsoll.core.settings import CoreSettings

BOUND = Bound(price_bps=2.0, filled=0.1)
TAKES, RESTS = Key("s", "linear:X", Kind.TAKES), Key("s", "linear:X", Kind.RESTS)


def cell_of(mean_bps: float, spread_bps: float, n: int, pairs: Pairs) -> Cell:
    """Return a cell whose price differences are n/2 above and below a mean."""
    cell = Cell(pairs=pairs)
    for place in range(n):
        sign = 1 if place % 2 else -1
        cell.price.add(round((mean_bps + sign * spread_bps) * PPB / 10_000))
    return cell


def verdict(cell: Cell) -> tuple[Verdict, str]:
    (found,) = judged({TAKES: cell}, BOUND)
    return found.verdict, found.reason


SAME = Pairs(both=300)


def test_inside_takes_both_intervals_wholly_within_their_bounds():
    assert verdict(cell_of(0.5, 1.0, 300, SAME)) == (Verdict.INSIDE, "")


def test_one_interval_wholly_beyond_its_bound_is_outside_either_way():
    for sign in (1, -1):
        found, reason = verdict(cell_of(sign * 5.0, 1.0, 300, SAME))
        assert found is Verdict.OUTSIDE
        assert reason.startswith("price: ")
        assert reason.endswith("is beyond 2")
    for pairs in (Pairs(both=200, paper_only=100), Pairs(both=200, live_only=100)):
        found, reason = verdict(cell_of(0.0, 1.0, 200, pairs))
        assert found is Verdict.OUTSIDE
        assert reason.startswith("filled: ")


def test_what_is_neither_is_open_and_says_what_is_missing():
    found, reason = verdict(cell_of(1.9, 5.0, 300, SAME))
    assert found is Verdict.OPEN
    assert reason == "price: +1.33 to +2.47 bps is not wholly within 2"
    found, reason = verdict(cell_of(0.0, 0.1, 20, Pairs(both=20)))
    assert found is Verdict.OPEN
    assert reason == "price: n is 20, needs 30; filled: n is 20, needs 30"
    assert verdict(Cell())[0] is Verdict.OPEN


def test_orders_that_none_filled_leave_the_price_open():
    found, reason = verdict(cell_of(0.0, 0.0, 0, Pairs(neither=300)))
    assert (found, reason) == (Verdict.OPEN, "price: n is 0, needs 30")


def test_kinds_are_judged_together_and_told_apart():
    takes = cell_of(0.0, 1.0, 300, SAME)
    rests = cell_of(0.0, 1.0, 100, Pairs(both=100, paper_only=300))
    (found,) = judged({TAKES: takes, RESTS: rests}, BOUND)
    assert found.gap.compared == 700
    assert found.verdict is Verdict.OUTSIDE
    assert verdict(takes)[0] is Verdict.INSIDE, "what is merged is left as it was"


def test_the_bound_is_the_configured_one():
    settings = CoreSettings(account="", tag="", gap_price_ppm=550, gap_filled_ppm=50_000)
    assert bound_of(settings) == Bound(5.5, 0.05)


def test_prices_are_compared_exactly_whatever_was_filled():
    cell = Cell()
    cell.add(1, 10, Filled(10, 1_007, 5, 9), Filled(4, 400, 3, 3), 7)  # 100.7 against 100
    assert cell.price.total == 7 * PPB // 1_000
    assert cell.cost_units == 4 * 7 * 7 // 10  # 0.7 ticks for the four lots both have
    assert cell.worth_units == 400 * 7
    assert cell.share.total == 600_000
    assert (cell.first.total, cell.complete.n) == (2, 0)
    cell.add(-1, 10, Filled(0), Filled(10, 1_000, 1, 1), 7)
    assert (cell.pairs.both, cell.pairs.paper_only, cell.price.n) == (1, 1, 1)
    twice = merged([cell, cell])
    assert twice.cost_units == 2 * cell.cost_units
    assert gap_of(twice).bias_bps == gap_of(cell).bias_bps == pytest.approx(67.857, abs=1e-3)


# ---- recalibration ----


def tried(*paper: int, live: int = 60, n: int = 100) -> Cell:
    """Return a cell in which so many of n orders were filled live and at each share."""
    cell = Cell()
    cell.by_share = [
        Pairs(
            both=min(live, count),
            live_only=max(0, live - count),
            paper_only=max(0, count - live),
            neither=n - max(live, count),
        )
        for count in paper
    ]
    return cell


def test_the_share_is_where_the_difference_crosses_zero():
    found = queue_share_of(tried(90, 85, 80, 70, 50, 30, 10))
    assert found.share.value == pytest.approx(0.375)
    assert (found.share.n, *found.share[2:]) == (100, 0.25, 0.5)
    assert found.reason == ""


def test_the_interval_ends_at_the_nearest_shares_that_are_refuted():
    few = queue_share_of(tried(90, 85, 80, 62, 58, 50, 10)).share
    assert few[2:] == (0.125, 0.75)
    many = tried(9_000, 8_500, 8_000, 6_200, 5_800, 5_000, 1_000, live=6_000, n=10_000)
    assert queue_share_of(many).share.value == pytest.approx(0.375)
    assert queue_share_of(many).share[2:] == (0.25, 0.5)


def test_an_end_of_the_scale_is_a_share_and_beyond_it_there_is_none():
    assert queue_share_of(tried(60, 50, 40, 30, 20, 10, 5)).share[1:] == (0.0, 0.0, 0.0625)
    assert queue_share_of(tried(95, 90, 85, 80, 75, 70, 60)).share[1:] == (1.0, 0.75, 1.0)
    front = queue_share_of(tried(30, 28, 26, 25, 20, 15, 10))
    assert front.share.value == 0.0
    assert "in front of the queue: another cause" in front.reason
    behind = queue_share_of(tried(99, 98, 97, 95, 94, 93, 92))
    assert behind.share.value == 1.0
    assert "behind all of the queue: another cause" in behind.reason


def test_too_few_orders_or_none_that_depends_on_it_have_no_share():
    assert queue_share_of(tried(9, 8, 7, 5, 3, 2, 1, live=6, n=10)).reason == "n is 10, needs 30"
    found = queue_share_of(tried(60, 60, 60, 60, 60, 60, 60))
    assert found.share.value is None
    assert found.reason == "no order's fate depended on its place in the queue"


def test_latency_is_in_milliseconds():
    cell = Cell()
    cell.latency = Mean()
    for value in (20_000_000, 30_000_000):
        cell.latency.add(value)
    assert latency_of(cell).value == pytest.approx(25.0)
