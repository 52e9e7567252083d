"""A strategy with something of everything: a position, entries that rest and move, an exit."""

from plimsoll.core.feed import Market
from plimsoll.core.strategy import Strategy, state


class Ladder(Strategy):
    """Hold something, rest an exit for it, and keep quoting three rows a side near the market."""

    qty: float = 0.05
    turns = state(0)

    def on_book(self, market: Market) -> None:
        """Do one of these at each book change."""
        name, middle = market.instrument.name, market.book.mid
        self.turns += 1
        held = self.position(name).qty
        has_exit = any(order.reduce_only for order in self.orders(name))
        if self.turns % 10 == 1 and not held:
            self.buy(name, self.qty)
        elif self.turns % 10 == 5 and held and not has_exit:
            leave = self.sell if held > 0 else self.buy
            leave(name, abs(held), middle * (1.015 if held > 0 else 0.985), reduce_only=True)
        elif self.turns % 3 == 0:
            steps = [0.002, 0.003, 0.004]
            self.quote(
                name,
                [(middle * (1 - step), self.qty) for step in steps],
                [(middle * (1 + step), self.qty) for step in steps],
                min_life_ms=200,
            )
