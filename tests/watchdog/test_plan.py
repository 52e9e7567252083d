"""What goes and what stays, over drawn lists of orders; and the requests that follow."""

from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from plimsoll.core.model import IdMaker, guard_id
from plimsoll.venues.bybit.api.order_rows import Order
from plimsoll.watchdog.plan import (
    BATCH,
    BY_ID_MOST,
    SYMBOLS_MOST,
    Reach,
    is_plain,
    plan_of,
    protects,
    steps_of,
)

OURS = IdMaker("desk", 7).peek()
NAMES = ("", "hand-1", OURS, OURS[:-1] + "#", IdMaker("other", 7).peek(), guard_id("desk", 1, 1))
KINDS = ("", "UNKNOWN", "Stop", "TakeProfit", "StopLoss", "TrailingStop", "PartialStopLoss")
SPOT_KINDS = ("", "Stop", "tpslOrder", "OcoOrder")


def order(number=1, **fields):
    defaults: dict[str, Any] = {"category": "linear", "symbol": "BTCUSDT", "side": "Buy"}
    defaults |= {"status": "New", "venue_order_id": f"v{number}", "qty": Decimal(1)}
    return Order(**(defaults | fields))


@st.composite
def listed(draw):
    category = draw(st.sampled_from(("linear", "spot")))
    is_linear = category == "linear"
    return order(
        draw(st.integers(0, 10**9)),
        category=category,
        symbol=draw(st.sampled_from([*["S0USDT"] * 12, *(f"S{n}USDT" for n in range(12))])),
        side=draw(st.sampled_from(("Buy", "Sell"))),
        client_order_id=draw(st.sampled_from(NAMES)),
        stop_kind=draw(st.sampled_from(KINDS if is_linear else SPOT_KINDS)),
        reduce_only=is_linear and draw(st.booleans()),
        close_on_trigger=is_linear and draw(st.booleans()),
        is_leverage="" if is_linear else draw(st.sampled_from(("", "0", "1"))),
    )


lists = st.lists(listed(), max_size=120, unique_by=lambda one: one.venue_order_id)


@given(lists, st.sampled_from(Reach))
def test_every_order_is_judged_once_and_nothing_that_protects_goes(orders, reach):
    plan = plan_of(orders, reach, "desk")
    assert sorted(one.venue_order_id for part in plan for one in part) == sorted(
        one.venue_order_id for one in orders
    )
    assert all(protects(one) for one in plan.protection)
    assert not any(protects(one) for one in (*plan.cancel, *plan.foreign))
    if reach is Reach.ACCOUNT:
        assert not plan.foreign
    else:
        assert {one.client_order_id for one in plan.cancel} <= {OURS}


@given(lists, st.sampled_from(Reach), st.booleans())
def test_steps_reach_every_order_that_goes_and_can_hit_no_other(orders, reach, by_id_too):
    plan = plan_of(orders, reach, "desk")
    steps = steps_of(plan, reach, by_id_too=by_id_too)
    asked = {one.venue_order_id for step in steps for one in step.orders}
    assert asked >= {one.venue_order_id for one in plan.cancel}
    spared = {one.venue_order_id for one in plan.protection if not is_plain(one)}
    assert not asked & spared
    assert all(len(step.orders) <= BATCH for step in steps if step.kind == "batch")
    for step in steps:
        if step.kind != "all":
            continue
        assert reach is Reach.ACCOUNT
        hit = [
            one
            for one in orders
            if one.category == step.category
            and is_plain(one)  # a cancel-all names the filter Order
            and step.symbol in ("", one.symbol)
        ]
        if any(protects(one) for one in hit):
            assert sum(not protects(one) for one in hit) > BY_ID_MOST
            told = {one.venue_order_id for one in step.orders}
            assert {one.venue_order_id for one in hit} == told


def test_what_a_contract_order_must_be_to_stay():
    assert not protects(order())
    assert not protects(order(stop_kind="Stop"))
    assert protects(order(reduce_only=True))
    assert protects(order(close_on_trigger=True))
    for kind in ("TakeProfit", "StopLoss", "TrailingStop", "PartialTakeProfit", "MmRateClose"):
        assert protects(order(stop_kind=kind))


def test_on_spot_only_a_conditional_sale_without_borrowing_stays():
    assert protects(order(category="spot", side="Sell", stop_kind="tpslOrder"))
    assert protects(order(category="spot", side="Sell", stop_kind="Stop", is_leverage="0"))
    assert not protects(order(category="spot", side="Sell", stop_kind="Stop", is_leverage="1"))
    assert not protects(order(category="spot", side="Buy", stop_kind="tpslOrder"))
    assert not protects(order(category="spot", side="Sell"))


def test_many_symbols_are_cleared_by_settle_coin_few_one_by_one():
    many = [order(n, symbol=f"S{n}USDT") for n in range(SYMBOLS_MOST + 1)]
    plan = plan_of(many, Reach.ACCOUNT, "desk")
    assert [step.settle for step in steps_of(plan, Reach.ACCOUNT)] == ["USDT", "USDC"]
    few = plan_of(many[:2], Reach.ACCOUNT, "desk")
    assert [step.symbol for step in steps_of(few, Reach.ACCOUNT)] == ["S0USDT", "S1USDT"]


def test_many_orders_are_swept_together_with_a_reduction_that_rests_among_them():
    orders = [order(n) for n in range(BY_ID_MOST + 1)]
    orders += [order(900, reduce_only=True), order(901, stop_kind="StopLoss", reduce_only=True)]
    (step,) = steps_of(plan_of(orders, Reach.ACCOUNT, "desk"), Reach.ACCOUNT)
    assert step.kind == "all"
    assert {one.venue_order_id for one in step.orders} == {
        *(f"v{n}" for n in range(BY_ID_MOST + 1)),
        "v900",
    }


def test_a_plain_order_that_protects_keeps_its_symbol_from_a_cancel_all():
    orders = [
        order(1),
        order(2, reduce_only=True, side="Sell"),
        order(3, symbol="ETHUSDT"),
        order(4, stop_kind="StopLoss", reduce_only=True, symbol="ETHUSDT"),
    ]
    steps = steps_of(plan_of(orders, Reach.ACCOUNT, "desk"), Reach.ACCOUNT)
    assert [(step.kind, step.symbol) for step in steps if step.kind == "all"] == [
        ("all", "ETHUSDT")
    ]
    assert [one.venue_order_id for s in steps if s.kind == "batch" for one in s.orders] == ["v1"]
