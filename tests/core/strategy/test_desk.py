"""Refusals as values, rounding, handles, checkpoints: a desk through its strategy."""

import math
from decimal import Decimal
from typing import Any

import pytest
from tests.properties.driver import (
    CASH,
    PERP,
    SECOND,
    T0,
    Driver,
    Puppet,
    one_strategy,
    settings_of,
)

from plimsoll.core.model import Mode, OrderState, Refusal
from plimsoll.core.records import BarChanged, OrderIntended
from plimsoll.core.strategy import Strategy, state

S = OrderState
MINUTE_MS = 60_000


@pytest.fixture
def paper():
    driver = Driver(settings_of(one_strategy(Mode.PAPER))).begin()
    driver.book()
    driver.mark(PERP, 50_000.0)
    return driver


@pytest.mark.parametrize(
    ("qty", "limit", "expected"),
    [
        ("0.0105", "49000", Refusal.OFF_STEP),
        ("0.010", "49000.05", Refusal.OFF_STEP),
        ("nonsense", "49000", Refusal.OFF_STEP),
        (math.nan, "49000", Refusal.OFF_STEP),
        (math.inf, 49_000.0, Refusal.OFF_STEP),
        ("0.010", "NaN", Refusal.OFF_STEP),
    ],
)
def test_what_is_no_order_is_a_refusal_and_not_an_exception(paper, qty, limit, expected):
    handle = paper.do(lambda s: s.buy(PERP, qty, limit))
    assert (handle.refusal.code, handle.state, handle.is_working) == (expected, S.DENIED, False)
    assert paper.core.state.stopped == {}


def test_floats_round_away_from_the_market_and_text_is_exact(paper):
    placed = [
        paper.do(lambda s: s.buy(PERP, 0.0109, 49_000.07)).order,
        paper.do(lambda s: s.sell(PERP, 0.0109, 51_000.01)).order,
        paper.do(lambda s: s.buy(PERP, Decimal("0.010"), 49_000)).order,
    ]
    assert [(one.qty_lots, one.price_ticks) for one in placed] == [
        (10, 490_000),
        (10, 510_001),
        (10, 490_000),
    ]


def test_an_instrument_that_was_not_declared_is_refused_with_the_ones_that_were(paper):
    handle = paper.do(lambda s: s.buy("linear:XRPUSDT", "1"))
    assert handle.refusal.code == Refusal.UNKNOWN_INSTRUMENT
    assert PERP in handle.refusal.text
    assert paper.do(lambda s: s.target("linear:XRPUSDT", qty=1)).code == Refusal.UNKNOWN_INSTRUMENT
    assert paper.do(lambda s: s.quote("linear:XRPUSDT")).code == Refusal.UNKNOWN_INSTRUMENT


def test_target_takes_one_size_and_rounds_towards_zero(paper):
    assert paper.do(lambda s: s.target(PERP)).code == Refusal.OFF_STEP
    assert paper.do(lambda s: s.target(PERP, qty=1, weight=0.1)).code == Refusal.OFF_STEP
    assert paper.do(lambda s: s.target(PERP, qty="x")).code == Refusal.OFF_STEP
    assert paper.do(lambda s: s.target(PERP, qty=1, stop="x")).code == Refusal.OFF_STEP
    desk = paper.core.trader.desks["s"]
    for sizes, lots in (
        ({"qty": "-0.0019"}, -1),
        ({"notional": 99.9}, 1),
        ({"notional": -149}, -2),
        ({"weight": 0.5}, 1_000),
    ):
        assert paper.do(lambda s, sizes=sizes: s.target(PERP, **sizes)) is None
        assert desk.targets[PERP].qty_lots == lots


def test_a_quote_with_a_bad_row_is_refused_and_the_old_one_stays(paper):
    paper.do(lambda s: s.quote(PERP, [(49_000, "0.01")], [(51_000, "0.01")]))
    refusal = paper.do(lambda s: s.quote(PERP, [(math.nan, 1)]))
    assert refusal.code == Refusal.OFF_STEP
    assert paper.core.trader.desks["s"].quotes[PERP].bids == [(490_000, 10)]


def test_a_handle_follows_its_order(paper):
    handle = paper.do(lambda s: s.buy(PERP, "0.010", "49000"))
    assert (handle.state, handle.filled_lots, handle.is_working) == (S.INTENT, 0, True)
    assert paper.do(lambda _s: handle.amend(qty="0.020")).code == Refusal.ORDER_BUSY
    paper.advance(SECOND)
    assert handle.state is S.OPEN
    assert paper.do(lambda _s: handle.amend(qty="0.0201")).code == Refusal.OFF_STEP
    assert paper.do(lambda _s: handle.cancel()) is None
    paper.advance(SECOND)
    assert (handle.state, handle.is_working) == (S.CANCELED, False)
    assert paper.do(lambda _s: handle.cancel()).code == Refusal.NO_SUCH_ORDER
    assert paper.do(lambda _s: handle.amend(qty="0.020")).code == Refusal.NO_SUCH_ORDER


def test_an_amend_under_what_is_filled_is_refused():
    driver = Driver().live()
    driver.core.losses.is_known, driver.core.losses.equity = True, 10**6 * CASH
    handle = driver.do(lambda s: s.buy(PERP, "0.010", "49000"))
    driver.report(driver.newest.id, S.OPEN)
    driver.execute(driver.newest.id, 4, "e1")
    assert driver.do(lambda _s: handle.amend(qty="0.004")).code == Refusal.BELOW_MINIMUM


def test_what_a_strategy_may_read(paper):
    paper.do(lambda s: s.buy(PERP, "0.010"))
    paper.advance(SECOND)
    held = paper.do(lambda s: s.position(PERP))
    assert (held.qty_lots, held.qty, held.entry_price) == (10, 0.01, 50_001.0)
    assert paper.do(lambda s: s.capital) == 100_000.0
    fee = 50_001 * 0.01 * 0.00055
    assert paper.do(lambda s: s.equity) == pytest.approx(100_000 - 0.01 - fee, abs=1e-6)
    assert paper.do(lambda s: s.now) == paper.now_ns
    assert paper.do(lambda s: s.orders(PERP)) == []
    assert paper.do(lambda s: s.instruments) == (PERP,)
    assert Puppet.instruments == (), "only the instance knows what it trades"
    assert paper.do(lambda s: s.market(PERP)).bid_ticks == 499_990


class Keeps(Puppet):
    bars = {"1m": 3}  # noqa: RUF012
    count: Any = state(0)
    seen: Any = state({"a": 1})

    def on_bar(self, bar):
        self.count += 1
        self.sma(PERP, "1m", 2)
        super().on_bar(bar)


def minute(driver, index, close):
    start = T0 // 1_000_000 // MINUTE_MS * MINUTE_MS + index * MINUTE_MS
    driver.put(BarChanged, PERP, start, close, close, close, close, 1.0, True, start)


def test_a_checkpoint_holds_states_targets_windows_and_the_random_stream():
    settings = settings_of(one_strategy(Mode.PAPER))
    first = Driver(settings, load=lambda _one: Keeps()).begin()
    first.book()
    desk = first.core.trader.desks["s"]
    desk.waits_for_bars.clear()
    for index, close in enumerate((1.0, 2.0, 3.0, 4.0)):
        minute(first, index, close)
    desk.strategy.seen["b"] = 2
    desk.rng.next_word()
    desk.target(PERP, "0.003", None, None, "45000")
    saved = desk.save()

    second = Driver(settings, load=lambda _one: Keeps()).begin()
    other = second.core.trader.desks["s"]
    other.restore(saved)
    assert (other.strategy.count, other.strategy.seen) == (4, {"a": 1, "b": 2})
    assert [bar.close for bar in other.window(PERP, "1m")] == [2.0, 3.0, 4.0]
    assert other.targets[PERP].qty_lots == 3
    assert other.rng.next_word() == desk.rng.next_word()
    assert other.strategy.sma(PERP, "1m", 2).value == 3.5
    assert other.targets[PERP].is_held, "what was wanted before a restart is not traded towards"
    other.targets[PERP].is_held = False
    assert desk.save() == other.save()


def test_indicators_go_on_even_when_another_checkpoint_comes_before_they_are_asked_for():
    settings = settings_of(one_strategy(Mode.PAPER))
    first = Driver(settings, load=lambda _one: Keeps()).begin()
    desk = first.core.trader.desks["s"]
    ema = desk.strategy.ema(PERP, "1m", 10)
    ema.value, ema.count = 123.0, 50
    second = Driver(settings, load=lambda _one: Keeps()).begin().core.trader.desks["s"]
    second.restore(desk.save())
    third = Driver(settings, load=lambda _one: Keeps()).begin().core.trader.desks["s"]
    third.restore(second.save())
    assert third.strategy.ema(PERP, "1m", 10).value == 123.0


def test_a_restored_strategy_goes_on_with_its_target():
    class Holds(Strategy):
        def on_start(self):
            pass

    settings = settings_of(one_strategy(Mode.PAPER))
    first = Driver(settings).begin()
    first.book()
    first.do(lambda s: s.target(PERP, qty="0.005"))
    first.advance(61 * SECOND)
    second = Driver(settings, load=lambda _one: Holds(), state=first.core.state, epoch=2).begin()
    assert second.core.trader.desks["s"].targets[PERP].qty_lots == 5


def test_bars_that_were_not_declared_raise_and_stop_the_strategy(paper):
    with pytest.raises(IndexError):
        paper.do(lambda s: s.window(PERP, "5m"))
    assert "not declared" in paper.core.state.stopped["s"]


def test_live_intents_never_come_from_a_paper_instance(paper):
    paper.do(lambda s: s.buy(PERP, "0.010"))
    paper.do(lambda s: s.target(PERP, qty="0.020"))
    paper.advance(5 * SECOND)
    assert paper.sent == []
    assert paper.of(OrderIntended) == []
