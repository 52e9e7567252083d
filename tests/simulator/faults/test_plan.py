"""Which faults are active when, what they reach, and how the seed draws them."""

import json

import pytest

from plimsoll.simulator.faults.ask import Ask, FaultError, ask_of
from plimsoll.simulator.faults.catalogue import CATALOGUE, Manner
from plimsoll.simulator.faults.plan import (
    ACTIVE_MOST,
    Plan,
    Where,
    chooser,
    faults_drawn,
    path_of,
)

S = 1_000_000_000
UIDS = {"sim-key": 1001, "other": 1002}


def plan_of(*asks: Ask, seed: int = 1) -> Plan:
    plan = Plan(chooser(seed), UIDS)
    for ask in asks:
        plan.add(ask, 0, "test")
    return plan


def events(plan: Plan, at_s: float) -> list[tuple[str, str]]:
    return [(change.event, change.fault.ask.name) for change in plan.advance(int(at_s * S))]


def test_a_fault_begins_and_ends_at_its_times() -> None:
    plan = plan_of(Ask("stall", at_s=5, duration_s=2))
    assert plan.next_ns == 5 * S
    assert events(plan, 4.9) == []
    assert events(plan, 5) == [("begin", "stall")]
    assert plan.next_ns == 7 * S
    assert events(plan, 7) == [("end", "stall")]
    assert not plan.active
    assert not plan.is_active("stall")


def test_without_duration_it_lasts_until_it_is_stopped() -> None:
    plan = plan_of(Ask("stall"))
    events(plan, 0)
    assert events(plan, 10**6) == []
    assert plan.stop("f1", 10**6 * S)
    assert events(plan, 10**6) == [("end", "stall")]
    assert not plan.stop("f1", 10**6 * S)


def test_one_that_has_not_begun_can_be_stopped() -> None:
    plan = plan_of(Ask("stall", at_s=5))
    assert plan.stop("f1", 0)
    assert events(plan, 10) == []


def test_an_event_happens_once_or_again_and_again() -> None:
    plan = plan_of(Ask("cut", at_s=1))
    assert events(plan, 1) == [("begin", "cut"), ("occur", "cut"), ("end", "cut")]
    plan = plan_of(Ask("cut", every_s=1, duration_s=10))
    found = events(plan, 9.99)
    assert found[0] == ("begin", "cut")
    assert 6 < len(found) < 20
    assert ("end", "cut") in events(plan, 10)


@pytest.mark.parametrize(
    ("ask", "where", "reached"),
    [
        (Ask("lose_ack"), Where(), True),
        (Ask("lose_ack", endpoint="order.create"), Where(endpoint="/v5/order/create"), True),
        (Ask("lose_ack", endpoint="/v5/order"), Where(endpoint="order.cancel-all"), True),
        (Ask("lose_ack", endpoint="order.create"), Where(endpoint="order.create-batch"), False),
        (Ask("drop_push", topic="order"), Where(topic="order.linear"), True),
        (Ask("drop_push", topic="order"), Where(topic="orderbook.50.BTCUSDT"), False),
        (Ask("drop_delta", symbol="linear:BTCUSDT"), Where(symbol="BTCUSDT"), True),
        (Ask("drop_delta", symbol="BTCUSDT"), Where(symbol="ETHUSDT"), False),
        (Ask("stall", kind="public"), Where(kind="spot"), True),
        (Ask("stall", kind="public"), Where(kind="trade"), False),
        (Ask("stall", connection=3), Where(connection=4), False),
        (Ask("stall", account="other"), Where(uid=1002), True),
        (Ask("stall", account="1002"), Where(uid=1001), False),
    ],
)
def test_scope(ask: Ask, where: Where, *, reached: bool) -> None:
    plan = plan_of(ask)
    events(plan, 0)
    assert bool(plan.hit(ask.name, where)) is reached


def test_each_message_is_drawn_with_the_rate() -> None:
    plan = plan_of(Ask("drop_push", rate=0.2))
    events(plan, 0)
    hits = sum(plan.hit("drop_push", Where()) is not None for _ in range(5000))
    assert 900 < hits < 1100
    assert plan.active["f1"].effects == hits


def test_a_lasting_fault_draws_once_for_each_connection() -> None:
    plan = plan_of(Ask("stall", rate=0.5))
    events(plan, 0)
    held = [n for n in range(1, 200) if plan.holding("stall", Where(connection=n))]
    assert 60 < len(held) < 140
    assert held == [n for n in range(1, 200) if plan.holding("stall", Where(connection=n))]


def test_choice_zero_is_harmless() -> None:
    plan = Plan(lambda label, n: 0, UIDS)
    for name, entry in CATALOGUE.items():
        if entry.manner is not Manner.ONCE and name != "filters_changed":
            plan.add(Ask(name, rate=0.99), 0, "test")
    plan.advance(0)
    for name in CATALOGUE:
        assert plan.hit(name, Where()) is None
        assert plan.holding(name, Where(connection=1)) is None
    assert list(faults_drawn(lambda label, n: 0, 60)) == []


def test_the_seed_draws_faults_that_are_possible_and_over_in_time() -> None:
    names: set[str] = set()
    for seed in range(60):
        drawn = list(faults_drawn(chooser(seed), 20))
        assert drawn == list(faults_drawn(chooser(seed), 20))
        names |= {ask.name for ask in drawn}
        plan = plan_of(*drawn, seed=seed)
        for ask in drawn:
            assert 0 < ask.rate <= CATALOGUE[ask.name].drawn_most or ask.entry.manner == "once"
            assert ask.at_s + ask.duration_s <= 20.1
        plan.advance(21 * S)
        assert not plan.active
    assert names == {name for name, entry in CATALOGUE.items() if entry.drawn_most}


@pytest.mark.parametrize(
    ("found", "key"),
    [
        ({"name": "stal"}, "name"),
        ({"name": "stall", "rat": 1}, "rat"),
        ({"name": "stall", "rate": 2}, "rate"),
        ({"name": "stall", "rate": "much"}, "rate"),
        ({"name": "stall", "at_s": -1}, "at_s"),
        ({"name": "stall", "duration_s": float("inf")}, "duration_s"),
        ({"name": "stall", "every_s": 1}, "every_s"),
        ({"name": "cut", "every_s": 0.001}, "every_s"),
        ({"name": "stall", "symbol": "BTCUSDT"}, "symbol"),
        ({"name": "stall", "kind": "publik"}, "kind"),
        ({"name": "stall", "magnitude": 3}, "magnitude"),
        ({"name": "stall", "code": 3}, "code"),
        ({"name": "http_error", "code": 200}, "code"),
        ({"name": "goodbye", "code": 1}, "code"),
        ({"name": "hand_order", "values": {"qyt": "1"}}, "values.qyt"),
        ({"name": "filters_changed"}, "values"),
        ({"name": "filters_changed", "values": {"tickSize": "0"}}, "values.tickSize"),
        ({"name": "filters_changed", "values": {"qtyStep": "1e-999"}}, "values.qtyStep"),
        ({"name": "fees_changed", "values": {"taker": "free"}}, "values.taker"),
        ({"name": "fees_changed", "values": {"maker": "-2"}}, "values.maker"),
        ({"name": "fees_changed", "values": {"category": "option"}}, "values.category"),
        ({"name": "liquidation", "magnitude": 1.5}, "magnitude"),
        ({"name": "adl", "magnitude": 0}, "magnitude"),
        ({"name": "funding_rate", "magnitude": 2}, "magnitude"),
        ({"name": "huge_frame", "magnitude": 1e12}, "magnitude"),
        ({"name": "crash", "magnitude": -1}, "magnitude"),
        ({"name": "stall", "duration_s": 1e12}, "duration_s"),
        ({"rate": 0.5}, "name"),
    ],
)
def test_what_cannot_be_had_is_refused_by_key(found: dict[str, object], key: str) -> None:
    with pytest.raises(FaultError) as caught:
        ask_of(found)
    assert caught.value.key == key or key in caught.value.text, caught.value


def test_unknown_accounts_and_too_many_faults_are_refused() -> None:
    plan = plan_of()
    with pytest.raises(FaultError, match="no account 'x'; one of 1001, 1002, sim-key, other"):
        plan.add(Ask("stall", account="x"), 0, "test")
    for _ in range(ACTIVE_MOST):
        plan.add(Ask("stall"), 0, "test")
    with pytest.raises(FaultError, match="stop some"):
        plan.add(Ask("stall"), 0, "test")


def test_every_entry_is_explained_and_can_be_asked_for() -> None:
    for name, entry in CATALOGUE.items():
        assert entry.name == name
        assert entry.does
        assert entry.sees
        assert entry.requirement[0] in "NX"
        assert bool(entry.unit) == ("magnitude" in json.dumps(entry.does)), name
        values = {"tickSize": "0.5"} if name == "filters_changed" else {}
        assert ask_of({"name": name, "values": values}).entry is entry


def test_two_spellings_of_an_endpoint() -> None:
    assert path_of("/v5/order/create-batch") == path_of("order.create-batch")
