"""Decisions about what we know: questions, lost outcomes, comparisons with the venue."""

from typing import Final

from plimsoll.core.records.base import Record


class QueryIntended(Record, frozen=True, tag="query"):
    """A question to the venue.

    ``kind``: orders, order, executions, positions, wallet, health, cash (rows of the transaction
    log), bars, funding. ``category`` is set for all but wallet, health and cash. ``order`` asks by
    id on real-time orders, history and executions. ``since_ms`` bounds executions, cash, bars and
    funding.
    """

    query_id: int
    kind: str
    category: str
    settle: str
    instrument: str
    client_order_id: str
    since_ms: int
    venue_order_id: str = ""
    """Asks for an order that has no id of ours."""
    is_plain: bool = False
    """The order waits for no trigger: lists of conditional orders need no look."""


class RetirementIntended(Record, frozen=True, tag="retire"):
    """A connection is to end once its successor is there: a request on it is never answered.

    Until then silence about that request proves nothing (ORD-10 b).
    """

    link: str
    connection: int
    client_order_id: str


class OutcomeLost(Record, frozen=True, tag="lost"):
    """An order's fate became UNKNOWN without an answer: no reply in time, link broken, crash."""

    client_order_id: str
    action: str
    reason: str


class AbsenceShown(Record, frozen=True, tag="absent"):
    """Proof that an order never came to live at the venue, with the evidence (ORD-10)."""

    client_order_id: str
    evidence: str
    action: str = "create"
    """``create``: the order never lived. ``amend``: the order keeps its old terms."""


class Reconciled(Record, frozen=True, tag="reconciled"):
    """Our orders, positions and wallet have been compared with the venue's statement."""

    trigger: str
    differences: int
    booked: int
    cursor_ms: int
    cash_ms: int = 0
    """The transaction log is read up to here, 0 where this round did not read it."""


class DifferenceFound(Record, frozen=True, tag="difference"):
    """One difference to the venue, how it was ended (``action``: booked, adopted, blocked)."""

    subject: str
    key: str
    ours: str
    theirs: str
    action: str


class PositionAdopted(Record, frozen=True, tag="adopt-position"):
    """A position difference booked to ``owner`` at the venue's entry price (ACC-3)."""

    owner: str
    instrument: str
    qty_lots: int
    cost_units: int


class PositionMoved(Record, frozen=True, tag="move-position"):
    """A person gave a part of one owner's holding to another, at ``cost_units`` (signed like it).

    The account's own position does not change.
    """

    from_owner: str
    to_owner: str
    instrument: str
    qty_lots: int
    cost_units: int
    actor: str


class OrderMoved(Record, frozen=True, tag="move-order"):
    """A person gave a working order to another owner."""

    client_order_id: str
    to_owner: str
    actor: str


class FlowMeasured(Record, frozen=True, tag="flow"):
    """What a deposit or withdrawal of a coin was worth, in quote cash units: it is no profit."""

    coin: str
    change_units: int
    worth_units: int


class WalletAdopted(Record, frozen=True, tag="adopt-wallet"):
    """A balance taken over from the venue (first start, transfers); difference in cash units."""

    coin: str
    delta_units: int
    cause_text: str


class EquityMeasured(Record, frozen=True, tag="equity"):
    """Equity of the live account, in quote cash units, at the reference prices of the moment.

    A decision, so that loss limits after a restart stand where they stood: prices are not in the
    trading log.
    """

    equity_units: int


class ProfitMeasured(Record, frozen=True, tag="profit"):
    """Realised and open profit of one instance less its costs, where it changed, in cash units.

    A decision for the same reason as ``EquityMeasured``.
    """

    owner: str
    profit_units: int


DECISIONS: Final[tuple[type[Record], ...]] = (
    QueryIntended,
    OutcomeLost,
    AbsenceShown,
    Reconciled,
    DifferenceFound,
    PositionAdopted,
    PositionMoved,
    OrderMoved,
    FlowMeasured,
    WalletAdopted,
    EquityMeasured,
    RetirementIntended,
    ProfitMeasured,
)
