"""Slices that close a position: size, price, waiting, dust, and what the way out costs."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.properties.driver import INSTRUMENTS, PERP, SPOT

from plimsoll.core.execution.flatten import (
    Slice,
    Wait,
    band_ticks,
    estimate_units,
    is_dust,
    plan_slice,
    slippage_units,
)
from plimsoll.core.model import Instrument, Order, OrderState, OrderType, Side, TimeInForce

REFERENCE = 500_000
ROWS = [(49_999.0, 0.05), (49_990.0, 0.07), (49_400.0, 9.0)]
"""Bids; the last one is outside the band."""


def closing(state: OrderState) -> Order:
    return Order(
        "x", "s", PERP, Side.SELL, OrderType.LIMIT, TimeInForce.IOC, 495_000, 10, True, "flatten:f",
        False, state, 0,
    )  # fmt: skip


def plan(held: int, rows: Any = None, orders=(), *, name=PERP, alone=True, reference=REFERENCE):
    return plan_slice(INSTRUMENTS[name], held, reference, rows, orders, is_alone=alone)


def test_a_slice_is_what_is_visible_inside_the_band_at_its_edge():
    assert plan(1_000, ROWS) == Slice(Side.SELL, 495_000, 120)
    assert plan(-1_000, [(50_001.0, 0.05)]) == Slice(Side.BUY, 505_000, 50)


def test_without_a_trusted_book_the_band_alone_bounds_it():
    assert plan(1_000) == Slice(Side.SELL, 495_000, 1_000)


def test_nothing_leaves_without_a_price_or_with_nobody_in_the_band():
    assert plan(10, reference=0) == Wait("no price of it is known")
    assert plan(10, [(49_000.0, 1.0)]) == Wait("nothing to take inside the band")


def test_the_venues_maximum_bounds_a_slice_and_the_last_one_can_be_closed():
    least = msgspec.structs.replace(INSTRUMENTS[PERP], min_qty="0.010")
    assert least.max_lots == 100_000
    made = plan_slice(least, 100_005, REFERENCE, None, (), is_alone=True)
    assert made == Slice(Side.SELL, 495_000, 99_995), "ten are left, not five"
    assert plan_slice(least, 55, REFERENCE, [(49_999.0, 0.05)], (), is_alone=True) == Slice(
        Side.SELL, 495_000, 55
    ), "the rest would be dust: the whole is asked for"


@pytest.mark.parametrize("state", [OrderState.SENT, OrderState.ACKED, OrderState.OPEN])
def test_one_order_at_a_time(state):
    assert plan(10, orders=[closing(state)]) == Wait("an order is on its way")


def test_an_unknown_order_holds_up_spot_and_shared_positions_only():
    unknown = [closing(OrderState.UNKNOWN)]
    assert plan(10, orders=unknown) == Slice(Side.SELL, 495_000, 10)
    waits = Wait("the fate of an order is unknown")
    assert plan(10, orders=unknown, alone=False) == waits
    assert plan(1_000, orders=unknown, name=SPOT, reference=5_000_000) == waits


def test_dust_is_what_no_order_can_close():
    spot = INSTRUMENTS[SPOT]  # at least 0.00001, and 1 USDT
    assert is_dust(spot, 9, 5_000_000)
    assert is_dust(spot, 20, 5_000_000), "20 lots are worth a dollar less the band"
    assert not is_dust(spot, 21, 5_000_000)
    assert not is_dust(spot, 20, 0), "without a price only the quantity counts"
    assert not is_dust(INSTRUMENTS[PERP], 1, REFERENCE), "a reduction needs no least value"


def test_cost_is_against_the_reference_and_a_loss_is_positive():
    sold = closing(OrderState.FILLED)
    sold.filled_lots, sold.filled_notional = 10, 10 * 499_000
    instrument: Instrument = INSTRUMENTS[PERP]
    assert slippage_units(instrument, sold, REFERENCE) == 10 * 1_000 * instrument.cash_per_tick_lot
    sold.side = Side.BUY
    assert slippage_units(instrument, sold, REFERENCE) < 0


def test_an_estimate_walks_the_book_and_puts_the_rest_at_the_edge():
    instrument = INSTRUMENTS[PERP]
    cost, fee = estimate_units(instrument, 200, REFERENCE, ROWS)
    ticks = 50 * 10 + 70 * 100 + 80 * 5_000
    assert cost == ticks * instrument.cash_per_tick_lot
    assert fee > 0
    whole, _ = estimate_units(instrument, 200, REFERENCE, None)
    assert whole == 200 * 5_000 * instrument.cash_per_tick_lot


@pytest.mark.parametrize(("limit", "ticks"), [("0.005", 498_000), ("0.2", 495_000), ("0", 495_000)])
def test_the_band_stays_inside_the_prices_the_venue_takes(limit, ticks):
    """Found by torture row 23: on spot the venue takes 0.5 % from its index, and refused ours."""
    instrument = msgspec.structs.replace(INSTRUMENTS[PERP], price_limit=limit)
    assert band_ticks(instrument, REFERENCE, Side.SELL) == ticks


@given(
    held=st.integers(-300_000, 300_000).filter(bool),
    qty=st.lists(st.floats(0.0005, 200.0), max_size=5),
    name=st.sampled_from([PERP, SPOT]),
)
def test_a_slice_never_crosses_zero_the_band_or_the_maximum(held, qty, name):
    instrument = INSTRUMENTS[name]
    held = abs(held) if instrument.is_spot else held
    reference = 5_000_000 if instrument.is_spot else REFERENCE
    if is_dust(instrument, held, reference):
        return
    rows = [(50_000.0, one) for one in qty]
    made = plan_slice(instrument, held, reference, rows, (), is_alone=True)
    if isinstance(made, Wait):
        return
    assert made.side is (Side.SELL if held > 0 else Side.BUY)
    assert 0 < made.qty_lots <= abs(held)
    assert not instrument.max_lots or made.qty_lots <= instrument.max_lots
    assert made.price_ticks == band_ticks(instrument, reference, made.side)
    left = abs(held) - made.qty_lots
    assert not left or not is_dust(instrument, left * (1 if held > 0 else -1), reference)
