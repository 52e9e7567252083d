"""``Iceberg``: one part rests at a time, the next follows when it is filled."""

from decimal import Decimal

import pytest
from tests.core.strategy.executors.bench import Bench
from tests.properties.driver import PERP, SECOND, execution_of

from plimsoll.core.model import Mode, Refusal, Side, TimeInForce
from plimsoll.core.records import CancelIntended, PaperOrderIntended, RequestAnswered, SendRefused
from plimsoll.core.strategy import Iceberg


def begun(**more):
    bench = Bench()
    return bench, bench.execute(Iceberg("0.010", "0.004", limit="49000", **more))


def test_one_part_rests_and_the_next_follows_its_fill():
    bench, handle = begun()
    assert bench.lots == [4]
    assert bench.orders[0].tif is TimeInForce.GTC
    bench.fill(bench.resting[0].id, 1)
    bench.run(2)
    assert bench.lots == [4]
    bench.fill(bench.resting[0].id, 3)
    bench.run(1)
    assert bench.lots == [4, 4]
    bench.fill(bench.resting[0].id, 4)
    bench.run(1)
    assert bench.lots == [4, 4, 2]
    bench.fill(bench.resting[0].id, 2)
    assert handle.reason == "filled"
    assert handle.average_price == 49_000


def test_a_cancel_ends_it_once_nothing_can_match_any_more():
    bench, handle = begun()
    bench.fill(bench.resting[0].id, 1)
    bench.do(lambda s: s.executors()[0].cancel())
    assert (handle.is_done, handle.reason) == (True, "cancelled")
    assert handle.rest == Decimal("0.009")
    assert bench.resting == []


def test_a_fill_that_races_the_cancel_is_counted_before_the_end():
    bench, handle = begun()
    order = bench.resting[0]
    messages = bench.venue.fill(order, 4)
    bench.driver.do(lambda s: s.executors()[0].cancel())
    assert not handle.is_done
    for message in messages:
        bench.driver.say(message)
    assert (handle.reason, handle.filled) == ("cancelled", Decimal("0.004"))


def test_what_matched_and_is_not_booked_yet_keeps_it_from_its_end():
    bench, handle = begun()
    order = bench.resting[0]
    execution, _ = bench.venue.fill(order, 3)
    bench.venue.cancel(order.id)
    bench.driver.do(lambda s: s.executors()[0].cancel())
    bench.driver.say(bench.venue.report(order))
    assert not handle.is_done
    bench.driver.say(execution)
    assert (handle.reason, handle.filled) == ("cancelled", Decimal("0.003"))


def test_a_late_execution_after_the_end_still_counts():
    bench, handle = begun()
    order = bench.resting[0]
    bench.do(lambda s: s.executors()[0].cancel())
    assert handle.is_done
    late = execution_of("late", order.id, Side.BUY, 1, price=490_000, at_ms=order.updated_ms)
    bench.driver.say(late)
    assert handle.filled == Decimal("0.001")


def test_a_cancel_that_was_lost_is_asked_for_again():
    bench, handle = begun()
    order_id = bench.resting[0].id
    bench.driver.do(lambda s: s.executors()[0].cancel())
    bench.seen = len(bench.driver.sent)  # it never arrived
    bench.driver.was_sent(order_id, "cancel")
    bench.driver.put(RequestAnswered, order_id, "cancel", "r", "refused", 10006, "rate", "")
    bench.run(3)
    assert len(bench.driver.of(CancelIntended)) >= 2
    assert handle.reason == "cancelled"


def test_post_only_rests_again_where_it_would_take():
    bench, _ = begun(post_only=True)
    assert bench.orders[0].tif is TimeInForce.POST_ONLY
    order = bench.resting[0]
    bench.venue.cancel(order.id)
    bench.driver.say(bench.venue.report(order))
    bench.run(0.5)
    assert bench.lots == [4]
    bench.run(2)
    assert bench.lots == [4, 4]


def test_a_venue_that_rejects_is_asked_less_and_less_and_then_no_more():
    bench = Bench()
    bench.rejects = True
    handle = bench.execute(Iceberg("0.010", "0.004", limit="49000"))
    bench.run(60)
    gaps = [
        (later.ts_ns - one.ts_ns) / SECOND
        for one, later in zip(bench.orders, bench.orders[1:], strict=False)
    ]
    assert gaps == pytest.approx([1, 2, 4, 8, 16], abs=0.6)
    assert handle.refusal.detail == "rejected"
    bench.run(600)
    assert (handle.reason, handle.rest) == ("refused", Decimal("0.010"))


def test_an_order_that_never_left_is_no_part():
    bench = Bench()
    driver = bench.driver
    handle = driver.do(lambda s: s.execute(Iceberg("0.010", "0.004", limit="49000"), PERP))
    driver.put(SendRefused, driver.newest.id, "create", "link down")
    bench.seen = len(driver.sent)
    bench.run(2)
    assert [one.qty for one in bench.resting] == [4]
    assert handle.rest == Decimal("0.010")


@pytest.mark.parametrize("shown", ["0", "-0.004", "0.011", "x"])
def test_what_is_shown_is_a_part_of_it(shown):
    assert Bench().execute(Iceberg("0.010", shown, limit="49000")).refusal.code == Refusal.EXECUTOR


def test_the_same_on_paper():
    bench = Bench(mode=Mode.PAPER)
    handle = bench.execute(Iceberg("0.010", "0.004", limit="49000"))
    bench.run(1)
    for _ in range(3):
        bench.prints(1.0, price=48_999.0)
        bench.run(2)
    assert handle.reason == "filled"
    assert [one.qty_lots for one in bench.driver.of(PaperOrderIntended)] == [4, 4, 2]
