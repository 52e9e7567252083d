"""Earn funding: hold the coin and sell the perpetual against it while longs pay.

What it holds does not move with the price, but for the lots by which the legs differ. It says on
every look what to hold, so that a leg that was refused is tried again.
"""

from plimsoll.core.strategy import Strategy, param, state


class FundingCarry(Strategy):
    """Hold spot against a short perpetual from one funding rate on, and neither below another."""

    instruments = ("spot:BTCUSDT", "linear:BTCUSDT")
    enter: float = param(0.0001, ge=0, le=0.01, hot=True, help="rate of one funding to go in at")
    leave: float = param(0.0, ge=-0.01, le=0.01, hot=True, help="rate to go out below")
    notional: float = param(500.0, ge=0, help="of each leg, in quote coin")
    every: float = param(60.0, ge=1, le=3_600, help="seconds between two looks")

    qty = state(0.0)

    def on_start(self) -> None:
        """Look soon, and from there on every so often."""
        self.timer("look", 1)

    def on_timer(self, name: str) -> None:
        """Compare the rate that the venue foretells with the two bounds."""
        self.timer("look", self.every)
        spot, perpetual = self.instruments
        market = self.market(perpetual)
        if not market.mark or not market.next_funding_ms:
            return  # nothing is known yet
        if self.qty and market.funding_rate < self.leave:
            self.qty = 0.0
        elif not self.qty and market.funding_rate >= self.enter:
            self.qty = self.notional / market.mark
        self.target(spot, qty=self.qty)
        self.target(perpetual, qty=-self.qty)
