"""Follow the faster of two moving averages, with a stop.

Run it against the simulator: `plimsoll demo`.
"""

from plimsoll.core.feed import Bar
from plimsoll.core.strategy import Strategy, param


class EmaCross(Strategy):
    """Hold ``notional`` long while the fast average is above the slow one, short while below."""

    bars = {"1s": 60}
    fast: int = param(5, ge=1, hot=True)
    slow: int = param(20, ge=2, hot=True)
    notional: float = param(500.0, ge=0, hot=True)
    stop: float = param(0.01, ge=0, hot=True)

    def on_bar(self, bar: Bar) -> None:
        """Take the side of the fast average; the stop stands ``stop`` away from the close."""
        fast, slow = (self.ema(bar.instrument, "1s", n) for n in (self.fast, self.slow))
        if slow.is_ready:
            side = 1 if fast.value > slow.value else -1
            stop = bar.close * (1 - side * self.stop)
            self.target(bar.instrument, notional=side * self.notional, stop=stop)
