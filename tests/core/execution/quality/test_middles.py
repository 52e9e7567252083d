"""What the middle was at a moment of the venue's time, and how far back that is known."""

import msgspec
import pytest
from tests.properties.driver import INSTRUMENTS, PERP, T0

from plimsoll.core.execution.quality import middles as module
from plimsoll.core.execution.quality.middles import Middles, Places
from plimsoll.core.records import BookChanged, InstrumentListed


@pytest.fixture
def middles():
    return Middles(INSTRUMENTS[PERP])


def test_a_moment_has_the_newest_middle_up_to_it(middles):
    middles.note(100, 20)
    middles.note(105, 22)
    assert [middles.at(ms) for ms in (99, 100, 104, 105, 999)] == [0, 20, 20, 22, 22]


def test_of_several_in_one_millisecond_the_last_counts(middles):
    middles.note(100, 20)
    middles.note(100, 26)
    assert (middles.at(100), middles.now_halves) == (26, 26)


def test_where_the_book_was_lost_nothing_is_known_until_it_is_back(middles):
    middles.note(100, 20)
    middles.note(110, 0)
    middles.note(120, 24)
    assert [middles.at(ms) for ms in (109, 110, 119, 120)] == [20, 0, 0, 24]


def test_only_so_many_changes_are_kept_and_what_is_older_is_not_known(middles, monkeypatch):
    monkeypatch.setattr(module, "KEPT", 8)
    for ms in range(1_000):
        middles.note(ms, 10 + ms)
        assert len(middles._times) < 16
    assert middles.at(999) == 1_009
    assert middles.at(992) == 1_002
    assert middles.at(900) == 0


def test_a_middle_that_stays_takes_no_room_and_moves_what_is_reached(middles):
    for ms in range(1_000):
        middles.note(ms, 10)
    assert (len(middles._times), middles.reached_ms) == (1, 999)


def test_finer_steps_change_the_counts_and_not_the_price():
    places = Places()
    places.on_listed(InstrumentListed(1, T0, 1, 0, INSTRUMENTS[PERP]))
    rows = ([(50_000.0, 1.0)], [(50_000.2, 1.0)])
    book = BookChanged(2, T0, 1, 0, PERP, 50, True, 1, 1, T0 // 10**6, *rows)
    places.on_book(book, places.of[PERP])
    assert places.now(PERP) == 1_000_002
    finer = msgspec.structs.replace(INSTRUMENTS[PERP], tick_size="0.05")
    regrid = places.on_listed(InstrumentListed(3, T0, 1, 0, finer))
    assert (regrid.tick, regrid.lot) == (2, 1)
    assert places.now(PERP) == places.of[PERP].at(T0 // 10**6) == 2_000_004
