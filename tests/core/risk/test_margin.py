"""Margin of paper against a naive twin in fractions, and against the exchange of our own."""

from decimal import Decimal
from fractions import Fraction
from math import ceil

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.properties.driver import CASH, ETH, INSTRUMENTS, PERP

from plimsoll.core.risk.margin import (
    bankruptcy_ticks,
    initial_units,
    maintenance_units,
    terms_of,
)

TIERS = (("2000000", "0.005"), ("10000000", "0.01"), ("20000000", "0.015"))
BTC = msgspec.structs.replace(INSTRUMENTS[PERP], max_leverage="100", risk_tiers=TIERS)
EDGE = 1_000_000


def naive_maintenance(value: Fraction, sign: int, leverage: int) -> Fraction:
    """Each slice of the value at the rate of its own tier: what deductions amount to."""
    margin, below = Fraction(0), Fraction(0)
    for place, (limit, rate) in enumerate(TIERS):
        is_last = place == len(TIERS) - 1
        upper = value if is_last else min(value, Fraction(limit))
        margin += max(Fraction(0), upper - below) * Fraction(rate)
        below = max(below, Fraction(limit))
    return margin + value * (1 - Fraction(sign, leverage)) * Fraction("0.00055")


@given(st.integers(1, 30 * 10**6 * CASH), st.sampled_from([1, -1]), st.integers(1, 100))
def test_maintenance_is_that_of_its_slices(value, sign, leverage):
    terms = terms_of(BTC, leverage * EDGE)
    exact = naive_maintenance(Fraction(value, CASH), sign, leverage) * CASH
    assert maintenance_units(terms, value, sign) == ceil(exact)


@given(st.integers(1, 10**15), st.sampled_from([1, -1]), st.integers(1, 100))
def test_initial_margin_is_value_over_leverage_and_the_fee_to_close(value, sign, leverage):
    exact = Fraction(value, leverage) + value * (1 - Fraction(sign, leverage)) * Fraction("0.00055")
    assert initial_units(terms_of(BTC, leverage * EDGE), value, sign) == ceil(exact)


@given(
    st.integers(1, 100_000),
    st.sampled_from([1, -1]),
    st.integers(100_000, 900_000),
    st.integers(-(10**13), 10**13),
)
def test_a_bankruptcy_price_uses_the_equity_up_and_no_more(size, sign, mark, equity):
    lots = sign * size
    price = bankruptcy_ticks(BTC, terms_of(BTC, 0), lots, mark, equity)
    tick = BTC.notional_units(1, size)

    def left(at: int) -> Fraction:
        profit = BTC.notional_units(at - mark, lots)
        return equity + profit - Fraction("0.00055") * BTC.notional_units(at, size)

    if price > 1:
        assert 0 <= left(price) <= tick * (1 + Fraction("0.00055"))
        assert left(price - sign) < 0


@pytest.mark.parametrize(
    ("most", "rate"), [("100", Fraction(1, 200)), ("25", Fraction(1, 50)), ("0", Fraction(1, 100))]
)
def test_without_tiers_a_rate_is_assumed(most, rate):
    instrument = msgspec.structs.replace(INSTRUMENTS[ETH], max_leverage=most)
    assert [one.rate for one in terms_of(instrument, 0).tiers] == [rate]


def test_leverage_is_the_accounts_but_never_above_what_there_is():
    instrument = msgspec.structs.replace(INSTRUMENTS[ETH], max_leverage="25")
    assert terms_of(instrument, 0).leverage == 10
    assert terms_of(instrument, 50 * EDGE).leverage == 25
    assert terms_of(instrument, 3 * EDGE).leverage == 3
    assert Decimal(instrument.max_leverage) == 25
