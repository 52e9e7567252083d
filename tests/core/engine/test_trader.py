"""Strategies at work: wishes carried out, stops, faults of one that leave the others alone."""

from typing import Any

import pytest
from tests.properties.driver import (
    CASH,
    MS,
    PERP,
    SECOND,
    SPOT,
    WIDE,
    Driver,
    Puppet,
    Venue,
    one_strategy,
    settings_of,
)

from plimsoll.core.model import Mode, OrderState
from plimsoll.core.records import (
    AmendIntended,
    BarChanged,
    BarReported,
    BookChanged,
    HashTaken,
    IncidentRaised,
    OrderDenied,
    OrderIntended,
    PaperAmendIntended,
    PaperOrderIntended,
    PositionAdopted,
    PublicTraded,
    QueryAnswered,
    QueryIntended,
    StrategyCheckpoint,
    StrategyStopped,
)
from plimsoll.core.settings import Timing

S = OrderState


def live(*strategies, load=None, **more):
    venue = Venue()
    venue.wallet = {"USDT": 10**6 * CASH}
    driver = Driver(settings_of(*(strategies or (one_strategy(),)), **more), load)
    driver.live(venue=venue)
    return driver


def paper(**more):
    driver = Driver(settings_of(one_strategy(Mode.PAPER), **more)).begin()
    driver.book()
    driver.mark(PERP, 50_000.0)
    return driver


def held(driver, owner="s"):
    return driver.core.ledger.qty_lots(owner, PERP)


# ---- targets ----


def test_a_target_is_one_market_order_inside_the_band():
    driver = live()
    driver.do(lambda s: s.target(PERP, qty="0.010"))
    sent = driver.of(OrderIntended)
    assert [(one.side, one.qty_lots, one.tif, one.order_type) for one in sent] == [
        ("buy", 10, "ioc", "market")
    ]
    assert sent[0].price_ticks == 500_010 + 500_010 * 2_000 // 1_000_000


def test_a_target_does_not_order_twice_while_the_executions_lag_behind_the_report():
    driver = live()
    driver.do(lambda s: s.target(PERP, qty="0.010"))
    order = driver.newest
    driver.report(order.id, S.FILLED, cum=10)
    driver.book()
    driver.advance(100 * MS)
    assert len(driver.of(OrderIntended)) == 1
    driver.execute(order.id, 10, "e1")
    driver.book()
    assert (len(driver.of(OrderIntended)), held(driver)) == (1, 10)


def test_the_unfilled_rest_of_a_target_is_ordered_again():
    driver = live()
    driver.do(lambda s: s.target(PERP, qty="0.010"))
    first = driver.newest
    driver.execute(first.id, 4, "e1")
    driver.report(first.id, S.CANCELED, cum=4)
    assert [one.qty_lots for one in driver.of(OrderIntended)] == [10, 6]


def test_a_flip_goes_to_flat_first_and_then_on():
    driver = paper()
    driver.do(lambda s: s.target(PERP, qty="0.010"))
    driver.advance(SECOND)
    driver.do(lambda s: s.target(PERP, qty="-0.005"))
    driver.advance(SECOND)
    driver.book()
    driver.advance(SECOND)
    assert held(driver) == -5
    orders = driver.of(PaperOrderIntended)
    assert [(one.side, one.qty_lots, one.reduce_only) for one in orders] == [
        ("buy", 10, False),
        ("sell", 10, True),
        ("sell", 5, False),
    ]


def test_a_strategy_that_sells_what_it_reads_of_its_position_is_flat():
    """Nineteen lots times the float of a lot are a hair less, and left one in the account."""
    driver = Driver(settings_of(one_strategy(instruments=(SPOT,)))).live(SPOT)
    driver.put(PositionAdopted, "s", SPOT, 38, 38 * 5_000_000)
    driver.do(lambda s: s.sell(SPOT, s.position(SPOT).qty), on=SPOT)
    assert driver.newest.qty_lots == 38
    position = driver.do(lambda s: s.position(SPOT), on=SPOT)
    assert (position.qty, position.entry_price) == (0.000038, 50_000.0)


def test_a_stop_makes_the_target_flat_and_is_not_entered_again_until_another_is_asked_for():
    driver = paper()
    driver.do(lambda s: s.target(PERP, qty="0.010", stop=49_500))
    driver.advance(SECOND)
    driver.mark(PERP, 49_500.1)
    driver.advance(SECOND)
    assert held(driver) == 10
    driver.mark(PERP, 49_500.0)
    driver.advance(SECOND)
    assert held(driver) == 0
    driver.mark(PERP, 50_000.0)
    driver.do(lambda s: s.target(PERP, qty="0.010", stop=49_500))
    driver.advance(3 * SECOND)
    assert held(driver) == 0
    driver.do(lambda s: s.target(PERP, qty="-0.010"))
    driver.advance(SECOND)
    assert held(driver) == -10
    driver.do(lambda s: s.target(PERP, qty="0.010", stop=49_500))
    for _ in range(2):
        driver.book()
        driver.advance(SECOND)
    assert held(driver) == 10


def test_a_refused_target_is_tried_again_after_a_second_and_not_before():
    driver = live(limits=WIDE, max_slippage_ppm=2_000)
    driver.core.safety.blocks[PERP] = "test"
    driver.do(lambda s: s.target(PERP, qty="0.010"))
    for _ in range(3):
        driver.advance(250 * MS)
        driver.book()
    assert len(driver.of(OrderDenied)) == 1
    driver.core.safety.blocks.clear()
    driver.advance(SECOND)
    assert len(driver.of(OrderIntended)) == 1


def test_quotes_rest_post_only_are_moved_and_withdrawn():
    driver = paper()
    driver.do(lambda s: s.quote(PERP, [(49_900, "0.01")], [(50_100, "0.01")]))
    driver.advance(SECOND)
    rows = [(one.side, one.price_ticks, one.tif) for one in driver.of(PaperOrderIntended)]
    assert rows == [("buy", 499_000, "post_only"), ("sell", 501_000, "post_only")]
    driver.do(lambda s: s.quote(PERP, [(49_905, "0.01")], [(50_100, "0.01")]))
    driver.advance(SECOND)
    working = driver.core.orders.working.values()
    assert [one.price_ticks for one in working] == [499_050, 501_000]
    driver.do(lambda s: s.quote(PERP))
    driver.advance(SECOND)
    assert not driver.core.orders.working


def test_a_refused_side_of_a_quote_waits_alone():
    """What is not held cannot be offered on spot; the bid follows the market all the same."""
    driver = Driver(settings_of(one_strategy(Mode.PAPER, (SPOT,)))).live(SPOT)

    def quoted(bid):
        rows = [(bid, "0.01")], [(50_100, "0.01")]
        driver.do(lambda s: s.quote(SPOT, *rows, min_life_ms=0), on=SPOT)
        driver.advance(50 * MS)

    for step in range(15):
        quoted(49_900 - step)
    assert len(driver.of(PaperAmendIntended)) == 14
    assert len(driver.of(OrderDenied)) == 1
    driver.advance(SECOND)
    quoted(49_800)
    assert len(driver.of(OrderDenied)) == 2


def test_a_row_that_would_take_is_not_placed_again_as_fast_as_the_venue_answers():
    driver = live()
    driver.do(lambda s: s.quote(PERP, [(49_900, "0.01")], []))
    for _ in range(20):
        sent = driver.of(OrderIntended)
        driver.answered(sent[-1].client_order_id)
        driver.report(sent[-1].client_order_id, OrderState.CANCELED, reason="PostOnly")
        driver.advance(5 * MS)
        driver.do(lambda s: s.quote(PERP, [(49_900, "0.01")], []))
    assert len(driver.of(OrderIntended)) == 2


def test_an_amend_to_the_terms_an_order_has_is_not_sent():
    driver = live()
    handle = driver.do(lambda s: s.buy(PERP, "0.010", "49000"))
    driver.was_sent(handle.order.id)
    driver.answered(handle.order.id)
    driver.report(handle.order.id, OrderState.OPEN)
    assert driver.do(lambda _s: handle.amend(price="49000", qty="0.010")) is None
    assert driver.of(AmendIntended) == []
    assert driver.do(lambda _s: handle.amend(price="49001")) is None
    assert len(driver.of(AmendIntended)) == 1


# ---- faults of a strategy ----


class Raises(Puppet):
    def on_trade(self, instrument, price, qty, *, is_buy):
        self.buy(PERP, "0.010", "49000")
        raise RuntimeError("broken")


def test_a_strategy_that_raises_is_stopped_its_requests_dropped_its_orders_cancelled():
    made = {"s": Raises(), "t": Puppet()}
    driver = live(one_strategy(), one_strategy(name="t"), load=lambda one: made[one.name])
    driver.strategies = made
    order = driver.open_order()
    sent = len(driver.of(OrderIntended))
    driver.put(PublicTraded, PERP, [(50_000.0, 1.0, True, 0)], 0)
    assert [one.owner for one in driver.of(StrategyStopped)] == ["s"]
    assert "RuntimeError('broken')" in driver.core.state.stopped["s"]
    assert len(driver.of(OrderIntended)) == sent
    assert order.cancel_pending
    assert driver.do(lambda t: t.buy(PERP, "0.010", "49000"), name="t").refusal is None
    heard = len(made["s"].heard)
    driver.report(order.id, S.CANCELED)
    assert len(made["s"].heard) == heard


def test_a_strategy_that_repeats_refused_requests_is_stopped():
    driver = live(repeat_max=5)
    for _ in range(6):
        driver.do(lambda s: s.buy(PERP, "0.010", "90000"))
    assert [one.owner for one in driver.of(StrategyStopped)] == ["s"]
    assert "6 refused requests in 60 s" in driver.core.state.stopped["s"]


def test_refusals_spread_over_time_stop_nobody():
    driver = live(repeat_max=5)
    for _ in range(12):
        driver.do(lambda s: s.buy(PERP, "0.010", "90000"))
        driver.now_ns += 13 * SECOND
    assert driver.of(StrategyStopped) == []


def test_a_hundred_refused_requests_in_one_callback_are_cut():
    driver = live(repeat_max=5)
    driver.do(lambda s: [s.buy(PERP, "0.010", "90000") for _ in range(100)])
    assert len(driver.of(StrategyStopped)) == 1
    assert driver.of(OrderDenied)[-1].code == "strategy_stopped"


class Answers(Puppet):
    """Makes news of its own with every piece of news: only possible from inside."""

    core: Any = None

    def on_order(self, order):
        self.core.state.news.append((order, None))


def test_endless_answers_are_cut_and_told():
    strategy = Answers()
    driver = live(load=lambda _one: strategy)
    driver.strategies["s"], strategy.core = strategy, driver.core
    driver.do(lambda s: s.buy(PERP, "0.010", "49000"))
    driver.report(driver.newest.id, S.OPEN)
    assert [one.code for one in driver.of(IncidentRaised)] == ["endless_answers"]


# ---- what is heard ----


def test_position_is_booked_before_the_fill_is_told():
    class Looks(Puppet):
        def on_fill(self, fill):
            self.heard.append(("held", self.position(PERP).qty_lots))

    strategy = Looks()
    driver = live(load=lambda _one: strategy)
    driver.strategies["s"] = strategy
    order = driver.open_order()
    driver.execute(order.id, 4, "e1")
    assert ("held", 4) in strategy.heard


def test_a_doubled_execution_is_told_once():
    driver = live()
    order = driver.open_order()
    driver.execute(order.id, 4, "e1")
    driver.execute(order.id, 4, "e1")
    assert [what for what, _ in driver.strategies["s"].heard].count("fill") == 1
    assert held(driver) == 4


def test_a_strategy_starts_when_its_market_is_live_and_never_hears_a_torn_book():
    driver = Driver(settings_of(one_strategy(Mode.PAPER))).begin()
    puppet = driver.strategies["s"]
    assert puppet.heard == []
    driver.book()
    assert puppet.heard == [("start", None)]
    puppet.todo.append(lambda _s: "heard")
    driver.put(BookChanged, PERP, 50, False, 77, 1, driver.now_ns // MS, [], [])
    assert puppet.results == []
    driver.book()
    assert puppet.results == ["heard"]


def test_a_live_instance_waits_for_reconciled_books():
    driver = Driver().begin()
    driver.book()
    assert driver.strategies["s"].heard == []
    driver.connect()
    assert driver.strategies["s"].heard == [("start", None)]


class Warm(Puppet):
    bars = {"1m": 3}  # noqa: RUF012


def test_warm_up_bars_are_fetched_marked_and_nothing_is_opened_before():
    driver = live(load=lambda _one: Warm())
    strategy = driver.core.trader.desks["s"].strategy
    driver.strategies["s"] = strategy
    query = next(one for one in driver.of(QueryIntended) if one.kind == "bars")
    assert query.since_ms <= driver.now_ns // MS - 3 * 60_000
    assert driver.core.trader.desks["s"].waits_for_bars == set()
    again = Driver(settings_of(one_strategy(Mode.PAPER)), lambda _one: Warm()).begin()
    again.strategies["s"] = again.core.trader.desks["s"].strategy
    again.book()
    query = again.queries.pop()
    assert again.do(lambda s: s.buy(PERP, "0.010", "49000")).refusal.code == "warming_up"
    minute = again.now_ns // MS // 60_000 * 60_000
    for index in (2, 1):
        row = (PERP, minute - index * 60_000, 500_000, 500_010, 499_990, 500_005, 1.0)
        again.put(BarReported, *row, query.query_id)
    bars = [bar for what, bar in again.strategies["s"].heard if what == "bar"]
    assert [(bar.close, bar.is_warming) for bar in bars] == [(50_000.5, True)] * 2
    again.answer(query)
    assert again.do(lambda s: s.buy(PERP, "0.010", "49000")).refusal is None


def test_a_live_minute_that_comes_before_the_fetched_ones_is_delivered_after_them():
    driver = Driver(settings_of(one_strategy(Mode.PAPER)), lambda _one: Warm()).begin()
    driver.book()
    driver.strategies["s"] = driver.core.trader.desks["s"].strategy
    query = driver.queries.pop()
    minute = driver.now_ns // MS // 60_000 * 60_000
    driver.put(BarChanged, PERP, minute, 3.0, 3.0, 3.0, 3.0, 1.0, True, minute)
    for index, ticks in ((2, 10), (1, 20)):
        row = (PERP, minute - index * 60_000, ticks, ticks, ticks, ticks, 1.0)
        driver.put(BarReported, *row, query.query_id)
    driver.answer(query)
    bars = [bar for what, bar in driver.strategies["s"].heard if what == "bar"]
    assert [(bar.close, bar.is_warming) for bar in bars] == [(1.0, True), (2.0, True), (3.0, False)]


def test_a_warm_up_that_fails_is_told():
    driver = Driver(settings_of(one_strategy(Mode.PAPER)), lambda _one: Warm()).begin()
    driver.book()
    driver.answer(driver.queries.pop(), ok=False)
    assert [one.code for one in driver.of(IncidentRaised)] == ["warm_up_failed"]


def test_a_store_that_differs_from_the_venue_is_told_and_the_warm_up_is_whole():
    driver = Driver(settings_of(one_strategy(Mode.PAPER)), lambda _one: Warm()).begin()
    driver.book()
    query = driver.queries.pop()
    driver.put(QueryAnswered, query.query_id, True, 0, "stored minutes are not the venue's")
    (told,) = driver.of(IncidentRaised)
    assert (told.code, told.subject) == ("store_differs", "s")
    assert not driver.core.trader.desks["s"].waits_for_bars


def test_checkpoints_are_taken_at_the_start_and_every_minute_with_hashes():
    driver = paper()
    assert len(driver.of(StrategyCheckpoint)) == 1
    driver.advance(SECOND)
    assert len(driver.of(StrategyCheckpoint)) == 2
    driver.advance(2 * Timing().checkpoint_ns + SECOND)
    assert len(driver.of(StrategyCheckpoint)) == 4
    assert len(driver.of(HashTaken)) == 3


@pytest.mark.parametrize("mode", [Mode.LIVE, Mode.PAPER])
def test_cause_leads_back_to_the_input(mode):
    driver = live(one_strategy(mode))
    driver.do(lambda s: s.buy(PERP, "0.010", "49000"))
    order = driver.of(OrderIntended if mode is Mode.LIVE else PaperOrderIntended)[0]
    assert isinstance(driver.log[order.cause - 1], BookChanged)


def test_a_remainder_worth_less_than_the_minimum_is_said_once_and_waits_for_its_worth():
    driver = Driver(settings_of(one_strategy(Mode.PAPER, (SPOT,)))).begin(SPOT)
    driver.book(SPOT)
    driver.mark(SPOT, 50_000.0)
    driver.do(lambda s: s.target(SPOT, "0.000100"), on=SPOT)
    driver.advance(SECOND)
    bought = driver.core.ledger.qty_lots("s", SPOT)
    driver.do(lambda s: s.target(SPOT, f"0.{bought + 10:06}"), on=SPOT)  # half a dollar more
    for _ in range(20):
        driver.advance(SECOND)
        driver.book(SPOT)
    assert [one.code for one in driver.of(OrderDenied)] == ["below_minimum"]
    assert driver.core.ledger.qty_lots("s", SPOT) == bought
    for _ in range(3):
        driver.mark(SPOT, 120_000.0)
        driver.book(SPOT, 120_000.0)
        driver.advance(2 * SECOND)
    assert driver.core.ledger.qty_lots("s", SPOT) > bought
    assert len(driver.of(OrderDenied)) == 1
