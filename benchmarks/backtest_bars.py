"""Bars a second of CPU: the whole core beside a loop of plain Python with the same rule.

Both follow a cross of two simple averages over the same bars, always in the market. The loop keeps
position and cash and nothing else: no gate, no ledger, no orders. It is the limit, not a peer. The
core runs the rule as the peer's strategy is written (sums kept by hand, one market order a turn)
and as one writes it here (indicators and targets: a turn is two orders, the first of which only
reduces), both of them with their orders and without, and a strategy that only listens.

Then a year of minutes with its report page, and the memory that takes beside a quarter of it, each
in a process of its own.

    python -m benchmarks.backtest_bars [--full]

``PEER=PYTHON`` and others name interpreters with other backtests, which then run the same rule over
the same bars in turns (``benchmarks/peers.py``).
"""

import multiprocessing
import random
import resource
import time
from collections import deque
from itertools import islice
from pathlib import Path
from typing import ClassVar

from benchmarks import peers
from benchmarks.report import Result, Size
from benchmarks.report import run as report

from plimsoll.backtest.plan import Plan, Series
from plimsoll.backtest.report import page
from plimsoll.backtest.results import Results
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


def walking():
    """Yield bars of a random walk."""
    drawn, price, n = random.Random(1), 50_000.0, 0
    while True:
        first, price = price, round(price * (1 + drawn.gauss(0, 0.0005)), 1)
        row = (first, max(first, price) + 5.0, min(first, price) - 5.0, price, 1.0)
        yield (1_750_000_020_000 // MINUTE_MS * MINUTE_MS + n * MINUTE_MS, *row)
        n += 1


def walk(count: int):
    """Return bars of a random walk."""
    return list(islice(walking(), count))


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


class Signals(Cross):
    """The same, and nothing is ordered."""

    def target(self, *_args: object, **_named: object) -> None:
        """Ask for nothing."""


class Sums(Strategy):
    """The rule as the peer's strategy is written: sums by hand, one market order a turn."""

    bars: ClassVar = {"1m": 1}
    trades: ClassVar = True

    def on_start(self) -> None:
        """Begin without a side."""
        self.side = 0
        self.closes: list[float] = []
        self.fast = self.slow = 0.0

    def on_bar(self, bar) -> None:
        """Turn where the averages cross."""
        close, closes = bar.close, self.closes
        closes.append(close)
        self.fast += close
        self.slow += close
        place = len(closes) - 1
        if place >= FAST:
            self.fast -= closes[place - FAST]
        if place >= SLOW:
            self.slow -= closes[place - SLOW]
            self.turn(bar.instrument, 1 if self.fast * SLOW > self.slow * FAST else -1)

    def turn(self, instrument: str, side: int) -> None:
        """Take a side, where it is another."""
        if side == self.side:
            return
        if self.trades:
            order = self.buy if side > 0 else self.sell
            order(instrument, 2 * QTY if self.side else QTY)
        self.side = side


class SumsOnly(Sums):
    """The same, and nothing is ordered."""

    trades: ClassVar = False


class Ema(Strategy):
    """A slower cross that says its target with each bar, as most strategies are written."""

    bars: ClassVar = {"1m": 240}

    def on_bar(self, bar) -> None:
        """Hold the side of the fast average."""
        fast, slow = (self.ema(bar.instrument, "1m", n) for n in (60, 240))
        if slow.is_ready:
            self.target(bar.instrument, QTY if fast.value > slow.value else -QTY)


class Listening(Strategy):
    """Hears each bar."""

    bars: ClassVar = {"1m": SLOW}

    def on_bar(self, bar) -> None:
        """Do nothing."""


def backtest(rows, kind: type[Strategy] = Cross) -> Results:
    """Run a strategy through the core."""
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
        load=lambda _one: kind(),
        series=[Series(PERP, rows if callable(rows) else lambda: iter([rows]))],
        span_ns=MINUTE_MS * 10**6,
        limits=limits,
    )
    return run(plan)


def whole(rows, kind: type[Strategy] = Cross) -> tuple[float, int]:
    """Run a strategy through the core; return CPU time and fills."""
    began = time.process_time()
    results = backtest(rows, kind)
    return time.process_time() - began, results.owners[0].fills_total


def measure(size: Size) -> Result:
    """Take turns; the best of each counts."""
    count = {Size.TINY: 2_000, Size.SMALL: 50_000, Size.FULL: 200_000}[size]
    rows = walk(count)
    beside = peers.Beside(peers.BARS, [row[4] for row in rows], is_wanted=size is not Size.TINY)
    found: dict[str, list[float]] = {}
    fills = 0
    for _ in range(1 if size is Size.TINY else 3):
        found.setdefault(LOOP, []).append(plain(rows))
        for label, kind in KINDS.items():
            seconds, count_now = whole(rows, kind)
            found.setdefault(label, []).append(seconds)
            fills = max(fills, count_now)
        beside.turn()
    best = {label: min(seconds) for label, seconds in (found | beside.seconds).items()}
    return Result(
        name=f"backtest over {count:,} bars with up to {fills:,} fills; CPU time",
        columns=("bars/s", "us a bar"),
        rows={label: (count / one, one / count * 1e6) for label, one in best.items()},
        ratios={
            "plain loop / core": best[SUMS] / best[LOOP],
            **beside.ratios(best[SUMS], best[SUMS_ONLY], best[TARGETS]),
        },
        notes=(*beside.notes(), NOTE),
    )


LOOP = "a plain loop of the same rule"
SUMS = "the core: gate, ledger, statistics"
SUMS_ONLY = "the core, without orders"
TARGETS = "the core, with indicators and targets"
TARGETS_ONLY = "the core, with indicators, without orders"
LISTENS = "the core, a strategy that only listens"
KINDS = {
    SUMS: Sums,
    SUMS_ONLY: SumsOnly,
    TARGETS: Cross,
    TARGETS_ONLY: Signals,
    LISTENS: Listening,
}
NOTE = (
    "NautilusTrader 1.221 on another machine (AMD EPYC), the same rule over a walk of the same "
    "kind: 67,000 bars/s, 116,000 without orders; only ratios of one run compare. What an order "
    "costs it grows with their number: fewer bars flatter it"
)


def year(size: Size) -> Result:
    """Measure a year of minutes with its page, and a quarter, each in a process of its own."""
    bars = {Size.TINY: 2_000, Size.SMALL: 131_400, Size.FULL: 525_600}[size]
    rows: dict[str, tuple[float, ...]] = {}
    for label, kind in YEARS.items():
        for count in (bars // 4, bars):
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                rows[f"{label}, {count:,} bars"] = pool.apply(_with_report, (count, kind))
    small, large, *_ = rows.values()
    return Result(
        name="a backtest with its report, bars made on the way; a process of its own",
        columns=("CPU s", "grown MB", "fills"),
        rows=rows,
        ratios={"memory of four times the bars": large[1] / small[1] if small[1] else 1.0},
    )


YEARS = {"EMA 60/240, a target with each bar": Ema, "10/50, an order a turn": Sums}


def _with_report(count: int, kind: type[Strategy]) -> tuple[float, float, int]:
    """Return CPU seconds of run and page, how memory grew, and fills; making bars counts not."""
    spent = 0.0

    def chunks():
        nonlocal spent
        walker = walking()
        for begin in range(0, count, 10_000):
            began = time.process_time()
            rows = [next(walker) for _ in range(min(10_000, count - begin))]
            spent += time.process_time() - began
            yield rows

    backtest(walk(1_000))
    before = _most_mb()
    began = time.process_time()
    results = backtest(chunks, kind)
    assert page(results)
    seconds = time.process_time() - began - spent
    return seconds, _most_mb() - before, results.owners[0].fills_total


def _most_mb() -> float:
    """Return the most memory this process has held so far."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    report("backtests over bars", [measure, year])
