"""A practice run goes the whole way of an order and leaves nothing behind."""

import msgspec
import pytest
from tests.properties.driver import ETH, PERP, SPOT, Driver, one_strategy, settings_of

from plimsoll.core.model import Mode, Side
from plimsoll.core.records import Halted, OrderIntended, SessionStopping, encode


def trading(*names: str, **named) -> Driver:
    return Driver(settings_of(one_strategy(instruments=names or (PERP,), **named))).live(
        *(names or (PERP,))
    )


def everything(driver: Driver) -> tuple[object, ...]:
    core = driver.core
    state, desk = core.state, core.trader.desks["s"]
    return (
        core.state_hash(),
        core.seq,
        core.wake_ns,
        state.ids.counter,
        state.counts,
        list(state.denials),
        {scope: list(one.recent) for scope, one in state.pacings.items() if one.recent},
        [encode(record) for record in driver.log],
        desk.save(),
        list(desk.requests),
        desk.denials,
        list(desk.repetition._recent),
        core.turns.serial,
        dict(core.trader.placer.arrivals),
    )


def test_a_hundred_practice_runs_leave_no_trace():
    driver = trading()
    before = everything(driver)
    found = [driver.core.practised() for _ in range(100)]
    assert all(isinstance(one, OrderIntended) for one in found)
    assert everything(driver) == before
    driver.book(PERP)  # and nothing comes of them later
    assert not driver.sent


def test_it_is_decided_as_an_order_of_the_strategy_would_be():
    driver = trading()
    practised = driver.core.practised()
    price, qty = driver.core.markets[PERP].book.best_bid, practised.qty_lots * 0.001
    driver.do(lambda one: one.buy(PERP, qty, price, tif="ioc"))
    (sent,) = driver.sent
    stamped = {"seq": 0, "ts_ns": 0, "cause": 0}
    assert msgspec.structs.replace(sent, **stamped) == msgspec.structs.replace(practised, **stamped)


def test_it_is_the_smallest_buy_the_venue_takes_and_takes_turns():
    driver = trading(PERP, ETH, SPOT)
    found = [driver.core.practised() for _ in range(6)]
    assert {one.instrument for one in found if one} >= {PERP, ETH}
    for one in found:
        if one is not None:
            listed = driver.core.state.instruments[one.instrument]
            value = listed.notional_units(one.price_ticks, one.qty_lots)
            assert one.side is Side.BUY
            assert value >= listed.min_notional_units
            fewer = one.qty_lots - listed.qty_step
            assert fewer < listed.min_lots or (
                listed.notional_units(one.price_ticks, fewer) < listed.min_notional_units
            )


@pytest.mark.parametrize("why", ["paper", "halted", "stopping", "not there", "no price"])
def test_where_no_live_order_would_be_one_there_is_nothing(why: str):
    driver = trading(mode=Mode.PAPER) if why == "paper" else trading()
    if why == "halted":
        driver.put(Halted, "test", "tester")
    elif why == "stopping":
        driver.put(SessionStopping, "test")
    elif why == "not there":
        driver = Driver(settings_of(one_strategy()))
    elif why == "no price":
        driver.core.markets[PERP].bid_ticks = 0
    assert driver.core.practised() is None


def test_a_request_under_way_is_not_touched():
    driver = trading()
    desk = driver.core.trader.desks["s"]
    desk.requests.append("something")
    assert driver.core.practised() is None
    assert desk.requests == ["something"]
