"""What is not ours, or says it is ours and is not."""

from tests.properties.driver import MS, PERP, SECOND, Driver, Venue

from plimsoll.core.model import OrderState
from plimsoll.core.model.ids import IdMaker
from plimsoll.core.records import (
    Blocked,
    CancelIntended,
    IncidentRaised,
    OperatorCommand,
    PositionReported,
    QueryIntended,
    SessionEnded,
    SessionStopping,
    SpaceChanged,
)


def test_a_halt_leaves_foreign_orders_alone():
    driver = Driver().live()
    driver.report("by-hand-1", OrderState.OPEN)
    own = driver.open_order()
    driver.put(OperatorCommand, "1", "tester", "halt", '{"reason": "test"}')
    driver.advance(3 * SECOND)
    assert {one.client_order_id for one in driver.of(CancelIntended)} == {own.id}


def test_an_order_with_our_tag_that_the_log_does_not_know_blocks_and_is_told():
    driver = Driver().live()
    unknown = IdMaker(driver.settings.tag, 7, 41).peek()
    driver.report(unknown, OrderState.OPEN)
    assert [one.instrument for one in driver.of(Blocked)] == [PERP]
    assert any(unknown == one.subject for one in driver.of(IncidentRaised))


def test_a_foreign_order_blocks_nothing():
    driver = Driver().live()
    driver.report("by-hand-1", OrderState.OPEN)
    assert driver.of(Blocked) == []


def test_a_position_on_the_stream_that_is_not_ours_is_compared_within_two_seconds():
    venue = Venue()
    venue.wallet = {"USDT": 10**12}
    driver = Driver().live(venue=venue)
    driver.advance(SECOND)
    asked = len(driver.of(QueryIntended))
    same = (PERP, 0, "0", driver.now_ns // MS, "stream", 0, b"")
    driver.put(PositionReported, *same)
    driver.advance(2 * SECOND)
    assert len(driver.of(QueryIntended)) == asked
    driver.put(PositionReported, PERP, 5, "50000", driver.now_ns // MS, "stream", 0, b"")
    driver.advance(2 * SECOND)
    assert len(driver.of(QueryIntended)) > asked


def test_a_stop_waits_for_executions_that_are_on_their_way():
    """Found by the kill test: FILLED came, the session ended, the execution came after it."""
    driver = Driver().live()
    order = driver.open_order()
    driver.put(SessionStopping, "test")
    driver.report(order.id, OrderState.FILLED, cum=order.qty_lots)
    assert driver.of(SessionEnded) == []
    driver.settle()
    assert driver.of(SessionEnded) == []
    driver.execute(order.id, order.qty_lots, "x1")
    assert len(driver.of(SessionEnded)) == 1


def test_a_stop_does_not_wait_for_foreign_orders():
    driver = Driver().live()
    driver.report("by-hand-1", OrderState.OPEN)
    driver.put(SessionStopping, "test")
    driver.settle()
    assert len(driver.of(SessionEnded)) == 1


def test_a_nearly_full_disk_refuses_new_risk_and_says_so():
    driver = Driver().live()
    driver.put(SpaceChanged, True)
    refusal = driver.do(lambda s: s.buy(PERP, "0.010", "49000")).refusal
    assert refusal.code == "no_space"
    driver.put(SpaceChanged, False)
    assert driver.do(lambda s: s.buy(PERP, "0.010", "49000")).refusal is None
