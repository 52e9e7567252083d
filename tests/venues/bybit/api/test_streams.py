from decimal import Decimal

import pytest

from plimsoll.venues.bybit import ParseError
from plimsoll.venues.bybit.api import Reader, read_pushed


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("ws_order", 1),
        ("ws_execution", 1),
        ("ws_execution_fast", 1),
        ("ws_position", 1),
        ("ws_wallet", 1),
        ("ws_book_snapshot", 1),
        ("ws_book_delta", 1),
        ("ws_trade", 1),
        ("ws_ticker_snapshot", 1),
        ("ws_ticker_delta", 1),
        ("ws_kline", 1),
    ],
)
def test_every_topic_has_rows(sample, name, rows):
    reader = Reader()
    assert len(read_pushed(reader, sample(name)).rows) == rows
    assert reader.strange == {}


def test_an_order_is_exact(sample):
    order = read_pushed(Reader(), sample("ws_order")).rows[0]
    assert (order.status, order.cum_qty, order.cum_fees) == (
        "Filled",
        Decimal("0.010"),
        {"USDT": Decimal("0.06")},
    )
    assert order.take_profit is None


def test_a_fast_execution_has_no_fee(sample):
    assert read_pushed(Reader(), sample("ws_execution_fast")).rows[0].fee is None


def test_a_position_has_one_average_price_by_either_name(sample):
    pushed = read_pushed(Reader(), sample("ws_position"))
    assert pushed.rows[0].average_price == Decimal(30000)
    assert pushed.venue_ms == 1700000000023


def test_spot_tickers_have_their_own_fields(sample):
    row = read_pushed(Reader(), sample("ws_ticker_spot"), "spot").rows[0]
    assert row.usd_index_price == Decimal("30001.2")


@pytest.mark.parametrize("raw", [b"{", b'{"topic":"greeks","data":[]}', b'{"op":"pong"}'])
def test_what_is_no_topic_of_ours_is_told(raw):
    with pytest.raises(ParseError):
        read_pushed(Reader(), raw)
