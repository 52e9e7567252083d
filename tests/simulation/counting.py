"""A strategy that only counts: for tests of what a restart remembers."""

from plimsoll.core.strategy import Strategy, state


class Counting(Strategy):
    """Count the prints heard, in declared state."""

    seen = state(0)

    def on_trade(self, instrument: str, price: float, qty: float, *, is_buy: bool) -> None:
        """Count one print."""
        self.seen += 1
