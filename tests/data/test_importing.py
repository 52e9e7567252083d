"""Imports: forms that are taken, rows that refuse a file, and that nothing is half done."""

import pytest
from tests.data.conftest import DAY_MS, HEADER, MINUTE_MS, MINUTES, bar, bars

from plimsoll.data import (
    BadRows,
    DataError,
    Fault,
    FileCut,
    NotRecognised,
    Overlaps,
    TimeWords,
    drops_of,
    import_file,
    read_bars,
    series_of,
)
from plimsoll.data.database import database, literal


def stored(store, series=MINUTES):
    rows = read_bars(store.directory, series.instrument, series.frame.word, 0, 1 << 60, series.kind)
    return [row for chunk in rows for row in chunk]


def is_untouched(store) -> bool:
    return not list(store.directory.rglob("*.parquet")) and not list(
        store.directory.rglob("*.part")
    )


@pytest.mark.parametrize("name", ["bars.csv", "bars.csv.gz", "bars.csv.zst", "it's [1].csv"])
def test_rows_are_stored_as_they_were_given(store, given, name):
    found = import_file(store, given(bars(100), name), MINUTES)
    assert (found.rows, found.merged.added, found.gaps) == (100, 100, [])
    rows = stored(store)
    assert rows[0] == (DAY_MS, 100.0, 101.0, 99.0, 100.5, 2.0)
    assert [row[0] for row in rows] == [DAY_MS + place * MINUTE_MS for place in range(100)]


def test_quotes_spaces_other_delimiters_and_blank_lines(store, given):
    rows = [bar(DAY_MS), "", bar(DAY_MS + MINUTE_MS), "", ""]
    text = "\n".join(["", HEADER, *rows]).replace(",", ' ;"').replace(";", '";')
    assert import_file(store, given(text.encode()), MINUTES).rows == 2


@pytest.mark.parametrize("kind", ["TIMESTAMP", "TIMESTAMPTZ", "TIMESTAMP_NS", "BIGINT", "VARCHAR"])
def test_parquet_with_times_of_every_type(store, tmp_path, kind):
    path = tmp_path / "bars.parquet"
    time = f"make_timestamp_ms({DAY_MS} + i * {MINUTE_MS})::{kind}"
    if kind == "BIGINT":
        time = f"({DAY_MS} + i * {MINUTE_MS}) * 1000000"
    with database() as (connection, _):
        connection.execute(
            f"COPY (SELECT {time} AS ts, 1.0 AS open, 2.0 AS high, 0.5 AS low, 1.5 AS close, "
            f"3 AS volume FROM range(10) AS r(i)) TO {literal(path)} (FORMAT parquet)"
        )
    found = import_file(store, path, MINUTES)
    assert (found.rows, found.from_ms, found.to_ms) == (10, DAY_MS, DAY_MS + 9 * MINUTE_MS)
    assert stored(store)[3] == (DAY_MS + 3 * MINUTE_MS, 1.0, 2.0, 0.5, 1.5, 3.0)


@pytest.mark.parametrize("late_ms", [MINUTE_MS, MINUTE_MS - 1])
def test_closing_times_become_the_beginnings_of_their_bars_and_it_is_told(store, given, late_ms):
    rows = [bar(DAY_MS + late_ms), bar(DAY_MS + late_ms + MINUTE_MS)]
    header = HEADER.replace("timestamp", "close_time")
    found = import_file(store, given(rows, header=header), MINUTES)
    assert (found.from_ms, found.to_ms) == (DAY_MS, DAY_MS + MINUTE_MS)
    assert "of the end of each bar" in found.notes[1]


def test_the_venue_s_archive_of_klines(store, given):
    rows = ["2024.01.01 00:00,1,2,0.5,1.5,9", "2024.01.01 00:01,1,2,0.5,1.5,9"]
    found = import_file(store, given(rows, "BTCUSDT_1_2024-01.csv.gz", header=""), MINUTES)
    assert (found.from_ms, found.to_ms) == (DAY_MS, DAY_MS + MINUTE_MS)
    assert "taken as UTC" in found.notes[1]


def test_weeks_begin_on_monday(store, given):
    weeks = series_of("linear:BTCUSDT", "last", "1w")
    assert import_file(store, given([bar(DAY_MS)]), weeks).rows == 1  # 2024-01-01 was one
    with pytest.raises(BadRows, match="1 frame"):
        import_file(store, given([bar(DAY_MS + 86_400_000)]), weeks)


def test_gaps_are_listed_exactly(store, given):
    rows = [*bars(10), *bars(5, DAY_MS + 12 * MINUTE_MS)]
    (gap,) = import_file(store, given(rows), MINUTES).gaps
    assert (gap.from_ms, gap.to_ms, gap.missing) == (
        DAY_MS + 10 * MINUTE_MS,
        DAY_MS + 12 * MINUTE_MS,
        2,
    )


# ---- bad rows --------------------------------------------------------------------------------

AT = DAY_MS + 5 * MINUTE_MS
BAD = [
    (f"{AT},100,101,99,100.5,2", Fault.CUT),
    (f"{AT},100,101,99,100.5,2,200,7", Fault.CUT),
    ("soon,100,101,99,100.5,2,200", Fault.TIME),
    (f"{AT // 1000},100,101,99,100.5,2,200", Fault.TIME),
    (f"{AT},100,101,99,nan,2,200", Fault.NUMBER),
    (f"{AT},100,inf,99,100,2,200", Fault.NUMBER),
    (f"{AT},100,101,99,,2,200", Fault.NUMBER),
    (f"{AT},100,101,99,x,2,200", Fault.NUMBER),
    (f"{AT},100,101,99,100,NaN,200", Fault.NUMBER),
    (f"{AT},0,101,0,100,2,200", Fault.PRICE),
    (f"{AT},100,101,-99,100,2,200", Fault.PRICE),
    (f"{AT},100,99,98,97,2,200", Fault.RANGE),
    (f"{AT},100,101,100.5,101,2,200", Fault.RANGE),
    (f"{AT},100,101,99,100.5,-2,200", Fault.VOLUME),
    (f"{AT},100,101,99,100.5,2,-200", Fault.VOLUME),
    (f"{AT + 1},100,101,99,100.5,2,200", Fault.FRAME),
    (f"{DAY_MS},100,101,99,100.5,2,200", Fault.DUPLICATE),
    (f"{DAY_MS - MINUTE_MS},100,101,99,100.5,2,200", Fault.ORDER),
]


@pytest.mark.parametrize(("row", "fault"), BAD)
def test_a_bad_row_refuses_the_whole_file_and_is_explained(store, given, row, fault):
    rows = [*bars(5), row, *bars(5, DAY_MS + 6 * MINUTE_MS)]
    path = given(rows)
    with pytest.raises(BadRows) as refused:
        import_file(store, path, MINUTES)
    assert refused.value.counts == {fault: 1}
    (finding,) = refused.value.findings
    assert (finding.fault, finding.where, finding.value) == (fault, f"{path}:7", row)
    assert finding.why
    assert finding.how
    assert f"--drop-bad {fault}" in refused.value.how
    assert is_untouched(store)


@pytest.mark.parametrize(("row", "fault"), BAD)
def test_a_bad_row_that_was_named_is_left_out_and_told(store, given, row, fault):
    rows = [*bars(5), row, *bars(5, DAY_MS + 6 * MINUTE_MS)]
    found = import_file(store, given(rows), MINUTES, drop=drops_of(str(fault)))
    assert found.rows == 10
    assert [(one.fault, one.row, one.value) for one in found.dropped] == [(fault, 7, row)]


def test_naming_one_fault_excuses_no_other(store, given):
    rows = [*bars(3), bar(DAY_MS), bar(AT, price=-5)]
    with pytest.raises(BadRows) as refused:
        import_file(store, given(rows), MINUTES, drop={Fault.DUPLICATE})
    assert refused.value.counts == {"price": 1}
    assert is_untouched(store)


def test_many_bad_rows_are_all_counted_and_a_hundred_shown(store, given):
    rows = [bar(DAY_MS + place * MINUTE_MS, price=-1) for place in range(250)]
    with pytest.raises(BadRows, match="250 price") as refused:
        import_file(store, given(rows), MINUTES)
    assert [one.row for one in refused.value.findings] == list(range(2, 102))


def test_lines_are_counted_as_an_editor_counts_them(store, given):
    rows = ["", *bars(60_000), "", bar(AT, price=-1)]
    with pytest.raises(BadRows) as refused:
        import_file(store, given(rows), MINUTES)
    assert [one.row for one in refused.value.findings] == [60_004]


def test_rows_that_are_newest_first_need_a_word(store, given):
    path = given(bars(10)[::-1])
    with pytest.raises(BadRows, match="9 order"):
        import_file(store, path, MINUTES)
    assert import_file(store, path, MINUTES, is_sorting=True).rows == 10
    times = [row[0] for row in stored(store)]
    assert times == sorted(times)


def test_sorting_hides_no_duplicate(store, given):
    path = given([*bars(10)[::-1], bar(DAY_MS)])
    with pytest.raises(BadRows, match="1 duplicate"):
        import_file(store, path, MINUTES, is_sorting=True)


def test_times_that_need_a_word_are_refused_without_it(store, given):
    rows = [bar(place * MINUTE_MS) for place in range(3)]
    with pytest.raises(NotRecognised, match="--day"):
        import_file(store, given(rows, header=""), MINUTES)
    times = TimeWords(day="2024-01-01")
    assert import_file(store, given(rows, header=""), MINUTES, times=times).from_ms == DAY_MS


def test_a_plain_file_cut_in_its_last_row(store, given):
    raw = (HEADER + "\n" + "\n".join(bars(10))).encode()
    with pytest.raises(BadRows, match="1 cut"):
        import_file(store, given(raw[:-12]), MINUTES)
    found = import_file(store, given(raw[:-2]), MINUTES)  # inside its last number: only told
    assert "last line has no newline" in found.notes[-1]


def test_a_parquet_file_that_is_cut(store, tmp_path, given):
    whole = given(bars(100))
    import_file(store, whole, MINUTES)
    (file,) = store.files(MINUTES)
    raw = file.read_bytes()
    for size in (4, len(raw) // 2, len(raw) - 1):
        path = tmp_path / "cut.parquet"
        path.write_bytes(raw[:size])
        with pytest.raises(FileCut):
            import_file(store, path, MINUTES)


# ---- rows that are stored already ------------------------------------------------------------


def test_the_same_file_twice_changes_nothing(store, given):
    path = given(bars(10))
    import_file(store, path, MINUTES)
    (file,) = store.files(MINUTES)
    before = file.stat().st_mtime_ns, file.read_bytes()
    again = import_file(store, path, MINUTES).merged
    assert (again.added, again.known, again.replaced) == (0, 10, 0)
    assert (file.stat().st_mtime_ns, file.read_bytes()) == before


def test_other_values_for_a_stored_time_are_refused_in_every_month(store, given):
    december = DAY_MS - 5 * MINUTE_MS
    import_file(store, given(bars(10)), MINUTES)
    other = [*bars(5, december), bar(DAY_MS, price=50.0), bar(DAY_MS + 20 * MINUTE_MS)]
    with pytest.raises(Overlaps, match=r"2024-01-01 00:00 open 100.0 -> 50.0") as refused:
        import_file(store, given(other), MINUTES)
    assert "--replace" in refused.value.how
    assert len(stored(store)) == 10  # nothing of December either
    done = import_file(store, given(other), MINUTES, is_replacing=True).merged
    assert (done.added, done.known, done.replaced) == (6, 0, 1)
    assert {row[0]: row[1] for row in stored(store)}[DAY_MS] == 50.0


def test_an_unknown_turnover_contradicts_nothing(store, given):
    import_file(store, given(bars(10)), MINUTES)
    plain = [row.rpartition(",")[0] for row in bars(12)]
    header = HEADER.rpartition(",")[0]
    done = import_file(store, given(plain, header=header), MINUTES).merged
    assert (done.added, done.known) == (2, 10)


# ---- trades and rates ------------------------------------------------------------------------

TRADES = "timestamp,symbol,side,size,price,tickDirection"


def test_bars_are_made_of_trades_in_either_order(store, given):
    at_s = DAY_MS // 1000
    rows = [
        f"{at_s}.1,BTCUSDT,Buy,1,100,Plus",
        f"{at_s}.1,BTCUSDT,Sell,2,105,Plus",
        f"{at_s}.2,BTCUSDT,Sell,3,95,Minus",
        f"{at_s + 59}.9999,BTCUSDT,Buy,4,101,Plus",
        f"{at_s + 180},BTCUSDT,Buy,5,102,Plus",
    ]
    found = import_file(store, given(rows, header=TRADES), MINUTES)
    assert (found.rows, [gap.missing for gap in found.gaps]) == (2, [2])
    assert "made of trades from 2024-01-01 00:00:00.100" in found.notes[-1]
    first = (DAY_MS, 100.0, 105.0, 95.0, 101.0, 10.0)
    assert stored(store) == [first, (DAY_MS + 3 * MINUTE_MS, 102.0, 102.0, 102.0, 102.0, 5.0)]
    again = import_file(store, given(rows[::-1], header=TRADES), MINUTES).merged
    assert (again.added, again.known) == (0, 2)


def test_the_spot_archive_calls_its_size_volume(store, given):
    rows = [f"1,{DAY_MS},100,2,buy", f"2,{DAY_MS + 5},101,3,sell"]
    spot = series_of("spot:BTCUSDT", "last", "1m")
    import_file(store, given(rows, header="id,timestamp,price,volume,side"), spot)
    assert stored(store, spot) == [(DAY_MS, 100.0, 101.0, 100.0, 101.0, 5.0)]


@pytest.mark.parametrize(
    ("row", "fault"),
    [("{at},BTCUSDT,Buy,1,0,x", "price"), ("{at},BTCUSDT,Buy,-1,5,x", "volume"), ("{at}", "cut")],
)
def test_a_bad_trade_refuses_the_archive(store, given, row, fault):
    good = f"{DAY_MS // 1000},BTCUSDT,Buy,1,100,x"
    path = given([good, row.format(at=DAY_MS // 1000 + 1)], header=TRADES)
    with pytest.raises(BadRows, match=f"1 {fault}"):
        import_file(store, path, MINUTES)


def test_another_symbol_and_longer_bars_than_an_archive(store, given):
    path = given([f"{DAY_MS // 1000},ETHUSDT,Buy,1,100,x"], header=TRADES)
    with pytest.raises(DataError, match=r"bars.csv:2: expected rows of BTCUSDT, found 'ETHUSDT'"):
        import_file(store, path, MINUTES)
    weeks = series_of("linear:ETHUSDT", "last", "1w")
    with pytest.raises(NotRecognised, match="single days"):
        import_file(store, path, weeks)


def test_rates_and_their_gaps(store, given):
    hours = 3_600_000
    funding = series_of("linear:BTCUSDT", "funding", "")
    rows = [f"{DAY_MS + at * 8 * hours},-0.0001" for at in (0, 1, 4)]
    found = import_file(store, given(rows, header=""), funding)
    assert found.rows == 3
    assert [gap.missing for gap in found.gaps] == [2]
    with pytest.raises(BadRows, match="1 number"):
        import_file(store, given([f"{DAY_MS},much"], header="time,rate"), funding)


def test_words_of_drop_bad():
    assert drops_of(" cut , duplicate") == {Fault.CUT, Fault.DUPLICATE}
    assert drops_of("") == frozenset()
    with pytest.raises(DataError, match="gap"):
        drops_of("gap")
