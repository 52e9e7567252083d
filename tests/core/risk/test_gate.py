"""Each check of the gate: one order that fails it, and the words that name the limit."""

import json
from typing import ClassVar

import msgspec
import pytest
from tests.properties.driver import (
    CASH,
    ETH,
    MS,
    PERP,
    SECOND,
    SPOT,
    WIDE,
    Driver,
    Puppet,
    Venue,
    execution_of,
    one_strategy,
    settings_of,
)

from plimsoll.core.feed import Cause
from plimsoll.core.model import Mode, OrderState, Refusal, Side
from plimsoll.core.records import (
    Blocked,
    BookChanged,
    ClockMeasured,
    LinkChanged,
    OperatorCommand,
    OrderDenied,
    RateMeasured,
    SessionStopping,
    StreamChanged,
    TickerChanged,
)
from plimsoll.core.settings import Limits

S = OrderState


def live(limits=WIDE, *names, strategies=None, **more):
    names = names or (PERP,)
    strategies = strategies or (one_strategy(instruments=names),)
    venue = Venue()
    venue.wallet = {"USDT": 10**6 * CASH}
    driver = Driver(settings_of(*strategies, limits=limits, **more)).live(*names, venue=venue)
    venue.wallet = driver.core.ledger.cash
    return driver


def limited(**changed):
    return msgspec.structs.replace(WIDE, **changed)


def buy(driver, qty="0.010", limit="49000", on=PERP, **named):
    handle = driver.do(lambda s: s.buy(on, qty, limit, **named), on=on)
    return handle.refusal


def sell(driver, qty="0.010", limit="51000", on=PERP, **named):
    handle = driver.do(lambda s: s.sell(on, qty, limit, **named), on=on)
    return handle.refusal


def code(refusal):
    return refusal.code if refusal else None


def test_an_order_inside_all_limits_passes():
    driver = live()
    assert buy(driver) is None
    assert driver.newest.state is S.INTENT


@pytest.mark.parametrize(
    ("limits", "expected", "words"),
    [
        (limited(order_notional=490 * CASH), Refusal.ORDER_NOTIONAL, "limits.order_notional"),
        (limited(position_notional=490 * CASH), Refusal.POSITION, "limits.position_notional"),
        (limited(exposure=490 * CASH), Refusal.EXPOSURE, "limits.exposure"),
        (limited(orders_per_second=0), Refusal.RATE, "limits.orders_per_second"),
        (limited(orders_per_day=0), Refusal.DAY_RATE, "limits.orders_per_day"),
        (limited(open_orders=0), Refusal.OPEN_ORDERS, "limits.open_orders"),
        (limited(leverage_ppm=400), Refusal.LEVERAGE, "limits.leverage"),
        (limited(daily_loss=0), Refusal.DAILY_LOSS, "limits.daily_loss"),
        (limited(drawdown_ppm=0), Refusal.DRAWDOWN, "limits.drawdown"),
    ],
)
def test_each_limit_refuses_and_names_its_key(limits, expected, words):
    refusal = buy(live(limits))
    assert code(refusal) == expected
    assert words in refusal.text


def test_a_missing_limit_is_zero_and_the_words_say_so():
    for name in Limits.__struct_fields__:
        driver = live(limited(**{name: 0}))
        refusal = buy(driver, limit="50500")
        assert refusal is not None, name
    assert "set it in [limits]" in buy(live(limited(order_notional=0))).text


def test_price_distance_counts_only_against_us():
    driver = live(limited(price_distance_ppm=10_000))
    assert code(buy(driver, limit="50501")) == Refusal.PRICE_DISTANCE
    assert buy(driver, limit="40000") is None
    assert code(sell(driver, limit="49499")) == Refusal.PRICE_DISTANCE
    assert "limits.price_distance" in sell(driver, limit="49499").text
    assert sell(driver, limit="60000") is None


@pytest.mark.parametrize(
    ("qty", "limit", "expected"),
    [
        ("0.000", "49000", Refusal.BELOW_MINIMUM),
        ("0.001", "4999", Refusal.BELOW_MINIMUM),
        ("100.001", "49000", Refusal.ABOVE_MAXIMUM),
    ],
)
def test_the_venues_filters(qty, limit, expected):
    assert code(buy(live(limited(price_distance_ppm=10**6)), qty, limit)) == expected


def test_nothing_new_while_halted_or_blocked_but_reductions_pass():
    driver = live()
    driver.execute("by-hand", 10, "e1")
    driver.put(Blocked, PERP, "test")
    assert code(buy(driver)) == Refusal.BLOCKED
    assert sell(driver, reduce_only=True) is None
    driver.put(OperatorCommand, "1", "anna", "halt", json.dumps({}))
    assert code(buy(driver)) == Refusal.HALTED
    assert "`plimsoll resume` ends it" in buy(driver).text
    assert sell(driver, reduce_only=True) is None


def test_reductions_pass_with_every_limit_at_zero_and_data_stale():
    driver = live(Limits())
    driver.put(BookChanged, PERP, 50, True, 99, 1, 0, [(2.0, 1.0)], [(1.0, 1.0)])
    handle = driver.core.trader.desks["s"].place(
        PERP, Side.SELL, "0.010", "51000", "gtc", reduce_only=True, label=""
    )
    driver.mark(PERP, 50_000.0)
    request = driver.core.trader.desks["s"].drain()[0]
    decided = list(driver.core.trader.placer.place(driver.core.trader.desks["s"], request))
    assert not isinstance(decided[0], OrderDenied)
    assert handle.refusal is None


def test_a_stopping_session_opens_nothing():
    driver = live(end_policy="keep")
    driver.open_order()
    driver.core.state.safety.is_stopping = True
    assert code(buy(driver)) == Refusal.STOPPING


def test_link_reconciliation_and_clock_are_needed_for_live_orders():
    driver = live()
    driver.put(ClockMeasured, 0, 501 * MS)
    assert code(buy(driver)) == Refusal.CLOCK
    driver.put(ClockMeasured, 10**12, MS)
    driver.put(ClockMeasured, 0, MS)
    driver.put(LinkChanged, "private", False, "broken")
    assert code(buy(driver)) == Refusal.LINK_DOWN
    driver.put(LinkChanged, "private", True, "")
    assert code(buy(driver)) == Refusal.NOT_RECONCILED


def test_nothing_before_equity_is_measured():
    driver = live()
    driver.core.losses.is_known = False
    refusal = buy(driver)
    assert code(refusal) == Refusal.NOT_RECONCILED
    assert "equity" in refusal.text


def test_a_market_that_is_not_live_takes_no_orders():
    driver = live(limited(), PERP, ETH)
    driver.now_ns += 16 * SECOND
    refusal = driver.do(lambda s: s.buy(ETH, "0.10", "1900"), on=PERP).refusal
    assert (code(refusal), refusal.detail) == (Refusal.DATA_NOT_LIVE, Cause.SILENT)
    assert "silent" in refusal.text
    assert driver.of(OrderDenied)[-1].detail == "silent"


def test_a_perpetual_needs_a_ticker_that_moves_with_its_book():
    driver = live()
    marks, driver.marks = driver.marks, {}  # the ticker stands still
    for _ in range(7):
        driver.now_ns += SECOND // 2
        assert buy(driver) is None
    driver.now_ns += SECOND // 2
    refusal = buy(driver)
    assert (refusal.code, refusal.detail) == (Refusal.DATA_NOT_LIVE, Cause.SILENT)
    assert "ticker: silent for 4.0 s" in refusal.text
    driver.marks = marks
    assert buy(driver) is None


class HearsPrints(Puppet):
    def on_trade(self, instrument, price, qty, *, is_buy):
        pass


class HasMinutes(Puppet):
    bars: ClassVar = {"1m": 1}


@pytest.mark.parametrize(
    ("kind", "stream", "refused"),
    [
        (Puppet, "trades", False),
        (Puppet, "bars", False),
        (Puppet, "ticker", True),
        (Puppet, "book", True),
        (HearsPrints, "trades", True),
        (HearsPrints, "bars", False),
        (HasMinutes, "bars", True),
        (HasMinutes, "trades", False),
    ],
)
@pytest.mark.parametrize("status", ["suspect", "dead"])
def test_an_order_needs_the_streams_its_instance_lives_on(kind, stream, refused, status):
    strategies: dict[str, Puppet] = {}
    driver = Driver(load=lambda one: strategies.setdefault(one.name, kind()))
    driver.strategies = strategies
    driver.live()
    for query in driver.queries[:]:
        driver.answer(query)
    driver.put(StreamChanged, PERP, stream, status, "pong is late", False)
    refusal = buy(driver)
    assert code(refusal) == (Refusal.DATA_NOT_LIVE if refused else None)
    if refused:
        assert refusal.detail == Cause.CARRIED
        assert f"{status}: pong is late" in refusal.text
    driver.put(StreamChanged, PERP, stream, "live", "", False)
    assert buy(driver) is None


def test_a_market_order_without_a_price_is_refused():
    driver = live(limited(), PERP, ETH)
    driver.put(BookChanged, ETH, 50, True, 99, 1, 0, [], [(2_001.0, 1.0)])
    driver.put(BookChanged, ETH, 50, True, 100, 1, driver.now_ns // MS, [], [])
    refusal = driver.do(lambda s: s.buy(ETH, "0.10"), on=PERP).refusal
    assert code(refusal) == Refusal.DATA_NOT_LIVE


def test_a_book_with_one_side_takes_no_orders():
    driver = live(limited(), PERP, SPOT)
    driver.put(BookChanged, SPOT, 50, True, 99, 1, driver.now_ns // MS, [], [(50_001.0, 1.0)])
    refusal = driver.do(lambda s: s.buy(SPOT, "0.001", "49000"), on=PERP).refusal
    assert (code(refusal), refusal.detail) == (Refusal.DATA_NOT_LIVE, Cause.EMPTY)


def test_an_order_never_meets_an_own_one():
    driver = live()
    driver.open_order(limit="49900")
    assert code(sell(driver, limit="49900")) == Refusal.SELF_CROSS
    assert sell(driver, limit="49901") is None


def test_an_order_never_meets_where_an_own_one_is_being_moved_to():
    driver = live()
    handle = driver.do(lambda s: s.buy(PERP, "0.010", "49000"))
    driver.report(driver.newest.id, S.OPEN)
    driver.do(lambda _s: handle.amend(price="49900"))
    assert code(sell(driver, limit="49800")) == Refusal.SELF_CROSS


def test_rates_count_in_a_sliding_second_and_a_utc_day():
    driver = live(limited(orders_per_second=2, orders_per_day=3))
    assert [code(buy(driver)) for _ in range(3)] == [None, None, Refusal.RATE]
    driver.now_ns += SECOND
    assert [code(buy(driver)) for _ in range(2)] == [None, Refusal.DAY_RATE]
    driver.now_ns += 86_400 * SECOND
    assert buy(driver) is None


def test_a_fifth_of_the_venues_rate_is_kept_for_cancels():
    driver = live(venue_orders_per_second=10)
    codes = [code(buy(driver)) for _ in range(8)]
    assert codes == [None] * 7 + [Refusal.RATE]  # nine of ten are ours, four fifths of them for new


def test_the_venues_answers_set_the_rate():
    driver = live(venue_orders_per_second=10)
    driver.put(RateMeasured, "create.linear", 40, 0)
    codes = [code(buy(driver)) for _ in range(29)]
    assert codes == [None] * 28 + [Refusal.RATE]


def test_a_closed_group_takes_nothing_new_until_its_time():
    driver = live()
    venue_ms = driver.now_ns // 1_000_000
    driver.put(RateMeasured, "create.linear", 10, venue_ms + 700)
    assert code(buy(driver)) == Refusal.RATE
    driver.now_ns += SECOND
    assert buy(driver) is None


def test_a_limit_on_creates_says_nothing_about_amends():
    driver = live()
    handle = driver.do(lambda s: s.buy(PERP, "0.010", "49000"))
    driver.report(driver.newest.id, S.OPEN)
    driver.put(RateMeasured, "create.linear", 10, driver.now_ns // 1_000_000 + 700)
    driver.do(lambda _s: handle.amend(price="49100"))
    assert handle.order.amend_price_ticks


def test_the_users_own_limit_never_holds_a_cancel_back():
    driver = live(limited(orders_per_second=1))
    handle = driver.do(lambda s: s.buy(PERP, "0.010", "49000"))
    driver.report(driver.newest.id, S.OPEN)
    assert driver.do(lambda _s: handle.cancel()) is None
    assert handle.order.cancel_pending


def test_spot_sells_only_what_the_strategy_holds_and_has_not_promised():
    driver = live(limited(), PERP, SPOT)
    assert code(sell(driver, "0.001", "51000", on=SPOT)) == Refusal.NOT_HELD
    assert buy(driver, "0.001", "49000", on=SPOT) is None
    order = driver.newest
    driver.execute(order.id, 1_000, "e1", coin="BTC", fee=100)
    assert driver.core.ledger.qty_lots("s", SPOT) == 999
    assert code(sell(driver, "0.001", "51000", on=SPOT)) == Refusal.NOT_HELD
    assert sell(driver, "0.000600", "51000", on=SPOT) is None
    refusal = sell(driver, "0.000400", "51000", on=SPOT)
    assert code(refusal) == Refusal.NOT_HELD
    assert "0.000399 BTC may be sold" in refusal.text


def test_spot_does_not_sell_what_an_order_has_sold_and_the_executions_have_not_said_yet():
    driver = live(limited(), PERP, SPOT)
    buy(driver, "0.001", "49000", on=SPOT)
    driver.execute(driver.newest.id, 1_000, "e1")
    assert sell(driver, "0.001", "51000", on=SPOT) is None
    sold = driver.newest
    driver.report(sold.id, S.FILLED, cum=1_000)
    assert sold.state is S.FILLED
    assert code(sell(driver, "0.001", "51000", on=SPOT)) == Refusal.NOT_HELD


def test_reduce_only_means_nothing_on_spot():
    driver = live(limited(exposure=60 * CASH), PERP, SPOT)
    assert buy(driver, "0.001", "49000", on=SPOT, reduce_only=True) is None
    assert not driver.newest.reduce_only
    refusal = buy(driver, "0.001", "49000", on=SPOT, reduce_only=True)
    assert code(refusal) == Refusal.EXPOSURE


def test_unknown_orders_and_amends_in_flight_keep_their_room():
    driver = live(limited(position_notional=1_020 * CASH))
    handle = driver.do(lambda s: s.buy(PERP, "0.010", "49000"))
    driver.was_sent(driver.newest.id)
    driver.answered(driver.newest.id, "unknown")
    assert buy(driver, "0.010") is None
    assert code(buy(driver, "0.001")) == Refusal.POSITION
    driver.report(handle.order.id, S.CANCELED)
    assert buy(driver, "0.001") is None


def test_an_amend_passes_the_same_limits():
    driver = live(limited(position_notional=1_020 * CASH))
    handle = driver.do(lambda s: s.buy(PERP, "0.010", "49000"))
    driver.report(driver.newest.id, S.OPEN)
    driver.do(lambda _s: handle.amend(qty="0.030"))
    assert driver.of(OrderDenied)[-1].code == Refusal.POSITION
    driver.do(lambda _s: handle.amend(qty="0.020"))
    assert handle.order.amend_qty_lots == 20


def test_sells_must_fit_from_zero_because_a_reduction_may_come_first():
    driver = live(limited(position_notional=1_020 * CASH))
    driver.execute("by-hand", 20, "e1", order_qty=20)
    assert sell(driver, "0.020") is None
    assert code(sell(driver, "0.001")) == Refusal.POSITION
    assert sell(driver, "0.020", "51500", reduce_only=True) is None


def test_buys_must_fit_from_zero_too():
    driver = live(limited(position_notional=1_020 * CASH))
    driver.say(execution_of("e1", "by-hand", Side.SELL, 20, order_qty=20))
    assert buy(driver, "0.020") is None
    assert code(buy(driver, "0.001")) == Refusal.POSITION


def test_exposure_adds_the_other_instruments_up():
    driver = live(limited(exposure=2_000 * CASH), PERP, ETH)
    assert buy(driver, "0.020", "49000") is None
    assert code(buy(driver, "0.60", "1900", on=ETH)) == Refusal.EXPOSURE
    assert buy(driver, "0.40", "1900", on=ETH) is None


def test_loss_and_drawdown_of_the_account_stop_new_risk():
    driver = live(limited(daily_loss=100 * CASH, drawdown_ppm=500_000))
    driver.execute("by-hand", 10, "e1", price=500_000, order_qty=10)
    driver.mark(PERP, 40_000.0)
    driver.advance(2 * SECOND)
    assert driver.core.losses.lost_today == 100 * CASH
    driver.mark(PERP, 50_000.0)  # near the book again, before equity is measured anew
    assert code(buy(driver, limit="39000")) == Refusal.DAILY_LOSS


def test_a_paper_instance_has_a_scope_of_its_own():
    driver = live(
        limited(position_notional=600 * CASH),
        strategies=(one_strategy(), one_strategy(Mode.PAPER, name="p")),
    )
    assert buy(driver) is None
    assert code(buy(driver)) == Refusal.POSITION
    handle = driver.do(lambda s: s.buy(PERP, "0.010", "49000"), name="p")
    assert handle.refusal is None
    assert handle.order.is_paper


def test_paper_needs_no_private_link():
    driver = Driver(settings_of(one_strategy(Mode.PAPER))).begin()
    driver.book()
    driver.mark(PERP, 50_000.0)
    assert buy(driver) is None


def test_narrower_limits_of_an_instance_replace_the_accounts():
    narrow = one_strategy(limits=limited(order_notional=400 * CASH))
    assert code(buy(live(strategies=(narrow,)))) == Refusal.ORDER_NOTIONAL


def test_the_stop_of_a_session_reaches_the_gate():
    driver = live(end_policy="keep")
    driver.open_order()
    driver.put(SessionStopping, "x")
    assert driver.core.safety.is_stopping


def test_the_reference_of_a_perpetual_is_its_mark():
    driver = live(limited(price_distance_ppm=10_000))
    driver.put(TickerChanged, PERP, 0.0, 60_000.0, 0.0, 0.0, 0, driver.now_ns // MS)
    assert buy(driver, limit="60500") is None


def test_words_of_a_refusal_stand_in_the_log():
    driver = live(limited(open_orders=0))
    buy(driver)
    denied = driver.of(OrderDenied)[0]
    assert (denied.owner, denied.code) == ("s", "open_orders")
    assert "limits.open_orders is 0" in denied.text


def test_executions_of_the_venues_own_orders_count_as_position():
    driver = live(limited(position_notional=600 * CASH))
    driver.say(execution_of("e1", "liquidation", Side.BUY, 10, kind="AdlTrade"))
    assert code(buy(driver)) == Refusal.POSITION
