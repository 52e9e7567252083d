"""What makes an order conditional, and the take-profit and stop-loss attached to it."""

from typing import Final

import msgspec

from plimsoll.core.model import Side
from plimsoll.simulator.brain import filters
from plimsoll.simulator.brain.errors import VenueRefusal
from plimsoll.simulator.brain.filters import Params
from plimsoll.simulator.brain.listings import Listing
from plimsoll.simulator.brain.orders import FALLS, RISES, Exit
from plimsoll.simulator.brain.public import PublicMarket

LAST: Final = "LastPrice"
MARK: Final = "MarkPrice"
INDEX: Final = "IndexPrice"
_SPOT_FILTERS: Final = ("StopOrder", "tpslOrder")
_EXIT_NAMES: Final = {"takeProfit": "tp", "stopLoss": "sl"}


class Trigger(msgspec.Struct, frozen=True):
    """When an order enters the book; ``filter`` and ``stop_type`` are the venue's words for it."""

    ticks: int
    direction: int
    by: str
    filter: str
    stop_type: str


class Exits(msgspec.Struct, frozen=True):
    """What is attached to an order; ``mode`` is "" where nothing is, and on spot."""

    take_profit: Exit | None = None
    stop_loss: Exit | None = None
    mode: str = ""


def trigger_of(market: PublicMarket, params: Params) -> Trigger | None:
    """Return the trigger of a new order, ``None`` for a plain one.

    Raises:
        VenueRefusal: 110092, 110093 where the market is beyond it already; 10001 for bad words.
    """
    listing = market.listing
    if not is_given(params, "triggerPrice"):
        if listing.is_spot and params.get("orderFilter") in _SPOT_FILTERS:
            raise VenueRefusal(10001, "params error: triggerPrice is needed")
        return None
    ticks = filters.ticks_of(listing, params, "triggerPrice")
    if listing.is_spot:
        word = str(params.get("orderFilter") or "StopOrder")
        word = "StopOrder" if word == "Order" else word
        if word not in _SPOT_FILTERS:
            raise VenueRefusal(10001, f"params error: orderFilter invalid {word!r}")
        direction = spot_direction(market, ticks)
        return Trigger(ticks, direction, LAST, word, "Stop" if word == "StopOrder" else word)
    word = str(params.get("triggerDirection") or "")
    if word not in ("1", "2"):
        raise VenueRefusal(10001, f"params error: triggerDirection invalid {word!r}")
    by = trigger_by(params, "triggerBy")
    check_ahead(market, ticks, int(word), by)
    return Trigger(ticks, int(word), by, "StopOrder", "Stop")


def spot_direction(market: PublicMarket, ticks: int) -> int:
    """Return the side the market must come from: spot orders do not say."""
    return RISES if ticks >= market.last_ticks else FALLS


def check_ahead(market: PublicMarket, ticks: int, direction: int, by: str) -> None:
    """Refuse a trigger that the market has passed.

    Raises:
        VenueRefusal: 110092 where it should rise to it, 110093 where it should fall.
    """
    now = price_of(market, by)
    shown = market.listing.prices.text
    if direction == RISES and ticks <= now:
        text = f"expect Rising, but trigger_price[{shown(ticks)}] <= current[{shown(now)}]??{by}"
        raise VenueRefusal(110092, text)
    if direction == FALLS and ticks >= now:
        text = f"expect Falling, but trigger_price[{shown(ticks)}] >= current[{shown(now)}]??{by}"
        raise VenueRefusal(110093, text)


def price_of(market: PublicMarket, by: str) -> int:
    """Return the last, mark or index price in ticks."""
    if by == MARK:
        return market.mark_ticks
    return market.index_ticks if by == INDEX else market.last_ticks


def trigger_by(params: Params, name: str) -> str:
    """Return which price a trigger looks at.

    Raises:
        VenueRefusal: 10001 for an unknown word.
    """
    word = str(params.get(name) or LAST)
    if word not in (LAST, MARK, INDEX):
        raise VenueRefusal(10001, f"params error: {name} invalid {word!r}")
    return word


def exits_of(listing: Listing, params: Params, kind: str, *, is_conditional: bool) -> Exits:
    """Return what a new order has attached; ``check_exits`` must follow once its price is known.

    Raises:
        VenueRefusal: 10001 where the venue does not take it with this order.
    """
    take_profit = exit_of(listing, params, "takeProfit")
    stop_loss = exit_of(listing, params, "stopLoss")
    if take_profit is None and stop_loss is None:
        return Exits()
    if listing.is_spot:
        if kind != "Limit" or is_conditional:
            raise VenueRefusal(10001, "params error: TP/SL need a plain limit order on spot")
        return Exits(take_profit, stop_loss)
    if filters.is_true(params.get("reduceOnly")) or filters.is_true(params.get("closeOnTrigger")):
        raise VenueRefusal(10001, "params error: TP/SL cannot be set when reduceOnly is true")
    return Exits(take_profit, stop_loss, mode_of(params, take_profit, stop_loss))


def mode_of(params: Params, *exits: Exit | None) -> str:
    """Return ``Full`` or ``Partial``.

    Raises:
        VenueRefusal: 10001 for another word, and for limit prices outside ``Partial``.
    """
    mode = str(params.get("tpslMode") or "Full")
    if mode not in ("Full", "Partial"):
        raise VenueRefusal(10001, f"params error: tpslMode invalid {mode!r}")
    if mode == "Full" and any(one is not None and one.limit_ticks for one in exits):
        raise VenueRefusal(10001, "params error: limit TP/SL need tpslMode Partial")
    return mode


def exit_of(listing: Listing, params: Params, name: str) -> Exit | None:
    """Return ``takeProfit`` or ``stopLoss`` as asked, ``None`` where absent or "0".

    Raises:
        VenueRefusal: 10001 for bad words and numbers, a limit type without its price included.
    """
    if not is_given(params, name) or not filters.number_of(params, name):
        return None
    short = _EXIT_NAMES[name]
    ticks = filters.ticks_of(listing, params, name)
    by = LAST if listing.is_spot else trigger_by(params, f"{short}TriggerBy")
    kind = str(params.get(f"{short}OrderType") or "")
    if kind not in ("", "Limit", "Market"):
        raise VenueRefusal(10001, f"params error: {short}OrderType invalid {kind!r}")
    has_price = is_given(params, f"{short}LimitPrice")
    if kind == "Limit" or (kind == "" and listing.is_spot and has_price):
        return Exit(ticks, by, filters.ticks_of(listing, params, f"{short}LimitPrice"))
    return Exit(ticks, by)


def check_exits(
    listing: Listing, side: Side, base_ticks: int, take_profit: Exit | None, stop_loss: Exit | None
) -> None:
    """Refuse a take-profit that is no profit and a stop-loss that is no loss.

    Args:
        listing: The instrument.
        side: Direction of the order or position that is protected.
        base_ticks: The price it is judged against.
        take_profit: To the good side of the base.
        stop_loss: To its bad side.

    Raises:
        VenueRefusal: 10001 with a text.
    """
    for name, one, sign in (("TakeProfit", take_profit, 1), ("StopLoss", stop_loss, -1)):
        if one is not None and (one.trigger_ticks - base_ticks) * side.sign * sign <= 0:
            word = "higher" if side.sign * sign > 0 else "lower"
            shown = listing.prices.text
            text = f"{name}:{shown(one.trigger_ticks)} should be {word} than {shown(base_ticks)}"
            raise VenueRefusal(10001, text)


def is_given(params: Params, name: str) -> bool:
    """Return whether a price parameter says something; "0" says nothing but "no price"."""
    return str(params.get(name) or "0") not in ("0", "")
