"""The plan of a comparison: each difference with evidence and rule, and none of them an order."""

from typing import Any

from tests.core.engine.test_keeper import funded
from tests.properties.driver import (
    CASH,
    MS,
    PERP,
    SECOND,
    Driver,
    Venue,
    execution_of,
    report_of,
    row_of,
)

from plimsoll.core.execution.reconcile import RULES, Action, Books, Rule, make_plan
from plimsoll.core.model import OrderState, Side
from plimsoll.core.records import DECISIONS, PositionReported, QueryAnswered, WalletReported

ASKED = ("executions", "orders", "positions", "wallet", "cash")


def books_of(driver, told=None) -> Books:
    state = driver.core.state
    return Books(
        state.orders,
        state.ledger,
        state.paper_owners,
        state.safety.blocks,
        state.safety.observed,
        told or {},
    )


def compared(driver: Driver, venue: Venue, rows=(), looks=4):
    """Drive one round with these further rows, the last answer held back; return its plan."""
    comparing: Any = driver.core.session.keeper.comparing
    driver.now_ns += SECOND
    driver.book()
    comparing.looks, comparing.cash_ns = looks, 0
    for record in comparing.start("test"):
        driver._append(record)
        driver.queries.append(record)
    queries, driver.queries = driver.queries, []
    for query in queries:
        for message in venue.rows(query):
            driver.say(message)
        for kind, message in rows:
            if kind == query.kind:
                driver.take(message(driver.stamp(), query.query_id))
        comparing.note(QueryAnswered(0, 0, 0, 0, query.query_id, True, 0, ""))
    return comparing


def shown(plan):
    return [
        (one.action, one.subject, one.key, one.ours, one.theirs, one.rule) for one in plan.steps
    ]


def test_no_step_of_a_plan_is_an_order():
    assert {str(one) for one in Action} == {
        "book",
        "adopt",
        "inquire",
        "wait",
        "block",
        "tell",
        "observe",
        "release",
    }
    assert set(RULES) == set(Rule)
    carriers = Driver().live().core.session.keeper.comparing._carriers
    assert set(carriers) <= set(Action)
    assert DECISIONS  # what the carriers yield is checked by the random divergences


def test_equal_books_have_an_empty_plan():
    driver, venue = funded()
    plan = compared(driver, venue).plan()
    assert (plan.steps, plan.is_final, plan.differences) == ([], True, 0)


def test_each_difference_comes_with_evidence_and_rule():
    driver, venue = funded()
    order = driver.open_order()
    venue.wallet = {"USDT": driver.core.ledger.cash["USDT"] - 40 + 11}
    at_ms = driver.now_ns // MS

    def trade(stamp, query_id):
        made = execution_of("e1", "hand", Side.BUY, 2, fee=40, at_ms=at_ms, query_id=query_id)
        return made(stamp)

    def hand_order(stamp, query_id):
        return report_of("rests", OrderState.OPEN, source="query", query_id=query_id)(stamp)

    def bonus(stamp, query_id):
        return row_of("r1", "BONUS", 11, at_ms=at_ms, query_id=query_id)(stamp)

    venue.position = {PERP: 5}
    rows = [("executions", trade), ("orders", hand_order), ("cash", bonus)]
    comparing = compared(driver, venue, rows)
    plan = comparing.plan()
    assert sorted(shown(plan)) == sorted(
        [
            ("book", "execution", f"{PERP} e1", "not known",
             "Trade buy, 2 lots at 500000 ticks", "execution-by-id"),
            ("adopt", "order", "rests", "not known", f"open buy on {PERP}", "order-listed"),
            ("book", "cash", "r1", "not known", "BONUS 0.00000011 USDT", "cash-by-cause"),
            ("inquire", "order", order.id, "open", "not on the list", "order-not-listed"),
            ("block", "position", PERP, "0.002", "0.005", "position-by-executions"),
        ]
    )  # fmt: skip
    assert [one.is_done for one in plan.steps] == [True] * 3 + [False] * 2
    for one in plan.steps:
        assert one.evidence.query_id
        assert one.evidence.asked_ns == driver.now_ns, one
        assert one.evidence.source.startswith(
            {"book": ("executions", "cash"), "block": "positions"}.get(one.action, "orders")
        )


def test_a_mismatch_is_looked_at_again_before_it_is_one():
    driver, venue = funded()
    venue.position = {PERP: 7}
    plan = compared(driver, venue, looks=3).plan()
    assert ([one.action for one in plan.steps], plan.is_final) == (["wait"], False)
    assert compared(driver, venue, looks=4).plan().is_final


def test_a_plan_carried_out_and_made_again_is_empty():
    driver, venue = funded()
    venue.position, venue.wallet = {PERP: 7}, {"USDT": driver.core.ledger.cash["USDT"] + 3}
    comparing = compared(driver, venue)
    under_way, plan = comparing.under_way, comparing.plan()
    assert [one.action for one in plan.steps] == ["block", "tell"]
    made: list[str] = []
    for _ in range(2):
        made = [type(one).__name__ for one in _carried(driver, comparing, under_way, plan)]
        again = make_plan(under_way, books_of(driver, comparing.told))
        assert again.steps == []
        plan = again
    assert made == ["Reconciled"]
    agreed = compared(driver, funded()[1])
    assert [(one.action, one.key) for one in agreed.plan().steps] == [("release", PERP)]


def test_a_first_start_adopts_and_observes():
    venue = Venue()
    venue.wallet, venue.position = {"USDT": 5 * CASH}, {PERP: -3}
    driver = Driver().begin()
    plan = compared(driver, venue, looks=0).plan()
    assert [(one.action, one.subject, one.rule) for one in plan.steps] == [
        ("adopt", "position", "first-start"),
        ("adopt", "wallet", "first-start"),
        ("observe", "position", "first-start"),
    ]
    assert plan.differences == 0


def test_what_the_streams_say_beside_a_round_is_no_evidence_of_it():
    driver, venue = funded()
    comparing = compared(driver, venue)
    driver.put(PositionReported, PERP, 9, "50000", 0, "stream", 0, b"")
    driver.put(WalletReported, "USDT", 9, "stream", 0, b"")
    assert comparing.plan().steps == []


def _carried(driver, comparing, under_way, plan):
    made = []
    for record in comparing._carry_out(under_way, plan):
        driver._append(record)
        made.append(record)
    return made
