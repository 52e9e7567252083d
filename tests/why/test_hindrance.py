"""``why-not`` says what the gate would say, and everything that it would say."""

import msgspec
import pytest
from tests.core.engine.test_keeper import command
from tests.properties.driver import PERP, SECOND, WIDE, Driver, one_strategy, settings_of

from plimsoll.why import Seen, hindrances, recent

RUNS = Seen(is_running=True, gauges={})


def codes(driver, seen=RUNS):
    return [(one.where, one.code) for one in hindrances(driver.core.state, "s", seen)]


def test_nothing_stands_against_the_smallest_order_of_a_free_instance():
    driver = Driver().live()
    assert codes(driver) == []
    assert driver.do(lambda one: one.buy(PERP, "0.001", "49999")).refusal is None


def test_a_halt_is_named_with_the_command_that_ends_it():
    driver = Driver().live()
    command(driver, "halt", reason="a drill")
    (found,) = hindrances(driver.core.state, "s", RUNS)
    assert (found.where, found.code) == (PERP, "halted")
    assert "plimsoll resume" in found.text
    assert driver.do(lambda one: one.buy(PERP, "0.010", "49000")).refusal.code == "halted"


def test_every_stage_of_the_gate_answers_for_itself():
    limits = msgspec.structs.replace(WIDE, orders_per_day=0, exposure=0)
    driver = Driver(settings_of(one_strategy(), limits=limits)).live()
    command(driver, "pause", reason="lunch")
    assert codes(driver) == [(PERP, "paused"), (PERP, "day_rate"), (PERP, "exposure")]


def test_a_market_that_the_engine_does_not_trust_is_named():
    driver = Driver().live()
    seen = Seen(is_running=True, gauges={f"live.{PERP}": 0.0})
    assert codes(driver, seen) == [(PERP, "data_not_live")]


def test_without_an_engine_its_links_are_no_news():
    driver = Driver().begin()
    assert codes(driver, Seen(is_running=False, gauges={}))[0] == ("", "not_running")
    assert "link_down" not in [code for _, code in codes(driver, Seen(False, {}))]
    assert (PERP, "link_down") in codes(driver)


def test_an_instance_stopped_for_a_fault_says_who_frees_it():
    driver = Driver().live()

    def fail(_one):
        raise RuntimeError("broken")

    with pytest.raises(IndexError):  # the driver waits for a result that never comes
        driver.do(fail)
    found = next(hindrances(driver.core.state, "s", RUNS))
    assert found.code == "strategy_stopped"
    assert "plimsoll strategy resume s" in found.text


def test_refusals_are_counted_by_kind_and_only_young_ones():
    driver = Driver().live()
    for _ in range(3):
        driver.do(lambda one: one.buy(PERP, "0.010", "90000"))
    ((newest, times),) = recent(driver.core.state, "s")
    assert (newest.code, times) == ("price_distance", 3)
    driver.advance(700 * SECOND)
    assert recent(driver.core.state, "s") == []


def test_an_unknown_name_is_no_instance():
    with pytest.raises(KeyError):
        list(hindrances(Driver().live().core.state, "nobody", RUNS))
