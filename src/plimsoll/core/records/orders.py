"""Decisions about live orders: the only ones the gateway takes."""

from typing import Final

from plimsoll.core.model import OrderType, Side, TimeInForce
from plimsoll.core.records.base import Record


class OrderIntended(Record, frozen=True, tag="intend"):
    """A live order that passed every check; the gateway sends what stands here (ORD-4, ORD-5)."""

    client_order_id: str
    owner: str
    instrument: str
    side: Side
    order_type: OrderType
    tif: TimeInForce
    price_ticks: int
    qty_lots: int
    reduce_only: bool
    label: str


class AmendIntended(Record, frozen=True, tag="intend-amend"):
    """A change of price or total quantity of a live order."""

    client_order_id: str
    price_ticks: int
    qty_lots: int


class CancelIntended(Record, frozen=True, tag="intend-cancel"):
    """A cancel of a live order, with why."""

    client_order_id: str
    reason: str
    venue_order_id: str = ""
    """Set where the order carries no id of a client's: it is cancelled by the venue's own."""
    order_filter: str = ""
    """As in ``OrderReported``."""


class OrderDenied(Record, frozen=True, tag="deny"):
    """A request of a strategy that a check refused; nothing was sent. ``code`` is a ``Refusal``.

    ``detail``: a finer word, where there is one; of ``data_not_live`` the cause of the doubt.
    """

    owner: str
    instrument: str
    side: Side
    price_ticks: int
    qty_lots: int
    code: str
    text: str
    detail: str = ""


DECISIONS: Final[tuple[type[Record], ...]] = (
    OrderIntended,
    AmendIntended,
    CancelIntended,
    OrderDenied,
)
