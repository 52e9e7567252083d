"""Open interest: some prints open positions, others close them."""

from collections import deque
from typing import Final

START_LOTS: Final = 50_000_000
STEP_MS: Final = 300_000
_KEPT: Final = 2100
"""Steps of five minutes: a week and some."""


class OpenInterest:
    """Lots of both sides together, and their past at each fifth minute."""

    def __init__(self) -> None:
        """Start with what every instrument of this exchange starts with."""
        self.lots = START_LOTS
        self._past: deque[tuple[int, int]] = deque(maxlen=_KEPT)

    def move(self, trade_id: str, qty_lots: int) -> None:
        """Let a print open (about half of them) or close positions, as its id decides."""
        opens = int(trade_id[-1], 16) % 2
        self.lots = max(0, self.lots + (qty_lots if opens else -qty_lots))

    def roll(self, now_ms: int) -> None:
        """Note the value where five minutes are over."""
        step = now_ms // STEP_MS * STEP_MS
        if not self._past or self._past[-1][0] < step:
            self._past.append((step, self.lots))

    def past(self, every_ms: int) -> list[tuple[int, int]]:
        """Return (time in ms, lots) at multiples of a span, newest first."""
        return [row for row in reversed(self._past) if row[0] % every_ms == 0]
