"""What a coin is worth as collateral."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from plimsoll.simulator.brain.numbers import text_of

RATIOS: Final[dict[str, Decimal]] = {
    "USDT": Decimal(1),
    "USDC": Decimal(1),
    "BTC": Decimal("0.95"),
    "ETH": Decimal("0.9"),
}
"""Share of a positive balance that counts as margin; a coin not named counts nothing.

A debt counts in full. The ratios are this exchange's own: the venue has tables by amount.
"""

STABLE: Final = frozenset({"USDT", "USDC"})
"""Coins the user cannot switch off as collateral."""


def collateral_row(coin: str, ratio: Decimal, usd: Mapping[str, Decimal]) -> dict[str, Any]:
    """Return a row of ``/v5/account/collateral-info``; nothing can be borrowed here."""
    counts = bool(ratio)
    return {
        "currency": coin,
        "hourlyBorrowRate": "0",
        "maxBorrowingAmount": "0",
        "freeBorrowingLimit": "0",
        "freeBorrowAmount": "0",
        "borrowAmount": "0",
        "otherBorrowAmount": "0",
        "availableToBorrow": "0",
        "borrowable": False,
        "freeBorrowingAmount": "",
        "borrowUsageRate": "0",
        "marginCollateral": counts,
        "collateralSwitch": counts,
        "collateralRatio": text_of(ratio),
        "usdIndexPrice": text_of(usd.get(coin, Decimal(0))),
    }
