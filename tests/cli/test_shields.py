"""What ``positions`` says about the protection of each position."""

import pytest
from tests.properties.driver import PERP, SPOT, Driver, one_strategy, settings_of

from plimsoll.cli.rows import position_rows
from plimsoll.cli.shields import shield_of
from plimsoll.core.model import Mode, OrderState
from plimsoll.core.records import StrategyStopped


def held(name=PERP, lots=10, price=500_000, **wish):
    driver = Driver(settings_of(one_strategy(instruments=(name,)))).live(name)
    driver.do(lambda s: s.target(name, "0.010", **wish), on=name)
    order = driver.newest
    driver.was_sent(order.id)
    driver.execute(order.id, order.qty_lots, "x", price=price)
    driver.report(order.id, OrderState.FILLED, cum=order.qty_lots)
    return driver


def test_a_stop_the_venue_shows_stands_there():
    driver = held(stop="49000", take="52000")
    driver.show(10, 490_000, 520_000)
    shield = shield_of(driver.core, "s", PERP)
    assert (shield.where, shield.level) == ("venue", (490_000, 520_000))
    assert shield.distance == pytest.approx(0.02)
    titles, row = position_rows(driver.core)
    assert titles[-4:] == ("protected by", ">stop", ">take", ">away")
    assert row[-4:] == ("venue", "49000.0", "52000.0", "2.00%")


def test_one_it_does_not_show_is_the_engines():
    driver = held(stop="49000")
    driver.show(10)
    assert shield_of(driver.core, "s", PERP).where == "engine"


def test_a_position_without_a_wish_has_none():
    assert shield_of(held().core, "s", PERP).where == "none"


def test_spot_has_the_engines_only_and_none_once_its_strategy_is_stopped():
    driver = held(SPOT, price=5_000_000, stop="49000")
    assert shield_of(driver.core, "s", SPOT).where == "engine"
    driver.core.apply(StrategyStopped(driver.seq + 1, driver.now_ns, 1, 0, "s", "it raised"))
    assert shield_of(driver.core, "s", SPOT).where == "none"


def test_paper_has_the_engines():
    driver = Driver(settings_of(one_strategy(Mode.PAPER))).live()
    driver.do(lambda s: s.target(PERP, "0.010", stop="49000"))
    driver.advance(20_000_000)
    driver.book()
    assert shield_of(driver.core, "s", PERP).where == "engine"
