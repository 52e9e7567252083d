"""Large orders worked in small ones: what a strategy asks for, and the plans that become of it.

In: a wish, later what its orders came to and what the market shows. Out: orders to ask for.
``core.strategy`` and ``core.engine`` import it; see docs/explanation/executors.md.
"""

from plimsoll.core.strategy.executors.book import (
    ExecutorHandle,
    Executors,
    Wish,
    is_executor_label,
    number_of,
)
from plimsoll.core.strategy.executors.grid import Grid
from plimsoll.core.strategy.executors.iceberg import Iceberg
from plimsoll.core.strategy.executors.legs import Legs
from plimsoll.core.strategy.executors.plan import Send, Sight, Stop, Terms
from plimsoll.core.strategy.executors.pov import Pov
from plimsoll.core.strategy.executors.run import Run, refusal_in
from plimsoll.core.strategy.executors.twap import Twap
from plimsoll.core.strategy.executors.vwap import Vwap

__all__ = [
    "ExecutorHandle",
    "Executors",
    "Grid",
    "Iceberg",
    "Legs",
    "Pov",
    "Run",
    "Send",
    "Sight",
    "Stop",
    "Terms",
    "Twap",
    "Vwap",
    "Wish",
    "is_executor_label",
    "number_of",
    "refusal_in",
]
