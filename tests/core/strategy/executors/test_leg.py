"""``Leg``: what its orders came to, each counted once, however often it is told."""

from plimsoll.core.model import Order, OrderState, OrderType, Regrid, Side, TimeInForce
from plimsoll.core.strategy.executors.leg import KEPT, Leg


def order(number: int, side: Side = Side.BUY, filled: int = 0, state=OrderState.OPEN) -> Order:
    return Order(
        id=f"o{number}",
        owner="s",
        instrument="linear:BTCUSDT",
        side=side,
        order_type=OrderType.LIMIT,
        tif=TimeInForce.IOC,
        price_ticks=100,
        qty_lots=10,
        reduce_only=False,
        label="twap#1.0",
        is_paper=False,
        state=state,
        created_ns=1_000 + number,
        filled_lots=filled,
        filled_notional=100 * filled,
        venue_cum_lots=filled,
    )


def leg(qty: int = 10_000) -> Leg:
    return Leg("linear:BTCUSDT", "twap#1.0", 1, qty)


def test_an_order_counts_once_however_often_it_is_told():
    found = leg(30)
    one = order(1, filled=4)
    for _ in range(3):
        found.note(one)
    assert (found.filled_lots, found.coming_lots, found.left_lots) == (4, 6, 20)
    assert found.average_ticks == 100
    assert found.newest_ns == 1_001


def test_what_was_taken_back_is_less():
    found = leg(30)
    found.note(order(1, filled=10, state=OrderState.FILLED))
    found.note(order(2, Side.SELL, filled=3, state=OrderState.CANCELED))
    assert (found.forward_lots, found.filled_lots, found.left_lots) == (10, 7, 23)
    assert not found.in_flight


def test_old_orders_become_a_sum_and_are_not_counted_anew():
    found = leg()
    orders = [order(n, filled=10, state=OrderState.FILLED) for n in range(KEPT + 20)]
    for one in orders:
        found.note(one)
    assert len(found.pieces) == KEPT
    for one in orders:
        found.note(one)
    assert found.filled_lots == 10 * len(orders)
    assert found.average_ticks == 100


def test_one_that_may_still_match_is_never_folded():
    found = leg()
    found.note(order(0))
    for n in range(1, KEPT + 20):
        found.note(order(n, filled=10, state=OrderState.FILLED))
    assert found.coming_lots == 10
    found.note(order(0, filled=10, state=OrderState.FILLED))
    assert found.filled_lots == 10 * (KEPT + 20)


def test_one_the_store_has_forgotten_adds_nothing_any_more():
    found = leg()
    found.note(order(1, filled=4))
    found.read(lambda _order_id: None)
    assert (found.filled_lots, found.coming_lots, found.in_flight) == (4, 0, False)


def test_new_steps_change_counts_and_no_quantity():
    found = leg(100)
    for n in range(KEPT + 5):
        found.note(order(n, filled=1, state=OrderState.CANCELED))
    found.regrid(Regrid(2, 5))
    assert (found.qty_lots, found.filled_lots) == (500, 5 * (KEPT + 5))
    assert found.average_ticks == 200
