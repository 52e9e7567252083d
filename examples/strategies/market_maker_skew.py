"""Make a market in several levels, and let what is held move prices and sizes.

The quoter (quoter.py) is the short version. Here the spread grows with how far prices move, and the
side that would add to the inventory becomes smaller before it goes away.
"""

from plimsoll.core.feed import Market
from plimsoll.core.strategy import Strategy, param


class SkewedMaker(Strategy):
    """Quote ``levels`` a side around a middle that leans against the inventory."""

    bars = {"1s": 60}
    notional: float = param(100.0, ge=0, hot=True, help="of each order, in quote coin")
    most: float = param(1_000.0, ge=1, hot=True, help="largest position, in quote coin")
    levels: int = param(3, ge=1, le=10, help="orders on each side")
    spread: float = param(0.0004, ge=0, le=0.1, hot=True, help="between best bid and best ask")
    gap: float = param(0.0003, ge=0, le=0.1, hot=True, help="between two levels")
    fear: float = param(0.5, ge=0, le=10, hot=True, help="deviations of a minute added to it")
    lean: float = param(1.0, ge=0, le=5, hot=True, help="half spreads the middle moves when full")

    def on_book(self, market: Market) -> None:
        """State the quotes anew; the engine moves only what is far enough from them."""
        name, middle = market.instrument.name, market.book.mid
        if not middle:
            return
        moves = self.deviation(name, "1s", 60)
        half = self.spread / 2 + (self.fear * moves.value / middle if moves.is_ready else 0.0)
        held = max(-1.0, min(1.0, self.position(name).qty * middle / self.most))
        centre = middle * (1 - self.lean * half * held)
        steps = [half + level * self.gap for level in range(self.levels)]
        bid_qty, ask_qty = (self.notional / middle * min(1.0, 1 - side * held) for side in (1, -1))
        self.quote(
            name,
            [(centre * (1 - step), bid_qty) for step in steps] if held < 1 else [],
            [(centre * (1 + step), ask_qty) for step in steps] if held > -1 else [],
            requote_ticks=5,
        )
