"""Times: every form that is recognised, and what is refused instead of guessed."""

import pytest

from plimsoll.data import NotRecognised, TimeWords
from plimsoll.data.database import database, literal
from plimsoll.data.times import of_timestamps, recognise

AT_MS = 1_704_070_800_000
"""2024-01-01 01:00 UTC."""


def read(text: str, sample: str = "", **said: str) -> int | None:
    """Return what a cell is read as, in a file whose first cell is ``sample``."""
    form = recognise(sample or text, TimeWords(**said), "file.csv:2")
    with database() as (connection, _):
        row = connection.execute(f"SELECT {form.sql(literal(text))}").fetchone()
    assert row is not None
    return row[0]


@pytest.mark.parametrize(
    "text",
    [
        "1704070800",
        "1704070800.0",
        "1704070800000",
        "1704070800000.0",
        "1704070800000000",
        "1704070800000000000",
        "2024-01-01 01:00",
        "2024-01-01 01:00:00",
        "2024-01-01T01:00:00.000Z",
        "2024-01-01 01:00:00+00:00",
        "2024-01-01 02:00:00+01:00",
        "2024-01-01T06:30:00+0530",
        "2024-01-01 01:00:00 UTC",
        "20240101 01:00:00",
        "20240101 01:00",
        "2024.01.01 01:00",
        "2024/01/01 01:00:00",
    ],
)
def test_every_usual_form_is_the_same_moment(text):
    assert read(text) == AT_MS


def test_days_and_fractions():
    assert read("20240101") == read("2024-01-01") == AT_MS - 3_600_000
    assert read("1696982287.4922") == 1_696_982_287_492


@pytest.mark.parametrize(("zone", "hours"), [("UTC", 0), ("+03:00", 3), ("-0530", -5.5)])
def test_a_zone_that_was_given_is_taken_away(zone, hours):
    assert read("2024-01-01 01:00:00", zone=zone) == AT_MS - hours * 3_600_000


def test_milliseconds_of_a_day_and_a_form_of_ones_own():
    assert read("3600000", day="2024-01-01") == AT_MS
    assert read("0", day="2024-01-01", zone="+01:00") == AT_MS - 7_200_000
    assert read("01/01/2024 01:00", format="%d/%m/%Y %H:%M") == AT_MS


@pytest.mark.parametrize(
    ("text", "sample", "said"),
    [
        ("1704070800000", "1704070800", {}),  # a file that changes its unit
        ("1704070800", "1704070800000", {}),
        ("2024-13-01 00:00", "2024-01-01 00:00", {}),
        ("soon", "2024-01-01 00:00", {}),
        ("86400000", "0", {"day": "2024-01-01"}),
        ("-1", "0", {"day": "2024-01-01"}),
        ("31/31/2024", "01/01/2024", {"format": "%d/%m/%Y"}),
        ("", "1704070800", {}),
        ("2024-01-01 01:00:00", "2024-01-01 01:00:00+00:00", {}),  # zones in a part of the rows
        ("2024-01-01 01:00:00+03:00", "2024-01-01 01:00:00", {}),
        ("2024-01-01 01:00:00+03:00", "2024-01-01 01:00:00", {"zone": "+05:00"}),
        ("2024-01-01T01:00:00-05:00", "2024-01-01T01:00:00", {}),
        ("2024-01-01T01:00:00Z", "2024-01-01T01:00:00", {}),
    ],
)
def test_a_row_written_in_another_way_is_no_time(text, sample, said):
    assert read(text, sample, **said) is None


@pytest.mark.parametrize(
    ("sample", "said", "hint"),
    [
        ("60000", {}, "--day"),
        ("99999999999999999999", {}, "--time-format"),
        ("01/02/2024 00:00", {}, "--time-format"),
        ("1704070800", {"zone": "+03:00"}, "leave out --zone"),
        ("2024-01-01T00:00:00Z", {"zone": "+03:00"}, "leave out --zone"),
        ("2024-01-01 00:00", {"zone": "Europe/Berlin"}, "--zone +03:00"),
        ("0", {"day": "yesterday"}, "--day 2022-12-13"),
    ],
)
def test_what_can_be_read_in_two_ways_is_refused_with_the_option_that_decides(sample, said, hint):
    with pytest.raises(NotRecognised) as refused:
        recognise(sample, TimeWords(**said), "file.csv:2")
    assert refused.value.where == "file.csv:2"
    assert hint in refused.value.how


def test_what_was_taken_is_told():
    words = [
        recognise(sample, TimeWords(), "f").word
        for sample in ("1704070800", "1704070800000000", "2024-01-01 01:00", "2024-01-01 01:00Z")
    ]
    assert words == [
        "Unix seconds",
        "Unix microseconds",
        "without a zone, as 2024-01-01 01:00: taken as UTC",
        "ISO 8601 with its zone, as 2024-01-01 01:00Z",
    ]


def test_a_column_of_timestamps_names_its_zone_or_is_told():
    assert of_timestamps("", "f", has_zone=False).word.endswith("taken as UTC")
    with pytest.raises(NotRecognised):
        of_timestamps("+03:00", "f", has_zone=True)
