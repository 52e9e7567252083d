"""Exact decimals as the venue writes them, and things drawn from a seed by hashing."""

import hashlib
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal, InvalidOperation
from typing import Final

ZERO: Final = Decimal(0)
_UNIT: Final = Decimal("1e-8")
EXACT: Final = Context(prec=60)
"""Wide enough that no product of price, quantity and cost is rounded before we round it."""


def text_of(value: Decimal) -> str:
    """Return plain decimal text without an exponent or trailing zeros."""
    return format(value.normalize(EXACT), "f") if value else "0"


def decimal_of(text: str) -> Decimal:
    """Return a finite decimal.

    Raises:
        ValueError: the text is no such number.
    """
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite():
        raise ValueError(f"{text!r} is not a decimal number")
    return value


def ceil8(value: Decimal) -> Decimal:
    """Return the value rounded towards plus infinity at 1e-8."""
    return value.quantize(_UNIT, ROUND_CEILING, EXACT)


def floor8(value: Decimal) -> Decimal:
    """Return the value rounded towards minus infinity at 1e-8."""
    return value.quantize(_UNIT, ROUND_FLOOR, EXACT)


def drawn_uuid(seed: int, kind: str, count: int) -> str:
    """Return a UUID-shaped id that depends on its arguments only."""
    text = hashlib.sha1(f"{seed}:{kind}:{count}".encode(), usedforsecurity=False).hexdigest()
    return f"{text[:8]}-{text[8:12]}-5{text[13:16]}-8{text[17:20]}-{text[20:32]}"


def drawn_fraction(seed: int, kind: str, count: int) -> float:
    """Return a number in [0, 1) that depends on its arguments only."""
    digest = hashlib.sha1(f"{seed}:{kind}:{count}".encode(), usedforsecurity=False).digest()
    return int.from_bytes(digest[:6], "big") / (1 << 48)
