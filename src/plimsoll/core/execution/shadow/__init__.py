"""Live orders filled on paper as well, and how far that is from what they got.

In: every record of both logs, in their order. Out: the gap of each instance in each instrument,
with intervals, a verdict, and settings that would close it. Followers of the journal may import it,
and whoever judges paper results; what trades does not.
"""

from plimsoll.core.execution.shadow.cell import Cell, Cells, Key, Kind
from plimsoll.core.execution.shadow.follower import MEASURED, Model, Shadow
from plimsoll.core.execution.shadow.gap import (
    Bound,
    Gap,
    Judged,
    Verdict,
    bound_of,
    by_pair,
    gap_of,
    judged,
    merged,
)
from plimsoll.core.execution.shadow.intervals import Estimate, Mean, Pairs
from plimsoll.core.execution.shadow.recalibrating import QueueShare, latency_of, queue_share_of

__all__ = [
    "MEASURED",
    "Bound",
    "Cell",
    "Cells",
    "Estimate",
    "Gap",
    "Judged",
    "Key",
    "Kind",
    "Mean",
    "Model",
    "Pairs",
    "QueueShare",
    "Shadow",
    "Verdict",
    "bound_of",
    "by_pair",
    "gap_of",
    "judged",
    "latency_of",
    "merged",
    "queue_share_of",
]
