"""Positions, cash, fees and profit of every owner, from executions alone.

In: executions, rows of the transaction log, adopted differences. Out: positions, balances, equity.
``core.engine`` feeds it; strategy and risk read it through the engine.
"""

from plimsoll.core.portfolio.causes import PAR, Cause, is_flow, is_known
from plimsoll.core.portfolio.fees import fee_of
from plimsoll.core.portfolio.funding import funding_units, mark_e8_of, rate_e12_of
from plimsoll.core.portfolio.history import History
from plimsoll.core.portfolio.ledger import FORCED_KINDS, KNOWN_KINDS, Ledger
from plimsoll.core.portfolio.statistics import Statistics, Streak

__all__ = [
    "FORCED_KINDS",
    "KNOWN_KINDS",
    "PAR",
    "Cause",
    "History",
    "Ledger",
    "Statistics",
    "Streak",
    "fee_of",
    "funding_units",
    "is_flow",
    "is_known",
    "mark_e8_of",
    "rate_e12_of",
]
