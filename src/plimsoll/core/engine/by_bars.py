"""Paper orders, stops and conditional orders meet the bars of a backtest (trading.md 6).

A bar says where the price was, not when. What it decides, it decides against the strategy: a taker
fills at the next open, half a spread worse; a resting order fills only where the price went through
it by a tick; of a stop and a take in one bar the stop is met. The price walks open, the extreme
against the position, the other one, close, and stops on its way at each level that means something.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple

from plimsoll.core.engine.state import State
from plimsoll.core.engine.wishing import Wishing
from plimsoll.core.feed import DEEP, BarMarket
from plimsoll.core.matching.paper import PaperEvent, PaperVenue
from plimsoll.core.model import Order, OrderState, Side
from plimsoll.core.records import BarChanged, Record, TickerChanged
from plimsoll.core.strategy import Desk, Target

ROUNDS: Final = 10
"""Requests that follow from one another at one open."""

_RESTING: Final = frozenset({OrderState.OPEN, OrderState.PARTIAL})

_MOST: Final = 1_000
"""Levels met on one leg of a bar; more mean that something does not come to an end."""


class _Level(NamedTuple):
    """A price on the way at which something happens, and what."""

    ticks: int
    falls: bool
    """Whether it is met by a price at or below it; else at or above."""
    rule: str
    key: str

    def met_from(self, at: int, end: int) -> int | None:
        """Return where it is met between two prices, None where it is not; at once if passed."""
        if self.falls:
            return min(at, self.ticks) if min(at, end) <= self.ticks else None
        return max(at, self.ticks) if max(at, end) >= self.ticks else None


class ByBars:
    """Walks bars for the paper orders and targets of all instances."""

    def __init__(
        self,
        state: State,
        paper: PaperVenue,
        wishing: Wishing,
        desks: Callable[[str], Iterable[Desk]],
        happen: Callable[[Iterator[PaperEvent], str], Iterator[Record]],
        settle: Callable[[], Iterator[Record]],
    ) -> None:
        """Share the trader's parts.

        Args:
            state: Orders, positions, markets.
            paper: Holds the paper orders.
            wishing: Watches stops.
            desks: The instances on an instrument.
            happen: Puts what the paper venue did on record, with the rule that decided it.
            settle: Lets the instances hear of it and answer.
        """
        self.state = state
        self.paper = paper
        self.wishing = wishing
        self.desks = desks
        self.happen = happen
        self.settle = settle

    def awaits(self, name: str) -> bool:
        """Return whether anything waits for the prices of this instrument (hot)."""
        if self.state.orders.on_instrument.get(name):
            return True
        for desk in self.desks(name):  # noqa: SIM110 - any() makes a generator
            if _is_armed(desk.targets.get(name)):
                return True
        return False

    def on_open(self, ticker: TickerChanged) -> Iterator[Record]:
        """Let requests that are due take effect at the open of the next bar.

        So do those that follow from it: a moment later the price is still the open.
        """
        market, paper = self._market(ticker.instrument), self.paper
        if market is None:
            return
        yield from self._stand(market, "through")
        paper.is_at_once = True
        for _ in range(ROUNDS):
            yield from self.happen(paper.until(self.state.ts_ns, ticker.instrument), "open")
            yield from self.settle()
            if not paper.is_due(ticker.instrument, self.state.ts_ns):
                break
        paper.is_at_once = False

    def on_bar(self, bar: BarChanged) -> Iterator[Record]:
        """Walk a final bar, where anything waits for it; the market ends at its close."""
        market = self._market(bar.instrument)
        if market is None or not self.awaits(bar.instrument):
            return
        scale = market.scale
        first, high, low, last = (
            int(price * scale + 0.5) for price in (bar.open, bar.high, bar.low, bar.close)
        )
        adverse, other = (low, high) if self._is_long(bar.instrument) else (high, low)
        at = first
        for end in (first, adverse, other, last):
            yield from self._leg(market, at, end, bar)
            at = end
            market.stand_at(at / scale, bar.ts_ns)
            self.wishing.check_stops(self.desks(bar.instrument), bar.instrument)  # a trail follows
        market.stand_at(bar.close, bar.ts_ns)

    # ---- inside ----

    def _market(self, name: str) -> BarMarket | None:
        market = self.state.markets.get(name)
        return market if isinstance(market, BarMarket) else None

    def _is_long(self, name: str) -> bool:
        """Return which way the position is; without one, which way the first order goes."""
        for desk in self.desks(name):
            lots = self.state.ledger.qty_lots(desk.name, name)
            if lots:
                return lots > 0
        orders: Iterable[Order] = self.state.orders.on_instrument.get(name, {}).values()
        return next((order.side is Side.BUY for order in orders), True)

    def _leg(self, market: BarMarket, at: int, end: int, bar: BarChanged) -> Iterator[Record]:
        """Go from one price to another and stop at each level on the way, the nearest first."""
        met: set[str] = set()
        for _ in range(_MOST):
            found = [
                (abs(ticks - at), ticks, level)
                for level in self._levels(market, bar)
                if level.key not in met and (ticks := level.met_from(at, end)) is not None
            ]
            if not found:
                return
            _, at, level = min(found, key=lambda one: one[0])
            met.add(level.key)
            market.stand_at(at / market.scale, bar.ts_ns)
            yield from self._meet(market, level._replace(ticks=at))

    def _levels(self, market: BarMarket, bar: BarChanged) -> Iterator[_Level]:
        name = market.instrument.name
        for order in self.state.orders.on_instrument.get(name, {}).values():
            if not order.is_paper or order.state not in _RESTING:
                continue
            if order.is_untriggered:
                yield _Level(order.trigger_ticks, not order.trigger_rises, "trigger", order.id)
            elif order.price_ticks:
                through = order.price_ticks - order.side.sign
                yield _Level(through, order.side is Side.BUY, "through", order.id)
        for desk in self.desks(name):
            target = desk.targets.get(name)
            if target is None or not _is_armed(target):
                continue
            is_long, stop, take = target.qty_lots > 0, target.stop_ticks, target.take_ticks
            if stop:
                both = take and bar.low * market.scale <= take <= bar.high * market.scale + 0.5
                rule = "stop-first" if both else "stop"
                yield _Level(stop, is_long, rule, f"stop {desk.name}")
            if take:
                yield _Level(take, not is_long, "take", f"take {desk.name}")

    def _meet(self, market: BarMarket, level: _Level) -> Iterator[Record]:
        """Let everything happen that the price at a level leads to."""
        name, paper = market.instrument.name, self.paper
        prints = [(level.ticks / market.scale, DEEP, is_buy, 0) for is_buy in (False, True)]
        if level.rule == "through":
            yield from self.happen(paper.on_public_trade(name, prints), level.rule)
        yield from self._stand(market, "through")
        if level.rule == "trigger":
            for by in ("mark", "last"):
                yield from self.happen(paper.on_price(name, by, level.ticks), level.rule)
        paper.is_at_once = True  # a stop is met at its level, not one latency later
        self.wishing.check_stops(self.desks(name), name)
        yield from self.wishing.carry_out(self.desks(name))
        yield from self.happen(paper.until(self.state.ts_ns, name), level.rule)
        paper.is_at_once = False
        yield from self.settle()

    def _stand(self, market: BarMarket, rule: str) -> Iterator[Record]:
        """Bring the books that paper orders rest in to the market's price."""
        bids, asks = market.book.rows()
        yield from self.happen(self.paper.on_top(market.instrument.name, bids, asks), rule)


def _is_armed(target: Target | None) -> bool:
    return (
        target is not None
        and bool(target.qty_lots)
        and not target.stopped_sign
        and bool(target.stop_ticks or target.take_ticks)
    )
