"""Bars a second of CPU: the whole core beside a loop of plain Python with the same rule.

Both follow a cross of two simple averages over the same bars, always in the market. The loop keeps
position and cash and nothing else: no gate, no ledger, no orders. It is the limit, not a peer.

    python -m benchmarks.backtest_bars [--full]
"""

import random
import time
from collections import deque
from typing import ClassVar

from benchmarks.report import Result, Size
from benchmarks.report import run as report

from plimsoll.backtest.plan import Plan, Series
from plimsoll.backtest.run import run
from plimsoll.core.model import Instrument
from plimsoll.core.settings import Limits, StrategySettings
from plimsoll.core.strategy import Strategy

MINUTE_MS = 60_000
UNITS = 10**8
FAST, SLOW, QTY = 10, 50, 0.1
PERP = Instrument(
    "linear:BTCUSDT",
    "linear",
    "BTCUSDT",
    "BTC",
    "USDT",
    "USDT",
    "0.1",
    "0.001",
    "0.001",
    "0",
    "0",
    "5",
)


class Cross(Strategy):
    """Long while the fast average is above the slow one, else short."""

    bars: ClassVar = {"1m": SLOW}

    def on_start(self) -> None:
        """Begin without a side."""
        self.side = 0

    def on_bar(self, bar) -> None:
        """Turn where the averages cross."""
        fast, slow = (self.sma(bar.instrument, "1m", n) for n in (FAST, SLOW))
        if slow.is_ready:
            side = 1 if fast.value > slow.value else -1
            if side != self.side:
                self.side = side
                self.target(bar.instrument, side * QTY)


def walk(count: int):
    """Return bars of a random walk."""
    drawn, price, found = random.Random(1), 50_000.0, []
    for n in range(count):
        first, price = price, round(price * (1 + drawn.gauss(0, 0.0005)), 1)
        row = (first, max(first, price) + 5.0, min(first, price) - 5.0, price, 1.0)
        found.append((1_750_000_020_000 // MINUTE_MS * MINUTE_MS + n * MINUTE_MS, *row))
    return found


def plain(rows) -> float:
    """Run the rule in a loop; return the CPU time."""
    began = time.process_time()
    fast: deque[float] = deque(maxlen=FAST)
    slow: deque[float] = deque(maxlen=SLOW)
    fast_sum = slow_sum = cash = held = 0.0
    wanted = 0.0
    for _start, first, _high, _low, last, _volume in rows:
        if wanted != held:
            cash -= (wanted - held) * first + abs(wanted - held) * first * 0.00055
            held = wanted
        if len(fast) == FAST:
            fast_sum -= fast[0]
        if len(slow) == SLOW:
            slow_sum -= slow[0]
        fast.append(last)
        slow.append(last)
        fast_sum += last
        slow_sum += last
        if len(slow) == SLOW:
            wanted = QTY if fast_sum / FAST > slow_sum / SLOW else -QTY
    return time.process_time() - began


def whole(rows) -> tuple[float, int]:
    """Run the rule through the core; return CPU time and fills."""
    most = 10**7 * UNITS
    settings = StrategySettings(
        name="cross", source="benchmarks:Cross", instruments=(PERP.name,), capital=10**5 * UNITS
    )
    limits = Limits(
        price_distance_ppm=100_000,
        order_notional=most,
        orders_per_second=1_000,
        orders_per_day=10**6,
        open_orders=100,
        position_notional=most,
        exposure=most,
        daily_loss=most,
        drawdown_ppm=10**6,
        leverage_ppm=10**8,
    )
    plan = Plan(
        strategies=(settings,),
        load=lambda _one: Cross(),
        series=[Series(PERP, lambda: iter([rows]))],
        span_ns=MINUTE_MS * 10**6,
        limits=limits,
    )
    began = time.process_time()
    results = run(plan)
    return time.process_time() - began, results.owners[0].fills_total


def measure(size: Size) -> Result:
    """Take turns; the best of each counts."""
    count = {Size.TINY: 2_000, Size.SMALL: 50_000, Size.FULL: 525_600}[size]
    rows = walk(count)
    loops, cores, fills = [], [], 0
    for _ in range(1 if size is Size.TINY else 3):
        loops.append(plain(rows))
        seconds, fills = whole(rows)
        cores.append(seconds)
    loop, core = min(loops), min(cores)
    return Result(
        name=f"backtest over {count:,} bars with {fills:,} fills; CPU time",
        columns=("bars/s", "us a bar"),
        rows={
            "the core: gate, ledger, statistics": (count / core, core / count * 1e6),
            "a plain loop of the same rule": (count / loop, loop / count * 1e6),
        },
        ratios={"core / plain loop": core / loop},
    )


if __name__ == "__main__":
    report("backtests over bars", [measure])
