"""Exact money: integers of one hundred-millionth of a coin, and the one tolerant decimal reader."""

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, InvalidOperation
from typing import Final

CASH_SCALE: Final = 8
"""Decimal places of a cash unit: 1 cash unit = 1e-8 of its coin."""

_UNIT: Final = Decimal(10) ** CASH_SCALE
_PLACES_MOST: Final = 100
_LIMIT: Final = 1 << 96
"""Largest cash amount accepted, far above any coin's supply: more is an error upstream."""


def decimal_of(text: str) -> Decimal:
    """Return the finite decimal written in ``text``; the empty string is zero.

    Accepts what the venue sends: plain, exponent (``1E-8``) and empty (``""`` means "no value").

    Raises:
        ValueError: ``text`` is no finite decimal number, or one of more than a hundred places:
            arithmetic on those overflows, and nothing that is counted here comes near.
    """
    if not text:
        return Decimal(0)
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = None
    if value is None or not value.is_finite() or abs(value.adjusted()) > _PLACES_MOST:
        raise ValueError(f"expected a finite decimal number, found {text[:60]!r}")
    return value


def cash_units(text: str, *, up: bool = False) -> int:
    """Return the cash units of a decimal amount, rounded down, or up where ``up`` (fees).

    Raises:
        ValueError: not a finite decimal, or larger than 2**96 units.
    """
    scaled = decimal_of(text) * _UNIT
    units = int(scaled.to_integral_value(ROUND_CEILING if up else ROUND_FLOOR))
    if abs(units) > _LIMIT:
        raise ValueError(f"amount {text!r} is beyond every plausible balance")
    return units


def cash_text(units: int) -> str:
    """Return cash units as plain decimal text without trailing zeros."""
    sign = "-" if units < 0 else ""
    whole, fraction = divmod(abs(units), 10**CASH_SCALE)
    tail = f"{fraction:0{CASH_SCALE}d}".rstrip("0")
    return f"{sign}{whole}.{tail}" if tail else f"{sign}{whole}"
