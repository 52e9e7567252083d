"""Minutes to begin with: from the store as far as the venue agrees, else from the venue."""

import asyncio
from array import array
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from plimsoll.core.records import BarReported, QueryAnswered, QueryIntended
from plimsoll.venues.bybit.answers import QueryRunner
from plimsoll.venues.bybit.errors import ParseError
from plimsoll.venues.bybit.queries import MINUTE_MS, QueryFailed
from plimsoll.venues.bybit.warming import Minute, Warmed, kept_minutes, warm_minutes

NOW_MS = 1_700_000_000_000 // MINUTE_MS * MINUTE_MS + 30_000
LAST = NOW_MS // MINUTE_MS
"""The minute under way, counted from 1970."""


class Venue:
    """A venue with minutes, and what it was asked for: (first, last) minute before now."""

    def __init__(self, *, age: int = 5_000, holes: frozenset[int] = frozenset()) -> None:
        self.rows = {LAST - ago: self.row(ago) for ago in range(age + 1) if ago not in holes}
        self.asked: list[tuple[int, int]] = []
        self.is_down = False

    @staticmethod
    def row(ago: int) -> tuple[str, ...]:
        price = 30_000 + ago % 50
        return (f"{price}.0", f"{price + 2}.1", f"{price - 2}.0", f"{price}.5", "1.25")

    def signed_ms(self) -> int:
        return NOW_MS

    async def get(self, _path: str, params: dict[str, Any], *, signed: bool) -> Any:
        assert not signed
        first, last = -(-params["start"] // MINUTE_MS), params["end"] // MINUTE_MS
        self.asked.append((LAST - first, LAST - last))
        if self.is_down:
            return SimpleNamespace(is_ok=False, reason="http 503")
        rows = [
            [str(at * MINUTE_MS), *self.rows[at], "1"]
            for at in range(last, first - 1, -1)
            if at in self.rows
        ]
        return SimpleNamespace(is_ok=True, result=msgspec.json.encode({"list": rows[:1000]}))


def stored(venue: Venue, oldest: int, newest: int) -> list[Minute]:
    """Return the venue's minutes from so many to so many minutes ago, as they would be kept."""
    found = []
    for ago in range(oldest, newest - 1, -1):
        opened, high, low, closed, volume = map(float, venue.rows[LAST - ago])
        first, most, least, last = (round(price * 10) for price in (opened, high, low, closed))
        start_ms = (LAST - ago) * MINUTE_MS
        minute = Minute(start_ms, first, most, least, last, volume * 1_000)
        found.append(minute)
    return found


def warmed(venue: Venue, linear: Any, since: int, kept: list[Minute]) -> Warmed:
    since_ms = (LAST - since) * MINUTE_MS
    return asyncio.run(warm_minutes(venue, linear, since_ms, kept))  # type: ignore[arg-type]


def agos(minutes: Any) -> list[int]:
    return [LAST - (one if isinstance(one, int) else one.start_ms) // MINUTE_MS for one in minutes]


def test_stored_minutes_are_used_and_the_venue_is_asked_for_the_rest(linear):
    venue = Venue()
    found = warmed(venue, linear, 3_000, stored(venue, 3_000, 120))
    assert agos(found.minutes) == list(range(3_000, 0, -1))
    assert venue.asked == [(3_000, 2_941), (179, 1)], "its first hour, and from its last one on"
    assert sorted(agos(found.stored)) == list(range(180, 2_941))
    alone = warmed(Venue(), linear, 3_000, [])
    assert (found.minutes, found.differs) == (alone.minutes, "")


def test_the_newest_hour_is_always_the_venues(linear):
    venue = Venue()
    found = warmed(venue, linear, 2_000, stored(venue, 2_000, 1))
    assert min(agos(found.stored)) == 121  # an hour is not read, the one before only compared
    assert venue.asked[-1] == (120, 1)


def test_what_is_missing_before_between_and_after_is_asked_for(linear):
    venue = Venue(holes=frozenset({2_500}))
    kept = [*stored(venue, 4_500, 3_000), *stored(venue, 2_400, 200)]
    found = warmed(venue, linear, 5_000, kept)
    assert agos(found.minutes) == [ago for ago in range(5_000, 0, -1) if ago != 2_500]
    assert venue.asked == [(5_000, 4_441), (3_059, 2_341), (259, 1)]
    assert 3_500 in agos(found.stored)
    assert 2_800 not in agos(found.stored)


@pytest.mark.parametrize("ago", [4_500, 4_441, 3_059, 3_000, 2_400, 2_341, 259, 200])
def test_each_stretch_is_held_against_the_venue_at_both_of_its_ends(linear, ago):
    venue = Venue()
    kept = [*stored(venue, 4_500, 3_000), *stored(venue, 2_400, 200)]
    place = next(
        place for place, one in enumerate(kept) if one.start_ms == (LAST - ago) * MINUTE_MS
    )
    kept[place] = kept[place]._replace(low_ticks=1)
    assert warmed(venue, linear, 5_000, kept).differs


@pytest.mark.parametrize("length", [1, 500, 999])
def test_a_stretch_shorter_than_a_page_is_asked_for(linear, length):
    venue = Venue()
    found = warmed(venue, linear, 1_500, stored(venue, 1_500, 1_501 - length))
    assert found.stored == frozenset()
    assert [first for first, _ in venue.asked] == [1_500, 500]


@pytest.mark.parametrize("place", [0, 30, 59, -1, -30, -60])
def test_one_minute_that_is_another_speaks_against_all_of_it(linear, place):
    venue = Venue()
    kept = stored(venue, 3_000, 200)
    kept[place] = kept[place]._replace(close_ticks=kept[place].close_ticks + 1)
    found = warmed(venue, linear, 3_000, kept)
    assert found.stored == frozenset()
    assert found.minutes == warmed(Venue(), linear, 3_000, []).minutes
    assert "stored minutes of linear:BTCUSDT are not the venue's" in found.differs
    assert str(kept[place].start_ms) in found.differs


def test_a_volume_in_its_lastdigits_is_the_same_and_another_is_not(linear):
    venue = Venue()
    kept = stored(venue, 3_000, 200)
    near = [one._replace(volume_lots=one.volume_lots * (1 + 1e-9)) for one in kept]
    assert warmed(venue, linear, 3_000, near).stored
    other = [one._replace(volume_lots=one.volume_lots * 1.01) for one in kept]
    assert not warmed(venue, linear, 3_000, other).stored


def test_a_minute_the_venue_does_not_have_speaks_against_it(linear):
    venue = Venue()
    kept = stored(venue, 3_000, 200)
    del venue.rows[LAST - 2_990]
    assert "the venue has none" in warmed(venue, linear, 3_000, kept).differs


def test_a_page_that_cannot_be_had_fails_the_whole(linear, monkeypatch):
    venue = Venue()
    venue.is_down = True
    with pytest.raises(QueryFailed, match="http 503"):
        warmed(venue, linear, 3_000, stored(Venue(), 3_000, 200))
    broken = Venue()
    broken.rows[LAST - 50] = ("x", "1", "1", "1", "1")
    with pytest.raises(ParseError):
        warmed(broken, linear, 3_000, stored(Venue(), 3_000, 200))
    monkeypatch.setattr("plimsoll.venues.bybit.warming.PAGES_CAP", 1)
    with pytest.raises(QueryFailed, match="too many"):
        warmed(Venue(), linear, 4_900, stored(Venue(), 3_000, 200))


def test_rows_of_the_store_become_minutes_and_what_is_off_the_tick_is_missing(linear):
    numbers = array("d")
    for row in (
        (60_000, 30000.1, 30000.3, 30000.0, 30000.2, 1.5),
        (120_000, 30000.15, 30000.3, 30000.0, 30000.2, 1.5),
        (180_000, 30000.1, 30000.3, 30000.0, 30000.2, 0.0),
    ):
        numbers.extend(row)
    rows = {linear.name: numbers}
    first, last = kept_minutes(linear, rows, 0)
    assert first == Minute(60_000, 300_001, 300_003, 300_000, 300_002, 1_500.0)
    assert (last.start_ms, last.volume_lots) == (180_000, 0.0)
    assert [one.start_ms for one in kept_minutes(linear, rows, 60_001)] == [180_000]
    assert kept_minutes(linear, {}, 0) == []


def test_each_record_says_where_it_comes_from(linear, inbox):
    venue = Venue()
    numbers = array("d")
    for one in stored(venue, 3_000, 100):
        numbers.extend((one.start_ms, *(ticks / 10 for ticks in one[1:5]), one.volume_lots / 1_000))
    runner = QueryRunner(venue, inbox, print, {linear.name: numbers})  # type: ignore[arg-type]
    runner.list_instruments({linear.name: linear})
    since = (LAST - 3_000) * MINUTE_MS
    asyncio.run(
        runner.answer(QueryIntended(1, 2, 3, 0, 7, "bars", "linear", "", linear.name, "", since))
    )
    bars: Any = inbox.of(BarReported)
    (end,) = inbox.of(QueryAnswered)
    assert len(bars) == end.rows == 3_000
    assert sum(bar.is_stored for bar in bars) == end.stored == 3_000 - 60 - 159
    assert (end.is_ok, end.reason) == (True, "")
    assert bars[100].open_ticks == 300_000 + 10 * ((3_000 - 100) % 50)
