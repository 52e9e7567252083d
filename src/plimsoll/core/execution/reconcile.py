"""Comparing our books with the venue's statement (ACC-7, JRN-6): queries out, a verdict back.

A round asks for open orders, executions since the cursor, positions and the wallet. Executions it
brings are booked as they come (by id, exactly once); the verdict then compares. Streams and queries
run side by side, so a mismatch is looked at again before it is called a difference. A round never
sends an order: reconciliation explains, it does not trade.
"""

from typing import Final, NamedTuple

import msgspec

from plimsoll.core.execution.orders import OrderStore
from plimsoll.core.model import Instrument, Order, OrderState, cash_text
from plimsoll.core.portfolio import Ledger
from plimsoll.core.records import (
    ExecutionReported,
    OrderReported,
    PositionReported,
    WalletReported,
)

LOOKS_MAX: Final = 4
"""Rounds in which a mismatch must persist before it is a difference."""


class Question(NamedTuple):
    """One query of a round."""

    kind: str
    category: str
    settle: str


class Mismatch(NamedTuple):
    """Ours against theirs; ``subject`` is position or wallet. ``entry`` the venue's entry price."""

    subject: str
    key: str
    ours: int
    theirs: int
    entry: str


class Verdict(NamedTuple):
    """What a finished round found."""

    missing: list[Order]
    """Own live orders the venue did not list: each is asked for by its id."""
    mismatches: list[Mismatch]
    booked: int
    """Executions that only this round brought."""
    cursor_ms: int


class Round(msgspec.Struct):
    """One comparison under way."""

    trigger: str
    started_ns: int
    looks: int
    pending: set[int] = msgspec.field(default_factory=set)
    failed: str = ""
    seen_orders: set[str] = msgspec.field(default_factory=set)
    positions: dict[str, tuple[int, str]] = msgspec.field(default_factory=dict)
    wallet: dict[str, int] = msgspec.field(default_factory=dict)
    booked: int = 0
    newest_ms: int = 0


def questions(instruments: dict[str, Instrument]) -> list[Question]:
    """Return what a round asks: per category and settle coin in use, then the wallet."""
    asked: dict[Question, None] = {}
    for instrument in instruments.values():
        settle = "" if instrument.is_spot else instrument.settle
        for kind in ("executions", "orders"):
            asked[Question(kind, instrument.category, settle)] = None
        if not instrument.is_spot:
            asked[Question("positions", instrument.category, settle)] = None
    asked[Question("wallet", "", "")] = None
    return list(asked)


def collect_order(under_way: Round, record: OrderReported) -> None:
    """Note an order the venue lists as open."""
    under_way.seen_orders.add(record.client_order_id or record.venue_order_id)
    under_way.seen_orders.add(record.venue_order_id)


def collect_execution(under_way: Round, record: ExecutionReported, *, is_new: bool) -> None:
    """Note an execution the query brought; ``is_new``: no stream had brought it before."""
    under_way.booked += is_new
    under_way.newest_ms = max(under_way.newest_ms, record.executed_ms)


def collect_position(under_way: Round, record: PositionReported) -> None:
    """Note the venue's position."""
    under_way.positions[record.instrument] = (record.qty_lots, record.entry_price)


def collect_wallet(under_way: Round, record: WalletReported) -> None:
    """Note the venue's balance of one coin."""
    under_way.wallet[record.coin] = record.balance_units


def judge(
    under_way: Round,
    orders: OrderStore,
    ledger: Ledger,
    paper: frozenset[str],
) -> Verdict:
    """Compare the books with what a finished round collected."""
    missing = [
        order
        for order in orders.working.values()
        if not order.is_paper
        and order.state is not OrderState.INTENT
        and order.created_ns < under_way.started_ns
        and order.id not in under_way.seen_orders
        and order.venue_id not in under_way.seen_orders
    ]
    mismatches = [
        Mismatch("position", name, ours, theirs, entry)
        for name, instrument in ledger.instruments.items()
        if not instrument.is_spot
        for ours in (ledger.account_lots(name, paper),)
        for theirs, entry in (under_way.positions.get(name, (0, "")),)
        if ours != theirs
    ]
    coins = dict.fromkeys((*ledger.cash, *under_way.wallet))
    mismatches += [
        Mismatch("wallet", coin, ledger.cash.get(coin, 0), under_way.wallet.get(coin, 0), "")
        for coin in coins
        if ledger.cash.get(coin, 0) != under_way.wallet.get(coin, 0)
    ]
    # The cursor never jumps a hole: only up to what this round has certainly seen (HND-5).
    return Verdict(missing, mismatches, under_way.booked, under_way.newest_ms)


def describe(mismatch: Mismatch, instruments: dict[str, Instrument]) -> tuple[str, str]:
    """Return ours and theirs as text in the venue's units."""
    if mismatch.subject == "wallet":
        return cash_text(mismatch.ours), cash_text(mismatch.theirs)
    instrument = instruments[mismatch.key]
    return instrument.qty_text(mismatch.ours), instrument.qty_text(mismatch.theirs)
