"""Executors in the engine: gate, halts, pauses, restarts, targets, and who hears of it."""

from decimal import Decimal

import pytest
from msgspec.structs import replace
from tests.core.strategy.executors.bench import Bench
from tests.properties.driver import PERP, Driver, Puppet, replayed

from plimsoll.core.model import Refusal
from plimsoll.core.records import (
    InstrumentListed,
    OrderIntended,
    StrategyCheckpoint,
    StrategyStopped,
)
from plimsoll.core.strategy import Grid, Iceberg, Legs, Pov, Twap, Vwap

TEN = Twap("0.010", over_s=10, slice_s=2)
ICE = Iceberg("0.010", "0.004", limit="49000")


# ---- who hears of it ----


def test_a_strategy_hears_of_fills_refusals_and_the_end_once_each():
    bench, heard = Bench(), []
    puppet = bench.driver.strategies["s"]
    puppet.on_executor = lambda handle: heard.append((handle.reason, handle.progress))
    bench.execute(TEN)
    bench.run(11)
    assert heard == [("", 0.2), ("", 0.4), ("", 0.6), ("", 0.8), ("filled", 1.0)]


def test_a_handle_is_found_again_by_its_number():
    bench = Bench()
    handle = bench.execute(TEN)
    assert bench.do(lambda s: s.executor(handle.number)).run is handle.run
    assert bench.do(lambda s: s.executor(99)) is None


def test_orders_carry_the_label_of_their_leg_and_a_strategy_may_not():
    bench = Bench()
    bench.execute(TEN)
    assert bench.orders[0].label == "twap#1.0"
    order = bench.do(lambda s: s.buy(PERP, "0.001", "49000", label="twap#1.0"))
    assert order.refusal.code == Refusal.EXECUTOR
    assert bench.do(lambda s: s.buy(PERP, "0.001", "49000", label="twap#x")).refusal is None


def test_two_executors_do_not_mix():
    bench = Bench()
    one, other = bench.execute(TEN), bench.execute(Twap("0.020", 10, 2))
    bench.run(11)
    assert (one.filled, other.filled) == (Decimal("0.010"), Decimal("0.020"))


# ---- targets ----


def test_a_target_and_an_executor_exclude_each_other():
    bench = Bench()
    bench.do(lambda s: s.target(PERP, "0.005"))
    bench.run(1)
    refused = bench.execute(TEN)
    assert refused.refusal.code == Refusal.EXECUTOR
    bench.do(lambda s: s.target(PERP, 0))
    bench.run(1)
    assert bench.at_venue() == 0
    assert bench.execute(TEN).refusal is None
    assert bench.do(lambda s: s.target(PERP, "0.005")).code == Refusal.EXECUTOR
    bench.run(11)
    assert bench.at_venue() == 10
    assert bench.do(lambda s: s.target(PERP, "0.010", stop=49_000)) is None
    bench.run(1)
    assert bench.at_venue() == 10


# ---- halts, pauses, faults ----


def test_a_halt_holds_it_and_a_resume_lets_it_go_on_without_a_burst():
    bench = Bench()
    handle = bench.execute(Twap("0.020", 20, 2))
    bench.run(3)
    bench.command("halt")
    bench.run(6)
    assert sum(bench.lots) == 4
    assert handle.refusal.code == Refusal.HALTED
    bench.command("resume")
    bench.run(20)
    assert max(bench.lots) <= 4
    assert handle.reason == "filled"


def test_a_halt_cancels_what_rests_and_it_rests_again_afterwards():
    bench = Bench()
    bench.execute(ICE)
    bench.command("halt")
    bench.run(2)
    assert bench.resting == []
    bench.command("resume")
    bench.run(5)
    assert [one.qty for one in bench.resting] == [4]


def test_a_pause_of_its_instrument_holds_it():
    bench = Bench()
    bench.command("pause", scope=f"instrument:{PERP}")
    handle = bench.execute(TEN)
    bench.run(3)
    assert (bench.lots, handle.refusal.code) == ([], Refusal.PAUSED)


def test_a_stopped_instance_ends_its_executors_and_none_comes_back():
    bench = Bench()
    bench.execute(ICE)
    bench.run(70)  # a checkpoint knows it

    def fail(_strategy):
        raise RuntimeError("a bug")

    bench.driver.strategies["s"].todo.append(fail)
    bench.book()
    bench.serve()
    assert bench.driver.of(StrategyStopped)
    assert bench.resting == []
    checkpoints = len(bench.driver.of(StrategyCheckpoint))
    bench.run(5)
    assert len(bench.driver.of(StrategyCheckpoint)) == checkpoints
    again = bench.restarted()
    assert again.resting == []


def test_what_freed_an_instance_ends_what_its_checkpoint_still_knew():
    bench = Bench()
    bench.execute(ICE)
    bench.run(70)
    core = bench.driver.core
    core.trader.desks["s"].stop_reason = "a bug"
    core.session.starting.free("s")
    bench.run(2)
    assert [one.reason for one in bench.handles] == ["stopped"]
    assert bench.resting == []


# ---- restarts ----


@pytest.mark.parametrize("is_stale", [False, True])
def test_a_killed_twap_goes_on_and_sends_nothing_twice(is_stale):
    bench = Bench()
    bench.execute(Twap("0.020", 20, 2))
    bench.run(7)
    if is_stale:  # the checkpoint knows the first slice only
        core = bench.driver.core
        saved = bench.driver.of(StrategyCheckpoint)[-1]
        assert saved.state != core.saved()["s"]
        bench.driver.put(type(saved), *(saved.owner, first_checkpoint(bench)))
    before = sum(bench.lots)
    bench = bench.restarted(is_stale=is_stale)
    (handle,) = bench.handles
    assert int(handle.filled * 1000) == before == bench.at_venue()
    bench.run(15)
    assert handle.reason == "filled"
    assert bench.at_venue() == 20
    assert bench.lots == [2] * ((20 - before) // 2)


def first_checkpoint(bench):
    """Return the state in which only the first slice had been sent."""
    other = Bench()
    other.execute(Twap("0.020", 20, 2))
    return other.driver.core.saved()["s"]


def test_an_order_in_flight_at_the_kill_counts_before_the_venue_has_explained_it():
    bench = Bench()
    bench.is_silent = True
    bench.execute(Twap("0.010", 4, 2))
    bench.is_silent = False
    bench.driver.advance(0)
    again = bench.restarted()
    again.run(5)
    assert sum(one.qty for one in again.venue.orders.values()) <= 10
    resting = again.resting
    for order in resting:
        again.fill(order.id, order.leaves)
    again.run(5)
    assert again.at_venue() == 10
    assert [one.reason for one in again.handles] == ["filled"]


def test_a_start_a_cancel_and_an_end_stand_in_the_log_before_an_order_follows():
    bench = Bench()
    handle = bench.execute(ICE)
    kinds = [type(one) for one in bench.driver.log]
    saved = max(index for index, kind in enumerate(kinds) if kind is StrategyCheckpoint)
    assert saved < kinds.index(OrderIntended)
    bench.run(1)
    before = len(bench.driver.of(StrategyCheckpoint))
    bench.do(lambda s: s.executor(handle.number).cancel())
    bench.run(0.5)
    assert len(bench.driver.of(StrategyCheckpoint)) == before + 2
    again = bench.restarted(is_stale=True)
    assert [one.reason for one in again.handles] == ["cancelled"]


def test_one_that_no_checkpoint_knew_is_cancelled_and_its_number_not_used_again():
    bench = Bench()
    empty = bench.driver.core.saved()["s"]
    bench.execute(ICE)
    bench.driver.put(StrategyCheckpoint, "s", empty)
    again = bench.restarted(is_stale=True)
    again.run(1)
    assert again.resting == []
    assert again.execute(ICE).number == 2


def test_time_passes_while_the_engine_is_down():
    bench = Bench()
    bench.execute(TEN)
    bench.run(3)
    again = bench.restarted(after_s=60)
    again.run(1)
    (handle,) = again.handles
    assert (handle.reason, handle.rest) == ("time", Decimal("0.006"))
    assert again.lots == []


def test_every_kind_comes_back_as_it_was():
    bench = Bench(PERP, "linear:ETHUSDT")
    for wish in (TEN, Vwap("0.010", 8, 2, profile=[1, 2]), ICE, Pov("0.1", 0.1)):
        bench.execute(wish)
    bench.execute(Grid(40_000, 41_000, 3, "0.001"))
    bench.execute(Legs([(PERP, "0.04"), ("linear:ETHUSDT", "-1")], 505))
    before = bench.driver.core.saved()["s"]
    again = bench.restarted()
    assert [one.kind for one in again.handles] == ["twap", "vwap", "iceberg", "pov", "grid", "legs"]
    other = Bench(PERP, "linear:ETHUSDT")
    other.driver.core.trader.desks["s"].restore(before)
    assert [one.run for one in other.handles] == [one.run for one in bench.handles]


def test_a_session_with_executors_replays_to_the_same_decisions():
    bench = Bench()
    bench.execute(Twap("0.010", 10, 2, randomised=0.5))

    class Same(Puppet):
        def on_book(self, market):
            pass

        def on_start(self):
            self.execute(Twap("0.010", 10, 2, randomised=0.5), PERP)

    driver = Driver(bench.settings, lambda _one: Same())
    bench.driver, bench.seen = driver, 0
    driver.live(PERP)
    bench.run(12)
    assert len(bench.orders) >= 5
    replayed(driver.log, lambda _one: Same())


# ---- the venue's own changes ----


def test_a_finer_lot_changes_counts_and_no_quantity():
    bench = Bench()
    handle = bench.execute(TEN)
    bench.run(3)
    listed = bench.driver.core.state.instruments[PERP]
    bench.driver.put(InstrumentListed, replace(listed, lot_size="0.0005", tick_size="0.05"))
    assert (handle.qty, handle.filled) == (Decimal("0.010"), Decimal("0.004"))
    assert handle.average_price == pytest.approx(50_000, rel=0.01)
    bench.venue.position[PERP] *= 2
    bench.run(10)
    assert handle.reason == "filled"
    assert [one.qty_lots for one in bench.orders] == [2, 2, 4, 4, 4]


def test_an_iceberg_rests_at_its_price_in_new_ticks():
    bench = Bench()
    bench.execute(ICE)
    listed = bench.driver.core.state.instruments[PERP]
    bench.driver.put(InstrumentListed, replace(listed, tick_size="0.05"))
    order = bench.resting[0]
    bench.venue.cancel(order.id)
    bench.driver.say(bench.venue.report(order))
    bench.run(3)
    newest = bench.driver.of(OrderIntended)[-1]
    assert newest.price_ticks == 980_000
