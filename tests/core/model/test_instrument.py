"""Floats as counts of steps: the quick way and the exact way agree."""

from decimal import ROUND_FLOOR, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plimsoll.core.model import Instrument
from plimsoll.core.model.instrument import whole_steps
from plimsoll.core.strategy.number import lots_of

STEPS = ("1", "0.5", "0.25", "0.1", "0.05", "0.01", "0.001", "0.00000001", "0.3", "10", "0.00125")


@given(st.sampled_from(STEPS), st.integers(-(10**9), 10**9), st.integers(-3, 3))
def test_a_float_counts_as_many_steps_as_its_text(step, count, ulps):
    value = float(Decimal(step) * count) * (1 + ulps * 2**-52)
    found = whole_steps(value, float(1 / Decimal(step)))
    exact = Decimal(str(value)) / Decimal(step)
    if found is not None:
        assert found == exact
    elif abs(value) < 1e7 and (1 / Decimal(step)) % 1 == 0:
        assert exact != exact.to_integral_value(ROUND_FLOOR)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 1e7, 1e300])
def test_what_has_too_many_digits_is_left_to_decimal(value):
    assert whole_steps(value, 10.0) is None


@given(st.sampled_from(STEPS), st.integers(1, 10**6))
def test_a_price_and_a_quantity_are_the_floats_nearest_to_their_text(step, count):
    assert spot(tick=step).price(count) == float(Decimal(step) * count)
    assert spot(lot=step).qty(count) == float(Decimal(step) * count)


@given(st.sampled_from((*STEPS, "0.000001")), st.integers(1, 10**6))
def test_what_a_strategy_reads_of_its_position_is_what_it_can_sell(lot, count):
    """Five lots times the float 0.000001 are a hair less than five, and would leave one."""
    listed = spot(lot=lot)
    assert lots_of(listed, listed.qty(count)) == count


def spot(*, tick="1", lot="1"):
    filters = (tick, lot, lot, "0", "0", "0")
    return Instrument("spot:BTCUSDT", "spot", "BTCUSDT", "BTC", "USDT", "", *filters)
