"""Verify: every kind of damage is found with file, row and value, and nothing is mended."""

import msgspec
import pytest
from tests.data.conftest import DAY_MS, MINUTE_MS, MINUTES, bar, bars
from tests.data.test_store import BTC

from plimsoll.data import DataError, Filters, import_file, series_of, verify
from plimsoll.data.database import database


def rewrite(store, query):
    """Write a stored file as nobody of us would; ``old`` is what it was."""
    (path,) = store.files(MINUTES)
    with database() as (connection, _):
        connection.execute(f"CREATE TABLE old AS FROM '{path}'")
        connection.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet)")
    return path


def test_sound_rows_are_sound(store, given):
    import_file(store, given(bars(100, DAY_MS - 50 * MINUTE_MS)), MINUTES)
    found = verify(store)
    assert (found.is_sound, found.files, found.rows, found.counts) == (True, 2, 100, {})


SQL = [
    ("FROM old UNION ALL FROM old WHERE start_ms = {at}", "duplicate", 11),
    ("FROM old ORDER BY start_ms = {at}, start_ms", "order", 10),
    ("SELECT * REPLACE (CASE WHEN start_ms = {at} THEN 'nan'::DOUBLE ELSE open END AS open) "
     "FROM old", "number", 4),
    ("SELECT * REPLACE (CASE WHEN start_ms = {at} THEN NULL ELSE close END AS close) FROM old",
     "number", 4),
    ("SELECT * REPLACE (CASE WHEN start_ms = {at} THEN 0 ELSE low END AS low) FROM old",
     "price", 4),
    ("SELECT * REPLACE (CASE WHEN start_ms = {at} THEN 1 ELSE high END AS high) FROM old",
     "range", 4),
    ("SELECT * REPLACE (CASE WHEN start_ms = {at} THEN -1 ELSE volume END AS volume) FROM old",
     "volume", 4),
    ("SELECT * REPLACE (CASE WHEN start_ms = {at} THEN {at} + 1 ELSE start_ms END AS start_ms) "
     "FROM old", "frame", 4),
    ("SELECT * REPLACE (CASE WHEN start_ms = {at} THEN NULL ELSE start_ms END AS start_ms) "
     "FROM old", "time", 4),
]  # fmt: skip


@pytest.mark.parametrize(("query", "fault", "row"), SQL)
def test_a_bad_row_is_named_and_left_as_it_is(store, given, query, fault, row):
    import_file(store, given(bars(10)), MINUTES)
    path = rewrite(store, query.format(at=DAY_MS + 3 * MINUTE_MS))
    before = path.read_bytes()
    found = verify(store)
    assert found.counts[fault] == 1
    finding = next(one for one in found.findings if one.fault == fault)
    assert finding.where == f"{path}:{row}"
    assert "open" in finding.value
    assert "delete the file" in finding.how
    assert not found.is_sound
    assert path.read_bytes() == before


def test_a_row_of_another_month_is_in_the_wrong_file(store, given):
    import_file(store, given(bars(10)), MINUTES)
    rewrite(store, "SELECT * REPLACE (start_ms + 3456000000 AS start_ms) FROM old")
    assert verify(store).counts == {"month": 10}


def test_gaps_across_months_are_found(store, given):
    rows = [*bars(5, DAY_MS - 10 * MINUTE_MS), *bars(5, DAY_MS + 3 * MINUTE_MS)]
    import_file(store, given(rows), MINUTES)
    found = verify(store)
    assert found.counts == {"gap": 1}
    (gap,) = found.findings
    assert gap.count == 8
    assert gap.value == "8 from 2023-12-31 23:55 to 2024-01-01 00:03"
    assert not found.is_sound


def test_minutes_without_a_trade_are_told_and_wrong_with_nothing(store, given):
    import_file(store, given([*bars(3), bar(DAY_MS + 3 * MINUTE_MS, volume=0)]), MINUTES)
    found = verify(store)
    assert (found.counts, found.is_sound) == ({"zero_volume": 1}, True)


def test_prices_off_the_stored_tick(store, given):
    import_file(store, given(bars(10)), MINUTES)
    store.keep_filters(Filters("mainnet", 0, BTC))
    assert verify(store).is_sound
    store.keep_filters(Filters("mainnet", 0, msgspec.structs.replace(BTC, tick_size="1")))
    found = verify(store)
    assert found.counts == {"off_tick": 10}  # each close ends in .5
    (store.directory / "linear-BTCUSDT/filters.json").write_text("{")
    assert verify(store).counts == {"file": 1}


@pytest.mark.parametrize("size", [0, 4, 300])
def test_a_file_that_is_cut_hides_no_other(store, given, size):
    import_file(store, given(bars(100, DAY_MS - 50 * MINUTE_MS)), MINUTES)
    first, second = store.files(MINUTES)
    first.write_bytes(first.read_bytes()[:size])
    second.with_name("january.parquet").write_bytes(second.read_bytes())
    found = verify(store)
    assert found.counts == {"file": 2}
    assert {one.file for one in found.findings} == {
        str(first),
        str(second.with_name("january.parquet")),
    }
    assert found.rows == 50


def test_rates_are_verified_too(store, given):
    funding = series_of("linear:BTCUSDT", "funding", "")
    rows = [f"{DAY_MS + hour * 3_600_000},0.0001" for hour in (0, 4, 8, 24)]
    import_file(store, given(rows, header=""), funding)
    assert verify(store, "linear:BTCUSDT").counts == {"gap": 1}


def test_only_the_instrument_that_was_asked_for(store, given):
    import_file(store, given(bars(3)), MINUTES)
    import_file(store, given([*bars(2), *bars(2, DAY_MS + 86_400_000)]),
                series_of("spot:ETHUSDT", "last", "1m"))  # fmt: skip
    assert verify(store, "linear:BTCUSDT").is_sound
    assert not verify(store).is_sound
    with pytest.raises(DataError, match="nothing is stored of linear:ETHUSDT"):
        verify(store, "linear:ETHUSDT")
