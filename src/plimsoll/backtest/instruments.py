"""An instrument for data that came without filters: steps read off the prices, and said so."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from plimsoll.backtest.plan import Row
from plimsoll.core.model import CASH_SCALE, Instrument

LOOKED_AT: Final = 2_000
"""Bars whose prices are looked at."""

_QUOTES: Final = ("USDT", "USDC", "PERP")
_FEES: Final = {"linear": ("0.00055", "0.0002"), "spot": ("0.001", "0.001")}
"""Taker and maker of an account without a level (Bybit's fee table); filters bring own rates."""


def inferred(name: str, rows: Iterable[Row]) -> Instrument:
    """Return an instrument whose tick is the finest step among the prices of the rows.

    Its lot is worth about a quote unit at most. There are no minimums, since nobody said any.

    Raises:
        ValueError: there are no rows, or the steps are finer than exact integers carry.
    """
    category, _, symbol = name.partition(":")
    places, price = 0, 0.0
    for row in rows:
        price = price or row[4]
        for value in row[1:5]:
            text = format(Decimal(repr(value)).normalize(), "f")
            places = max(places, len(text.partition(".")[2]))
    if not price:
        raise ValueError(f"{name}: there are no bars to read its steps from")
    lot = Decimal(1)
    while lot * Decimal(repr(price)) > 1 and places + -int(lot.adjusted()) < CASH_SCALE:
        lot /= 10
    quote = next((one for one in _QUOTES if symbol.endswith(one)), "USDT")
    taker, maker = _FEES.get(category, _FEES["linear"])
    coin = "USDC" if quote == "PERP" else quote
    return Instrument(
        name=name,
        category=category,
        symbol=symbol,
        base=symbol.removesuffix(quote),
        quote=coin,
        settle="" if category == "spot" else coin,
        tick_size=format(Decimal(1).scaleb(-places), "f"),
        lot_size=format(lot, "f"),
        min_qty=format(lot, "f"),
        max_qty="0",
        max_market_qty="0",
        min_notional="0",
        taker_fee=taker,
        maker_fee=maker,
    )
