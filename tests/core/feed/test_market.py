"""What a market may be trusted with: status, reference prices, age."""

import pytest
from tests.properties.driver import INSTRUMENTS, MS, PERP, SECOND, SPOT

from plimsoll.core.feed import Market, StreamStatus
from plimsoll.core.records import BookChanged, PublicTraded, TickerChanged

T = 1_000 * SECOND


def market(name=PERP):
    return Market(INSTRUMENTS[name])


def book(found, at=T, number=1, snapshot=True, bids=((99.0, 1.0),), asks=((101.0, 1.0),), age=0):
    found.on_book(
        BookChanged(1, at, 1, 0, PERP, 50, snapshot, number, 1, at // MS - age, [*bids], [*asks]),
        0,
    )


def test_nothing_is_live_before_a_snapshot():
    assert market().status(T) is StreamStatus.SUSPECT
    assert "delta before snapshot" in market().why_not(T)


def test_live_until_silent():
    found = market()
    book(found)
    assert found.status(T + found.silent_after_ns) is StreamStatus.LIVE
    assert found.status(T + found.silent_after_ns + 1) is StreamStatus.SUSPECT
    assert "silent for 4.0 s" in found.why_not(T + 4 * SECOND)


def test_an_old_event_is_suspect_by_the_venues_clock():
    found = market()
    book(found, age=2_000)
    assert found.status(T) is StreamStatus.LIVE
    book(found, number=2, age=2_001)
    assert found.why_not(T) == "order book: late"


def test_a_gap_is_suspect_until_the_next_snapshot():
    found = market()
    book(found)
    book(found, number=3, snapshot=False)
    assert found.why_not(T) == "order book: gap"
    book(found, number=4, snapshot=False)
    assert found.status(T) is StreamStatus.SUSPECT
    book(found, number=9)
    assert found.status(T) is StreamStatus.LIVE


def test_a_dropped_link_is_suspect_and_empty():
    found = market()
    book(found)
    found.drop("link down")
    assert found.why_not(T) == "order book: link down"
    assert found.book.best_bid == 0.0


def test_reference_of_a_perpetual_is_the_mark():
    found = market()
    book(found)
    assert found.reference_ticks(T) == 1_000
    found.on_ticker(TickerChanged(1, T, 1, 0, PERP, 0.0, 120.0, 0.0, 0.0, 0, 0))
    assert found.reference_ticks(T) == 1_200
    found.drop("x")
    assert found.reference_ticks(T) == 1_200


def test_reference_of_spot_is_the_middle_then_a_fresh_print_then_nothing():
    found = market(SPOT)
    book(found)
    found.on_public_trade(PublicTraded(1, T, 1, 0, SPOT, [(90.0, 1.0, True, 0)], 0))
    assert found.reference_ticks(T) == 10_000
    found.drop("x")
    assert found.reference_ticks(T + 5 * SECOND) == 9_000
    assert found.reference_ticks(T + 5 * SECOND + 1) == 0
    assert found.newest_ticks(T + 5 * SECOND + 1) == 9_000


@pytest.mark.parametrize("missing", ["last", "mark", "index"])
def test_a_ticker_changes_only_what_it_carries(missing):
    found = market()
    found.on_ticker(TickerChanged(1, T, 1, 0, PERP, 1.0, 2.0, 3.0, 0.1, 5, 0))
    values = {"last": 10.0, "mark": 20.0, "index": 30.0, missing: 0.0}
    found.on_ticker(
        TickerChanged(1, T, 1, 0, PERP, **values, funding_rate=0.0, next_funding_ms=0, venue_ms=0)
    )
    before = {"last": 1.0, "mark": 2.0, "index": 3.0}
    for name, value in values.items():
        assert getattr(found, name) == (value or before[name])
    assert (found.funding_rate, found.next_funding_ms) == (0.1, 5)
