"""Columns: by header, by number, as told; two readings are none."""

import pytest

from plimsoll.data import NotRecognised
from plimsoll.data.shape import shape_of, shape_of_names

ROW = "1704070800000,1,2,0.5,1.5,9,10"


def shape(*head: str, kind: str = "last", columns: str = ""):
    return shape_of(head, kind, columns, "file.csv:1")


@pytest.mark.parametrize(
    ("header", "time"),
    [
        ("timestamp,open,high,low,close,volume", "time"),
        ("Open Time;Open;High;Low;Close;Volume", "time"),
        ('"start","o","h","l","c","v","turnover"', "time"),
        ("ts\topen\thigh\tlow\tclose\tvol", "time"),
        ("open,high,low,close,volume,quote_volume,trades,close_datetime", "close_time"),
    ],
)
def test_headers_of_many_houses(header, time):
    found = shape(header, ROW)
    assert found.content == "bars"
    assert found.has_header
    assert {time, "open", "high", "low", "close", "volume"} <= found.columns.keys()
    assert found.is_closing is (time == "close_time")


@pytest.mark.parametrize("count", [6, 7, 12])
def test_no_header_and_a_usual_number_of_columns(count):
    found = shape(",".join([*ROW.split(","), *"12345"][:count]))
    assert not found.has_header
    assert found.columns["close"] == 4
    assert not found.is_closing
    assert "no header" in found.notes[0]


def test_columns_as_told():
    found = shape("9,1704070800000,1,2,0.5,1.5,x", columns="volume,time,open,high,low,close,_")
    assert found.columns == {"volume": 0, "time": 1, "open": 2, "high": 3, "low": 4, "close": 5}


def test_trades_of_both_archives_and_rates():
    linear = "timestamp,symbol,side,size,price,tickDirection,trdMatchID,grossValue"
    assert shape(linear, "1,2,3,4").content == "trades"
    assert shape("id,timestamp,price,volume,side,rpi", "1,2,3,4").columns["volume"] == 3
    assert (
        shape("symbol,fundingRate,fundingRateTimestamp", "x", kind="funding").content == "funding"
    )
    assert shape("20221213 00:00:00,-0.0002", kind="funding").columns == {"time": 0, "rate": 1}
    assert shape("1704070800000,1,2,0.5,1.5", kind="mark").columns["close"] == 4


@pytest.mark.parametrize(
    ("head", "kind", "columns", "words"),
    [
        (["timestamp,open,high,low,close", ROW], "last", "", "no column volume"),
        (["when,open,high,low,close,volume", ROW], "last", "", "no column time"),
        (["a,b,c", "1,2,3"], "last", "", "no column"),
        (["time,open,high,low,close,volume"], "last", "", "a header alone"),
        (["date,unix,open,high,low,close,volume", ROW], "last", "", "may both be time"),
        (["1704070800000,1,2,0.5,1.5"], "last", "", "which may mean anything"),
        (["1,2,3,4,5,6,7,8,9,10,11"], "last", "", "11 columns"),
        ([ROW], "last", "time,open", "names 2, found 7"),
        ([ROW], "last", "time,open,high,low,close,volume,money", "names money"),
        ([ROW], "last", "time,open,high,low,close,close,volume", "may both be close"),
        (["1,2,3"], "funding", "", "3 columns"),
    ],
)
def test_a_file_that_can_be_read_in_two_ways_is_refused(head, kind, columns, words):
    with pytest.raises(NotRecognised, match=words) as refused:
        shape(*head, kind=kind, columns=columns)
    assert refused.value.where == "file.csv:1"
    assert refused.value.how


def test_names_of_parquet_columns():
    assert (
        shape_of_names(["ts", "open", "high", "low", "close"], "mark", "", "f").columns["low"] == 3
    )
