"""What a process tells of itself; the core ignores it."""

from plimsoll.core.records.base import Record


class Telemetry(Record, frozen=True, tag="telemetry"):
    """One second of counters, gauges and histograms of a process; the core ignores it.

    A histogram is bucket, count, bucket, count ... without the empty ones; the buckets' bounds
    stand in ``observe``.
    """

    process: str
    counters: dict[str, int]
    gauges: dict[str, float]
    histograms: dict[str, list[int]]
