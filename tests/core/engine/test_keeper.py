"""Unknown outcomes, lost links, restarts, halts: what the core does without a strategy asking."""

import json
import random

import pytest
from tests.properties.driver import (
    CASH,
    MS,
    PERP,
    PERP_USDC,
    SECOND,
    SPOT,
    SPOT_USDC,
    Driver,
    Puppet,
    Venue,
    execution_of,
    settings_of,
)

from plimsoll.core.engine import restore, snapshot
from plimsoll.core.model import OrderState, Side
from plimsoll.core.records import (
    AbsenceShown,
    Blocked,
    CancelIntended,
    DifferenceFound,
    EquityMeasured,
    ExecutionReported,
    Halted,
    IncidentRaised,
    LinkChanged,
    OperatorCommand,
    OrderIntended,
    OutcomeLost,
    QueryIntended,
    Rearmed,
    Released,
    SessionEnded,
    SessionStopping,
)
from plimsoll.core.settings import Timing

S = OrderState
TIMING = Timing()
WINDOW_NS = (TIMING.recv_window_ms + TIMING.absence_margin_ms) * MS


def funded(settings=None, venue=None):
    venue = venue or Venue()
    venue.wallet = {"USDT": 10**6 * CASH}
    driver = Driver(settings).live(venue=venue)
    venue.wallet = driver.core.ledger.cash
    return driver, venue


def asked(driver, **named):
    """Place an order through the puppet; it leaves, and nothing comes back."""
    driver.do(lambda s: s.buy(PERP, "0.010", "49000", **named))
    order = driver.newest
    driver.was_sent(order.id)
    return order


def command(driver, cmd, **args):
    return driver.put(OperatorCommand, f"c{driver.seq}", "anna", cmd, json.dumps(args))


def run(driver, ns, *, answer, step=100 * MS):
    """Let time pass in small steps, answering every query with ``answer(driver, query)``."""
    until = driver.now_ns + ns
    while driver.now_ns < until:
        driver.advance(step)
        queries, driver.queries = driver.queries, []
        for query in queries:
            answer(driver, query)


def nothing(driver, query):
    """Answer that nothing is known of an order, and whatever else as we have it."""
    venue = Venue()
    venue.wallet = driver.core.ledger.cash
    venue.position = {PERP: driver.core.ledger.account_lots(PERP, frozenset())}
    driver.answer(query, venue.rows(query))


# ---- timeouts and absence ----


def test_no_answer_in_time_is_unknown_and_asked_for():
    driver, _ = funded()
    order = asked(driver)
    driver.advance(TIMING.answer_ns)
    assert order.state == "sent"
    driver.advance(SECOND)
    assert order.state == "unknown"
    assert [q.client_order_id for q in driver.queries if q.kind == "order"] == [order.id]


def test_an_accepted_order_the_stream_never_confirms_is_asked_for():
    driver, _ = funded()
    order = asked(driver)
    driver.answered(order.id)
    driver.advance(TIMING.confirm_ns + SECOND)
    assert order.state == "unknown"
    assert [q.client_order_id for q in driver.queries if q.kind == "order"] == [order.id]


def test_three_clean_empties_after_the_window_prove_absence_and_not_before():
    driver, _ = funded()
    order = asked(driver)
    driver.answered(order.id, "unknown")
    sent_ns = driver.now_ns
    run(driver, WINDOW_NS + 1 * SECOND, answer=nothing)
    assert order.state == "unknown"
    asked_before = len([q for q in driver.of(QueryIntended) if q.kind == "order"])
    assert asked_before >= 10
    run(driver, 4 * SECOND, answer=nothing)
    assert order.state is S.ABSENT
    shown = driver.of(AbsenceShown)[0]
    assert shown.ts_ns - sent_ns >= WINDOW_NS + 2 * SECOND


def test_failed_queries_never_prove_absence():
    driver, _ = funded()
    order = asked(driver)
    driver.answered(order.id, "unknown")

    def failing(driver, query):
        if query.kind == "order":
            driver.answer(query, ok=False)
        else:
            nothing(driver, query)

    run(driver, WINDOW_NS + 30 * SECOND, answer=failing)
    assert order.state == "unknown"
    assert "order_unknown" in [one.code for one in driver.core.incidents]


def test_empties_on_both_sides_of_a_broken_link_do_not_add_up():
    driver, _ = funded()
    order = asked(driver)
    driver.answered(order.id, "unknown")
    run(driver, WINDOW_NS + 2 * SECOND, answer=nothing)
    inquiry = driver.core.session.keeper.inquiring.inquiries.open[order.id]
    assert inquiry.empties in (1, 2)
    driver.put(LinkChanged, "private", False, "broken")
    assert inquiry.empties == 0
    driver.put(LinkChanged, "private", True, "")
    run(driver, 1 * SECOND, answer=nothing)
    assert order.state == "unknown"
    run(driver, 6 * SECOND, answer=nothing)
    assert order.state is S.ABSENT


def test_without_the_private_link_nothing_is_asked():
    driver, _ = funded()
    order = asked(driver)
    driver.put(LinkChanged, "private", False, "broken")
    driver.answered(order.id, "unknown")
    run(driver, WINDOW_NS + 20 * SECOND, answer=nothing)
    assert order.state == "unknown"
    assert not [q for q in driver.of(QueryIntended) if q.kind == "order"]


def test_silence_a_day_later_proves_nothing():
    driver, _ = funded()
    order = asked(driver)
    driver.answered(order.id, "unknown")
    driver.now_ns += 23 * 3_600 * SECOND
    run(driver, WINDOW_NS + 20 * SECOND, answer=nothing)
    assert order.state == "unknown"


def test_an_order_that_crashed_before_its_send_was_noted_counts_from_venue_time():
    driver, _ = funded()
    inquiries = driver.core.session.keeper.inquiring.inquiries
    driver.do(lambda s: s.buy(PERP, "0.010", "49000"))
    order = driver.newest
    inquiries.start(order, driver.now_ns)
    ask = inquiries.due(driver.now_ns, driver.core.orders.find)[0]
    offset = 60 * SECOND
    inquiries.asked(ask, 1, driver.now_ns + WINDOW_NS - SECOND, offset, is_connected=True)
    assert not ask.inquiry.counts
    inquiries.asked(ask, 2, driver.now_ns + WINDOW_NS, offset, is_connected=True)
    assert ask.inquiry.counts


def test_an_unknown_order_found_live_is_open_and_the_inquiry_is_over():
    driver, venue = funded()
    order = asked(driver)
    driver.answered(order.id, "unknown")
    venue.create(driver.of(OrderIntended)[0])
    run(driver, 2 * SECOND, answer=lambda d, q: d.answer(q, venue.rows(q)))
    assert order.state is S.OPEN
    assert not driver.core.session.keeper.inquiring.inquiries.open


def test_an_amend_that_never_arrived_is_given_up_after_the_window():
    driver, venue = funded()
    handle = driver.do(lambda s: s.buy(PERP, "0.010", "49000"))
    order = driver.newest
    venue.create(driver.of(OrderIntended)[0])
    driver.was_sent(order.id)
    driver.report(order.id, S.OPEN)
    driver.do(lambda _s: handle.amend(qty="0.020"))
    driver.was_sent(order.id, "amend")
    from_venue = lambda d, q: d.answer(q, venue.rows(q))  # noqa: E731
    run(driver, WINDOW_NS, answer=from_venue)
    assert order.leaves_lots == 20
    run(driver, 6 * SECOND, answer=from_venue)
    assert (order.state, order.leaves_lots, order.is_busy) == (S.OPEN, 10, False)
    assert [one.action for one in driver.of(AbsenceShown)] == ["amend"]
    assert not driver.core.session.keeper.inquiring.inquiries.open


@pytest.mark.parametrize("breaks", ["the process", "the private link"])
def test_an_amend_lost_with_what_would_have_ended_it_is_given_up_all_the_same(breaks):
    """Killed between the record of an amend and its send: the order was busy for ever."""
    driver, venue = funded()
    handle = driver.do(lambda s: s.buy(PERP, "0.010", "49000"))
    venue.create(driver.of(OrderIntended)[0])
    driver.was_sent(driver.newest.id)
    driver.report(driver.newest.id, S.OPEN)
    driver.do(lambda _s: handle.amend(qty="0.020"))
    if breaks == "the process":
        state, now_ns = restore(snapshot(driver.core.state)), driver.now_ns
        driver = Driver(state=state, epoch=2, now_ns=now_ns).live(venue=venue)
    else:
        driver.was_sent(driver.newest.id, "amend")
        driver.advance(TIMING.answer_ns + SECOND)
        driver.put(LinkChanged, "private", False, "cut")
        driver.put(LinkChanged, "private", True, "")
        driver.answer_all(venue)
    order = next(iter(driver.core.orders.working.values()))
    assert order.is_busy
    run(driver, WINDOW_NS + 8 * SECOND, answer=lambda d, q: d.answer(q, venue.rows(q)))
    assert (order.state, order.leaves_lots, order.is_busy) == (S.OPEN, 10, False)


def test_an_amend_whose_answer_was_lost_is_taken_from_the_venue():
    driver, venue = funded()
    handle = driver.do(lambda s: s.buy(PERP, "0.010", "49000"))
    order = driver.newest
    venue.create(driver.of(OrderIntended)[0])
    driver.was_sent(order.id)
    driver.report(order.id, S.OPEN)
    driver.do(lambda _s: handle.amend(qty="0.020"))
    driver.was_sent(order.id, "amend")
    venue.clock_ms = driver.now_ns // MS
    venue.amend(driver.sent[-1])
    run(driver, TIMING.answer_ns + 2 * SECOND, answer=lambda d, q: d.answer(q, venue.rows(q)))
    assert (order.qty_lots, order.is_busy) == (20, False)


def test_an_open_order_the_venue_forgot_blocks_and_is_told_once():
    driver, _ = funded()
    order = driver.open_order()
    run(driver, 60 * SECOND, answer=nothing)
    assert order.state is S.OPEN
    told = [one.code for one in driver.of(IncidentRaised)]
    assert told.count("order_vanished") == 1
    assert PERP in driver.core.safety.blocks


@pytest.mark.parametrize("seed", [1, 2])
def test_a_thousand_lost_answers_are_resolved_right(seed):
    """Q4: half of the orders live, half never arrived, 30 % of the queries failing."""
    choose = random.Random(seed)
    driver, venue = funded(settings_of(repeat_max=10**6, same_action_max=10**6))
    orders = []
    for _ in range(1_000):
        side = choose.choice(("buy", "sell"))
        price = "49000" if side == "buy" else "51000"
        driver.do(lambda s, side=side, price=price: getattr(s, side)(PERP, "0.001", price))
        orders.append(driver.newest)
    alive = set()
    for sent in list(driver.sent):
        driver.was_sent(sent.client_order_id)
        if choose.random() < 0.5:
            venue.create(sent)
            alive.add(sent.client_order_id)
        driver.answered(sent.client_order_id, "unknown")

    def flaky(driver, query):
        failed = choose.random() < 0.3
        driver.answer(query, () if failed else venue.rows(query), ok=not failed)

    run(driver, WINDOW_NS + 4 * SECOND, answer=flaky, step=500 * MS)
    assert not [order for order in orders if order.state is S.ABSENT and order.id in alive]
    run(driver, 12 * SECOND, answer=flaky, step=500 * MS)
    assert {order.state for order in orders if order.id in alive} == {S.OPEN}
    assert {order.state for order in orders if order.id not in alive} == {S.ABSENT}


# ---- links and restarts ----


def test_losing_the_trade_link_makes_what_is_in_flight_unknown():
    driver, _ = funded()
    order, resting = asked(driver), driver.open_order()
    driver.put(LinkChanged, "trade", False, "broken")
    assert (order.state, resting.state) == (S.UNKNOWN, S.OPEN)
    assert driver.core.state.exposure.buys["", PERP] == 20


def test_what_left_by_rest_is_not_lost_with_the_trade_link():
    driver, _ = funded()
    order = asked(driver)
    order.via = "rest"
    driver.put(LinkChanged, "trade", False, "broken")
    assert order.state == "sent"


def test_a_restart_makes_unanswered_orders_unknown():
    driver, venue = funded()
    driver.do(lambda s: s.buy(PERP, "0.010", "49000"))
    intent = driver.newest
    sent, resting = asked(driver), driver.open_order()
    cancelled = driver.open_order()
    command(driver, "cancel", order=cancelled.id)
    again = Driver(state=restore(snapshot(driver.core.state)), epoch=2).begin()
    found = again.core.orders.find
    assert found(intent.id).state is S.UNKNOWN
    assert found(sent.id).state is S.UNKNOWN
    assert (found(resting.id).state, found(cancelled.id).cancel_pending) == (S.OPEN, False)
    assert {(one.client_order_id, one.action) for one in again.of(OutcomeLost)} == {
        (intent.id, "create"),
        (sent.id, "create"),
        (cancelled.id, "cancel"),
    }
    ids = {order.id for order in (intent, sent, resting, cancelled)}
    again.connect(venue)
    again.do(lambda s: s.buy(PERP, "0.010", "49000"))
    assert again.newest.id > max(ids)


# ---- halts and stops ----


def test_halt_is_recorded_first_then_cancels_what_adds_risk_and_keeps_protection():
    driver, _ = funded()
    entry = driver.open_order()
    exit_ = driver.open_order(side="sell", limit="52000", reduce_only=True)
    decided = command(driver, "halt", reason="drill")
    assert isinstance(decided[0], Halted)
    assert (decided[0].actor, decided[0].reason) == ("anna", "drill")
    assert [one.client_order_id for one in decided[1:]] == [entry.id]
    assert (entry.cancel_pending, exit_.cancel_pending) == (True, False)
    assert driver.do(lambda s: s.buy(PERP, "0.010", "49000")).refusal.code == "halted"


def test_only_a_person_ends_a_halt_and_it_survives_a_restart():
    driver, _ = funded()
    command(driver, "halt", reason="drill")
    again = Driver(state=restore(snapshot(driver.core.state)), epoch=2).live()
    assert again.core.safety.is_halted
    command(again, "resume", reason="checked")
    assert not again.core.safety.is_halted
    assert [one.actor for one in again.of(Rearmed)] == ["anna"]


@pytest.mark.parametrize("outcome", ["gone", "nothing"])
def test_a_halt_cancels_again_what_is_still_there(outcome):
    driver, _ = funded()
    order = driver.open_order()
    command(driver, "halt")
    if outcome == "gone":
        driver.answered(order.id, "gone", "cancel")
    run(
        driver,
        TIMING.answer_ns + 3 * SECOND,
        answer=lambda d, q: d.answer(q, ()) if q.kind != "order" else None,
    )
    assert len([one for one in driver.of(CancelIntended) if one.client_order_id == order.id]) >= 2


def test_an_order_that_turns_up_during_a_halt_is_cancelled():
    driver, _ = funded()
    order = asked(driver)
    driver.answered(order.id, "unknown")
    command(driver, "halt")
    driver.answered(order.id, "gone", "cancel")
    driver.report(order.id, S.OPEN)
    driver.advance(2 * SECOND)
    assert order.cancel_pending


def test_a_stop_cancels_waits_and_ends():
    driver, _ = funded()
    order = driver.open_order()
    exit_ = driver.open_order(side="sell", limit="52000", reduce_only=True)
    driver.put(SessionStopping, "SIGTERM")
    assert (order.cancel_pending, exit_.cancel_pending) == (True, False)
    assert not driver.core.is_ended
    driver.report(order.id, S.CANCELED)
    assert not driver.core.is_ended, "the venue's lists have not been looked at"
    driver.settle()
    assert driver.core.is_ended
    assert driver.strategies["s"].heard[-1][0] in ("stop", "order")


def test_a_stop_that_keeps_orders_ends_at_once():
    driver, _ = funded(settings_of(end_policy="keep"))
    order = driver.open_order()
    driver.put(SessionStopping, "SIGTERM")
    assert driver.core.is_ended
    assert order.state is S.OPEN


def test_a_stop_tells_what_it_could_not_end():
    driver, _ = funded()
    driver.open_order()
    driver.put(SessionStopping, "SIGTERM")
    driver.advance(TIMING.stop_ns + SECOND)
    assert "open_at_stop" in [one.code for one in driver.of(IncidentRaised)]
    assert len(driver.of(SessionEnded)) == 1


def test_a_stop_cancels_again_what_nobody_answered_before_it_ends():
    """The venue may have read the cancel before the create, and the answer may be lost."""
    driver, venue = funded()
    order = driver.open_order()
    venue.create(driver.sent[-1])
    driver.put(SessionStopping, "SIGTERM")
    driver.was_sent(order.id, "cancel")
    while not driver.core.is_ended:
        driver.settle(venue, beats=1)
    assert len(driver.of(CancelIntended)) > 1


def test_a_person_releases_a_block_and_cancels_an_order():
    driver, _ = funded()
    order = driver.open_order()
    driver.put(ExecutionReported, *_strange())
    assert PERP in driver.core.safety.blocks
    command(driver, "release", instrument=PERP)
    assert not driver.core.safety.blocks
    assert len(driver.of(Released)) == 1
    command(driver, "cancel", order=order.id)
    assert order.cancel_pending


def _strange():
    record = execution_of("z", "z", Side.BUY, 1, kind="Surprise")((1, 1, 1, 0))
    return [getattr(record, name) for name in record.__struct_fields__[4:]]


def test_an_unknown_execution_type_blocks_and_books_nothing():
    driver, _ = funded()
    driver.put(ExecutionReported, *_strange())
    assert [one.reason for one in driver.of(Blocked)] == ["unknown execution type 'Surprise'"]
    assert driver.core.ledger.account_lots(PERP, frozenset()) == 0


# ---- executions lead, equity ----


def test_executions_that_lag_behind_the_venues_count_are_fetched():
    driver, venue = funded()
    order = driver.open_order()
    listed = venue.create(driver.of(OrderIntended)[0])
    venue.fill(listed, 4)
    driver.report(order.id, S.PARTIAL, cum=4)
    driver.advance(900 * MS)
    assert not [q for q in driver.queries if q.kind == "order"]
    driver.advance(600 * MS)
    assert [q.client_order_id for q in driver.queries if q.kind == "order"] == [order.id]
    driver.answer_all(venue)
    assert order.filled_lots == 4


def test_equity_is_measured_before_a_strategy_may_ask_and_then_each_second():
    driver, _ = funded()
    records = [type(record) for record in driver.log]
    assert records.index(EquityMeasured) < len(records)
    assert driver.core.losses.equity == 10**6 * CASH
    before = len(driver.of(EquityMeasured))
    driver.advance(5 * SECOND)
    assert 4 <= len(driver.of(EquityMeasured)) - before <= 5


def test_equity_is_not_measured_while_a_holding_has_no_price():
    venue = Venue()
    venue.wallet, venue.position = {"USDT": 1_000 * CASH}, {PERP: 5}
    driver = Driver().begin()
    driver.put(LinkChanged, "private", True, "")
    driver.answer_all(venue)
    driver.advance(3 * SECOND)
    assert driver.of(EquityMeasured) == []
    driver.mark(PERP, 50_100.0)
    driver.advance(1 * SECOND)
    # Five thousandths adopted at 50,000 and marked at 50,100.
    assert driver.core.losses.equity == 1_000 * CASH + CASH // 2


def test_equity_counts_both_settle_coins_at_par_and_a_coin_of_two_pairs_once():
    venue = Venue()
    venue.wallet = {"USDT": 1_000 * CASH, "USDC": 500 * CASH, "BTC": CASH // 100}
    driver = Driver().live(PERP, PERP_USDC, SPOT, SPOT_USDC, venue=venue)
    assert driver.core.losses.equity == 1_000 * CASH + 500 * CASH + 500 * CASH


def test_profit_in_usdc_is_cash_in_usdc_and_counts_in_equity():
    venue = Venue()
    venue.wallet = {"USDT": 1_000 * CASH, "USDC": 500 * CASH}
    venue.position = {PERP_USDC: 100}
    driver = Driver().live(PERP, PERP_USDC, venue=venue)
    driver.mark(PERP_USDC, 50_100.0)
    driver.advance(1 * SECOND)
    # A tenth of a coin adopted at 50,000 and marked at 50,100.
    assert driver.core.losses.equity == 1_510 * CASH


# ---- comparing ----


def test_first_start_adopts_what_the_account_holds():
    venue = Venue()
    venue.wallet, venue.position = {"USDT": 500 * CASH}, {PERP: -3}
    driver = Driver().live(venue=venue)
    assert driver.core.ledger.qty_lots("foreign", PERP) == -3
    assert driver.core.ledger.cash == {"USDT": 500 * CASH}
    assert {one.action for one in driver.of(DifferenceFound)} == {"adopted"}
    assert driver.core.safety.is_reconciled
    assert not driver.core.safety.blocks


def test_a_position_difference_blocks_after_four_more_looks_and_is_released_when_it_agrees():
    driver, venue = funded()
    driver.advance(TIMING.sweep_ns)
    venue.position = {PERP: 7}
    rounds = 0
    while not driver.of(Blocked):
        rounds += 1
        driver.answer_all(venue)
        driver.advance(400 * MS)
        assert rounds < 20
    assert [one.action for one in driver.of(DifferenceFound) if one.subject == "position"] == [
        "blocked"
    ]
    wanted = [q for q in driver.of(QueryIntended) if q.kind == "positions"]
    assert len(wanted) == 1 + 1 + 4
    assert driver.do(lambda s: s.buy(PERP, "0.010", "49000")).refusal.code == "blocked"
    venue.position = {}
    run(driver, TIMING.sweep_ns + SECOND, answer=lambda d, q: d.answer(q, venue.rows(q)))
    assert not driver.core.safety.blocks
    assert len(driver.of(Released)) == 1


def test_a_wallet_difference_is_told_once_and_blocks_nothing():
    driver, venue = funded()
    venue.wallet = {"USDT": 10**6 * CASH + 5}
    run(driver, 60 * SECOND, answer=lambda d, q: d.answer(q, venue.rows(q)))
    told = [one.code for one in driver.of(IncidentRaised)]
    assert told.count("wallet_difference") == 1
    assert not driver.core.safety.blocks


def test_a_failed_query_spoils_its_round():
    driver = Driver().begin()
    driver.put(LinkChanged, "private", True, "")
    for query in driver.queries[:]:
        driver.answer(query, ok=query.kind != "positions")
    driver.queries.clear()
    assert not driver.core.safety.is_reconciled
    driver.advance(2 * SECOND)
    assert [q.kind for q in driver.queries].count("positions") == 1
    driver.answer_all()
    assert driver.core.safety.is_reconciled


def test_fills_that_happened_while_we_were_away_are_booked_by_the_first_round():
    driver, venue = funded()
    order = driver.open_order()
    listed = venue.create(driver.of(OrderIntended)[0])
    driver.put(LinkChanged, "private", False, "broken")
    venue.at(driver.now_ns)
    venue.fill(listed, 10)
    assert driver.core.ledger.qty_lots("s", PERP) == 0
    driver.put(LinkChanged, "private", True, "")
    driver.answer_all(venue)
    assert driver.core.ledger.qty_lots("s", PERP) == 10
    assert order.state is S.FILLED
    assert driver.core.safety.is_reconciled


def test_the_cursor_stays_at_the_newest_execution_the_venue_has_listed():
    driver, venue = funded()
    driver.open_order()
    listed = venue.create(driver.of(OrderIntended)[0])
    driver.put(LinkChanged, "private", False, "broken")
    venue.at(driver.now_ns)
    venue.fill(listed, 10)
    executed_ms = listed.updated_ms
    driver.put(LinkChanged, "private", True, "")
    driver.answer_all(venue)
    run(driver, 6 * TIMING.sweep_ns, answer=lambda d, q: d.answer(q, venue.rows(q)))
    asked_from = [q.since_ms for q in driver.of(QueryIntended) if q.kind == "executions"]
    assert len(asked_from) > 5
    assert max(asked_from[2:]) < executed_ms


def test_an_order_of_an_instrument_no_longer_listed_can_be_asked_for():
    driver, _ = funded()
    driver.report("by-hand", S.OPEN, instrument="linear:OLDUSDT")
    run(driver, 2 * TIMING.sweep_ns, answer=nothing)
    assert "linear" in {q.category for q in driver.of(QueryIntended) if q.instrument}


def test_a_replica_applies_and_never_decides():
    driver, _ = funded()
    driver.open_order()
    replica = Driver(load=lambda _one: Puppet())
    for record in driver.log:
        replica.core.apply(record)
    assert replica.core.books_hash() == driver.core.books_hash()
    assert list(replica.core.decide(driver.log[-1])) == []
    assert replica.core.wake_ns == 0
