"""What a strategy asks for, in exact integers: made by its desk, drained by the engine."""

from decimal import Decimal
from typing import NamedTuple

import msgspec

from plimsoll.core.model import Order, OrderType, Side, TimeInForce
from plimsoll.core.strategy.base import OrderHandle
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
