"""Orders, ledger and exposure under random histories, each against a naive twin."""

import random
from collections import defaultdict
from fractions import Fraction
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.properties.driver import (
    CASH,
    INSTRUMENTS,
    MS,
    PERP,
    SPOT,
    T0,
    Driver,
    execution_of,
    report_of,
    settings_of,
)
from tests.properties.market_of_chance import Chance

from plimsoll.core.engine import Core, restore, snapshot
from plimsoll.core.model import TERMINAL, OrderState, OrderType, Side, TimeInForce
from plimsoll.core.portfolio import Ledger
from plimsoll.core.records import OrderIntended

S = OrderState
HOW = (OrderType.LIMIT, TimeInForce.GTC)
SIDES = st.sampled_from(Side)


# ---- (a) deliveries in any order, any number of times ----


@st.composite
def histories(draw):
    """Some orders of ours and of others, filled step by step; every message the venue sends."""
    ids, messages, at = [], [], T0 // MS
    for number in range(draw(st.integers(1, 4))):
        name = f"o{number}"
        side, qty = draw(SIDES), draw(st.integers(1, 12))
        ids.append((name, side, qty, draw(st.booleans())))
        cum, status = 0, S.OPEN
        messages.append(report_of(name, status, side=side, qty=qty, updated_ms=at))
        while cum < qty and draw(st.integers(0, 3)):
            at += 1
            lots = draw(st.integers(1, qty - cum))
            cum += lots
            status = S.FILLED if cum == qty else S.PARTIAL
            price = 500_000 + draw(st.integers(-50, 50))
            fee = draw(st.integers(-5, 50))
            messages.append(
                execution_of(
                    f"x{at}", name, side, lots, price=price, fee=fee, at_ms=at, order_qty=qty
                )
            )
            messages.append(report_of(name, status, side=side, qty=qty, cum=cum, updated_ms=at))
        if cum < qty and draw(st.booleans()):
            at += 1
            messages.append(report_of(name, S.CANCELED, side=side, qty=qty, cum=cum, updated_ms=at))
    return ids, messages, at


def books_of(ids, messages):
    driver = Driver(settings_of()).begin()
    for name, side, qty, is_own in ids:
        if is_own:
            driver.core.apply(
                OrderIntended(*driver.stamp(), name, "s", PERP, side, *HOW, 500_000, qty, False, "")
            )
    for message in messages:
        driver.core.apply(message(driver.stamp()))
    return driver.core


@settings(max_examples=150)
@given(history=histories(), data=st.data())
def test_any_order_and_number_of_deliveries_gives_the_same_books(history, data):
    ids, messages, _ = history
    expected = books_of(ids, messages)
    shuffled = data.draw(st.permutations(messages + messages[: len(messages) // 2]))
    found = books_of(ids, shuffled)
    assert found.ledger.neutral(frozenset()) == expected.ledger.neutral(frozenset())
    assert found.books_hash() == expected.books_hash()
    assert set(found.orders.working) == set(expected.orders.working)


# ---- (b) exposure ----


def naive_exposure(core):
    buys: Any = defaultdict(int)
    sells: Any = defaultdict(int)
    working: Any = defaultdict(int)
    for order in (*core.orders.working.values(), *core.orders.closed.values()):
        scope = order.owner if order.is_paper else ""
        working[scope] += order.state not in TERMINAL
        if not order.reduce_only:
            side = buys if order.side is Side.BUY else sells
            side[scope, order.instrument] += order.leaves_lots
    return [{key: lots for key, lots in one.items() if lots} for one in (buys, sells, working)]


@settings(max_examples=15)
@given(seed=st.integers(0, 1 << 32))
def test_exposure_kept_step_by_step_is_the_sum_over_all_orders(seed, chaos):
    def judge(chance):
        kept = chance.driver.core.state.exposure
        tables = (kept.buys, kept.sells, kept.open_orders)
        assert [
            {key: lots for key, lots in one.items() if lots} for one in tables
        ] == naive_exposure(chance.driver.core)

    chance = Chance(chaos.settings, chaos.load, seed)
    chance.judge = judge
    chance.run(60)


# ---- (c) money ----


class Twin:
    """The same books in fractions, one formula each."""

    def __init__(self) -> None:
        self.qty, self.cost, self.realised = Fraction(0), Fraction(0), Fraction(0)
        self.paid, self.fees = Fraction(0), Fraction(0)
        self.cash: dict[str, Fraction] = defaultdict(Fraction)

    def book(self, instrument, side, lots, price, fee, coin):
        qty = side.sign * Fraction(instrument.lot) * lots
        value = qty * Fraction(instrument.tick) * price
        self.paid += value
        before, realised = self.qty, Fraction(0)
        if before * qty < 0:
            closing = min(abs(qty), abs(before))
            entry = self.cost / before
            realised = closing * (value / qty - entry) * (1 if before > 0 else -1)
            left = abs(qty) - closing
            self.cost = (
                self.cost * (1 - closing / abs(before))
                if not left
                else value / qty * left * side.sign
            )
        else:
            self.cost += value
        self.qty += qty
        self.realised += realised
        self.cash[coin] -= Fraction(fee, CASH)
        if instrument.is_spot:
            self.cash[instrument.quote] -= value
            self.cash[instrument.base] += qty
            if coin == instrument.base:
                self.qty -= Fraction(fee, CASH)
        else:
            self.cash[instrument.settle] += realised


FILLS = st.lists(
    st.tuples(SIDES, st.integers(1, 40), st.integers(400_000, 600_000), st.integers(-30, 300)),
    min_size=1,
    max_size=30,
)


@settings(max_examples=150)
@given(fills=FILLS)
def test_perpetual_money_is_that_of_the_fractions(fills):
    instrument, ledger, twin = INSTRUMENTS[PERP], Ledger(), Twin()
    ledger.instruments.update(INSTRUMENTS)
    for number, (side, lots, price, fee) in enumerate(fills):
        record: Any = execution_of(
            f"x{number}", "o", side, lots, price=price, fee=fee, at_ms=number
        )
        ledger.book_execution("s", record((1, 1, 1, 0)))
        twin.book(instrument, side, lots, price, fee, "USDT")
        held = ledger.position("s", PERP)
        steps = number + 1
        assert Fraction(held.qty_units, CASH) == twin.qty
        # Against us, and by less than a cash unit for each closing execution.
        assert 0 <= twin.realised - Fraction(held.realised_units, CASH) <= Fraction(2 * steps, CASH)
        # What was paid and not realised is the cost, to the last unit.
        assert held.realised_units - held.cost_units == -twin.paid * CASH
        assert held.qty_units or held.cost_units == 0
        assert held.fee_units == sum(row[3] for row in fills[:steps])
        assert ledger.cash.get("USDT", 0) == held.realised_units - held.fee_units
        profit = held.realised_units + ledger.unrealised("s", PERP, 500_000)
        assert Fraction(profit, CASH) == twin.qty * 50_000 - twin.paid


@settings(max_examples=150)
@given(fills=FILLS)
def test_spot_wallets_are_those_of_the_fractions(fills):
    instrument, ledger, twin = INSTRUMENTS[SPOT], Ledger(), Twin()
    ledger.instruments.update(INSTRUMENTS)
    for number, (side, lots, price, fee) in enumerate(fills):
        coin = "BTC" if side is Side.BUY else "USDT"
        record: Any = execution_of(
            f"x{number}", "o", side, lots, price=price, fee=fee, coin=coin, instrument=SPOT
        )
        ledger.book_execution("s", record((1, 1, 1, 0)))
        twin.book(instrument, side, lots, price, fee, coin)
    held = ledger.position("s", SPOT)
    assert Fraction(held.qty_units, CASH) == twin.qty
    for coin in ("BTC", "USDT"):
        assert Fraction(ledger.cash.get(coin, 0), CASH) == twin.cash[coin]
    # Every unit of quote that moved is a profit, a cost or a fee.
    quote_fees = sum(fee for side, _, _, fee in fills if side is Side.SELL)
    moved = -twin.cash["USDT"] * CASH - quote_fees
    base_worth = held.fee_units - quote_fees
    assert held.realised_units - held.cost_units - base_worth == -moved


# ---- (g) replay and snapshots ----


@settings(max_examples=10)
@given(seed=st.integers(0, 1 << 32), cut=st.floats(0, 1))
def test_a_snapshot_anywhere_and_the_rest_of_the_log_give_the_same_books(seed, cut, chaos):
    chance = Chance(chaos.settings, chaos.load, seed)
    chance.run(50)
    log = chance.driver.log
    at = int(cut * len(log))
    first = Core()
    for record in log[:at]:
        first.apply(record)
    second = Core(state=restore(snapshot(first.state)))
    for record in log[at:]:
        second.apply(record)
    assert second.books_hash() == chance.driver.core.books_hash()
    kept, found = chance.driver.core.state.exposure, second.state.exposure
    assert {k: v for k, v in found.buys.items() if v} == {k: v for k, v in kept.buys.items() if v}
    assert set(second.orders.behind) == set(chance.driver.core.orders.behind)
    assert snapshot(restore(snapshot(second.state))) == snapshot(second.state)


@settings(max_examples=8)
@given(seed=st.integers(0, 1 << 32))
def test_a_log_replays_to_the_same_bytes_and_hashes(seed, chaos):
    chance = Chance(chaos.settings, chaos.load, seed)
    chance.run(60)
    again = chaos.replayed(chance.driver.log, chaos.load)
    assert again.books_hash() == chance.driver.core.books_hash()
    assert again.state_hash() == chance.driver.core.state_hash()


def test_twenty_thousand_orderings_in_gate_size():
    """Q5: a fixed crowd of mixed fills, shuffled and doubled, always the same books."""
    choose = random.Random(5)
    messages = [
        execution_of(
            f"x{number}",
            f"o{number % 7}",
            choose.choice(list(Side)),
            choose.randint(1, 9),
            price=500_000 + choose.randint(-999, 999),
            at_ms=T0 // MS + number // 2,
            order_qty=200,
        )
        for number in range(40)
    ]
    ids: list[tuple[str, Side, int, bool]] = []
    expected = books_of(ids, messages).ledger.neutral(frozenset())
    for _ in range(100):
        some = messages + choose.sample(messages, 10)
        choose.shuffle(some)
        assert books_of(ids, some).ledger.neutral(frozenset()) == expected
