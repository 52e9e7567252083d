"""The ramp: what a strategy without edge may cost, and what the venue's minimum does to that."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plimsoll.core.execution.graduation import DEFAULTS, ramp_of

CASH = 10**8
money = st.integers(1, 10**9 * CASH)


@given(money, money)
def test_costs_no_more_than_the_budget(equity, capital):
    ramp = ramp_of(equity, capital, 0)
    assert ramp.is_within
    assert ramp.cost_units <= equity * DEFAULTS.budget + len(ramp.steps)
    sizes = [step.capital_units for step in ramp.steps]
    assert sizes == sorted(sizes)
    assert sizes[-1] <= capital


def test_steps_of_the_default():
    ramp = ramp_of(10_000 * CASH, 100_000 * CASH, 0)
    assert [step.capital_units // CASH for step in ramp.steps] == [250, 500, 1_500, 5_000]
    assert [step.risk_units // CASH for step in ramp.steps] == [50, 100, 300, 1_000]
    assert [step.cost_units // CASH for step in ramp.steps] == [50, 50, 50, 50]
    assert ramp.budget_units == 200 * CASH
    assert DEFAULTS.ramp[-1] == pytest.approx(1 / DEFAULTS.alpha)


def test_probing_asks_for_no_more_than_the_venue_does():
    ramp = ramp_of(10_000 * CASH, 100_000 * CASH, 40 * CASH)
    assert [step.capital_units // CASH for step in ramp.steps] == [40, 500, 1_500, 5_000]
    assert not any(step.is_raised for step in ramp.steps)


def test_a_step_below_the_venues_minimum_is_raised_and_its_risk_told():
    ramp = ramp_of(1_000 * CASH, 100_000 * CASH, 120 * CASH)
    assert [step.capital_units // CASH for step in ramp.steps] == [120, 120, 150, 500]
    assert [step.is_raised for step in ramp.steps] == [True, True, False, False]
    assert ramp.steps[0].risk_units == 24 * CASH
    assert not ramp.is_within
