"""Executors as a reader of the log sees them, beside what their own engine knows of them."""

import msgspec
from tests.core.engine.test_executing import ICE, TEN
from tests.core.strategy.executors.bench import Bench
from tests.properties.driver import PERP

from plimsoll.core.engine import Core, restore, snapshot
from plimsoll.core.engine.underway import UnderWay, executors_of, unreadable
from plimsoll.core.strategy import Grid, Pov, Twap


def seen(bench: Bench) -> list[UnderWay]:
    """Return what a replica that read the log from its beginning says."""
    replica = Core()
    for record in bench.driver.log:
        replica.apply(record)
    before = snapshot(replica.state)
    found = list(executors_of(replica.state))
    assert snapshot(replica.state) == before, "reading changes nothing"
    return found


def test_a_reader_knows_what_the_engine_knows():
    bench = Bench()
    twap, ice = bench.execute(TEN), bench.execute(ICE)
    pov, grid = bench.execute(Pov("0.1", 0.1)), bench.execute(Grid(48_000, 49_000, 3, "0.001"))
    bench.run(5)
    found = seen(bench)
    assert [one.name for one in found] == ["s#1", "s#2", "s#3", "s#4"]
    for one, handle in zip(found, (twap, ice, pov, grid), strict=True):
        assert [leg.filled_lots for leg in one.run.legs] == [
            leg.filled_lots for leg in handle.run.legs
        ]
        assert (one.run.kind, one.run.ended) == (handle.kind, handle.reason)
    resting = {order.id for order in bench.resting}
    assert {order.id for one in found for order in one.working} == resting
    assert [len(one.working) for one in found] == [0, 1, 0, 2]
    assert found[0].run.plan.ends_ns == found[0].run.begun_ns + 12 * 10**9
    assert [one.run.plan.ends_ns for one in found[1:]] == [0, 0, 0]


def test_a_fill_and_a_refusal_since_the_newest_checkpoint_are_known():
    bench = Bench()
    bench.execute(Twap("0.020", 20, 2))
    bench.run(3)
    bench.command("halt")
    bench.run(4)
    (one,) = seen(bench)
    assert one.run.legs[0].filled_lots == 4
    assert one.run.refusal == ("", ""), "the checkpoint is older"
    assert one.refused is not None
    assert one.refused.code == "halted"
    assert one.refused.at_ns > one.run.begun_ns + 3 * 10**9


def test_a_refusal_of_the_strategys_own_order_is_none_of_an_executor():
    bench = Bench()
    bench.execute(Twap("0.020", 20, 10))
    bench.command("pause", scope=f"instrument:{PERP}")
    bench.do(lambda s: s.buy(PERP, "0.001", "49000"))
    assert bench.denials
    (one,) = seen(bench)
    assert one.refused is None


def test_what_the_venue_refused_and_what_found_nothing_is_a_refusal():
    bench = Bench()
    bench.rejects = True
    bench.execute(Twap("0.020", 20, 2))
    bench.run(1)
    (one,) = seen(bench)
    assert one.refused is not None
    assert one.refused.code == "rejected"
    bench = Bench()
    bench.share = 0.0
    bench.execute(Twap("0.020", 20, 2))
    bench.run(1)
    (one,) = seen(bench)
    assert one.refused is not None
    assert one.refused.code == "unfilled"


def test_an_old_refusal_is_known_from_the_checkpoint_where_no_record_is_left():
    bench = Bench()
    bench.command("halt")
    bench.execute(TEN)
    bench.run(61)
    state = restore(snapshot(bench.driver.core.state))
    (one,) = executors_of(state)
    assert one.refused is not None
    assert (one.refused.at_ns, one.refused.code) == (0, "halted")


def test_one_of_an_instance_that_was_stopped_for_a_fault_has_ended():
    bench = Bench()
    bench.execute(ICE)

    def fail(_strategy):
        raise RuntimeError("a bug")

    bench.driver.strategies["s"].todo.append(fail)
    bench.book()
    bench.serve()
    (one,) = seen(bench)
    assert (one.run.ended, one.working) == ("stopped", [])


def test_an_order_so_old_that_the_books_have_forgotten_it_is_over():
    bench = Bench()
    bench.execute(ICE)
    bench.run(61)
    (order,) = bench.resting
    bench.fill(order.id, 4)
    state = restore(snapshot(bench.driver.core.state))
    state.orders.closed.pop(order.id)
    (one,) = executors_of(state)
    assert not one.run.legs[0].pieces[order.id].leaves_lots
    assert one.run.legs[0].pieces[order.id].is_final


def test_a_checkpoint_of_another_release_is_named_and_hides_no_other():
    bench = Bench()
    bench.execute(ICE)
    state = restore(snapshot(bench.driver.core.state))
    assert unreadable(state) == []
    for saved in (b"x", msgspec.msgpack.encode({"executors": [{"number": "one"}]})):
        state.checkpoints["s"] = saved
        assert (list(executors_of(state)), unreadable(state)) == ([], ["s"])
