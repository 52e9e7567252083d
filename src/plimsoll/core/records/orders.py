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
    stop_ticks: int = 0
    """Stop-loss of the whole position, set with the first execution; 0 = none."""
    take_ticks: int = 0
    """Take-profit of the whole position; 0 = none."""
    trigger_ticks: int = 0
    """The order waits until the price passes this; 0 = it does not wait."""
    trigger_rises: bool = False
    """Whether the price must rise to the trigger, or fall to it."""
    trigger_by: str = ""
    """The price that is looked at: ``mark`` or ``last``."""
    close_on_trigger: bool = False
    """Reduce-only, and other orders make room for it when it triggers."""


class AmendIntended(Record, frozen=True, tag="intend-amend"):
    """A change of price, total quantity or trigger of a live order."""

    client_order_id: str
    price_ticks: int
    qty_lots: int
    trigger_ticks: int = 0
    """New trigger of a conditional order; 0 = as it is."""


class CancelIntended(Record, frozen=True, tag="intend-cancel"):
    """A cancel of a live order, with why."""

    client_order_id: str
    reason: str
    venue_order_id: str = ""
    """Set where the order carries no id of a client's: it is cancelled by the venue's own."""
    order_filter: str = ""
    """As in ``OrderReported``."""


class ProtectionWished(Record, frozen=True, tag="wish-protection"):
    """What an instance wants a position of its own to be protected by, as it stands from now on.

    ``side`` is that of the position. A price of 0 means none. Where the venue keeps it (a live
    perpetual) requests follow until its position shows it; elsewhere the engine watches it.
    """

    owner: str
    instrument: str
    side: Side
    stop_ticks: int
    take_ticks: int


class ProtectionIntended(Record, frozen=True, tag="protect"):
    """Stop-loss and take-profit the venue's position is to have, both; 0 = none."""

    owner: str
    instrument: str
    stop_ticks: int
    take_ticks: int


class OrderDenied(Record, frozen=True, tag="deny"):
    """A request of a strategy that a check refused; nothing was sent. ``code`` is a ``Refusal``.

    ``detail``: a finer word, where there is one; of ``data_not_live`` the cause of the doubt.
    ``label``: that of a new order, which ties a refusal to the executor that asked.
    """

    owner: str
    instrument: str
    side: Side
    price_ticks: int
    qty_lots: int
    code: str
    text: str
    detail: str = ""
    label: str = ""


class AskRefused(Record, frozen=True, tag="ask-refused"):
    """What a strategy asked for and was refused at once, before any check: of one kind, so many.

    ``ask`` is the call, such as ``target``; ``code`` a ``Refusal``; ``instrument`` and ``text`` are
    those of the first. Recorded with the first of a kind, and with checkpoints while there are
    more. ``times``: since the instance was made, ``since_ns``: the first.
    """

    owner: str
    ask: str
    instrument: str
    code: str
    text: str
    times: int
    since_ns: int


DECISIONS: Final[tuple[type[Record], ...]] = (
    OrderIntended,
    AmendIntended,
    CancelIntended,
    OrderDenied,
    AskRefused,
    ProtectionWished,
    ProtectionIntended,
)
