"""A strategy whose positions always have a stop and a take: for tests of protection."""

from plimsoll.core.feed import Market
from plimsoll.core.strategy import Strategy, state


class Bracketed(Strategy):
    """Hold one way, then the other, each with exits ``away`` of the price on both sides."""

    qty: float = 0.05
    away: float = 0.01
    turn: int = 20
    """Books between two changes of mind; 0 = one position for ever."""
    turns = state(0)

    def on_book(self, market: Market) -> None:
        """Turn, or move the exits a little."""
        self.turns += 1
        if self.turns > 1 and (not self.turn or self.turns % (self.turn // 2)):
            return
        middle = market.book.mid
        sign = -1 if self.turn and self.turns // self.turn % 2 else 1
        moved = self.away + 0.0001 * (self.turns % 7)
        self.target(
            market.instrument.name,
            sign * self.qty,
            stop=middle * (1 - sign * moved),
            take=middle * (1 + sign * moved),
        )
