"""The sequential test: a bet on the strategy with nothing but the right to stop at any time.

Whoever bets each day a fixed share of what he has on a return whose expectation, given all before,
is not above zero, owns a supermartingale: the chance that one unit ever becomes x is at most 1 / x
(Ville's inequality), whenever and however often one looks. Wealth is evidence. Nobody knows the
best stake before, so the unit is spread evenly over several; their sum is such a wealth too.

What is assumed: no day loses more than ``bound``. A day that does ends the bet with nothing. Not
assumed: independence, equal variance, symmetry, a normal distribution. Source: Waudby-Smith and
Ramdas, Estimating means of bounded random variables by betting (2024); Shafer, Testing by betting
(2021); Ville (1939).
"""

import math
from collections.abc import Sequence
from typing import Final

import msgspec

STAKES: Final = 7
"""Stakes the unit is spread over, each half of the one before; the largest is 1 / bound."""

_PARTS: Final = tuple(0.5**nth for nth in range(STAKES))

MOST_DAYS: Final = 36_500
"""What takes longer than a century is never."""


class Betting(msgspec.Struct):
    """One unit, bet each day on returns above a level (``sign`` 1) or below it (-1)."""

    bound: float
    """Most that a day can lose of a unit staked whole."""
    level: float = 0.0
    """Daily return that nobody may beat for nothing."""
    sign: int = 1
    logs: list[float] = msgspec.field(default_factory=lambda: [0.0] * STAKES)
    """Logarithm of what each stake has become."""
    days: int = 0
    peak: float = 0.0
    """Highest logarithm of the whole so far: what was reached was reached."""

    def stakes(self) -> list[float]:
        """Return the shares bet, the largest first."""
        return [part / self.bound for part in _PARTS]

    def add(self, gain: float) -> None:
        """Take one day's return as a fraction of capital."""
        won = self.sign * (gain - self.level)
        self.days += 1
        # Not a number is a day nobody can vouch for: it counts as the worst.
        if not won > -self.bound:
            self.logs = [-math.inf] * STAKES
            return
        share = won / self.bound
        self.logs = [
            log + math.log1p(part * share) for log, part in zip(self.logs, _PARTS, strict=True)
        ]
        if max(self.logs) > self.peak:  # the mean is never above the largest
            self.peak = max(self.peak, self.log)

    @property
    def is_over(self) -> bool:
        """Return whether a day lost more than the bound: nothing is left to bet."""
        return self.logs[0] == -math.inf

    @property
    def log(self) -> float:
        """Logarithm of what the unit has become."""
        return _log_mean(self.logs)

    @property
    def wealth(self) -> float:
        """What the unit has become."""
        return math.exp(min(self.log, _LARGEST))

    @property
    def best(self) -> float:
        """The most it ever was: evidence does not go away by being looked at later."""
        return math.exp(min(self.peak, _LARGEST))

    def days_until(self, wealth: float, mean: float, variance: float) -> int | None:
        """Return how many more such days it takes, None where they never lead there.

        Args:
            wealth: What is to be reached.
            mean: Of daily returns.
            variance: Of the same.
        """
        wanted = math.log(wealth)
        if self.peak >= wanted:
            return 0
        won = self.sign * (mean - self.level)
        if self.is_over or not math.isfinite(won) or not math.isfinite(variance):
            return None
        growths = [
            stake * won - stake * stake * (variance + won * won) / 2 for stake in self.stakes()
        ]

        def after(days: int) -> float:
            return _log_mean(
                [log + days * growth for log, growth in zip(self.logs, growths, strict=True)]
            )

        # Convex in time and below the goal now: it crosses once, or not at all.
        high = 1
        while after(high) < wanted:
            high *= 2
            if high > 2 * MOST_DAYS:
                return None
        low = high // 2
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if after(middle) >= wanted else (middle, high)
        return high if high <= MOST_DAYS else None


_LARGEST: Final = 700.0
"""Logarithm beyond which a float holds no number."""


def _log_mean(logs: Sequence[float]) -> float:
    most = max(logs)
    if most == -math.inf:
        return most
    return most + math.log(math.fsum(math.exp(log - most) for log in logs) / len(logs))
