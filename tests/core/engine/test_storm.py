"""Orders that come to nothing are not repeated as fast as the venue answers."""

from tests.properties.driver import PERP, SECOND, Driver, Venue

from plimsoll.core.records import OrderIntended, RequestAnswered


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
    assert [one.refusal.code for one in handles if one.refusal] == ["rate"] * 4


def venue_rate(count):
    from tests.properties.driver import settings_of

    return settings_of(venue_orders_per_second=count)
