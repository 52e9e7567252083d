from decimal import Decimal

import pytest

from plimsoll.venues.bybit.errors import ParseError
from plimsoll.venues.bybit.numbers import decimal_in, number, required, whole


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("", "0"),
        (None, "0"),
        ("0", "0"),
        ("0.00", "0"),
        (0, "0"),
        ("1E-8", "0.00000001"),
        ("-0.5", "-0.5"),
        (7, "7"),
        (0.1, "0.1"),
        (Decimal("1.10"), "1.10"),
    ],
)
def test_every_way_to_write_a_number_is_read(value, expected):
    assert decimal_in(value) == Decimal(expected)


@pytest.mark.parametrize(
    "value",
    ["x", "nan", "inf", "1,5", "1e19", "1e-101", "0e-999999999", float("nan"), Decimal("NaN")],
)
def test_what_is_no_number_names_its_field(value):
    with pytest.raises(ParseError, match="order 7: qty"):
        number(value, "order 7", "qty")


def test_no_value_is_not_zero_where_one_must_be():
    assert required("0", "x", "y") == "0"
    for nothing in ("", None):
        with pytest.raises(ParseError, match="walletBalance expected a number"):
            required(nothing, "wallet USDT", "walletBalance")


def test_whole_numbers_have_no_fraction():
    assert whole("1700000000000", "x", "y") == 1_700_000_000_000
    assert whole("", "x", "y") == 0
    with pytest.raises(ParseError, match="whole number"):
        whole("1.5", "x", "y")
