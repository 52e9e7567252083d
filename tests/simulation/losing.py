"""A strategy that asks for a number of orders and then only waits: for the test of lost answers."""

from plimsoll.core.feed import Market
from plimsoll.core.strategy import OrderHandle, Strategy

PACE_NS = 40_000_000


class Losing(Strategy):
    """Ask for ``count`` orders, most of them to rest, one in five to match at once."""

    qty: float = 0.01
    count: int = 100
    asked = 0
    last = 0

    def on_start(self) -> None:
        """Begin with nothing asked for."""
        self.handle: OrderHandle | None = None

    def on_book(self, market: Market) -> None:
        """Ask for the next one; one that was refused here is asked for again."""
        if self.handle is not None and self.handle.refusal is not None:
            self.asked -= 1
        self.handle = None
        if self.asked >= self.count or self.now - self.last < PACE_NS:
            return
        self.last = self.now
        self.asked += 1
        name, middle = market.instrument.name, market.book.mid
        away = 1.001 if self.asked % 5 == 0 else 0.985  # all buy: they must not cross each other
        self.handle = self.buy(name, self.qty, round(middle * away, 1))
