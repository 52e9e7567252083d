"""A cancel by the venue's disconnect protection halts, once, after a comparison began (X27)."""

from tests.properties.driver import CASH, Driver, Venue

from plimsoll.core.model import OrderState
from plimsoll.core.records import (
    CancelIntended,
    DisconnectReported,
    Halted,
    IncidentRaised,
    QueryIntended,
)


def resting(count=2):
    venue = Venue()
    venue.wallet = {"USDT": 10**6 * CASH}
    driver = Driver().live(venue=venue)
    return driver, [driver.open_order(limit=str(49000 + n)).id for n in range(count)]


def test_our_order_cancelled_so_is_compared_then_halted_and_asked_about():
    driver, (first, second, third) = resting(3)
    before = len(driver.log)
    driver.report(first, OrderState.CANCELED, reason="CancelByDCP")
    kinds = [type(one) for one in driver.log[before:]]
    assert kinds.index(IncidentRaised) < kinds.index(QueryIntended) < kinds.index(Halted)
    assert driver.core.safety.halt_actor == "venue"
    cancelled = {one.client_order_id for one in driver.of(CancelIntended)}
    assert cancelled == {second, third}
    driver.report(second, OrderState.CANCELED, reason="CancelByDCP")
    assert len(driver.of(Halted)) == 1


def test_other_reasons_and_orders_of_others_halt_nothing():
    driver, (first, _) = resting()
    driver.report(first, OrderState.CANCELED, reason="CancelByUser")
    assert driver.of(Halted) == []


def test_what_was_asked_for_and_is_not_in_force_is_told():
    driver, _ = resting()
    for status, told in (("set", 0), ("on", 0), ("none", 0), ("failed", 1)):
        driver.put(DisconnectReported, "DERIVATIVES", status, 10, "found off")
        assert driver.core.state.disconnect["DERIVATIVES"].status == status
        codes = [one.code for one in driver.of(IncidentRaised)]
        assert codes.count("dcp_failed") == told
