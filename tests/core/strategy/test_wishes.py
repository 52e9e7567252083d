"""From a wish to the next order change: targets and quotes as pure functions."""

from tests.properties.driver import INSTRUMENTS, PERP, SPOT

from plimsoll.core.model import Order, OrderState, OrderType, Side, TimeInForce
from plimsoll.core.strategy.wishes import (
    Amend,
    Cancel,
    Place,
    Quote,
    Target,
    plan_quote,
    plan_target,
)

S = OrderState


def order(side=Side.BUY, price=100, qty=10, state=S.OPEN, **more):
    return Order(
        id=f"{side}-{price}",
        owner="s",
        instrument=PERP,
        side=side,
        order_type=OrderType.LIMIT,
        tif=TimeInForce.POST_ONLY,
        price_ticks=price,
        qty_lots=qty,
        reduce_only=False,
        label="quote",
        is_paper=False,
        state=state,
        created_ns=0,
        **more,
    )


def target(lots, held, working=(), on=PERP, **more):
    return plan_target(Target(lots, **more), held, working, INSTRUMENTS[on])


def test_a_target_is_reached_by_one_market_order():
    assert target(10, 0) == Place(Side.BUY, 0, 10, False)
    assert target(-10, 0) == Place(Side.SELL, 0, 10, False)
    assert target(10, 4) == Place(Side.BUY, 0, 6, False)
    assert target(10, 10) is None


def test_a_reduction_is_asked_for_as_one():
    assert target(4, 10) == Place(Side.SELL, 0, 6, True)
    assert target(0, -10) == Place(Side.BUY, 0, 10, True)
    assert target(0, 100, on=SPOT) == Place(Side.SELL, 0, 100, True)


def test_a_flip_is_two_orders_the_first_to_flat():
    assert target(-5, 10) == Place(Side.SELL, 0, 10, True)
    assert target(-5, 0) == Place(Side.SELL, 0, 5, False)


def test_nothing_while_an_order_works():
    assert target(10, 0, [order()]) is None


def test_dust_is_left_alone_and_a_reduction_takes_the_whole():
    least = INSTRUMENTS[SPOT].min_lots
    assert least == 10
    assert target(5, 0, on=SPOT) is None
    assert target(100, 95, on=SPOT) is None
    assert target(5, 100, on=SPOT) == Place(Side.SELL, 0, 100, True)
    assert target(0, 5, on=SPOT) is None


def test_a_stopped_direction_counts_as_flat_and_the_other_does_not():
    assert target(10, 10, stopped_sign=1) == Place(Side.SELL, 0, 10, True)
    assert target(10, 0, stopped_sign=1) is None
    assert target(-10, 0, stopped_sign=1) == Place(Side.SELL, 0, 10, False)


def quote(bids=(), asks=(), requote=1, min_life=0):
    return Quote(list(bids), list(asks), requote, min_life)


def plan(wish, working=(), now_ns=0):
    return plan_quote(wish, working, now_ns, INSTRUMENTS[PERP])


def test_rows_without_an_order_are_placed_post_only():
    assert plan(quote([(100, 5)], [(110, 6)])) == [
        Place(Side.BUY, 100, 5, reduce_only=False),
        Place(Side.SELL, 110, 6, reduce_only=False),
    ]


def test_a_price_that_moved_enough_is_amended_and_less_is_left():
    resting = order(price=100)
    assert plan(quote([(103, 10)], requote=3), [resting]) == [Amend(resting, 103, 10)]
    assert plan(quote([(102, 10)], requote=3), [resting]) == []


def test_an_amend_keeps_what_was_filled():
    resting = order(price=100, filled_lots=4)
    assert plan(quote([(105, 10)]), [resting]) == [Amend(resting, 105, 14)]


def test_an_order_lives_its_least_time_first():
    resting = order(price=100, touched_ns=1_000)
    wish = quote([(105, 10)], min_life=500)
    assert plan(wish, [resting], now_ns=1_499) == []
    assert plan(wish, [resting], now_ns=1_500) == [Amend(resting, 105, 10)]


def test_rows_that_are_gone_are_cancelled_before_others_are_placed():
    near, far = order(price=100), order(price=90)
    assert plan(quote([(100, 10)]), [far, near]) == [Cancel(far)]
    assert plan(quote([], [(110, 5)]), [near]) == [
        Cancel(near),
        Place(Side.SELL, 110, 5, reduce_only=False),
    ]


def test_busy_orders_are_left_until_they_are_answered():
    for busy in (
        order(state=S.SENT),
        order(state=S.UNKNOWN),
        order(cancel_pending=True),
        order(amend_qty_lots=4, amend_price_ticks=99),
    ):
        assert plan(quote([(105, 10)]), [busy]) == []
        assert plan(quote(), [busy]) == []


def test_best_rows_meet_best_orders():
    low, high = order(price=95), order(price=100)
    assert plan(quote([(101, 10), (95, 10)]), [low, high]) == [Amend(high, 101, 10)]
    cheap, dear = order(Side.SELL, 110), order(Side.SELL, 120)
    assert plan(quote((), [(110, 10), (125, 10)]), [dear, cheap]) == [Amend(dear, 125, 10)]


def test_rows_under_the_minimum_are_not_placed():
    assert plan(quote([(100, 0)])) == []
