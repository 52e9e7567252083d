"""Daily loss and drawdown of the live account, adjusted for flows (trading.md 4 and 8)."""

from plimsoll.core.risk.pacing import DAY_NS


class Losses:
    """Equity now, at 00:00 UTC and at its highest; flows move all three alike.

    All values in quote cash units. ``is_known`` is False until equity has been measured.
    """

    def __init__(self) -> None:
        """Start unmeasured."""
        self.is_known = False
        self.equity = 0
        self.baseline = 0
        self.peak = 0
        self.day = 0

    def measure(self, equity: int, ts_ns: int) -> None:
        """Take the account's equity at a time."""
        day = ts_ns // DAY_NS
        if not self.is_known:
            self.is_known, self.peak, self.baseline, self.day = True, equity, equity, day
        if day != self.day:
            self.day, self.baseline = day, equity
        self.equity = equity
        self.peak = max(self.peak, equity)

    def flow(self, units: int) -> None:
        """Shift baseline and peak by a deposit (+) or withdrawal (-): neither is profit."""
        if self.is_known:
            self.equity += units
            self.baseline += units
            self.peak += units

    @property
    def lost_today(self) -> int:
        """Loss since 00:00 UTC, 0 where there is none."""
        return max(0, self.baseline - self.equity)

    @property
    def drawdown_ppm(self) -> int:
        """Fall from the peak in parts per million of it."""
        return (self.peak - self.equity) * 1_000_000 // self.peak if self.peak > 0 else 0
