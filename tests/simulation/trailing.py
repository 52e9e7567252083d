"""A strategy whose stop follows: for tests of protection."""

from plimsoll.core.feed import Market
from plimsoll.core.strategy import Strategy, state


class Trailing(Strategy):
    """Hold one way with a stop at a distance; once it was stopped, hold the other way."""

    qty: float = 0.05
    away: float = 0.002
    sign = state(1)
    was_held = state(False)

    def on_book(self, market: Market) -> None:
        """State it again at each book, as strategies do."""
        name = market.instrument.name
        held = self.position(name).qty
        if self.was_held and not held:
            self.sign = -self.sign
        self.was_held = bool(held)
        self.target(name, self.sign * self.qty, trail=market.book.mid * self.away // 1)
