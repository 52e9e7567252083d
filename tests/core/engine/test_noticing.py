"""Unusual activity is told once a minute, and pauses the instance where that is wanted."""

import pytest
from tests.properties.driver import PERP, SECOND, Driver, one_strategy, settings_of

from plimsoll.core.engine import Core, restore, snapshot
from plimsoll.core.records import IncidentRaised, Paused
from plimsoll.core.risk.habits import LEAST, Measure

MINUTE = 60 * SECOND


def habitual(unusual):
    """An instance that for an hour has asked for one small order a minute."""
    driver = Driver(settings_of(one_strategy(), unusual=unusual)).live()
    habits = driver.core.state.habits["s"]
    for minute in range(LEAST + 1):
        at = driver.now_ns - (LEAST + 1 - minute) * MINUTE
        habits.ordered(at, f"{PERP} buy", 490_000, 50 * 10**8)
    return driver


def unusual_of(driver):
    return [one for one in driver.of(IncidentRaised) if one.code == "unusual_activity"]


@pytest.mark.parametrize(("unusual", "pauses"), [("tell", 0), ("pause", 1)])
def test_an_order_far_larger_than_ever_is_told_and_pauses_where_wanted(unusual, pauses):
    driver = habitual(unusual)
    driver.do(lambda one: one.buy(PERP, "1", "49000"))
    driver.advance(SECOND)
    driver.advance(SECOND)
    (told,) = unusual_of(driver)
    assert told.subject == "s"
    assert "an order worth 49000, usual is up to 250" in told.text
    assert len(driver.of(Paused)) == pauses
    refused = driver.do(lambda one: one.buy(PERP, "0.010", "49000")).refusal
    assert (refused is not None) == bool(pauses)


def test_what_is_usual_survives_a_restart_and_is_learned_by_apply_alone():
    driver = Driver(settings_of(one_strategy())).live()
    driver.open_order()
    kept = restore(snapshot(driver.core.state)).habits
    assert kept == driver.core.state.habits
    assert kept["s"].measures[Measure.ORDERS].now == 1
    again = Core()
    for record in driver.log:
        again.apply(record)
    assert again.state.habits == driver.core.state.habits
