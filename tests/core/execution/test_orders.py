"""How each record changes an order: the venue's orders of events, told one by one."""

import pytest
from tests.properties.driver import PERP, SECOND, Driver, report_of

from plimsoll.core.model import FOREIGN, OrderState, Side
from plimsoll.core.records import AbsenceShown, Blocked, IncidentRaised, OutcomeLost, SendRefused

S = OrderState


@pytest.fixture
def live():
    return Driver().live()


def contradictions(driver):
    return [one.text for one in driver.of(IncidentRaised) if one.code == "contradiction"]


def test_the_usual_life(live):
    order = live.open_order(qty="0.010")
    live.execute(order.id, 4, "e1", price=489_000)
    assert (order.state, order.filled_lots, order.leaves_lots) == (S.PARTIAL, 4, 6)
    live.execute(order.id, 6, "e2", price=490_000)
    assert (order.state, order.leaves_lots) == (S.FILLED, 0)
    assert order.filled_notional == 4 * 489_000 + 6 * 490_000
    assert live.core.ledger.qty_lots("s", PERP) == 10


def test_a_fill_before_the_answer_and_before_new_is_booked_at_once(live):
    live.do(lambda s: s.buy(PERP, "0.010", "49000"))
    order = live.newest
    live.was_sent(order.id)
    live.execute(order.id, 3, "e1")
    assert (order.state, order.filled_lots) == (S.PARTIAL, 3)
    live.answered(order.id)
    live.report(order.id, S.OPEN)
    assert order.state is S.PARTIAL
    assert contradictions(live) == []


def test_a_lost_answer_ends_with_the_venues_report(live):
    live.do(lambda s: s.buy(PERP, "0.010", "49000"))
    order = live.newest
    live.was_sent(order.id)
    live.answered(order.id, "unknown")
    assert order.state == "unknown"
    assert live.core.state.exposure.buys["", PERP] == 10
    live.report(order.id, S.OPEN)
    assert order.state is S.OPEN


def test_a_fill_after_the_end_is_booked(live):
    order = live.open_order()
    live.report(order.id, S.CANCELED, cum=0)
    live.execute(order.id, 2, "late")
    assert (order.state, order.filled_lots) == (S.CANCELED, 2)
    assert live.core.ledger.qty_lots("s", PERP) == 2


def test_a_whole_fill_after_a_cancel_blocks_and_is_told(live):
    order = live.open_order()
    live.report(order.id, S.CANCELED)
    live.execute(order.id, 10, "late")
    assert order.filled_lots == 10
    assert "canceled order reported filled" in contradictions(live)
    assert PERP in live.core.safety.blocks


def test_cancelled_with_fills_keeps_them_and_counts_what_is_not_booked_yet(live):
    order = live.open_order()
    live.report(order.id, S.CANCELED, cum=4)
    assert (order.state, order.leaves_lots) == (S.CANCELED, 4)
    assert live.core.state.exposure.buys["", PERP] == 4
    live.execute(order.id, 4, "e1")
    assert live.core.state.exposure.buys["", PERP] == 0
    assert contradictions(live) == []


def test_a_second_filled_changes_nothing(live):
    order = live.open_order()
    live.execute(order.id, 10, "e1")
    before = live.core.books_hash()
    live.report(order.id, S.FILLED, cum=10)
    live.report(order.id, S.FILLED, cum=10, reason="cancel rejected")
    assert live.core.books_hash() == before
    assert contradictions(live) == []


def test_a_refused_cancel_leaves_the_order_as_it_is(live):
    handle = live.do(lambda s: s.buy(PERP, "0.010", "49000"))
    order = live.newest
    live.report(order.id, S.OPEN)
    live.do(lambda _s: handle.cancel())
    assert order.cancel_pending
    assert order.leaves_lots == 10
    live.answered(order.id, "gone", "cancel")
    assert (order.cancel_pending, order.state) == (False, S.OPEN)


def a_cancel_of_an_unanswered_create(live):
    live.do(lambda s: s.buy(PERP, "0.010", "49000"))
    order = live.newest
    live.was_sent(order.id)
    live.advance(SECOND)
    handle = live.strategies["s"].results[-1]
    live.do(lambda _s: handle.cancel())
    live.was_sent(order.id, "cancel")
    return order


def test_a_cancel_answered_before_its_create_leaves_the_creates_clock_running(live):
    """Seed 32 of the world: the order stayed SENT for ever."""
    order = a_cancel_of_an_unanswered_create(live)
    live.answered(order.id, "gone", "cancel")
    assert (order.state, order.cancel_pending) == (S.SENT, False)
    live.advance(5 * SECOND)
    assert order.state == "unknown"


def test_a_cancel_does_not_begin_the_creates_time_anew(live):
    order = a_cancel_of_an_unanswered_create(live)
    live.advance(9 * SECOND // 2)
    assert order.state == "unknown"
    assert order.cancel_pending, "its own time has only begun"
    live.advance(6 * SECOND)
    assert not order.cancel_pending


def test_a_cancel_says_nothing_about_when_a_create_must_have_arrived(live):
    """Seed 150 of the world: cancels repeated under a halt put proof of absence off for ever."""
    order = a_cancel_of_an_unanswered_create(live)
    created_ms = order.signed_ms
    live.advance(SECOND)
    live.was_sent(order.id, "cancel")
    assert order.signed_ms == created_ms


def test_an_amend_counts_the_larger_until_it_is_answered(live):
    handle = live.do(lambda s: s.buy(PERP, "0.010", "49000"))
    order = live.newest
    live.report(order.id, S.OPEN)
    live.do(lambda _s: handle.amend(price="49500", qty="0.020"))
    assert (order.leaves_lots, order.worst_price_ticks) == (20, 495_000)
    live.report(order.id, S.OPEN, price=495_000, qty=20)
    assert (order.qty_lots, order.amend_qty_lots, order.is_busy) == (20, 0, False)


def test_a_refused_amend_gives_back_what_it_reserved(live):
    handle = live.do(lambda s: s.buy(PERP, "0.010", "49000"))
    order = live.newest
    live.report(order.id, S.OPEN)
    live.do(lambda _s: handle.amend(qty="0.020"))
    live.answered(order.id, "refused", "amend")
    assert (order.leaves_lots, live.core.state.exposure.buys["", PERP]) == (10, 10)


def test_an_order_filled_to_its_old_quantity_stays_alive_while_an_amend_is_in_flight(live):
    handle = live.do(lambda s: s.buy(PERP, "0.010", "49000"))
    order = live.newest
    live.report(order.id, S.OPEN)
    live.do(lambda _s: handle.amend(qty="0.020"))
    live.execute(order.id, 10, "e1")
    assert (order.state, order.leaves_lots) == (S.PARTIAL, 10)
    live.execute(order.id, 5, "e2")
    assert contradictions(live) == []
    live.report(order.id, S.PARTIAL, qty=20, cum=15)
    assert (order.qty_lots, order.leaves_lots) == (20, 5)


def test_an_order_filled_beyond_its_old_quantity_has_its_new_one(live):
    handle = live.do(lambda s: s.buy(PERP, "0.010", "49000"))
    order = live.newest
    live.report(order.id, S.OPEN)
    live.do(lambda _s: handle.amend(qty="0.020"))
    live.execute(order.id, 20, "e1")
    assert (order.state, order.filled_lots, order.qty_lots) == (S.FILLED, 20, 20)
    assert contradictions(live) == []


def test_an_amend_of_the_venue_is_taken_over(live):
    order = live.open_order()
    live.report(order.id, S.OPEN, price=489_990)
    assert order.price_ticks == 489_990


def test_older_statements_are_ignored(live):
    order = live.open_order()
    live.report(order.id, S.PARTIAL, cum=5, updated_ms=2_000_000_000_000)
    live.report(order.id, S.CANCELED, cum=0, updated_ms=1_999_999_999_999)
    assert (order.state, order.venue_cum_lots) == (S.PARTIAL, 5)


def test_more_filled_than_ordered_is_booked_blocked_and_told(live):
    order = live.open_order()
    live.execute(order.id, 12, "e1")
    assert live.core.ledger.qty_lots("s", PERP) == 12
    assert contradictions(live) == ["more was filled than ordered"]
    assert [one.instrument for one in live.of(Blocked)] == [PERP]


def test_a_foreign_order_is_adopted_counted_and_never_a_strategys(live):
    live.say(report_of("by-hand", S.OPEN, side=Side.SELL, qty=7, cum=2))
    order = live.core.orders.find("by-hand")
    assert (order.owner, order.leaves_lots) == (FOREIGN, 5)
    assert live.core.state.exposure.sells["", PERP] == 5
    assert ("order", S.OPEN) not in live.strategies["s"].heard


def test_an_execution_of_an_unknown_order_is_adopted_with_the_orders_whole_quantity(live):
    live.execute("by-hand", 3, "e1", order_qty=8)
    order = live.core.orders.find("by-hand")
    assert (order.owner, order.state, order.leaves_lots) == (FOREIGN, S.PARTIAL, 5)
    assert live.core.ledger.qty_lots(FOREIGN, PERP) == 3


def test_orders_without_our_id_are_found_by_the_venues(live):
    live.say(report_of("", S.OPEN, venue_id="v-9"))
    live.say(report_of("", S.CANCELED, venue_id="v-9", updated_ms=2_000_000_000_000))
    order = live.core.orders.find("v-9")
    assert order.state is S.CANCELED


def test_an_absent_order_that_turns_up_is_adopted_again_blocked_and_may_be_cancelled(live):
    handle = live.do(lambda s: s.buy(PERP, "0.010", "49000"))
    order = live.newest
    live.was_sent(order.id)
    live.put(OutcomeLost, order.id, "create", "test")
    live.put(AbsenceShown, order.id, "test")
    assert (order.state, live.core.state.exposure.buys["", PERP]) == (S.ABSENT, 0)
    live.report(order.id, S.OPEN)
    assert order.state is S.OPEN
    assert live.core.state.exposure.buys["", PERP] == 10
    assert PERP in live.core.safety.blocks
    live.do(lambda _s: handle.cancel())
    assert order.cancel_pending


def test_a_refused_send_ends_the_order_and_a_refused_cancel_send_does_not(live):
    live.do(lambda s: s.buy(PERP, "0.010", "49000"))
    order = live.newest
    live.put(SendRefused, order.id, "create", "lease")
    assert (order.state, order.reason) == (S.ABSENT, "lease")
    other = live.open_order()
    live.do(lambda s: s._port.requests.append(_cancel(other)))
    live.put(SendRefused, other.id, "cancel", "journal")
    assert (other.state, other.cancel_pending) == (S.OPEN, False)


def _cancel(order):
    from plimsoll.core.strategy import CancelRequest

    return CancelRequest(order, "test")


def test_records_about_orders_nobody_knows_are_no_error(live):
    live.answered("nobody")
    live.was_sent("nobody")
    live.put(SendRefused, "nobody", "create", "x")
    assert live.core.orders.find("nobody") is None


def test_only_the_newest_closed_orders_are_kept(live):
    live.core.orders.keep_closed = 2
    for _ in range(4):
        live.report(live.open_order().id, S.CANCELED, updated_ms=2_000_000_000_000)
    assert len(live.core.orders.closed) == 2
    assert len(live.core.orders.id_of_venue_id) == 2
