"""What a strategy asks for, in exact integers: made by its desk, drained by the engine."""

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import NamedTuple

import msgspec

from plimsoll.core.model import Denied, Instrument, Order, OrderType, Refusal, Side, TimeInForce
from plimsoll.core.strategy.base import OrderHandle
from plimsoll.core.strategy.number import Number, lots_of, price_of, ticks_of
from plimsoll.core.strategy.refused import Refused


class PlaceRequest(msgspec.Struct, frozen=True):
    """A new order. At the market, ``price_ticks`` is the worst price, 0 = that of the band."""

    instrument: str
    side: Side
    order_type: OrderType
    tif: TimeInForce
    price_ticks: int
    qty_lots: int
    reduce_only: bool
    label: str
    handle: OrderHandle | None
    trigger_ticks: int = 0
    """The price it waits for, 0 = none."""
    stop_ticks: int = 0
    take_ticks: int = 0
    """Of the position it enters, 0 = none."""


class AmendRequest(NamedTuple):
    """New terms for an order; ``trigger_ticks`` 0 = as it is."""

    order: Order
    price_ticks: int
    qty_lots: int
    trigger_ticks: int = 0


class CancelRequest(NamedTuple):
    """The end of an order, with why."""

    order: Order
    reason: str


Request = PlaceRequest | AmendRequest | CancelRequest | Refused
"""The last is none: it goes with them to be told of."""


class SizeRequest(NamedTuple):
    """A question how much to order; exactly one of ``qty``, ``percent`` and ``target_ppm``."""

    owner: str
    instrument: str
    side: Side
    qty: Decimal | None
    percent: Decimal | None
    target_ppm: int
    closes: tuple[float, ...]
    """Of the bars the volatility is taken from, and their length."""
    span_ns: int


def amend_request(
    order: Order,
    listed: Instrument,
    price: Number | None,
    qty: Number | None,
    trigger: Number | None,
) -> AmendRequest | Denied:
    """Return new terms for a working order in exact integers, or why they are none."""
    if order.is_busy:
        return Denied(Refusal.ORDER_BUSY, "an earlier request about it is unanswered")
    rounding = ROUND_FLOOR if order.side is Side.BUY else ROUND_CEILING
    ticks = order.price_ticks if price is None else ticks_of(listed, price, rounding)
    lots = order.qty_lots if qty is None else lots_of(listed, qty)
    waits_for = 0 if trigger is None else price_of(listed, "trigger", trigger)
    if isinstance(ticks, Denied):
        return ticks
    if isinstance(lots, Denied):
        return lots
    if isinstance(waits_for, Denied):
        return waits_for
    if waits_for and not order.is_waiting:
        return Denied(Refusal.NO_SUCH_ORDER, "the order waits for no trigger")
    if lots <= order.filled_lots:
        return Denied(Refusal.BELOW_MINIMUM, "the new quantity is already filled; cancel")
    return AmendRequest(order, ticks, lots, waits_for)
