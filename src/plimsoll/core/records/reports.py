"""Inputs that are the venue's statements: orders, executions, positions, balances, bars."""

from typing import Final

from plimsoll.core.model import OrderState, Side
from plimsoll.core.records.base import Record


class OrderReported(Record, frozen=True, tag="order"):
    """The venue's statement about one order, from its stream or from a query.

    ``status`` is the venue's word brought to ours: OPEN, PARTIAL, FILLED, CANCELED, REJECTED,
    EXPIRED; ``is_untriggered`` marks a conditional order that waits. ``source``: stream or query.
    """

    client_order_id: str
    venue_order_id: str
    instrument: str
    side: Side
    status: OrderState
    price_ticks: int
    qty_lots: int
    cum_lots: int
    reduce_only: bool
    is_untriggered: bool
    updated_ms: int
    reason: str
    source: str
    query_id: int
    raw: bytes
    trigger_ticks: int = 0
    create_type: str = ""
    """What made it, in the venue's word (``CreateByStopLoss``); spot says nothing."""
    stop_type: str = ""
    """What kind of conditional order it is, in the venue's word (``Stop``, ``StopLoss``)."""
    order_filter: str = ""
    """The list of the venue a waiting spot order stands in, where it is not the plain one."""


class ExecutionReported(Record, frozen=True, tag="execution"):
    """One execution, from the stream or from a query; ``fee_units`` positive means we paid.

    ``kind`` is the venue's execType (``Trade``, ``Funding``, ``AdlTrade``, ...).
    """

    execution_id: str
    client_order_id: str
    venue_order_id: str
    instrument: str
    side: Side
    price_ticks: int
    qty_lots: int
    fee_units: int
    fee_coin: str
    is_maker: bool
    kind: str
    executed_ms: int
    source: str
    query_id: int
    raw: bytes
    order_qty_lots: int = 0
    """Whole quantity of the order, 0 where the message does not say."""
    venue_seq: int = 0
    """The venue's cross sequence of the instrument: orders what happened within one millisecond."""
    create_type: str = ""
    """What made its order, in the venue's word; spot is silent."""
    stop_type: str = ""
    """What kind of conditional order its order was, in the venue's word."""


class PositionReported(Record, frozen=True, tag="position"):
    """The venue's statement of our position; ``qty_lots`` signed, long positive."""

    instrument: str
    qty_lots: int
    entry_price: str
    updated_ms: int
    source: str
    query_id: int
    raw: bytes
    stop_ticks: int = 0
    """Stop-loss of the whole position as the venue shows it; 0 = none."""
    take_ticks: int = 0
    """Take-profit of the whole position as the venue shows it; 0 = none."""


class WalletReported(Record, frozen=True, tag="wallet"):
    """The venue's statement of one coin's wallet balance, in cash units."""

    coin: str
    balance_units: int
    source: str
    query_id: int
    raw: bytes


class CashMoved(Record, frozen=True, tag="cash"):
    """One row of the venue's transaction log: why one coin's balance changed, in cash units.

    ``change_units`` is what the balance changed by. Of it ``fee_units`` were paid (positive) and
    ``funding_units`` received (positive: the other way round than an execution's fee).
    ``kind`` is the venue's type (``TRADE``, ``SETTLEMENT``, ``TRANSFER_IN``, ...).
    """

    row_id: str
    """Tells a row from every other one: the venue's own id does not always."""
    coin: str
    kind: str
    instrument: str
    change_units: int
    balance_units: int
    fee_units: int
    funding_units: int
    execution_id: str
    moved_ms: int
    query_id: int
    raw: bytes


class HealthMeasured(Record, frozen=True, tag="health"):
    """The venue's statement of the account as a whole, in USD cash units and parts per million.

    -1 means the venue does not say: it keeps no margin rates for isolated margin. ``borrowed``:
    coins borrowed, or of negative balance, each worth over one USD.
    """

    equity_units: int
    available_units: int
    initial_ppm: int
    maintenance_ppm: int
    borrowed: dict[str, int]
    source: str
    query_id: int


class QueryAnswered(Record, frozen=True, tag="queried"):
    """A query ended. Its rows came before this as reports with its ``query_id``.

    ``is_ok`` False says the query failed: that is no empty answer (ORD-9). ``stored``: how many of
    the rows come from the store on this machine; a ``reason`` then, or beside a whole answer, says
    what of the store was not used.
    """

    query_id: int
    is_ok: bool
    rows: int
    reason: str
    stored: int = 0


class BarReported(Record, frozen=True, tag="bar"):
    """A final one-minute bar fetched by REST (warm-up, repair). Prices in ticks, volume in lots.

    ``is_stored``: it was fetched or imported before, and comes from the store on this machine.
    """

    instrument: str
    start_ms: int
    open_ticks: int
    high_ticks: int
    low_ticks: int
    close_ticks: int
    volume_lots: float
    query_id: int
    is_stored: bool = False


class FundingReported(Record, frozen=True, tag="funding"):
    """One funding of an instrument that lies behind us, with the mark price of its moment.

    ``query_id`` 0: the past of a backtest, for whoever holds a paper position just then.
    """

    instrument: str
    funding_ms: int
    rate_e12: int
    """Rate times 1e12, positive where longs pay."""
    mark_e8: int
    """Mark price times 1e8."""
    query_id: int
    next_ms: int = 0
    """In a backtest: when the next one comes, Unix ms; 0 = not known."""


INPUTS: Final[tuple[type[Record], ...]] = (
    OrderReported,
    ExecutionReported,
    PositionReported,
    WalletReported,
    CashMoved,
    HealthMeasured,
    QueryAnswered,
    BarReported,
    FundingReported,
)
