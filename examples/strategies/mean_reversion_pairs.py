"""Trade the ratio of two prices: it has to come back, and both legs close together when it does.

Wants two instruments that move together. It says on every bar what to hold, so a restart, or a leg
that was refused, needs nothing more.
"""

from math import log

from plimsoll.core.feed import Bar
from plimsoll.core.strategy import StandardDeviation, Strategy, param, state


class Pairs(Strategy):
    """Hold the cheap leg against the dear one while their ratio is far from its average."""

    instruments = ("linear:BTCUSDT", "linear:ETHUSDT")
    bars = {"1s": 60}
    enter: float = param(
        2.0, ge=0.5, le=10, hot=True, help="deviations from the average to go in at"
    )
    leave: float = param(0.5, ge=0, le=10, hot=True, help="deviations to go out at")
    notional: float = param(500.0, ge=0, help="of each leg, in quote coin")

    spread = state(StandardDeviation(60))
    side = state(0)
    held: list[float] = state([0.0, 0.0])

    def on_bar(self, bar: Bar) -> None:
        """Act once both bars of a second are there."""
        first, second = (self.window(name, "1s") for name in self.instruments)
        if not first or not second or first[-1].start_ns != second[-1].start_ns:
            return
        one, other = first[-1].close, second[-1].close
        self.spread.update(log(one / other))
        side = self._side(log(one / other))
        if side != self.side:
            self.side = side
            self.held = [side * self.notional / one, -side * self.notional / other]
        for name, qty in zip(self.instruments, self.held, strict=True):
            self.target(name, qty=qty)

    def _side(self, spread: float) -> int:
        """Return 1 to be long of the first leg, -1 of the second, 0 to be out."""
        if not self.spread.is_ready or not self.spread.value:
            return self.side
        distance = (spread - self.spread.mean) / self.spread.value
        if abs(distance) > self.enter:
            return -1 if distance > 0 else 1
        return 0 if abs(distance) < self.leave else self.side
