"""A strategy that trades a lot: for tests that need many orders in little time."""

from plimsoll.core.feed import Market
from plimsoll.core.strategy import Strategy, state


class Busy(Strategy):
    """Take and quote in turns on every book change."""

    qty: float = 0.05
    turns = state(0)

    def on_book(self, market: Market) -> None:
        """Alternate between market orders, quotes and cancels."""
        name = market.instrument.name
        self.turns += 1
        held = self.position(name).qty
        step = self.turns % 7
        if step == 1:
            (self.sell if held > 0 else self.buy)(name, self.qty)
        elif step in (3, 5):
            middle = market.book.mid
            self.quote(
                name,
                [(middle * (1 - 0.00005), self.qty)],
                [(middle * (1 + 0.00005), self.qty)],
                min_life_ms=100,
            )
        elif step == 6 and self.rng.random() < 0.3:
            self.quote(name)
