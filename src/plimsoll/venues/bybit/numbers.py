"""The one reader of the venue's numbers: text, bare numbers, exponents, and the signs for "none".

``""``, null and an absent field mean "no value"; ``"0"`` and ``"0.00"`` are numbers. Money is never
read as a float: a bare number in JSON becomes the decimal that its text says.
"""

from decimal import Decimal
from typing import Annotated, Final

import msgspec

from plimsoll.core.model import decimal_of
from plimsoll.venues.bybit.errors import ParseError

CAP: Final = 10**18
"""No price, quantity, balance or time in ms comes near it: more is an error upstream."""

_PLACES: Final = 100

STORED_CAP: Final = 1 << 62
"""A record of the journal holds no larger whole number."""

Stored = Annotated[int, msgspec.Meta(ge=-STORED_CAP, le=STORED_CAP)]
"""A bare whole number that goes into a record as it is."""

Text = str | int | float | Decimal | None
"""Decimal text, which some endpoints send as a number; null and "" both mean "no value"."""


def has_value(value: object) -> bool:
    """Return whether the venue said anything: null and "" are its ways of saying nothing."""
    return value is not None and value != ""


def decimal_in(value: Text, cap: int = CAP) -> Decimal:
    """Return the number, zero where there is none.

    Raises:
        ValueError: it is no finite number, or beyond ``cap``.
    """
    number = value if isinstance(value, Decimal) else decimal_of(str(value or ""))
    if not number.is_finite() or abs(number) > cap:
        raise ValueError(f"expected at most {Decimal(cap):.0e}, found {value}")
    if number.adjusted() < -_PLACES:  # written out it would fill the memory
        raise ValueError(f"expected at most {_PLACES} decimals, found {value}")
    return number


def number(value: Text, what: str, field: str) -> Decimal:
    """Return the number of a field, zero where there is none.

    Raises:
        ParseError: it is no finite number, or beyond ``CAP``.
    """
    try:
        return decimal_in(value)
    except ValueError as error:
        raise ParseError(f"{what}: {field}: {error}") from error


def stored(count: int) -> int:
    """Return a count of steps or units that a record can hold.

    Raises:
        ValueError: it cannot: nothing that is counted here comes near.
    """
    if abs(count) > STORED_CAP:
        raise ValueError(f"expected at most {STORED_CAP:.0e} steps, found {count:.0e}")
    return count


def required(value: str | int | float | None, what: str, field: str) -> str | int | float:
    """Return a value that must be there: no value is not zero where it moves money.

    Raises:
        ParseError: there is none.
    """
    if value is None or value == "":
        raise ParseError(f"{what}: {field} expected a number, found {value!r}")
    return value


def whole(value: Text, what: str, field: str) -> int:
    """Return a whole number, zero where there is none.

    Raises:
        ParseError: it is no whole number.
    """
    found = number(value, what, field)
    if found != found.to_integral_value():
        raise ParseError(f"{what}: {field} expected a whole number, found {value!r}")
    return int(found)
