"""How the fate of an order is found: connections, races of cancels and fills, strays."""

import pytest
from tests.properties.driver import (
    ETH,
    MS,
    PERP,
    SECOND,
    Driver,
    Venue,
    one_strategy,
    settings_of,
)

from plimsoll.core.model import IdMaker, OrderState, Refusal
from plimsoll.core.records import (
    AbsenceShown,
    Blocked,
    CancelIntended,
    ConnectionEnded,
    IncidentRaised,
    LeaseTaken,
    OrderSent,
    OutcomeLost,
    QueryAnswered,
    QueryIntended,
    RequestAnswered,
    RetirementIntended,
)
from plimsoll.core.settings import BreakerSettings, Timing

S = OrderState
TIMING = Timing()
PROOF_NS = (TIMING.recv_window_ms + TIMING.absence_margin_ms) * MS + 4 * SECOND


@pytest.fixture
def live():
    return Driver().live()


def asked(driver, *, via="trade", connection=3):
    driver.do(lambda s: s.buy(PERP, "0.010", "49000"))
    order = driver.newest
    stamp = (f"r{driver.seq}", driver.now_ns // MS, via, connection)
    driver.put(OrderSent, order.id, "create", *stamp)
    return order


def nothing(driver, query):
    venue = Venue()
    venue.wallet = driver.core.ledger.cash
    venue.position = {PERP: driver.core.ledger.account_lots(PERP, frozenset())}
    driver.answer(query, venue.rows(query))


def run(driver, ns, answer=nothing):
    until = driver.now_ns + ns
    while driver.now_ns < until:
        driver.advance(100 * MS)
        queries, driver.queries = driver.queries, []
        for query in queries:
            answer(driver, query)


def shown(order):
    """Answer a question about an order with what the venue would say of it as it is here."""

    def answer(driver, query):
        if query.client_order_id != order.id:
            nothing(driver, query)
            return
        driver.report(order.id, order.state, cum=order.venue_cum_lots, source="query")
        driver.put(QueryAnswered, query.query_id, True, 1, "")

    return answer


def codes(driver):
    return [one.code for one in driver.of(IncidentRaised)]


def cancels(driver):
    return len(driver.of(CancelIntended))


# ---- proof of absence and the connection that carried it (ORD-10 b) ----


def test_silence_proves_nothing_while_an_answer_may_still_come(live):
    order = asked(live)
    run(live, TIMING.answer_ns + PROOF_NS + 20 * SECOND)
    assert order.state == "unknown"
    assert [(r.connection, r.client_order_id) for r in live.of(RetirementIntended)] == [
        (3, order.id)
    ]
    live.put(ConnectionEnded, "trade", 2)
    run(live, 5 * SECOND)
    assert order.state == "unknown"
    live.put(ConnectionEnded, "trade", 3)
    at_ns = live.now_ns
    run(live, 6 * SECOND)
    assert order.state is S.ABSENT
    assert live.of(AbsenceShown)[0].ts_ns >= at_ns + 2 * SECOND  # three questions, all after it


def test_its_connection_is_to_end_by_the_time_the_rest_is_proven(live):
    order = asked(live)
    run(live, TIMING.answer_ns + PROOF_NS)
    (retired,) = live.of(RetirementIntended)
    margin_ns = TIMING.absence_margin_ms * MS
    sent_ns = order.signed_ms * MS
    since = retired.ts_ns - sent_ns - TIMING.recv_window_ms * MS
    assert margin_ns // 2 <= since < margin_ns


def test_conditional_orders_are_asked_for_as_such(live):
    order = asked(live)
    run(live, TIMING.answer_ns + SECOND)
    assert {one.is_plain for one in live.of(QueryIntended) if one.kind == "order"} == {True}
    order.trigger_ticks = order.price_ticks
    before = len(live.of(QueryIntended))
    run(live, 4 * SECOND)
    later = [one for one in live.of(QueryIntended)[before:] if one.kind == "order"]
    assert {one.is_plain for one in later} == {False}


def test_an_answered_request_binds_its_connection_no_more(live):
    order = asked(live)
    live.answered(order.id, "unknown")
    run(live, PROOF_NS)
    assert order.state is S.ABSENT
    assert live.of(RetirementIntended) == []


def test_a_rest_request_binds_until_it_ends(live):
    order = asked(live, via="rest", connection=0)
    run(live, TIMING.answer_ns + PROOF_NS + 5 * SECOND)
    assert order.state == "unknown"
    assert live.of(RetirementIntended) == []  # there is no connection to end
    live.answered(order.id, "unknown")
    run(live, 6 * SECOND)
    assert order.state is S.ABSENT


def test_a_new_session_has_none_of_the_old_connections(live):
    order = asked(live)
    live.put(LeaseTaken, "main", "acc", "test", "1")
    assert order.create_on == 0


def test_an_amend_that_may_still_be_answered_is_not_given_up(live):
    order = live.open_order()
    live.do(lambda s: s._port.amend(handle_of(s, order), "49010", None))
    live.put(OrderSent, order.id, "amend", "r9", live.now_ns // MS, "trade", 5)
    run(live, TIMING.answer_ns + PROOF_NS + 20 * SECOND, shown(order))
    assert order.amend_qty_lots
    live.put(ConnectionEnded, "trade", 5)
    run(live, 8 * SECOND, shown(order))
    assert not order.amend_qty_lots


def handle_of(strategy, order):
    from plimsoll.core.strategy import OrderHandle

    handle = OrderHandle(strategy._port, order.instrument)
    handle.order = order
    return handle


# ---- duplicate ids (ORD-3) ----


@pytest.mark.parametrize("code", [110072, 170141])
def test_a_duplicate_id_is_looked_up_at_once_and_is_no_refusal(live, code):
    order = asked(live)
    live.put(RequestAnswered, order.id, "create", "r", "unknown", code, "duplicate", "")
    assert order.state == "unknown"
    assert live.queries[-1].client_order_id == order.id
    live.report(order.id, S.OPEN, source="query")
    assert order.state is S.OPEN


# ---- cancels ----


def cancel(driver, order):
    driver.do(lambda s: handle_of(s, order).cancel())
    driver.was_sent(order.id, "cancel")


def test_a_lost_cancel_is_sent_once_more_when_the_venue_still_shows_the_order(live):
    order = live.open_order()
    cancel(live, order)
    run(live, TIMING.answer_ns + 2 * SECOND, shown(order))
    assert [one.action for one in live.of(OutcomeLost)] == ["cancel"]
    assert cancels(live) == 2
    live.was_sent(order.id, "cancel")
    run(live, 30 * SECOND, shown(order))
    assert cancels(live) == 2
    assert codes(live).count("cancel_stuck") == 1


def test_a_lost_cancel_whose_order_has_ended_is_not_repeated(live):
    order = live.open_order()
    cancel(live, order)

    def filled(driver, query):
        if query.client_order_id == order.id:
            driver.execute(order.id, 10, "x1", query_id=query.query_id)
            driver.report(order.id, S.FILLED, cum=10, source="query")
        nothing(driver, query)

    run(live, TIMING.answer_ns + 5 * SECOND, filled)
    assert order.state is S.FILLED
    assert cancels(live) == 1


def test_an_open_order_the_venue_calls_gone_is_looked_up(live):
    order = live.open_order()
    cancel(live, order)
    live.answered(order.id, "gone", "cancel")
    assert live.queries[-1].client_order_id == order.id
    assert order.state is S.OPEN  # "gone" says nothing about fills
    run(live, 2 * SECOND, shown(order))
    assert cancels(live) == 2


def test_a_cancel_that_lost_to_a_fill_is_one_completion_without_alarm(live):
    """V-7: a second Filled message carries the rejected cancel."""
    order = live.open_order()
    cancel(live, order)
    live.execute(order.id, 10, "x1")
    live.report(order.id, S.FILLED, cum=10)
    live.now_ns += MS
    live.report(order.id, S.FILLED, cum=10, reason="EC_OrigClOrdIDDoesNotExist CancelByUser")
    live.answered(order.id, "gone", "cancel")
    assert (order.state, order.cancel_pending) == (S.FILLED, False)
    assert codes(live) == []
    fills = [told for what, told in live.strategies["s"].heard if what == "fill"]
    assert len(fills) == 1


def test_an_amend_refused_because_the_order_filled_changes_nothing(live):
    order = live.open_order()
    live.do(lambda s: handle_of(s, order).amend(qty="0.020"))
    live.was_sent(order.id, "amend")
    assert live.core.state.exposure.buys["", PERP] == 20
    live.execute(order.id, 10, "x1")
    assert order.state is S.PARTIAL  # it may be one of twenty
    live.answered(order.id, "refused", "amend")
    live.report(order.id, S.FILLED, cum=10)
    assert (order.state, order.amend_qty_lots) == (S.FILLED, 0)
    assert live.core.state.exposure.buys["", PERP] == 0
    assert codes(live) == []


# ---- after the end ----


def test_a_fill_after_a_cancel_is_booked_told_and_asked_about(live):
    order = live.open_order()
    live.report(order.id, S.CANCELED, cum=0)
    live.queries.clear()
    live.execute(order.id, 2, "late")
    assert live.core.ledger.qty_lots("s", PERP) == 2
    assert codes(live) == ["late_fill"]
    assert live.of(Blocked) == []
    assert [one.client_order_id for one in live.queries if one.kind == "order"] == [order.id]


def test_a_fill_the_cancel_had_counted_is_no_surprise(live):
    order = live.open_order()
    live.report(order.id, S.CANCELED, cum=2)
    live.execute(order.id, 2, "x1")
    assert codes(live) == []


# ---- strays (ORD-6, LSE-9) ----


def absent(driver, *, reduce_only=False):
    driver.do(lambda s: s.sell(PERP, "0.010", "51000", reduce_only=reduce_only))
    order = driver.newest
    driver.put(AbsenceShown, order.id, "test")
    assert order.state is S.ABSENT
    return order


def test_an_absent_order_that_turns_up_live_is_taken_back_blocked_and_cancelled(live):
    order = absent(live)
    live.report(order.id, S.OPEN)
    assert order.state is S.OPEN
    assert live.core.safety.blocks[PERP]
    assert [one.client_order_id for one in live.of(CancelIntended)] == [order.id]


def test_one_that_can_only_reduce_is_left(live):
    order = absent(live, reduce_only=True)
    live.report(order.id, S.OPEN, reduce_only=True)
    assert order.state is S.OPEN
    assert live.of(CancelIntended) == []


def test_strays_may_be_kept_by_setting():
    driver = Driver(settings_of(strays="keep")).live()
    order = absent(driver)
    driver.report(order.id, S.OPEN)
    assert driver.of(CancelIntended) == []
    assert driver.core.safety.blocks[PERP]


def intruder(driver):
    unknown = IdMaker(driver.settings.tag, 7, 41).peek()
    driver.report(unknown, S.OPEN)
    return unknown


def test_an_order_under_our_tag_that_nobody_here_made_is_ended_and_stops_the_account():
    settings = settings_of(one_strategy(instruments=(PERP, ETH)), breakers=BreakerSettings())
    driver = Driver(settings).live(PERP, ETH)
    unknown = intruder(driver)
    assert "intruder" in codes(driver)
    assert [one.client_order_id for one in driver.of(CancelIntended)] == [unknown]
    assert list(driver.core.safety.blocks) == [PERP]
    handle = driver.do(lambda s: s.buy(ETH, "0.10", "1999"))
    assert handle.refusal.code is Refusal.HALTED  # its epoch is above what the log knows (JRN-2)
    assert ("unknown_epoch", "account") in driver.core.state.trips.active


def test_the_watchdogs_orders_are_no_intruders(live):
    live.report("accW-000001-000000001-A", S.OPEN, reduce_only=True)
    assert live.of(Blocked) == []


def test_a_foreign_order_is_asked_for_by_the_venues_id(live):
    live.report("", S.OPEN, venue_id="venue-77")
    live.put(LeaseTaken, "main", "acc", "test", "1")
    live.core.session.keeper.inquiring.inquiries.start(
        live.core.orders.find("venue-77"), live.now_ns
    )
    live.connect()
    live.advance(SECOND)
    questions = [one for one in live.of(QueryIntended) if one.kind == "order"]
    assert {(one.client_order_id, one.venue_order_id) for one in questions} == {("", "venue-77")}
