"""Decisions about paper orders, and what the paper venue did with them."""

from typing import Final

from plimsoll.core.model import OrderState, OrderType, Side, TimeInForce
from plimsoll.core.records.base import Record


class PaperOrderIntended(Record, frozen=True, tag="paper"):
    """A paper order; matched inside the core, unknown to the gateway."""

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
    trigger_ticks: int = 0
    trigger_rises: bool = False
    trigger_by: str = ""


class PaperAmendIntended(Record, frozen=True, tag="paper-amend"):
    """A change of a paper order."""

    client_order_id: str
    price_ticks: int
    qty_lots: int
    trigger_ticks: int = 0


class PaperCancelIntended(Record, frozen=True, tag="paper-cancel"):
    """A cancel of a paper order."""

    client_order_id: str
    reason: str


class PaperReported(Record, frozen=True, tag="paper-order"):
    """The paper venue's statement about a paper order."""

    client_order_id: str
    status: OrderState
    price_ticks: int
    qty_lots: int
    reason: str
    is_untriggered: bool = False
    trigger_ticks: int = 0


class PaperFilled(Record, frozen=True, tag="paper-fill"):
    """One paper execution; ``fee_units`` positive means paid."""

    client_order_id: str
    execution_id: str
    price_ticks: int
    qty_lots: int
    fee_units: int
    fee_coin: str
    is_maker: bool
    rule: str = ""
    """What decided the fill where the data does not say it: ``open``, ``through``, ``stop``,
    ``stop-first``, ``trigger``, ``queue``. Empty: the market's own book and prints."""


DECISIONS: Final[tuple[type[Record], ...]] = (
    PaperOrderIntended,
    PaperAmendIntended,
    PaperCancelIntended,
    PaperReported,
    PaperFilled,
)
