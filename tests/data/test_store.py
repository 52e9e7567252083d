"""The store: whole months, put in place at once; and what it knows to be missing."""

import fcntl
from pathlib import Path

import msgspec
import pytest
from tests.data.conftest import DAY_MS, MINUTE_MS, MINUTES, bars

from plimsoll.core.model import Instrument
from plimsoll.data import (
    DataError,
    FileCut,
    Filters,
    OtherVenue,
    Store,
    StoreBusy,
    import_file,
    series_in,
    series_of,
)
from plimsoll.data.database import database
from plimsoll.data.frames import FRAMES, month_span

BTC = Instrument(
    name="linear:BTCUSDT", category="linear", symbol="BTCUSDT", base="BTC", quote="USDT",
    settle="USDT", tick_size="0.5", lot_size="0.001", min_qty="0.001", max_qty="0",
    max_market_qty="0", min_notional="5",
)  # fmt: skip


def missing(store, first, end, series=MINUTES):
    with database() as (connection, _):
        return store.missing(connection, series, first, end)


def test_a_file_for_each_month_of_utc(store, given):
    import_file(store, given(bars(20, DAY_MS - 10 * MINUTE_MS)), MINUTES)
    names = [path.relative_to(store.directory) for path in store.files(MINUTES)]
    directory = Path("linear-BTCUSDT/last-1m")
    assert names == [directory / "2023-12.parquet", directory / "2024-01.parquet"]
    assert month_span("2023-12") == (DAY_MS - 31 * 86_400_000, DAY_MS)


def test_the_columns_are_the_documented_ones(store, given):
    import_file(store, given(bars(3)), MINUTES)
    with database() as (connection, _):
        (path,) = store.files(MINUTES)
        found = connection.execute(f"DESCRIBE FROM '{path}'").fetchall()
    prices = [(name, "DOUBLE") for name in ("open", "high", "low", "close", "volume", "turnover")]
    assert [row[:2] for row in found] == [("start_ms", "BIGINT"), *prices]


def test_a_write_that_fails_changes_no_month(store, given, monkeypatch):
    import_file(store, given(bars(10)), MINUTES)
    before = {path: path.read_bytes() for path in store.files(MINUTES)}

    def full(_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", full)
        with pytest.raises(DataError, match="No space"):
            import_file(store, given([*bars(50, DAY_MS - 70 * MINUTE_MS), *bars(20)]), MINUTES)
    assert {path: path.read_bytes() for path in store.files(MINUTES)} == before
    assert not list(store.directory.rglob("*.part"))


def test_what_a_crash_left_of_a_file_is_never_read(store, given):
    import_file(store, given(bars(10)), MINUTES)
    (path,) = store.files(MINUTES)
    path.with_suffix(".part").write_bytes(b"PAR1 half")
    assert store.files(MINUTES) == [path]
    assert import_file(store, given(bars(12)), MINUTES).merged.added == 2


def test_missing_spans_at_both_ends_and_between(store, given):
    end = DAY_MS + 30 * MINUTE_MS
    assert missing(store, DAY_MS, end) == [(DAY_MS, end)]
    rows = [*bars(5, DAY_MS + 5 * MINUTE_MS), *bars(5, DAY_MS + 20 * MINUTE_MS)]
    import_file(store, given(rows), MINUTES)
    minutes = [(0, 5), (10, 20), (25, 30)]
    spans = [(DAY_MS + first * MINUTE_MS, DAY_MS + last * MINUTE_MS) for first, last in minutes]
    assert missing(store, DAY_MS, end) == spans
    assert missing(store, DAY_MS + 5 * MINUTE_MS, DAY_MS + 10 * MINUTE_MS) == []
    assert missing(store, end, DAY_MS) == []


def test_what_is_stored_is_listed(store, given):
    with database() as (connection, _):
        assert store.listed(connection, MINUTES) is None
        import_file(store, given([*bars(5), *bars(5, DAY_MS + 7 * MINUTE_MS)]), MINUTES)
        found = store.listed(connection, MINUTES)
    assert found is not None
    assert (found.rows, found.gaps, found.missing) == (10, 1, 2)
    assert (found.from_ms, found.to_ms) == (DAY_MS, DAY_MS + 11 * MINUTE_MS)
    assert found.size == store.files(MINUTES)[0].stat().st_size
    assert list(series_in(store.directory)) == [MINUTES]


def test_directories_of_others_are_no_series(store):
    for name in (
        "linear-BTCUSDT/last-7m",
        "linear-BTCUSDT/notes",
        "a-b/last-1m",
        "spot-ETH/mark-1m",
    ):
        (store.directory / name).mkdir(parents=True)
    assert list(series_in(store.directory)) == []


def test_a_stored_file_that_is_cut_stops_a_merge(store, given):
    import_file(store, given(bars(10)), MINUTES)
    (path,) = store.files(MINUTES)
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(DataError, match="data verify"):
        import_file(store, given(bars(12)), MINUTES)
    with database() as (connection, _), pytest.raises(FileCut, match="data verify"):
        store.listed(connection, MINUTES)


def test_two_writers_of_one_instrument_are_one_too_many(store, given):
    import_file(store, given(bars(10)), MINUTES)
    with (store.directory / "linear-BTCUSDT/.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(StoreBusy):
            import_file(store, given(bars(12)), MINUTES)
    assert import_file(store, given(bars(12)), MINUTES).merged.added == 2


def test_filters_of_two_environments_do_not_mix(store):
    assert store.filters(BTC.name) is None
    store.keep_filters(Filters("mainnet", DAY_MS, BTC))
    newer = Filters("mainnet", DAY_MS + 1, msgspec.structs.replace(BTC, tick_size="0.1"))
    store.keep_filters(newer)
    assert store.filters(BTC.name) == newer
    with pytest.raises(OtherVenue, match="mainnet, found testnet"):
        store.keep_filters(Filters("testnet", DAY_MS, BTC))
    (store.directory / "linear-BTCUSDT/filters.json").write_text("{")
    with pytest.raises(DataError, match="delete it"):
        store.filters(BTC.name)


def test_prices_off_the_tick_are_told_at_import(store, given):
    store.keep_filters(Filters("mainnet", DAY_MS, msgspec.structs.replace(BTC, tick_size="0.3")))
    assert import_file(store, given(bars(10)), MINUTES).off_tick > 0
    other = Store(store.directory / "other")
    other.keep_filters(Filters("mainnet", DAY_MS, BTC))
    assert import_file(other, given(bars(10)), MINUTES).off_tick == 0


@pytest.mark.parametrize(
    ("instrument", "kind", "frame"),
    [
        ("BTCUSDT", "last", "1m"),
        ("linear:btcusdt", "last", "1m"),
        ("linear:../BTC", "last", "1m"),
        ("linear:", "last", "1m"),
        ("inverse:BTCUSD", "last", "1m"),
        ("linear:BTCUSDT", "index", "1m"),
        ("linear:BTCUSDT", "last", "7m"),
        ("linear:BTCUSDT", "last", ""),
        ("spot:BTCUSDT", "mark", "1m"),
        ("spot:BTCUSDT", "funding", ""),
    ],
)
def test_what_is_no_series(instrument, kind, frame):
    with pytest.raises(DataError):
        series_of(instrument, kind, frame)


def test_frames_begin_where_the_venue_s_do():
    week, hour = FRAMES["1w"], FRAMES["1h"]
    assert week.floor(DAY_MS + 1) == week.ceil(DAY_MS) == DAY_MS  # a Monday
    assert week.ceil(DAY_MS + 1) == DAY_MS + 7 * 86_400_000
    assert hour.ceil(DAY_MS - 1) == hour.floor(DAY_MS) == DAY_MS


def test_a_directory_that_cannot_be_written_is_told(store, given):
    store.directory.write_text("a file")
    with pytest.raises(DataError, match="cannot be written"):
        import_file(store, given(bars(1)), MINUTES)
