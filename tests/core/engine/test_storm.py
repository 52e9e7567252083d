"""Orders that come to nothing are not repeated as fast as the venue answers."""

from tests.properties.driver import PERP, SECOND, Driver, Venue

from plimsoll.core.model import OrderState
from plimsoll.core.records import (
    CancelIntended,
    OperatorCommand,
    OrderIntended,
    RateMeasured,
    RequestAnswered,
)


def test_a_reduction_the_venue_refuses_is_tried_once_a_second():
    """Found by hand: a new, empty venue refused eleven reductions within 14 ms."""
    venue = Venue()
    venue.wallet = {"USDT": 10**15}
    driver = Driver().live(venue=venue)
    driver.do(lambda s: s.target(PERP, qty="0.010"))
    opened = driver.of(OrderIntended)[-1]
    driver.was_sent(opened.client_order_id)
    driver.execute(opened.client_order_id, 10, "x1")
    driver.do(lambda s: s.target(PERP, qty=0))
    seen = len(driver.of(OrderIntended))
    for _ in range(30):
        newest = driver.of(OrderIntended)[-1]
        if newest.reduce_only and driver.core.orders.find(newest.client_order_id).is_working:
            driver.was_sent(newest.client_order_id)
            driver.put(
                RequestAnswered, newest.client_order_id, "create", "r", "refused", 110017, "no", ""
            )
        driver.book()
        driver.advance(SECOND // 10)
    reductions = len(driver.of(OrderIntended)) - seen + 1
    assert 3 <= reductions <= 4


def test_reductions_stay_inside_the_venues_rate():
    driver = Driver(venue_rate(5)).live()

    def storm(strategy):
        return [strategy.sell(PERP, "0.001", "51000", reduce_only=True) for _ in range(9)]

    handles = driver.do(storm)
    assert [one.refusal.code for one in handles if one.refusal] == ["rate"] * 5


def test_cancels_beyond_the_venues_rate_wait_and_leave_as_it_has_room():
    driver = Driver(venue_rate(10)).live()
    driver.core.state.rates.limits["create.linear"] = 100
    for _ in range(20):
        driver.do(lambda s: s.buy(PERP, "0.001", "49000"))
        driver.was_sent(driver.newest.id)
        driver.report(driver.newest.id, OrderState.OPEN)
    driver.put(OperatorCommand, "1", "a person", "halt", "{}")
    assert len(driver.of(CancelIntended)) == 9
    driver.advance(SECOND)
    assert len(driver.of(CancelIntended)) == 9
    driver.advance(SECOND // 2)
    assert len(driver.of(CancelIntended)) == 18
    driver.advance(SECOND + SECOND // 2)
    assert len({one.client_order_id for one in driver.of(CancelIntended)}) == 20


def test_a_cancel_the_venue_had_no_room_for_is_sent_again():
    driver = Driver(venue_rate(10)).live()
    handle = driver.do(lambda s: s.buy(PERP, "0.001", "49000"))
    order = driver.newest
    driver.was_sent(order.id)
    driver.report(order.id, OrderState.OPEN)
    driver.do(lambda _s: handle.cancel())
    venue_ms = driver.now_ns // 1_000_000
    driver.put(RateMeasured, "cancel.linear", 10, venue_ms + 400)
    driver.put(RequestAnswered, order.id, "cancel", "r", "refused", 10006, "too many visits", "")
    driver.advance(SECOND // 4)
    assert len(driver.of(CancelIntended)) == 1
    driver.advance(SECOND // 2)
    assert len(driver.of(CancelIntended)) == 2


def venue_rate(count):
    from tests.properties.driver import settings_of

    return settings_of(venue_orders_per_second=count)
