"""Each circuit breaker: what trips it, whom it stops, what it cancels, who arms it again."""

import itertools
import json
from pathlib import Path
from typing import ClassVar

import msgspec
import pytest
from tests.properties.driver import (
    CASH,
    ETH,
    MS,
    PERP,
    SECOND,
    T0,
    WIDE,
    Driver,
    Listed,
    Puppet,
    Venue,
    execution_of,
    one_strategy,
    replayed,
    settings_of,
)

from plimsoll.core.engine import restore, snapshot
from plimsoll.core.model import Mode, OrderState, Side
from plimsoll.core.model.ids import IdMaker
from plimsoll.core.records import (
    CancelIntended,
    HealthMeasured,
    IncidentRaised,
    OperatorCommand,
    PositionReported,
    QueryIntended,
    RateMeasured,
    Reset,
    Tripped,
)
from plimsoll.core.risk.breakers import BREAKERS
from plimsoll.core.risk.breakers.markets import Habit
from plimsoll.core.settings import NO_LIMIT, BreakerSettings, Limits

S = OrderState
MINUTE = 60 * SECOND
DAY = 86_400 * SECOND
OWN = Limits(**dict.fromkeys(Limits.__struct_fields__, NO_LIMIT))


class Recorder(Puppet):
    """A puppet whose acts a replay can repeat: by the number of the book it heard."""

    acts: ClassVar[dict[str, dict[int, list]]] = {}

    def __init__(self, name, script=None):
        super().__init__()
        self.books = 0
        self.script = script
        if script is None:
            Recorder.acts[name] = self.record = {}

    def on_book(self, market):
        self.books += 1
        if self.script is not None:
            self.todo = list(self.script.get(self.books, ()))
        elif self.todo:
            self.record[self.books] = list(self.todo)
        super().on_book(market)


class Watched(Driver):
    """A driver that has its venue at hand."""

    venue: Venue


def guarded(*strategies, names=(PERP,), limits=WIDE, venue=None, **more):
    """Return a live driver with all breakers on."""
    more.setdefault("breakers", BreakerSettings())
    strategies = strategies or (one_strategy(instruments=names),)
    driver = Watched(settings_of(*strategies, limits=limits, **more))
    driver.core._load = lambda one: driver.strategies.setdefault(one.name, Recorder(one.name))
    driver.venue = venue or Venue()
    driver.venue.wallet = {"USDT": 10**5 * CASH}
    driver.live(*names, venue=driver.venue)
    driver.venue.wallet = driver.core.ledger.cash
    return driver


def wait(driver, ns, step=SECOND, move=True):
    """Let time pass with books that move and a venue that answers."""
    until = driver.now_ns + ns
    while driver.now_ns < until:
        driver.advance(step)
        for query in driver.queries[:]:
            driver.queries.remove(query)
            mirror(driver)
            driver.answer(query, driver.venue.rows(query))
        for name in driver.core.state.instruments if move else ():
            driver.book(name)


def mirror(driver):
    """Have the venue know what we know: it is not what these tests are about."""
    venue, state = driver.venue, driver.core.state
    venue.position = {PERP: state.held_lots("", PERP)}
    venue.orders = {
        one.id: Listed(
            one.id,
            one.instrument,
            one.side,
            one.price_ticks,
            one.qty_lots,
            one.reduce_only,
            one.tif,
            one.updated_ms,
        )
        for one in state.orders.working.values()
        if one.state is S.OPEN
    }


def tripped(driver):
    return [(one.breaker, one.scope) for one in driver.of(Tripped)]


def active(driver):
    return list(driver.core.state.trips.active)


def refused(driver, on=PERP, name="s", side="buy", **named):
    limit = {PERP: "49000", ETH: "1900"}[on] if side == "buy" else {PERP: "51000"}[on]
    qty = {PERP: "0.010", ETH: "0.10"}[on]
    acts = lambda s: getattr(s, side)(on, qty, limit, **named)  # noqa: E731
    handle = driver.do(acts, name=name, on=on)
    return handle.refusal


def code(refusal):
    return (refusal.code, refusal.detail) if refusal else None


def say_reset(driver, breaker, scope, reason="seen"):
    args = json.dumps({"breaker": breaker, "scope": scope, "reason": reason})
    return driver.put(OperatorCommand, f"r{driver.seq}", "anna", "reset", args)


def holds_after_restart_and_replay(driver):
    """A restart finds what is in force; a replay of the log decides the same."""
    again = restore(snapshot(driver.core.state))
    assert again.trips.active == driver.core.state.trips.active
    assert again.trips.days == driver.core.state.trips.days
    assert again.own_losses == driver.core.state.own_losses
    assert again.streaks == driver.core.state.streaks
    replay = replayed(driver.log, lambda one: Recorder(one.name, Recorder.acts[one.name]))
    assert replay.state_hash() == driver.core.state_hash()


def restarted(driver):
    again = Watched(
        driver.settings,
        state=restore(snapshot(driver.core.state)),
        epoch=driver.epoch + 1,
        now_ns=driver.now_ns,
    )
    again.venue = driver.venue
    return again


def fill(driver, lots, price, side="buy", name="s", on=PERP):
    """Trade at the market and have the venue fill it at a price in ticks."""
    driver.do(lambda s: getattr(s, side)(on, f"0.{lots:03}", reduce_only=side == "x"), name=name)
    order = driver.newest
    driver.was_sent(order.id)
    driver.answered(order.id)
    made = driver.execute(order.id, lots, f"x{driver.seq}", price=price)
    driver.report(order.id, S.FILLED, cum=lots)
    return made


def round_trip(driver, end=499_000):
    fill(driver, 10, 500_010)
    fill(driver, 10, end, side="sell")


# ---- losses ----


def test_a_daily_loss_cancels_entries_keeps_protection_and_waits_for_a_person_and_midnight():
    limits = msgspec.structs.replace(WIDE, daily_loss=50 * CASH)
    driver = guarded(limits=limits, breakers=BreakerSettings(off=("stale_data",)))
    fill(driver, 100, 500_000)
    entry = driver.open_order()
    exit_ = driver.open_order(side="sell", limit="52000", reduce_only=True)
    driver.mark(PERP, 49_400.0)  # 0.1 BTC: 60 USDT lost
    driver.advance(2 * SECOND)
    assert tripped(driver) == [("daily_loss", "account")]
    trip = driver.of(Tripped)[0]
    assert (trip.effect, trip.measured, trip.limit) == ("cancel_entries", 60 * CASH, 50 * CASH)
    assert trip.until_ns % DAY == 0 < trip.until_ns - driver.now_ns <= DAY
    assert [one.client_order_id for one in driver.of(CancelIntended)] == [entry.id]
    assert (entry.cancel_pending, exit_.cancel_pending) == (True, False)
    assert code(refused(driver)) == ("breaker", "daily_loss")
    assert refused(driver, side="sell", reduce_only=True) is None
    assert say_reset(driver, "daily_loss", "account") == []
    driver.mark(PERP, 50_000.0)
    driver.now_ns = trip.until_ns
    wait(driver, 2 * SECOND)
    assert active(driver) == [("daily_loss", "account")]
    assert isinstance(say_reset(driver, "daily_loss", "account")[0], Reset)
    assert refused(driver) is None
    holds_after_restart_and_replay(driver)


def test_an_instances_own_loss_stops_only_that_instance():
    own = msgspec.structs.replace(OWN, daily_loss=50 * CASH)
    driver = guarded(
        one_strategy(name="s", limits=own),
        one_strategy(name="t", instruments=(ETH,)),
        names=(PERP, ETH),
    )
    fill(driver, 100, 500_000)
    entry = driver.open_order()
    driver.mark(PERP, 49_400.0)
    driver.advance(2 * SECOND)
    assert tripped(driver) == [("daily_loss", "s")]
    assert entry.cancel_pending
    assert code(refused(driver)) == ("breaker", "daily_loss")
    assert refused(driver, name="t", on=ETH) is None
    holds_after_restart_and_replay(driver)


def test_a_drawdown_is_ended_by_a_person_who_begins_it_anew():
    driver = guarded(limits=msgspec.structs.replace(WIDE, drawdown_ppm=500))  # 50 of 100,000
    fill(driver, 100, 500_000)
    entry = driver.open_order()
    driver.mark(PERP, 49_400.0)
    driver.advance(2 * SECOND)
    assert tripped(driver) == [("drawdown", "account")]
    assert entry.cancel_pending
    again = restarted(driver)
    assert active(again) == [("drawdown", "account")]
    assert isinstance(say_reset(driver, "drawdown", "account")[0], Reset)
    driver.advance(2 * SECOND)
    assert tripped(driver) == [("drawdown", "account")]
    assert driver.core.losses.drawdown_ppm == 0
    holds_after_restart_and_replay(driver)


def test_what_was_not_cancelled_is_cancelled_again_each_second():
    driver = guarded(limits=msgspec.structs.replace(WIDE, drawdown_ppm=500))
    fill(driver, 100, 500_000)
    entry = driver.open_order()
    driver.mark(PERP, 49_400.0)
    driver.advance(2 * SECOND)
    driver.answered(entry.id, "refused", action="cancel")
    wait(driver, 2 * SECOND)
    assert [one.client_order_id for one in driver.of(CancelIntended)] == [entry.id] * 2


def test_an_instances_drawdown_is_of_its_capital():
    own = msgspec.structs.replace(OWN, drawdown_ppm=50_000)
    driver = guarded(one_strategy(limits=own, capital=1_000 * CASH))
    fill(driver, 100, 500_000)
    driver.mark(PERP, 49_400.0)  # 60 of 1,000
    driver.advance(2 * SECOND)
    assert tripped(driver) == [("drawdown", "s")]
    assert driver.of(Tripped)[0].measured == 60_000
    say_reset(driver, "drawdown", "s")
    driver.advance(2 * SECOND)
    assert active(driver) == []


# ---- how an instance fares ----


def streaky(**more):
    off = ("volatility", "slippage")
    return guarded(breakers=BreakerSettings(losing_streak=3, off=off), **more)


def test_a_losing_streak_pauses_twice_a_day_by_itself_then_needs_a_person():
    driver = streaky()
    for _ in range(3):
        round_trip(driver)
    driver.advance(2 * SECOND)
    scope = f"s/{PERP}"
    assert active(driver) == [("losing_streak", scope)]
    assert driver.of(Tripped)[0].effect == "no_entries"
    assert code(refused(driver)) == ("breaker", "losing_streak")
    wait(driver, 30 * MINUTE, step=10 * SECOND)
    assert [one.actor for one in driver.of(Reset)] == ["engine"]
    assert refused(driver) is None
    driver.answered(driver.newest.id, "refused")
    for _ in range(3):
        round_trip(driver)
    driver.advance(2 * SECOND)
    wait(driver, 31 * MINUTE, step=10 * SECOND)
    assert active(driver) == []
    for _ in range(3):
        round_trip(driver)
    driver.advance(2 * SECOND)
    assert driver.of(Tripped)[-1].until_ns == 0
    wait(driver, 31 * MINUTE, step=10 * SECOND)
    assert active(driver) == [("losing_streak", scope)]
    holds_after_restart_and_replay(driver)
    assert isinstance(say_reset(driver, "losing_streak", scope)[0], Reset)


def test_a_trip_won_ends_a_losing_streak():
    driver = streaky()
    for end in (499_000, 499_000, 502_000, 499_000, 499_000):
        round_trip(driver, end)
    driver.advance(2 * SECOND)
    assert tripped(driver) == []


def test_a_streak_goes_on_through_a_restart():
    driver = streaky()
    for _ in range(2):
        round_trip(driver)
    again = restarted(driver)
    again.live(venue=driver.venue)
    round_trip(again)
    again.advance(2 * SECOND)
    assert tripped(again) == [("losing_streak", f"s/{PERP}")]


def test_a_paper_instance_is_paused_by_its_own_streak():
    driver = streaky()
    assert driver.core.state.trips.against("s", PERP, is_paper=True) is None
    paper = Driver(
        settings_of(one_strategy(Mode.PAPER), breakers=BreakerSettings(losing_streak=1))
    ).live()
    paper.do(lambda s: s.buy(PERP, "0.010"))
    paper.advance(SECOND)
    paper.do(lambda s: s.sell(PERP, "0.010"))
    paper.advance(3 * SECOND)
    assert tripped(paper) == [("losing_streak", f"s/{PERP}")]
    refusal = paper.do(lambda s: s.buy(PERP, "0.010", "49000")).refusal
    assert code(refusal) == ("breaker", "losing_streak")


def test_rejections_pause_the_instance_in_that_instrument_only():
    driver = guarded(names=(PERP, ETH), breakers=BreakerSettings(reject_least=6))
    for number in range(6):
        driver.do(lambda s: s.buy(PERP, "0.010", "49000"))
        order = driver.newest
        driver.was_sent(order.id)
        driver.answered(order.id, "accepted")
        driver.report(order.id, S.REJECTED if number >= 4 else S.OPEN)
    assert tripped(driver) == [("reject_rate", f"s/{PERP}")]
    assert code(refused(driver)) == ("breaker", "reject_rate")
    assert refused(driver, on=ETH) is None
    holds_after_restart_and_replay(driver)


def test_a_post_only_order_refused_for_matching_is_no_rejection():
    driver = guarded(breakers=BreakerSettings(reject_least=3))
    for _ in range(6):
        driver.do(lambda s: s.buy(PERP, "0.010", "49000", post_only=True))
        driver.was_sent(driver.newest.id)
        driver.answered(driver.newest.id, "refused")
    assert tripped(driver) == []


def test_slippage_of_market_orders_pauses_them():
    driver = guarded()
    for _ in range(4):
        fill(driver, 10, 500_610)  # 12 bps above the ask of 50,001
    assert tripped(driver) == []
    fill(driver, 10, 500_610)
    assert tripped(driver) == [("slippage", f"s/{PERP}")]
    assert driver.of(Tripped)[0].measured == 1_199
    holds_after_restart_and_replay(driver)


def test_a_better_price_is_no_slippage():
    driver = guarded()
    for _ in range(6):
        fill(driver, 10, 499_000)
    assert tripped(driver) == []


# ---- markets ----


def test_a_move_stops_entries_in_that_instrument_until_five_minutes_of_calm():
    driver = guarded(names=(PERP, ETH))
    entry = driver.open_order()
    wait(driver, 5 * SECOND)
    driver.mark(PERP, 50_600.0)
    driver.book(PERP, mid=50_600.0)
    driver.advance(SECOND)
    assert tripped(driver) == [("volatility", PERP)]
    assert not entry.cancel_pending
    driver.mark(PERP, 50_000.0)
    assert code(refused(driver)) == ("breaker", "volatility")
    assert refused(driver, on=ETH) is None
    wait(driver, 5 * MINUTE + 30 * SECOND)
    assert active(driver) == [("volatility", PERP)], "the move is in the window for a minute"
    wait(driver, 40 * SECOND)
    assert active(driver) == []
    assert driver.of(Reset)[0].actor == "engine"
    assert refused(driver) is None
    holds_after_restart_and_replay(driver)


def test_a_restart_counts_the_calm_anew():
    driver = guarded()
    wait(driver, 5 * SECOND)
    driver.mark(PERP, 50_600.0)
    driver.book(PERP, mid=50_600.0)
    driver.advance(SECOND)
    driver.now_ns += 4 * MINUTE
    again = restarted(driver)
    again.live(venue=driver.venue)
    wait(again, 2 * MINUTE)
    assert active(again) == [("volatility", PERP)]
    wait(again, 4 * MINUTE)
    assert active(again) == []


def test_the_usual_move_of_a_wild_instrument_does_not_trip():
    driver = guarded()
    for step in range(180):
        driver.advance(SECOND)
        mid = 50_000.0 if step % 20 < 10 else 50_450.0  # 0.9 %, under the floor
        driver.book(PERP, mid=mid)
        driver.mark(PERP, mid)
    assert tripped(driver) == []
    driver.book(PERP, mid=51_500.0)  # 3 %: above the floor, under ten times the usual
    driver.mark(PERP, 51_500.0)
    driver.advance(SECOND)
    assert tripped(driver) == []


def test_a_wide_spread_stops_entries():
    driver = guarded()
    wait(driver, 3 * SECOND)
    driver.book(PERP, bids=[(49_900.0, 1.0)], asks=[(50_100.0, 1.0)])
    driver.advance(SECOND)
    assert tripped(driver) == [("spread", PERP)]
    assert driver.of(Tripped)[0].measured == 4_000
    wait(driver, 4 * MINUTE)
    assert active(driver) == [("spread", PERP)]
    wait(driver, MINUTE + 5 * SECOND)
    assert active(driver) == []
    holds_after_restart_and_replay(driver)


def test_stale_data_stops_entries_until_calm_and_not_before_the_market_was_live():
    driver = guarded(names=(PERP, ETH))
    wait(driver, 20 * SECOND)
    until = driver.now_ns + 30 * SECOND
    while driver.now_ns < until:  # ETH goes silent
        driver.advance(SECOND)
        driver.answer_all(driver.venue)
        driver.book(PERP)
    assert tripped(driver) == [("stale_data", ETH)]
    wait(driver, 4 * MINUTE)
    assert active(driver) == [("stale_data", ETH)]
    assert code(refused(driver, on=ETH)) == ("breaker", "stale_data")
    wait(driver, 90 * SECOND)
    assert active(driver) == []
    holds_after_restart_and_replay(driver)


def test_a_market_that_never_came_up_does_not_trip():
    driver = Driver(settings_of(breakers=BreakerSettings())).begin(PERP)
    for _ in range(60):
        driver.advance(SECOND)
    assert tripped(driver) == []


def test_a_habit_is_the_median_of_the_newest():
    habit = Habit()
    for value in range(59):
        habit.learn(value)
    assert habit.usual() == 0
    for _ in range(4_000):
        habit.learn(7)
    assert habit.usual() == 7
    for _ in range(1_000):
        habit.learn(10**6)
    assert habit.usual() == 7


# ---- the venue ----


def test_unanswered_requests_stop_the_account_until_a_clean_minute():
    driver = guarded(breakers=BreakerSettings(error_least=4, unknown_orders=100))
    entry = driver.open_order()
    for _ in range(4):
        driver.do(lambda s: s.buy(PERP, "0.010", "49000"))
        driver.was_sent(driver.newest.id)
        driver.answered(driver.newest.id, "unknown")
    driver.advance(2 * SECOND)
    assert tripped(driver) == [("error_rate", "account")]
    assert not entry.cancel_pending
    assert code(refused(driver)) == ("breaker", "error_rate")
    wait(driver, 50 * SECOND)
    assert active(driver) == [("error_rate", "account")]
    wait(driver, 70 * SECOND)
    assert active(driver) == []
    holds_after_restart_and_replay(driver)


def test_failing_queries_are_errors_of_their_group():
    driver = guarded()
    until = driver.now_ns + 40 * SECOND
    while driver.now_ns < until:
        driver.advance(SECOND)
        driver.book()
        for query in driver.queries[:]:
            driver.queries.remove(query)
            driver.answer(query, ok=False)
    assert tripped(driver) == [("error_rate", "account")]


def test_three_unknown_orders_at_once_stop_the_account():
    driver = guarded()
    for _ in range(3):
        driver.do(lambda s: s.buy(PERP, "0.010", "49000"))
        driver.was_sent(driver.newest.id)
        driver.answered(driver.newest.id, "unknown")
    driver.advance(2 * SECOND)
    assert tripped(driver) == [("unknown_orders", "account")]
    wait(driver, 30 * SECOND)  # absence is proven meanwhile
    assert active(driver) == [("unknown_orders", "account")]
    wait(driver, 70 * SECOND)
    assert active(driver) == []
    holds_after_restart_and_replay(driver)


def test_a_group_closed_three_times_a_minute_stops_the_account():
    driver = guarded()
    for _ in range(3):
        driver.put(RateMeasured, "create.linear", 10, driver.now_ns // MS + 500)
        driver.advance(2 * SECOND)
    assert tripped(driver) == [("rate_pressure", "account")]
    wait(driver, 30 * SECOND)
    driver.put(RateMeasured, "create.linear", 10, driver.now_ns // MS + 500)
    wait(driver, 50 * SECOND)
    assert active(driver) == [("rate_pressure", "account")], "one more closure is not clean"
    wait(driver, 20 * SECOND)
    assert active(driver) == []
    holds_after_restart_and_replay(driver)


# ---- margin and loans ----


def test_the_account_is_asked_how_it_stands_each_five_seconds():
    driver = guarded()
    wait(driver, 21 * SECOND)
    asked = [one.ts_ns for one in driver.of(QueryIntended) if one.kind == "health"]
    assert len(asked) in (4, 5)
    assert all(5.0 <= (b - a) / SECOND < 6.3 for a, b in itertools.pairwise(asked))
    assert driver.core.state.health.available_units == driver.venue.available


def test_margin_stops_entries_then_cancels_them_then_tells_a_person():
    driver = guarded()
    entry = driver.open_order()
    driver.venue.maintenance_ppm = 500_000
    wait(driver, 8 * SECOND)
    assert tripped(driver) == [("margin", "account")]
    assert (driver.of(CancelIntended), code(refused(driver))) == ([], ("breaker", "margin"))
    driver.venue.maintenance_ppm = 700_000
    wait(driver, 8 * SECOND)
    assert tripped(driver)[1:] == [("margin_high", "account")]
    assert entry.cancel_pending
    driver.report(entry.id, S.CANCELED)
    driver.venue.maintenance_ppm = 850_000
    wait(driver, 8 * SECOND)
    assert tripped(driver)[2:] == [("margin_critical", "account")]
    assert driver.of(Tripped)[2].effect == "reduce"
    holds_after_restart_and_replay(driver)
    driver.venue.maintenance_ppm = 100_000
    wait(driver, 6 * MINUTE, step=2 * SECOND)
    assert active(driver) == [("margin_high", "account"), ("margin_critical", "account")]
    for name in ("margin_high", "margin_critical"):
        say_reset(driver, name, "account")
    assert refused(driver) is None


def test_a_margin_nobody_knows_is_not_calm():
    driver = guarded()
    driver.venue.maintenance_ppm = 500_000
    wait(driver, 8 * SECOND)
    until = driver.now_ns + 10 * MINUTE
    while driver.now_ns < until:
        driver.advance(5 * SECOND)
        driver.queries.clear()
        driver.book()
    assert ("margin", "account") in active(driver)
    assert "health_unknown" in [one.code for one in driver.of(IncidentRaised)]


def test_a_loan_stops_new_risk_until_it_is_gone_for_a_minute():
    driver = guarded()
    driver.put(HealthMeasured, 10**12, 10**12, 0, 0, {"BTC": 5 * CASH}, "stream", 0)
    driver.advance(2 * SECOND)
    assert tripped(driver) == [("borrowing", "account")]
    assert "BTC worth 5 USD" in driver.of(Tripped)[0].text
    assert code(refused(driver)) == ("breaker", "borrowing")
    wait(driver, 75 * SECOND)
    assert active(driver) == []
    holds_after_restart_and_replay(driver)


# ---- the books ----


def test_a_fill_nobody_asked_for_stops_its_instrument_until_a_person_has_looked():
    driver = guarded(names=(PERP, ETH))
    driver.say(execution_of("x1", "by-hand", Side.BUY, 5))
    assert tripped(driver) == [("unasked_fill", PERP)]
    assert code(refused(driver)) == ("breaker", "unasked_fill")
    assert refused(driver, on=ETH) is None
    driver.say(execution_of("x1", "by-hand", Side.BUY, 5, query_id=1))
    assert len(tripped(driver)) == 1
    wait(driver, 10 * MINUTE, step=5 * SECOND)
    assert active(driver) == [("unasked_fill", PERP)]
    assert isinstance(say_reset(driver, "unasked_fill", PERP)[0], Reset)
    holds_after_restart_and_replay(driver)


def test_a_fill_by_hand_where_no_live_instance_trades_trips_nothing():
    driver = guarded(one_strategy(), names=(PERP, ETH))
    driver.say(execution_of("x1", "by-hand", Side.BUY, 5, instrument=ETH))
    assert tripped(driver) == []


def test_a_position_of_the_other_sign_at_the_venue_stops_its_instrument():
    driver = guarded()
    fill(driver, 10, 500_000)
    flipped = (PERP, -10, "50000", 0, "stream", 0, b"")
    driver.put(PositionReported, *flipped)
    driver.advance(SECOND)
    assert tripped(driver) == [], "the position stream may run ahead"
    driver.advance(3 * SECOND)
    assert ("position_flip", PERP) in tripped(driver)
    assert code(refused(driver)) == ("breaker", "position_flip")
    holds_after_restart_and_replay(driver)


def test_a_position_that_agrees_again_trips_nothing():
    driver = guarded()
    fill(driver, 10, 500_000)
    driver.put(PositionReported, PERP, -10, "50000", 0, "stream", 0, b"")
    driver.advance(SECOND)
    driver.put(PositionReported, PERP, 10, "50000", 0, "stream", 0, b"")
    driver.advance(4 * SECOND)
    assert tripped(driver) == []


def test_a_reduce_only_order_across_zero_stops_its_instrument():
    driver = guarded()
    fill(driver, 10, 500_000)
    exit_ = driver.open_order(side="sell", qty="0.020", limit="51000", reduce_only=True)
    driver.execute(exit_.id, 20, "x99", price=510_000)
    driver.advance(SECOND)
    assert tripped(driver) == []
    wait(driver, 3 * SECOND)
    assert tripped(driver) == [("position_flip", PERP)]


def test_an_order_of_our_tag_that_nobody_here_made_stops_the_account():
    driver = guarded(names=(PERP, ETH))
    unknown = IdMaker(driver.settings.tag, 7, 41).peek()
    driver.report(unknown, S.OPEN)
    assert tripped(driver) == [("unknown_epoch", "account")]
    assert (driver.of(Tripped)[0].measured, driver.of(Tripped)[0].limit) == (7, 1)
    assert code(refused(driver, on=ETH))[0] == "halted", "its epoch is above what the log knows"
    assert active(restarted(driver)) == [("unknown_epoch", "account")]
    say_reset(driver, "unknown_epoch", "account")
    driver.report(unknown, S.OPEN, updated_ms=T0 // MS + 5)
    assert active(driver) == [], "the same order is told of once"
    holds_after_restart_and_replay(driver)


# ---- all of them ----


def test_a_breaker_that_is_off_never_trips():
    driver = guarded(breakers=BreakerSettings(off=("unasked_fill",)))
    driver.say(execution_of("x1", "by-hand", Side.BUY, 5))
    assert tripped(driver) == []


def test_only_what_has_tripped_can_be_armed():
    driver = guarded()
    assert say_reset(driver, "margin", "account") == []
    assert "in force: none" in driver.core.state.trips.why_not_reset("margin", "account", 0)


def test_every_breaker_has_a_scenario_here():
    told = Path(__file__).read_text()
    assert [name for name in BREAKERS if f'("{name}", ' not in told] == []


@pytest.mark.parametrize("name", BREAKERS)
def test_every_key_of_the_table_is_a_setting(name):
    from plimsoll.config.schema import BreakerKeys, LimitKeys

    for key in BREAKERS[name].keys:
        section = LimitKeys if key.startswith("limits.") else BreakerKeys
        assert key.rpartition(".")[2] in section.model_fields
