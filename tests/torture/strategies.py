"""Strategies of the torture suite: plain ones, so that what goes wrong is never theirs."""

from typing import Any

from plimsoll.core.feed import Market
from plimsoll.core.strategy import OrderHandle, Strategy


class Steady(Strategy):
    """Place a few orders at each book until there were enough: takes, rests, and cancels."""

    enough: int = 1_000
    each: int = 3
    qty: float = 0.01
    away: float = 0.005
    """Further than a market order reaches, which would else cross what rests."""

    def on_start(self) -> None:
        """Begin with nothing resting that is known of."""
        self.turns = 0
        self.asked: list[OrderHandle] = []
        self.resting: list[OrderHandle] = []

    def on_book(self, market: Market) -> None:
        """Place, and cancel the oldest of what rests; what is denied does not count."""
        name, middle = market.instrument.name, market.book.mid
        self.asked = [one for one in self.asked if one.refusal is None]
        for _ in range(min(self.each, self.enough - len(self.asked))):
            self.turns += 1
            is_buy = self.turns % 2
            place: Any = self.buy if is_buy else self.sell
            if self.turns % 3 == 0:
                self.asked.append(place(name, self.qty))
            else:
                away = -self.away if is_buy else self.away
                self.resting.append(place(name, self.qty, middle * (1 + away)))
                self.asked.append(self.resting[-1])
        self.resting = [one for one in self.resting if one.is_working]
        while len(self.resting) > 6:
            self.resting.pop(0).cancel()
