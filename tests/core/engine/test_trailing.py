"""Stops that follow: the engine's at once, the venue's now and then, neither ever back."""

from itertools import pairwise

import pytest
from tests.properties.driver import (
    MS,
    PERP,
    SECOND,
    SPOT,
    Driver,
    Venue,
    one_strategy,
    settings_of,
)

from plimsoll.core.engine import restore, snapshot
from plimsoll.core.model import Mode, OrderState, Refusal, Side
from plimsoll.core.records import (
    LeaseTaken,
    OrderIntended,
    PaperOrderIntended,
    ProtectionAnswered,
    ProtectionIntended,
    ProtectionWished,
    PublicTraded,
)


@pytest.fixture
def live():
    return Driver().live()


def wish(driver, qty="0.010", trail=500, **named):
    return driver.do(lambda s: s.target(PERP, qty, trail=trail, **named))


def fill(driver):
    order = driver.newest
    driver.was_sent(order.id)
    driver.execute(order.id, order.qty_lots, f"f{driver.seq}", price=order.price_ticks)
    driver.report(order.id, OrderState.FILLED, cum=order.qty_lots)


def held(driver, **named):
    """Hold ten lots whose stop the venue shows."""
    wish(driver, **named)
    fill(driver)
    driver.show(10, target(driver).stop_ticks)
    return driver


def target(driver):
    return driver.core.trader.desks["s"].targets[PERP]


def move(driver, price, *, seconds=0.0):
    """Move mark and book, answer what was asked of the venue."""
    driver.advance(int(seconds * SECOND))
    driver.book(PERP, price)
    driver.mark(PERP, price)
    while driver.levels:
        asked = driver.levels.pop(0)
        driver.put(ProtectionAnswered, PERP, "r", "accepted", 0, "OK")
        driver.show(10 if asked else 0, asked.stop_ticks)


def stops(driver):
    return [one.stop_ticks for one in driver.of(ProtectionIntended)]


def test_an_entry_carries_a_stop_at_the_distance_from_the_mark(live):
    wish(live)
    assert live.of(OrderIntended)[0].stop_ticks == 495_000
    assert [one.stop_ticks for one in live.of(ProtectionWished)] == [495_000]


def test_the_stop_follows_the_best_mark_and_never_goes_back(live):
    held(live)
    for price in (50_100, 50_400, 50_050, 50_300, 50_200):
        move(live, price, seconds=2)
    assert target(live).stop_ticks == 499_000
    assert stops(live) == [496_000, 499_000]


def test_a_short_is_followed_downwards(live):
    wish(live, "-0.010")
    assert live.of(OrderIntended)[0].stop_ticks == 505_000
    fill(live)
    live.show(-10, 505_000)
    live.mark(PERP, 49_700)
    assert target(live).stop_ticks == 502_000


def test_the_venue_is_asked_at_most_once_a_second_and_not_for_trifles(live):
    held(live)
    for step in range(100):
        move(live, 50_000 + 3 * step, seconds=0.1)
    times = [one.ts_ns for one in live.of(ProtectionIntended)]
    assert all(later - one >= SECOND for one, later in pairwise(times))
    assert all(later - one >= 100 for one, later in pairwise([495_000, *stops(live)]))
    assert 5 <= len(times) <= 11
    assert target(live).stop_ticks == 497_970


def test_stating_it_again_moves_nothing_at_the_venue_before_its_time(live):
    held(live)
    for step in range(20):
        live.mark(PERP, 50_000 + 20 * step)
        wish(live)
    assert len(stops(live)) <= 1


def test_a_distance_stated_from_each_new_price_does_not_flutter_at_the_venue(live):
    """A share of the price, rounded, changes with each book: the level toggled as often."""
    held(live)
    for step in range(40):
        move(live, 50_000 + step % 2 * 10, seconds=0.1)
        wish(live, trail=500 + step % 2 * 50)
    assert target(live).stop_ticks == 495_100
    assert stops(live) in ([], [495_100])


def test_the_engine_acts_at_its_own_level_where_the_venue_has_an_older_one(live):
    held(live)
    move(live, 50_009, seconds=2)
    assert stops(live) == []
    assert target(live).stop_ticks == 495_090
    move(live, 49_508.5)
    assert live.of(OrderIntended)[-1].reduce_only


def test_the_venue_goes_first_where_it_has_the_same_level(live):
    held(live)
    move(live, 50_400, seconds=2)
    move(live, 49_890, seconds=2)
    assert not live.of(OrderIntended)[-1].reduce_only
    move(live, 49_890, seconds=2.5)
    assert live.of(OrderIntended)[-1].reduce_only


def test_after_the_stop_the_same_side_is_not_entered_again(live):
    held(live)
    move(live, 50_009, seconds=2)
    move(live, 49_400)
    fill(live)
    live.show(0)
    wish(live)
    move(live, 50_000, seconds=2)
    assert len(live.of(OrderIntended)) == 2


def test_a_stated_stop_holds_until_the_other_is_nearer(live):
    wish(live, stop=49_700)
    fill(live)
    assert target(live).stop_ticks == 497_000
    move(live, 50_100, seconds=2)
    assert target(live).stop_ticks == 497_000
    move(live, 50_400, seconds=2)
    assert target(live).stop_ticks == 499_000


def test_another_side_begins_anew(live):
    held(live)
    move(live, 50_400, seconds=2)
    wish(live, "-0.010")
    assert target(live).stop_ticks == 509_000


def test_a_wider_distance_takes_nothing_back_and_none_leaves_the_stop_where_stated(live):
    held(live)
    move(live, 50_400, seconds=2)
    wish(live, trail=1_000)
    assert target(live).stop_ticks == target(live).wished_stop_ticks == 499_000
    move(live, 51_000, seconds=2)
    assert target(live).stop_ticks == 500_000
    wish(live, trail=700)
    assert target(live).stop_ticks == 503_000
    wish(live, trail=None, stop=49_000)
    move(live, 51_100, seconds=2)
    assert target(live).stop_ticks == target(live).wished_stop_ticks == 490_000


@pytest.mark.parametrize("is_stale", [False, True])
def test_a_restart_goes_on_from_the_best_and_never_falls_behind(is_stale):
    first = held(Driver().live())
    old = first.core.saved()["s"]
    move(first, 50_400, seconds=2)
    saved = first.core.saved()["s"]
    state = restore(snapshot(first.core.state))
    state.checkpoints["s"] = old if is_stale else saved
    again = Driver(state=state, epoch=2, now_ns=first.now_ns)
    again.updates = first.updates
    venue = Venue()
    venue.position[PERP], venue.wallet = 10, first.core.ledger.cash
    again.live(venue=venue)
    assert target(again).is_held
    assert target(again).stop_ticks == 499_000
    again.show(10, 499_000)
    move(again, 50_800, seconds=2)
    assert stops(again) == [503_000]
    move(again, 50_200, seconds=2.5)
    move(again, 50_200, seconds=2.5)
    assert again.of(OrderIntended)[-1].reduce_only
    assert again.of(LeaseTaken)


def test_on_spot_the_engine_follows_the_last_price():
    driver = Driver(settings_of(one_strategy(Mode.PAPER, (SPOT,)))).live(SPOT)
    driver.do(lambda s: s.target(SPOT, "0.01", trail=500), on=SPOT)
    driver.advance(SECOND // 4)
    driver.book(SPOT)
    for price in (50_000.0, 50_600.0, 50_090.0):
        driver.put(
            PublicTraded, SPOT, [(price, 0.1, True, driver.now_ns // MS)], driver.now_ns // MS
        )
    sides = [one.side for one in driver.of(PaperOrderIntended)]
    assert sides == [Side.BUY, Side.SELL]


def test_the_same_on_paper():
    driver = Driver(settings_of(one_strategy(Mode.PAPER))).live()
    wish(driver)
    driver.advance(SECOND // 4)
    driver.book()
    move(driver, 50_400, seconds=1)
    move(driver, 49_890)
    assert [one.side for one in driver.of(PaperOrderIntended)] == [Side.BUY, Side.SELL]
    assert driver.of(ProtectionIntended) == []


def test_a_distance_that_is_none_is_refused(live):
    assert wish(live, trail=-1).code == Refusal.OFF_STEP
    assert wish(live, trail="x").code == Refusal.OFF_STEP


def test_a_distance_beyond_the_price_is_no_stop(live):
    wish(live, trail=60_000)
    assert live.of(OrderIntended)[0].stop_ticks == 0
