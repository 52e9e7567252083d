"""Positions, cash, fees and profit of every owner, from executions alone.

In: executions, adopted differences, wallet statements. Out: positions, balances, equity.
``core.engine`` feeds it; strategy and risk read it through the engine.
"""

from plimsoll.core.portfolio.fees import fee_of
from plimsoll.core.portfolio.ledger import KNOWN_KINDS, History, Ledger

__all__ = ["KNOWN_KINDS", "History", "Ledger", "fee_of"]
