from decimal import Decimal
from typing import Any

import msgspec
import pytest

from plimsoll.venues.bybit.api import (
    AmendRequest,
    BadRequest,
    CancelAllRequest,
    CancelRequest,
    OrderRequest,
    TradingStop,
    batch_body,
    frame,
)

PLACE: Any = {"category": "linear", "symbol": "BTCUSDT"}


def orders(count, category="linear"):
    return [
        OrderRequest(
            category=category,
            symbol="BTCUSDT",
            side="Sell",
            qty=Decimal(1),
            price=Decimal(2),
            client_order_id=f"id-{at}",
        )
        for at in range(count)
    ]


def test_an_amend_says_only_what_changes():
    amend = AmendRequest(
        **PLACE, venue_order_id="v", qty=Decimal("0.5"), take_profit=Decimal(0), tpsl_mode="Full"
    )
    expected = {"orderId": "v", "qty": "0.5", "takeProfit": "0", "tpslMode": "Full"}
    assert amend.body() == PLACE | expected


@pytest.mark.parametrize(
    ("kind", "fields", "words"),
    [
        (AmendRequest, {"venue_order_id": "v"}, "nothing to change"),
        (AmendRequest, {"qty": Decimal(1)}, "named by"),
        (AmendRequest, {"venue_order_id": "v", "qty": Decimal(0)}, "qty above zero"),
        (AmendRequest, {"venue_order_id": "v", "qty": 1.5}, "as a Decimal"),
        (AmendRequest, {"venue_order_id": "v", "trigger_by": "Last"}, "trigger_by to be one of"),
        (CancelRequest, {}, "named by"),
        (CancelRequest, {"client_order_id": "ä"}, "letters"),
        (CancelRequest, {"venue_order_id": "v", "order_filter": "StopOrder"}, "spot only"),
    ],
)
def test_a_request_that_names_no_order_or_no_change_is_refused(kind, fields, words):
    with pytest.raises(BadRequest, match=words):
        kind(**PLACE, **fields)


def test_cancel_all_needs_a_scope_the_category_has():
    settle = CancelAllRequest(category="linear", settle="USDC", order_filter="StopOrder")
    assert settle.body() == {
        "category": "linear",
        "settleCoin": "USDC",
        "orderFilter": "StopOrder",
    }
    assert CancelAllRequest(category="spot").body() == {"category": "spot"}
    with pytest.raises(BadRequest, match="needs a symbol"):
        CancelAllRequest(category="linear")
    with pytest.raises(BadRequest, match="linear only"):
        CancelAllRequest(category="spot", settle="USDT")


@pytest.mark.parametrize(("category", "most"), [("linear", 20), ("spot", 10)])
def test_a_batch_holds_as_many_as_the_venue_takes(category, most):
    body: Any = batch_body(orders(most, category))
    assert body["category"] == category
    assert len(body["request"]) == most
    assert all("category" not in item for item in body["request"])
    with pytest.raises(BadRequest, match=f"at most {most}, found {most + 1}"):
        batch_body(orders(most + 1, category))


def test_a_batch_is_of_one_kind_and_category():
    mixes: list[Any] = [[], orders(1) + orders(1, "spot")]
    for mixed in mixes:
        with pytest.raises(BadRequest, match="one kind and category"):
            batch_body(mixed)
    cancel = CancelRequest(**PLACE, venue_order_id="v")
    with pytest.raises(BadRequest, match="one kind"):
        batch_body([*orders(1), cancel])


def test_a_batch_travels_on_the_trade_socket_too():
    body = batch_body(orders(2))
    found = msgspec.json.decode(frame("order.create-batch", body, "r-1", 17, 2000))
    assert found == {
        "reqId": "r-1",
        "header": {"X-BAPI-TIMESTAMP": "17", "X-BAPI-RECV-WINDOW": "2000"},
        "op": "order.create-batch",
        "args": [body],
    }


def test_a_trading_stop_states_what_it_sets():
    stop = TradingStop(
        symbol="BTCUSDT",
        take_profit=Decimal(33000),
        stop_loss=Decimal(0),
        trailing_stop=Decimal(50),
        active_price=Decimal(31000),
        sl_trigger_by="MarkPrice",
    )
    assert stop.body() == {
        "category": "linear",
        "symbol": "BTCUSDT",
        "tpslMode": "Full",
        "positionIdx": 0,
        "takeProfit": "33000",
        "stopLoss": "0",
        "trailingStop": "50",
        "activePrice": "31000",
        "slTriggerBy": "MarkPrice",
    }


def test_part_of_a_position_is_protected_with_equal_sizes():
    both: Any = {"take_profit": Decimal(2), "stop_loss": Decimal(1)}
    body = TradingStop(symbol="S", mode="Partial", size=Decimal("0.5"), **both).body()
    assert (body["tpSize"], body["slSize"]) == ("0.5", "0.5")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "is given"),
        ({"stop_loss": Decimal(1), "active_price": Decimal(1)}, "trailing stop"),
        ({"stop_loss": Decimal(1), "size": Decimal(1)}, "mode Partial"),
        ({"stop_loss": Decimal(-1)}, "price above zero"),
        ({"stop_loss": Decimal(1), "mode": "full"}, "mode to be one of"),
    ],
)
def test_a_trading_stop_that_says_nothing_or_contradicts_itself_is_refused(fields, words):
    with pytest.raises(BadRequest, match=words):
        TradingStop(symbol="S", **fields)
