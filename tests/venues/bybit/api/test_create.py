from decimal import Decimal
from typing import Any

import msgspec
import pytest

from plimsoll.core.model import OrderType, Side, TimeInForce
from plimsoll.core.records import AmendIntended, CancelIntended, OrderIntended
from plimsoll.venues.bybit.api import (
    AmendRequest,
    BadRequest,
    CancelRequest,
    OrderRequest,
    frame,
)
from plimsoll.venues.bybit.api.parameters import encoded
from plimsoll.venues.bybit.trade import OrderWriter

WORDS: dict[TimeInForce, Any] = {
    TimeInForce.GTC: "GTC",
    TimeInForce.IOC: "IOC",
    TimeInForce.FOK: "FOK",
    TimeInForce.POST_ONLY: "PostOnly",
}


def order(**fields):
    usual: dict[str, Any] = {
        "category": "linear",
        "symbol": "BTCUSDT",
        "side": "Buy",
        "qty": Decimal("0.010"),
    }
    if fields.get("kind") != "Market" and "bbo_side" not in fields:
        usual["price"] = Decimal("30000.0")
    return OrderRequest(**(usual | fields))


@pytest.mark.parametrize("reduce_only", [False, True])
@pytest.mark.parametrize("tif", list(TimeInForce))
@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize("category", ["linear", "spot"])
def test_the_same_order_has_the_bytes_the_engine_writes(
    request, inbox, category, side, tif, reduce_only
):
    instrument = request.getfixturevalue(category)
    writer = OrderWriter(instrument)
    intent = inbox.make(
        OrderIntended,
        client_order_id="plm-1-1-K",
        owner="owner",
        instrument=instrument.name,
        side=side,
        order_type=OrderType.LIMIT,
        tif=tif,
        price_ticks=300_005,
        qty_lots=17,
        reduce_only=reduce_only,
        label="",
    )
    same = OrderRequest(
        category=category,
        symbol=instrument.symbol,
        side="Buy" if side is Side.BUY else "Sell",
        price=instrument.tick * 300_005,
        qty=instrument.lot * 17,
        time_in_force=WORDS[tif],
        reduce_only=reduce_only and category == "linear",
        client_order_id="plm-1-1-K",
    )
    body = writer.create_body(intent)
    assert encoded(same.body()) == body
    ours = OrderWriter.frame("create", body, "3-7", 1_700_000_000_000, 2000)
    assert frame("order.create", same.body(), "3-7", 1_700_000_000_000, 2000) == ours


@pytest.mark.parametrize(("qty", "price"), [(17, 300_005), (17, 0), (0, 300_005)])
def test_amends_and_cancels_have_the_bytes_the_engine_writes(inbox, linear, qty, price):
    writer = OrderWriter(linear)
    amend = inbox.make(AmendIntended, client_order_id="plm-1-1-K", price_ticks=price, qty_lots=qty)
    same = AmendRequest(
        category="linear",
        symbol="BTCUSDT",
        client_order_id="plm-1-1-K",
        qty=linear.lot * qty if qty else None,
        price=linear.tick * price if price else None,
    )
    assert encoded(same.body()) == writer.amend_body(amend)
    cancel = CancelRequest(category="linear", symbol="BTCUSDT", client_order_id="plm-1-1-K")
    cancelled = inbox.make(CancelIntended, client_order_id="plm-1-1-K", reason="")
    assert encoded(cancel.body()) == writer.cancel_body(cancelled)


def test_every_parameter_has_its_documented_name():
    found = order(
        client_order_id="id-1",
        close_on_trigger=True,
        trigger_price=Decimal(31000),
        trigger_direction=1,
        trigger_by="MarkPrice",
        take_profit=Decimal(33000),
        stop_loss=Decimal("29000.50"),
        tpsl_mode="Partial",
        tp_trigger_by="LastPrice",
        sl_trigger_by="IndexPrice",
        tp_order_type="Limit",
        sl_order_type="Limit",
        tp_limit_price=Decimal(33001),
        sl_limit_price=Decimal(28999),
        rpi_taker_access=False,
        smp_type="CancelMaker",
    ).body()
    assert found == {
        "category": "linear",
        "symbol": "BTCUSDT",
        "side": "Buy",
        "orderType": "Limit",
        "timeInForce": "GTC",
        "smpType": "CancelMaker",
        "positionIdx": 0,
        "reduceOnly": False,
        "qty": "0.010",
        "price": "30000.0",
        "orderLinkId": "id-1",
        "closeOnTrigger": True,
        "triggerPrice": "31000",
        "triggerDirection": 1,
        "triggerBy": "MarkPrice",
        "takeProfit": "33000",
        "stopLoss": "29000.50",
        "tpslMode": "Partial",
        "tpTriggerBy": "LastPrice",
        "slTriggerBy": "IndexPrice",
        "tpOrderType": "Limit",
        "slOrderType": "Limit",
        "tpLimitPrice": "33001",
        "slLimitPrice": "28999",
        "rpiTakerAccess": False,
    }


def test_a_spot_market_order_always_says_the_unit_of_its_quantity():
    bought = order(category="spot", kind="Market").body()
    assert (bought["marketUnit"], bought["timeInForce"]) == ("baseCoin", "IOC")
    by_value = order(category="spot", kind="Market", market_unit="quoteCoin").body()
    assert by_value["marketUnit"] == "quoteCoin"
    assert "marketUnit" not in order(category="spot").body()
    assert "marketUnit" not in order(kind="Market").body()


def test_conditional_orders_of_both_categories():
    stop = order(category="spot", order_filter="StopOrder", trigger_price=Decimal(1)).body()
    assert (stop["orderFilter"], stop["triggerPrice"]) == ("StopOrder", "1")
    rises = order(kind="Market", trigger_price=Decimal(31000), trigger_direction=1).body()
    assert (rises["triggerPrice"], rises["triggerDirection"]) == ("31000", 1)
    assert "price" not in rises


def test_prices_from_the_book_and_slippage():
    queued = order(bbo_side="Queue", bbo_level=3).body()
    assert (queued["bboSideType"], queued["bboLevel"]) == ("Queue", "3")
    bounded = order(kind="Market", slippage_type="Percent", slippage=Decimal("0.25")).body()
    assert (bounded["slippageToleranceType"], bounded["slippageTolerance"]) == ("Percent", "0.25")


def test_a_quantity_of_zero_closes_a_position_whole():
    found = order(kind="Market", qty=Decimal(0), reduce_only=True, close_on_trigger=True).body()
    assert (found["qty"], found["reduceOnly"], found["closeOnTrigger"]) == ("0", True, True)


def test_amounts_are_written_without_exponent():
    assert order(qty=Decimal("1E-7")).body()["qty"] == "0.0000001"
    assert order(qty=Decimal("1E+3")).body()["qty"] == "1000"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"category": "inverse"}, "linear or spot"),
        ({"symbol": "btcusdt"}, "in capitals"),
        ({"client_order_id": "x" * 37}, "1 to 36"),
        ({"client_order_id": "a b"}, "1 to 36"),
        ({"qty": Decimal(0)}, "above zero"),
        ({"qty": Decimal("NaN")}, "above zero"),
        ({"qty": Decimal(-1)}, "above zero"),
        ({"qty": 0.1}, "quantity as a Decimal"),
        ({"price": "30000"}, "price as a Decimal"),
        ({"time_in_force": "gtc"}, "time_in_force to be one of GTC, IOC"),
        ({"side": "buy"}, "side to be one of Buy, Sell"),
        ({"position_idx": True}, "position_idx to be one of 0, 1, 2"),
        ({"price": Decimal(-1)}, "price above zero"),
        ({"price": None}, "needs a price"),
        ({"kind": "Market", "price": Decimal(1)}, "has no price"),
        ({"kind": "Market", "time_in_force": "PostOnly"}, "cannot be PostOnly"),
        ({"bbo_side": "Queue"}, "level from 1 to 5"),
        ({"bbo_level": 2}, "bbo needs a side"),
        ({"trigger_price": Decimal(1)}, "trigger price and direction"),
        ({"trigger_direction": 1}, "trigger price and direction"),
        ({"trigger_by": "MarkPrice"}, "without a trigger price"),
        ({"order_filter": "StopOrder"}, "for spot only"),
        ({"is_leverage": True}, "for spot only"),
        ({"market_unit": "quoteCoin"}, "for spot"),
        ({"reduce_only": True, "take_profit": Decimal(1)}, "reduce-only order takes no"),
        ({"tp_order_type": "Market"}, "without its price"),
        ({"take_profit": Decimal(1), "tp_limit_price": Decimal(1)}, "tp_order_type Limit"),
        (
            {"stop_loss": Decimal(1), "sl_order_type": "Limit", "sl_limit_price": Decimal(1)},
            "needs tpsl_mode Partial",
        ),
        ({"slippage": Decimal(1)}, "type and a value"),
        ({"slippage_type": "TickSize", "slippage": Decimal(1)}, "plain market orders"),
        ({"kind": "Market", "slippage_type": "TickSize", "slippage": Decimal("1.5")}, "ticks"),
        ({"kind": "Market", "slippage_type": "TickSize", "slippage": Decimal(10001)}, "ticks"),
        ({"kind": "Market", "slippage_type": "Percent", "slippage": Decimal("0.001")}, "per cent"),
        ({"kind": "Market", "slippage_type": "Percent", "slippage": Decimal("1.001")}, "per cent"),
        ({"category": "spot", "reduce_only": True}, "for linear only"),
        ({"category": "spot", "position_idx": 1}, "for linear only"),
        ({"category": "spot", "trigger_price": Decimal(1)}, "order_filter"),
        ({"category": "spot", "order_filter": "tpslOrder"}, "order_filter"),
        ({"category": "spot", "kind": "Market", "stop_loss": Decimal(1)}, "with limit orders"),
    ],
)
def test_what_contradicts_itself_is_refused_before_it_leaves(fields, words):
    with pytest.raises(BadRequest, match=words):
        order(**fields)


def test_requests_are_json():
    assert msgspec.json.decode(encoded(order().body())) == order().body()
