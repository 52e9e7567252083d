import contextlib
import itertools
import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plimsoll.core.model import OrderState, Side
from plimsoll.core.records import HealthMeasured, PositionReported
from plimsoll.venues.bybit.errors import ParseError
from plimsoll.venues.bybit.private import Origin, parse_private, read_item
from plimsoll.venues.bybit.private.executions import fee_coin_of
from plimsoll.venues.bybit.private.orders import STATUS

SAMPLES = Path(__file__).resolve().parents[2] / "data" / "bybit"


class Reader:
    """Reads frames with both instruments listed."""

    def __init__(self, *instruments):
        self.catalogue = {(item.category, item.symbol): item for item in instruments}
        self.unlisted, self.stamped = [], 0

    def stamp(self):
        self.stamped += 1
        return self.stamped, 1, 2, 0

    def read(self, message):
        raw = message if isinstance(message, bytes) else json.dumps(message).encode()
        return list(parse_private(raw, self.catalogue, self.stamp, self.unlisted.append))


@pytest.fixture
def reader(linear, spot):
    return Reader(linear, spot)


def changed(sample, name, **fields):
    message = json.loads(sample(name))
    message["data"][0] |= fields
    return message


def test_an_order_message(reader, sample):
    (order,) = reader.read(sample("ws_order"))
    assert order.client_order_id == "plm-000001"
    assert order.instrument == "linear:BTCUSDT"
    assert (order.side, order.status) == (Side.BUY, OrderState.FILLED)
    assert (order.price_ticks, order.qty_lots, order.cum_lots) == (300000, 10, 10)
    assert (order.updated_ms, order.reason, order.source) == (1700000000021, "", "stream")
    assert json.loads(order.raw) == json.loads(sample("ws_order"))["data"][0]


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("New", OrderState.OPEN),
        ("Created", OrderState.OPEN),
        ("Active", OrderState.OPEN),
        ("Untriggered", OrderState.OPEN),
        ("Triggered", OrderState.OPEN),
        ("PendingCancel", OrderState.OPEN),
        ("PartiallyFilled", OrderState.PARTIAL),
        ("PartiallyFilledCanceled", OrderState.CANCELED),
        ("Cancelled", OrderState.CANCELED),
        ("Deactivated", OrderState.CANCELED),
        ("Filled", OrderState.FILLED),
    ],
)
def test_status_words(reader, sample, word, state):
    (order,) = reader.read(changed(sample, "ws_order", orderStatus=word))
    assert order.status is state
    assert order.is_untriggered is (word == "Untriggered")
    assert word in STATUS


@pytest.mark.parametrize(("cum", "state"), [("0", "rejected"), ("0.003", "canceled")])
def test_a_rejection_with_executions_is_a_cancel(reader, sample, cum, state):
    message = changed(sample, "ws_order", orderStatus="Rejected", cumExecQty=cum)
    assert reader.read(message)[0].status == state


def test_the_reason_of_an_end_is_kept(reader, sample):
    words = {"rejectReason": "EC_PostOnlyWillTakeLiquidity", "cancelType": "UNKNOWN"}
    (order,) = reader.read(changed(sample, "ws_order", orderStatus="Cancelled", **words))
    assert order.reason == "EC_PostOnlyWillTakeLiquidity"


@pytest.mark.parametrize("price", ["", "0", "0.00", 0])
def test_a_market_order_may_have_no_price(reader, sample, price):
    message = changed(sample, "ws_order", orderType="Market", price=price)
    assert reader.read(message)[0].price_ticks == 0


def test_a_spot_market_order_in_quote_coin_counts_what_was_executed(reader, sample):
    words = {"category": "spot", "orderType": "Market", "qty": "100.1234567", "price": "0"}
    (order,) = reader.read(changed(sample, "ws_order", cumExecQty="0.0025", **words))
    assert (order.qty_lots, order.cum_lots) == (2500, 2500)


def test_numbers_may_come_in_every_shape(reader, sample):
    fields = {"qty": 0.01, "price": "3.00000E+4", "updatedTime": 1700000000021, "cumExecQty": ""}
    (order,) = reader.read(changed(sample, "ws_order", surprise={"a": [1]}, **fields))
    assert (order.qty_lots, order.price_ticks, order.cum_lots) == (10, 300000, 0)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("price", "30000.05"),
        ("qty", "0.0001"),
        ("qty", "-1"),
        ("qty", "NaN"),
        ("qty", "1e999999"),
        ("cumExecQty", "x"),
        ("side", "Long"),
        ("orderStatus", "Suspended"),
        ("updatedTime", "1.5"),
    ],
)
def test_what_is_not_understood_is_named(reader, sample, field, value):
    with pytest.raises(ParseError, match=f"plm-000001: {field}"):
        reader.read(changed(sample, "ws_order", **{field: value}))


def test_null_is_no_value(reader, sample):
    words = ("orderLinkId", "rejectReason", "cancelType", "marketUnit", "reduceOnly")
    fields = dict.fromkeys((*words, "closeOnTrigger", "cumExecQty", "price"))
    (order,) = reader.read(changed(sample, "ws_order", orderType="Market", **fields))
    assert (order.client_order_id, order.reason, order.reduce_only) == ("", "", False)
    assert (order.price_ticks, order.cum_lots) == (0, 0)
    fields = dict.fromkeys(("orderLinkId", "orderId", "feeCurrency", "orderQty", "marketUnit"))
    (execution,) = reader.read(changed(sample, "ws_execution", **fields))
    assert (execution.client_order_id, execution.fee_coin) == ("", "USDT")
    (flat,) = reader.read(changed(sample, "ws_position", side=None, size="0", entryPrice=None))
    assert (flat.qty_lots, flat.entry_price) == (0, "")


@pytest.mark.parametrize("value", ["", None])
@pytest.mark.parametrize(
    ("name", "field"),
    [("ws_execution", "execQty"), ("ws_execution", "execPrice"), ("ws_position", "size")],
)
def test_no_value_is_not_zero_where_it_moves_money(reader, sample, name, field, value):
    with pytest.raises(ParseError, match=field):
        reader.read(changed(sample, name, **{field: value}))


@pytest.mark.parametrize("value", ["", None, "1e19", "x"])
def test_a_balance_must_be_a_number(reader, sample, value):
    message = json.loads(sample("ws_wallet"))
    message["data"][0]["coin"][0]["walletBalance"] = value
    with pytest.raises(ParseError, match="wallet USDT: walletBalance"):
        reader.read(message)


@pytest.mark.parametrize("kind", [None, ""])
def test_a_wallet_without_an_account_type_is_ours(reader, sample, kind):
    usdt, _ = reader.read(changed(sample, "ws_wallet", accountType=kind))
    assert usdt.coin == "USDT"


@pytest.mark.parametrize("value", ["1e19", "-1e900000", 10**30])
def test_numbers_beyond_every_market_are_refused_at_once(reader, sample, value):
    for name, field in (("ws_order", "qty"), ("ws_order", "price"), ("ws_execution", "execFee")):
        with pytest.raises(ParseError, match=field):
            reader.read(changed(sample, name, **{field: value}))


def test_an_empty_category_is_that_of_the_topic_or_of_positions(reader, sample):
    (position,) = reader.read(changed(sample, "ws_position", category=""))
    assert position.instrument == "linear:BTCUSDT"
    message = changed(sample, "ws_order", category=None) | {"topic": "order.spot"}
    assert reader.read(message)[0].instrument == "spot:BTCUSDT"
    assert reader.read(changed(sample, "ws_order", category="")) == []
    assert reader.unlisted == [":BTCUSDT"]


@pytest.mark.parametrize(
    ("fields", "lots"),
    [
        ({"orderQty": "0.025"}, 25),
        ({"orderQty": ""}, 0),
        ({"orderQty": "0.0001"}, 0),
        ({"orderQty": "0.025", "execType": "Funding"}, 0),
        ({"orderQty": "250", "orderType": "Market", "category": "spot"}, 0),
        ({"orderQty": "0.025", "category": "spot", "marketUnit": "baseCoin"}, 25_000),
    ],
)
def test_an_execution_tells_the_whole_quantity_of_its_order(reader, sample, fields, lots):
    (execution,) = reader.read(changed(sample, "ws_execution", **{"side": "Buy"} | fields))
    assert execution.order_qty_lots == lots


def test_an_execution_message(reader, sample):
    (execution,) = reader.read(sample("ws_execution"))
    assert execution.execution_id == "7a11c0de-0001-5000-8000-000000000001"
    assert (execution.price_ticks, execution.qty_lots) == (300000, 10)
    assert (execution.fee_units, execution.fee_coin) == (6_000_000, "USDT")
    assert (execution.is_maker, execution.kind) == (True, "Trade")
    assert execution.executed_ms == 1700000000020


def test_fees_are_rounded_against_us(reader, sample):
    fee = changed(sample, "ws_execution", execFee="0.000000001")
    rebate = changed(sample, "ws_execution", execFee="-0.000000019")
    assert reader.read(fee)[0].fee_units == 1
    assert reader.read(rebate)[0].fee_units == -1


def test_funding_rows_carry_a_mark_price_between_two_ticks(reader, sample):
    words = {"execType": "Funding", "execPrice": "30010.123", "side": "", "orderLinkId": ""}
    (row,) = reader.read(changed(sample, "ws_execution", **words))
    assert (row.kind, row.price_ticks) == ("Funding", 300101)


def test_an_unknown_kind_of_execution_reaches_the_core_by_name(reader, sample):
    (row,) = reader.read(changed(sample, "ws_execution", execType="Novelty"))
    assert row.kind == "Novelty"


def test_the_fast_topic_is_ignored(reader, sample):
    assert reader.read(sample("ws_execution_fast")) == []


@pytest.mark.parametrize(
    ("maker_fee", "side", "is_maker", "coin"),
    [
        ("0.001", Side.BUY, True, "BTC"),
        ("0.001", Side.SELL, True, "USDT"),
        ("-0.0001", Side.BUY, True, "USDT"),
        ("-0.0001", Side.SELL, True, "BTC"),
        ("-0.0001", Side.BUY, False, "BTC"),
        ("-0.0001", Side.SELL, False, "USDT"),
    ],
)
def test_the_coin_of_a_spot_fee(spot, maker_fee, side, is_maker, coin):
    instrument = msgspec.structs.replace(spot, maker_fee=maker_fee)
    assert fee_coin_of(instrument, side, is_maker=is_maker) == coin


def test_derivatives_pay_fees_in_the_settle_coin(linear):
    assert fee_coin_of(linear, Side.BUY, is_maker=True) == "USDT"


def test_positions_are_signed(reader, sample):
    (long,) = reader.read(sample("ws_position"))
    (short,) = reader.read(changed(sample, "ws_position", side="Sell"))
    (flat,) = reader.read(changed(sample, "ws_position", side="", size="0"))
    assert [p.qty_lots for p in (long, short, flat)] == [10, -10, 0]
    assert long.entry_price == "30000"


@pytest.mark.parametrize(
    ("session", "entry"), [("", "30000"), ("0", "30000"), (None, "30000"), ("30500.5", "30500.5")]
)
def test_a_usdc_position_counts_from_its_last_session(reader, sample, session, entry):
    (position,) = reader.read(changed(sample, "ws_position", sessionAvgPrice=session))
    assert position.entry_price == entry


def test_hedge_mode_and_sides_without_name_are_errors(reader, sample):
    with pytest.raises(ParseError, match="positionIdx"):
        reader.read(changed(sample, "ws_position", positionIdx=1))
    with pytest.raises(ParseError, match="side"):
        reader.read(changed(sample, "ws_position", side=""))


def test_wallets_are_one_record_a_coin(reader, sample):
    message = json.loads(sample("ws_wallet"))
    coin = message["data"][0]["coin"][0]
    message["data"][0]["coin"].append(coin | {"coin": "BTC", "walletBalance": "0.123456789"})
    usdt, btc, _ = reader.read(message)
    assert (usdt.coin, usdt.balance_units) == ("USDT", 999994000000)
    assert (btc.coin, btc.balance_units) == ("BTC", 12345678)
    assert json.loads(btc.raw)["coin"] == "BTC"


def test_items_of_unlisted_instruments_are_told_and_left_out(reader, sample):
    message = json.loads(sample("ws_order"))
    message["data"] = [message["data"][0] | {"symbol": "DOGEUSDT"}, message["data"][0]]
    assert len(reader.read(message)) == 1
    assert reader.unlisted == ["linear:DOGEUSDT"]


def test_each_record_is_stamped_only_when_it_is_asked_for(reader, sample):
    message = json.loads(sample("ws_execution"))
    message["data"] *= 3
    raw = json.dumps(message).encode()
    records = parse_private(raw, reader.catalogue, reader.stamp, reader.unlisted.append)
    assert reader.stamped == 0
    assert [record.seq for record in itertools.islice(records, 2)] == [1, 2]
    assert reader.stamped == 2


def test_one_faulty_item_does_not_hide_the_others(reader, sample):
    message = json.loads(sample("ws_execution"))
    message["data"] = [message["data"][0] | {"execQty": "x"}, message["data"][0]]
    errors: list[ParseError] = []
    raw = json.dumps(message).encode()
    catalogue, told = reader.catalogue, reader.unlisted.append
    records = list(parse_private(raw, catalogue, reader.stamp, told, errors.append))
    assert len(records) == len(errors) == 1
    assert records[0].seq == 1, "a faulty item takes no stamp"


def test_rows_of_queries_carry_their_query(reader, sample):
    answer = json.loads(sample("position_list"))
    raw = json.dumps(answer["result"]["list"][0]).encode()
    rows = read_item(
        "position", raw, "linear", reader.catalogue, reader.stamp, print, Origin("query", 4)
    )
    (position,) = rows
    assert isinstance(position, PositionReported)
    assert (position.source, position.query_id, position.entry_price) == ("query", 4, "30000")


@given(st.data())
def test_mutated_frames_raise_only_the_named_error(data):
    names = ["ws_order", "ws_execution", "ws_position", "ws_wallet"]
    message = json.loads((SAMPLES / f"{data.draw(st.sampled_from(names))}.json").read_bytes())
    item = message["data"][0]
    for field in data.draw(st.lists(st.sampled_from(sorted(item)), max_size=4)):
        item[field] = data.draw(st.none() | st.text(max_size=6) | st.floats() | st.integers())
    raw = bytearray(json.dumps(message).encode())
    if data.draw(st.booleans()):
        at = data.draw(st.integers(0, len(raw) - 1))
        raw[at : at + 2] = data.draw(st.binary(max_size=3))
    with contextlib.suppress(ParseError):
        list(parse_private(bytes(raw), CATALOGUE, lambda: (1, 2, 3, 0), lambda name: None))


CATALOGUE: dict = {}


@pytest.fixture(autouse=True, scope="module")
def _catalogue():
    from plimsoll.core.model import Instrument

    names = ("linear:BTCUSDT", "linear", "BTCUSDT", "BTC", "USDT", "USDT")
    CATALOGUE["linear", "BTCUSDT"] = Instrument(*names, "0.1", "0.001", "0", "0", "0", "0")


@pytest.mark.parametrize(
    ("topic", "field", "value"),
    [
        ("execution", "execFee", "9" * 17),
        ("execution", "execPrice", "9" * 18),
        ("execution", "seq", 10**30),
        ("order", "qty", "9" * 17),
        ("order", "price", "9" * 18),
    ],
)
def test_a_number_no_record_can_hold_is_refused(sample, linear, topic, field, value):
    frame = msgspec.json.decode(sample(f"ws_{topic}"))
    frame["data"][0][field] = value
    catalogue = {("linear", "BTCUSDT"): linear}
    with pytest.raises(ParseError):
        list(
            parse_private(
                msgspec.json.encode(frame), catalogue, lambda: (1, 1, 1, 0), lambda name: None
            )
        )


# ---- rows of the transaction log ----

FUNDING_ROW = {
    "id": "592324_XRPUSDT_161440249321",
    "symbol": "BTCUSDT",
    "category": "linear",
    "type": "SETTLEMENT",
    "transactionTime": "1672128000000",
    "currency": "USDT",
    "funding": "-0.003676",
    "fee": "0",
    "cashFlow": "0",
    "change": "-0.003676",
    "cashBalance": "5086.55825002",
    "tradeId": "0",
    "tradePrice": "0.3676",
}


def moved(reader, **fields):
    raw = json.dumps(FUNDING_ROW | fields).encode()
    origin = Origin("query", 9)
    (row,) = read_item("cash", raw, "", reader.catalogue, reader.stamp, print, origin)
    return row


def test_a_row_of_the_transaction_log(reader):
    row = moved(reader)
    assert (row.coin, row.kind, row.instrument) == ("USDT", "SETTLEMENT", "linear:BTCUSDT")
    assert (row.change_units, row.balance_units) == (-367_600, 508_655_825_002)
    assert (row.moved_ms, row.query_id) == (1672128000000, 9)
    assert json.loads(row.raw)["cashFlow"] == "0"
    assert moved(reader, currency="BTC").row_id != row.row_id
    assert moved(reader, symbol="", category="").instrument == ""


def test_funding_has_the_other_sign_than_an_executions_fee(reader, sample):
    """What the log calls -0.003676 was paid; an execution calls it a fee of 0.003676 (trap 44)."""
    row = moved(reader)
    paid = changed(sample, "ws_execution", execType="Funding", execFee="0.003676")
    (execution,) = reader.read(paid)
    assert row.funding_units == -execution.fee_units == row.change_units


def test_what_an_execution_says_again_is_not_kept_twice(reader):
    trade = {"type": "TRADE", "funding": "", "tradeId": "x1"}
    assert moved(reader, **trade).raw == b""
    assert moved(reader, **trade, symbol="XYZUSDT").raw != b""


@pytest.mark.parametrize("field", ["change", "transactionTime"])
def test_a_row_without_what_it_is_for_is_refused(reader, field):
    with pytest.raises(ParseError, match="expected a number"):
        moved(reader, **{field: ""})


def test_who_made_an_order_is_read(reader, sample):
    (order,) = reader.read(changed(sample, "ws_order", createType="CreateByLiq"))
    (execution,) = reader.read(changed(sample, "ws_execution", createType="CreateByLiq"))
    assert order.create_type == execution.create_type == "CreateByLiq"


@pytest.mark.parametrize(
    ("category", "status", "kind", "order_filter"),
    [
        ("spot", "Untriggered", "Stop", "StopOrder"),
        ("spot", "Untriggered", "tpslOrder", "tpslOrder"),
        ("spot", "New", "Stop", ""),
        ("linear", "Untriggered", "Stop", ""),
    ],
)
def test_a_waiting_spot_order_says_which_list_it_stands_in(
    reader, sample, category, status, kind, order_filter
):
    words = {"category": category, "orderStatus": status, "stopOrderType": kind}
    (order,) = reader.read(changed(sample, "ws_order", **words))
    assert order.order_filter == order_filter


# ---- how the account stands ----


def health(reader, sample, **changes):
    (found,) = [
        one
        for one in reader.read(changed(sample, "ws_wallet", **changes))
        if isinstance(one, HealthMeasured)
    ]
    return found


def coin(sample, **changes):
    return [json.loads(sample("ws_wallet"))["data"][0]["coin"][0] | changes]


def test_a_wallet_of_the_stream_says_how_the_account_stands(reader, sample):
    found = health(reader, sample, accountMMRate="0.5000001", totalAvailableBalance="12.5")
    assert (found.initial_ppm, found.maintenance_ppm) == (3_000, 500_001)
    assert (found.available_units, found.borrowed) == (1_250_000_000, {})
    assert found.source == "stream"


def test_what_the_venue_does_not_say_of_isolated_margin_is_not_zero(reader, sample):
    found = health(reader, sample, accountIMRate="", accountMMRate="", totalAvailableBalance="")
    assert (found.initial_ppm, found.maintenance_ppm, found.available_units) == (-1, -1, -1)


@pytest.mark.parametrize(
    ("changes", "borrowed"),
    [
        ({"borrowAmount": "0.5", "equity": "2", "usdValue": "8"}, {"USDT": 200_000_000}),
        ({"spotBorrow": "0.5", "equity": "2", "usdValue": "8"}, {"USDT": 200_000_000}),
        ({"walletBalance": "-0.5", "equity": "-0.5", "usdValue": "-2"}, {"USDT": 200_000_000}),
        ({"borrowAmount": "0.25", "equity": "2", "usdValue": "8"}, {}),
        ({"borrowAmount": "0.0001", "equity": "0", "usdValue": "0"}, {"USDT": 200_000_000}),
    ],
)
def test_a_loan_worth_over_a_dollar_is_told(reader, sample, changes, borrowed):
    assert health(reader, sample, coin=coin(sample, **changes)).borrowed == borrowed


@pytest.mark.parametrize("field", ["accountMMRate", "totalEquity", "totalAvailableBalance"])
def test_an_unreadable_statement_is_an_error_and_no_zero(reader, sample, field):
    with pytest.raises(ParseError, match=field):
        reader.read(changed(sample, "ws_wallet", **{field: "much"}))
