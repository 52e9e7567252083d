"""A strategy that buys once and holds: for tests of what happens to a position by itself."""

from plimsoll.core.feed import Market
from plimsoll.core.strategy import Strategy, state


class Holding(Strategy):
    """Buy at the first book, then do nothing."""

    qty: float = 0.05
    has_bought = state(False)

    def on_book(self, market: Market) -> None:
        """Buy once."""
        if not self.has_bought:
            self.has_bought = True
            self.buy(market.instrument.name, self.qty)
