"""Everything the watchdog and the direct halt can ask of an account: cancels and reductions.

The one module of them that builds requests (RSK-5); a test enumerates what comes out of it.
"""

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Final, Literal, cast

import msgspec

from plimsoll.venues.bybit.api.create import OrderRequest
from plimsoll.venues.bybit.api.market_rows import LinearInstrument
from plimsoll.venues.bybit.api.order_rows import Order
from plimsoll.venues.bybit.api.position_rows import Position
from plimsoll.venues.bybit.api.requests import CancelAllRequest, CancelRequest
from plimsoll.watchdog.plan import Step, is_plain

BAND: Final = Decimal("0.01")
"""How far from the mark price a reduction may trade (RSK-10)."""

_Category = Literal["linear", "spot"]


class Slice(msgspec.Struct, frozen=True):
    """A part of a position and what its symbol's filters make of it."""

    position: Position
    listed: LinearInstrument
    client_order_id: str


def cancel_of(order: Order) -> CancelRequest:
    """Return the cancel of one order."""
    return CancelRequest(
        category=_category(order.category),
        symbol=order.symbol,
        venue_order_id=order.venue_order_id,
        order_filter=_filter(order),
    )


def cancel_all_of(step: Step) -> CancelAllRequest:
    """Return the cancel of every plain order of a symbol, a settle coin, or of spot."""
    return CancelAllRequest(
        category=_category(step.category),
        symbol=step.symbol,
        settle=step.settle,
        order_filter="Order",
    )


def reduction_of(part: Slice) -> OrderRequest | None:
    """Return an order that makes a position smaller, None where none can.

    Reduce-only, immediate or cancelled, inside ``BAND`` around the mark price, never more than the
    position: on contracts only.
    """
    position, filters = part.position, part.listed.lot_filter
    mark, tick = position.mark_price, part.listed.price_filter.tick_size
    if not mark or not position.size or position.side not in ("Buy", "Sell"):
        return None
    qty = min(position.size, filters.max_qty or position.size)
    qty = (qty / filters.lot_size).to_integral_value(ROUND_FLOOR) * filters.lot_size
    is_long = position.side == "Buy"
    rounding, edge = (ROUND_CEILING, 1 - BAND) if is_long else (ROUND_FLOOR, 1 + BAND)
    price = (mark * edge / tick).to_integral_value(rounding) * tick
    if qty <= 0 or price <= 0:
        return None
    return OrderRequest(
        category="linear",
        symbol=position.symbol,
        side="Sell" if is_long else "Buy",
        qty=qty,
        kind="Limit",
        price=price,
        time_in_force="IOC",
        client_order_id=part.client_order_id,
        reduce_only=True,
    )


def _category(word: str) -> _Category:
    return cast("_Category", word)  # the typed client refuses every other word


def _filter(order: Order) -> Literal["", "Order", "tpslOrder", "StopOrder"]:
    """Return which of spot's lists an order stands in; contracts have one."""
    if order.category != "spot" or is_plain(order):
        return ""
    return "StopOrder" if order.stop_kind == "Stop" else "tpslOrder"
