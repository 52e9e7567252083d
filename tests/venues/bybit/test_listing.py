import copy
from typing import Any

import pytest

from plimsoll.core.model import Instrument
from plimsoll.venues.bybit.errors import UnknownInstrument, VenueUnreachable
from plimsoll.venues.bybit.listing import load_instruments, reload_instruments

INFO, FEES = "/v5/market/instruments-info", "/v5/account/fee-rate"
ROW: dict[str, Any] = {
    "symbol": "BTCUSDT",
    "status": "Trading",
    "baseCoin": "BTC",
    "quoteCoin": "USDT",
    "settleCoin": "USDT",
    "lotSizeFilter": {
        "qtyStep": "0.001",
        "minOrderQty": "0.001",
        "maxOrderQty": "1190.000",
        "maxMktOrderQty": "500.000",
        "minNotionalValue": "5",
    },
    "priceFilter": {"tickSize": "0.10"},
}


@pytest.fixture
def listed(rest):
    """Return the instrument that a changed row and fee rates give."""

    def run(lots=(), price=(), fees=None):
        row = copy.deepcopy(ROW)
        row["lotSizeFilter"] |= dict(lots)
        row["priceFilter"] |= dict(price)

        def prepare(fake):
            fake.reply(INFO, {"list": [row]})
            fake.reply(FEES, fees or {"list": []})

        async def scenario(client, fake):
            (item,) = await load_instruments(client, ["linear:BTCUSDT"], with_fees=bool(fees))
            return item

        return rest(prepare, scenario)

    return run


def test_numbers_may_come_in_every_shape(listed):
    lots = {"qtyStep": 0.001, "minOrderQty": None, "maxOrderQty": "", "minNotionalValue": 5}
    item = listed(lots, {"tickSize": "1E-1"})
    assert (item.tick_size, item.lot_size) == ("1E-1", "0.001")
    assert (item.min_lots, item.max_lots, item.min_notional_units) == (1, 0, 500_000_000)
    assert item.price_text(300001) == "30000.1"


@pytest.mark.parametrize("value", ["x", "NaN", "-1", "1e900000"])
@pytest.mark.parametrize(
    "field", ["qtyStep", "minOrderQty", "maxOrderQty", "maxMktOrderQty", "minNotionalValue"]
)
def test_a_filter_that_is_no_number_is_refused_at_start(listed, field, value):
    with pytest.raises(UnknownInstrument, match="linear:BTCUSDT cannot be traded"):
        listed({field: value})


@pytest.mark.parametrize("tick", ["", None, "0", "x"])
def test_an_instrument_without_a_tick_is_refused(listed, tick):
    with pytest.raises(UnknownInstrument, match="linear:BTCUSDT cannot be traded"):
        listed(price={"tickSize": tick})


def fees(taker, maker):
    return {"list": [{"symbol": "BTCUSDT", "takerFeeRate": taker, "makerFeeRate": maker}]}


def test_rates_are_those_of_the_account(listed):
    item = listed(fees=fees("0.0006", "-1E-4"))
    assert (item.taker_fee, item.maker_fee) == ("0.0006", "-1E-4")


@pytest.mark.parametrize("empty", ["", None])
def test_no_rate_is_no_rate_of_zero(listed, empty):
    item = listed(fees=fees(empty, empty))
    assert (item.taker_fee, item.maker_fee) == ("0.00055", "0.0002")


@pytest.mark.parametrize("answer", [fees("x", "0"), fees("0", "NaN"), {"rows": []}])
def test_rates_that_cannot_be_read_are_told(listed, answer):
    with pytest.raises(VenueUnreachable, match="fee-rate"):
        listed(fees=answer)


@pytest.mark.parametrize(
    ("changes", "status", "delivery_ms"),
    [
        ({"status": "Closed"}, "Closed", 0),
        ({"deliveryTime": "1795000000000"}, "Trading", 1_795_000_000_000),
        ({"deliveryTime": ""}, "Trading", 0),
        (None, "gone", 0),
    ],
)
def test_what_is_read_again_says_how_it_ends_instead_of_failing(rest, changes, status, delivery_ms):
    def prepare(fake):
        fake.reply(INFO, {"list": [] if changes is None else [ROW | changes]})

    async def scenario(client, fake):
        known = Instrument(
            "linear:BTCUSDT",
            "linear",
            "BTCUSDT",
            "BTC",
            "USDT",
            "USDT",
            *("0.10", "0.001", "0.001", "0", "0", "5"),
            taker_fee="0.0004",
        )
        (item,) = await reload_instruments(client, [known], with_fees=False)
        return item

    item = rest(prepare, scenario)
    assert (item.status, item.delivery_ms, item.taker_fee) == (status, delivery_ms, "0.0004")
