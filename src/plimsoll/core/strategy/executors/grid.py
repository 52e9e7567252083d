"""``Grid``: buy at the lower edge of a cell, sell at its upper edge, again and again."""

from collections.abc import Sequence
from decimal import ROUND_CEILING, Decimal
from typing import Final, NamedTuple

import msgspec

from plimsoll.core.model import Denied, OrderType, Regrid, Side
from plimsoll.core.model import TimeInForce as Tif
from plimsoll.core.strategy.executors.leg import Leg
from plimsoll.core.strategy.executors.plan import (
    SPACING_NS,
    Send,
    Sight,
    Terms,
    signed_lots,
    wrong,
)
from plimsoll.core.strategy.number import Number

MOST_LEVELS: Final = 50


class Laddered(msgspec.Struct, tag="laddered"):
    """Prices of the edges, lowest first; cell i lies between edges i and i + 1."""

    edges: list[int]

    @property
    def ends_ns(self) -> int:
        """Return 0: it goes on until it is cancelled."""
        return 0

    def sends(self, legs: Sequence[Leg], sights: Sequence[Sight], now_ns: int) -> list[Send]:
        """Return the next order of each cell that has none."""
        found = []
        for index, (leg, sight) in enumerate(zip(legs, sights, strict=True)):
            if leg.in_flight or now_ns < leg.newest_ns + SPACING_NS or not sight.bid_ticks:
                continue
            send = self._buy(index, leg, sight)
            if leg.filled_lots > 0:
                send = self._sale(index, leg, sight) or send
            if send is not None:
                found.append(send)
        return found

    def over(self, _legs: Sequence[Leg], _sights: Sequence[Sight], _now_ns: int) -> str:
        """Return nothing: it ends when it is cancelled."""
        return ""

    def closing(self, _legs: Sequence[Leg], _sights: Sequence[Sight]) -> list[Send]:
        """Return nothing: what the cells hold stays."""
        return []

    def regrid(self, _instrument: str, regrid: Regrid) -> None:
        """Count in the new ticks."""
        self.edges = [edge * regrid.tick for edge in self.edges]

    def _buy(self, index: int, leg: Leg, sight: Sight) -> Send | None:
        lots = sight.listed.on_qty_step(leg.left_lots)
        ticks = sight.listed.on_price_step(self.edges[index], up=False)
        if lots < sight.least_lots or ticks >= sight.ask_ticks:
            return None  # a market below the cell buys in the cells it is in
        return _rest(index, Side.BUY, ticks, lots)

    def _sale(self, index: int, leg: Leg, sight: Sight) -> Send | None:
        """Return the sale of what a cell holds, on spot less the fee that was taken off it."""
        lots = leg.filled_lots
        if sight.listed.is_spot:
            fee = Decimal(sight.listed.taker_fee) * lots
            lots -= int(fee.to_integral_value(ROUND_CEILING))
        lots = sight.listed.on_qty_step(lots)
        ticks = max(self.edges[index + 1], sight.bid_ticks + 1)
        if lots < sight.least_lots:
            return None
        return _rest(index, Side.SELL, sight.listed.on_price_step(ticks, up=True), lots)


def _rest(index: int, side: Side, ticks: int, lots: int) -> Send:
    return Send(index, side, OrderType.LIMIT, Tif.POST_ONLY, ticks, lots, reduce_only=False)


class Grid(NamedTuple):
    """Rest a buy of ``qty`` at each level below the market; sell one level higher what was bought.

    ``levels`` prices from ``low`` to ``high``, both included, make one cell less. It begins flat,
    holds at most a quantity a cell, and goes on until it is cancelled; what it holds then stays.
    """

    low: Number
    high: Number
    levels: int
    qty: Number

    def begin(
        self, terms: Terms, instrument: str
    ) -> tuple[Laddered, list[tuple[str, int, int]]] | Denied:
        """Return the plan and a leg for each cell, or why there is none."""
        listed = terms.listed(instrument)
        if isinstance(listed, Denied):
            return listed
        wanted = signed_lots(terms, listed, self.qty)
        low, high = terms.ticks(listed, "low", self.low), terms.ticks(listed, "high", self.high)
        if isinstance(wanted, Denied):
            return wanted
        if isinstance(low, Denied):
            return low
        if isinstance(high, Denied):
            return high
        cells = self.levels - 1
        if wanted[0] < 0:
            return wrong("a grid buys first: its quantity is above zero")
        if not 1 <= cells < MOST_LEVELS or high - low < cells * listed.price_step:
            return wrong(f"a grid has 2 to {MOST_LEVELS} levels, low to high, ticks apart")
        edges = [
            listed.on_price_step(low + (high - low) * index // cells, up=False)
            for index in range(self.levels)
        ]
        return Laddered(edges), [(instrument, *wanted)] * cells
