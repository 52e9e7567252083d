"""``backtest`` over recorded books and prints: a report, or words that say why not."""

import json

import pytest
from tests.data.recordings.lines import (
    BEGIN_MS,
    archive,
    captured,
    frame,
    other_venue,
    wandering,
    write,
)
from tests.data.recordings.test_logs import session

from plimsoll.cli.exits import Exit
from plimsoll.cli.main import main

STRATEGY = """
from plimsoll.core.strategy import Strategy


class Maker(Strategy):
    def on_book(self, market):
        middle = market.book.mid
        self.quote(market.instrument.name, [(middle - 0.3, 0.01)], [(middle + 0.3, 0.01)])


class Minutes(Strategy):
    bars = {"1m": 3}

    def on_bar(self, bar):
        self.target(bar.instrument, 0.01 if bar.close > bar.open else -0.01)
"""

PERP = ("--instruments", "linear:BTCUSDT")


@pytest.fixture(scope="module")
def given(tmp_path_factory):
    """A directory with strategies and the same market in every form."""
    tmp_path = tmp_path_factory.mktemp("desk")
    (tmp_path / "mine.py").write_text(STRATEGY)
    frames = list(wandering(400))
    write(tmp_path / "ob.data.zip", archive([one for one in frames if "book" in one["topic"]]))
    write(tmp_path / "capture.jsonl.zst", captured(frames))
    write(tmp_path / "late.jsonl", captured(frames, late_ms=-900))
    write(tmp_path / "other.jsonl.gz", other_venue(frames))
    write(tmp_path / "gap.jsonl", archive(frames[:9] + frames[12:]))
    write(tmp_path / "eth.jsonl", captured(list(wandering(400, symbol="ETHUSDT", price=2_000.0))))
    tape = ["timestamp,symbol,side,size,price"]
    for one in frames:
        if "Trade" in one["topic"]:
            row = one["data"][0]
            tape.append(f"{row['T'] / 1e3},BTCUSDT,{row['S']},{row['v']},{row['p']}")
    write(tmp_path / "prints.csv.gz", tape)
    return tmp_path


@pytest.fixture
def desk(given, monkeypatch):
    monkeypatch.chdir(given)
    return given


def run(capsys, *words, code=Exit.DONE):
    assert main(["backtest", "mine.py:Maker", *words, "--json", "--out", ""]) == code
    out, error = capsys.readouterr()
    if code != Exit.DONE:
        return error
    return json.loads(out)["backtest"]["results"]


def test_a_capture_an_archive_with_its_prints_and_another_venues_give_a_report(desk, capsys):
    found = {
        data: run(capsys, *PERP, "--data", data)
        for data in ("capture.jsonl.zst", "other.jsonl.gz", "ob.data.zip,prints.csv.gz")
    }
    for results in found.values():
        (owner,) = results["owners"]
        assert owner["fills_total"] > 10
        assert owner["execution"]["maker_share"] > 0.5
        assert 0 <= owner["execution"]["rule_share"] <= 1
        assert "behind all that stood there" in results["assumptions"]["queue"]
        assert any("no mark price" in one for one in results["warnings"])
    one, other, _ = (results["owners"][0]["final_equity"] for results in found.values())
    assert one == other


def test_the_page_and_the_text_are_written_and_the_hash_is_the_same(desk, capsys):
    words = ("backtest", "mine.py:Maker", *PERP, "--data", "capture.jsonl.zst")
    for _ in range(2):
        assert main([*words]) == Exit.DONE
    assert "rule share" in capsys.readouterr().out
    page, document = sorted(desk.glob("backtests/*"))  # twice the same names
    assert page.suffix == ".html"
    assert json.loads(document.read_text())["events"] > 500


def test_several_instruments_each_with_its_file(desk, capsys):
    names = ("--instruments", "linear:BTCUSDT,linear:ETHUSDT")
    results = run(capsys, *names, "--data", "capture.jsonl.zst,eth.jsonl")
    assert [one["instrument"] for one in results["prices"]] == names[1].split(",")
    assert {row["instrument"] for row in results["owners"][0]["fills"]} == set(names[1].split(","))


def test_a_recorders_clock_that_is_behind_is_told(desk, capsys):
    results = run(capsys, *PERP, "--data", "late.jsonl")
    assert any("0.900 s behind the venue's" in one for one in results["warnings"])


def test_from_and_until_cut_the_run_but_not_the_book(desk, capsys):
    whole = run(capsys, *PERP, "--data", "capture.jsonl.zst")
    since, until = "2025-06-15T15:07:05", "2025-06-15T15:07:15"
    part = run(capsys, *PERP, "--data", "capture.jsonl.zst", "--from", since, "--until", until)
    assert 0 < part["owners"][0]["fills_total"] < whole["owners"][0]["fills_total"]
    assert 100 < part["events"] < whole["events"]


def test_a_journal_is_data_too(desk, capsys):
    session(desk / "var" / "journal", 1, 0, archive(list(wandering(200))))
    results = run(capsys, *PERP, "--data", "var")
    assert results["owners"][0]["execution"]["orders"] > 0
    assert any("filters and fees are those of the recorded" in one for one in results["warnings"])


def test_minutes_are_made_where_a_strategy_wants_them(desk, capsys):
    write(desk / "long.jsonl", captured(list(wandering(2_000, step_ms=200))))
    words = ("backtest", "mine.py:Minutes", *PERP, "--data", "long.jsonl", "--json", "--out", "")
    assert main([*words]) == Exit.DONE
    results = json.loads(capsys.readouterr().out)["backtest"]["results"]
    assert "made of prints" in results["assumptions"]["minutes"]
    assert results["owners"][0]["fills_total"] > 1


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        ((*PERP, "--data", "gap.jsonl"), Exit.CONFIGURATION, "messages are missing"),
        ((*PERP, "--data", "eth.jsonl"), Exit.CONFIGURATION, "found 'ETHUSDT'"),
        ((*PERP, "--data", "capture.jsonl.zst,bars.csv"), Exit.CONFIGURATION, "none of these"),
        ((*PERP, "--data", "capture.jsonl.zst,none"), Exit.CONFIGURATION, "cannot be read"),
        ((*PERP, "--data", "prints.csv.gz,empty"), Exit.CONFIGURATION, "one journal, found none"),
        ((*PERP, "--data", "spot:BTCUSDT=capture.jsonl.zst"), Exit.USAGE, "--data names spot"),
        (
            ("--instruments", "linear:BTCUSDT,spot:BTCUSDT", "--data", "capture.jsonl.zst"),
            Exit.USAGE,
            "may be of linear:BTCUSDT or of spot:BTCUSDT",
        ),
        (
            ("--instruments", "linear:BTCUSDT,linear:ETHUSDT", "--data", "capture.jsonl.zst"),
            Exit.CONFIGURATION,
            "linear:ETHUSDT: no recorded book",
        ),
        (
            (*PERP, "--data", "capture.jsonl.zst", "--until", "2020-01-01"),
            Exit.CONFIGURATION,
            "there are no inputs",
        ),
        (
            (*PERP, "--data", "capture.jsonl.zst,linear:BTCUSDT=./capture.jsonl.zst"),
            Exit.USAGE,
            "names capture.jsonl.zst twice",
        ),
        ((*PERP, "--data", "capture.jsonl.zst", "--intrabar", "1m"), Exit.USAGE, "is for bars"),
        ((*PERP, "--data", "capture.jsonl.zst", "--bars", "5m"), Exit.USAGE, "is for bars"),
    ],
)
def test_what_cannot_be_is_explained(desk, capsys, words, code, told):
    write(desk / "bars.csv", ["timestamp,open,high,low,close,volume", "1,1,1,1,1,1"])
    (desk / "empty").mkdir(exist_ok=True)
    error = run(capsys, *words, code=code)
    assert told in error
    assert "Traceback" not in error


def test_a_sweep_runs_over_recordings(desk, capsys):
    words = ("sweep", "mine.py:Minutes", *PERP, "--data", "capture.jsonl.zst", "--json")
    assert main([*words, "--grid", "x=1|2", "--workers", "1"]) != Exit.DONE  # it has no x
    assert "x" in capsys.readouterr().err


def test_a_file_that_ends_too_early_for_its_book_is_told(desk, capsys):
    delta = frame("delta", [(1.0, 1)], [], 5, BEGIN_MS)
    write(desk / "torn.jsonl", archive([delta]))
    assert "expected a snapshot" in run(
        capsys, *PERP, "--data", "torn.jsonl", code=Exit.CONFIGURATION
    )
