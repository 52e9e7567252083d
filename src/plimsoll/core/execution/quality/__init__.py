"""How well orders are executed: prices, times and refusals, measured from the records of both logs.

In: every record of the logs, in their order. Out: figures by instance, instrument and kind of
order, each with its n. Followers of the journal may import it; the engine does not: it trades.
"""

from plimsoll.core.execution.quality.catalogue import METRICS, Figure, Metric
from plimsoll.core.execution.quality.cell import Cell, Key, Kind
from plimsoll.core.execution.quality.figures import Measured, measured, merged, totals
from plimsoll.core.execution.quality.follower import Quality

__all__ = [
    "METRICS",
    "Cell",
    "Figure",
    "Key",
    "Kind",
    "Measured",
    "Metric",
    "Quality",
    "measured",
    "merged",
    "totals",
]
