"""A portfolio: fixed weights of the capital, traded only once one has drifted far enough.

``weights`` belong to ``instruments`` in their order; what they leave of 1 stays cash.
"""

from plimsoll.core.strategy import Strategy, param


class Rebalance(Strategy):
    """Keep each instrument at its weight of the capital."""

    instruments = ("spot:BTCUSDT", "spot:ETHUSDT")
    weights: tuple[float, ...] = param((0.4, 0.3), ge=0, le=1, help="one for each instrument")
    band: float = param(
        0.02, ge=0, le=0.5, hot=True, help="drift that is left alone, as a share of capital"
    )
    every: float = param(3_600.0, ge=1, le=86_400, help="seconds between two looks")

    def on_start(self) -> None:
        """Look soon, and from there on every so often."""
        self.timer("look", 1)

    def on_timer(self, name: str) -> None:
        """State the weight of whatever is outside its band."""
        self.timer("look", self.every)
        for instrument, weight in zip(self.instruments, self.weights, strict=True):
            value = self.position(instrument).qty * self.market(instrument).book.mid
            if abs(value / self.capital - weight) > self.band:
                self.target(instrument, weight=weight)
