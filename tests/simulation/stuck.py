"""Strategies that do not come back: for tests of the guard over callbacks."""

import time

from plimsoll.core.feed import Market
from plimsoll.core.strategy import Strategy


class Loops(Strategy):
    """Asks for an order at the n-th book, then runs for ever."""

    after: int = 20
    books = 0

    def on_book(self, market: Market) -> None:
        """Count; then never return."""
        self.books += 1
        if self.books == self.after:
            self.buy(market.instrument.name, 0.05)
            while True:
                self.books += 1


class Swallows(Loops):
    """Takes every exception there is, twice."""

    def on_book(self, market: Market) -> None:
        """Never return, whatever is raised, but for the third time."""
        self.books += 1
        if self.books < self.after:
            return
        for _ in range(2):
            try:
                while True:
                    self.books += 1
            except BaseException:  # noqa: S110 - that is what it is for
                pass
        while True:
            self.books += 1


class Sleeps(Loops):
    """Blocks for five seconds."""

    def on_book(self, market: Market) -> None:
        """Stand still at the n-th book."""
        self.books += 1
        if self.books == self.after:
            time.sleep(5)


class Exits(Loops):
    """Wants to end the whole program."""

    def on_book(self, market: Market) -> None:
        """Raise what no ``except Exception`` takes."""
        self.books += 1
        if self.books == self.after:
            raise SystemExit(3)


class Wrong(Strategy):
    """Asks, at each book, for what no desk takes."""

    after: int = 0

    def on_book(self, market):
        self.target(market.instrument.name, qty=1, stop="abc")
