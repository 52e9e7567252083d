"""What strategies knew when a session broke off is what they know in the next one."""

from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from tests.properties.driver import ETH, MS, PERP, Driver, one_strategy, settings_of

from plimsoll.core.engine import snapshot
from plimsoll.core.model import Mode
from plimsoll.core.records import (
    DECISIONS,
    INPUTS,
    MARKET_INPUTS,
    RECORD_KIND,
    BookChanged,
    StrategyCheckpoint,
    Tripped,
    encode,
)
from plimsoll.core.risk.breakers import BREAKERS
from plimsoll.core.settings import BreakerSettings
from plimsoll.core.strategy import Strategy, state
from plimsoll.engine import shadowing
from plimsoll.engine.restoring import SNAPSHOTS, restore_state
from plimsoll.journal import Journal, write_snapshot

TRADING = frozenset((*INPUTS, *DECISIONS)) - frozenset(MARKET_INPUTS)


class Counter(Strategy):
    """Count books; the first one since the start is worth a hundred."""

    books = state(0)

    def on_start(self):
        self.is_first = True

    def on_book(self, market):
        self.books += 100 if self.is_first else 1
        self.is_first = False


def a_driver():
    two = (
        one_strategy(Mode.PAPER, name="early"),
        one_strategy(Mode.PAPER, name="late", instruments=(ETH,)),
    )
    return Driver(settings_of(*two), load=lambda _one: Counter()).begin(PERP, ETH)


@pytest.fixture
def broken_off(tmp_path, monkeypatch):
    """Write a session as a death leaves it; return what it knew, and what is found."""
    return lambda driver, kind=Counter: _broken_off(driver, kind, tmp_path, monkeypatch)


def _broken_off(driver, kind, directory, monkeypatch):
    journal = Journal.open(directory, "main", 1)
    for record in driver.log:
        log = journal.trading if type(record) in TRADING else journal.market
        log(record.seq, record.ts_ns, RECORD_KIND, encode(record))
    journal.close()
    by_seq = {record.seq: record for record in driver.log}  # market data is kept as raw frames
    reader = SimpleNamespace(record=lambda entry: by_seq[entry.seq])
    monkeypatch.setattr(shadowing, "EntryReader", lambda: reader)
    restored = restore_state(directory)

    def trouble(code, subject, text):
        raise AssertionError(f"{code} {subject}: {text}")

    return driver.core.saved(), shadowing.newest_states(
        directory, restored.checkpoint_seq, lambda _one: kind(), trouble
    )


def books(states):
    return {
        name: msgspec.msgpack.decode(saved)["states"]["books"] for name, saved in states.items()
    }


def test_a_death_between_two_checkpoints_takes_neither_back(broken_off):
    driver = a_driver()
    for name in (PERP, ETH):
        beginning(driver, name)
    for _ in range(40):
        driver.now_ns += 2_000 * MS
        driver.book(PERP)
        driver.book(ETH)
        driver.advance(1)
    places = [nth for nth, one in enumerate(driver.log) if type(one) is StrategyCheckpoint]
    assert places[-1] == places[-2] + 1
    knew = driver.log[places[-1]].state
    del driver.log[places[-1] :]
    _, found = broken_off(driver)
    anew = 99  # its first book since the start counts so much more
    assert books(found)["late"] == books({"late": knew})["late"] + anew > 120


class Buyer(Strategy):
    """Buys twice every third book, counts what it hears of it, and finds its orders."""

    books = state(0)
    fills = state(0)
    asked = state(0)
    known = state(0)

    def on_start(self):
        self.handles = []

    def on_book(self, market):
        self.books += 1
        self.known += sum(handle.order is not None for handle in self.handles)
        self.handles.clear()
        if self.books % 3 == 0:
            for _ in range(2):
                handle = self.buy(market.instrument.name, "0.001")
                self.asked += 1
                self.handles.append(handle)

    def on_fill(self, fill):
        self.fills += 1


def whole(states):
    return {name: msgspec.msgpack.decode(saved)["states"] for name, saved in states.items()}


def test_orders_on_paper_and_their_fills_are_gone_through_again(broken_off):
    driver = Driver(
        settings_of(one_strategy(Mode.PAPER, name="early")), load=lambda _one: Buyer()
    ).begin(PERP, ETH)
    beginning(driver, PERP)
    for _ in range(40):
        driver.now_ns += 40 * MS
        driver.book(PERP)
        driver.advance(20 * MS)
    knew, found = broken_off(driver, Buyer)
    assert whole(found) == whole(knew)
    assert whole(knew)["early"]["fills"] > 10


def test_a_breaker_that_trips_meanwhile_is_no_trouble(broken_off):
    one = one_strategy(Mode.PAPER, name="early")
    breakers = BreakerSettings(off=tuple(set(BREAKERS) - {"stale_data"}))
    driver = Driver(settings_of(one, breakers=breakers), load=lambda _one: Counter())
    driver.begin(PERP, ETH)
    beginning(driver, PERP)
    driver.advance(30_000 * MS)
    assert any(type(one) is Tripped for one in driver.log)
    driver.book(PERP)
    knew, found = broken_off(driver)
    assert books(found) == books(knew)


def beginning(driver, name):
    driver.book(name)
    driver.mark(name, 50_000.0 if name == PERP else 2_000.0)


def test_a_death_in_the_first_moment_loses_nothing(broken_off):
    driver = a_driver()
    beginning(driver, PERP)
    driver.book(PERP)
    knew, found = broken_off(driver)
    assert books(found)["early"] == books(knew)["early"] > 0


def test_a_book_is_whole_whose_snapshot_came_before_the_checkpoint(broken_off):
    driver = a_driver()
    beginning(driver, PERP)
    for qty in (1.0, 2.0, 3.0):
        driver.updates[PERP] += 1
        rows: Any = ([(49_990.0, qty)], [])
        driver.put(
            BookChanged, PERP, 50, False, driver.updates[PERP], 1, driver.now_ns // MS, *rows
        )
    knew, found = broken_off(driver)
    assert books(found)["early"] == books(knew)["early"] == 102


def test_instances_that_start_one_after_the_other_are_each_where_they_were(broken_off):
    driver = a_driver()
    beginning(driver, PERP)
    for _ in range(5):
        driver.now_ns += MS
        driver.book(PERP)
    beginning(driver, ETH)
    for name in (ETH, PERP, ETH):
        driver.book(name)
    knew, found = broken_off(driver)
    assert books(found) == books(knew)
    assert books(knew)["late"] < 200 < books(knew)["early"] + 100


def test_a_snapshot_of_the_middle_of_a_session_is_gone_on_from(broken_off, tmp_path):
    """As the auditor and a long start leave them: the session's settings stand before it."""
    driver = a_driver()
    beginning(driver, PERP)
    beginning(driver, ETH)
    seq = 0
    for number in range(40):
        driver.now_ns += 2_000 * MS
        driver.book(PERP)
        driver.advance(1)
        newest = driver.log[-1]
        if number == 25:
            seq = newest.seq
            write_snapshot(tmp_path / SNAPSHOTS, seq, snapshot(driver.core.state))
    assert any(type(one) is StrategyCheckpoint and one.seq > seq for one in driver.log)
    knew, found = broken_off(driver)
    assert books(found)["early"] == books(knew)["early"] + 99, "and it has started anew"
