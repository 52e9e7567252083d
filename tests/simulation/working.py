"""A strategy that works one large order: for tests of executors on the simulator."""

from collections.abc import Callable

from plimsoll.core.feed import Market
from plimsoll.core.strategy import Grid, Iceberg, Legs, Pov, Strategy, Twap, Vwap, state
from plimsoll.core.strategy.executors import Wish

FIRST, SECOND = "linear:ETHUSDT", "linear:BTCUSDT"


class Working(Strategy):
    """Start one executor at the first book, once for ever."""

    kind: str = "twap"
    qty: float = 0.4
    over_s: float = 8.0
    number = state(0)

    def on_book(self, market: Market) -> None:
        """Start it."""
        middle = market.book.mid
        if self.number or market.instrument.name != FIRST:
            return
        if self.kind == "legs" and not self.market(SECOND).bid_ticks:
            return
        wishes: dict[str, Callable[[], Wish]] = {
            "twap": lambda: Twap(self.qty, self.over_s, 1.0, randomised=0.3),
            "vwap": lambda: Vwap(-self.qty, self.over_s, 1.0, profile=[1, 3, 2]),
            "iceberg": lambda: Iceberg(self.qty, self.qty / 4, middle * 1.001),
            "pov": lambda: Pov(self.qty, 0.2),
            "legs": lambda: Legs([(FIRST, self.qty), (SECOND, -self.qty / 20)], 400),
            "grid": lambda: Grid(middle * 0.998, middle * 1.002, 9, self.qty / 8),
        }
        handle = self.execute(wishes[self.kind](), "" if self.kind == "legs" else FIRST)
        assert handle.refusal is None, handle.refusal
        self.number = handle.number
