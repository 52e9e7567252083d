import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plimsoll.core.model import Instrument, OrderType, Side, TimeInForce
from plimsoll.core.records import (
    AmendIntended,
    CancelIntended,
    OrderIntended,
    ProtectionIntended,
)
from plimsoll.venues.bybit.errors import ParseError
from plimsoll.venues.bybit.trade import NO_CODE, OrderWriter, TradeAnswer, read_answer

ID = "plm-000001-000000001-A"


def order(**fields):
    base: dict[str, Any] = {
        "client_order_id": ID,
        "owner": "s",
        "instrument": "linear:BTCUSDT",
        "side": Side.BUY,
        "order_type": OrderType.LIMIT,
        "tif": TimeInForce.GTC,
        "price_ticks": 300001,
        "qty_lots": 10,
        "reduce_only": False,
        "label": "",
    }
    return OrderIntended(1, 2, 3, 0, **(base | fields))


def test_a_create_holds_exactly_the_documented_fields(linear):
    assert json.loads(OrderWriter(linear).create_body(order())) == {
        "category": "linear",
        "symbol": "BTCUSDT",
        "side": "Buy",
        "orderType": "Limit",
        "qty": "0.010",
        "price": "30000.10",
        "timeInForce": "GTC",
        "positionIdx": 0,
        "reduceOnly": False,
        "smpType": "CancelTaker",
        "orderLinkId": ID,
    }


def test_a_spot_create_never_borrows_and_has_no_position(spot):
    body = json.loads(OrderWriter(spot).create_body(order(side=Side.SELL)))
    assert body["isLeverage"] == 0
    assert body["side"] == "Sell"
    assert not {"positionIdx", "reduceOnly"} & set(body)


@pytest.mark.parametrize(
    ("tif", "word"),
    [
        (TimeInForce.GTC, "GTC"),
        (TimeInForce.IOC, "IOC"),
        (TimeInForce.FOK, "FOK"),
        (TimeInForce.POST_ONLY, "PostOnly"),
    ],
)
def test_time_in_force_words(linear, tif, word):
    body = json.loads(OrderWriter(linear).create_body(order(tif=tif, reduce_only=True)))
    assert (body["timeInForce"], body["reduceOnly"]) == (word, True)


def test_the_frame_wraps_the_same_body(linear):
    writer = OrderWriter(linear)
    body = writer.create_body(order())
    frame = json.loads(writer.frame("create", body, "3-1", 1700000000000, 2000))
    assert frame == {
        "reqId": "3-1",
        "header": {"X-BAPI-TIMESTAMP": "1700000000000", "X-BAPI-RECV-WINDOW": "2000"},
        "op": "order.create",
        "args": [json.loads(body)],
    }


def test_amend_and_cancel_name_the_order_by_our_id(linear):
    writer = OrderWriter(linear)
    target = {"category": "linear", "symbol": "BTCUSDT", "orderLinkId": ID}
    assert json.loads(writer.cancel_body(CancelIntended(1, 2, 3, 0, ID, "x"))) == target
    both = writer.amend_body(AmendIntended(1, 2, 3, 0, ID, 300000, 12))
    assert json.loads(both) == target | {"qty": "0.012", "price": "30000.00"}
    price_only = writer.amend_body(AmendIntended(1, 2, 3, 0, ID, 300000, 0))
    assert json.loads(price_only) == target | {"price": "30000.00"}


@given(
    st.sampled_from(["0.1", "0.10", "0.05", "1", "10", "0.0000001", "2.5", "1E-3", "1E+1"]),
    st.integers(0, 10**12),
)
def test_decimal_text_equals_the_instruments(tick, count):
    instrument = Instrument("spot:X", "spot", "X", "X", "Y", "Y", tick, "1", "1", "0", "0", "0")
    body = json.loads(OrderWriter(instrument).create_body(order(price_ticks=count, qty_lots=count)))
    assert body["price"] == instrument.price_text(count)
    assert body["qty"] == instrument.qty_text(count)


def test_answers():
    text = b'{"reqId":"r7","retCode":110007,"retMsg":"no","op":"order.create","data":{}}'
    assert read_answer(text) == TradeAnswer("r7", 110007, "no", "")
    text = b'{"reqId":"r7","retCode":0,"retMsg":"OK","data":{"orderId":"o1","orderLinkId":"x"}}'
    assert read_answer(text).venue_order_id == "o1"
    text = b'{"success":false,"ret_msg":"Params Error","op":"order.create"}'
    assert read_answer(text) == TradeAnswer("", NO_CODE, "Params Error", "")


@given(st.binary(max_size=60))
def test_unreadable_answers_raise_only_the_named_error(raw):
    with contextlib.suppress(ParseError):
        read_answer(raw)


def test_a_cancel_of_an_order_without_our_id_names_the_venues_and_its_list(spot):
    writer = OrderWriter(spot)
    cancel = CancelIntended(1, 2, 3, 0, "v7", "halt", "v7", "StopOrder")
    assert json.loads(writer.cancel_body(cancel)) == {
        "category": "spot",
        "symbol": spot.symbol,
        "orderId": "v7",
        "orderFilter": "StopOrder",
    }


def test_an_entry_carries_the_exits_of_its_position_by_mark_price(linear):
    body = json.loads(
        OrderWriter(linear).create_body(order(stop_ticks=290_000, take_ticks=310_000))
    )
    assert (body["stopLoss"], body["takeProfit"]) == ("29000.00", "31000.00")
    assert (body["slTriggerBy"], body["tpTriggerBy"]) == ("MarkPrice", "MarkPrice")
    assert body["tpslMode"] == "Full"
    one = json.loads(OrderWriter(linear).create_body(order(stop_ticks=290_000)))
    assert "takeProfit" not in one


def test_a_protection_always_sets_both_sides_and_zero_removes_one(linear):
    level = ProtectionIntended(1, 2, 3, 0, "s", "linear:BTCUSDT", 290_000, 0)
    assert json.loads(OrderWriter(linear).protect_body(level)) == {
        "category": "linear",
        "symbol": "BTCUSDT",
        "tpslMode": "Full",
        "positionIdx": 0,
        "stopLoss": "29000.00",
        "takeProfit": "0",
        "slTriggerBy": "MarkPrice",
        "tpTriggerBy": "MarkPrice",
    }


@pytest.mark.parametrize(("rises", "direction"), [(True, 1), (False, 2)])
def test_a_conditional_perpetual_order_says_direction_and_price(linear, rises, direction):
    fields = {"trigger_ticks": 305_000, "trigger_rises": rises, "trigger_by": "mark"}
    body = json.loads(OrderWriter(linear).create_body(order(**fields)))
    assert (body["triggerPrice"], body["triggerDirection"]) == ("30500.00", direction)
    assert body["triggerBy"] == "MarkPrice"
    assert "closeOnTrigger" not in body
    closing = order(**fields, reduce_only=True, close_on_trigger=True)
    assert json.loads(OrderWriter(linear).create_body(closing))["closeOnTrigger"] is True


def test_a_conditional_spot_order_stands_in_a_list_apart_until_it_triggers(spot):
    writer = OrderWriter(spot)
    waiting = order(trigger_ticks=100, trigger_by="last")
    body = json.loads(writer.create_body(waiting))
    assert body["orderFilter"] == "StopOrder"
    assert not {"triggerDirection", "triggerBy"} & set(body)
    cancels = [
        json.loads(writer.cancel_body(CancelIntended(1, 2, 3, 0, ID, "x", "", apart)))
        for apart in ("StopOrder", "")
    ]
    assert [one.get("orderFilter") for one in cancels] == ["StopOrder", None]


def test_the_trigger_of_a_waiting_order_is_amended_like_its_price(linear):
    body = OrderWriter(linear).amend_body(AmendIntended(1, 2, 3, 0, ID, 0, 0, 305_000))
    assert json.loads(body)["triggerPrice"] == "30500.00"
