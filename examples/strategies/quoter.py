"""Quote both sides around the middle, leaning against the inventory.

Run it against the simulator: `plimsoll demo`.
"""

from plimsoll.core.feed import Market
from plimsoll.core.strategy import Strategy, param


class Quoter(Strategy):
    """Rest a bid and an offer ``spread`` around the middle; lean prices by what is held."""

    notional: float = param(100.0, ge=0, hot=True)
    most: float = param(1_000.0, ge=1, hot=True)
    spread: float = param(0.0004, ge=0, le=0.1, hot=True)
    lean: float = param(0.0004, ge=0, le=0.1, hot=True)

    def on_book(self, market: Market) -> None:
        """Move the quotes; a side that would take the position past ``most`` is withdrawn."""
        name, middle = market.instrument.name, market.book.mid
        if not middle:
            return
        held = self.position(name).qty * middle / self.most
        centre, qty = middle * (1 - self.lean * held), self.notional / middle
        bids = [(centre * (1 - self.spread / 2), qty)] if held < 1 else []
        asks = [(centre * (1 + self.spread / 2), qty)] if held > -1 else []
        self.quote(name, bids, asks, requote_ticks=5)
