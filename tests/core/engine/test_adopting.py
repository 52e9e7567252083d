"""The first start on an account that is not empty: observed, until a person decides."""

import msgspec
import pytest
from tests.core.engine.test_keeper import command, run
from tests.properties.driver import (
    CASH,
    MS,
    PERP,
    SPOT,
    T0,
    Driver,
    Listed,
    Venue,
    settings_of,
)

from plimsoll.core.engine import restore, snapshot
from plimsoll.core.model import OrderState, Side, TimeInForce
from plimsoll.core.records import (
    IncidentRaised,
    Observed,
    ObservingEnded,
    OrderMoved,
    PositionMoved,
)
from plimsoll.core.settings import Timing

TIMING = Timing()


def occupied(position=-3, settings=None, **wallet):
    venue = Venue()
    venue.wallet = wallet or {"USDT": 10**6 * CASH}
    venue.position = {PERP: position} if position else {}
    return Driver(settings).live(PERP, SPOT, venue=venue), venue


def denied(driver, name=PERP):
    price = "49000"
    handle = driver.do(lambda s: s.buy(name, "0.010", price))
    return handle.refusal.code if handle.refusal else ""


def test_a_foreign_position_is_observed_and_nothing_is_added_beside_it():
    driver, _ = occupied()
    assert driver.core.safety.observed == {PERP: "-0.003 held before"}
    assert [one.instrument for one in driver.of(Observed)] == [PERP]
    assert "observed" in [one.code for one in driver.of(IncidentRaised)]
    assert denied(driver) == "observed"
    again = Driver(state=restore(snapshot(driver.core.state)), epoch=2)
    assert again.core.safety.observed == driver.core.safety.observed


def test_balances_alone_are_not_observed():
    driver, _ = occupied(position=0, USDT=10**6 * CASH, BTC=5 * CASH)
    assert driver.core.safety.observed == {}
    assert denied(driver) == ""


def test_the_old_way_is_a_setting():
    driver, _ = occupied(settings=settings_of(first_start="adopt_foreign"))
    assert driver.core.safety.observed == {}
    assert denied(driver) == ""


def test_a_position_is_given_to_an_instance():
    driver, _ = occupied()
    command(driver, "adopt", instrument=PERP, to="s", reason="mine")
    moved = driver.of(PositionMoved)[0]
    assert (moved.from_owner, moved.to_owner, moved.qty_lots, moved.actor) == (
        "foreign",
        "s",
        -3,
        "anna",
    )
    assert driver.core.ledger.qty_lots("s", PERP) == -3
    assert driver.core.ledger.position("s", PERP).cost_units == -3 * 500_000 * 10_000
    assert driver.core.ledger.account_lots(PERP, frozenset()) == -3
    assert driver.core.safety.observed == {}
    assert denied(driver) == ""


def test_a_part_is_moved_and_the_rest_stays_observed():
    driver, _ = occupied()
    command(driver, "adopt", instrument=PERP, to="manual", qty="0.002")
    held = [driver.core.ledger.qty_lots(owner, PERP) for owner in ("manual", "foreign")]
    assert held == [-2, -1]
    assert denied(driver) == "observed"
    command(driver, "adopt", instrument=PERP, leave=True, reason="a hedge")
    assert denied(driver) == ""
    assert driver.of(ObservingEnded)[0].reason == "a hedge"
    assert driver.core.ledger.account_lots(PERP, frozenset()) == -3  # and counts in exposure


def test_what_a_person_keeps_is_decided():
    driver, venue = occupied()
    command(driver, "adopt", instrument=PERP, to="manual")
    assert driver.core.safety.observed == {}
    run(driver, 2 * TIMING.sweep_ns, answer=lambda d, q: d.answer(q, venue.rows(q)))
    assert driver.core.safety.blocks == {}
    assert denied(driver) == ""


def test_closed_by_hand_nothing_is_left_to_decide():
    driver, venue = occupied()
    driver.now_ns += MS
    driver.execute("by-hand", 3, "x", order_qty=3)
    venue.position = {}
    run(driver, 2 * TIMING.sweep_ns, answer=lambda d, q: d.answer(q, venue.rows(q)))
    assert driver.core.safety.observed == {}
    assert driver.of(ObservingEnded)[0].reason == "nothing foreign is left"


@pytest.mark.parametrize(
    "args",
    [
        {"to": "nobody"},
        {"to": "s", "qty": "0.004"},
        {"to": "s", "qty": "0.0001"},
        {"to": "s", "qty": "much"},
        {"to": "s", "qty": "-1"},
        {"to": "s", "qty": "0"},
        {},
    ],
)
def test_what_cannot_be_is_told_and_changes_nothing(args):
    driver, _ = occupied()
    command(driver, "adopt", instrument=PERP, **args)
    assert driver.of(PositionMoved) == []
    assert driver.of(IncidentRaised)[-1].code == "adopt_refused"
    assert PERP in driver.core.safety.observed


def test_foreign_orders_go_with_it_when_asked():
    driver, _ = occupied()
    driver.report("by-hand", OrderState.PARTIAL, side=Side.BUY, qty=5, cum=2)
    command(driver, "adopt", instrument=PERP, to="s", orders=True)
    assert [one.client_order_id for one in driver.of(OrderMoved)] == ["by-hand"]
    order = driver.core.orders.find("by-hand")
    assert (order.owner, order.leaves_lots) == ("s", 3)
    assert driver.core.orders.behind == {}  # what matched before is nobody's missing execution
    driver.now_ns += MS
    driver.execute("by-hand", 3, "x")
    assert driver.core.ledger.qty_lots("s", PERP) == 0
    assert driver.strategies["s"].heard[-2][0] == "fill"


def test_foreign_orders_alone_are_observed_too_and_end_with_them():
    venue = Venue()
    venue.wallet = {"USDT": 10**6 * CASH}
    driver = Driver().begin(PERP)
    driver.report("by-hand", OrderState.OPEN)
    venue.orders["by-hand"] = listed = _listed()
    driver.connect(venue)
    assert PERP in driver.core.safety.observed
    listed.status = OrderState.CANCELED
    driver.now_ns += MS
    driver.report("by-hand", OrderState.CANCELED)
    run(driver, 2 * TIMING.sweep_ns, answer=lambda d, q: d.answer(q, venue.rows(q)))
    assert driver.core.safety.observed == {}
    assert driver.of(ObservingEnded)[0].reason == "nothing foreign is left"


def test_spot_coins_in_the_wallet_can_be_given_to_an_instance():
    settings = settings_of()
    named = settings.strategies[0]
    one = msgspec.structs.replace(named, instruments=(PERP, SPOT))
    settings = msgspec.structs.replace(settings, strategies=(one,))
    driver, _ = occupied(0, settings, USDT=10**6 * CASH, BTC=CASH)
    assert driver.do(lambda s: s.sell(SPOT, "0.5", "50000"), on=SPOT).refusal.code == "not_held"
    command(driver, "adopt", instrument=SPOT, to="s", qty="0.5")
    assert driver.core.ledger.qty_lots("s", SPOT) == 500_000
    assert driver.core.ledger.position("s", SPOT).cost_units == 25_000 * CASH
    assert driver.core.ledger.cash["BTC"] == CASH
    assert driver.do(lambda s: s.sell(SPOT, "0.5", "50000"), on=SPOT).refusal is None
    command(driver, "adopt", instrument=SPOT, to="s", qty="0.6")
    assert driver.of(IncidentRaised)[-1].code == "adopt_refused"


def _listed():
    return Listed("by-hand", PERP, Side.BUY, 490_000, 5, False, TimeInForce.GTC, T0 // MS)
