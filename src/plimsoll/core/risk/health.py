"""What the venue says of the account as a whole (trading.md 1): margin, free balance, loans."""

from typing import Final

from plimsoll.core.records import HealthMeasured

OLD_NS: Final = 60_000_000_000
"""A statement older than this says nothing of now: twelve polls were missed."""


class Health:
    """The newest statement. Amounts in USD cash units, rates in parts per million; -1 = unsaid."""

    def __init__(self) -> None:
        """Start before the first one."""
        self.ts_ns = 0
        self.available_units = -1
        self.initial_ppm = -1
        self.maintenance_ppm = -1
        self.borrowed: dict[str, int] = {}

    def on_measured(self, record: HealthMeasured) -> None:
        """Take a statement over."""
        self.ts_ns = record.ts_ns
        self.available_units = record.available_units
        self.initial_ppm = record.initial_ppm
        self.maintenance_ppm = record.maintenance_ppm
        self.borrowed = record.borrowed

    def is_known(self, now_ns: int) -> bool:
        """Return whether there is a statement young enough to go by."""
        return bool(self.ts_ns) and now_ns - self.ts_ns <= OLD_NS

    def forget(self) -> None:
        """Begin a session: what was said is of another time."""
        self.ts_ns = 0
        self.borrowed = {}
