"""The keys of a configuration, their types and defaults. Unknown keys are refused everywhere.

In: values as they stand in the files; out: ``Settings``, checked. Each table has a class. Imported
by ``config`` and by what writes the reference of its keys.
"""

from plimsoll.config.schema.account import Account, Venue
from plimsoll.config.schema.breakers import BreakerKeys
from plimsoll.config.schema.execution import Execution
from plimsoll.config.schema.kinds import as_written
from plimsoll.config.schema.limits import InstanceLimits, InstrumentLimits, LimitKeys, Limits
from plimsoll.config.schema.settings import LATER, Journal, Operator, Settings, Watchdog
from plimsoll.config.schema.strategy import StrategyEntry

__all__ = [
    "LATER",
    "Account",
    "BreakerKeys",
    "Execution",
    "InstanceLimits",
    "InstrumentLimits",
    "Journal",
    "LimitKeys",
    "Limits",
    "Operator",
    "Settings",
    "StrategyEntry",
    "Venue",
    "Watchdog",
    "as_written",
]
