"""The loop wakes the core in time, and notices that it stood still itself."""

import json
from types import SimpleNamespace
from typing import Any

from tests.properties.driver import MS, Driver

from plimsoll.core.settings import Timing
from plimsoll.engine.engine import STANDSTILL_NS, Engine
from plimsoll.observe import Log
from plimsoll.venues.bybit import PublicParser

LINK = 2


def frame(number, at_ms):
    return json.dumps(
        {
            "topic": "orderbook.50.BTCUSDT",
            "type": "delta",
            "ts": at_ms,
            "data": {"s": "BTCUSDT", "b": [["49998", "1"]], "a": [], "u": number, "seq": number},
            "cts": at_ms,
        }
    ).encode()


def test_a_book_held_back_while_we_lag_is_heard_in_time_without_another_decision():
    driver = Driver().live()
    driver.advance(1)
    now_ns = driver.now_ns
    journal: Any = SimpleNamespace(
        last_seq=driver.seq, trading=lambda *_: None, market=lambda *_: None
    )
    clock: Any = SimpleNamespace(now_ns=lambda: now_ns)
    failures: list[BaseException] = []
    engine = Engine(
        driver.core, journal, clock, 1, {LINK: PublicParser("linear")}, Log(), failures.append
    )
    armed: list[int] = []
    engine.on_wake = armed.append
    engine.wake_ns = driver.core.wake_ns
    old_ms = now_ns // MS - Timing().lag_ms - 10
    number = driver.updates["linear:BTCUSDT"]
    for step in (1, 2, 3):
        engine.frame(LINK, frame(number + step, old_ms), now_ns)
    assert not failures
    assert armed == [now_ns + Timing().coalesce_ns]
    assert driver.core.state.coalesced == 1


def test_a_standstill_is_told_before_the_next_input_and_a_frame_of_before_is_dropped():
    driver = Driver().live()
    now_ns = driver.now_ns
    journal: Any = SimpleNamespace(
        last_seq=driver.seq, trading=lambda *_: None, market=lambda *_: None
    )
    clock: Any = SimpleNamespace(now_ns=lambda: now_ns)
    engine = Engine(
        driver.core, journal, clock, 1, {LINK: PublicParser("linear")}, Log(), lambda _: None
    )
    told: list[int] = []
    engine.on_standstill = told.append
    engine.stamp()
    now_ns += STANDSTILL_NS
    engine.stamp()
    assert not told
    now_ns += STANDSTILL_NS + 1
    assert engine.stamp()[:2] == (engine.seq + 1, now_ns)
    assert told == [STANDSTILL_NS + 1]
    seq = engine.seq
    now_ns += 2 * STANDSTILL_NS
    number = driver.updates["linear:BTCUSDT"]
    engine.frame(LINK, frame(number + 1, now_ns // MS), now_ns)
    assert told == [STANDSTILL_NS + 1, 2 * STANDSTILL_NS]
    assert engine.seq == seq
