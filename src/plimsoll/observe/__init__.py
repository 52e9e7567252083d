"""What is counted, measured and logged: one function or name per meaningful thing.

In: events and durations. Out: JSON log lines on stderr, telemetry values. Every room above the
core may import it; it imports ``core`` only.
"""

from plimsoll.observe.histogram import (
    BOUNDS_NS,
    BOUNDS_US,
    Histogram,
    Packed,
    merged,
    quantile,
    size_of,
)
from plimsoll.observe.log import Log, start_logging

__all__ = [
    "BOUNDS_NS",
    "BOUNDS_US",
    "Histogram",
    "Log",
    "Packed",
    "merged",
    "quantile",
    "size_of",
    "start_logging",
]
