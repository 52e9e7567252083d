"""Funding against exact fractions: never a unit in the holder's favour, never more than one off."""

from fractions import Fraction
from math import ceil

from hypothesis import given
from hypothesis import strategies as st

from plimsoll.core.portfolio import funding_units, mark_e8_of, rate_e12_of


@given(
    st.integers(-(10**14), 10**14),
    st.decimals("0.00000001", "1000000", places=8),
    st.decimals("-0.04", "0.04", places=10),
)
def test_funding_is_the_exact_product_rounded_up(qty_units, mark, rate):
    exact = Fraction(qty_units) * Fraction(mark) * Fraction(rate)
    paid = funding_units(qty_units, mark_e8_of(float(mark)), rate_e12_of(float(rate)))
    assert paid == ceil(exact)


def test_a_long_pays_where_the_rate_is_positive_and_a_short_receives():
    one = (10**8, mark_e8_of(50_000.0), rate_e12_of(0.0001))
    assert funding_units(*one) == 5 * 10**8
    assert funding_units(-(10**8), *one[1:]) == -5 * 10**8
    assert funding_units(*one[:2], rate_e12_of(-0.0001)) == -5 * 10**8
