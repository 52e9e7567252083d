"""How an instance fares in an instrument: round trips lost, requests rejected, prices slipped."""

from collections import deque
from collections.abc import Iterator
from typing import Final

from plimsoll.core.model import slipped
from plimsoll.core.portfolio import Streak
from plimsoll.core.risk.breakers.table import Finding
from plimsoll.core.settings import BreakerSettings

REQUESTS_KEPT: Final = 50
FILLS_KEPT: Final = 20
FILLS_LEAST: Final = 5
PPM: Final = 1_000_000


def pair(owner: str, instrument: str) -> str:
    """Return the scope of an instance in one instrument."""
    return f"{owner}/{instrument}"


def streaks_lost(
    streaks: dict[tuple[str, str], Streak], settings: BreakerSettings
) -> Iterator[Finding]:
    """Yield the streaks that are too long."""
    for (owner, instrument), streak in streaks.items():
        if streak.lost >= settings.losing_streak > 0:
            text = f"{streak.lost} round trips lost in a row"
            scope = pair(owner, instrument)
            yield Finding("losing_streak", scope, streak.lost, settings.losing_streak, text)


class Conduct:
    """What became of the requests and market orders of one instance in one instrument."""

    def __init__(self) -> None:
        """Start with nothing asked."""
        self.rejected: deque[bool] = deque(maxlen=REQUESTS_KEPT)
        self.slipped: deque[tuple[int, int]] = deque(maxlen=FILLS_KEPT)
        """Cost in parts per million of the price at the decision, and lots."""

    def on_request(self, *, is_rejected: bool, is_late: bool = False) -> None:
        """Note the end of a create or amend; ``is_late``: it was noted as accepted before."""
        if is_late and False in self.rejected:
            self.rejected.remove(False)
        self.rejected.append(is_rejected)

    def on_fill(self, sign: int, price_ticks: int, arrival_ticks: int, lots: int) -> None:
        """Note a fill of a market order; worse than at the decision is positive."""
        self.slipped.append((slipped(sign, price_ticks, arrival_ticks), lots))

    def findings(self, scope: str, settings: BreakerSettings) -> Iterator[Finding]:
        """Yield what is too much."""
        asked, rejected = len(self.rejected), sum(self.rejected)
        if asked >= settings.reject_least and rejected * PPM > settings.reject_ppm * asked:
            text = f"{rejected} of {asked} requests rejected"
            yield Finding("reject_rate", scope, rejected * PPM // asked, settings.reject_ppm, text)
        lots = sum(lots for _, lots in self.slipped)
        if len(self.slipped) >= FILLS_LEAST and lots:
            mean = sum(cost * lots for cost, lots in self.slipped) // lots
            if mean > settings.slippage_ppm:
                text = f"{mean / 100:.1f} bps lost on the newest {len(self.slipped)} market fills"
                yield Finding("slippage", scope, mean, settings.slippage_ppm, text)

    def forget(self, breaker: str) -> None:
        """Begin a window anew: what it held has tripped its breaker."""
        (self.rejected if breaker == "reject_rate" else self.slipped).clear()
