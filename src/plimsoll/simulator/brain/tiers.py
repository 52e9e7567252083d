"""Risk tiers: the larger a position with its orders, the more margin and the less leverage.

Source of the formulas: Bybit help, margin parameters. The limits and rates are this exchange's own.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, Final

import msgspec

from plimsoll.simulator.brain.numbers import ZERO, text_of

Band = tuple[int, str, str]
"""Risk limit in settle coin, maintenance rate, highest leverage."""

BANDS: Final[dict[str, tuple[Band, ...]]] = {
    "BTC": (
        (2_000_000, "0.005", "100.00"),
        (10_000_000, "0.01", "50.00"),
        (20_000_000, "0.015", "33.33"),
        (50_000_000, "0.02", "25.00"),
        (100_000_000, "0.03", "16.66"),
        (200_000_000, "0.05", "10.00"),
    ),
    "ETH": (
        (1_500_000, "0.005", "100.00"),
        (6_000_000, "0.01", "50.00"),
        (12_000_000, "0.015", "33.33"),
        (30_000_000, "0.02", "25.00"),
        (60_000_000, "0.05", "10.00"),
    ),
    "DOGE": (
        (500_000, "0.0065", "75.00"),
        (2_000_000, "0.01", "50.00"),
        (5_000_000, "0.02", "25.00"),
        (10_000_000, "0.05", "10.00"),
    ),
}


class Tier(msgspec.Struct, frozen=True):
    """One tier; ``number`` counts from 1, ``limit`` and ``deduction`` are in settle coin."""

    number: int
    limit: Decimal
    rate: Decimal
    max_leverage: str
    deduction: Decimal


def tiers_of(bands: Iterable[Band]) -> tuple[Tier, ...]:
    """Return the tiers with their maintenance deductions.

    mmDeduction(n) = limit(n-1) x (MMR(n) - MMR(n-1)) + mmDeduction(n-1): the margin of a position
    that crosses a limit does not jump.
    """
    tiers: list[Tier] = []
    for number, (limit, rate, leverage) in enumerate(bands, start=1):
        deduction = ZERO
        if tiers:
            last = tiers[-1]
            deduction = last.limit * (Decimal(rate) - last.rate) + last.deduction
        tiers.append(Tier(number, Decimal(limit), Decimal(rate), leverage, deduction))
    return tuple(tiers)


def tier_of(tiers: Sequence[Tier], value: Decimal) -> Tier:
    """Return the lowest tier that holds a value, the last one beyond its limit."""
    return next((tier for tier in tiers if value <= tier.limit), tiers[-1])


def tier_row(symbol: str, tier: Tier) -> dict[str, Any]:
    """Return a row of ``/v5/market/risk-limit``; rates are fractions, as for linear."""
    return {
        "id": tier.number,
        "symbol": symbol,
        "riskLimitValue": text_of(tier.limit),
        "maintenanceMargin": text_of(tier.rate),
        "initialMargin": text_of(round(1 / Decimal(tier.max_leverage), 4)),
        "isLowestRisk": int(tier.number == 1),
        "maxLeverage": tier.max_leverage,
        "mmDeduction": text_of(tier.deduction) if tier.deduction else "",
    }
