"""Flattens: slices until flat, what is told at the end, restarts, and the gate in every state."""

import json

import pytest
from tests.properties.driver import (
    CASH,
    ETH,
    PERP,
    SECOND,
    SPOT,
    Driver,
    Puppet,
    Venue,
    one_strategy,
    replayed,
    settings_of,
)

from plimsoll.core.engine import restore, snapshot
from plimsoll.core.engine.reach import preview
from plimsoll.core.execution.flatten import LIMIT_NS
from plimsoll.core.model import Mode, OrderState, Refusal, Scope, Side, scope_of
from plimsoll.core.records import (
    BookChanged,
    CancelIntended,
    FlattenBegun,
    FlattenEnded,
    Halted,
    IncidentRaised,
    LinkChanged,
    OperatorCommand,
    OrderDenied,
    OrderIntended,
    SessionEnded,
    SessionStopping,
)

S = OrderState


def command(driver, cmd, **args):
    return driver.put(OperatorCommand, f"c{driver.seq}", "anna", cmd, json.dumps(args))


def held(lots=100, name=PERP, **more) -> tuple[Driver, Venue]:
    """Return a session in which instance ``s`` holds a position, and its venue."""
    venue = Venue()
    venue.wallet = {"USDT": 10**6 * CASH}
    driver = Driver(settings_of(one_strategy(instruments=(name,)), **more)).live(name, venue=venue)
    driver.do(lambda s: s.buy(name, "10"), on=name)
    order = driver.newest
    driver.was_sent(order.id)
    driver.answered(order.id)
    driver.execute(order.id, lots, "first", price=order.price_ticks)
    driver.report(order.id, S.CANCELED, cum=lots)
    driver.sent.clear()
    venue.position = {name: lots}
    venue.wallet = driver.core.ledger.cash
    return driver, venue


def slices(driver):
    return [one for one in driver.sent if isinstance(one, OrderIntended)]


def fill(driver, venue, sent, lots):
    """Let the venue take a slice as far as ``lots``, and end it."""
    driver.was_sent(sent.client_order_id)
    driver.answered(sent.client_order_id)
    if lots:
        name = f"x{driver.seq}"
        driver.execute(sent.client_order_id, lots, name, price=sent.price_ticks)
        venue.position[sent.instrument] += sent.side.sign * lots
    full = lots == sent.qty_lots
    driver.report(sent.client_order_id, S.FILLED if full else S.CANCELED, cum=lots)


def test_a_flatten_halts_cancels_and_then_closes_in_slices():
    driver, venue = held()
    driver.do(lambda s: s.buy(PERP, "0.1", "49000"))
    entry = driver.newest
    decided = command(driver, "flatten", reason="out")
    kinds = [type(one) for one in decided]
    assert kinds == [Halted, CancelIntended, FlattenBegun, OrderIntended]
    assert entry.cancel_pending
    first = slices(driver)[-1]
    assert (first.side, first.qty_lots, first.price_ticks) == (Side.SELL, 100, 495_000)
    assert (first.owner, first.reduce_only, str(first.tif)) == ("s", True, "ioc")
    fill(driver, venue, first, 40)
    driver.advance(SECOND // 4)
    second = slices(driver)[-1]
    assert second.qty_lots == 60
    fill(driver, venue, second, 60)
    driver.advance(SECOND // 4)
    assert driver.of(FlattenEnded) == []  # the entry may have been filled before its cancel
    driver.report(entry.id, S.CANCELED)
    driver.advance(SECOND // 4)
    (ended,) = driver.of(FlattenEnded)
    assert ended.outcome == "flat"
    assert "cost 50 against the start" in ended.text, ended.text
    assert driver.core.safety.is_halted


def test_an_entry_that_crossed_with_its_cancel_is_closed_as_well():
    driver, venue = held()
    driver.do(lambda s: s.buy(PERP, "0.1", "49000"))
    entry = driver.newest
    command(driver, "flatten", reason="out")
    fill(driver, venue, slices(driver)[-1], 100)
    driver.advance(SECOND // 4)
    driver.was_sent(entry.id)
    driver.execute(entry.id, 100, "late", price=490_000)
    driver.report(entry.id, S.FILLED, cum=100)
    driver.advance(SECOND // 4)
    last = slices(driver)[-1]
    assert (last.side, last.qty_lots) == (Side.SELL, 100)
    fill(driver, venue, last, 100)
    driver.advance(SECOND // 4)
    assert [one.outcome for one in driver.of(FlattenEnded)] == ["flat"]
    assert driver.core.ledger.qty_lots("s", PERP) == 0


def test_a_flatten_that_does_not_learn_how_an_order_ended_says_so():
    driver, venue = held()
    driver.do(lambda s: s.buy(PERP, "0.1", "49000"))
    entry = driver.newest
    command(driver, "flatten", reason="out")
    fill(driver, venue, slices(driver)[-1], 100)
    driver.advance(31 * SECOND)
    (ended,) = driver.of(FlattenEnded)
    assert ended.outcome == "left"
    assert f"how they end is not known: {entry.id}" in ended.text


class Buyer(Puppet):
    """Buys once, by itself."""

    def on_start(self):
        self.buy(PERP, "0.1")


def test_a_flatten_replays_to_the_same_decisions():
    driver = Driver(load=lambda _: Buyer()).live()
    driver.book()
    order = driver.newest
    driver.was_sent(order.id)
    driver.execute(order.id, 100, "x0")
    command(driver, "flatten", reason="out")
    venue = Venue()
    venue.position = {PERP: 100}
    fill(driver, venue, slices(driver)[-1], 100)
    driver.settle(venue)
    assert len(driver.of(FlattenEnded)) == 1
    again = replayed(driver.log, lambda _: Buyer())
    assert again.state_hash() == driver.core.state_hash()


def test_visible_depth_bounds_a_slice():
    driver, _ = held()
    driver.book(bids=[(49_999.0, 0.03), (49_000.0, 50.0)])
    command(driver, "flatten")
    assert slices(driver)[-1].qty_lots == 30


def test_the_preview_names_what_is_then_cancelled_and_closed():
    driver, _ = held()
    order = driver.open_order()
    driver.sent.clear()
    seen = preview(driver.core.state, Scope(), flattens=True)
    command(driver, "flatten")
    assert [one.id for one in seen.cancels] == [order.id]
    assert [one.client_order_id for one in driver.of(CancelIntended)] == [order.id]
    assert [(one.owner, one.instrument, one.lots) for one in seen.closes] == [("s", PERP, 100)]
    assert [(one.owner, one.instrument, one.qty_lots) for one in slices(driver)] == [
        ("s", PERP, 100)
    ]


def test_what_is_left_when_time_is_over_is_told_and_nothing_more_is_sent():
    driver, venue = held()
    command(driver, "flatten")
    until = driver.now_ns + LIMIT_NS
    while driver.now_ns <= until:
        for sent in slices(driver):
            fill(driver, venue, sent, 0)
        driver.sent.clear()
        driver.settle(venue, beats=1)
    (ended,) = driver.of(FlattenEnded)
    assert ended.outcome == "left"
    assert "s still holds 0.100 linear:BTCUSDT" in ended.text
    assert [one.code for one in driver.of(IncidentRaised)][-1] == "not_flat"
    count = len(driver.of(OrderIntended))
    driver.settle(venue)
    assert len(driver.of(OrderIntended)) == count


@pytest.mark.parametrize("state", ["halted", "blocked", "link", "stale", "limits"])
def test_a_perpetual_is_closed_in_every_state_in_which_the_books_are_known(state):
    driver, _ = held()
    if state == "halted":
        command(driver, "halt")
    elif state == "blocked":
        driver.core.safety.blocks[PERP] = "x"
    elif state == "link":
        driver.put(LinkChanged, "public.linear", False, "gone")
    elif state == "stale":
        driver.now_ns += 3 * SECOND
        driver.put(BookChanged, PERP, 50, True, 99, 1, 0, [(2.0, 1.0)], [(1.0, 1.0)])
    command(driver, "flatten")
    assert [one.qty_lots for one in slices(driver)] == [100]


def test_without_any_price_nothing_is_sent_and_it_is_told():
    driver, _ = held()
    market = driver.core.markets[PERP]
    driver.put(LinkChanged, "public.linear", False, "gone")
    market.mark = market.last = 0.0
    market.bid_ticks = market.ask_ticks = 0
    command(driver, "flatten")
    driver.advance(LIMIT_NS + SECOND)
    assert slices(driver) == []
    assert "no price of it is known" in driver.of(FlattenEnded)[0].text


def test_books_that_are_not_compared_hold_it_up():
    driver, venue = held()
    driver.put(LinkChanged, "private", False, "gone")
    command(driver, "flatten")
    driver.advance(SECOND)
    assert slices(driver) == []
    driver.put(LinkChanged, "private", True, "")
    driver.settle(venue)
    assert len(slices(driver)) == 1


def test_on_perpetuals_a_further_slice_follows_an_unknown_one_on_spot_it_does_not():
    for name, lots, count in ((PERP, 100, 2), (SPOT, 100_000, 1)):
        driver, _ = held(lots, name)
        driver.book(name)
        command(driver, "flatten")
        (first,) = slices(driver)
        driver.was_sent(first.client_order_id)
        driver.answered(first.client_order_id, "unknown")
        assert driver.core.orders.find(first.client_order_id).state is S.UNKNOWN
        driver.advance(SECOND)
        assert len(slices(driver)) == count, name


def test_spot_sells_own_coins_while_halted_and_never_more_than_those():
    driver, venue = held(100_000, SPOT)
    driver.book(SPOT)
    driver.core.ledger.cash["BTC"] = 10 * CASH  # most of it is not ours
    command(driver, "flatten")
    (first,) = slices(driver)
    assert (first.side, first.qty_lots, first.reduce_only) == (Side.SELL, 100_000, False)
    fill(driver, venue, first, 99_995)
    driver.advance(SECOND)
    (ended,) = driver.of(FlattenEnded)
    assert ended.outcome == "flat"
    assert "s keeps 0.000005 spot:BTCUSDT as dust" in ended.text
    assert len(slices(driver)) == 1


def test_an_ordinary_sale_on_spot_is_no_way_around_a_halt():
    driver, _ = held(100_000, SPOT)
    command(driver, "halt")
    plain = driver.do(lambda s: s.sell(SPOT, "0.01", "50100"), on=SPOT)
    assert plain.refusal.code is Refusal.HALTED
    more = driver.do(lambda s: s.sell(SPOT, "0.2", "50100", reduce_only=True), on=SPOT)
    assert more.refusal.code is Refusal.NOT_HELD
    own = driver.do(lambda s: s.sell(SPOT, "0.05", "50100", reduce_only=True), on=SPOT)
    assert own.refusal is None


def test_each_instance_closes_its_own_and_others_are_left_alone():
    two = [one_strategy(name=name, instruments=(PERP,)) for name in "ab"]
    driver = Driver(settings_of(*two)).live(PERP)
    for number, name in enumerate("ab", start=1):
        driver.do(lambda s: s.buy(PERP, "1"), name)
        order = driver.newest
        driver.was_sent(order.id)
        driver.execute(order.id, 100 * number, name)
        driver.report(order.id, S.CANCELED, cum=100 * number)
    driver.sent.clear()
    command(driver, "close", instrument=PERP, strategy="b")
    assert [(one.owner, one.qty_lots) for one in slices(driver)] == [("b", 200)]
    assert list(driver.core.safety.halts) == [Scope("b", PERP)]


def test_a_paper_position_is_closed_on_paper():
    driver = Driver(settings_of(one_strategy(Mode.PAPER)))
    driver.begin()
    driver.book()
    driver.mark(PERP, 50_000.0)
    driver.do(lambda s: s.buy(PERP, "0.1"))
    driver.advance(SECOND)
    assert driver.core.ledger.qty_lots("s", PERP) == 100
    command(driver, "flatten")
    driver.advance(SECOND)
    assert driver.core.ledger.qty_lots("s", PERP) == 0
    assert slices(driver) == []
    assert [one.outcome for one in driver.of(FlattenEnded)] == ["flat"]


def exits(driver):
    """Let an exit rest and a stop wait; the venue made the stop for the instance."""
    driver.do(lambda s: s.sell(PERP, "0.1", "52000", reduce_only=True))
    exit_ = driver.newest
    driver.do(lambda s: s.sell(PERP, "0.1", "48000", reduce_only=True))
    stop = driver.newest
    for order in (exit_, stop):
        driver.was_sent(order.id)
        driver.answered(order.id)
        driver.report(order.id, S.OPEN, untriggered=order is stop, reduce_only=True)
    driver.sent.clear()
    return exit_, stop


def test_an_exit_that_rests_makes_room_and_one_that_waits_protects_until_the_end():
    """The venue counts resting reductions and refuses a slice beyond them: found on the record."""
    driver, venue = held()
    exit_, stop = exits(driver)
    seen = preview(driver.core.state, Scope(), flattens=True)
    assert ([one.id for one in seen.cancels], seen.naked) == ([exit_.id, stop.id], [])
    command(driver, "flatten")
    assert (exit_.cancel_pending, stop.cancel_pending) == (True, False)
    fill(driver, venue, slices(driver)[0], 100)
    driver.report(exit_.id, S.CANCELED)
    driver.advance(SECOND)
    assert stop.cancel_pending


def test_a_flatten_goes_on_after_a_restart():
    driver, venue = held()
    command(driver, "flatten", reason="out")
    fill(driver, venue, slices(driver)[0], 40)
    state = restore(snapshot(driver.core.state))
    assert list(state.flattens) == list(driver.core.state.flattens)
    again = Driver(driver.settings, state=state, epoch=2, now_ns=driver.now_ns + 100 * SECOND)
    again.live(venue=venue)
    again.settle(venue, beats=2)
    (sent,) = slices(again)
    assert sent.qty_lots == 60
    fill(again, venue, sent, 60)
    again.settle(venue, beats=2)
    assert [one.outcome for one in again.of(FlattenEnded)] == ["flat"]


def test_a_resume_ends_it():
    driver, _ = held()
    command(driver, "flatten")
    command(driver, "resume", reason="enough")
    (ended,) = driver.of(FlattenEnded)
    assert (ended.outcome, driver.core.safety.halts) == ("given_up", {})
    assert "anna resumed: enough" in ended.text


def test_a_refused_slice_is_tried_again_after_a_second_and_its_reason_told():
    driver, _ = held(venue_orders_per_second=1)  # and the entry has used it up
    command(driver, "flatten")
    denied = driver.of(OrderDenied)
    assert [one.code for one in denied] == ["rate"]
    driver.advance(SECOND // 2)
    assert len(driver.of(OrderDenied)) == 1
    driver.advance(2 * SECOND)
    assert len(slices(driver)) == 1


# ---- at the end of a session ----


def test_the_flatten_policy_closes_before_the_session_ends():
    driver, venue = held(end_policy="flatten")
    driver.put(SessionStopping, "SIGTERM")
    fill(driver, venue, slices(driver)[0], 100)
    driver.settle(venue)
    assert [one.outcome for one in driver.of(FlattenEnded)] == ["flat"]
    assert len(driver.of(SessionEnded)) == 1
    assert not driver.core.safety.halts, "a stop is no halt: the next session trades"


def test_a_flatten_policy_that_does_not_get_there_in_time_says_so():
    driver, venue = held(end_policy="flatten")
    driver.put(SessionStopping, "SIGTERM")
    for _ in range(36):
        driver.settle(venue, beats=1)
        for sent in slices(driver):
            fill(driver, venue, sent, 0)
        driver.sent.clear()
    (ended,) = driver.of(FlattenEnded)
    assert ended.outcome == "left"
    assert "still holds 0.100" in ended.text
    assert len(driver.of(SessionEnded)) == 1


def test_a_flatten_cut_off_at_a_stop_is_not_gone_on_with_in_the_next_session():
    driver, venue = held(end_policy="flatten")
    driver.put(SessionStopping, "SIGTERM")
    again = Driver(driver.settings, state=restore(snapshot(driver.core.state)), epoch=2)
    again.live(venue=venue)
    assert [one.outcome for one in again.of(FlattenEnded)] == ["given_up"]
    assert slices(again) == []


def test_scopes_of_a_flatten_are_those_of_its_halt():
    driver, _ = held()
    decided = command(driver, "flatten", scope=f"instrument:{PERP}")
    begun = next(one for one in decided if isinstance(one, FlattenBegun))
    assert scope_of(begun.scope) == Scope("", PERP)
    assert begun.references == {PERP: 500_000}
    assert ETH not in begun.references
