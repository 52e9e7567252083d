"""Row 21: hands, take-profits at the venue, liquidations and ADL that are not understood.

People lose money to a program that does not know that its position is gone: it sells it again, or
buys back what a person has just closed. Here an execution from outside is an event like any other,
with an owner: the ledger is right with the very message that tells of it, whoever made it, and the
strategy whose position it took is paused and told once.

Judged from the exchange's record: after each execution message our position is the sum of its
executions so far; and no order of the instance follows that would add risk.
"""

from decimal import Decimal

import pytest
from tests.torture.stage import ETH, PERP, Stage, actor

from plimsoll.core.records import ExecutionReported, IncidentRaised, OrderIntended, Paused
from plimsoll.core.strategy import Strategy


class Holder(Strategy):
    """Wants to hold, whatever happens, with a take that stands at the venue."""

    sign: int = 1
    take: float = 0.0

    def on_start(self):
        self.fills = []
        self.price = 0.0

    def on_book(self, market):
        name = market.instrument.name
        self.price = self.price or market.book.mid
        named = {"take": round(self.price * (1 + self.take * self.sign))} if self.take else {}
        self.target(name, qty=0.1 * self.sign, **named)

    def on_fill(self, fill):
        self.fills.append(fill)


def staged(**params) -> Stage:
    return Stage({"a": Holder, "b": Holder}, actor("a", PERP, **params), actor("b", ETH))


class Exact:
    """Compares our position with the exchange's executions after each message of one."""

    def __init__(self, stage) -> None:
        self.stage = stage
        self.last: ExecutionReported | None = None
        self.looks = 0
        self.seen: set[str] = set()
        stage.engine.hears.append(self.hear)

    def hear(self, record) -> None:
        if self.last is not None and record.seq > self.last.seq:
            self._look(self.last)
            self.last = None
        if isinstance(record, ExecutionReported) and record.execution_id not in self.seen:
            self.seen.add(record.execution_id)
            self.last = record

    def _look(self, booked) -> None:
        total = Decimal(0)
        for line in self.stage.judge.executions.values():
            if f"{line['category']}:{line['symbol']}" == booked.instrument:
                sign = 1 if line["side"] == "Buy" else -1
                total += sign * Decimal(line["execQty"]) * (line["execType"] != "Funding")
            if line["execId"] == booked.execution_id:
                break
        core = self.stage.engine.core
        lots = core.ledger.account_lots(booked.instrument, frozenset())
        assert lots * core.state.instruments[booked.instrument].lot == total
        self.looks += 1


ACTS = [
    ("hand_close", {}, "closed_outside", "foreign"),
    (
        "hand_order",
        {"values": {"side": "Sell", "qty": "0.04", "orderType": "Market"}},
        "closed_outside",
        "foreign",
    ),
    ("liquidation", {"magnitude": 0.5}, "position_liquidated", "venue"),
    ("liquidation", {"magnitude": 1.0}, "position_liquidated", "venue"),
    ("adl", {"magnitude": 0.5}, "position_deleveraged", "venue"),
    ("adl", {"magnitude": 1.0}, "position_deleveraged", "venue"),
]


@pytest.mark.parametrize(("act", "fields", "code", "who"), ACTS, ids=lambda one: str(one))
@pytest.mark.parametrize("sign", [1, -1])
def test_what_somebody_else_takes_is_booked_at_once_and_told_once(act, fields, code, who, sign):
    stage = staged(sign=sign)
    if sign < 0 and "values" in fields:
        fields = {"values": {"side": "Buy", "qty": "0.04", "orderType": "Market"}}
    with stage.running() as engine:
        exact = Exact(stage)
        stage.ready()
        stage.until("a position", lambda: abs(stage.held(PERP)) == 100)
        stage.agree()
        asked_ns, before = stage.kernel.now_ns, len(engine.codes())
        stage.ask(act, symbol="BTCUSDT", **fields)
        stage.until("it to be told", lambda: code in engine.codes())
        stage.run(20)
        stage.agree()
        told = [one for one in engine.of(IncidentRaised)[before:] if one.code == code]
        assert len(told) == 1, [one.text for one in told]
        paused = engine.of(Paused)
        assert [(one.owner, one.instrument, one.actor) for one in paused] == [("a", PERP, who)]
        assert stage.actors["a"].is_paused(PERP)
        later = [one for one in engine.of(OrderIntended) if one.ts_ns > asked_ns]
        assert [one for one in later if one.owner == "a" and not one.reduce_only] == []
        assert abs(stage.held(PERP)) < 100
        assert exact.looks >= 3


@pytest.mark.parametrize("sign", [1, -1])
def test_a_take_at_the_venue_is_the_instances_own_and_heard_once(sign):
    stage = staged(sign=sign, take=0.01)
    with stage.running() as engine:
        exact = Exact(stage)
        stage.ready()
        stage.until("a position", lambda: abs(stage.held(PERP)) == 100)
        stage.agree()
        stage.ask("crash", symbol="BTCUSDT", magnitude=0.02 * sign)
        stage.until("the take", lambda: stage.held(PERP) == 0)
        stage.run(10)
        stage.agree()
        lots = [fill.qty_lots * fill.side.sign for fill in stage.actors["a"].fills]
        assert sum(lots) == 0
        assert sum(one for one in lots if one * sign > 0) == 100 * sign, "and not entered again"
        assert engine.of(Paused) == [], "its own stop is nobody else's act"
        assert engine.core.ledger.position("foreign", PERP).qty_units == 0
        assert exact.looks >= 2
