"""Filters that change while we trade: steps, minimums, the end of an instrument (X21, X22)."""

import msgspec
import pytest
from tests.properties.driver import (
    INSTRUMENTS,
    MS,
    PERP,
    Driver,
    one_strategy,
    replayed,
    settings_of,
)

from plimsoll.core.engine import restore, snapshot
from plimsoll.core.model import Mode, OrderState, Refusal
from plimsoll.core.records import (
    IncidentRaised,
    InstrumentListed,
    OrderIntended,
    PaperFilled,
    ProtectionIntended,
)
from plimsoll.core.strategy import Strategy

S = OrderState
DAY_MS = 86_400_000


@pytest.fixture
def live():
    return Driver().live()


def relist(driver, **changes):
    listed = driver.core.state.instruments[PERP]
    return driver.put(InstrumentListed, msgspec.structs.replace(listed, **changes))


def codes(driver):
    return [one.code for one in driver.of(IncidentRaised)]


def lots(driver, count, stop=0, take=0):
    driver.show(count, stop, take)


def held(driver, qty="0.010", **named):
    driver.do(lambda s: s.target(PERP, qty, **named))
    order = driver.newest
    driver.was_sent(order.id)
    driver.execute(order.id, order.qty_lots, "x1", price=500_000)
    driver.report(order.id, S.FILLED, cum=order.qty_lots)


def test_finer_steps_are_taken_over_and_nothing_changes_but_the_counting(live):
    held(live, stop="49000")
    lots(live, 10, 490_000)
    order = live.open_order(qty="0.004", limit="48000")
    before = live.core.ledger.position("s", PERP)
    equity = live.core.equity_of("s")
    relist(live, tick_size="0.01", lot_size="0.0001")
    assert (order.price_ticks, order.qty_lots) == (4_800_000, 40)
    assert live.core.ledger.qty_lots("s", PERP) == 100
    assert live.core.ledger.position("s", PERP) == before
    assert live.core.equity_of("s") == equity
    assert live.core.state.exposure.buys["", PERP] == 40
    assert live.core.state.protections.of(PERP).shown.stop_ticks == 4_900_000
    live.book()
    live.advance(2_000 * MS)
    assert live.of(ProtectionIntended) == []
    assert len(live.of(OrderIntended)) == 2  # the target is what it was
    assert codes(live) == ["filters_changed"]
    assert live.do(lambda s: s.buy(PERP, "0.0041", "48000.01")).refusal is None


def test_coarser_steps_are_kept_by_new_orders_while_old_ones_are_counted_as_before(live):
    order = live.open_order(qty="0.003", limit="48000.1")
    relist(live, tick_size="0.5", lot_size="0.005")
    listed = live.core.state.instruments[PERP]
    assert (listed.tick_size, listed.price_step, listed.qty_step) == ("0.1", 5, 5)
    assert (order.price_ticks, order.qty_lots) == (480_001, 3)
    live.report(order.id, S.OPEN)
    assert live.core.safety.blocks == {}
    assert live.do(lambda s: s.buy(PERP, "0.005", "48000.1")).refusal.code is Refusal.OFF_STEP
    assert live.do(lambda s: s.buy(PERP, "0.004", "48000.0")).refusal.code is Refusal.OFF_STEP
    assert live.do(lambda s: s.buy(PERP, 0.0123, 48000.3)).refusal is None
    assert (live.newest.price_ticks, live.newest.qty_lots) == (480_000, 10)
    live.do(lambda s: s.sell(PERP, 0.005, 51000.1))
    assert live.newest.price_ticks == 510_005
    live.do(lambda s: s.quote(PERP, [(49000.3, 0.007)], [(51000.1, 0.007)]))
    assert [(o.price_ticks, o.qty_lots) for o in live.of(OrderIntended)[-2:]] == [
        (490_000, 5),
        (510_005, 5),
    ]


def test_a_target_is_reached_in_coarser_lots_and_what_they_leave_is_closed(live):
    held(live, qty="0.013")
    relist(live, lot_size="0.005")
    live.do(lambda s: s.target(PERP, "0.02"))
    assert live.newest.qty_lots == 5  # of the 7 that are missing
    live.was_sent(live.newest.id)
    live.execute(live.newest.id, 5, "x2", price=500_000)
    live.report(live.newest.id, S.FILLED, cum=5)
    live.do(lambda s: s.target(PERP, "0"))
    assert (live.newest.qty_lots, live.newest.reduce_only) == (20, True)  # cut at 18 by the venue


def test_steps_that_share_no_multiple_are_counted_in_a_finer_one(live):
    order = live.open_order(limit="48000.1")
    relist(live, tick_size="0.25")
    listed = live.core.state.instruments[PERP]
    assert (listed.tick_size, listed.price_step) == ("0.05", 5)
    assert order.price_ticks == 960_002
    relist(live, tick_size="0.25", min_qty="0.002")
    assert codes(live) == ["filters_changed"]
    assert live.core.state.instruments[PERP].price_step == 5


def test_steps_finer_than_money_block_the_instrument(live):
    relist(live, tick_size="0.000005", lot_size="0.002")
    assert live.core.state.instruments[PERP].tick_size == "0.1"
    assert "cannot be counted" in live.core.safety.blocks[PERP]


def test_a_minimum_that_changes_counts_at_once(live):
    relist(live, min_qty="0.005")
    assert live.do(lambda s: s.buy(PERP, "0.004", "49000")).refusal.code is Refusal.BELOW_MINIMUM
    assert codes(live) == []


def test_a_restart_in_other_steps_counts_what_it_kept_in_the_new_ones(live):
    held(live, stop="49000")
    lots(live, 10, 490_000)
    order = live.open_order(qty="0.004", limit="48000")
    live.advance(61_000 * MS)  # a checkpoint
    state = restore(snapshot(live.core.state))
    again = Driver(live.settings, state=state, epoch=2, now_ns=live.now_ns)
    fine = msgspec.structs.replace(INSTRUMENTS[PERP], tick_size="0.01")
    again.begin()
    again.put(InstrumentListed, fine)
    assert again.core.orders.find(order.id).price_ticks == 4_800_000
    assert again.core.trader.desks["s"].targets[PERP].stop_ticks == 4_900_000
    assert again.core.state.protections.wishes["s", PERP].level.stop_ticks == 4_900_000


class Guarded(Strategy):
    """Hold ten lots with a stop."""

    def on_book(self, market):
        self.target(PERP, "0.010", stop="49000")


def test_a_change_of_steps_replays():
    driver = Driver(load=lambda _one: Guarded()).live()
    driver.book()
    order = driver.newest
    driver.was_sent(order.id)
    driver.execute(order.id, 10, "x1", price=500_000)
    lots(driver, 10)
    relist(driver, tick_size="0.01")
    driver.book()
    driver.advance(3_000 * MS)
    assert driver.of(ProtectionIntended)[-1].stop_ticks == 4_900_000
    again = replayed(driver.log, driver.load)
    assert again.books_hash() == driver.core.books_hash()
    assert again.state_hash() == driver.core.state_hash()


def test_paper_orders_rest_on_in_the_new_steps():
    driver = Driver(settings_of(one_strategy(Mode.PAPER))).live()
    handle = driver.do(lambda s: s.buy(PERP, "0.010", "49500"))
    driver.advance(20 * MS)
    relist(driver, tick_size="0.01")
    driver.book()
    assert handle.order.price_ticks == 4_950_000
    driver.book(mid=49_400.0)
    assert [one.client_order_id for one in driver.of(PaperFilled)] == [handle.order.id]


# ---- the end of an instrument ----


def test_a_delisting_is_told_at_its_notice_and_takes_no_new_risk_on_its_last_day(live):
    now_ms = live.now_ns // MS
    relist(live, delivery_ms=now_ms + DAY_MS + 60_000)
    assert codes(live) == ["delisting"]
    relist(live, delivery_ms=now_ms + DAY_MS + 60_000, min_qty="0.002")
    assert codes(live) == ["delisting"]
    assert live.do(lambda s: s.buy(PERP, "0.010", "49000")).refusal is None
    relist(live, delivery_ms=now_ms + DAY_MS - 60_000)
    refused = live.do(lambda s: s.buy(PERP, "0.010", "49000")).refusal
    assert refused.code is Refusal.BLOCKED
    assert "delisted" in refused.text
    reduces = live.do(lambda s: s.sell(PERP, "0.010", "51000", reduce_only=True))
    assert reduces.refusal is None


def test_an_instrument_the_venue_halts_is_blocked_until_it_trades_again(live):
    relist(live, status="Closed")
    assert "Closed" in live.core.safety.blocks[PERP]
    relist(live, status="Trading")
    assert live.core.safety.blocks == {}
