"""Worse is positive, on either side."""

import pytest

from plimsoll.core.model.slippage import slipped


@pytest.mark.parametrize(
    ("sign", "price", "cost"),
    [(+1, 1_001, 1_000), (-1, 999, 1_000), (+1, 999, -1_000), (-1, 1_001, -1_000), (1, 1_000, 0)],
)
def test_worse_than_the_reference_is_positive(sign, price, cost):
    assert slipped(sign, price, 1_000) == cost


def test_it_is_rounded_down_to_the_part_asked_for():
    assert slipped(+1, 3_000_001, 3_000_000) == 0
    assert slipped(-1, 3_000_001, 3_000_000) == -1
    assert slipped(+1, 3_000_001, 3_000_000, 1_000_000_000) == 333
