"""Market data that cannot be trusted is told of once, and once that it can be again (MKT-3)."""

import pytest
from tests.properties.driver import ETH, MS, PERP, SECOND, SPOT, Driver

from plimsoll.core.records import (
    BookChanged,
    IncidentRaised,
    LeaseTaken,
    LinkChanged,
    SessionStopping,
    StreamChanged,
)
from plimsoll.core.settings import Timing

DOUBT_NS = Timing().doubt_ns


def told(driver):
    return [(one.code, one.subject) for one in driver.of(IncidentRaised)]


def steady(driver, ns):
    """Let time pass with good data on every instrument."""
    for _ in range(ns // (SECOND // 2)):
        for name in driver.core.state.instruments:
            driver.book(name)
        driver.advance(SECOND // 2)


def gap(driver, name=PERP):
    driver.put(BookChanged, name, 50, False, 10**6, 1, driver.now_ns // MS, [], [])


def test_a_death_is_told_once_until_it_is_over():
    driver = Driver().live()
    dead = (PERP, "book", "dead", "three renewals brought nothing", True)
    for _ in range(3):
        driver.put(StreamChanged, *dead)
        driver.advance(SECOND)
    assert told(driver) == [("stream_dead", f"{PERP} book")]
    assert driver.of(IncidentRaised)[0].text == "three renewals brought nothing"
    assert driver.core.state.doubts[PERP].code == "stream_dead"
    steady(driver, 30 * SECOND)
    assert len(told(driver)) == 1, "a snapshot does not make a stream live that is called dead"
    driver.put(StreamChanged, PERP, "book", "live", "", False)
    steady(driver, 2 * SECOND)
    assert told(driver)[1:] == [("stream_live", PERP)]
    assert "live again after 33." in driver.of(IncidentRaised)[-1].text
    assert not driver.core.state.doubts
    driver.put(StreamChanged, *dead)
    assert told(driver)[2:] == [("stream_dead", f"{PERP} book")]


@pytest.mark.parametrize("stream", ["ticker", "trades", "bars"])
@pytest.mark.parametrize("name", [PERP, SPOT])
def test_every_stream_can_die_and_come_back(name, stream):
    driver = Driver().live(name)
    driver.put(StreamChanged, name, stream, "dead", "test", False)
    steady(driver, 20 * SECOND)
    assert told(driver) == [("stream_dead", f"{name} {stream}")]
    driver.put(StreamChanged, name, stream, "live", "", False)
    steady(driver, SECOND)
    assert told(driver)[1:] == [("stream_live", name)]


def test_what_lasts_for_ten_seconds_is_told_and_its_end():
    driver = Driver().live(PERP, ETH)
    gap(driver)
    for _ in range(int(DOUBT_NS // SECOND) * 2):
        driver.book(ETH)
        driver.advance(SECOND // 2)
    assert told(driver) == []
    driver.advance(SECOND // 2)
    assert told(driver) == [("stream_suspect", f"{PERP} book")]
    assert driver.of(IncidentRaised)[0].text == "order book: a message is missing"
    driver.advance(3 * SECOND)
    assert len(told(driver)) == 1
    steady(driver, SECOND)
    assert told(driver)[1:] == [("stream_live", PERP)]


def test_what_is_over_sooner_is_nobodys_business():
    driver = Driver().live()
    for _ in range(5):
        gap(driver)
        driver.advance(DOUBT_NS - SECOND)
        steady(driver, 2 * SECOND)
    assert told(driver) == []


def test_a_link_that_stays_down_is_told_by_the_markets_on_it():
    driver = Driver().live(PERP, SPOT)
    driver.put(LinkChanged, "public.linear", False, "reset")
    for _ in range(25):
        driver.book(SPOT)
        driver.advance(SECOND // 2)
    assert told(driver) == [("stream_suspect", f"{PERP} book")]
    assert driver.of(IncidentRaised)[0].text == "order book: link down"


def test_a_market_that_never_comes_is_told():
    driver = Driver().begin()
    driver.advance(DOUBT_NS + SECOND)
    assert told(driver) == [("stream_suspect", f"{PERP} book")]


def test_a_session_that_stops_tells_nothing_more():
    driver = Driver().live()
    driver.open_order()
    driver.put(SessionStopping, "test")
    gap(driver)
    driver.advance(DOUBT_NS + 2 * SECOND)
    assert not [code for code, _ in told(driver) if code.startswith("stream")]


def test_doubts_of_a_session_end_with_it():
    driver = Driver().live()
    driver.put(StreamChanged, PERP, "book", "dead", "test", True)
    driver.epoch = 2
    driver.put(LeaseTaken, "main", "acc", "test", "1")
    assert not driver.core.state.doubts
