"""Margin of paper instances: refused, liquidated, told, paused; nobody else is touched."""

import random

import pytest
from tests.properties.driver import (
    CASH,
    ETH,
    PERP,
    SECOND,
    SPOT,
    Driver,
    one_strategy,
    settings_of,
)

from plimsoll.core.engine import Core
from plimsoll.core.model import Mode, OrderState
from plimsoll.core.records import IncidentRaised, PaperFilled, Paused
from plimsoll.core.settings import Timing

LATENCY = Timing().paper_latency_ns


def paper(*strategies, names=(PERP, ETH, SPOT), **more):
    driver = Driver(settings_of(*strategies, **more)).begin(*names)
    for name in names:
        driver.book(name)
        driver.mark(name, 2_000.0 if name == ETH else 50_000.0)
    return driver


def poor(name="s", capital=900, instruments=(PERP, ETH, SPOT)):
    return one_strategy(Mode.PAPER, instruments, name=name, capital=capital * CASH)


def fall(driver, price, name=PERP):
    driver.mark(name, price)
    driver.book(name, price)
    return driver.advance(SECOND)


def hold(driver, qty="0.170", side="buy", name="s", on=PERP):
    handle = driver.do(lambda s: getattr(s, side)(on, qty), name=name, on=on)
    driver.advance(LATENCY)
    return handle


def lots(driver, owner="s", name=PERP):
    return driver.core.ledger.qty_lots(owner, name)


@pytest.mark.parametrize(
    ("side", "safe", "end"), [("buy", 45_400, 45_200), ("sell", 54_600, 54_800)]
)
def test_whose_margin_is_used_up_is_liquidated_at_that_mark(side, safe, end):
    driver = paper(poor())
    hold(driver, side=side)
    resting = driver.do(lambda s: s.buy(ETH, "0.01", "1000"), on=ETH)
    waiting = driver.do(lambda s: s.sell(PERP, "0.010", trigger=40_000, reduce_only=True))
    driver.advance(LATENCY)
    fall(driver, safe)
    assert abs(lots(driver)) == 170
    fall(driver, end)
    assert lots(driver) == 0
    assert 0 <= driver.core.equity_of("s") < 4 * 10**6, "a tick of 0.17 and a fee at the most"
    assert driver.of(PaperFilled)[-1].rule == "liquidation"
    assert (resting.state, waiting.state) == (OrderState.CANCELED, OrderState.CANCELED)
    (told,) = driver.of(IncidentRaised)
    assert (told.code, told.subject) == ("position_liquidated", PERP)
    (paused,) = driver.of(Paused)
    assert (paused.owner, paused.instrument, paused.actor) == ("s", PERP, "venue")
    again = Core()
    for record in driver.log:
        again.apply(record)
    assert again.books_hash() == driver.core.books_hash()


def test_it_hears_of_it_and_a_target_does_not_buy_back():
    driver = paper(poor(instruments=(PERP,)), names=(PERP,))
    driver.do(lambda s: s.target(PERP, "0.170"))
    driver.advance(LATENCY)
    fall(driver, 45_000)
    heard = [
        fill.qty_lots * fill.side.sign
        for kind, fill in driver.strategies["s"].heard
        if kind == "fill"
    ]
    assert heard == [170, -170]
    for _ in range(5):
        fall(driver, 45_000)
    assert lots(driver) == 0
    assert len(driver.of(IncidentRaised)) == 1


def test_another_instance_with_more_capital_keeps_its_position():
    driver = paper(poor(), poor("t", 90_000))
    for name in "st":
        hold(driver, name=name)
    fall(driver, 40_000)
    assert (lots(driver), lots(driver, "t")) == (0, 170)


def test_funding_uses_margin_up_too():
    driver = paper(poor())
    hold(driver)
    driver.core.ledger.position("s", PERP).funding_units += 850 * CASH
    fall(driver, 50_000)
    assert lots(driver) == 0


def test_profit_of_one_carries_the_loss_of_another():
    driver = paper(poor())
    hold(driver, "0.080")
    hold(driver, "2.00", "sell", on=ETH)
    fall(driver, 1_500, ETH)
    fall(driver, 41_000)
    assert (lots(driver), lots(driver, name=ETH)) == (80, -200)
    fall(driver, 2_000, ETH)
    assert lots(driver) == 80
    fall(driver, 39_000)
    assert (lots(driver), lots(driver, name=ETH)) == (0, 0)
    assert 0 <= driver.core.equity_of("s") < 10 * CASH // 100


def test_what_nobody_stated_a_capital_for_has_no_margin():
    driver = paper(poor(capital=0))
    hold(driver, "1")
    fall(driver, 20_000)
    assert lots(driver) == 1_000


@pytest.mark.parametrize(
    ("on", "side", "qty", "is_refused"),
    [
        (PERP, "buy", "0.177", False),  # 900 / (50,000 x 1.01 x (0.1 + fees))
        (PERP, "buy", "0.182", True),
        (SPOT, "buy", "0.017", False),
        (SPOT, "buy", "0.019", True),
    ],
)
def test_an_order_needs_its_margin(on, side, qty, is_refused):
    handle = hold(paper(poor()), qty, side, on=on)
    assert (handle.refusal is not None) is is_refused
    if is_refused:
        assert handle.refusal.code == "initial_margin"


def test_what_works_and_what_is_held_elsewhere_counts_and_what_closes_does_not():
    driver = paper(poor())
    hold(driver, "0.100")
    driver.do(lambda s: s.buy(ETH, "1.60", "1900"), on=ETH)
    driver.advance(LATENCY)
    assert hold(driver, "0.020").refusal.code == "initial_margin"
    assert hold(driver, "0.100", "sell").refusal is None
    assert lots(driver) == 0
    assert hold(driver, "0.080", "sell").refusal is None, "the other way round"


def test_the_level_kept_of_one_instrument_is_that_of_a_whole_look():
    drawn = random.Random(5)
    driver = paper(poor(instruments=(PERP,)), names=(PERP,))
    margining = driver.core.trader.margining
    seen = {True: 0, False: 0}
    for _ in range(60):
        side, qty = drawn.choice(("buy", "sell")), f"0.{drawn.randrange(1, 120):03}"
        hold(driver, qty, side)
        if lots(driver):
            for _ in range(20):
                mark = drawn.randrange(350_000, 650_000)
                exact = margining._is_under("s", PERP, mark)
                assert margining.may_end("s", PERP, mark) is exact
                seen[exact] += 1
    assert min(seen.values()) > 50
