"""Orders on paper held against those of a backtest: which of them are the same."""

import random

from plimsoll.track.agreement import LEAST, Agreement, Ask, Pairing, agreement_of, together

S = 1_000_000_000


def ask(at=0.0, price=100, qty=1, side="buy", name="linear:BTCUSDT") -> Ask:
    return Ask(round(at * S), name, side, price, qty)


def test_the_same_orders_agree_whole():
    orders = [ask(nth, price=nth) for nth in range(LEAST)]
    assert agreement_of(orders, orders, S).share == 1.0


def test_too_few_orders_say_nothing():
    orders = [ask(nth) for nth in range(LEAST - 1)]
    assert agreement_of(orders, orders, S) == (LEAST - 1,) * 4
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


def naive(recorded: list[Ask], made: list[Ask], within_ns: int) -> int:
    """Return how many have a partner, by looking at everything each time."""
    left, alike = list(made), 0
    for ask in recorded:
        near = [
            (abs(one.ts_ns - ask.ts_ns), place)
            for place, one in enumerate(left)
            if one.key == ask.key
            and abs(one.ts_ns - ask.ts_ns) <= within_ns
            and abs(one.price_ticks - ask.price_ticks) <= 1
        ]
        if near:
            left.pop(min(near)[1])
            alike += 1
    return alike


def drawn(draw: random.Random, count: int) -> list[Ask]:
    return sorted(
        ask(draw.random() * count / 3, draw.randrange(99, 103), draw.randrange(1, 3), side=side)
        for side in draw.choices(("buy", "sell"), k=count)
    )


def test_two_streams_are_paired_as_a_naive_twin_pairs_two_lists():
    for seed in range(40):
        draw = random.Random(seed)
        recorded, made = drawn(draw, 60), drawn(draw, 60)
        pairing = Pairing(S)
        events = [(one.ts_ns, pairing.record, one) for one in recorded]
        events += [(one.ts_ns, pairing.make, one) for one in made]
        for at_ns, take, one in sorted(events, key=lambda event: event[0]):
            take(one)
            if draw.random() < 0.3:
                pairing.settle(at_ns)
        assert pairing.end().alike == naive(recorded, made, S), seed
        assert agreement_of(recorded, made, S).alike == naive(recorded, made, S), seed


def test_a_long_session_leaves_nothing_behind():
    pairing, draw, most = Pairing(S), random.Random(1), 0
    for nth in range(20_000):
        one = ask(nth / 10, draw.randrange(99, 103), draw.randrange(1, 1_000))
        (pairing.record if draw.random() < 0.5 else pairing.make)(one)
        pairing.settle(one.ts_ns)
        held = len(pairing._recorded) + len(pairing._keys)
        most = max(most, held + sum(map(len, pairing._made.values())) + len(pairing._made))
    assert most < 200
    assert pairing.end().recorded > 9_000


def test_sessions_add_up_and_none_makes_up_for_another():
    found = together([Agreement(30, 10, 10, 30), Agreement(10, 30, 10, 30)])
    assert (found.recorded, found.made, found.alike) == (40, 40, 20)
    assert found.share == 20 / 60
    assert together([]).share is None
