"""Recorded lines become the inputs they were, and what is wrong with one is told with its place."""

import json
import tracemalloc
from typing import Any

import pytest
from tests.data.recordings.lines import (
    BEGIN_MS,
    NS,
    archive,
    captured,
    frame,
    other_venue,
    prints,
    wandering,
    write,
)

from plimsoll.core.book import OrderBook
from plimsoll.core.records import BookChanged, PublicTraded
from plimsoll.data import DataError, FileCut, NotRecognised
from plimsoll.data.recordings import is_recording, open_file

NAMES = {"BTCUSDT": "linear:BTCUSDT"}
DELAY = 100 * NS
FRAMES = list(wandering(60))


def read(path, names=NAMES, delay_ns=DELAY):
    """Return (time, input) of everything a file says."""
    opened = open_file(path, names, delay_ns)
    found: list[Any] = []
    for ts_ns, number, make, what in opened.arrivals(7):
        assert number == 7
        record = make(what, len(found) + 1, ts_ns, 1)
        if record is not None:
            assert (record.seq, record.ts_ns) == (len(found) + 1, ts_ns)
            found.append(record)
    return found


def book_after(records):
    book = OrderBook()
    for record in records:
        if isinstance(record, BookChanged):
            assert book.apply(record) is None
    return book.depth(10)


# ---- sound files ----


@pytest.mark.parametrize("ending", ["", ".gz", ".zst", ".zip"])
def test_frames_of_an_archive_arrive_a_delay_after_the_venues_time(tmp_path, ending):
    path = write(tmp_path / f"ob.data{ending}", archive(FRAMES))
    assert is_recording(path)
    found = read(path)
    assert len(found) == len(FRAMES)
    assert found[0].ts_ns == BEGIN_MS * NS + DELAY
    assert {type(one) for one in found} == {BookChanged, PublicTraded}
    assert all(one.instrument == "linear:BTCUSDT" for one in found)


def test_a_capture_keeps_its_times_and_tells_of_the_clock(tmp_path):
    path = write(tmp_path / "x.jsonl", captured(FRAMES, late_ms=-400))
    assert read(path)[0].ts_ns == (BEGIN_MS - 400) * NS
    assert open_file(path, NAMES, DELAY).early_ns == 400 * NS
    seconds = [f"{int(one[:19]) / 1e9:.6f}: {one[20:]}" for one in captured(FRAMES)]
    assert read(write(tmp_path / "s.txt", seconds))[0].ts_ns == (BEGIN_MS + 5) * NS


def test_another_venues_streams_give_the_same_book_and_prints(tmp_path):
    ours = read(write(tmp_path / "a.jsonl", captured(FRAMES)))
    theirs = read(write(tmp_path / "b.jsonl", other_venue(FRAMES)))
    assert [type(one) for one in ours] == [type(one) for one in theirs]
    assert book_after(ours) == book_after(theirs)
    rows = [
        [one.rows for one in found if isinstance(one, PublicTraded)] for found in (ours, theirs)
    ]
    assert rows[0] == rows[1]


def test_updates_that_came_before_the_snapshot_and_are_not_in_it_are_applied(tmp_path):
    lines = other_venue([one for one in FRAMES if "orderbook" in one["topic"]])
    first = json.loads(lines[0].partition(" ")[2])
    late = [*lines[1:4], f"{lines[3][:19]} {json.dumps(first)}", *lines[4:]]
    whole = read(write(tmp_path / "whole.jsonl", lines))
    assert book_after(read(write(tmp_path / "late.jsonl", late))) == book_after(whole)


def test_of_several_depths_the_one_that_is_traded_on_is_read(tmp_path):
    best = [
        frame("snapshot", [(50_000.0, 1)], [(50_000.1, 1)], n, BEGIN_MS, depth=1) for n in (1, 9)
    ]
    found = read(write(tmp_path / "x", archive([*best, *FRAMES])))
    assert len(found) == len(FRAMES)
    deep = [one | {"topic": "orderbook.500.BTCUSDT"} for one in FRAMES if "book" in one["topic"]]
    assert {one.depth for one in read(write(tmp_path / "y", archive(deep)))} == {50}


def test_an_archive_without_the_matching_time_has_that_of_its_frames(tmp_path):
    old = [{key: value for key, value in one.items() if key != "cts"} for one in FRAMES]
    assert read(write(tmp_path / "x", archive(old)))[0].venue_ms == BEGIN_MS


def test_answers_to_requests_say_nothing(tmp_path):
    answer = '{"success":true,"op":"subscribe"}'
    assert len(read(write(tmp_path / "x", [answer, *archive(FRAMES), ""]))) == len(FRAMES)


CONTRACT = "timestamp,symbol,side,size,price,tickDirection"
SPOT = "id,timestamp,price,volume,side,rpi"


def test_trade_archives_of_both_kinds(tmp_path):
    contract = [CONTRACT, "1750000020.5,BTCUSDT,Sell,0.5,50000.1,PlusTick"]
    spot = [SPOT, "1,1750000020500,50000.1,0.5,sell,0"]
    for name, lines in (("a.csv", contract), ("b.csv.gz", spot)):
        (one,) = read(write(tmp_path / name, lines))
        assert one.rows == [(50_000.1, 0.5, False, 1_750_000_020_500)]
        assert one.ts_ns == 1_750_000_020_500 * NS + DELAY
        assert not is_recording(tmp_path / name)  # alone they become bars


def test_polls_are_snapshots_and_other_symbols_are_passed_over(tmp_path):
    levels = "\"[[['62918.1', '1.2'], ['62917.6', '0.1']], [['62918.8', '0.3']]]\""
    lines = [
        f"both,BTCUSDT,1719823044587.15,1719823044454,{levels}",
        f"both,ETHUSDT,1719823044687.15,1719823044554,{levels}",
        f"ask,BTCUSDT,1719823044787.15,1719823044554,{levels}",
    ]
    (one,) = read(write(tmp_path / "polls.csv", lines))
    assert one.is_snapshot
    assert one.bids[0] == (62_918.1, 1.2)


# ---- unsound ones ----


def spoiled(change):
    lines = archive([one for one in FRAMES if "orderbook" in one["topic"]])
    change(lines)
    return lines


def test_a_gap_a_repeat_and_a_lost_beginning_are_told_with_their_line(tmp_path):
    def refused(change, words, kind=DataError):
        path = write(tmp_path / "x", spoiled(change))
        with pytest.raises(kind) as caught:
            read(path)
        assert words in caught.value.what
        assert caught.value.how
        return caught.value.where.removeprefix(f"{path}:")

    assert (
        refused(lambda rows: rows.pop(5), "expected the update after 5, found one that fo") == "6"
    )
    assert refused(lambda rows: rows.insert(5, rows[4]), "above 5, found 5 (again") == "6"
    assert refused(lambda rows: rows.pop(0), "expected a snapshot of the book first") == "1"
    assert refused(lambda rows: rows.insert(9, rows.pop(3)), "the update after 3") == "4"
    early = f"no time before {(BEGIN_MS + 100) / 1e3 + 0.1:.6f}, found "
    again = frame("snapshot", [(1.0, 1)], [(2.0, 1)], 9, BEGIN_MS)
    assert refused(lambda rows: rows.insert(3, json.dumps(again)), early) == "4"
    assert refused(lambda rows: rows.append(rows[-1][:40]), "half of one", FileCut) == "62"
    assert refused(lambda rows: rows.append("nonsense"), "found 'nonsense'") == "62"


@pytest.mark.parametrize(
    ("levels", "words"),
    [([["nan", "1"]], "NaN"), ([["1", "inf"]], ""), ([["-1", "1"]], ""), ([["x", "1"]], "")],
)
def test_numbers_that_are_none_are_told(tmp_path, levels, words):
    bad = frame("delta", [], [], 2, BEGIN_MS + 50)
    bad["data"]["b"] = levels
    path = write(tmp_path / "x", archive([FRAMES[0], bad]))
    with pytest.raises(DataError) as caught:
        read(path)
    assert caught.value.where == f"{path}:2"
    theirs = other_venue([FRAMES[0], frame("delta", [], [], 2, BEGIN_MS + 50)])
    theirs[1] = theirs[1].replace('"b": []', f'"b": {json.dumps(levels)}')
    with pytest.raises(DataError) as caught:
        read(write(tmp_path / "y", theirs))
    assert caught.value.where.endswith("y:2")


def test_a_symbol_nobody_named_is_refused(tmp_path):
    mixed = [*FRAMES[:5], prints(2_000.0, 1.0, "Buy", BEGIN_MS + 900, "ETHUSDT")]
    for name, lines in (("x", archive(mixed)), ("y", other_venue(FRAMES[:3], "ETHUSDT")[1:])):
        with pytest.raises(NotRecognised) as caught:
            read(write(tmp_path / name, lines))
        assert "expected BTCUSDT, found 'ETHUSDT'" in caught.value.what
        assert "--instruments" in caught.value.how


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("1750000020.4,BTCUSDT,Sell,0.5,50000.1", "no time before"),
        ("1750000021,ETHUSDT,Sell,0.5,50000.1", "rows of BTCUSDT alone, found 'ETHUSDT'"),
        ("1750000021,BTCUSDT,Both,0.5,50000.1", "Buy or Sell, found 'Both'"),
        ("1750000021,BTCUSDT,Sell,0.5,nan", "a price above 0, found 'nan'"),
        ("1750000021,BTCUSDT,Sell,-2,50000.1", "a quantity above 0, found '-2'"),
        ("x,BTCUSDT,Sell,2,50000.1", "a time, found 'x'"),
        ("1750000021,BTCUSDT,Sell", "5 cells, found 3"),
    ],
)
def test_a_bad_row_of_a_trade_archive_is_told(tmp_path, row, words):
    header = "timestamp,symbol,side,size,price"
    lines = [header, "1750000020.5,BTCUSDT,Sell,0.5,50000.1", row]
    path = write(tmp_path / "x.csv", lines)
    with pytest.raises(DataError) as caught:
        read(path)
    assert words in caught.value.what
    assert caught.value.where == f"{path}:3"


def test_times_in_front_must_be_nanoseconds_and_in_order(tmp_path):
    lines = captured(FRAMES[:4])
    for bad in (f"17500 {lines[3][20:]}", lines[0], f"x{lines[3]}"):
        with pytest.raises(DataError) as caught:
            read(write(tmp_path / "x", [*lines[:3], bad]))
        assert caught.value.where.endswith("x:4")


def test_packed_files_that_are_cut_are_told(tmp_path):
    for ending in (".gz", ".zst", ".zip"):
        path = write(tmp_path / f"x{ending}", archive(list(wandering(3_000))))
        path.write_bytes(path.read_bytes()[:-200])
        with pytest.raises(DataError) as caught:
            read(path)
        assert "cut short" in caught.value.what


def test_what_is_no_recording_is_told(tmp_path):
    assert not is_recording(
        write(tmp_path / "bars.csv", ["timestamp,open,high,low,close", "1,2,3"])
    )
    with pytest.raises(NotRecognised):
        open_file(tmp_path / "bars.csv", NAMES, 0)
    with pytest.raises(NotRecognised, match="another protocol"):
        is_recording(write(tmp_path / "old", ["wss://x <- 1.0: {}"]))
    with pytest.raises(DataError, match="cannot be read"):
        is_recording(tmp_path / "none")


def test_memory_does_not_grow_with_the_file(tmp_path):
    path = write(tmp_path / "x.zst", archive(list(wandering(4_000))))
    opened = open_file(path, NAMES, 0)
    tracemalloc.start()
    early = 0
    for count, (ts_ns, _, make, what) in enumerate(opened.arrivals(0)):
        make(what, 1, ts_ns, 1)
        if count == 500:
            tracemalloc.reset_peak()
            early = tracemalloc.get_traced_memory()[0]
    grown = tracemalloc.get_traced_memory()[1] - early
    tracemalloc.stop()
    assert grown < 4_000_000
