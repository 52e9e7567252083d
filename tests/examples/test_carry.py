"""The funding carry in a backtest: in and out by the rates that were paid, earning just those."""

import random
from fractions import Fraction
from itertools import pairwise
from math import ceil

import pytest
from tests.backtest.bars import HALF, MINUTE, T0_MS, series_of, walk
from tests.examples.test_strategies import CARRY, tuned
from tests.properties.driver import CASH, PERP, SPOT, WIDE

from plimsoll.backtest.plan import Plan
from plimsoll.backtest.run import run
from plimsoll.core.settings import StrategySettings

HOUR = 60 * MINUTE
DAYS = 30
BEGIN_MS = T0_MS // HOUR * HOUR
EIGHT_HOURS = 8 * HOUR
CAPITAL = 10_000
ENTER, LEAVE = 0.0002, 0.00005


def drawn_rates(seed):
    """Return a rate each eight hours that wanders: for days it is worth it, for days it is not."""
    drawn, rate, found = random.Random(seed), 0.0001, []
    for n in range(1, DAYS * 3):
        rate = round(rate * 0.85 + drawn.gauss(0.00001, 0.00008), 8)
        found.append((BEGIN_MS + n * EIGHT_HOURS, rate))
    return found


def carried(seed, rates=None):
    bars = walk(DAYS * 24, seed, step=0.004)
    rows = [(BEGIN_MS + n * HOUR, *row[1:]) for n, row in enumerate(bars)]
    spot, perpetual = series_of(rows, SPOT), series_of(rows, PERP)
    found = drawn_rates(seed) if rates is None else rates
    perpetual.rates = lambda: iter([found])
    settings = StrategySettings(
        name="carry", source="tests:Carry", instruments=(SPOT, PERP), capital=CAPITAL * CASH
    )
    made = tuned(CARRY, notional=5_000.0, enter=ENTER, leave=LEAVE, every=3_600.0)
    plan = Plan(
        strategies=(settings,),
        load=lambda _one: made,
        series=[spot, perpetual],
        span_ns=HOUR * 1_000_000,
        half_spread_ppm=HALF,
        limits=WIDE,
    )
    return run(plan).owners[0], rows, found


def held_at(fills, name, at_ms):
    return sum(
        one.side * Fraction(str(one.qty))
        for one in fills
        if one.instrument == name and one.ts_ns < at_ms * 1_000_000
    )


@pytest.mark.parametrize("seed", [3, 5])
def test_it_is_paid_what_an_independent_sum_of_the_rates_gives(seed):
    owner, rows, rates = carried(seed)
    closes = {at + HOUR: last for at, *_, last, _ in rows}
    received = Fraction(0)
    count = 0
    for at_ms, rate in rates:
        held = held_at(owner.fills, PERP, at_ms)
        paid = held * Fraction(str(closes[at_ms])) * Fraction(f"{rate:.8f}")
        received -= Fraction(ceil(paid * CASH), CASH)
        count += bool(held)
    assert owner.execution["fundings"] == count >= 10
    assert owner.execution["funding_paid"] == pytest.approx(float(-received), abs=1e-7)
    assert received > 0, "it is short while longs pay"
    cash, last = Fraction(0), Fraction(str(rows[-1][4]))
    coins = {SPOT: Fraction(0), PERP: Fraction(0)}
    for one in owner.fills:
        price, qty = Fraction(str(one.price)), one.side * Fraction(str(one.qty))
        cash -= price * qty
        coins[one.instrument] += qty
        cash -= Fraction(one.fee) if one.instrument == PERP or one.side < 0 else 0
        if one.instrument == SPOT and one.side > 0:  # the venue takes its fee in the coin
            coins[SPOT] -= Fraction(one.fee) / price
    equity = CAPITAL + cash + received + sum(coins.values()) * last
    # Less than a lot of coins is left by fees, and worth what it was when it was left.
    assert owner.final_equity == pytest.approx(float(equity), abs=0.005)


def test_it_is_in_while_the_rate_is_high_and_hedged_whenever_it_is():
    owner, _, rates = carried(3)
    wants = False
    for (at_ms, rate), (until_ms, _) in pairwise(rates):
        wants = rate >= LEAVE if wants else rate >= ENTER
        perpetual = held_at(owner.fills, PERP, until_ms)
        assert bool(perpetual) is wants, f"after {rate} at {at_ms}"
        coin = held_at(owner.fills, SPOT, until_ms)
        assert abs(coin + perpetual) <= Fraction("0.001") + coin / 500
    assert {one.side for one in owner.fills} == {1, -1}


def test_the_next_rate_is_not_known_before_it_is_paid():
    """Cut off what comes later: nothing before changes."""
    whole, _, rates = carried(5)
    for cut in (20, 40, 60):
        part, _, _ = carried(5, rates[:cut])
        until_ns = rates[cut][0] * 1_000_000
        assert [one for one in whole.fills if one.ts_ns < until_ns] == [
            one for one in part.fills if one.ts_ns < until_ns
        ]


def test_without_rates_it_stays_out():
    owner, _, _ = carried(3, rates=[])
    assert owner.fills == []
    assert owner.final_equity == CAPITAL
