"""A strategy with something of everything: a position, entries that rest and move, an exit."""

from plimsoll.core.feed import Market
from plimsoll.core.strategy import Strategy, state


class Ladder(Strategy):
    """Buy once, rest an exit, and keep quoting three rows a side near the market."""

    qty: float = 0.05
    turns = state(0)
    has_exit = state(False)

    def on_book(self, market: Market) -> None:
        """Do one of these at each book change."""
        name, middle = market.instrument.name, market.book.mid
        self.turns += 1
        if self.turns == 1:
            self.buy(name, self.qty)
        elif not self.has_exit and self.position(name).qty > 0:
            self.has_exit = True
            self.sell(name, self.qty, middle * 1.015, reduce_only=True)
        elif self.turns % 3 == 0:
            steps = [0.002, 0.003, 0.004]
            self.quote(
                name,
                [(middle * (1 - step), self.qty) for step in steps],
                [(middle * (1 + step), self.qty) for step in steps],
                min_life_ms=200,
            )
