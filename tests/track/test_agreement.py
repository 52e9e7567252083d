"""Orders on paper held against those of a backtest: which of them are the same."""

import random

from plimsoll.track.agreement import LEAST, Ask, agreement_of

S = 1_000_000_000


def ask(at=0.0, price=100, qty=1, side="buy", name="linear:BTCUSDT") -> Ask:
    return Ask(round(at * S), name, side, price, qty)


def test_the_same_orders_agree_whole():
    orders = [ask(nth, price=nth) for nth in range(LEAST)]
    assert agreement_of(orders, orders, S).share == 1.0


def test_too_few_orders_say_nothing():
    orders = [ask(nth) for nth in range(LEAST - 1)]
    assert agreement_of(orders, orders, S) == (LEAST - 1, LEAST - 1, LEAST - 1)
    assert agreement_of(orders, orders, S).share is None
    assert agreement_of([], [], S).share is None


def test_an_order_differs_by_instrument_side_quantity_price_and_time():
    for other in (
        ask(name="linear:ETHUSDT"), ask(side="sell"), ask(qty=2), ask(price=102), ask(at=1.1),
        ask(at=-1.1),
    ):  # fmt: skip
        assert agreement_of([ask()], [other], S).alike == 0, other
    for same in (ask(price=101), ask(price=99), ask(at=1.0), ask(at=-1.0)):
        assert agreement_of([ask()], [same], S).alike == 1, same


def test_an_order_has_one_partner_and_the_longer_list_counts():
    made = [ask(0)] * 1 + [ask(100 + nth) for nth in range(LEAST)]
    found = agreement_of([ask(0), ask(0.1)], made, S)
    assert found.alike == 1
    assert found.share == 1 / (LEAST + 1)


def test_what_is_shuffled_by_less_than_the_tolerance_agrees_like_a_naive_twin():
    draw = random.Random(3)
    recorded = [ask(nth * 5, price=draw.randrange(90, 110)) for nth in range(200)]
    made = sorted(
        one._replace(ts_ns=one.ts_ns + draw.randrange(S // 2), price_ticks=one.price_ticks + nudge)
        for one in recorded
        if (nudge := draw.choice((-2, -1, 0, 1, 2))) is not None
    )
    near = sum(
        abs(ours.price_ticks - theirs.price_ticks) <= 1
        for ours, theirs in zip(recorded, made, strict=True)
    )
    assert agreement_of(recorded, made, S).alike == near
