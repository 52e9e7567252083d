"""Hands, liquidations and deleveraging behind an instance's back: booked, paused, told once."""

import msgspec
from tests.core.engine.test_keeper import command, funded
from tests.properties.driver import (
    MS,
    PERP,
    SECOND,
    Driver,
    execution_of,
    replayed,
    report_of,
)

from plimsoll.core.engine import restore, snapshot
from plimsoll.core.model import OrderState, Side
from plimsoll.core.records import (
    ExecutionReported,
    IncidentRaised,
    OrderDenied,
    OrderIntended,
    Paused,
    Unpaused,
)
from plimsoll.core.strategy import Strategy


def holding(lots=10):
    """An instance that holds a long its target asked for."""
    driver, venue = funded()
    driver.do(lambda s: s.target(PERP, f"{lots / 1000:.3f}"))
    driver.was_sent(driver.newest.id)
    driver.execute(driver.newest.id, lots, "own", order_qty=lots)
    assert driver.core.ledger.qty_lots("s", PERP) == lots
    return driver, venue


def outside(driver, name, lots, *, side=Side.SELL, kind="Trade", by="", order_qty=0):
    driver.now_ns += MS
    order_qty, at_ms = order_qty or lots, driver.now_ns // MS
    named = {"kind": kind, "create_type": by, "order_qty": order_qty, "at_ms": at_ms}
    return driver.say(execution_of(f"x-{name}", name, side, lots, **named))


def codes(driver):
    return [one.code for one in driver.of(IncidentRaised)]


def test_a_hand_close_is_the_instances_and_its_target_buys_nothing_back():
    driver, _ = holding()
    decided = outside(driver, "hand", 4)
    assert isinstance(decided[0], Paused)
    assert (decided[0].owner, decided[0].instrument, decided[0].actor) == ("s", PERP, "foreign")
    assert driver.core.ledger.qty_lots("s", PERP) == 6
    assert codes(driver) == ["closed_outside"]
    before = len(driver.of(OrderIntended))
    for _ in range(20):
        driver.advance(2 * SECOND)
        driver.book()
    assert len(driver.of(OrderIntended)) == before
    assert driver.do(lambda s: s.buy(PERP, "0.010", "49000")).refusal.code == "paused"
    assert driver.do(lambda s: s.is_paused(PERP))


def test_a_paused_instance_may_still_reduce():
    driver, _ = holding()
    outside(driver, "hand", 4)
    handle = driver.do(lambda s: s.sell(PERP, "0.006", "50000", reduce_only=True))
    assert handle.refusal is None


def test_more_of_the_same_is_booked_and_not_told_again():
    driver, _ = holding()
    for number in range(3):
        outside(driver, f"liq{number}", 2, by="CreateByLiq")
    assert driver.core.ledger.qty_lots("s", PERP) == 4
    assert driver.core.ledger.qty_lots("venue", PERP) == 0
    assert codes(driver) == ["position_liquidated"]
    assert len(driver.of(Paused)) == 1


def test_forced_executions_are_the_venues():
    driver, _ = holding()
    outside(driver, "adl", 3, kind="AdlTrade", by="CreateByAdl_PassThrough")
    assert driver.core.orders.find("adl").owner == "venue"
    assert codes(driver) == ["position_deleveraged"]
    assert driver.of(Paused)[0].actor == "venue"


def test_an_order_the_venue_makes_is_the_venues_before_it_trades():
    driver, _ = holding()
    message = report_of("liq", OrderState.OPEN, side=Side.SELL, qty=10)

    def made(stamp):
        return msgspec.structs.replace(message(stamp), create_type="CreateByLiq")

    driver.say(made)
    assert driver.core.orders.find("liq").owner == "venue"
    outside(driver, "liq", 4)  # the message of the execution does not say why
    assert driver.core.ledger.qty_lots("s", PERP) == 6


def test_what_touches_no_instance_is_told_and_pauses_nobody():
    driver, _ = holding()
    outside(driver, "more", 2, side=Side.BUY, order_qty=5)
    assert codes(driver) == ["outside_fill"]
    assert driver.of(Paused) == []
    assert driver.core.ledger.qty_lots("foreign", PERP) == 2
    driver.execute("more", 3, "x-more2")
    assert codes(driver) == ["outside_fill"]


def test_a_late_fill_that_shows_whose_it_was_pauses_too():
    """The hand's sell came first, when the instance seemed to hold nothing."""
    driver, _ = funded()
    driver.do(lambda s: s.target(PERP, "0.010"))
    order, made_ms = driver.newest, driver.now_ns // MS
    driver.was_sent(order.id)
    driver.now_ns += 2 * MS
    outside(driver, "hand", 4)
    assert (driver.of(Paused), driver.core.ledger.qty_lots("foreign", PERP)) == ([], -4)
    driver.execute(order.id, 10, "own", order_qty=10, at_ms=made_ms)
    (paused,) = driver.of(Paused)
    assert (paused.owner, paused.actor) == ("s", "foreign")
    assert driver.core.ledger.qty_lots("s", PERP) == 6


def test_the_sum_over_owners_is_the_account():
    driver, _ = holding()
    outside(driver, "hand", 14)
    held = [driver.core.ledger.qty_lots(owner, PERP) for owner in ("s", "foreign")]
    assert (held, driver.core.ledger.account_lots(PERP, frozenset())) == ([0, -4], -4)
    assert driver.core.ledger.netted[PERP].qty_units == -4 * 100_000


class Holder(Strategy):
    """Holds what it holds."""

    def on_book(self, market):
        self.target(market.instrument.name, "0.010")


def test_a_pause_survives_a_restart_and_a_replay():
    driver = Driver(load=lambda _one: Holder()).live(venue=None)
    driver.book()
    driver.was_sent(driver.newest.id)
    driver.execute(driver.newest.id, 10, "own", order_qty=10)
    outside(driver, "hand", 4)
    again = Driver(state=restore(snapshot(driver.core.state)), epoch=2).begin()
    assert again.core.safety.pauses == driver.core.safety.pauses != {}
    assert len(again.of(Paused)) == 0
    for _ in range(5):
        driver.advance(2 * SECOND)
        driver.book()
    core = replayed(driver.log, driver.load)
    assert core.state_hash() == driver.core.state_hash()
    assert "paused" in {one.code for one in driver.of(OrderDenied)}


def test_an_execution_whose_pause_was_never_written_pauses_at_the_next_start():
    driver, _ = holding()
    log = driver.log[:]
    outside(driver, "hand", 4)
    state = Driver(load=driver.load).core.state
    for record in log:
        state.apply(record)
    state.apply(driver.of(ExecutionReported)[-1])  # and then it was killed
    again = Driver(state=restore(snapshot(state)), epoch=2).begin()
    assert [(one.owner, one.instrument) for one in again.of(Paused)] == [("s", PERP)]


def test_after_an_unpause_only_what_is_new_pauses_again():
    driver, _ = holding()
    outside(driver, "hand", 4)
    outside(driver, "again", 1)
    driver.core.apply(Unpaused(driver.seq + 1, driver.now_ns, 1, 0, "s", PERP, "anna", "seen"))
    driver.seq += 1
    again = Driver(state=restore(snapshot(driver.core.state)), epoch=2).begin()
    assert again.of(Paused) == []
    outside(driver, "third", 1)
    assert len(driver.of(Paused)) == 2


def test_an_own_order_cancelled_by_a_person_pauses_nothing():
    driver, _ = holding()
    order = driver.open_order()
    command(driver, "cancel", order=order.id)
    driver.report(order.id, OrderState.CANCELED)
    assert driver.of(Paused) == []
