"""The loop arms its timer anew when the core wants to be woken sooner."""

import json
from types import SimpleNamespace
from typing import Any

from tests.properties.driver import (
    MS,
    PERP,
    SECOND,
    T0,
    Driver,
    Puppet,
    one_strategy,
    settings_of,
)

from plimsoll.core.settings import Timing
from plimsoll.engine.engine import Engine
from plimsoll.observe import Log
from plimsoll.venues.bybit import PublicParser

LINK = 2
QUICK = Timing(bar_grace_ns=10 * MS)
Armed = list[int]


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


def printed(at_ms):
    row = {"T": at_ms, "s": "BTCUSDT", "S": "Buy", "v": "1", "p": "50000", "i": "1", "BT": False}
    message = {"topic": "publicTrade.BTCUSDT", "type": "snapshot", "ts": at_ms, "data": [row]}
    return json.dumps(message).encode()


def engine_of(driver, armed):
    """Return an engine around a driver's core that notes when it wants to be woken."""
    journal: Any = SimpleNamespace(
        last_seq=driver.seq, trading=lambda *_: None, market=lambda *_: None
    )
    clock: Any = SimpleNamespace(now_ns=lambda: driver.now_ns)

    def fails(error: BaseException) -> None:
        raise error

    engine = Engine(driver.core, journal, clock, 1, {LINK: PublicParser("linear")}, Log(), fails)
    engine.on_wake = armed.append
    engine.wake_ns = driver.core.wake_ns
    return engine


def test_a_book_held_back_while_we_lag_is_heard_in_time_without_another_decision():
    driver, armed = Driver().live(), Armed()
    driver.advance(1)
    engine = engine_of(driver, armed)
    old_ms = driver.now_ns // MS - Timing().lag_ms - 10
    number = driver.updates[PERP]
    for step in (1, 2, 3):
        engine.frame(LINK, frame(number + step, old_ms), driver.now_ns)
    assert armed == [driver.now_ns + Timing().coalesce_ns]
    assert driver.core.state.coalesced == 1


def test_a_timer_a_strategy_sets_while_it_asks_for_nothing_fires_in_time():
    """Else it would wait for the next beat, up to a quarter of a second, and in no backtest."""
    driver, armed = Driver().live(), Armed()
    driver.advance(1)
    engine = engine_of(driver, armed)
    driver.strategies["s"].todo.append(lambda strategy: strategy.timer("soon", 0.005))
    engine.frame(LINK, frame(driver.updates[PERP] + 1, driver.now_ns // MS), driver.now_ns)
    assert armed == [driver.now_ns + 5 * MS]


class Seconds(Puppet):
    """Lives on bars of a second."""

    bars = {"1s": 5}  # noqa: RUF012 - declared as every strategy does


def test_a_bar_of_ours_that_a_print_begins_is_closed_in_time():
    settings, armed = settings_of(one_strategy(), timing=QUICK), Armed()
    driver = Driver(settings, load=lambda _: Seconds(), now_ns=T0 + 60 * MS).live()
    driver.advance(850 * MS)  # the next beat comes behind the end of the second
    engine = engine_of(driver, armed)
    engine.frame(LINK, printed(driver.now_ns // MS), driver.now_ns)
    assert armed == [closes_ns(driver)]


def closes_ns(driver):
    """Return when a bar that begins now is closed."""
    return (driver.now_ns // SECOND + 1) * SECOND + QUICK.bar_grace_ns
