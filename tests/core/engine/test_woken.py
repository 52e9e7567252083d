"""A pause of the loop: nothing that was known before it counts until it is known anew (P7)."""

from tests.properties.driver import CASH, PERP, SECOND, Driver, Venue

from plimsoll.core.engine import Core
from plimsoll.core.model import Refusal
from plimsoll.core.records import (
    ClockMeasured,
    IncidentRaised,
    OrderDenied,
    OrderIntended,
    QueryIntended,
    Reconciled,
    Woken,
)


def paused():
    venue = Venue()
    venue.wallet = {"USDT": 10**6 * CASH}
    driver = Driver().live(venue=venue)
    venue.wallet = driver.core.ledger.cash
    driver.advance(30 * SECOND)
    driver.answer_all(venue)
    driver.mark(PERP, 50_000.0)
    before = len(driver.log)
    driver.put(Woken, 30 * SECOND)
    return driver, venue, before


def asks(driver):
    driver.do(lambda s: s.buy(PERP, "0.010", "49000"))
    return driver.of(OrderIntended), driver.of(OrderDenied)


def test_a_pause_is_told_and_a_comparison_begins():
    driver, _, before = paused()
    told = [one for one in driver.log[before:] if isinstance(one, IncidentRaised)]
    assert [(one.code, "30.0 s" in one.text) for one in told] == [("paused", True)]
    assert any(isinstance(one, QueryIntended) for one in driver.log[before:])
    assert not driver.core.safety.is_reconciled


def test_no_new_risk_before_books_clock_and_market_are_known_again():
    driver, venue, _ = paused()
    for what in ("books", "clock", "market"):
        intended, denied = asks(driver)
        assert intended == []
        assert denied[-1].code != "", what
        if what == "books":
            assert denied[-1].code == Refusal.NOT_RECONCILED
            driver.answer_all(venue)
            assert driver.of(Reconciled)
        elif what == "clock":
            assert denied[-1].code == Refusal.CLOCK
            driver.put(ClockMeasured, 0, 1_000_000)
        else:
            assert denied[-1].code == Refusal.DATA_NOT_LIVE
            driver.book(PERP)
            driver.mark(PERP, 50_000.0)
    intended, denied = asks(driver)
    assert len(intended) == 1, denied


def test_a_comparison_under_way_proves_nothing_after_a_pause():
    venue = Venue()
    venue.wallet = {"USDT": 10**6 * CASH}
    driver = Driver().live(venue=venue)
    driver.advance(30 * SECOND)  # a round is under way
    old = [one.query_id for one in driver.of(QueryIntended)]
    count = len(driver.of(Reconciled))
    driver.put(Woken, 10 * SECOND)
    fresh = [one for one in driver.of(QueryIntended) if one.query_id not in old]
    for query in driver.of(QueryIntended):
        if query.query_id in old:
            driver.answer(query)
    assert len(driver.of(Reconciled)) == count
    assert fresh


def test_a_pause_replays():
    driver, venue, _ = paused()
    driver.answer_all(venue)
    driver.put(ClockMeasured, 0, 1_000_000)
    asks(driver)
    # The puppet's wishes are not in the log: what it asked for is asked again by its twin.
    assert [type(one) for one in driver.log].count(Woken) == 1
    core = Core()
    for record in driver.log:
        core.apply(record)
    assert core.books_hash() == driver.core.books_hash()
