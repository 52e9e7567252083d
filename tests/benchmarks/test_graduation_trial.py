"""The published trial at a small size: how often no edge is promoted, and what it costs."""

import math
import random
from itertools import islice

import pytest
from benchmarks.graduation_trial import (
    SPREAD,
    TRIPS,
    Tally,
    plain_row,
    proven,
    row_of,
    trial,
)
from benchmarks.synthetic_returns import NOISES, days_of

from plimsoll.core.execution.graduation import DEFAULTS, DayRow, summary_of

PATHS, DAYS = 120, 400


@pytest.fixture(scope="module", params=NOISES)
def edgeless(request):
    return trial(request.param, 0.0, PATHS, days=DAYS)


def test_without_edge_no_step_is_reached_more_often_than_its_evidence_allows(edgeless):
    for nth, evidence in enumerate(DEFAULTS.ramp[1:]):
        chance = 1 / evidence
        error = 3 * math.sqrt(chance * (1 - chance) / PATHS)
        assert edgeless.share(lambda path, nth=nth: path.steps[nth]) <= chance + error
    assert edgeless.share(proven) <= DEFAULTS.alpha + 3 * math.sqrt(0.05 * 0.95 / PATHS)


def test_without_edge_the_loss_stays_inside_the_budget(edgeless):
    mean, loss, _worst = edgeless.cost(lambda path: path.result)
    assert loss <= DEFAULTS.budget
    assert -mean <= DEFAULTS.budget


def test_the_screen_alone_lets_no_edge_through_and_costs_many_times_as_much():
    found = trial("normal", 0.0, PATHS, days=DAYS)
    assert found.share(lambda path: path.naive, 180) > 0.4
    screened = found.cost(lambda path: path.result)[1]
    assert found.cost(lambda path: path.naive_result)[1] > 5 * screened


def test_an_edge_comes_further_than_none():
    shares = [trial("normal", sharpe, 40).share(proven) for sharpe in (0.0, 3.0)]
    assert shares[1] > shares[0] + 0.3


@pytest.mark.parametrize("noise", NOISES)
def test_the_noise_has_the_spread_it_claims(noise):
    found = list(islice(NOISES[noise](random.Random(2)), 40_000))
    mean = sum(found) / len(found)
    assert mean == pytest.approx(0, abs=0.06)
    assert sum((one - mean) ** 2 for one in found) / len(found) == pytest.approx(1, rel=0.12)


def test_the_days_it_keeps_are_those_of_the_slow_summary():
    tally, rows, level = Tally(), [], 1.0
    for nth, day in enumerate(
        islice(days_of(NOISES["fat tails"], 1, SPREAD, random.Random(4)), 90)
    ):
        tally.add(day)
        before, level = level, level * (1 + day.gain)
        high, low = max(before, level), min(before, level)
        fall = (before - level) / before if level < before else 0.0
        won = sum(round(max(0.0, trip) * 10**12) for trip in day.trips)
        lost = sum(round(max(0.0, -trip) * 10**12) for trip in day.trips)
        rows.append(DayRow(nth, day.gain, high, low, fall, TRIPS, 0, won, lost))
    mine, slow = tally.summary(), summary_of(rows)
    assert (mine.days, mine.trips) == (slow.days, slow.trips)
    for name in ("sharpe", "sharpe_low", "drawdown", "profit_factor", "variance"):
        assert getattr(mine, name) == pytest.approx(getattr(slow, name))


def test_the_same_seed_gives_the_same_rows():
    first, second = (trial("normal", 1.0, 3, days=120) for _ in range(2))
    assert row_of(first) == row_of(second)
    assert plain_row(first) == plain_row(second)
