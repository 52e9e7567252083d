"""Executors cancelled by a person: journaled, told, restart-safe; what cannot be is refused."""

import json

import pytest
from tests.core.engine.test_executing import ICE, TEN
from tests.core.strategy.executors.bench import Bench
from tests.properties.driver import PERP, Driver, Puppet, replayed

from plimsoll.core.records import (
    CancelIntended,
    IncidentRaised,
    OperatorCommand,
    OrderIntended,
    StrategyCheckpoint,
)
from plimsoll.core.strategy import Grid, Iceberg, Legs, Twap

ETH = "linear:ETHUSDT"


def cancelled(bench: Bench, number: int = 1, owner: str = "s") -> None:
    bench.command("executors-cancel", strategy=owner, number=number, reason="too early")


def why_not(bench: Bench, number: int = 1, owner: str = "s") -> str:
    args = {"strategy": owner, "number": number}
    return bench.driver.core.changing.why_not("executors-cancel", args)


def test_a_person_ends_one_and_its_strategy_hears_who_did():
    bench, heard = Bench(), []
    puppet = bench.driver.strategies["s"]
    puppet.on_executor = lambda handle: heard.append((handle.number, handle.reason))
    bench.execute(ICE)
    other = bench.execute(TEN)
    bench.execute(Iceberg("0.010", "0.004", limit="48000"))
    one, third = bench.resting
    cancelled(bench)
    assert bench.resting == [third], "what rests of it goes at once, and nothing else"
    assert not one.is_live
    (cancel,) = bench.driver.of(CancelIntended)
    assert cancel.reason == "anna: too early"
    assert (1, "operator") in heard
    bench.run(11)
    assert bench.resting == [third], "nothing rests anew"
    assert other.reason == "filled", "another one goes on"


def test_the_command_the_checkpoint_and_the_cancel_stand_in_the_log_in_this_order():
    bench = Bench()
    bench.execute(ICE)
    cancelled(bench)
    kinds = [type(one) for one in bench.driver.log]
    at = kinds.index(OperatorCommand)
    assert kinds[at + 1] is StrategyCheckpoint
    assert CancelIntended in kinds[at + 2 :]


def test_an_order_that_fills_while_it_is_cancelled_counts():
    bench = Bench()
    handle = bench.execute(ICE)
    (order,) = bench.resting
    bench.fill(order.id, 1)
    cancelled(bench)
    assert (str(handle.filled), handle.reason) == ("0.001", "operator")
    assert bench.at_venue() == 1


@pytest.mark.parametrize("is_stale", [False, True])
def test_killed_right_after_the_command_it_does_not_come_back(is_stale):
    bench = Bench()
    bench.execute(ICE)
    bench.is_silent = True
    bench.driver.put(
        OperatorCommand, "c", "anna", "executors-cancel", json.dumps({"strategy": "s", "number": 1})
    )
    again = bench.restarted(is_stale=is_stale)
    again.is_silent = False
    again.run(12)
    assert again.resting == []
    assert [one.reason for one in again.handles] == ["operator"]
    assert not again.driver.of(OrderIntended)


def test_legs_take_back_what_is_ahead():
    bench = Bench(PERP, ETH)
    handle = bench.execute(Legs([(PERP, "0.04"), (ETH, "-1")], 505))
    bench.share = 0.0
    bench.run(0.5)
    bench.share = 1.0
    cancelled(bench)
    bench.run(3)
    assert handle.reason == "operator"
    one, other = (float(leg.filled / leg.qty) for leg in handle.legs)
    assert one == pytest.approx(other, abs=0.03)


def test_a_grid_keeps_what_its_cells_hold():
    bench = Bench()
    handle = bench.execute(Grid(48_000, 49_000, 3, "0.001"))
    order = bench.resting[0]
    bench.fill(order.id, 1)
    bench.run(1)
    cancelled(bench)
    bench.run(2)
    assert (handle.reason, bench.at_venue(), bench.resting) == ("operator", 1, [])


def test_one_whose_instance_has_not_started_is_cancelled_at_once_and_ends_when_it_does():
    bench = Bench()
    handle = bench.execute(ICE)
    desk = bench.driver.core.trader.desks["s"]
    desk.is_started = False
    cancelled(bench)
    bench.run(1)
    assert bench.resting == []
    desk.is_started = True
    bench.run(1)
    assert (handle.reason, bench.resting) == ("operator", [])


def test_one_under_a_halt_can_be_cancelled():
    bench = Bench()
    handle = bench.execute(TEN)
    bench.command("halt")
    cancelled(bench)
    assert handle.reason == "operator"
    bench.command("resume")
    sent = len(bench.orders)
    bench.run(11)
    assert len(bench.orders) == sent


def test_what_is_not_there_is_refused_in_words():
    bench = Bench()
    bench.execute(ICE)
    assert why_not(bench) == ""
    assert "no instance is called 'x'; running: s" in why_not(bench, owner="x")
    assert why_not(bench, 7) == "there is no executor s#7; under way: s#1"
    assert why_not(bench, -1) == "there is no executor s#-1; under way: s#1"
    cancelled(bench)
    assert why_not(bench) == "s#1 has ended: operator"
    incidents = len(bench.driver.of(IncidentRaised))
    cancelled(bench)  # as an older log may say it
    (told,) = bench.driver.of(IncidentRaised)[incidents:]
    assert told.text == "anna: s#1 has ended: operator"


def test_one_that_ends_already_and_one_of_a_stopped_instance_are_refused():
    bench = Bench()
    bench.execute(ICE)
    bench.driver.core.trader.desks["s"].executors.runs[1].closes = "time"
    assert why_not(bench) == "s#1 is ending already: time"
    bench = Bench()
    bench.execute(ICE)
    bench.driver.core.trader.desks["s"].stop_reason = "a bug"
    assert why_not(bench) == "s is stopped (a bug)"


def test_a_session_with_a_cancel_replays_to_the_same_decisions():
    class Same(Puppet):
        def on_book(self, market):
            pass

        def on_start(self):
            self.execute(Twap("0.010", 10, 2), PERP)
            self.execute(ICE, PERP)

    bench = Bench()
    bench.driver, bench.seen = Driver(bench.settings, lambda _one: Same()), 0
    bench.driver.live(PERP)
    bench.run(3)
    cancelled(bench)
    cancelled(bench, 2)
    bench.run(3)
    assert bench.resting == []
    replayed(bench.driver.log, lambda _one: Same())
