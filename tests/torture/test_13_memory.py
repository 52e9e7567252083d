"""Row 13: memory grows until the system kills the process, with positions open.

People lose money when a program that ran for a week is gone at night. Here every cache has a bound
and what is over lives in the log: after a warm-up, market messages leave nothing behind (below one
byte a message, 1 MB a million), and orders only their newest: 10,000 that are over, and the ids of
the executions of eight days, against doubles.

Judged: by a census of every container that the running engine process can reach, links, adapter,
core and loop, before and after as much again; and by the memory of the process (in full size: 10
million messages and 200,000 orders, resident memory). Bounds are made small for the gate, so that
they are reached.
"""

import gc
import subprocess
import sys
from collections import Counter, deque
from pathlib import Path
from typing import Any

import pytest
from benchmarks.frames import stamped, wandering
from tests.properties.driver import CASH, MS, PERP, SECOND, Driver, Venue
from tests.torture.stage import ETH, FULL, SPOT, Stage, actor
from tests.torture.stage import PERP as LINEAR

from plimsoll.core.model import OrderState
from plimsoll.core.portfolio import ledger
from plimsoll.core.settings import Timing
from plimsoll.core.strategy import Strategy
from plimsoll.venues.bybit.public import PublicParser

ROOT = Path(__file__).resolve().parents[2]
MESSAGES = 10_000_000 if FULL else 40_000
ORDERS = 200_000 if FULL else 500


class Lean(Driver):
    """A driver that keeps no log, as the engine keeps none."""

    def _append(self, record):
        self.seq = record.seq
        self.core.apply(record)

    def take(self, record):
        found = super().take(record)
        del self.sent[:-1]
        return found


class Silent(Strategy):
    """Hears everything and keeps nothing."""

    def on_book(self, market):
        todo, self.todo = getattr(self, "todo", None), None
        if todo is not None:
            todo(self)


class Load:
    """Feeds a core raw frames through the parser, and orders."""

    def __init__(self) -> None:
        self.strategy = Silent()
        self.venue = Venue()
        self.venue.wallet = {"USDT": 10**6 * CASH}
        self.driver = Lean(load=lambda _one: self.strategy).live(venue=self.venue)
        self.venue.wallet = self.driver.core.ledger.cash
        self.parse = PublicParser("linear").parse
        self.first, self.deltas = wandering(2_000)
        self.place = len(self.deltas)
        self.orders = 0
        self.messages(200)

    def messages(self, count: int) -> None:
        driver = self.driver
        for number in range(count):
            if number % 20 == 0:
                driver.advance(2 * SECOND)  # an hour is soon over: some windows are so long
                driver.mark(PERP, 65_000.0)
                self.venue.position = {PERP: driver.core.state.held_lots("", PERP)}
                driver.answer_all(self.venue)
            raw = self.deltas[self.place] if self.place < len(self.deltas) else self.first
            self.place = 0 if self.place >= len(self.deltas) else self.place + 1
            raw = stamped(raw, driver.now_ns // MS)
            record = self.parse(raw, driver.seq + 1, driver.now_ns, 1)
            assert record is not None
            driver.take(record)

    def one_order(self) -> None:
        driver = self.driver
        self.strategy.todo = lambda s: s.buy(PERP, "0.010", "64000")
        self.messages(1)
        order = driver.newest
        self.orders += 1
        driver.was_sent(order.id)
        driver.answered(order.id)
        driver.report(order.id, OrderState.OPEN)
        if self.orders % 2:
            driver.execute(order.id, 10, f"x{self.orders}")
            driver.report(order.id, OrderState.FILLED, cum=10)
        else:
            driver.report(order.id, OrderState.CANCELED)


def resident() -> int:
    """Return the resident memory of this process, bytes."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096


def blocks() -> int:
    gc.collect()
    return sys.getallocatedblocks()


@pytest.mark.timeout(3600 if FULL else 300)
def test_messages_leave_nothing_behind_and_orders_what_is_bounded():
    """In a process of its own: what other tests left behind is not counted."""
    words = [sys.executable, "-c", f"import {__name__} as row; row.leave_nothing_behind()"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]


def leave_nothing_behind() -> None:
    if not FULL:  # keep less for less long, so that the bounds are reached
        ledger.SEEN_KEEP_MS = 20_000
    load = Load()
    load.messages(max(40_000, MESSAGES // 10))
    before, begin = blocks(), resident()
    load.messages(MESSAGES)
    grown = blocks() - before
    assert grown < 200 + MESSAGES // 500, f"{grown} blocks of memory by {MESSAGES} messages"
    if FULL:
        assert resident() - begin < MESSAGES, "a byte a message"
    orders_leave_only_what_is_bounded(load)


def orders_leave_only_what_is_bounded(load) -> None:
    """Go on with orders: the windows of market data are full by now."""
    if not FULL:
        load.driver.core.orders.keep_closed = 150
    for _ in range(600):  # the newest 256 fills of an instrument are kept in order
        load.one_order()
        load.messages(4)
    before = blocks()
    for _ in range(ORDERS):
        load.one_order()
        load.messages(4)
    grown = blocks() - before
    kept = ORDERS if FULL else 0  # executions of eight days are kept by their ids
    assert grown < 300 + 4 * kept, f"{grown} blocks by {ORDERS} orders"
    assert len(load.driver.core.orders.closed) <= load.driver.core.orders.keep_closed + 1


# ---- the whole process ---------------------------------------------------------------------------


class Busy(Strategy):
    """Trades, rests and cancels without end."""

    bars = {"1s": 20}  # noqa: RUF012 - as strategies are written

    def on_start(self):
        self.turns = 0
        self.resting = None

    def on_book(self, market):
        self.turns += 1
        name, middle = market.instrument.name, market.book.mid
        if self.turns % 3 == 0:
            held = self.position(name).qty
            (self.sell if held > 0 else self.buy)(name, abs(held) or 100 / middle)
        elif self.resting is None or not self.resting.is_working:
            self.resting = self.buy(name, 100 / middle, middle * 0.99)
        else:
            self.resting.cancel()

    def on_trade(self, instrument, price, qty, *, is_buy):
        pass


BOUNDS = {
    "divergence.Divergence._samples": 3 * 3_600,
    "divergence.Divergence._samples[]": 6 * 3_600,
    "divergence.Divergence._sorted": 3 * 3_600,
    "history.History.fills": 3 * 257,
    "metering.Meter._accepted": 10_000,
    "placing.Placer.arrivals": 1_000,
    "desk.Desk.denials": 3 * 1_000,
    "habits.Habit.ordered": 3 * 6 * 1_440,
    "habits.Habit.usual": 3 * 6 * 1_440,
    "markets.Habit._ordered": 6 * 3_601,
    "markets.Habit._newest": 6 * 3_601,
    "rates.ReadBudget._address": 601,
}
"""What fills up for longer than the gate runs, and where each ends by its own rule: an hour of
samples of three markets, the newest fills of an instrument, of orders, of requests, the usual
minutes of a day by instance and measure."""

CONTAINERS = (dict, list, set, deque, tuple, frozenset)


def census(process) -> Counter[str]:
    """Return the size of every container our own objects hold, by owner and attribute."""
    found: Counter[str] = Counter()
    seen: set[int] = set()
    todo: list[tuple[str, Any]] = [(f"process.{k}", v) for k, v in vars(process).items()]
    while todo:
        path, one = todo.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        kind = type(one)
        if isinstance(one, CONTAINERS):
            found[path] += len(one)
            inner = [*one.keys(), *one.values()] if isinstance(one, dict) else list(one)
            todo += [(path + "[]", each) for each in inner]
        elif kind.__module__.startswith("plimsoll"):
            names = {*getattr(one, "__dict__", ())}
            names |= {*getattr(kind, "__struct_fields__", ())}
            names |= {name for base in kind.__mro__ for name in vars(base).get("__slots__", ())}
            where = f"{kind.__module__.rpartition('.')[2]}.{kind.__name__}"
            todo += [(f"{where}.{n}", getattr(one, n)) for n in sorted(names) if hasattr(one, n)]
    return found


@pytest.mark.timeout(1200 if FULL else 300)
def test_no_container_of_the_running_engine_grows_with_time(monkeypatch):
    # Longer than a round of comparison takes; the hourly one reads the log of an hour as well.
    monkeypatch.setattr(ledger, "SEEN_KEEP_MS", 300_000 if FULL else 10_000)
    seconds = 3_700 if FULL else 65  # as long as most windows are, or all
    stage = Stage(
        {"a": Busy, "b": Busy, "c": Busy},
        actor("a", LINEAR),
        actor("b", ETH),
        actor("c", SPOT),
        sim={"limits": "off"},
        pulse_ms=100,
        venue_orders_per_second=1000,
        timing=Timing(overlap_ms=1_000, sweep_ns=4 * SECOND),
    )
    stage.judge.keeps = frozenset()
    with stage.running() as engine:
        engine.records = deque(maxlen=10)  # type: ignore[assignment]
        stage.ready()
        engine.core.orders.keep_closed = 150
        stage.run(seconds)
        before = census(engine.machine.process)
        stage.run(seconds)
        after = census(engine.machine.process)
        assert stage.judge.counts["orders"] > 8 * seconds
        # Of the actions of a minute, how many are alike is the market's affair.
        recent = after["repetition.Repetition._recent"]
        bounds = BOUNDS | {"repetition.Repetition._counts": recent}
        grown = {
            path: (before[path], size)
            for path, size in after.items()
            if size > before[path] * 1.15 + 40 and size > bounds.get(path, 0)
        }
        assert grown == {}
        assert sum(before.values()) > 1000, "the census saw the process"
