"""Quotes a second of CPU: the whole core beside a loop of plain Python with the same rule.

All follow a cross of two exponential averages of the middle, always in the market, each turn an
order. The plain loop keeps position and cash and nothing else: no gate, no ledger, no latency. It
is the limit, not a peer. "full depth" are deltas of 50 levels, of which 2 to 16 change.

    python -m benchmarks.backtest_quotes [--full]

``PEER=PYTHON`` and others name interpreters with other backtests, which then run the same rule over
the same quotes in turns (``benchmarks/peers.py``).
"""

import random
import time
from collections.abc import Callable, Iterator
from typing import Any

from benchmarks import peers
from benchmarks.backtest_bars import PERP, UNITS
from benchmarks.frames import stamped, wandering
from benchmarks.report import Result, Size
from benchmarks.report import run as report

from plimsoll.backtest.plan import Series
from plimsoll.backtest.recorded import run_recorded
from plimsoll.backtest.tapes import Arrival, RecordedPlan, Tape
from plimsoll.core.records import BookChanged
from plimsoll.core.settings import Limits, StrategySettings
from plimsoll.core.strategy import Strategy
from plimsoll.venues.bybit import PublicParser

BEGIN_MS = 1_750_000_020_000
QTY = 0.001


class Cross(Strategy):
    """Long while the fast average is above the slow one, else short: one market order a turn.

    So the strategies of the peers are written.
    """

    def on_start(self) -> None:
        """Begin without averages."""
        self.fast = self.slow = 0.0
        self.side = 0

    def on_book(self, market) -> None:
        """Turn where the averages cross."""
        middle = market.book.mid
        if not self.slow:
            self.fast = self.slow = middle
        self.fast += 0.1 * (middle - self.fast)
        self.slow += 0.01 * (middle - self.slow)
        side = 1 if self.fast > self.slow else -1
        if side != self.side:
            self.turn(market.instrument.name, side)
            self.side = side

    def turn(self, name: str, side: int) -> None:
        """Take a side."""
        order = self.buy if side > 0 else self.sell
        order(name, 2 * QTY if self.side else QTY)


class Targets(Cross):
    """The same as one writes it here: a turn is two orders, the first of which only reduces."""

    def turn(self, name: str, side: int) -> None:
        """Say what to hold."""
        self.target(name, side * QTY)


class Silent(Cross):
    """The same, and nothing is ordered."""

    def turn(self, name: str, side: int) -> None:
        """Ask for nothing."""


def walk(count: int) -> list[float]:
    """Return best bids of a random walk, as the kit draws them."""
    drawn, price, found = random.Random(5), 65_000.0, []
    for _ in range(count):
        price = round(price + round(drawn.gauss(0, 1.0), 1), 1)
        found.append(price)
    return found


def plain(bids: list[float]) -> float:
    """Run the rule in a loop; return the CPU time."""
    began = time.process_time()
    fast = slow = bids[0] + 0.05
    held = cash = wanted = 0.0
    for bid in bids:
        middle = (bid + bid + 0.1) * 0.5
        fast += 0.1 * (middle - fast)
        slow += 0.01 * (middle - slow)
        wanted = QTY if fast > slow else -QTY
        if wanted != held:
            cash -= (wanted - held) * middle
            held = wanted
    return time.process_time() - began


class Quotes:
    """Best prices as the inputs a recorder of them gives: the old ones go, the new ones come.

    They are there before the clock starts, as the peers' ticks are; numbered and stamped as they
    come.
    """

    def __init__(self, bids: list[float]) -> None:
        """Hold the quotes as a decoder would have left them."""
        self.rows: list[Arrival] = []
        before = 0.0
        for n, bid in enumerate(bids):
            bid_rows, ask_rows = [(bid, 1.0)], [(round(bid + 0.1, 1), 1.0)]
            if before and before != bid:
                bid_rows.append((before, 0.0))
                ask_rows.append((round(before + 0.1, 1), 0.0))
            ms, place = BEGIN_MS + n, n + 1
            what = (PERP.name, 50, not n, place, place, ms, bid_rows, ask_rows)
            self.rows.append((ms * 1_000_000, 0, _change, what))
            before = bid

    def arrivals(self, _number: int) -> Iterator[Arrival]:
        """Yield one quote a millisecond."""
        return iter(self.rows)


def _change(what: Any, seq: int, ts_ns: int, epoch: int) -> BookChanged:
    """Return a quote as a change of the book."""
    name, depth, is_snapshot, update_id, venue_seq, ms, bids, asks = what
    return BookChanged(
        seq, ts_ns, epoch, 0, name, depth, is_snapshot, update_id, venue_seq, ms, bids, asks
    )


def frames(count: int) -> Callable[[int], Iterator[Arrival]]:
    """Return the arrivals of raw frames of a wandering book, 20 ms apart, decoded as they come."""
    snapshot, deltas = wandering(count)
    raws = [stamped(one, BEGIN_MS + 20 * n) for n, one in enumerate([snapshot, *deltas])]

    def arrivals(number: int) -> Iterator[Arrival]:
        parse: Any = PublicParser("linear").parse
        for n, raw in enumerate(raws):
            yield (BEGIN_MS + 20 * n + 5) * 1_000_000, number, parse, raw

    return arrivals


def whole(
    arrivals: Callable[[int], Iterator[Arrival]], kind: type[Strategy] = Cross
) -> tuple[float, int]:
    """Run the rule through the core; return CPU time and fills."""
    most = 10**9 * UNITS
    settings = StrategySettings(
        name="cross", source="benchmarks:Cross", instruments=(PERP.name,), capital=10**6 * UNITS
    )
    plan = RecordedPlan(
        strategies=(settings,),
        load=lambda _one: kind(),
        series=[Series(PERP, lambda: iter(()))],
        tapes=[Tape(arrivals)],
        limits=Limits(
            price_distance_ppm=100_000,
            order_notional=most,
            orders_per_second=1_000_000,
            orders_per_day=10**9,
            open_orders=100,
            position_notional=most,
            exposure=most,
            daily_loss=most,
            drawdown_ppm=10**6,
            leverage_ppm=10**9,
        ),
        latency_ns=500_000,
    )
    began = time.process_time()
    results = run_recorded(plan)
    return time.process_time() - began, results.owners[0].fills_total


def measure(size: Size) -> Result:
    """Take turns; the best of each counts."""
    count = {Size.TINY: 2_000, Size.SMALL: 50_000, Size.FULL: 200_000}[size]
    deep = {Size.TINY: 200, Size.SMALL: 20_000, Size.FULL: 50_000}[size]
    bids, raws = walk(count), frames(deep)
    beside = peers.Beside(peers.QUOTES, bids, is_wanted=size is not Size.TINY)
    found: dict[str, list[float]] = {}
    fills: dict[str, int] = {}
    for _ in range(1 if size is Size.TINY else 3):
        found.setdefault(LOOP, []).append(plain(bids))
        for label, kind in KINDS.items():
            seconds, fills[label] = whole(Quotes(bids).arrivals, kind)
            found.setdefault(label, []).append(seconds)
        seconds, fills[DEEP] = whole(raws)
        found.setdefault(DEEP, []).append(seconds)
        beside.turn()
    best = {label: min(seconds) for label, seconds in (found | beside.seconds).items()}
    events = {DEEP: deep}
    return Result(
        name=f"backtest over {count:,} quotes with {fills[CORE]:,} fills, {fills[TARGETS]:,} with "
        f"targets, and over {deep:,} frames of 50 levels with {fills[DEEP]:,}; CPU time",
        columns=("events/s", "us an event"),
        rows={
            label: (events.get(label, count) / one, one / events.get(label, count) * 1e6)
            for label, one in best.items()
        },
        ratios={
            "plain loop / core": best[CORE] / best[LOOP],
            **beside.ratios(best[CORE], best[WITHOUT], best[TARGETS]),
        },
        notes=(*beside.notes(), NOTE),
    )


LOOP = "a plain loop of the same rule"
CORE = "the core, best prices"
WITHOUT = "the core, best prices, without orders"
TARGETS = "the core, best prices, with targets"
DEEP = "the core, full depth from raw frames"
KINDS = {CORE: Cross, WITHOUT: Silent, TARGETS: Targets}
NOTE = (
    "NautilusTrader 1.221 on another machine (AMD EPYC), the same rule over a walk of the same "
    "kind: 173,000 quotes/s, 304,000 without orders; only ratios of one run compare"
)


if __name__ == "__main__":
    report("backtests over quotes", [measure])
