"""Daily loss and drawdown of the live account and of each instance (trading.md 4 and 8).

The account's are of equity, adjusted for flows; an instance's of its own profit, which flows do
not touch.
"""

import msgspec

from plimsoll.core.model import DAY_NS


class Losses:
    """Equity now, at 00:00 UTC and at its highest, adjusted for flows.

    All values in quote cash units. ``is_known`` is False until equity has been measured. A flow
    moves the baseline by itself, so that what was lost today stays, and the peak in proportion, so
    that the drawdown stays: a deposit does not make it smaller.
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
        """Take a deposit (+) or withdrawal (-): neither is profit, loss or drawdown.

        The peak is rounded up, against us. Where nothing is left, or was there, a proportion has
        no meaning: the peak moves by the flow, so that emptying and filling changes nothing.
        """
        if self.is_known:
            after = self.equity + units
            if self.equity > 0 and after > 0:
                self.peak = -(-self.peak * after // self.equity)
            else:
                self.peak += units
            self.equity = after
            self.baseline += units

    def forgive(self) -> None:
        """Count drawdown anew from here: a person has seen it and re-armed."""
        self.peak = self.equity

    @property
    def lost_today(self) -> int:
        """Loss since 00:00 UTC, 0 where there is none."""
        return max(0, self.baseline - self.equity)

    @property
    def drawdown_ppm(self) -> int:
        """Fall from the peak in parts per million of it."""
        return (self.peak - self.equity) * 1_000_000 // self.peak if self.peak > 0 else 0


class OwnLosses(msgspec.Struct):
    """Profit of one instance now, at 00:00 UTC and at its highest, in quote cash units."""

    profit: int = 0
    baseline: int = 0
    peak: int = 0
    day: int = 0

    def measure(self, profit: int, ts_ns: int) -> None:
        """Take the instance's profit at a time."""
        day = ts_ns // DAY_NS
        if not self.day:
            self.peak = self.baseline = profit
        elif day != self.day:
            self.baseline = profit
        self.day = day
        self.profit = profit
        self.peak = max(self.peak, profit)

    def forgive(self) -> None:
        """Count drawdown anew from here: a person has seen it and re-armed."""
        self.peak = self.profit

    @property
    def lost_today(self) -> int:
        """Loss since 00:00 UTC, 0 where there is none."""
        return max(0, self.baseline - self.profit)

    def drawdown_ppm(self, capital: int) -> int:
        """Return the fall from the highest in parts per million of capital and profit then."""
        most = capital + self.peak
        return (self.peak - self.profit) * 1_000_000 // most if most > 0 else 0
