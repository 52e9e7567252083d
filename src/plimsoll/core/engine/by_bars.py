"""Paper orders, stops and conditional orders meet the bars of a backtest (trading.md 6).

A bar says where the price was, not when. What it decides, it decides against the strategy: a taker
fills at the next open, half a spread worse; a resting order fills only where the price went through
it by a tick; of a stop and a take in one bar the stop is met. The price walks open, the extreme
against the position, the other one, close, and stops on its way at each level that means something.
Who enters inside a bar meets the extreme against the new position next.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple

from plimsoll.core.engine.margining import LABEL, SAFE, Margining
from plimsoll.core.engine.placing import LAST, MARK
from plimsoll.core.engine.state import State
from plimsoll.core.engine.wishing import Wishing
from plimsoll.core.feed import DEEP, BarMarket
from plimsoll.core.matching.paper import PaperEvent, PaperVenue
from plimsoll.core.model import Order, OrderState, Side
from plimsoll.core.records import BarChanged, BarWalked, Record, TickerChanged
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

    by_mark: bool = False
    """Whether the mark price meets it; else the last one."""

    def met_on(self, walk: "_Walk", end: int, mark_end: int) -> float | None:
        """Return at which share of the way on it is met, None where it is not; 0 if passed."""
        at, end = (walk.mark, mark_end) if self.by_mark else (walk.at, end)
        if (at <= self.ticks) if self.falls else (at >= self.ticks):
            return 0.0
        if (end > self.ticks) if self.falls else (end < self.ticks):
            return None
        return (self.ticks - at) / (end - at)


class _Walk:
    """Where the two prices are on their way through a bar, in ticks."""

    __slots__ = ("at", "mark")

    def __init__(self, at: int, mark: int) -> None:
        self.at = at
        self.mark = mark

    def go(self, level: _Level, share: float, end: int, mark_end: int) -> None:
        """Go on by a share of the way; the price that meets the level stands on it."""
        at, mark = self.at, self.mark
        self.at = round(at + (end - at) * share)
        self.mark = round(mark + (mark_end - mark) * share)
        if share and level.by_mark:
            self.mark = level.ticks
        elif share:
            self.at = level.ticks


class ByBars:
    """Walks bars for the paper orders and targets of all instances."""

    def __init__(
        self,
        state: State,
        paper: PaperVenue,
        wishing: Wishing,
        margining: Margining,
        desks: Callable[[str], Iterable[Desk]],
        happen: Callable[[Iterator[PaperEvent], str], Iterator[Record]],
        settle: Callable[[], Iterator[Record]],
    ) -> None:
        """Share the trader's parts.

        Args:
            state: Orders, positions, markets.
            paper: Holds the paper orders.
            wishing: Watches stops.
            margining: Says where an instance is liquidated.
            desks: The instances on an instrument.
            happen: Puts what the paper venue did on record, with the rule that decided it.
            settle: Lets the instances hear of it and answer.
        """
        self.state = state
        self.paper = paper
        self.wishing = wishing
        self.margining = margining
        self.desks = desks
        self.happen = happen
        self.settle = settle
        self.alone = False
        """Whether the level met next is the only one of a finer bar: the data decide then."""
        self.flat: list[str] = []
        """Instances that have held nothing in the bar that is walked."""
        self.asked = 0
        """Requests until the bar that is walked: a timer's, inside it, wait for the next open."""
        self.in_danger = False
        """Whether somebody may be liquidated in the bar that is walked."""

    def awaits(self, name: str) -> bool:
        """Return whether anything waits for the prices of this instrument (hot)."""
        if self.state.orders.on_instrument.get(name):
            return True
        for desk in self.desks(name):  # noqa: SIM110 - any() makes a generator
            if _is_armed(desk.targets.get(name)):
                return True
        return False

    def is_held(self, name: str) -> bool:
        """Return whether an instance holds this instrument."""
        held = self.state.ledger.positions
        return any(
            (one := held.get((desk.name, name))) is not None and one.qty_units
            for desk in self.desks(name)
        )

    def bounds(self, market: BarMarket) -> tuple[float, float]:
        """Return two prices between which nobody is liquidated here, for sure; may be nowhere.

        Where the last price stands for the mark, and until anything else happens.
        """
        least, most = 0, SAFE
        name = market.instrument.name
        for desk in self.desks(name):
            if self.state.ledger.qty_lots(desk.name, name) and not market.instrument.is_spot:
                mark_ticks = int(market.mark * market.scale + 0.5)
                low, high = self.margining.bounds(desk.name, name, mark_ticks)
                least, most = max(least, low), min(most, high)
        return (least + 1) / market.scale, (most - 1) / market.scale

    def is_in_danger(self, market: BarMarket, low: float, high: float) -> bool:
        """Return whether somebody's margin would be used up at the worst mark of a bar."""
        name, found = market.instrument.name, False
        for desk in self.desks(name):
            lots = self.state.ledger.qty_lots(desk.name, name)
            if lots and not market.instrument.is_spot:
                worst = int((low if lots > 0 else high) * market.scale + 0.5)
                found = found or self.margining.may_end(desk.name, name, worst)
        return found

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

    def on_bar(self, bar: BarChanged | BarWalked) -> Iterator[Record]:
        """Walk a final bar, where anything waits for it; the market ends at its close.

        A bar whose finer ones were walked is not walked again.
        """
        market = self._market(bar.instrument)
        if market is None:
            return
        self.in_danger = self._is_in_danger(market, bar)
        if not self.in_danger and not self.awaits(bar.instrument):
            return
        if isinstance(bar, BarChanged) and market.walked_ms > bar.start_ms:
            return
        is_finer = isinstance(bar, BarWalked) and bar.end_ms - bar.start_ms < market.span_ms
        self.asked = self.paper.number
        held = self.state.ledger.qty_lots
        self.flat = [
            one.name for one in self.desks(bar.instrument) if not held(one.name, bar.instrument)
        ]
        is_down, scale = self._is_down(bar.instrument), market.scale
        prices = _path((bar.open, bar.high, bar.low, bar.close), scale, is_down=is_down)
        marks = market.marks_of(bar.start_ms)
        marked = prices if marks is None else _path(marks, scale, is_down=is_down)
        walk = _Walk(prices[0], marked[0])
        self.alone = is_finer and self._meets_one(market, walk, prices, marked, bar)
        ways = list(zip(prices, marked, strict=True))
        low, high = ways[1:3] if is_down else ways[2:0:-1]
        while ways:
            end, mark_end = ways.pop(0)
            yield from self._leg(market, walk, end, mark_end, bar)
            if entered := self._entered(bar.instrument):  # its adverse extreme may come at once
                ways[:0] = [low if entered > 0 else high, (end, mark_end)]
                continue
            walk.at, walk.mark = end, mark_end
            market.stand_at(end / scale, bar.ts_ns, mark_end / scale)
            self.wishing.check_stops(self.desks(bar.instrument), bar.instrument)  # a trail follows
        market.stand_at(bar.close, bar.ts_ns, marks[3] if marks else 0.0)

    # ---- inside ----

    def _market(self, name: str) -> BarMarket | None:
        market = self.state.markets.get(name)
        return market if isinstance(market, BarMarket) else None

    def _is_down(self, name: str) -> bool:
        """Return whether the low comes first: where it costs more.

        Of a long it does. Without a position the first order decides: what it opens must not
        profit from a high that may have been before, nor miss a low that may have been after.
        """
        for desk in self.desks(name):
            lots = self.state.ledger.qty_lots(desk.name, name)
            if lots:
                return lots > 0
        orders: Iterable[Order] = self.state.orders.on_instrument.get(name, {}).values()
        return next((order.side is Side.SELL for order in orders), True)

    def _leg(
        self,
        market: BarMarket,
        walk: "_Walk",
        end: int,
        mark_end: int,
        bar: BarChanged | BarWalked,
    ) -> Iterator[Record]:
        """Go from one price to another and stop at each level on the way, the nearest first.

        Last and mark price go their ways side by side: where one is half-way, so is the other.
        """
        met: set[str] = set()
        for _ in range(_MOST):
            found = [
                (share, level)
                for level in self._levels(market, bar, walk)
                if level.key not in met and (share := level.met_on(walk, end, mark_end)) is not None
            ]
            if not found:
                return
            share, level = min(found, key=lambda one: one[0])
            met.add(level.key)
            walk.go(level, share, end, mark_end)
            market.stand_at(walk.at / market.scale, bar.ts_ns, walk.mark / market.scale)
            yield from self._meet(market, level, walk)
            self.in_danger = self._is_in_danger(market, bar)
            if self._entered(bar.instrument, is_noted=False):
                return

    def _entered(self, name: str, *, is_noted: bool = True) -> int:
        """Return which way somebody has gone in the bar who held nothing, 0 where nobody has."""
        for owner in self.flat:
            lots = self.state.ledger.qty_lots(owner, name)
            if lots:
                if is_noted:
                    self.flat.remove(owner)
                return 1 if lots > 0 else -1
        return 0

    def _meets_one(
        self,
        market: BarMarket,
        walk: "_Walk",
        prices: tuple[int, ...],
        marked: tuple[int, ...],
        bar: BarChanged | BarWalked,
    ) -> bool:
        """Return whether a bar meets one level and no more: then no rule has to say which first."""
        count = 0
        for level in self._levels(market, bar, walk):
            path = marked if level.by_mark else prices
            count += level.ticks >= min(path) if level.falls else level.ticks <= max(path)
        return count == 1

    def _is_in_danger(self, market: BarMarket, bar: BarChanged | BarWalked) -> bool:
        marks = market.marks_of(bar.start_ms) or (bar.open, bar.high, bar.low, bar.close)
        return self.is_in_danger(market, marks[2], marks[1])

    def _levels(
        self, market: BarMarket, bar: BarChanged | BarWalked, walk: "_Walk"
    ) -> Iterator[_Level]:
        name, is_mark = market.instrument.name, not market.instrument.is_spot
        marks = market.marks_of(bar.start_ms)
        low, high = (bar.low, bar.high) if marks is None else (marks[2], marks[1])
        for order in self.state.orders.on_instrument.get(name, {}).values():
            if not order.is_paper or order.state not in _RESTING:
                continue
            if order.is_untriggered:
                yield _Level(
                    order.trigger_ticks,
                    not order.trigger_rises,
                    "trigger",
                    order.id,
                    order.trigger_by == MARK,
                )
            elif order.price_ticks:
                through = order.price_ticks - order.side.sign
                yield _Level(through, order.side is Side.BUY, "through", order.id)
        for desk in self.desks(name):
            if self.in_danger:
                yield from self._ends(desk.name, market, bar, walk)
            target = desk.targets.get(name)
            if target is None or not _is_armed(target):
                continue
            is_long, stop, take = target.qty_lots > 0, target.stop_ticks, target.take_ticks
            if stop:
                both = take and low * market.scale <= take <= high * market.scale + 0.5
                rule = "stop-first" if both else "stop"
                yield _Level(stop, is_long, rule, f"stop {desk.name}", is_mark)
            if take:
                yield _Level(take, not is_long, "take", f"take {desk.name}", is_mark)

    def _ends(
        self, owner: str, market: BarMarket, bar: BarChanged | BarWalked, walk: "_Walk"
    ) -> Iterator[_Level]:
        """Yield the mark at which an instance is liquidated, where the bar reaches it."""
        lots = self.state.ledger.qty_lots(owner, bar.instrument)
        if lots:
            worst = _worst(market, bar, lots)
            ticks = self.margining.level_ticks(owner, bar.instrument, walk.mark, worst)
            if ticks:
                yield _Level(ticks, lots > 0, LABEL, f"{LABEL} {owner}", by_mark=True)

    def _meet(self, market: BarMarket, level: _Level, walk: "_Walk") -> Iterator[Record]:
        """Let everything happen that the price at a level leads to."""
        name, paper = market.instrument.name, self.paper
        rule, self.alone = "intrabar" if self.alone else level.rule, False
        prints = [(walk.at / market.scale, DEEP, is_buy, 0) for is_buy in (False, True)]
        if level.rule == "through":
            yield from self.happen(paper.on_public_trade(name, prints), rule)
        yield from self._stand(market, "through")
        if level.rule == LABEL:
            yield from self.margining.look([level.key.removeprefix(f"{LABEL} ")])
        if level.rule == "trigger":
            yield from self.happen(paper.on_price(name, MARK, walk.mark), rule)
            yield from self.happen(paper.on_price(name, LAST, walk.at), rule)
        paper.is_at_once = True  # a stop is met at its level, not one latency later
        self.wishing.check_stops(self.desks(name), name)
        yield from self.wishing.carry_out(self.desks(name))
        yield from self.happen(paper.until(self.state.ts_ns, name, self.asked), rule)
        paper.is_at_once = False
        yield from self.settle()

    def _stand(self, market: BarMarket, rule: str) -> Iterator[Record]:
        """Bring the books that paper orders rest in to the market's price."""
        bids, asks = market.book.rows()
        yield from self.happen(self.paper.on_top(market.instrument.name, bids, asks), rule)


def _worst(market: BarMarket, bar: BarChanged | BarWalked, lots: int) -> int:
    """Return the worst mark of a bar for a position, in ticks."""
    marks = market.marks_of(bar.start_ms) or (bar.open, bar.high, bar.low, bar.close)
    return int((marks[2] if lots > 0 else marks[1]) * market.scale + 0.5)


def _path(
    bar: tuple[float, float, float, float], scale: float, *, is_down: bool
) -> tuple[int, int, int, int]:
    """Return the way of a price through a bar in ticks: ``is_down``, to the low first."""
    first, high, low, last = (int(price * scale + 0.5) for price in bar)
    return (first, low, high, last) if is_down else (first, high, low, last)


def _is_armed(target: Target | None) -> bool:
    return (
        target is not None
        and bool(target.qty_lots)
        and not target.stopped_sign
        and bool(target.stop_ticks or target.take_ticks)
    )
