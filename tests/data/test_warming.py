"""Stored minutes read in a process of their own: what there is, and why nothing is."""

from array import array

import pytest
from tests.data.conftest import DAY_MS, MINUTE_MS, MINUTES, bars

from plimsoll.core.model import Instrument
from plimsoll.data import Filters, import_file
from plimsoll.data.warming import Wanted, is_sound, kept, read

BTC, ETH = "linear:BTCUSDT", "linear:ETHUSDT"


def rows_of(one) -> list[tuple[float, ...]]:
    numbers = array("d")
    numbers.frombytes(one.rows)
    return [tuple(numbers[at : at + 6]) for at in range(0, len(numbers), 6)]


def test_the_minutes_of_a_span_are_read_by_another_process(store, given):
    import_file(store, given(bars(100)), MINUTES)
    found = kept(store.directory, {BTC: DAY_MS + 90 * MINUTE_MS, ETH: 0})
    assert list(found) == [BTC], "of what has no file nobody asks"
    rows = rows_of(found[BTC])
    assert len(rows) == 10
    assert rows[0] == (DAY_MS + 90 * MINUTE_MS, 106.0, 107.0, 105.0, 106.5, 2.0)
    assert (found[BTC].environment, found[BTC].unsound, found[BTC].why) == ("", 0, "")


def test_nothing_is_started_where_nothing_is_stored(tmp_path, monkeypatch):
    monkeypatch.setattr("subprocess.run", None)
    assert kept(tmp_path / "none", {BTC: 0, "perpetual/btc": 0}) == {}


def test_the_environment_is_that_of_the_filters(store, given):
    import_file(store, given(bars(10)), MINUTES)
    listed = Instrument(
        name=BTC, category="linear", symbol="BTCUSDT", base="BTC", quote="USDT", settle="USDT",
        tick_size="0.1", lot_size="0.001", min_qty="0.001", max_qty="100", max_market_qty="100",
        min_notional="5",
    )  # fmt: skip
    store.keep_filters(Filters("mainnet", DAY_MS, listed))
    assert read(Wanted(str(store.directory), {BTC: 0}))[BTC].environment == "mainnet"


def test_a_file_that_is_cut_and_a_process_that_fails_are_told(store, given, monkeypatch):
    import_file(store, given(bars(10)), MINUTES)
    (file,) = store.files(MINUTES)
    whole = file.read_bytes()
    file.write_bytes(whole[:-20])
    found = kept(store.directory, {BTC: 0})[BTC]
    assert (found.rows, "whole Parquet file" in found.why) == (b"", True)
    file.write_bytes(whole)
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    assert kept(store.directory, {BTC: 0})[BTC].why.startswith("it cannot be read: ")


@pytest.mark.parametrize(
    ("row", "is_one"),
    [
        ((60_000, 2.0, 3.0, 1.0, 2.5, 0.0), True),
        ((60_000, 2.0, 2.0, 2.0, 2.0, 1.0), True),
        ((60_001, 2.0, 3.0, 1.0, 2.5, 1.0), False),
        ((60_000, 2.0, 3.0, 2.1, 2.5, 1.0), False),
        ((60_000, 2.0, 2.4, 1.0, 2.5, 1.0), False),
        ((60_000, 2.0, 3.0, 0.0, 2.5, 1.0), False),
        ((60_000, 2.0, 3.0, 1.0, float("nan"), 1.0), False),
        ((60_000, 2.0, float("inf"), 1.0, 2.5, 1.0), False),
        ((60_000, 2.0, 3.0, 1.0, 2.5, -1.0), False),
    ],
)
def test_a_minute_that_makes_no_sense_is_none(row, is_one):
    assert is_sound(row) is is_one
