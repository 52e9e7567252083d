"""Each benchmark runs at its smallest and gives its table. How fast is not a test's business."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from benchmarks import (
    backtest_bars,
    backtest_quotes,
    bar_reading,
    decode_book,
    gate_check,
    halting,
    indicators,
    journal_append,
    log_and_risk,
    paper_and_backtest,
    quality,
    real_input,
    restart,
    simulator_throughput,
    startup,
    why,
    world_speed,
)
from benchmarks.report import Result, Size
from benchmarks.tick_to_order import contest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("module", "row", "ratio"),
    [
        (bar_reading, "import, csv", "store"),
        (decode_book, "ours, decode and book", "decode and book"),
        (journal_append, "paced, journal append", "paced, to os.write"),
        (log_and_risk, "log and risk", "log and risk, to the bare loop"),
        (gate_check, "around", "around to notional"),
        (indicators, "Bollinger 20", "Bollinger 20 to talipp"),
        (halting, "halt command to first cancel at the venue", None),
        (contest, "median of rounds, ours", "p50"),
        (startup, "engine, start to first book", None),
        (restart, "live: an order leaves", "live, to 5 s"),  # refuses a lost order or a block
        (simulator_throughput, "subscribers: 10", None),
        (quality, "562 entries", "memory, twice the log to once"),
        (why, "why, index up to date", "to a scan"),
        (world_speed, "a turn in four", None),
        (backtest_bars, "the core: gate, ledger, statistics", "plain loop / core"),
        (backtest_quotes, "the core, best prices", "plain loop / core"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_benchmark_gives_its_table(module, row, ratio):
    result: Result = module.measure(Size.TINY)
    assert all(figure > 0 for figure in result.rows[row])
    assert all(len(figures) == len(result.columns) for figures in result.rows.values())
    assert ratio is None or result.ratios[ratio] > 0
    assert row in result.text()


@pytest.mark.parametrize(
    ("module", "start"),
    [
        (real_input, "funding_carry, spot and perpetual 1m"),
        (paper_and_backtest, "perpetual, quoter"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_benchmark_on_recordings_gives_its_table(module, start, shared_data, monkeypatch):
    monkeypatch.setenv("PLIMSOLL_DATA", str(shared_data))
    result = module.measure(Size.TINY)
    assert any(row.startswith(start) for row in result.rows)
    assert all(len(figures) == len(result.columns) for figures in result.rows.values())


@pytest.mark.parametrize("module", [real_input, paper_and_backtest])
def test_without_recordings_it_says_how_to_name_them(module, tmp_path, monkeypatch):
    monkeypatch.setenv("PLIMSOLL_DATA", str(tmp_path))
    with pytest.raises(SystemExit, match="PLIMSOLL_DATA=DIRECTORY names one"):
        module.measure(Size.TINY)


def test_every_order_of_both_clients_arrives():
    result = contest.measure(Size.TINY)
    assert result.notes == ("orders that did not arrive: 0",)


def test_report_is_one_json_object_that_names_the_machine():
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.decode_book", "--tiny", "--json"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        timeout=60,
    )
    report = json.loads(done.stdout)
    assert {"python", "processor", "load", "msgspec"} <= report["machine"].keys()
    assert report["results"][0]["rows"]
