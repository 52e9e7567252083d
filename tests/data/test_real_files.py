"""Files that people really have: each is read as it is meant, or refused with the way out.

They are recordings outside the repository; without them these tests are skipped, visibly.
"""

import pytest

from plimsoll.data import (
    DataError,
    NotRecognised,
    TimeWords,
    import_file,
    read_bars,
    read_file,
    series_of,
    verify,
)

WHOLE = [
    ("binance_spot_BTCUSDT_1m_20220615_20220719.csv.zst", 50_000, 1_655_262_000_000),
    ("binance_spot_BTCUSDT_1m_20240212_20240317.csv.zst", 50_000, 1_707_706_800_000),
    ("binance_spot_BTCUSDT_1m_20241201_20241229.csv.zst", 41_761, 1_733_007_600_000),
    ("binance_spot_BTCUSDT_1m_20250301_20250401.csv.zst", 44_640, 1_740_798_000_000),
    ("binance_spot_ETHUSDT_1m_20231007_20231110.csv.zst", 50_000, 1_696_647_600_000),
    ("binance_spot_ETHUSDT_1m_20250301_20250401.csv.zst", 44_640, 1_740_798_000_000),
    ("bybit_linear_BTCUSDT_5m_20250403_20250702.csv.zst", 25_920, 1_743_699_900_000),
    ("bybit_linear_ETHUSDT_5m_20250403_20250702.csv.zst", 25_920, 1_743_699_900_000),
    ("bybit_linear_DOGEUSDT_1m_20250530_20250629.csv.zst", 43_200, 1_748_623_320_000),
]
WINDOWS = [
    "bybit_linear_AVAXUSDT_1m_200min_windows_20240908_20250907.parquet",
    "bybit_linear_LINKUSDT_1m_200min_windows_20240908_20250907.parquet",
    "bybit_linear_LTCUSDT_1m_200min_windows_20240908_20250907.parquet",
    "bybit_linear_NEARUSDT_1m_200min_windows_20240908_20250907.parquet",
    "bybit_testnet_linear_ETHUSDT_1m_200min_windows_20240908_20250907.parquet",
]
DAY = TimeWords(day="2022-12-13")
DAY_MS = 1_670_889_600_000


def series_named(name):
    parts = name.removeprefix("bybit_testnet_").removeprefix("bybit_").split("_")
    category, symbol, frame = parts[1:4] if parts[0] == "binance" else parts[:3]
    return series_of(f"{category}:{symbol}", "last", frame)


@pytest.mark.parametrize(("name", "rows", "first_ms"), WHOLE)
def test_bars_of_text_without_a_gap(shared_data, store, name, rows, first_ms):
    series = series_named(name)
    found = import_file(store, shared_data / "bars" / name, series)
    assert (found.rows, found.from_ms, found.gaps, found.dropped) == (rows, first_ms, [], [])
    stored = read_bars(store.directory, series.instrument, series.frame.word, 0, 1 << 60)
    assert sum(map(len, stored)) == rows
    assert verify(store).is_sound


def test_bars_of_text_with_two_gaps(shared_data, store):
    name = "binance_spot_BTCUSDT_1m_20210326_20210430.csv.zst"
    found = import_file(store, shared_data / "bars" / name, series_named(name))
    assert [gap.missing for gap in found.gaps] == [150, 284]
    assert verify(store).counts == {"gap": 2}


@pytest.mark.parametrize("name", WINDOWS)
def test_every_hole_between_windows_is_listed_exactly(shared_data, store, name):
    found = import_file(store, shared_data / "bars" / name, series_named(name))
    assert found.rows == 105_076
    assert [gap.missing for gap in found.gaps] == [801] * 524
    assert all(gap.to_ms - gap.from_ms == 801 * 60_000 for gap in found.gaps)
    counts = verify(store).counts
    assert counts["gap"] == 524
    assert counts.keys() <= {"gap", "zero_volume"}


@pytest.mark.parametrize(("category", "rows"), [("linear", 721), ("spot", 1440)])
def test_trade_bars_that_count_from_midnight_need_their_day(shared_data, store, category, rows):
    path = shared_data / "bars" / f"bybit_{category}_BTCUSDT_1m_trade_20221213.csv.zst"
    series = series_of(f"{category}:BTCUSDT", "last", "1m")
    with pytest.raises(NotRecognised, match="--day"):
        import_file(store, path, series)
    found = import_file(store, path, series, times=DAY)
    assert (found.rows, found.from_ms, found.gaps) == (rows, DAY_MS, [])


@pytest.mark.parametrize("category", ["linear", "spot"])
def test_quote_bars_are_refused_until_their_columns_are_named(shared_data, store, category):
    path = shared_data / "bars" / f"bybit_{category}_BTCUSDT_1m_quote_20221213.csv.zst"
    series = series_of(f"{category}:BTCUSDT", "last", "1m")
    with pytest.raises(NotRecognised, match="11 columns") as refused:
        import_file(store, path, series, times=DAY)
    assert "--columns" in refused.value.how
    bids = "time,open,high,low,close,volume,_,_,_,_,_"
    found = import_file(store, path, series, times=DAY, columns=bids)
    assert found.rows > 400


def test_rates_of_a_day(shared_data, store):
    path = shared_data / "bars/bybit_linear_BTCUSDT_funding_20221213.csv"
    found = import_file(store, path, series_of("linear:BTCUSDT", "funding", ""))
    assert (found.rows, found.from_ms, found.gaps) == (3, DAY_MS, [])


def test_a_trade_archive_of_the_venue(shared_data, store):
    name = "bybit_linear_FXSUSDT_public_trades_archive_format_20231010_15rows.csv"
    path = shared_data / "market" / name
    found = import_file(store, path, series_of("linear:FXSUSDT", "last", "1m"))
    assert found.rows == 2
    assert found.notes[-1].startswith("bars of 1m made of trades from 2023-10-10 23:58:07.492")
    with pytest.raises(DataError, match="found 'FXSUSDT'"):
        import_file(store, path, series_of("linear:BTCUSDT", "last", "1m"))


def test_a_trade_file_of_another_venue(shared_data):
    path = shared_data / "market/other_venues/binance_BTCUSDT_trades_20210108_46s.parquet"
    (rows,) = read_file(path, "1m")
    assert len(rows) == 1
