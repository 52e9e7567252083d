from contextlib import suppress
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plimsoll.venues.bybit import ParseError
from plimsoll.venues.bybit.api import ENDPOINTS, Reader
from plimsoll.venues.bybit.api.words import Side


class Inner(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    tick_size: Decimal


class Column(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    at_ms: int
    price: Decimal
    volume: Decimal | None = None


class Row(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    symbol: str
    qty: Decimal = msgspec.field(name="execQty")
    side: Side = ""
    price: Decimal | None = None
    is_maker: bool = False
    at_ms: int = 0
    filters: Inner | None = None
    columns: tuple[Column, ...] = ()
    fees: dict[str, Decimal] = {}
    extra: str = ""


def read(text: str, reader: Reader | None = None) -> Row:
    return (reader or Reader()).row(Row, text.encode(), "/v5/x row 3")


def row_of(**fields: object) -> Row:
    return read(msgspec.json.encode({"symbol": "S", "execQty": "1", **fields}).decode())


@pytest.mark.parametrize("nothing", ["", None])
def test_no_value_leaves_the_default(nothing):
    row = row_of(price=nothing, isMaker=nothing, atMs=nothing, filters=nothing, columns=nothing)
    assert row == Row(symbol="S", qty=Decimal(1))


@pytest.mark.parametrize(
    ("text", "expected"),
    [('"0.00"', "0.00"), ('"1E-8"', "1E-8"), ("12", "12"), ("0.1", "0.1"), ('"-5.50"', "-5.50")],
)
def test_numbers_are_exact_however_they_are_written(text, expected):
    found = read(f'{{"symbol":"S","execQty":{text}}}').qty
    assert str(found) == expected


def test_a_bare_number_keeps_more_digits_than_a_float_has():
    assert str(read('{"symbol":"S","execQty":0.123456789012345678901}').qty) == (
        "0.123456789012345678901"
    )


@pytest.mark.parametrize(
    ("value", "expected"),
    [(True, True), ("true", True), ("False", False), (1, True), ("0", False), (0, False)],
)
def test_truth_may_be_text(value, expected):
    assert row_of(isMaker=value).is_maker is expected


@pytest.mark.parametrize("value", [1700000000000, "1700000000000", "1.7E12", 1.7e12])
def test_times_may_be_text(value):
    assert row_of(atMs=value).at_ms == 1_700_000_000_000


def test_unknown_words_are_kept_and_counted():
    reader = Reader()
    for _ in range(2):
        assert read('{"symbol":"S","execQty":1,"side":"Sideways"}', reader).side == "Sideways"
    read('{"symbol":"S","execQty":1,"side":"Buy"}', reader)
    assert reader.strange == {("side", "Sideways"): 2}


def test_unknown_fields_are_passed_over():
    assert row_of(brandNew={"a": [1]}) == row_of()


def test_text_that_comes_as_something_else_is_kept_as_its_text():
    assert row_of(extra=[]).extra == "[]"
    assert row_of(extra=5).extra == "5"


def test_rows_inside_rows_are_read():
    row = row_of(
        filters={"tickSize": "0.1"},
        columns=[["5", "1.5", "2"], [6, 1.5]],
        fees={"USDT": "0.1", "BTC": ""},
    )
    assert row.filters == Inner(tick_size=Decimal("0.1"))
    assert row.columns[0] == Column(at_ms=5, price=Decimal("1.5"), volume=Decimal(2))
    assert row.columns[1].volume is None
    assert row.fees == {"USDT": Decimal("0.1")}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"execQty":"1"}', "/v5/x row 3: symbol is missing"),
        ('{"symbol":"S","execQty":""}', "row 3: execQty is missing"),
        ('{"symbol":"S","execQty":"bad"}', "row 3: execQty .*'bad'"),
        ('{"symbol":"S","execQty":true}', "execQty expected a number, found True"),
        ('{"symbol":"S","execQty":"1e30"}', "execQty expected at most 1e"),
        ('{"symbol":"S","execQty":1,"isMaker":"maybe"}', "isMaker expected true or false"),
        ('{"symbol":"S","execQty":1,"atMs":"1.5"}', "atMs expected a whole number"),
        ('{"symbol":"S","execQty":1,"filters":{}}', "filters: tickSize is missing"),
        ('{"symbol":"S","execQty":1,"filters":[]}', "filters: expected an object"),
        ('{"symbol":"S","execQty":1,"columns":{}}', "columns expected a list"),
        ('{"symbol":"S","execQty":1,"columns":[[1]]}', "columns 0: price is missing"),
        ('{"symbol":"S","execQty":1,"fees":[1]}', "fees expected an object"),
        ("[1]", "row 3: expected an object"),
        ("{", "row 3: "),
    ],
)
def test_an_error_names_endpoint_row_and_field(text, words):
    with pytest.raises(ParseError, match=words):
        read(text)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
        max_leaves=8,
    ),
    st.sampled_from(ENDPOINTS),
    st.data(),
)
def test_no_answer_makes_anything_but_a_row_or_the_named_error(junk, endpoint, data):
    fields = msgspec.structs.fields(endpoint.row)
    value = {field.encode_name: data.draw(st.just(junk) | st.just("1")) for field in fields}
    chosen = data.draw(st.sampled_from([value, junk]))
    with suppress(ParseError):  # any other error fails the test
        row = Reader().row(endpoint.row, msgspec.json.encode(chosen), endpoint.path)
        assert isinstance(row, endpoint.row)
