"""A grid: buy each step down, sell each step up, around the price of the last fill.

It earns while a price goes to and fro and loses while it runs away: ``most`` is where it stops
adding. The anchor is a state, so a restart quotes the same grid again.
"""

from plimsoll.core.feed import Market
from plimsoll.core.strategy import FillEvent, Strategy, param, state


class Grid(Strategy):
    """Rest ``levels`` orders on each side of an anchor; each fill moves the anchor to its price."""

    step: float = param(0.002, ge=0.0001, le=0.2, hot=True, help="between two levels, as a share")
    levels: int = param(3, ge=1, le=20, hot=True, help="orders on each side")
    notional: float = param(100.0, ge=0, hot=True, help="of each order, in quote coin")
    most: float = param(1_000.0, ge=0, hot=True, help="largest position, in quote coin")

    anchors: dict[str, float] = state({})

    def on_book(self, market: Market) -> None:
        """State the grid; nothing moves while the anchor stands."""
        name, middle = market.instrument.name, market.book.mid
        if not middle:
            return
        anchor = self.anchors.setdefault(name, middle)
        qty, held = self.notional / anchor, self.position(name).qty * middle
        down = [(anchor * (1 - self.step) ** (level + 1), qty) for level in range(self.levels)]
        up = [(anchor * (1 + self.step) ** (level + 1), qty) for level in range(self.levels)]
        room = self._room(-held)
        if market.instrument.is_spot:  # what is not held cannot be sold there
            room = int(self.position(name).qty / qty)
        self.quote(name, down[: self._room(held)], up[:room])

    def on_fill(self, fill: FillEvent) -> None:
        """Go on from the price that was just paid."""
        tick = self.market(fill.instrument).instrument.tick
        self.anchors[fill.instrument] = float(fill.price_ticks * tick)

    def _room(self, held: float) -> int:
        """Return how many orders fit until ``most`` is held."""
        return max(0, int((self.most - held) / self.notional)) if self.notional else 0
