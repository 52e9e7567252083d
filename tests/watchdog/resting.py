"""A strategy that keeps orders resting away from the market: something to be cancelled."""

from pathlib import Path

from plimsoll.core.feed import Market
from plimsoll.core.strategy import OrderHandle, Strategy, state


class Resting(Strategy):
    """Keep ``count`` bids far below the market; where ``hang`` exists, do not return."""

    qty: float = 0.05
    count: int = 3
    hang: str = ""
    holds: float = 0.0
    """Bought once, at the market."""

    has_bought = state(False)

    def on_start(self) -> None:
        """Begin with nothing asked for."""
        self.asked: list[OrderHandle] = []

    def on_book(self, market: Market) -> None:
        """Ask for what is missing."""
        if self.hang and Path(self.hang).exists():
            sum(range(10**12))  # in C: it cannot be cut off from inside
        name = market.instrument.name
        if self.holds and not self.has_bought:
            self.has_bought = True
            self.buy(name, self.holds)
        self.asked = [
            handle
            for handle in self.asked
            if handle.refusal is None and (handle.order is None or handle.order.is_working)
        ]
        for step in range(self.count - len(self.asked)):
            price = round(market.book.mid * (0.995 - 0.0005 * step), 1)
            self.asked.append(self.buy(name, self.qty, price, post_only=True))
