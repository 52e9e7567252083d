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


class PaperFunded(Record, frozen=True, tag="paper-funding"):
    """Funding a paper position paid (``paid_units`` positive) or received at one funding time."""

    owner: str
    instrument: str
    funding_ms: int
    qty_units: int
    """Signed position at that moment, in cash units of the base coin."""
    mark_e8: int
    """Mark price of the moment times 1e8."""
    rate_e12: int
    """Funding rate times 1e12, positive where longs pay."""
    paid_units: int
    coin: str
    owed: int = 0
    """Seq of the ``PaperFundingOwed`` it ends a part of, 0 = told by the ticker in time."""


class PaperFundingOwed(Record, frozen=True, tag="paper-funding-owed"):
    """A span of time whose fundings nobody here heard of: the venue is asked for them.

    ``since_ms`` itself is settled, ``until_ms`` is not. The position did not change in between.
    """

    owner: str
    instrument: str
    since_ms: int
    until_ms: int
    qty_units: int


class PaperFundingSettled(Record, frozen=True, tag="paper-funding-settled"):
    """Everything owed for a span is paid; ``owed`` is the seq of its ``PaperFundingOwed``."""

    owed: int


DECISIONS: Final[tuple[type[Record], ...]] = (
    PaperOrderIntended,
    PaperAmendIntended,
    PaperCancelIntended,
    PaperReported,
    PaperFilled,
    PaperFunded,
    PaperFundingOwed,
    PaperFundingSettled,
)
