import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plimsoll.core.records import BarChanged, BookChanged, PublicTraded, TickerChanged
from plimsoll.venues.bybit import ParseError, PublicParser, parsers_for

LINEAR = PublicParser("linear")
BOOK = {
    "topic": "orderbook.50.BTCUSDT",
    "type": "delta",
    "ts": 5,
    "data": {"s": "BTCUSDT", "b": [["30000.00", "0"]], "a": [], "u": 2, "seq": 3},
    "cts": 4,
}


def parse(message):
    raw = message if isinstance(message, bytes) else json.dumps(message, separators=(",", ":"))
    return LINEAR.parse(raw.encode() if isinstance(raw, str) else raw, 7, 8, 9)


def test_a_snapshot_of_the_book(sample):
    assert parse(sample("ws_book_snapshot")) == BookChanged(
        7,
        8,
        9,
        0,
        instrument="linear:BTCUSDT",
        depth=50,
        is_snapshot=True,
        update_id=1001,
        venue_seq=500001,
        venue_ms=1700000000098,
        bids=[(30000.0, 1.2), (29999.9, 0.4)],
        asks=[(30000.1, 0.9), (30000.2, 2.0)],
    )


def test_a_delta_of_the_book(sample):
    book = parse(sample("ws_book_delta"))
    assert (book.is_snapshot, book.update_id, book.bids) == (False, 1002, [(30000.0, 0.0)])


@given(st.permutations(list(BOOK)))
def test_the_order_of_keys_does_not_matter(keys):
    assert parse({key: BOOK[key] for key in keys}) == parse(BOOK)


def test_spaces_do_not_matter():
    assert parse(json.dumps(BOOK, indent=1).encode()) == parse(BOOK)


@given(st.permutations(list(BOOK)))
def test_a_book_is_known_unread_whatever_the_order_of_keys(keys):
    assert LINEAR.is_book(json.dumps({key: BOOK[key] for key in keys}).encode())


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"topic":"publicTrade.BTCUSDT","data":[{"i":"orderbook.50.X"}]}',
        b'{"op":"subscribe","args":["orderbook.50.BTCUSDT"]}',
    ],
)
def test_nothing_else_is_taken_for_a_book(raw):
    assert not LINEAR.is_book(raw)


def test_prints_name_the_side_of_the_taker(sample):
    printed = parse(sample("ws_trade"))
    rows = [(30000.1, 0.2, True, 1700000000118)]
    assert printed == PublicTraded(7, 8, 9, 0, "linear:BTCUSDT", rows, 1700000000119)


def test_block_and_rpi_prints_are_left_out(sample):
    message = json.loads(sample("ws_trade"))
    row = message["data"][0]
    message["data"] = [row | {"BT": True}, row | {"S": "Sell"}, row | {"RPI": True}]
    assert [row[2] for row in parse(message).rows] == [False]
    message["data"] = [row | {"BT": True}]
    assert parse(message) is None


def test_tickers_hold_what_changed(sample):
    first = parse(sample("ws_ticker_snapshot"))
    assert isinstance(first, TickerChanged)
    assert (first.last, first.mark, first.index) == (30000.1, 30000.5, 30001.0)
    assert (first.funding_rate, first.next_funding_ms) == (0.0001, 1700006400000)
    then = parse(sample("ws_ticker_delta"))
    assert (then.last, then.mark, then.funding_rate) == (0.0, 30000.6, None)
    spot = PublicParser("spot").parse(sample("ws_ticker_spot"), 1, 2, 3)
    assert isinstance(spot, TickerChanged)
    assert (spot.instrument, spot.last, spot.mark) == ("spot:BTCUSDT", 30000.1, 0.0)


def test_tickers_tolerate_empty_exponent_and_bare_numbers(sample):
    message = json.loads(sample("ws_ticker_delta"))
    message["data"] |= {"markPrice": "", "fundingRate": "1E-8", "lastPrice": 5}
    found = parse(message)
    assert (found.mark, found.funding_rate, found.last) == (0.0, 1e-8, 5.0)


@pytest.mark.parametrize("text", ["NaN", "Infinity", "x", "-inf"])
def test_numbers_that_are_none_are_errors(sample, text):
    message = json.loads(sample("ws_ticker_delta"))
    message["data"]["markPrice"] = text
    with pytest.raises(ParseError, match="finite"):
        parse(message)


def test_bars(sample):
    bar = parse(sample("ws_kline"))
    assert isinstance(bar, BarChanged)
    assert (bar.start_ms, bar.open, bar.close, bar.is_final) == (
        1699999980000,
        29990.0,
        30000.1,
        False,
    )


def test_a_final_bar_is_not_lost_behind_the_next_open_one(sample):
    message = json.loads(sample("ws_kline"))
    row = message["data"][0]
    message["data"] = [row | {"confirm": True}, row | {"start": row["end"] + 1}]
    assert parse(message).is_final
    message["data"] = [row | {"interval": "5"}]
    assert parse(message) is None


@pytest.mark.parametrize(
    "text",
    [
        b'{"success":true,"op":"subscribe"}',
        b'{"topic":"allLiquidation.BTCUSDT","data":[]}',
        b"{}",
    ],
)
def test_other_frames_are_no_input(text):
    assert parse(text) is None


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"nonsense",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"topic":"orderbook.50.BTCUSDT"}',
        b'{"topic":"orderbook.BTCUSDT","type":"delta","data":{"b":[],"a":[],"u":1,"seq":1}}',
        b'{"topic":"orderbook.-1.X","type":"delta","data":{"b":[],"a":[],"u":1,"seq":1}}',
        b'{"topic":"orderbook.50.X","type":"other","data":{"b":[],"a":[],"u":1,"seq":1}}',
        b'{"topic":"orderbook.50.X","topic":"tickers.X","type":"delta","data":{"b":[],"a":[],"u":1,'
        b'"seq":1}}',
    ],
)
def test_unreadable_frames_raise_the_named_error(text):
    with pytest.raises(ParseError):
        parse(text)


@given(st.binary(max_size=300))
def test_random_bytes_raise_nothing_else(raw):
    _parse_or_named_error(raw)


@given(st.data())
def test_mutated_frames_raise_nothing_else(data):
    names = ["ws_book_snapshot", "ws_trade", "ws_ticker_snapshot", "ws_kline"]
    raw = bytearray(_sample(data.draw(st.sampled_from(names))))
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(raw) - 1))
        raw[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=4))
    _parse_or_named_error(bytes(raw))


@pytest.mark.parametrize("text", ["nan", "NaN", "inf", "-Infinity", "-1", "1e999", "1e300", ""])
@pytest.mark.parametrize("place", ["book price", "book qty", "print price", "print qty", "bar"])
def test_no_price_or_quantity_is_anything_but_a_finite_number(sample, place, text):
    name = {"book": "ws_book_delta", "print": "ws_trade", "bar": "ws_kline"}[place.split()[0]]
    message = json.loads(sample(name))
    match place:
        case "book price" | "book qty":
            message["data"]["b"] = [[text, "1"] if place == "book price" else ["1", text]]
        case "print price" | "print qty":
            message["data"][0]["p" if place == "print price" else "v"] = text
        case _:
            message["data"][0]["low"] = text
    with pytest.raises(ParseError):
        parse(message)


def test_null_is_no_value(sample):
    ticker = json.loads(sample("ws_ticker_delta"))
    ticker["data"] |= {"markPrice": None, "nextFundingTime": None}
    assert (parse(ticker).mark, parse(ticker).next_funding_ms) == (0.0, 0)
    printed = json.loads(sample("ws_trade"))
    printed["data"][0] |= {"BT": None, "RPI": None}
    assert len(parse(printed).rows) == 1


def test_a_parser_for_each_public_link():
    assert {index: parser.category for index, parser in parsers_for().items()} == {
        2: "linear",
        3: "spot",
    }


def _parse_or_named_error(raw):
    with contextlib.suppress(ParseError):
        LINEAR.parse(raw, 1, 2, 3)


def _sample(name):
    from pathlib import Path

    return (Path(__file__).resolve().parents[2] / "data/bybit" / f"{name}.json").read_bytes()
