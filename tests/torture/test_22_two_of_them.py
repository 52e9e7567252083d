"""Row 22: two programs, or two strategies, on one account collide.

People lose money to a second copy started by mistake, which doubles every order, and to strategies
that share an account and take each other's profit for their own. Here a second engine of an account
refuses to start on the same machine; on another machine it sees at its start orders that carry its
own tag and are not in its log, and halts before it sends anything. Two strategies on one account
keep books of their own, exact to the last unit: on two instruments, since two live ones on the same
instrument are not supported yet.

Judged from the exchange's record: whose orders are there, and what each order's executions paid.
"""

from collections import defaultdict
from decimal import Decimal

import pytest
from tests.simulation.world.facts import Violation
from tests.torture.stage import ETH, FULL, PERP, Stage, actor

from plimsoll.core.records import Halted, OrderIntended, OrderSent
from plimsoll.core.strategy import Strategy

UNIT = 10**8


class Both(Strategy):
    """Takes in turns, and keeps an order resting."""

    qty: float = 0.02

    def on_start(self):
        self.turns = 0
        self.resting = None

    def on_book(self, market):
        name = market.instrument.name
        self.turns += 1
        if self.resting is None or not self.resting.is_working:
            self.resting = self.buy(name, self.qty, market.book.mid * 0.99)
        if self.turns % 3 == 0:
            up = (self.turns // 12) % 2 == 0
            (self.buy if up else self.sell)(name, self.qty * (1 + self.turns % 4))


def one() -> Stage:
    return Stage({"a": Both}, actor("a", PERP))


def test_a_second_engine_of_the_account_is_refused_on_the_same_machine():
    stage = one()
    with stage.running() as engine:
        stage.ready()
        stage.run(3)
        second = stage.second(name="one")
        with pytest.raises(Violation, match="one engine per account"):
            second.machine.start()
        assert second.records == [], "it wrote nothing"
        stage.run(3)
        stage.agree()
        assert engine.machine.starts == 1


def test_a_second_engine_on_another_machine_halts_before_it_sends():
    stage = one()
    with stage.running() as engine:
        stage.ready()
        stage.until("orders", lambda: stage.judge.counts["orders"] > 2)
        second = stage.second(name="two")
        second.machine.start()
        stage.until("its halt", lambda: bool(second.of(Halted)))
        stage.run(15)
        halted = second.of(Halted)[0]
        assert "another engine uses this account" in halted.reason
        assert [one for one in second.of(OrderSent) if one.action != "cancel"] == []
        links = {one.link for one in stage.judge.orders.values()}
        assert links <= {one.client_order_id for one in engine.of(OrderIntended)}
        assert engine.is_running


def test_two_strategies_keep_exact_books_of_their_own():
    stage = Stage(
        {"a": Both, "b": Both}, actor("a", PERP), actor("b", ETH, qty=0.3), sim={"speed": 20.0}
    )
    with stage.running() as engine:
        stage.ready()
        stage.run(300 if FULL else 20)
        stage.agree()
        paid, fees, lots = by_owner(stage, engine)
        assert len(stage.judge.executions) > 30
        ledger = engine.core.ledger
        for owner, name in (("a", PERP), ("b", ETH)):
            held = ledger.position(owner, name)
            assert held.qty_units == lots[owner] * UNIT, "quantity"
            assert held.fee_units == fees[owner] * UNIT, "fees"
            # Realised is what came in and went out, with what is held put back at its cost.
            assert held.realised_units == paid[owner] * UNIT + held.cost_units, "profit"
        strangers = {owner for (owner, _), one in ledger.positions.items() if one.qty_units}
        assert strangers <= {"a", "b"}


def by_owner(stage, engine):
    """Return cash flow, fees and quantity of each owner by the exchange's executions."""
    owners = {one.client_order_id: one.owner for one in engine.of(OrderIntended)}
    paid: dict[str, Decimal] = defaultdict(Decimal)
    fees: dict[str, Decimal] = defaultdict(Decimal)
    lots: dict[str, Decimal] = defaultdict(Decimal)
    for line in stage.judge.executions.values():
        owner = owners[line["orderLinkId"]]
        sign = 1 if line["side"] == "Buy" else -1
        qty = Decimal(line["execQty"])
        paid[owner] -= sign * qty * Decimal(line["execPrice"])
        lots[owner] += sign * qty
        fees[owner] += Decimal(line["execFee"])
    return paid, fees, lots
