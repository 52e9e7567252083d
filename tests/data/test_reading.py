"""Reading: in order, in bounded chunks, from a store or a single file."""

import pytest
from tests.data.conftest import DAY_MS, MINUTE_MS, MINUTES, bar, bars

from plimsoll.data import (
    CHUNK,
    BadRows,
    DataError,
    FileCut,
    NothingStored,
    import_file,
    read_bars,
    read_file,
    read_funding,
    series_of,
)
from plimsoll.data.database import database

END = 1 << 60


def all_of(store, first=0, end=END, **kind):
    chunks = read_bars(store.directory, "linear:BTCUSDT", "1m", first, end, **kind)
    return [row for chunk in chunks for row in chunk]


def test_chunks_are_bounded_and_in_order(store, given):
    import_file(store, given(bars(3 * CHUNK, DAY_MS - CHUNK * MINUTE_MS)), MINUTES)
    sizes, before = [], 0
    for chunk in read_bars(store.directory, "linear:BTCUSDT", "1m", 0, END):
        sizes.append(len(chunk))
        assert chunk[0][0] > before
        before = chunk[-1][0]
    assert max(sizes) <= CHUNK
    assert sum(sizes) == 3 * CHUNK


def test_a_span_begins_with_its_first_bar_and_leaves_out_its_end(store, given):
    import_file(store, given(bars(100, DAY_MS - 50 * MINUTE_MS)), MINUTES)
    first, end = DAY_MS - MINUTE_MS, DAY_MS + 2 * MINUTE_MS
    assert [row[0] for row in all_of(store, first, end)] == [first, DAY_MS, DAY_MS + MINUTE_MS]
    assert all_of(store, END - 1, END) == []


def test_marks_have_no_volume(store, given):
    marks = series_of("linear:BTCUSDT", "mark", "1m")
    import_file(store, given([f"{DAY_MS},1,2,0.5,1.5"], header=""), marks)
    assert all_of(store, kind="mark") == [(DAY_MS, 1.0, 2.0, 0.5, 1.5, 0.0)]


def test_rates(store, given):
    funding = series_of("linear:BTCUSDT", "funding", "")
    import_file(store, given([f"{DAY_MS},-0.0001"], header=""), funding)
    assert list(read_funding(store.directory, "linear:BTCUSDT", 0, END)) == [[(DAY_MS, -0.0001)]]
    with pytest.raises(DataError, match="read_funding"):
        all_of(store, kind="funding")


def test_nothing_stored_says_how_to_get_it(store):
    with pytest.raises(NothingStored, match="plimsoll data fetch linear:BTCUSDT"):
        all_of(store)


@pytest.mark.parametrize("query", ["ORDER BY start_ms DESC", "UNION ALL FROM old LIMIT 11"])
def test_rows_out_of_order_end_the_reading(store, given, query):
    import_file(store, given(bars(10)), MINUTES)
    (path,) = store.files(MINUTES)
    with database() as (connection, _):
        connection.execute(f"CREATE TABLE old AS FROM '{path}'")
        connection.execute(f"COPY (FROM old {query}) TO '{path}' (FORMAT parquet)")
    with pytest.raises(DataError, match="in order of time"):
        all_of(store)


def test_a_stored_file_that_is_cut_ends_the_reading(store, given):
    import_file(store, given(bars(10)), MINUTES)
    (path,) = store.files(MINUTES)
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(FileCut, match="data verify"):
        all_of(store)


@pytest.mark.parametrize("name", ["bars.csv", "bars.csv.gz", "bars.csv.zst"])
def test_a_single_file_needs_no_store(given, name):
    chunks = list(read_file(given(bars(CHUNK + 10), name), "1m", from_ms=DAY_MS + MINUTE_MS))
    assert [len(chunk) for chunk in chunks] == [CHUNK, 9]
    assert chunks[0][0] == (DAY_MS + MINUTE_MS, 101.0, 102.0, 100.0, 101.5, 2.0)


def test_a_single_parquet_file_and_an_archive_of_trades(store, given):
    import_file(store, given(bars(10)), MINUTES)
    (path,) = store.files(MINUTES)
    assert [row[:5] for row in next(read_file(path, "1m"))] == [row[:5] for row in all_of(store)]
    trades = given([f"{DAY_MS // 1000},1,100"], header="timestamp,size,price")
    assert list(read_file(trades, "1m")) == [[(DAY_MS, 100.0, 100.0, 100.0, 100.0, 1.0)]]


def test_a_single_file_is_judged_before_its_first_row(given):
    path = given([*bars(5), bar(DAY_MS)])
    with pytest.raises(BadRows, match="1 duplicate"):
        next(read_file(path, "1m"))
    with pytest.raises(DataError, match="import it"):
        next(read_file(path, "1m", kind="funding"))
