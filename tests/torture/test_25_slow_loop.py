"""Row 25: a slow loop: late entries, and a stop that does not get through.

People lose money when their strategy thinks for two minutes and a stop waits behind it. Here a
callback is cut off after 50 ms of processor time (200 ms where it only stands), its requests are
dropped, its instance is stopped and told, and what waited is next: a halt, the cancels it asks for,
the other instances. What one message costs does not grow with the number of symbols.

Judged: the stuck callback never returns by itself, so that all that follows shows the cut; its
processor time is at most four times the 50 ms (processor time, since another process's share is not
ours); the halt right behind it cancels at once, in the same log. For many symbols the calls of one
message are counted. Wall clock figures of the loop are measured by ``make bench``, not here.
"""

import contextlib
import json
import sys
import threading
import time

import msgspec
import pytest
from tests.properties.driver import ETH as OTHER
from tests.properties.driver import (
    INSTRUMENTS,
    PERP,
    PRICE,
    Driver,
    Puppet,
    one_strategy,
    settings_of,
)
from tests.torture.stage import FULL, Stage, actor

from plimsoll.core.records import (
    CallbackCut,
    CancelIntended,
    Halted,
    OperatorCommand,
    OrderIntended,
)
from plimsoll.core.strategy import Strategy
from plimsoll.engine import guard as guarding
from plimsoll.engine.guard import CallbackGuard

LIMIT_NS = 50_000_000
SYMBOLS = 600 if FULL else 60


class Stuck(Puppet):
    """Never comes back, in the way it is told, once it is armed."""

    how = ""

    def on_book(self, market):
        if not self.how:
            super().on_book(market)
            return
        self.buy(PERP, "0.1", "49000")
        getattr(self, self.how)()

    def loops(self):
        while True:
            pass

    def swallows(self):
        for _ in range(3):
            with contextlib.suppress(BaseException):
                self.loops()
        self.loops()

    def stands(self):
        time.sleep(600)

    def dozes(self):
        time.sleep(10 * LIMIT_NS / 1e9)

    def recurses_and_swallows(self):
        try:
            self.recurses_and_swallows()
        except RecursionError:
            self.loops()


@pytest.mark.parametrize(
    ("how", "cuts"), [("loops", 1), ("swallows", 4), ("stands", 1), ("recurses_and_swallows", 1)]
)
def test_a_halt_behind_a_stuck_callback_waits_for_the_cut_and_no_longer(how, cuts):
    stuck = Stuck()
    two = (one_strategy(name="bad"), one_strategy(name="good", instruments=(OTHER,)))
    load = {"bad": stuck, "good": Puppet()}
    driver = Driver(settings_of(*two), load=lambda one: load[one.name])
    driver.strategies = load
    driver.live(PERP, OTHER)
    entry = driver.do(lambda s: s.buy(OTHER, "0.1", "1900"), "good", OTHER)
    driver.was_sent(entry.order.id)
    driver.answered(entry.order.id)
    guard = CallbackGuard(driver.core.turns, LIMIT_NS)
    assert guard.start()
    try:
        stuck.how = how
        before_ns = time.thread_time_ns()
        driver.book(PERP)
        used_ns = time.thread_time_ns() - before_ns
    finally:
        guard.stop()
    driver.put(OperatorCommand, "c1", "anna", "halt", json.dumps({"reason": "now"}))
    assert [(one.owner, one.callback) for one in driver.of(CallbackCut)] == [("bad", "on_book")]
    assert used_ns < 8 * cuts * LIMIT_NS
    assert len(driver.of(Halted)) == 1
    assert [one.client_order_id for one in driver.of(CancelIntended)] == [entry.order.id]
    assert not list(driver.core.orders.of_owner("bad", PERP)), "what it asked for is dropped"
    assert list(driver.core.state.stopped) == ["bad"]


def test_the_guard_leaves_alone_what_returns_in_time():
    driver = Driver().live()
    guard = CallbackGuard(driver.core.turns, LIMIT_NS)
    guard.start()
    try:
        for _ in range(2_000):
            driver.book()
    finally:
        guard.stop()
    assert driver.of(CallbackCut) == []


def test_time_in_which_it_waits_for_a_processor_is_not_the_callbacks(monkeypatch):
    """On a machine with too much to do whoever happened to be inside would be stopped."""
    monkeypatch.setattr(guarding, "_waited_ns", lambda _thread, _before: time.monotonic_ns())
    dozes = Stuck()
    driver = Driver(settings_of(one_strategy()), load=lambda _one: dozes).live()
    dozes.how = "dozes"
    guard = CallbackGuard(driver.core.turns, LIMIT_NS)
    guard.start()
    try:
        driver.book()
    finally:
        guard.stop()
    assert driver.of(CallbackCut) == []
    assert driver.of(OrderIntended), "it went on to its end"


def test_how_long_a_thread_has_waited_is_read_or_stays_what_it_was():
    assert guarding._waited_ns(threading.get_native_id(), -1) >= 0
    assert guarding._waited_ns(0, 7) == 7


# ---- many symbols --------------------------------------------------------------------------------


@pytest.fixture
def many(monkeypatch):
    """Return a live driver of one instance on so many instruments."""

    def made(count) -> Driver:
        names = tuple(f"linear:SYM{number:03}USDT" for number in range(count))
        for name in names:
            symbol = name.partition(":")[2]
            listed = msgspec.structs.replace(INSTRUMENTS[PERP], name=name, symbol=symbol)
            monkeypatch.setitem(INSTRUMENTS, name, listed)
            monkeypatch.setitem(PRICE, name, 50_000.0)
        return Driver(settings_of(one_strategy(instruments=names))).live(*names)

    return made


def calls_of(act) -> int:
    """Return how many Python functions an act calls."""
    count = 0

    def note(_frame, event, _arg):
        nonlocal count
        count += event == "call"

    sys.setprofile(note)
    try:
        act()
    finally:
        sys.setprofile(None)
    return count


def test_what_a_message_costs_does_not_grow_with_the_symbols(many):
    few, lots = many(3), many(SYMBOLS)
    costs = []
    for driver in (few, lots):
        name = "linear:SYM001USDT"
        driver.book(name)
        assert ("start", None) in driver.strategies["s"].heard
        costs.append(calls_of(lambda: driver.book(name)))  # noqa: B023
    assert costs[1] <= costs[0] + 5, costs


class Everywhere(Strategy):
    """Rests one order on every instrument it hears of."""

    def on_start(self):
        self.resting = {}

    def on_book(self, market):
        name = market.instrument.name
        one = self.resting.get(name)
        if one is None or not one.is_working:
            self.resting[name] = self.buy(name, 100, market.book.mid * 0.99)


def test_a_halt_over_many_symbols_cancels_everything():
    count = 100 if FULL else 20
    names = tuple(f"linear:SYM{number:03}USDT" for number in range(1, count + 1))
    stage = Stage(
        {"a": Everywhere},
        actor("a", *names, capital=10**6),
        pulse_ms=1000,
        sim={"extra_symbols": count},
    )
    with stage.running() as engine:
        stage.ready()
        alive = lambda: sum(one.is_live for one in stage.judge.orders.values())  # noqa: E731
        stage.until("orders everywhere", lambda: alive() == count, 120)
        engine.machine.command("halt", reason="drill")
        stage.until("none left", lambda: alive() == 0, 30)
        stage.agree()
        assert len({one.name for one in stage.judge.orders.values()}) == count
