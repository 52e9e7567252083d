"""One comparison under way: what it asks the venue, and what it has heard so far.

A round asks for open orders, executions since the cursor, positions, the wallet and, where it is
due, the transaction log. Rows are the same records the streams bring, marked with the query's id.
"""

from typing import NamedTuple

import msgspec

from plimsoll.core.model import Instrument, Order, cash_text
from plimsoll.core.records import (
    CashMoved,
    ExecutionReported,
    OrderReported,
    PositionReported,
    WalletReported,
)


class Question(NamedTuple):
    """One query of a round."""

    kind: str
    category: str
    settle: str


class Round(msgspec.Struct):
    """One comparison under way."""

    trigger: str
    started_ns: int
    looks: int
    asked: dict[int, Question] = msgspec.field(default_factory=dict)
    pending: set[int] = msgspec.field(default_factory=set)
    failed: str = ""
    cash_failed: str = ""
    seen_orders: set[str] = msgspec.field(default_factory=set)
    positions: dict[str, tuple[int, str]] = msgspec.field(default_factory=dict)
    wallet: dict[str, int] = msgspec.field(default_factory=dict)
    rows: list[tuple[str, str, str, int]] = msgspec.field(default_factory=list)
    """What rows changed as they came: subject, key, what it was, the query's id."""
    booked: int = 0
    newest_ms: int = 0
    newest_cash_ms: int = 0


def questions(instruments: dict[str, Instrument], *, with_cash: bool) -> list[Question]:
    """Return what a round asks: per category and settle coin in use, then the wallet."""
    asked: dict[Question, None] = {}
    for instrument in instruments.values():
        settle = "" if instrument.is_spot else instrument.settle
        for kind in ("executions", "orders"):
            asked[Question(kind, instrument.category, settle)] = None
        if not instrument.is_spot:
            asked[Question("positions", instrument.category, settle)] = None
    asked[Question("wallet", "", "")] = None
    if with_cash:
        asked[Question("cash", "", "")] = None
    return list(asked)


def collect_order(under_way: Round, record: OrderReported, *, is_new: bool) -> None:
    """Note an order the venue lists as open; ``is_new``: nobody here knew of it."""
    under_way.seen_orders.add(record.client_order_id or record.venue_order_id)
    under_way.seen_orders.add(record.venue_order_id)
    if is_new:
        name = record.client_order_id or record.venue_order_id
        what = f"{record.status} {record.side} on {record.instrument}"
        under_way.rows.append(("order", name, what, record.query_id))


def collect_execution(under_way: Round, record: ExecutionReported, *, is_new: bool) -> None:
    """Note an execution the query brought; ``is_new``: no stream had brought it before."""
    under_way.newest_ms = max(under_way.newest_ms, record.executed_ms)
    under_way.booked += is_new
    if is_new:
        what = f"{record.kind} {record.side}, {record.qty_lots} lots at {record.price_ticks} ticks"
        name = f"{record.instrument} {record.execution_id}"
        under_way.rows.append(("execution", name, what, record.query_id))


def collect_position(under_way: Round, record: PositionReported) -> None:
    """Note the venue's position."""
    under_way.positions[record.instrument] = (record.qty_lots, record.entry_price)


def collect_wallet(under_way: Round, record: WalletReported) -> None:
    """Note the venue's balance of one coin."""
    under_way.wallet[record.coin] = record.balance_units


def collect_cash(under_way: Round, record: CashMoved, *, is_new: bool) -> None:
    """Note a row of the transaction log; ``is_new``: it has just been booked."""
    under_way.newest_cash_ms = max(under_way.newest_cash_ms, record.moved_ms)
    if is_new:
        what = f"{record.kind} {cash_text(record.change_units)} {record.coin}"
        under_way.rows.append(("cash", record.row_id, what, record.query_id))


def is_new_order(order: Order | None, record: OrderReported) -> bool:
    """Return whether this report is the first that was ever heard of an order."""
    return order is not None and order.is_adopted and order.created_ns == record.ts_ns
