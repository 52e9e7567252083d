"""Halts and pauses: their scopes, what they cancel, and how the venue confirms it."""

import json

import pytest
from tests.properties.driver import (
    ETH,
    PERP,
    SECOND,
    SPOT,
    Driver,
    Listed,
    Venue,
    one_strategy,
    replayed,
    report_of,
    settings_of,
)

from plimsoll.core.engine import restore, snapshot, state_hash
from plimsoll.core.engine.reach import preview
from plimsoll.core.model import OrderState, Scope, Side, TimeInForce, scope_of
from plimsoll.core.records import (
    CancelIntended,
    Halted,
    OperatorCommand,
    OrderDenied,
    Paused,
    Rearmed,
    SessionEnded,
    SessionStopping,
    Swept,
    Unpaused,
)

S = OrderState
TWO = (
    one_strategy(name="a", instruments=(PERP, ETH)),
    one_strategy(name="b", instruments=(PERP, ETH)),
)
PLACES = {(owner, name) for owner in "ab" for name in (PERP, ETH)}


def two(**more) -> Driver:
    return Driver(settings_of(*TWO, **more)).live(PERP, ETH)


def command(driver, cmd, **args):
    return driver.put(OperatorCommand, f"c{driver.seq}", "anna", cmd, json.dumps(args))


def limit_of(name):
    return "49000" if name == PERP else "1900"


def order(driver, owner, name=PERP, side="buy", **named):
    driver.do(lambda s: getattr(s, side)(name, "0.1", limit_of(name), **named), owner, name)
    made = driver.newest
    driver.was_sent(made.id)
    driver.answered(made.id)
    driver.report(made.id, S.OPEN)
    return made


def refused(driver):
    """Return the places in which a new order is refused, with the refusal's code."""
    found = {}
    for owner, name in sorted(PLACES):
        ask = lambda s, name=name: s.buy(name, "0.1", limit_of(name))  # noqa: E731
        handle = driver.do(ask, owner, name)
        if handle.refusal is not None:
            found[owner, name] = str(handle.refusal.code)
    return found


def covered(scope):
    return {place for place in PLACES if scope_of(scope).covers(*place)}


SCOPES = ["", "strategy:a", f"instrument:{PERP}", f"strategy:b/{ETH}"]


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("word", ["halt", "pause"])
def test_a_stop_refuses_new_risk_in_its_scope_and_nowhere_else(scope, word):
    driver = two()
    command(driver, word, scope=scope, reason="drill")
    code = {"halt": "halted", "pause": "paused"}[word]
    assert refused(driver) == dict.fromkeys(covered(scope), code)
    text = driver.of(OrderDenied)[0].text
    assert "by anna: drill" in text
    assert f"`plimsoll resume {scope}".rstrip() + "` ends it" in text
    command(driver, "resume", scope=scope)
    assert refused(driver) == {}
    assert len(driver.of(Rearmed)) + len(driver.of(Unpaused)) == 1


@pytest.mark.parametrize("scope", SCOPES)
def test_a_halt_cancels_in_its_scope_and_a_pause_cancels_nothing(scope):
    driver = two()
    orders = {place: order(driver, *place) for place in sorted(PLACES)}
    command(driver, "pause", scope=scope)
    assert driver.of(CancelIntended) == []
    before = [one.id for one in preview(driver.core.state, scope_of(scope)).cancels]
    command(driver, "halt", scope=scope)
    cancelled = [one.client_order_id for one in driver.of(CancelIntended)]
    assert sorted(cancelled) == sorted(orders[place].id for place in covered(scope))
    assert cancelled == before, "a preview is what then happens"


@pytest.mark.parametrize("scope", SCOPES)
def test_stops_survive_a_restart_from_a_snapshot_and_from_the_log(scope):
    driver = two()
    command(driver, "halt", scope=scope, reason="drill")
    command(driver, "pause", scope="strategy:a", reason="look")
    state = restore(snapshot(driver.core.state))
    assert state.safety.halts == driver.core.safety.halts
    assert state.safety.pauses == driver.core.safety.pauses
    hash_before = state_hash(state, {})
    state.safety.pauses.clear()
    assert state_hash(state, {}) != hash_before
    state.safety.pauses.update(driver.core.safety.pauses)
    again = Driver(settings_of(*TWO), state=state, epoch=2).live(PERP, ETH)
    expected = dict.fromkeys(covered("strategy:a"), "paused")
    expected |= dict.fromkeys(covered(scope), "halted")
    assert refused(again) == expected
    replayed(driver.log, driver.load)


def test_a_halt_that_keeps_orders_cancels_none_and_a_later_one_that_does_not_cancels():
    driver = two()
    made = order(driver, "a")
    command(driver, "halt", keep_orders=True)
    driver.advance(3 * SECOND)
    assert driver.of(CancelIntended) == []
    command(driver, "halt")
    assert made.cancel_pending
    command(driver, "halt", keep_orders=True)
    assert not driver.core.safety.halts[Scope()].keeps_orders, "nothing is taken back by repeating"


def test_protections_stay_unless_asked_for_and_the_preview_names_what_is_naked():
    driver = two()
    driver.say(lambda stamp: report_of("x", S.OPEN)(stamp))
    made = order(driver, "a")
    driver.execute(made.id, 100, "e1")
    driver.do(lambda s: s.sell(PERP, "0.1", "52000", reduce_only=True), "a")
    exit_ = driver.newest
    driver.was_sent(exit_.id)
    driver.answered(exit_.id)
    driver.report(exit_.id, S.OPEN)
    plain, too = (
        preview(driver.core.state, Scope(), with_protections=flag) for flag in (False, True)
    )
    assert (plain.naked, [one.id for one in plain.stays]) == ([], [exit_.id])
    assert [(one.owner, one.instrument, one.lots) for one in too.naked] == [("a", PERP, 100)]
    command(driver, "halt")
    assert not exit_.cancel_pending
    command(driver, "halt", protections_too=True)
    assert exit_.cancel_pending


def test_foreign_orders_are_reached_only_on_a_dedicated_account_and_by_the_venues_id():
    for dedicated in (False, True):
        driver = two(dedicated=dedicated)
        driver.say(report_of("", S.OPEN, venue_id="v77"))
        foreign = driver.core.orders.find("v77")
        command(driver, "halt")
        assert not foreign.cancel_pending
        command(driver, "halt", all=True)
        assert foreign.cancel_pending == dedicated
        if dedicated:
            assert driver.of(CancelIntended)[-1].venue_order_id == "v77"


def test_a_waiting_spot_stop_sell_protects_and_a_waiting_spot_buy_does_not():
    driver = Driver(settings_of(one_strategy(instruments=(SPOT,)), dedicated=True)).live(SPOT)
    for name, side in (("stop", Side.SELL), ("entry", Side.BUY)):
        driver.say(report_of(name, S.OPEN, side=side, instrument=SPOT, untriggered=True))
    command(driver, "halt", all=True)
    assert [one.client_order_id for one in driver.of(CancelIntended)] == ["entry"]


# ---- confirmation ----


def listed(driver, venue):
    """Let the venue hold what was sent and is not over."""
    for sent in driver.sent:
        if isinstance(sent, CancelIntended):
            venue.cancel(sent.client_order_id)
        elif sent.client_order_id not in venue.orders:
            venue.create(sent)


def test_a_halt_is_confirmed_when_the_venues_list_was_empty_twice_in_a_row():
    driver, venue = two(), Venue()
    venue.wallet = driver.core.ledger.cash
    made = order(driver, "a")
    listed(driver, venue)
    command(driver, "halt", reason="drill")
    driver.settle(venue, beats=3)
    assert driver.of(Swept) == [], "the venue still lists the order"
    venue.cancel(made.id)
    driver.report(made.id, S.CANCELED)
    driver.settle(venue, beats=1)
    assert driver.of(Swept) == [], "once is not twice"
    driver.settle(venue, beats=1)
    (swept,) = driver.of(Swept)
    assert (swept.scope, swept.looks) == ("", 5)
    driver.settle(venue)
    assert len(driver.of(Swept)) == 1


def test_an_order_only_the_venue_knows_is_found_cancelled_and_starts_the_count_anew():
    driver, venue = two(dedicated=True), Venue()
    venue.wallet = driver.core.ledger.cash
    command(driver, "halt", all=True)
    driver.settle(venue, beats=1)
    stranger(venue)
    driver.settle(venue, beats=2)
    assert driver.of(Swept) == []
    driver.settle(venue, beats=4)
    assert [one.client_order_id for one in driver.of(CancelIntended)] == ["by-hand"]


def stranger(venue):
    """Let the venue hold an order that no stream told us of."""
    name = "by-hand"
    venue.orders[name] = Listed(
        name, PERP, Side.BUY, 490_000, 10, False, TimeInForce.GTC, venue.clock_ms
    )


def test_a_list_that_could_not_be_had_confirms_nothing():
    driver = two()
    command(driver, "halt")
    for _ in range(6):
        driver.advance(SECOND // 4)
        queries, driver.queries = driver.queries, []
        for query in queries:
            driver.answer(query, ok=query.kind != "orders")
    assert driver.of(Swept) == []


def test_a_halt_of_an_earlier_session_is_confirmed_anew():
    driver = two()
    command(driver, "halt", scope="strategy:a")
    again = Driver(settings_of(*TWO), state=restore(snapshot(driver.core.state)), epoch=2)
    again.live(PERP, ETH)
    assert again.of(Swept) == []
    again.settle()
    assert [one.scope for one in again.of(Swept)] == ["strategy:a"]


def test_a_stop_waits_for_the_lists_and_tells_when_they_do_not_confirm():
    driver = two()
    driver.put(SessionStopping, "SIGTERM")
    assert driver.of(SessionEnded) == []
    driver.settle()
    assert len(driver.of(SessionEnded)) == 1
    blind = two()
    blind.put(SessionStopping, "SIGTERM")
    blind.advance(9 * SECOND)
    assert "unconfirmed_at_stop" in [one.code for one in blind.core.incidents]


def test_records_of_stops_come_before_their_effects():
    driver = two()
    order(driver, "a")
    decided = command(driver, "halt", scope="strategy:a")
    assert [type(one) for one in decided] == [Halted, CancelIntended]
    (paused,) = command(driver, "pause", scope=f"strategy:b/{PERP}", reason="r")
    assert (paused.owner, paused.instrument, paused.reason, paused.actor) == (
        "b",
        PERP,
        "r",
        "anna",
    )
    assert isinstance(paused, Paused)
