"""Switches of mode: whose book an order is in, what a live book may still do, and how it ends."""

import json
from typing import Any

import msgspec
import pytest
from tests.properties.driver import (
    CASH,
    ETH,
    PERP,
    SECOND,
    SPOT,
    Driver,
    Puppet,
    Venue,
    one_strategy,
    replayed,
    settings_of,
)

from plimsoll.core.engine import State, restore, snapshot, state_hash
from plimsoll.core.engine.judging import CommandRefused, read_command
from plimsoll.core.execution.modes import RUNNING
from plimsoll.core.model import MANUAL, OUTSIDE, LiveStage, Mode, OrderState, Side
from plimsoll.core.records import (
    CancelIntended,
    FlattenEnded,
    IncidentRaised,
    LiveEnded,
    ModeSet,
    OperatorCommand,
    OrderIntended,
    PaperOrderIntended,
    PositionMoved,
    StageChanged,
    StrategyStopped,
)

S = OrderState
HASH = "0123456789abcdef" * 4
OVERRIDE = {"override": True, "capital": 200 * CASH, "reason": "a try"}


def session(mode=Mode.LIVE, *, instruments=(PERP,), state=None, epoch=1, venue=None, **more):
    one = one_strategy(mode, instruments, **more)
    driver = Driver(settings_of(one), state=state, epoch=epoch)
    return driver.live(*instruments, venue=venue)


def command(driver, mode, **args):
    said = {"strategy": "s", "mode": mode, **args}
    return driver.put(OperatorCommand, f"c{driver.seq}", "anna", "mode", json.dumps(said))


def staged(driver, stage="candidate", **more):
    said = {"strategy": "s", "stage": stage, "reason": "earned", **more}
    if stage in ("candidate", "live"):
        said = {"capital": 200 * CASH, "evidence": HASH} | said
    return driver.put(OperatorCommand, f"c{driver.seq}", "anna", "stage", json.dumps(said))


def refusal(driver, mode, **args):
    with pytest.raises(CommandRefused) as caught:
        read_command(driver.core.state, "mode", {"strategy": "s", "mode": mode, **args})
    return str(caught.value)


def standing(driver):
    return driver.core.state.modes.standings["s"]


def desks(driver):
    return set(driver.core.trader.desks)


def filled(driver, side="buy", qty="0.010", **named):
    """Have the live instance take a position, as the venue tells of it."""
    driver.do(lambda s: getattr(s, side)(PERP, qty, **named))
    order = driver.newest
    driver.was_sent(order.id)
    driver.answered(order.id)
    driver.execute(order.id, order.qty_lots, f"e{driver.seq}")
    driver.report(order.id, S.FILLED, cum=order.qty_lots)
    return order


def gone(driver, order):
    driver.report(order.id, S.CANCELED, cum=order.filled_lots)


def owned(driver):
    """Fail where a live position has no owner, or an order is in no book or in two."""
    state = driver.core.state
    running = {
        state.modes.live_book(one.strategy)
        for one in state.modes.standings.values()
        if one.stage in RUNNING
    }
    for owner, name in state.ledger.positions:
        if state.ledger.qty_lots(owner, name) and owner not in state.paper_owners:
            assert owner in running | OUTSIDE, (owner, name)
    for order in state.orders.working.values():
        assert order.is_paper is (order.owner in state.paper_owners)
    assert not state.paper_owners & state.modes.live_owners


# ---- down ----


def test_a_live_strategy_without_a_position_goes_to_paper_at_once():
    driver = session()
    command(driver, "paper", reason="enough")
    assert standing(driver).stage is LiveStage.NONE
    assert [one.book for one in driver.of(LiveEnded)] == ["s"]
    assert [(one.owner, one.code) for one in driver.of(StrategyStopped)] == [("s", "mode")]
    assert desks(driver) == {"s.paper"}
    assert driver.core.state.stopped == {}
    driver.book()
    driver.do(lambda s: s.buy(PERP, "0.010", "49000"), "s.paper")
    assert [one.owner for one in driver.of(PaperOrderIntended)] == ["s.paper"]
    assert driver.of(OrderIntended) == []


def test_run_off_cancels_entries_and_lets_the_live_book_only_reduce():
    driver = session()
    filled(driver)
    entry = driver.open_order()
    driver.do(lambda s: s.sell(PERP, "0.010", "52000", reduce_only=True))
    exit_ = driver.newest
    driver.was_sent(exit_.id)
    driver.answered(exit_.id)
    driver.report(exit_.id, S.OPEN)
    command(driver, "paper")
    assert [one.client_order_id for one in driver.of(CancelIntended)] == [entry.id]
    gone(driver, entry)
    assert (standing(driver).mode, standing(driver).stage) == (Mode.PAPER, LiveStage.RUN_OFF)
    assert desks(driver) == {"s", "s.paper"}
    handle = driver.do(lambda s: s.buy(PERP, "0.010", "49000"))
    assert handle.refusal.code == "run_off"
    assert "went to paper (run_off) by anna" in handle.refusal.text
    driver.do(lambda s: s.sell(PERP, "0.004"))  # it says nothing of reducing: the engine does
    assert (driver.newest.reduce_only, driver.newest.qty_lots) == (True, 4)
    owned(driver)


def test_an_order_that_would_turn_the_position_is_cut_to_it():
    driver = session()
    filled(driver)
    command(driver, "paper")
    driver.do(lambda s: s.sell(PERP, "0.050"))
    assert (driver.newest.qty_lots, driver.newest.reduce_only) == (10, True)


def test_spot_sells_what_it_holds_and_no_more():
    driver = session(instruments=(SPOT,))
    driver.do(lambda s: s.buy(SPOT, "0.01000"), on=SPOT)
    order = driver.newest
    driver.was_sent(order.id)
    driver.answered(order.id)
    driver.execute(order.id, order.qty_lots, "e1", instrument=SPOT, price=5_000_000)
    driver.report(order.id, S.FILLED, cum=order.qty_lots)
    command(driver, "paper")
    handle = driver.do(lambda s: s.buy(SPOT, "0.01000"), on=SPOT)
    assert handle.refusal.code == "run_off"
    driver.do(lambda s: s.sell(SPOT, "0.05000"), on=SPOT)
    assert (driver.newest.side, driver.newest.qty_lots) == (Side.SELL, order.qty_lots)


def test_a_run_off_ends_when_the_last_of_it_is_booked():
    driver = session()
    filled(driver)
    command(driver, "paper")
    driver.do(lambda s: s.sell(PERP, "0.010"))
    order = driver.newest
    driver.was_sent(order.id)
    driver.answered(order.id)
    driver.report(order.id, S.FILLED, cum=10)  # the order's end comes before its executions
    driver.execute(order.id, 4, "out 1")
    driver.advance(SECOND)
    assert driver.of(LiveEnded) == []
    driver.execute(order.id, 6, "out 2")
    driver.advance(SECOND)
    assert len(driver.of(LiveEnded)) == 1
    assert desks(driver) == {"s.paper"}


def test_an_unknown_entry_keeps_the_run_off_open_until_its_fate_is_known():
    driver = session()
    driver.do(lambda s: s.buy(PERP, "0.010", "49000"))
    order = driver.newest
    driver.was_sent(order.id)
    driver.advance(6 * SECOND)
    assert order.state is S.UNKNOWN
    command(driver, "paper")
    driver.advance(2 * SECOND)
    assert standing(driver).stage is LiveStage.RUN_OFF
    driver.report(order.id, S.OPEN)
    driver.advance(2 * SECOND)
    assert [one.client_order_id for one in driver.of(CancelIntended)][-1] == order.id
    driver.execute(order.id, 10, "late")
    driver.report(order.id, S.FILLED, cum=10)
    driver.advance(SECOND)
    assert standing(driver).stage is LiveStage.RUN_OFF
    assert driver.core.ledger.qty_lots("s", PERP) == 10
    owned(driver)


def test_flatten_closes_in_slices_and_then_the_live_instance_ends():
    driver = session()
    filled(driver)
    command(driver, "paper", policy="flatten")
    slice_ = driver.newest
    assert (slice_.label, slice_.reduce_only, slice_.qty_lots) == ("flatten:m" + str(
        driver.of(ModeSet)[0].seq), True, 10)  # fmt: skip
    driver.was_sent(slice_.id)
    driver.answered(slice_.id)
    driver.execute(slice_.id, 10, "out")
    driver.report(slice_.id, S.FILLED, cum=10)
    driver.advance(SECOND)
    assert [one.outcome for one in driver.of(FlattenEnded)] == ["flat"]
    assert standing(driver).stage is LiveStage.NONE
    assert not driver.core.safety.halts


def test_what_a_flatten_leaves_is_run_off_and_told():
    driver = session()
    filled(driver)
    command(driver, "paper", policy="flatten")
    slice_ = driver.newest
    driver.was_sent(slice_.id)
    driver.answered(slice_.id, outcome="refused")
    driver.core.state.markets[PERP].drop("nothing to close at")
    driver.advance(40 * SECOND)
    assert [one.outcome for one in driver.of(FlattenEnded)] == ["left"]
    assert (standing(driver).stage, standing(driver).actor) == (LiveStage.RUN_OFF, "engine")
    assert "not_flat" in [one.code for one in driver.of(IncidentRaised)]
    owned(driver)


def test_hand_over_gives_position_and_protection_to_the_person():
    driver = session()
    driver.do(lambda s: s.target(PERP, "0.010", stop="48000"))
    order = driver.newest
    driver.was_sent(order.id)
    driver.answered(order.id)
    driver.execute(order.id, 10, "in")
    driver.report(order.id, S.FILLED, cum=10)
    driver.show(10, stop=480_000)
    late = driver.open_order()
    command(driver, "paper", policy="hand_over", reason="mine")
    state = driver.core.state
    assert (state.ledger.qty_lots("s", PERP), state.ledger.qty_lots(MANUAL, PERP)) == (0, 10)
    assert state.protections.at_venue[PERP].owner == MANUAL
    assert state.protections.wishes[MANUAL, PERP].level.stop_ticks == 480_000
    assert desks(driver) == {"s.paper"}
    assert [one.code for one in driver.of(IncidentRaised)][-1] == "handed_over"
    driver.execute(late.id, 4, "crossed")  # filled while its cancel was under way
    assert (state.ledger.qty_lots("s", PERP), state.ledger.qty_lots(MANUAL, PERP)) == (0, 14)
    assert len(driver.of(PositionMoved)) == 2
    owned(driver)


def test_what_a_sale_under_way_may_take_of_spot_is_handed_over_after_it():
    driver = session(instruments=(SPOT,))
    driver.do(lambda s: s.buy(SPOT, "0.01000"), on=SPOT)
    entry = driver.newest
    driver.was_sent(entry.id)
    driver.answered(entry.id)
    # The fee is in coin: what is left is no whole number of lots.
    named = {"instrument": SPOT, "price": 5_000_000, "fee": 1_007, "coin": "BTC"}
    driver.execute(entry.id, entry.qty_lots, "in", **named)
    driver.report(entry.id, S.FILLED, cum=entry.qty_lots)
    driver.do(lambda s: s.sell(SPOT, "0.00400", "52000"), on=SPOT)
    exit_ = driver.newest
    driver.was_sent(exit_.id)
    driver.answered(exit_.id)
    driver.report(exit_.id, S.OPEN)
    state, ledger = driver.core.state, driver.core.ledger
    whole = ledger.qty_lots("s", SPOT)
    command(driver, "paper", policy="hand_over")
    assert ledger.qty_lots(MANUAL, SPOT) == whole - exit_.qty_lots
    driver.execute(exit_.id, 1_000, "crossed", instrument=SPOT, price=5_200_000)
    assert ledger.qty_lots(MANUAL, SPOT) == whole - exit_.qty_lots
    driver.report(exit_.id, S.CANCELED, cum=1_000)
    assert ledger.qty_lots(MANUAL, SPOT) == whole - 1_000
    assert state.held_lots("", SPOT) <= whole - 1_000
    owned(driver)


def test_down_goes_further_down_and_never_silently_twice():
    driver = session()
    filled(driver)
    command(driver, "paper")
    assert "goes to paper already (run_off)" in refusal(driver, "paper")
    command(driver, "paper", policy="flatten")
    command(driver, "paper", policy="hand_over")
    assert [one.outcome for one in driver.of(FlattenEnded)] == ["given_up"]
    assert driver.core.ledger.qty_lots(MANUAL, PERP) == 10
    assert "on paper already" in refusal(driver, "paper")


def test_down_works_under_a_halt_and_without_the_venue():
    driver = session()
    filled(driver)
    driver.put(OperatorCommand, "h", "anna", "halt", "{}")
    command(driver, "paper")
    assert standing(driver).stage is LiveStage.RUN_OFF
    owned(driver)


# ---- up ----


def test_up_needs_evidence_or_a_persons_word_with_cap_and_reason():
    driver = session(Mode.PAPER)
    assert "has no evidence" in refusal(driver, "live")
    assert "needs --capital" in refusal(driver, "live", override=True, reason="x")
    assert "needs --reason" in refusal(driver, "live", override=True, capital=CASH)
    too_much = {"override": True, "capital": 10**6 * CASH, "reason": "x"}
    assert "no override raises a limit" in refusal(driver, "live", **too_much)
    assert "not both" in refusal(driver, "live", evidence="ab", **OVERRIDE)
    assert "there is no strategy 't'" in refusal(driver, "live", strategy="t")
    assert "no policy 'drop'" in refusal(session(), "paper", policy="drop")


def test_up_begins_a_live_book_from_nothing_and_leaves_the_paper_book_as_it_is():
    driver = session(Mode.PAPER)
    driver.do(lambda s: s.buy(PERP, "0.010"))
    driver.advance(SECOND)
    driver.book()
    assert driver.core.ledger.qty_lots("s", PERP) == 10
    command(driver, "live", **OVERRIDE)
    assert desks(driver) == {"s.live"}
    assert driver.core.ledger.qty_lots("s", PERP) == 10
    assert driver.core.ledger.account_lots(PERP, driver.core.state.paper_owners) == 0
    driver.book()
    driver.do(lambda s: s.buy(PERP, "0.003"), "s.live")
    assert [one.owner for one in driver.of(OrderIntended)] == ["s.live"]
    owned(driver)


def test_the_cap_of_an_override_holds_whatever_the_limits_say():
    driver = session(Mode.PAPER)
    command(driver, "live", **OVERRIDE)
    assert standing(driver).words == "live, UNPROVEN"
    assert driver.core.trader.desks["s.live"].capital_units == 200 * CASH
    driver.book()
    handle = driver.do(lambda s: s.buy(PERP, "0.010", "49000"), "s.live")
    assert handle.refusal.code == "position"
    assert "cap of s.live" in handle.refusal.text
    driver.do(lambda s: s.buy(PERP, "0.003", "49000"), "s.live")
    handle = driver.do(lambda s: s.buy(PERP, "0.003", "49000"), "s.live")
    assert handle.refusal.code == "position"


def test_the_evidence_of_its_stage_puts_the_ramps_cap_in_the_place_of_an_overrides():
    driver = session(Mode.PAPER)
    command(driver, "live", **OVERRIDE)
    staged(driver, capital=300 * CASH)
    assert driver.core.state.limits.caps == {"s.live": 200 * CASH}  # a stage moves nothing up
    command(driver, "live", evidence=HASH)
    assert standing(driver).words == "live"
    assert driver.core.trader.desks["s.live"].capital_units == 300 * CASH
    assert driver.core.state.limits.caps == {"s.live": 300 * CASH}
    assert "is live already" in refusal(driver, "live")


def test_only_the_evidence_on_record_of_a_stage_lets_it_go_live():
    driver = session(Mode.PAPER)
    assert "s is paper: only candidate and live have evidence" in refusal(
        driver, "live", evidence=HASH
    )
    staged(driver)
    assert "is not the evidence on record" in refusal(driver, "live", evidence="f" * 64)
    command(driver, "live", evidence="f" * 64)
    assert driver.of(ModeSet) == []
    command(driver, "hybrid", evidence=HASH)
    assert (standing(driver).words, standing(driver).cap_units) == ("hybrid", 200 * CASH)
    driver.book()
    handle = driver.do(lambda s: s.buy(PERP, "0.010", "49000"), "s.live")
    assert handle.refusal.code == "position"
    assert "cap of s.live" in handle.refusal.text


def test_a_later_step_raises_the_cap_with_its_own_evidence_and_not_by_itself():
    driver = session(Mode.PAPER)
    staged(driver)
    command(driver, "live", evidence=HASH)
    staged(driver, "live", step=1, capital=900 * CASH, evidence="b" * 64)
    assert driver.core.state.limits.caps == {"s.live": 200 * CASH}
    assert "is not the evidence on record" in refusal(driver, "live", evidence=HASH)
    command(driver, "live", evidence="b" * 64)
    assert driver.core.state.limits.caps == {"s.live": 900 * CASH}
    assert driver.core.trader.desks["s.live"].capital_units == 900 * CASH


@pytest.mark.parametrize("policy", ["run_off", "flatten", "hand_over"])
def test_who_loses_its_stage_goes_to_paper_at_once_by_its_own_policy(policy):
    driver = session(Mode.LIVE, demotion=policy)
    staged(driver)
    filled(driver)
    entry = driver.do(lambda s: s.buy(PERP, "0.010", "40000")).order
    driver.was_sent(entry.id)
    driver.answered(entry.id)
    staged(driver, "under_review", reason="fills look wrong")
    (switch,) = driver.of(ModeSet)
    assert (switch.mode, switch.policy, switch.actor) == (Mode.PAPER, policy, "engine")
    assert switch.reason == "anna: it is under_review: fills look wrong"
    assert entry.cancel_pending
    if policy == "hand_over":
        assert [one.to_owner for one in driver.of(PositionMoved)] == [MANUAL]
    else:
        driver.advance(SECOND)
        added = driver.do(lambda s: s.buy(PERP, "0.010", "41000"))
        assert added.refusal is not None


def test_a_safety_stop_takes_the_stage_and_the_money_in_one_step():
    driver = session()
    staged(driver)
    filled(driver)
    driver.put(OperatorCommand, "h", "anna", "halt", json.dumps({"scope": "strategy:s"}))
    driver.advance(SECOND)
    assert standing(driver).stage is LiveStage.RUN_OFF
    assert standing(driver).reason.startswith("engine: it is under_review: halted by anna")


def test_who_never_had_a_stage_is_not_touched_by_one():
    driver = session(Mode.PAPER)
    command(driver, "live", **OVERRIDE)
    staged(driver, "research", reason="back to the desk")
    staged(driver, "paper", reason="once more")
    assert len(driver.of(ModeSet)) == 1
    assert standing(driver).words == "live, UNPROVEN"


def test_an_override_after_the_fall_stands():
    driver = session(Mode.PAPER)
    staged(driver)
    command(driver, "live", evidence=HASH)
    staged(driver, "under_review", reason="odd")
    driver.advance(SECOND)
    assert standing(driver).stage is LiveStage.NONE
    assert "is under_review: only candidate" in refusal(driver, "live", evidence=HASH)
    command(driver, "live", **OVERRIDE)
    staged(driver, "paper", reason="from the beginning")
    driver.advance(SECOND)
    assert standing(driver).words == "live, UNPROVEN"


def test_killed_between_the_fall_and_the_switch_the_next_session_switches():
    driver = session()
    staged(driver)
    filled(driver)
    staged(driver, "under_review", reason="odd")
    state = State()
    for record in driver.log:
        state.apply(record)
        if isinstance(record, StageChanged) and record.stage == "under_review":
            break
    assert restore(snapshot(state)).modes.standings["s"].must_fall
    again = session(state=restore(snapshot(state)), epoch=2)
    again.advance(SECOND)
    assert standing(again).stage is LiveStage.RUN_OFF


def test_nothing_goes_live_without_a_key_or_compared_books_or_under_a_stop():
    alone = Driver(settings_of(one_strategy(Mode.PAPER))).begin()
    assert "has no key" in refusal(alone, "live", **OVERRIDE)
    driver = session(Mode.PAPER)
    driver.put(OperatorCommand, "h", "anna", "halt", json.dumps({"scope": "strategy:s"}))
    assert "is halted by anna" in refusal(driver, "live", **OVERRIDE)
    command(driver, "live", **OVERRIDE)
    assert driver.of(ModeSet) == []
    assert driver.of(IncidentRaised)[-1].code == "command_refused"


def test_an_instrument_has_one_live_owner():
    two = (one_strategy(name="s", mode=Mode.PAPER), one_strategy(name="t"))
    driver = Driver(settings_of(*two)).live()
    assert f"{PERP} is traded live by t" in refusal(driver, "live", **OVERRIDE)
    said = {"strategy": "t", "mode": "paper", "policy": "hand_over"}
    driver.do(lambda s: s.buy(PERP, "0.010"), "t")
    order = driver.newest
    driver.was_sent(order.id)
    driver.answered(order.id)
    driver.execute(order.id, 10, "in")
    driver.report(order.id, S.FILLED, cum=10)
    driver.put(OperatorCommand, "x", "anna", "mode", json.dumps(said))
    assert "manual holds 0.010" in refusal(driver, "live", **OVERRIDE)


def test_up_again_waits_until_the_live_book_is_flat():
    driver = session()
    filled(driver)
    command(driver, "paper")
    assert "s still holds 0.010" in refusal(driver, "live", **OVERRIDE)


def test_a_new_life_knows_nothing_of_the_one_before():
    driver = session()
    driver.do(lambda s: s.target(PERP, "0.010"))
    gone(driver, driver.newest)
    command(driver, "paper")
    assert standing(driver).stage is LiveStage.NONE
    assert "s" in driver.core.state.checkpoints
    command(driver, "live", **OVERRIDE)
    assert driver.core.trader.desks["s"].targets == {}
    assert desks(driver) == {"s"}


def test_a_live_strategy_may_run_on_paper_as_well_and_stop_that_again():
    driver = session()
    command(driver, "hybrid")
    assert desks(driver) == {"s", "s.paper"}
    assert "is hybrid already" in refusal(driver, "hybrid")
    command(driver, "live")
    assert desks(driver) == {"s"}
    assert driver.of(LiveEnded) == []


# ---- configurations and restarts ----


def test_hybrid_is_two_instances_with_their_own_capital():
    driver = session(Mode.HYBRID, live_capital=500 * CASH)
    found = {name: desk.capital_units for name, desk in driver.core.trader.desks.items()}
    assert found == {"s": 500 * CASH, "s.paper": 100_000 * CASH}
    driver.do(lambda s: s.buy(PERP, "0.010", "49000"), "s")
    driver.do(lambda s: s.buy(PERP, "0.010", "49000"), "s.paper")
    assert [one.owner for one in driver.of(OrderIntended)] == ["s"]
    assert [one.owner for one in driver.of(PaperOrderIntended)] == ["s.paper"]


def restarted(driver, mode, **more):
    """Begin the next session from a snapshot, with a configuration of this mode."""
    state = restore(snapshot(driver.core.state))
    venue = Venue()
    venue.wallet = {"USDT": 10**6 * CASH}
    return session(mode, state=state, epoch=2, venue=venue, **more)


def test_a_switch_outlasts_the_session_and_a_configuration_that_says_more():
    driver = session()
    command(driver, "paper", reason="enough")
    again = restarted(driver, Mode.LIVE)
    assert desks(again) == {"s.paper"}
    (told,) = [one for one in again.of(IncidentRaised) if one.code == "mode_differs"]
    assert "the configuration says live, anna said paper" in told.text
    up = session(Mode.PAPER)
    command(up, "live", **OVERRIDE)
    again = restarted(up, Mode.PAPER)
    assert desks(again) == {"s.live"}
    assert standing(again).is_unproven
    assert again.core.state.limits.caps == {"s.live": 200 * CASH}


def test_a_configuration_edited_to_less_takes_a_switch_back():
    driver = session(Mode.PAPER)
    command(driver, "live", **OVERRIDE)
    edited = restarted(driver, Mode.LIVE)  # nothing more: the cap stays
    assert standing(edited).is_unproven
    lower = restarted(edited, Mode.PAPER)
    assert standing(lower).mode is Mode.PAPER
    lower.advance(SECOND)
    assert desks(lower) == {"s"}


def test_a_configuration_that_goes_to_paper_runs_the_live_book_off():
    driver = session()
    filled(driver)
    state = restore(snapshot(driver.core.state))
    again = Driver(settings_of(one_strategy(Mode.PAPER)), state=state, epoch=2).begin()
    assert standing(again).stage is LiveStage.RUN_OFF
    assert desks(again) == {"s", "s.paper"}
    assert again.core.ledger.account_lots(PERP, again.core.state.paper_owners) == 10
    owned(again)


def test_a_paper_book_never_becomes_a_live_one():
    driver = session(Mode.PAPER)
    driver.do(lambda s: s.buy(PERP, "0.010"))
    driver.advance(SECOND)
    driver.book()
    again = restarted(driver, Mode.LIVE)
    assert desks(again) == {"s.live"}
    assert again.core.ledger.account_lots(PERP, again.core.state.paper_owners) == 0


def killed_behind_the_switch(driver, policy):
    """Kill the process when the switch is on record and nothing else; return it and the next."""
    said = json.dumps({"strategy": "s", "mode": "paper", "policy": policy})
    made: Any = OperatorCommand
    record = made(*driver.stamp(), "c", "anna", "mode", said)
    driver._append(record)
    switch = next(iter(driver.core.decide(record)))
    driver._append(switch)
    assert type(switch) is ModeSet
    state = restore(snapshot(driver.core.state))
    venue = Venue()
    venue.wallet, venue.position = {"USDT": 10**6 * CASH}, {PERP: 10}
    return switch, Driver(settings_of(one_strategy()), state=state, epoch=2).live(venue=venue)


def test_a_flatten_cut_off_by_a_kill_is_begun_by_the_next_session():
    driver = session()
    filled(driver)
    switch, again = killed_behind_the_switch(driver, "flatten")
    again.advance(SECOND)
    assert again.newest.label == f"flatten:m{switch.seq}"


def test_modes_are_part_of_what_a_snapshot_and_the_hash_hold():
    driver = session(Mode.PAPER)
    before = state_hash(driver.core.state, {})
    command(driver, "live", **OVERRIDE)
    assert state_hash(driver.core.state, {}) != before
    state = restore(snapshot(driver.core.state))
    assert state.modes.standings == driver.core.state.modes.standings
    assert state.modes.live_owners == {"s.live"}
    assert msgspec.json.encode(list(state.modes.standings.values()))


def test_a_halt_by_the_strategys_name_stops_its_live_book_too():
    driver = session(Mode.PAPER)
    command(driver, "live", **OVERRIDE)
    driver.book()
    driver.put(OperatorCommand, "h", "anna", "halt", json.dumps({"scope": "strategy:s"}))
    handle = driver.do(lambda s: s.buy(PERP, "0.003", "49000"), "s.live")
    assert handle.refusal.code == "halted"


def test_a_strategy_that_cannot_be_made_again_is_stopped_and_the_engine_lives():
    driver = session(instruments=(PERP, ETH))

    def broken(one):
        raise ImportError("the file is gone")

    driver.core.trader.roster.load = broken
    command(driver, "paper")
    assert driver.of(StrategyStopped)[-1].code == "raised"
    assert driver.core.state.faulty == {"s.paper": "raised"}
    driver.book()


def test_what_could_not_be_made_is_made_again_when_a_person_frees_it():
    driver = session()
    load = driver.core.trader.roster.load
    driver.core.trader.roster.load = lambda _one: 1 / 0
    command(driver, "paper")
    assert desks(driver) == set()
    driver.core.trader.roster.load = load
    freed = json.dumps({"strategy": "s.paper"})
    driver.put(OperatorCommand, "f", "anna", "strategy-resume", freed)
    driver.book()
    assert desks(driver) == {"s.paper"}
    assert ("start", None) in driver.strategies["s.paper"].heard


def test_a_persons_flatten_goes_on_when_the_strategy_goes_to_paper():
    driver = session()
    filled(driver)
    driver.put(OperatorCommand, "f", "anna", "flatten", json.dumps({"scope": "strategy:s"}))
    command(driver, "paper")
    assert driver.of(FlattenEnded) == []
    assert len(driver.core.state.flattens) == 1


def test_a_hand_over_cut_off_by_a_kill_is_finished_by_the_next_session():
    driver = session()
    filled(driver)
    _switch, again = killed_behind_the_switch(driver, "hand_over")
    again.advance(SECOND)
    assert again.core.ledger.qty_lots(MANUAL, PERP) == 10
    assert desks(again) == {"s.paper"}
    owned(again)


def test_every_switch_of_a_log_is_decided_again_byte_for_byte():
    driver = session()
    filled(driver)
    for mode, args in (
        ("hybrid", {}),
        ("paper", {"policy": "hand_over"}),
        ("paper", {}),
        ("live", OVERRIDE),
    ):
        command(driver, mode, **args)
        driver.book()
        driver.advance(SECOND)
    again = replayed(driver.log, lambda one: Silent(driver, one.name))
    assert again.state.modes.standings == driver.core.state.modes.standings


class Silent(Puppet):
    """Does again what the first one did: a market order, on its first book."""

    def __init__(self, driver, name):
        super().__init__()
        if name == "s":
            self.todo = [lambda s: s.buy(PERP, "0.010")]
