"""What funding comes to: position x mark x rate, exact, rounded against the holder."""

from typing import Final

MARK_E8: Final = 10**8
"""A mark price is counted in parts of so many: finer than ticks, as tickers tell it."""

RATE_E12: Final = 10**12
"""Likewise a funding rate."""


def funding_units(qty_units: int, mark_e8: int, rate_e12: int) -> int:
    """Return what a position pays at one funding time.

    Args:
        qty_units: Signed size in cash units of the base coin, long positive.
        mark_e8: Mark price of that moment times 1e8.
        rate_e12: Funding rate times 1e12, positive where longs pay.

    Returns:
        Cash units of the settle coin; positive means it pays. Rounded against it: up.

    Source: Bybit help, introduction to funding rate (position value x rate).
    """
    return -(-qty_units * mark_e8 * rate_e12 // (MARK_E8 * RATE_E12))


def mark_e8_of(price: float) -> int:
    """Return a mark price told as a float; exact for prices of up to fifteen digits."""
    return round(price * MARK_E8)


def rate_e12_of(rate: float) -> int:
    """Return a funding rate told as a float; exact to twelve decimals."""
    return round(rate * RATE_E12)
