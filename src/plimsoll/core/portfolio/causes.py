"""Why a wallet changed: one cause for each change, and the sum of causes is the wallet (ACC-4)."""

from collections.abc import Mapping
from typing import Final

import msgspec

from plimsoll.core.model import Instrument
from plimsoll.core.records import CashMoved

TRADE: Final = "trade"
"""Value of spot executions, realised profit of perpetuals."""
FEE: Final = "fee"
FUNDING: Final = "funding"
SETTLEMENT: Final = "settlement"
"""Open profit of a USDC perpetual the venue turned into cash: no profit of its own."""
ADOPTED: Final = "adopted"
"""What the account held when this log began."""

PAR: Final = ("USDT", "USDC")
"""Settle coins that count as one in equity, profit and limits. Orders never rest on their ratio."""

OF_EXECUTIONS: Final = frozenset({TRADE, FEE})

_FLOWS: Final = frozenset(
    {"TRANSFER_IN", "TRANSFER_OUT", "BONUS", "AIRDROP", "CURRENCY_BUY", "CURRENCY_SELL"}
    | {"BORROW", "REPAY"}
)
"""Money that comes and goes and was not earned or lost here."""

_EARNED: Final = frozenset({"TRADE", "SETTLEMENT", "DELIVERY", "LIQUIDATION", "ADL"}) | frozenset(
    {"INTEREST", "FEE_REFUND"}
)
"""Profit and loss. Source of both: Bybit v5 docs, enum (type of the unified transaction log)."""

_EXECUTED: Final = frozenset({"LIQUIDATION", "ADL", "DELIVERY"})
"""Types of rows that tell of an execution, where they name one."""


class Cause(msgspec.Struct):
    """All changes of one coin for one reason."""

    units: int = 0
    entries: int = 0


def is_known(kind: str) -> bool:
    """Return whether a row's type is one whose meaning stands here."""
    return kind in _FLOWS or kind in _EARNED


def is_flow(row: CashMoved) -> bool:
    """Return whether a row moves money that was neither earned nor lost.

    Of a type nobody here knows what comes in is a flow and what goes out is a loss: that is the
    reading against us.
    """
    return row.kind in _FLOWS or (not is_known(row.kind) and row.change_units > 0)


def cause_of(row: CashMoved, instruments: Mapping[str, Instrument]) -> str:
    """Return what a row of the transaction log is booked under, "" where an execution books it.

    Trades, funding, forced executions of the instruments we list come as executions, with price and
    quantity; their row is the same event told again and moves nothing (Bybit v5 docs, transaction
    log). A settlement without funding is that of a USDC session, which no execution tells of. A row
    of an instrument we do not list is all we hear of it.
    """
    instrument = instruments.get(row.instrument)
    if instrument is None:
        return row.kind.lower() or "unnamed"
    if row.kind == "TRADE" or row.funding_units:
        return ""
    if row.kind in _EXECUTED and row.execution_id:
        return ""
    return row.kind.lower() or "unnamed"
