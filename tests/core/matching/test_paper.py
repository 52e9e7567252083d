"""The paper venue inside the core: latency, queue, refusals, fees, restarts, bad market data."""

import json

import msgspec
import pytest
from tests.properties.driver import (
    CASH,
    INSTRUMENTS,
    MS,
    PERP,
    SECOND,
    SPOT,
    Driver,
    one_strategy,
    settings_of,
)

from plimsoll.core.engine import restore, snapshot
from plimsoll.core.model import Mode, OrderState
from plimsoll.core.records import (
    BookChanged,
    InstrumentListed,
    OrderIntended,
    PaperFilled,
    PaperReported,
    PublicTraded,
)
from plimsoll.core.settings import Timing
from plimsoll.venues.bybit.public import PublicParser

S = OrderState
LATENCY = Timing().paper_latency_ns
RICH = 10**7 * CASH  # margin has tests of its own
SETTINGS = settings_of(one_strategy(Mode.PAPER, (PERP, SPOT), capital=RICH))


@pytest.fixture
def paper():
    return started(Driver(SETTINGS))


def started(driver):
    driver.begin(PERP, SPOT)
    for name in (PERP, SPOT):
        driver.book(name)
        driver.mark(name, 50_000.0)
    return driver


def place(driver, side="buy", qty="0.010", limit="49000", on=PERP, **named):
    return driver.do(lambda s: getattr(s, side)(on, qty, limit, **named), on=on)


def rest(driver, side="buy", **named):
    handle = place(driver, side, **named)
    driver.advance(LATENCY)
    assert handle.state is S.OPEN
    return handle


def last_reason(driver):
    return driver.of(PaperReported)[-1].reason


def test_an_order_takes_effect_one_latency_later_on_the_market_of_then(paper):
    handle = place(paper, limit=None)
    paper.advance(LATENCY - 1)
    assert handle.state == "intent"
    paper.book(mid=50_020.0)
    paper.advance(1)
    assert handle.state is S.FILLED
    assert [one.price_ticks for one in paper.of(PaperFilled)] == [500_210]


def test_a_resting_order_fills_as_maker_when_prints_pass_its_queue(paper):
    handle = rest(paper, limit="49999")
    paper.put(PublicTraded, PERP, [(49_999.0, 100.0, False, 0)], 0)
    assert handle.filled_lots == 0
    paper.put(PublicTraded, PERP, [(49_999.0, 0.004, False, 0)], 0)
    assert (handle.filled_lots, handle.state) == (4, S.PARTIAL)
    paper.put(PublicTraded, PERP, [(49_998.0, 0.001, False, 0)], 0)
    assert handle.state is S.FILLED
    assert {one.is_maker for one in paper.of(PaperFilled)} == {True}


def test_a_resting_order_joins_behind_a_share_of_the_queue_where_that_is_configured():
    timing = Timing(paper_queue_ppm=250_000)
    strategy = one_strategy(Mode.PAPER, (PERP, SPOT))
    paper = started(Driver(settings_of(strategy, timing=timing)))
    handle = rest(paper, limit="49999")
    paper.put(PublicTraded, PERP, [(49_999.0, 25.0, False, 0)], 0)
    assert handle.filled_lots == 0
    paper.put(PublicTraded, PERP, [(49_999.0, 0.004, False, 0)], 0)
    assert (handle.filled_lots, handle.state) == (4, S.PARTIAL)


def test_post_only_that_would_take_is_cancelled(paper):
    handle = place(paper, limit="50001", post_only=True)
    paper.advance(LATENCY)
    assert (handle.state, last_reason(paper)) == (S.CANCELED, "post-only would have taken")


def test_ioc_takes_what_is_there_and_cancels_the_rest(paper):
    handle = place(paper, qty="120", limit="50001", tif="ioc")
    assert handle.refusal.code == "above_maximum"
    handle = place(paper, qty="90", limit="50001", tif="ioc")
    paper.put(BookChanged, PERP, 50, True, 50, 1, paper.now_ns // MS, [], [(50_001.0, 30.0)])
    paper.advance(LATENCY)
    assert (handle.state, handle.filled_lots) == (S.CANCELED, 30_000)


def test_fok_is_all_or_nothing(paper):
    handle = place(paper, qty="0.010", limit="50000", tif="fok")
    paper.advance(LATENCY)
    assert (handle.state, handle.filled_lots) == (S.CANCELED, 0)


def test_reduce_only_never_crosses_zero(paper):
    place(paper, qty="0.010", limit=None)
    paper.advance(LATENCY)
    handle = place(paper, "sell", qty="0.030", limit="49900", reduce_only=True)
    paper.advance(LATENCY)
    assert (handle.state, handle.filled_lots) == (S.FILLED, 10)
    assert paper.core.ledger.qty_lots("s", PERP) == 0
    handle = place(paper, "sell", qty="0.030", limit="49900", reduce_only=True)
    paper.advance(LATENCY)
    assert (handle.state, last_reason(paper)) == (S.CANCELED, "nothing left to reduce")


def test_fees_are_in_the_coin_the_venue_takes_and_rounded_against_us(paper):
    place(paper, qty="0.010", limit=None)
    place(paper, qty="0.001", limit=None, on=SPOT)
    paper.advance(LATENCY)
    perp, spot = paper.of(PaperFilled)
    assert (perp.fee_coin, perp.fee_units) == ("USDT", 27_500_550)  # 500.01 x 0.055 %
    assert (spot.fee_coin, spot.fee_units) == ("BTC", 55)  # 0.001 x 0.055 %
    # The fee leaves the holding: 1000 lots less 0.055 %, whole lots only.
    assert paper.core.ledger.qty_lots("s", SPOT) == 999
    place(paper, "sell", qty="0.000900", limit=None, on=SPOT)
    paper.advance(LATENCY)
    assert paper.of(PaperFilled)[-1].fee_coin == "USDT"
    assert paper.core.ledger.cash == {}


def test_amend_moves_the_order_and_cancel_ends_it(paper):
    handle = rest(paper)
    paper.do(lambda _s: handle.amend(price="49500", qty="0.020"))
    paper.advance(LATENCY)
    assert (handle.order.price_ticks, handle.order.qty_lots, handle.state) == (495_000, 20, S.OPEN)
    assert not handle.order.is_busy
    paper.do(lambda _s: handle.cancel())
    paper.advance(LATENCY)
    assert handle.state is S.CANCELED
    assert not paper.core.orders.working


def test_an_amend_to_what_was_filled_meanwhile_ends_the_order(paper):
    handle = rest(paper, limit="49999")
    paper.do(lambda _s: handle.amend(qty="0.005"))
    paper.put(PublicTraded, PERP, [(49_999.0, 100.006, False, 0)], 0)
    assert handle.filled_lots == 6
    paper.advance(LATENCY)
    assert (handle.state, handle.filled_lots) == (S.CANCELED, 6)


def test_an_order_filled_whole_while_its_amend_was_on_its_way_has_ended(paper):
    handle = rest(paper, limit="49999")
    paper.do(lambda _s: handle.amend(qty="0.031"))
    paper.put(PublicTraded, PERP, [(49_999.0, 1_000.0, False, 0)], 0)
    assert (handle.state, handle.filled_lots, handle.order.qty_lots) == (S.PARTIAL, 10, 10)
    paper.advance(LATENCY)
    assert (handle.state, handle.filled_lots) == (S.FILLED, 10)
    assert not paper.core.orders.working


def test_an_amend_of_a_post_only_order_through_the_market_cancels_it(paper):
    handle = rest(paper, post_only=True)
    paper.do(lambda _s: handle.amend(price="50100"))
    paper.advance(LATENCY)
    assert (handle.state, handle.filled_lots) == (S.CANCELED, 0)


def test_two_instances_do_not_take_each_others_liquidity():
    both = settings_of(
        one_strategy(Mode.PAPER, capital=RICH), one_strategy(Mode.PAPER, name="t", capital=RICH)
    )
    driver = started(Driver(both))
    for name in ("s", "t"):
        driver.strategies[name].todo.append(lambda s: s.buy(PERP, "99", "50001", tif="ioc"))
    driver.book()
    driver.advance(LATENCY)
    assert [one.qty_lots for one in driver.of(PaperFilled)] == [99_000, 99_000]


def resumed(driver, **book):
    again = Driver(SETTINGS, state=restore(snapshot(driver.core.state)), epoch=2)
    again.now_ns = driver.now_ns
    again.begin(PERP, SPOT)
    again.updates = {PERP: 500, SPOT: 500}
    again.book(PERP, **book)
    again.book(SPOT)
    return again


def test_a_resting_order_goes_on_after_a_restart(paper):
    order = rest(paper, limit="49999").order
    again = resumed(paper)
    order = again.core.orders.find(order.id)
    assert order.state == "open"
    again.put(PublicTraded, PERP, [(49_998.0, 1.0, False, 0)], 0)
    assert order.state is S.FILLED


def test_an_order_the_market_passed_during_a_restart_is_filled(paper):
    order = rest(paper, limit="49999").order
    again = resumed(paper, mid=49_900.0)
    order = again.core.orders.find(order.id)
    assert (order.state, order.filled_lots) == (S.FILLED, 10)
    assert again.core.ledger.qty_lots("s", PERP) == 10


def test_requests_that_had_no_effect_yet_are_asked_again_after_a_restart(paper):
    placed = place(paper, limit="49000").order
    amended, cancelled = rest(paper).order, rest(paper).order
    placed = place(paper, limit="48000").order
    paper.strategies["s"].todo += [
        lambda s: _handle(s, amended).amend(price="49100"),
        lambda s: _handle(s, cancelled).cancel(),
    ]
    paper.book()
    assert amended.is_busy
    assert cancelled.is_busy
    again = resumed(paper)
    again.advance(SECOND)
    find = again.core.orders.find
    assert find(placed.id).state is S.OPEN
    assert (find(amended.id).price_ticks, find(amended.id).is_busy) == (491_000, False)
    assert find(cancelled.id).state is S.CANCELED


def test_an_order_filled_whole_before_a_restart_with_its_amend_on_its_way_ends_after_it(paper):
    handle = rest(paper, limit="49999")
    paper.do(lambda _s: handle.amend(qty="0.031"))
    paper.put(PublicTraded, PERP, [(49_999.0, 1_000.0, False, 0)], 0)
    assert (handle.state, handle.filled_lots) == (S.PARTIAL, 10)
    again = resumed(paper)
    again.advance(SECOND)
    order = again.core.orders.find(handle.order.id)
    assert (order.state, order.filled_lots) == (S.FILLED, 10)


def _handle(strategy, order):
    from plimsoll.core.strategy import OrderHandle

    handle = OrderHandle(strategy._port, order.instrument)
    handle.order = order
    return handle


@pytest.mark.parametrize(
    ("bids", "asks"),
    [
        ([(49_999.0, -1.0)], []),
        ([(-1.0, 1.0)], []),
        ([(0.0, 1.0)], [(50_001.0, 1.0)]),
        ([(50_100.0, 1.0)], [(50_001.0, 1.0)]),
    ],
)
@pytest.mark.parametrize("is_snapshot", [True, False])
def test_a_torn_book_fills_nothing_and_breaks_nothing(paper, bids, asks, is_snapshot):
    resting = rest(paper, "sell", limit="50050")
    late = place(paper, on=SPOT, qty="0.001")
    number = paper.updates[PERP] + (10 if is_snapshot else 1)
    paper.put(BookChanged, PERP, 50, is_snapshot, number, 1, paper.now_ns // MS, bids, asks)
    paper.advance(SECOND)
    assert (resting.state, resting.filled_lots) == (S.OPEN, 0)
    assert late.state is S.OPEN
    paper.updates[PERP] = number
    paper.book()
    assert resting.state is S.OPEN


def test_an_order_that_takes_effect_on_a_torn_book_takes_nothing_from_it(paper):
    handle = place(paper, limit="50001")
    bad = [(-1.0, 1.0)]
    paper.put(BookChanged, PERP, 50, True, 90, 1, paper.now_ns // MS, bad, [(50_001.0, 9.0)])
    paper.advance(LATENCY)
    assert (handle.state, handle.filled_lots) == (S.OPEN, 0)
    paper.updates[PERP] = 90
    paper.book()
    assert handle.state is S.FILLED


def test_nothing_of_paper_ever_leaves(paper):
    for _ in range(3):
        place(paper, limit=None)
        rest(paper)
        paper.advance(SECOND)
    assert paper.sent == []
    assert paper.of(OrderIntended) == []


def test_block_and_rpi_prints_neither_fill_nor_advance_a_queue(paper):
    """From the frame on: what the venue prints beside its book is not in the book."""
    handle = rest(paper, limit="49999")  # behind 100 displayed
    parser = PublicParser("linear")

    def printed(qty, **flags):
        row = {"T": paper.now_ns // MS, "s": "BTCUSDT", "S": "Sell", "v": qty, "p": "49999.0"}
        message = {
            "topic": "publicTrade.BTCUSDT",
            "ts": paper.now_ns // MS,
            "data": [row | flags | {"i": "x"}],
        }
        found = parser.parse(json.dumps(message).encode(), paper.seq + 1, paper.now_ns, 1)
        if found is not None:
            paper.take(found)

    printed("60", BT=True)
    printed("60", RPI=True)
    printed("500", BT=True)
    printed("99.999")
    assert handle.filled_lots == 0, "the queue is still there"
    printed("0.001")
    printed("0.004")
    assert handle.filled_lots == 4
    printed("500", RPI=True)
    assert handle.filled_lots == 4


def test_the_venues_price_limit_holds_on_paper_too(paper):
    limited = msgspec.structs.replace(INSTRUMENTS[PERP], price_limit="0.05")
    paper.put(InstrumentListed, limited)
    assert place(paper, limit="52600").refusal.code == "price_distance"
    assert place(paper, "sell", limit="47400").refusal.code == "price_distance"
    assert place(paper, "sell", limit="52600").state == "intent"
    assert place(paper, limit="52400").state == "intent"
