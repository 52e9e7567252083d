"""Stops and takes of targets on perpetuals: at the venue, watched, and the engine's own behind."""

from itertools import pairwise

import pytest
from tests.properties.driver import (
    MS,
    PERP,
    PRICE,
    SECOND,
    SPOT,
    Driver,
    execution_of,
    one_strategy,
    report_of,
    settings_of,
)

from plimsoll.core.engine import restore, snapshot
from plimsoll.core.model import Mode, OrderState, Refusal, Side
from plimsoll.core.records import (
    Halted,
    IncidentRaised,
    LeaseTaken,
    OrderDenied,
    OrderIntended,
    PaperOrderIntended,
    ProtectionAnswered,
    ProtectionIntended,
    ProtectionWished,
    StrategyStopped,
)

S = OrderState
STOP, TAKE = 490_000, 520_000
LATE_NS = 3 * SECOND
"""Receive window and slack: so long an unanswered request may still take effect."""


@pytest.fixture
def live():
    return Driver().live()


def wish(driver, qty="0.010", **named):
    driver.do(lambda s: s.target(PERP, qty, **named))


def fill(driver, number="f", lots=None):
    """Let the venue execute the newest order whole."""
    order = driver.newest
    lots = lots or order.qty_lots
    driver.was_sent(order.id)
    driver.execute(order.id, lots, f"{number}{driver.seq}", price=order.price_ticks)
    driver.report(order.id, S.FILLED, cum=lots)
    return order


def holding(driver, stop="49000", take="52000"):
    """Hold ten lots whose protection the venue shows."""
    wish(driver, stop=stop, take=take)
    fill(driver)
    driver.show(10, STOP, TAKE)
    return driver


def answer(driver, outcome="accepted", code=0, text="OK"):
    driver.levels.clear()
    return driver.put(ProtectionAnswered, PERP, "r", outcome, code, text)


def levels(driver):
    return [(one.stop_ticks, one.take_ticks) for one in driver.of(ProtectionIntended)]


def codes(driver):
    return [one.code for one in driver.of(IncidentRaised)]


def run(driver, ns):
    """Let time pass with a market that goes on."""
    until = driver.now_ns + ns
    while driver.now_ns < until:
        driver.advance(250 * MS)
        driver.book()


# ---- no moment without ----


def test_an_entry_carries_stop_and_take(live):
    wish(live, stop="49000", take="52000")
    sent = live.of(OrderIntended)[0]
    assert (sent.stop_ticks, sent.take_ticks) == (STOP, TAKE)


def test_nothing_is_asked_for_while_the_position_shows_what_its_entry_carried(live):
    holding(live)
    run(live, 20 * SECOND)
    assert levels(live) == []
    assert codes(live) == []


def test_a_reduction_carries_nothing_and_the_protection_stays_until_the_position_is_flat(live):
    holding(live)
    wish(live, "0.004", stop="49000", take="52000")
    wish(live, "0")
    fill(live)
    sent = live.of(OrderIntended)[-1]
    assert (sent.reduce_only, sent.stop_ticks, sent.take_ticks) == (True, 0, 0)
    assert levels(live) == []


def test_on_the_way_to_the_other_side_the_old_protection_is_left_alone(live):
    holding(live)
    wish(live, "-0.010", stop="51000")
    run(live, 3 * SECOND)
    closing = live.of(OrderIntended)[-1]
    assert (closing.reduce_only, closing.stop_ticks) == (True, 0)  # the venue takes no such pair
    assert levels(live) == []  # 51000 would be no loss of the long that is still there
    fill(live)
    live.show(0)
    assert live.of(OrderIntended)[-1].stop_ticks == 510_000


# ---- a level, set until it stands ----


def test_what_the_position_does_not_show_is_set_again_with_pauses_until_it_does(live):
    wish(live, stop="49000")
    fill(live)
    live.show(10)
    run(live, 1 * SECOND)
    assert levels(live) == [(STOP, 0)]
    times = []
    for _ in range(4):
        answer(live)
        run(live, 9 * SECOND)
        times.append(live.of(ProtectionIntended)[-1].ts_ns)
    pauses = [b - a for a, b in pairwise(times)]
    assert len(levels(live)) == 5
    assert pauses == sorted(pauses)
    answer(live, code=34040, text="not modified")
    live.show(10, STOP)
    run(live, 60 * SECOND)
    assert len(levels(live)) == 5


def test_a_moved_stop_leaves_at_once_and_the_next_one_waits_for_its_answer(live):
    holding(live)
    wish(live, stop="49500", take="52000")
    assert levels(live) == [(495_000, TAKE)]
    wish(live, stop="49000", take="52000")  # looser: must not overtake the one on its way
    run(live, 2 * SECOND)
    assert levels(live) == [(495_000, TAKE)]
    answer(live)
    live.show(10, 495_000, TAKE)
    assert levels(live)[-1] == (STOP, TAKE)


def test_after_an_unclear_answer_another_level_waits_until_the_first_can_do_nothing_more(live):
    holding(live)
    wish(live, stop="49500", take="52000")
    answer(live, "unknown", 10016, "server error")
    at_ns = live.now_ns
    wish(live, stop="49200", take="52000")
    run(live, LATE_NS - SECOND)
    assert levels(live) == [(495_000, TAKE)]
    run(live, 2 * SECOND)
    second = live.of(ProtectionIntended)[1]
    assert second.stop_ticks == 492_000
    assert second.ts_ns >= at_ns + LATE_NS


def test_a_lost_answer_does_not_stop_it_for_ever(live):
    holding(live)
    wish(live, stop="49500", take="52000")
    run(live, 20 * SECOND)
    assert levels(live).count((495_000, TAKE)) == 2


def test_a_stop_taken_back_is_removed(live):
    holding(live)
    wish(live)
    assert levels(live) == [(0, 0)]
    answer(live)
    live.show(10)
    run(live, 20 * SECOND)
    assert levels(live) == [(0, 0)]
    assert "naked" not in codes(live)


def test_what_a_person_set_on_a_position_nobody_wanted_protected_stays(live):
    wish(live)
    fill(live)
    live.show(10, STOP)
    run(live, 5 * SECOND)
    assert levels(live) == []


def test_an_older_statement_of_the_position_changes_nothing(live):
    holding(live)
    live.now_ns -= 5 * SECOND
    live.show(10)
    live.now_ns += 5 * SECOND
    run(live, 5 * SECOND)
    assert levels(live) == []


# ---- halts never strip it ----


def test_under_a_halt_a_stop_may_be_tightened_and_neither_loosened_nor_removed(live):
    holding(live)
    live.put(Halted, "test", "anna")
    wish(live, stop="48000", take="52000")
    wish(live)
    run(live, 2 * SECOND)
    assert levels(live) == []
    wish(live, stop="49500", take="52000")
    assert levels(live) == [(495_000, TAKE)]


def test_the_protection_of_a_stopped_strategy_stays_and_is_watched(live):
    holding(live)
    live.strategies["s"].todo.append(lambda s: 1 / 0)
    live.book()
    assert live.of(StrategyStopped)
    assert levels(live) == []
    live.show(10, 0, TAKE)  # somebody took the stop away
    run(live, 1 * SECOND)
    assert levels(live) == [(STOP, TAKE)]


# ---- naked ----


def test_a_position_without_its_stop_for_five_seconds_is_told_once(live):
    wish(live, stop="49000")
    fill(live)
    live.show(10)
    run(live, 4 * SECOND)
    assert "naked" not in codes(live)
    answer(live, "unknown", 0, "timeout")
    run(live, 30 * SECOND)
    assert codes(live).count("naked") == 1
    live.show(10, STOP)
    live.show(10)
    run(live, 10 * SECOND)
    assert codes(live).count("naked") == 2


# ---- refusals, and the engine's own stop ----


def test_a_refused_level_is_told_to_person_and_strategy_and_the_engine_acts_at_once(live):
    wish(live, stop="49000")
    fill(live)
    live.show(10)
    run(live, 1 * SECOND)
    answer(live, "refused", 10001, "StopLoss should be lower")
    assert ("refusal", Refusal.PROTECTION) in [
        (what, getattr(told, "code", None)) for what, told in live.strategies["s"].heard
    ]
    assert codes(live).count("protection_refused") == 1
    before = len(live.of(OrderIntended))
    live.mark(PERP, 48_990.0)
    live.book()
    sent = live.of(OrderIntended)[before:]
    assert [(one.side, one.reduce_only) for one in sent] == [(Side.SELL, True)]


def test_the_engine_gives_the_venue_two_seconds_and_then_acts(live):
    holding(live)
    live.mark(PERP, 48_990.0)
    run(live, 1500 * MS)
    assert len(live.of(OrderIntended)) == 1
    run(live, 1 * SECOND)
    assert [(one.side, one.reduce_only) for one in live.of(OrderIntended)[1:]] == [
        (Side.SELL, True)
    ]


def test_a_take_that_the_venue_does_not_carry_out_is_carried_out_here(live):
    holding(live)
    live.mark(PERP, 52_010.0)
    run(live, 3 * SECOND)
    assert live.of(OrderIntended)[-1].reduce_only


def test_a_stop_at_once_below_the_price_is_denied_and_nothing_is_entered(live):
    wish(live, take="50000.5")
    assert live.of(OrderIntended) == []
    assert live.of(OrderDenied)[0].code == "wrong_side"


@pytest.mark.parametrize("bad", ["-5", "nan", "x"])
def test_a_stop_that_is_no_price_is_refused(live, bad):
    refused = live.do(lambda s: s.target(PERP, "0.010", stop=bad))
    assert refused.code is Refusal.OFF_STEP


# ---- what the venue makes ----


def venue_exit(driver, status, cum=0, qty=10, order="exit-1"):
    return driver.say(
        report_of(
            "",
            status,
            side=Side.SELL,
            price=0,
            qty=qty,
            cum=cum,
            reduce_only=True,
            updated_ms=driver.now_ns // MS,
            untriggered=status is S.OPEN,
            venue_id=order,
            trigger=STOP,
            create_type="CreateByStopLoss",
            stop_type="StopLoss",
        )
    )


def test_the_venues_exit_belongs_to_the_strategy_and_its_target_is_not_entered_again(live):
    holding(live)
    venue_exit(live, S.OPEN)
    made = live.core.orders.find("exit-1")
    assert (made.owner, made.reduce_only, made.is_untriggered) == ("s", True, True)
    live.say(
        execution_of(
            "x1", "", Side.SELL, 10, at_ms=live.now_ns // MS, venue_id="exit-1", order_qty=10
        )
    )
    venue_exit(live, S.FILLED, cum=10)
    live.show(0)
    assert live.core.ledger.qty_lots("s", PERP) == 0
    assert [what for what, _ in live.strategies["s"].heard].count("fill") == 2
    run(live, 10 * SECOND)
    assert len(live.of(OrderIntended)) == 1
    assert codes(live) == []


def test_an_exit_first_seen_by_its_execution_belongs_to_the_strategy_too(live):
    holding(live)
    live.say(
        execution_of(
            "x1",
            "",
            Side.SELL,
            10,
            at_ms=live.now_ns // MS,
            venue_id="exit-1",
            order_qty=10,
            create_type="CreateByStopLoss",
        )
    )
    assert live.core.ledger.qty_lots("s", PERP) == 0
    run(live, 3 * SECOND)
    assert len(live.of(OrderIntended)) == 1


def test_an_exits_quantity_follows_its_position_and_contradicts_nothing(live):
    holding(live)
    venue_exit(live, S.OPEN, qty=10)
    venue_exit(live, S.OPEN, qty=15)
    assert live.core.orders.find("exit-1").qty_lots == 15
    live.say(execution_of("x1", "", Side.SELL, 20, at_ms=live.now_ns // MS, venue_id="exit-1"))
    assert "contradiction" not in codes(live)


def test_stop_and_take_of_one_position_count_once(live):
    holding(live)
    venue_exit(live, S.OPEN)
    live.say(
        report_of(
            "",
            S.OPEN,
            side=Side.SELL,
            price=0,
            reduce_only=True,
            updated_ms=live.now_ns // MS,
            untriggered=True,
            venue_id="exit-2",
            trigger=TAKE,
            create_type="CreateByTakeProfit",
            stop_type="TakeProfit",
        )
    )
    exposure = live.core.state.exposure
    assert exposure.reach_lots("", PERP, 10, Side.SELL) == 0
    assert exposure.reach_lots("", PERP, 0, Side.SELL) == 10


# ---- elsewhere the engine watches ----


def test_on_spot_the_engine_keeps_stop_and_take():
    driver = Driver(settings_of(one_strategy(instruments=(SPOT,)))).live(SPOT)
    driver.do(lambda s: s.target(SPOT, "0.01", take="52000"), on=SPOT)
    order = driver.newest
    assert order.instrument == SPOT
    driver.was_sent(order.id)
    driver.execute(order.id, 10_000, "x", price=5_000_000)
    driver.report(order.id, S.FILLED, cum=10_000)
    assert levels(driver) == []
    assert [one.take_ticks for one in driver.of(ProtectionWished)] == [5_200_000]
    driver.mark(SPOT, 52_001.0)
    driver.book(SPOT, 52_000.0)
    assert driver.of(OrderIntended)[-1].side is Side.SELL


def test_a_paper_target_asks_the_venue_for_nothing():
    driver = Driver(settings_of(one_strategy(Mode.PAPER))).live()
    driver.do(lambda s: s.target(PERP, "0.010", stop="49000"))
    driver.advance(SECOND)
    driver.book()
    assert driver.of(PaperOrderIntended)
    driver.mark(PERP, 48_000.0)
    driver.book(mid=48_000.0)
    assert driver.of(PaperOrderIntended)[-1].reduce_only
    assert levels(driver) == []


# ---- restarts ----


def test_a_restart_knows_what_is_wished_and_sets_it_before_any_strategy_speaks(live):
    holding(live)
    wish(live, stop="49500", take="52000")
    state = restore(snapshot(live.core.state))
    assert state.protections.wishes == live.core.state.protections.wishes
    assert state.protections.at_venue == live.core.state.protections.at_venue
    again = Driver(live.settings, state=state, epoch=2, now_ns=live.now_ns + 60 * SECOND)
    again.put(LeaseTaken, "main", "acc", "test", "1")
    assert again.core.state.protections.of(PERP).sent_ns == 0


def test_the_price_moves_through_a_fresh_stop_and_nothing_is_entered(live):
    wish(live, stop=str(PRICE[PERP] + 10))
    run(live, SECOND)
    assert live.of(OrderIntended) == []
