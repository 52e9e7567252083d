"""Checks of a new or changed order that need no state: numbers, steps, sizes, words."""

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from plimsoll.core.model import Side, TimeInForce
from plimsoll.simulator.brain.errors import VenueRefusal
from plimsoll.simulator.brain.listings import Listing
from plimsoll.simulator.brain.numbers import ZERO

Params = Mapping[str, Any]
_LINK: Final = re.compile(r"[A-Za-z0-9_-]{1,36}")
_SIDES: Final = {"Buy": Side.BUY, "Sell": Side.SELL}
_TIFS: Final = {
    "GTC": TimeInForce.GTC,
    "IOC": TimeInForce.IOC,
    "FOK": TimeInForce.FOK,
    "PostOnly": TimeInForce.POST_ONLY,
}
_UNSUPPORTED: Final = ("triggerPrice", "takeProfit", "stopLoss", "bboSideType", "slippageTolerance")
_NUMBER_MOST: Final = Decimal("1e15")
"""Beyond it nothing can be counted in steps within the precision of a context."""


def side_of(params: Params) -> Side:
    """Return the side of an order.

    Raises:
        VenueRefusal: 10001 for any other word.
    """
    found = _SIDES.get(str(params.get("side")))
    if found is None:
        raise VenueRefusal(10001, f"params error: side invalid {params.get('side')!r}")
    return found


def kind_of(params: Params) -> str:
    """Return ``Limit`` or ``Market``; refuse what this exchange does not offer.

    Raises:
        VenueRefusal: 10001 naming the parameter.
    """
    kind = params.get("orderType")
    if kind not in ("Limit", "Market"):
        raise VenueRefusal(10001, f"params error: orderType invalid {kind!r}")
    for name in _UNSUPPORTED:
        if str(params.get(name) or "0") != "0":
            raise VenueRefusal(10001, f"params error: {name} is not offered by this simulator")
    if str(params.get("positionIdx") or "0") != "0":
        raise VenueRefusal(10001, "position idx not match position mode")
    return str(kind)


def tif_of(params: Params, kind: str) -> TimeInForce:
    """Return the time in force; market orders are always IOC.

    Raises:
        VenueRefusal: 10001 for an unknown word.
    """
    if kind == "Market":
        return TimeInForce.IOC
    word = params.get("timeInForce") or "GTC"
    if word not in _TIFS:
        raise VenueRefusal(10001, f"params error: timeInForce invalid {word!r}")
    return _TIFS[word]


def link_of(params: Params) -> str:
    """Return the client id, "" for none.

    Raises:
        VenueRefusal: 10001 where it is too long or has other characters.
    """
    link = str(params.get("orderLinkId") or "")
    if link and not _LINK.fullmatch(link):
        raise VenueRefusal(10001, "params error: order link id is longer than 36 or has bad chars")
    return link


def number_of(params: Params, name: str) -> Decimal:
    """Return a positive or zero decimal parameter.

    Raises:
        VenueRefusal: 10001 where it is missing, negative or no number.
    """
    text = str(params.get(name, ""))
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal(-1)
    if not value.is_finite() or value < 0 or value > _NUMBER_MOST:
        raise VenueRefusal(10001, f"params error: {name} invalid {text[:40]!r}")
    return value


def ticks_of(listing: Listing, params: Params) -> int:
    """Return the price in ticks.

    Raises:
        VenueRefusal: 10001 (linear) or 170134 (spot) off the tick or at zero.
    """
    price = number_of(params, "price")
    ticks, rest = divmod(price, listing.instrument.tick)
    if rest or not ticks:
        step = listing.instrument.tick_size
        raise _refuse(listing, 10001, 170134, f"price {price} is not a multiple of {step}")
    return int(ticks)


def lots_of(listing: Listing, params: Params) -> int:
    """Return the quantity in lots.

    Raises:
        VenueRefusal: 10001 (linear) or 170137 (spot) off the step or at zero.
    """
    qty = number_of(params, "qty")
    lots, rest = divmod(qty, listing.instrument.lot)
    if rest or not lots:
        step = listing.instrument.lot_size
        raise _refuse(listing, 10001, 170137, f"qty {qty} is not a multiple of {step}")
    return int(lots)


def check_size(
    listing: Listing, kind: str, price_ticks: int, lots: int, *, reduce_only: bool
) -> None:
    """Refuse quantities and values outside the instrument's filters.

    Raises:
        VenueRefusal: 10001, 110094 (linear); 170140, 170381 (spot).
    """
    item = listing.instrument
    most = Decimal(item.max_market_qty if kind == "Market" else item.max_qty)
    qty = listing.qty(lots)
    if qty > most:
        raise _refuse(listing, 10001, 170381, f"qty {qty} is above the maximum {most}")
    if not listing.is_spot and qty < Decimal(item.min_qty):
        raise VenueRefusal(10001, f"params error: qty {qty} is below the minimum {item.min_qty}")
    value = listing.value(price_ticks, lots)
    if value < Decimal(item.min_notional) and not reduce_only:
        raise _refuse(listing, 110094, 170140, "")


def quote_value_of(listing: Listing, params: Params) -> Decimal:
    """Return the value a spot market buy names in quote coin, 0 where it names a quantity.

    Raises:
        VenueRefusal: 10001, 170140 below the minimum, 170148 too fine.
    """
    unit = params.get("marketUnit") or ("quoteCoin" if params.get("side") == "Buy" else "baseCoin")
    if not listing.is_spot or unit != "quoteCoin" or params.get("side") != "Buy":
        return ZERO
    value = number_of(params, "qty")
    if value % Decimal("0.0000001"):
        raise VenueRefusal(170148)
    if value < Decimal(listing.instrument.min_notional):
        raise VenueRefusal(170140)
    return value


def _refuse(listing: Listing, linear: int, spot: int, message: str) -> VenueRefusal:
    return VenueRefusal(spot if listing.is_spot else linear, message)
