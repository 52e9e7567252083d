"""Checks of a new or changed order that need no state: numbers, steps, sizes, words."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from plimsoll.core.model import Side, TimeInForce
from plimsoll.simulator.brain.errors import VenueRefusal
from plimsoll.simulator.brain.listings import Listing
from plimsoll.simulator.brain.numbers import ZERO

Params = Mapping[str, Any]
_LINK: Final = re.compile(r"[A-Za-z0-9_-]{1,36}")
_NUMBER: Final = re.compile(r"\d{1,20}(\.\d{0,20})?([eE][+-]?\d{1,2})?", re.ASCII)
_LARGEST: Final = Decimal("1e15")
_SIDES: Final = {"Buy": Side.BUY, "Sell": Side.SELL}
_TIFS: Final = {
    "GTC": TimeInForce.GTC,
    "IOC": TimeInForce.IOC,
    "FOK": TimeInForce.FOK,
    "PostOnly": TimeInForce.POST_ONLY,
}
_SMP_TYPES: Final = ("None", "CancelMaker", "CancelTaker", "CancelBoth")
_BBO_SIDES: Final = ("Queue", "Counterparty")
_BBO_DEEPEST: Final = 5
_TICKS_MOST: Final = 10_000
_PERCENT_LEAST, _PERCENT_MOST = Decimal("0.01"), Decimal(10)


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
    """Return ``Limit`` or ``Market``.

    Raises:
        VenueRefusal: 10001 for another word, and for a side of a hedged position.
    """
    kind = params.get("orderType")
    if kind not in ("Limit", "Market"):
        raise VenueRefusal(10001, f"params error: orderType invalid {kind!r}")
    if str(params.get("positionIdx") or "0") != "0":
        raise VenueRefusal(10001, "position idx not match position mode")
    return str(kind)


def tif_of(listing: Listing, params: Params, kind: str) -> TimeInForce:
    """Return the time in force; market orders are always IOC.

    Raises:
        VenueRefusal: 10001 for an unknown word; 110119 (linear), 170355 (spot) for RPI, which
            only approved makers may use.
    """
    if kind == "Market":
        return TimeInForce.IOC
    word = str(params.get("timeInForce") or "GTC")
    if word == "RPI":
        raise _refuse(listing, 110119, 170355, "")
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


def number_of(params: Params, name: str, *, signed: bool = False) -> Decimal:
    """Return a decimal parameter; only a ``signed`` one may be below zero.

    Raises:
        VenueRefusal: 10001 where it is missing, negative, no number or beyond all reason.
    """
    text = str(params.get(name, ""))
    digits = text.removeprefix("-") if signed else text
    value = Decimal(digits) if _NUMBER.fullmatch(digits) else Decimal(-1)
    if not 0 <= value <= _LARGEST:
        raise VenueRefusal(10001, f"params error: {name} invalid {text[:40]!r}")
    return value if digits == text else -value


def ticks_of(listing: Listing, params: Params, name: str = "price") -> int:
    """Return a price in ticks.

    Raises:
        VenueRefusal: 10001 (linear) or 170134 (spot) off the tick or at zero.
    """
    price = number_of(params, name)
    ticks, rest = divmod(price, listing.instrument.tick)
    if rest or not ticks:
        step = listing.instrument.tick_size
        raise _refuse(listing, 10001, 170134, f"{name} {price} is not a multiple of {step}")
    return int(ticks)


def lots_of(listing: Listing, params: Params, name: str = "qty") -> int:
    """Return a quantity in lots.

    Raises:
        VenueRefusal: 10001 (linear) or 170137 (spot) off the step or at zero.
    """
    qty = number_of(params, name)
    lots, rest = divmod(qty, listing.instrument.lot)
    if rest or not lots:
        step = listing.instrument.lot_size
        raise _refuse(listing, 10001, 170137, f"{name} {qty} is not a multiple of {step}")
    return int(lots)


def most_lots(listing: Listing, kind: str) -> int:
    """Return the largest quantity of one order."""
    item = listing.instrument
    return int(Decimal(item.max_market_qty if kind == "Market" else item.max_qty) // item.lot)


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
    """Return the value a spot market order names in quote coin, 0 where it names a quantity.

    Raises:
        VenueRefusal: 10001, 170140 below the minimum, 170148 too fine.
    """
    if not listing.is_spot:
        return ZERO
    unit = params.get("marketUnit") or ("quoteCoin" if params.get("side") == "Buy" else "baseCoin")
    if unit not in ("baseCoin", "quoteCoin"):
        raise VenueRefusal(10001, f"params error: marketUnit invalid {unit!r}")
    if unit == "baseCoin":
        return ZERO
    value = number_of(params, "qty")
    if value % Decimal("0.0000001"):
        raise VenueRefusal(170148)
    if value < Decimal(listing.instrument.min_notional):
        raise VenueRefusal(170140)
    return value


def smp_of(params: Params) -> str:
    """Return what happens when the order meets one of the same account.

    Raises:
        VenueRefusal: 10001 for an unknown word.
    """
    word = str(params.get("smpType") or "None")
    if word not in _SMP_TYPES:
        raise VenueRefusal(10001, f"params error: smpType invalid {word!r}")
    return word


def check_leverage(params: Params) -> None:
    """Refuse to borrow for a spot order.

    Raises:
        VenueRefusal: 170344, no margin trading on this symbol; 10001 for another number.
    """
    word = str(params.get("isLeverage") or "0")
    if word not in ("0", "1"):
        raise VenueRefusal(10001, f"params error: isLeverage invalid {word!r}")
    if word == "1":
        raise VenueRefusal(170344)


def slippage_of(params: Params, kind: str) -> tuple[str, Decimal]:
    """Return (type, tolerance) of a market order, ("", 0) where none is asked.

    Raises:
        VenueRefusal: 110108, 110109 outside the range; 10001 for other types, limit orders and
            conditional ones (Bybit v5 docs, create-order).
    """
    word = str(params.get("slippageToleranceType") or "")
    if word in ("", "UNKNOWN"):
        return "", ZERO
    if kind != "Market" or params.get("triggerPrice"):
        text = "slippageTolerance is for plain market orders"
        raise VenueRefusal(10001, f"params error: {text}")
    value = number_of(params, "slippageTolerance")
    if word == "TickSize":
        if value % 1 or not 1 <= value <= _TICKS_MOST:
            raise VenueRefusal(110108)
    elif word == "Percent":
        if value % _PERCENT_LEAST or not _PERCENT_LEAST <= value <= _PERCENT_MOST:
            raise VenueRefusal(110109)
    else:
        raise VenueRefusal(10001, f"params error: slippageToleranceType invalid {word!r}")
    return word, value


def bbo_of(listing: Listing, params: Params, kind: str) -> tuple[str, int]:
    """Return (side, level) whose price in the book a limit order takes, ("", 0) for none.

    Raises:
        VenueRefusal: 10001 on spot, for market orders, other words and other levels.
    """
    word, level = str(params.get("bboSideType") or ""), str(params.get("bboLevel") or "")
    if not word and not level:
        return "", 0
    is_level = level.isascii() and level.isdigit() and 1 <= int(level) <= _BBO_DEEPEST
    if listing.is_spot or kind != "Limit" or word not in _BBO_SIDES or not is_level:
        raise VenueRefusal(10001, f"params error: bbo invalid {word!r} {level!r}")
    return word, int(level)


def is_true(value: object) -> bool:
    """Return whether a parameter says true, as a boolean or as text."""
    return value is True or str(value).lower() == "true"


def _refuse(listing: Listing, linear: int, spot: int, message: str) -> VenueRefusal:
    return VenueRefusal(spot if listing.is_spot else linear, message)
