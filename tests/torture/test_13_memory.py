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
import sys
from collections import Counter, deque
from pathlib import Path
from typing import Any

import pytest
from benchmarks.frames import stamped, wandering
from tests.properties.driver import MS, PERP, SECOND, Driver
from tests.torture.stage import ETH, FULL, SPOT, Stage, actor
from tests.torture.stage import PERP as LINEAR

from plimsoll.core.model import OrderState
from plimsoll.core.portfolio import ledger
from plimsoll.core.strategy import Strategy
from plimsoll.venues.bybit.public import PublicParser

MESSAGES = 10_000_000 if FULL else 60_000
ORDERS = 200_000 if FULL else 1_200


class Lean(Driver):
    """A driver that keeps no log, as the engine keeps none."""

    def _append(self, record):
        self.seq = record.seq
        self.core.apply(record)

    def take(self, record):
        found = super().take(record)
        del self.sent[:-1]
        self.queries.clear()
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
        self.driver = Lean(load=lambda _one: self.strategy).live()
        self.parse = PublicParser("linear").parse
        self.first, self.deltas = wandering(2_000)
        self.place = len(self.deltas)
        self.orders = 0

    def messages(self, count: int) -> None:
        driver = self.driver
        for number in range(count):
            if number % 40 == 0:
                driver.advance(SECOND // 4)
                driver.mark(PERP, 65_000.0)
            raw = self.deltas[self.place] if self.place < len(self.deltas) else self.first
            self.place = 0 if self.place >= len(self.deltas) else self.place + 1
            raw = stamped(raw, driver.now_ns // MS)
            record = self.parse(raw, driver.seq + 1, driver.now_ns, 1)
            assert record is not None
            driver.take(record)

    def one_order(self) -> None:
        driver = self.driver
        self.strategy.todo = lambda s: s.buy(PERP, "0.010", "64000")  # type: ignore[attr-defined]
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


@pytest.fixture
def short(monkeypatch):
    """Keep less for less long, so that the bounds are reached."""
    if not FULL:
        monkeypatch.setattr(ledger, "SEEN_KEEP_MS", 20_000)


@pytest.mark.timeout(3600 if FULL else 120)
def test_market_messages_leave_nothing_behind(short):
    load = Load()
    load.messages(MESSAGES // 4)
    before, begin = blocks(), resident()
    load.messages(MESSAGES)
    grown = blocks() - before
    assert grown < 200 + MESSAGES // 100, f"{grown} blocks of memory by {MESSAGES} messages"
    if FULL:
        assert resident() - begin < MESSAGES, "a byte a message"


@pytest.mark.timeout(3600 if FULL else 120)
def test_orders_that_are_over_leave_only_what_is_bounded(short):
    load = Load()
    if not FULL:
        load.driver.core.orders.keep_closed = 200
    for _ in range(ORDERS // 3):
        load.one_order()
        load.messages(1)
        load.driver.advance(SECOND // 4)
    before = blocks()
    for _ in range(ORDERS // 3 * 2):
        load.one_order()
        load.messages(1)
        load.driver.advance(SECOND // 4)
    grown = blocks() - before
    a_day = ORDERS if FULL else 0  # executions of eight days are kept by their ids
    assert grown < 500 + 4 * a_day, f"{grown} blocks by {ORDERS} orders"
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
            (self.sell if held > 0 else self.buy)(name, abs(held) or 30 / middle)
        elif self.resting is None or not self.resting.is_working:
            self.resting = self.buy(name, 30 / middle, middle * 0.99)
        else:
            self.resting.cancel()

    def on_trade(self, instrument, price, qty, *, is_buy):
        pass


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
            for base in kind.__mro__:
                names |= {*getattr(base, "__slots__", ())} | {
                    *getattr(base, "__struct_fields__", ())
                }
            where = f"{kind.__module__.rpartition('.')[2]}.{kind.__name__}"
            todo += [(f"{where}.{n}", getattr(one, n)) for n in sorted(names) if hasattr(one, n)]
    return found


@pytest.mark.timeout(1200 if FULL else 120)
def test_no_container_of_the_running_engine_grows_with_time(monkeypatch):
    monkeypatch.setattr(ledger, "SEEN_KEEP_MS", 10_000)
    seconds = 300 if FULL else 40
    stage = Stage(
        {"a": Busy, "b": Busy, "c": Busy},
        actor("a", LINEAR),
        actor("b", ETH),
        actor("c", SPOT),
        sim={"limits": "off"},
        pulse_ms=100,
        venue_orders_per_second=1000,
    )
    stage.judge.keeps = frozenset()
    with stage.running() as engine:
        engine.records = deque(maxlen=10)  # type: ignore[assignment]
        stage.ready()
        engine.core.orders.keep_closed = 100
        stage.run(seconds)
        before = census(engine.machine.process)
        stage.run(seconds * 2)
        after = census(engine.machine.process)
        assert stage.judge.counts["orders"] > 12 * seconds
        grown = {
            path: (before[path], size)
            for path, size in after.items()
            if size > before[path] * 1.15 + 40
        }
        assert grown == {}
        assert sum(before.values()) > 1000, "the census saw the process"
