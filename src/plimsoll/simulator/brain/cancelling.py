"""Which orders a cancel-all means (Bybit v5 docs, cancel-all)."""

from typing import Final

from plimsoll.simulator.brain.accounts import Account
from plimsoll.simulator.brain.errors import VenueRefusal
from plimsoll.simulator.brain.filters import Params
from plimsoll.simulator.brain.floor import Floor
from plimsoll.simulator.brain.numbers import drawn_fraction
from plimsoll.simulator.brain.orders import Order

LINEAR_MOST: Final = 500
_LINEAR_FILTERS: Final = ("Order", "StopOrder", "OpenOrder")
SPOT_FILTERS: Final = ("Order", "StopOrder", "tpslOrder", "OcoOrder", "BidirectionalTpslOrder")


def meant_by(floor: Floor, account: Account, params: Params) -> list[Order]:
    """Return the live orders a cancel-all names, oldest first; at most 500 linear ones.

    Raises:
        VenueRefusal: 10001 for an unknown category or filter, or no scope on linear.
    """
    category = params.get("category")
    if category not in ("linear", "spot"):
        raise VenueRefusal(10001, f"params error: Category {category!r} is invalid")
    spot = category == "spot"
    word = str(params.get("orderFilter") or ("Order" if spot else ""))
    if word not in (SPOT_FILTERS if spot else ("", *_LINEAR_FILTERS)):
        raise VenueRefusal(10001, f"params error: orderFilter invalid {word!r}")
    only = str(params.get("stopOrderType") or "")
    if only and (spot or only != "Stop" or word != "StopOrder"):
        raise VenueRefusal(10001, f"params error: stopOrderType invalid {only!r}")
    name, wanted = _scope(floor, params, spot=spot)
    found = [
        order
        for order in account.orders.live()
        if order.listing.is_spot == spot
        and (not name or getattr(order.listing.instrument, name) == wanted)
        and _passes(order, word, only)
    ]
    return found if spot else _some(floor, account, found)


def _scope(floor: Floor, params: Params, *, spot: bool) -> tuple[str, str]:
    """Return the field of the instrument that decides: symbol before base before settle coin."""
    if params.get("symbol"):
        floor.listing(params.get("category"), params.get("symbol"))
        return "symbol", str(params["symbol"])
    if params.get("baseCoin"):
        return "base", str(params["baseCoin"])
    if params.get("settleCoin") and not spot:
        return "settle", str(params["settleCoin"])
    if not spot:
        raise VenueRefusal(10001, "params error: symbol, baseCoin or settleCoin is needed")
    return "", ""


def _passes(order: Order, word: str, only: str) -> bool:
    if word == "OpenOrder":
        return not order.is_waiting or order.stop_type == "Stop"
    return (not word or order.filter == word) and (not only or order.stop_type == only)


def _some(floor: Floor, account: Account, found: list[Order]) -> list[Order]:
    """Return 500 orders drawn from the seed where there are more."""
    if len(found) <= LINEAR_MOST:
        return found
    account.cancel_alls += 1
    purpose = f"cancel-all:{account.uid}:{account.cancel_alls}"
    seed = floor.settings.seed
    drawn = sorted(found, key=lambda order: drawn_fraction(seed, purpose, order.serial))
    return sorted(drawn[:LINEAR_MOST], key=lambda order: order.serial)
