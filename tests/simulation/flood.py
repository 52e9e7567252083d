"""A strategy that asks for about a hundred orders a second: for the tests of rates."""

from plimsoll.core.feed import Market
from plimsoll.core.strategy import OrderHandle, Strategy

SECOND = 1_000_000_000


class Flood(Strategy):
    """Calm for a while, then fourteen orders on every book change; what rests is soon cancelled."""

    qty: float = 0.05
    calm_s: float = 8.0
    begun = 0
    last = 0

    def on_start(self) -> None:
        """Begin with nothing asked for."""
        self.asked: list[OrderHandle] = []

    def on_book(self, market: Market) -> None:
        """Ask for orders away from the market, cancel the oldest of more than five."""
        self.begun = self.begun or self.now
        name = market.instrument.name
        is_calm = self.now - self.begun < self.calm_s * SECOND
        if is_calm and self.now - self.last < SECOND // 2:
            return
        self.last = self.now
        working = [handle for handle in self.asked if handle.order and handle.order.is_working]
        for handle in working[:-5]:
            handle.cancel()
        # Whether an order was taken is known after this callback.
        self.asked = working + [
            self._ask(name, market.book.mid) for _ in range(1 if is_calm else 14)
        ]

    def _ask(self, name: str, middle: float) -> OrderHandle:
        return self.buy(name, self.qty, round(middle * 0.99, 1), post_only=True)
