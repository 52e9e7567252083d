"""``backtest`` and ``sweep``: a report from a strategy and a file, or words that say why not."""

import csv
import json
from datetime import UTC, datetime

import pytest
from tests.backtest.bars import T0_MS, walk

from plimsoll.cli.arguments import CALLBACK_LIMIT
from plimsoll.cli.exits import Exit
from plimsoll.cli.hanging import LIMIT_S
from plimsoll.cli.main import main

STRATEGY = """
from plimsoll.core.strategy import Strategy


class Cross(Strategy):
    bars = {"1m": 60}
    fast: int = 5
    slow: int = 20
    qty: float = 0.01

    def on_bar(self, bar):
        fast, slow = (self.sma(bar.instrument, "1m", n) for n in (self.fast, self.slow))
        if slow.is_ready:
            self.target(bar.instrument, self.qty if fast.value > slow.value else -self.qty)


class Seconds(Strategy):
    bars = {"1s": 60}

    def on_bar(self, bar):
        assert bar.frame == "1s" and self.window(bar.instrument, "1s")[-1] is bar
        self.target(bar.instrument, 0.01 if bar.close > bar.open else 0)
"""


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """A directory with a strategy and three thousand bars."""
    (tmp_path / "mine.py").write_text(STRATEGY)
    write(tmp_path / "bars.csv", walk(3_000))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(path, rows):
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["timestamp", "open", "high", "low", "close", "volume"])
        for start_ms, *values in rows:
            at = datetime.fromtimestamp(start_ms / 1000, UTC)
            writer.writerow([at.strftime("%Y-%m-%d %H:%M:%S"), *values])


def run(*words):
    return main(["backtest", *words])


ASKED = ("mine.py:Cross", "--instruments", "linear:BTCUSDT", "--data", "bars.csv")


def test_a_strategy_and_a_file_become_a_report(desk, capsys):
    assert run(*ASKED) == Exit.DONE
    told = capsys.readouterr().out
    assert "Cross" in told
    assert "Round trips" in told
    assert "no filters stored: tick 0.1" in told.replace("\n", " ")
    page, document = sorted(desk.glob("backtests/*"))
    assert page.suffix == ".html"
    assert "<title>" in page.read_text()
    assert json.loads(document.read_text())["events"] == 3_000


def test_the_same_run_has_the_same_hash_and_json_says_everything(desk, capsys):
    found = []
    for _ in range(2):
        assert run(*ASKED, "--json", "--out", "") == Exit.DONE
        found.append(json.loads(capsys.readouterr().out)["backtest"]["results"])
    assert found[0]["hash"] == found[1]["hash"]
    (owner,) = found[0]["owners"]
    assert owner["fills_total"] > 50
    assert owner["execution"]["rule_share"] == 1.0
    assert not (desk / "backtests").exists()


def test_parameters_and_dates_are_taken(desk, capsys):
    assert run(*ASKED, "--json", "--out", "", "--params", "fast=50,slow=200") == Exit.DONE
    slow = json.loads(capsys.readouterr().out)["backtest"]["results"]
    assert slow["owners"][0]["params"] == {"fast": 50, "slow": 200, "qty": 0.01}
    assert slow["owners"][0]["fills_total"] < 50
    assert run(*ASKED, "--json", "--out", "", "--from", "2025-06-16", "--until", "2025-06-17") == 0
    day = json.loads(capsys.readouterr().out)["backtest"]["results"]
    assert day["events"] == 1_440


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("mine.py:Cross", "--data", "bars.csv"), Exit.USAGE, "names no instruments"),
        ((*ASKED[:3], "--data", "none.csv"), Exit.CONFIGURATION, "none.csv"),
        (ASKED[:3], Exit.CONFIGURATION, "nothing is stored of linear:BTCUSDT"),
        ((*ASKED[:3], "--data", "a.csv,b.csv"), Exit.USAGE, "2 files for 1 instruments"),
        ((*ASKED, "--params", "fst=3"), Exit.CONFIGURATION, "fast"),
        ((*ASKED, "--params", "fst=3"), Exit.CONFIGURATION, "error: --params:"),
        (("mine.py", *ASKED[1:]), Exit.USAGE, "mine.py:CLASS"),
        ((*ASKED, "--from", "2025-06-17", "--until", "2025-06-16"), Exit.USAGE, "leaves nothing"),
        ((*ASKED, "--latency-ms", "999999999999"), Exit.USAGE, "more than a day"),
        ((*ASKED, "--delay-ms", "999999999999"), Exit.USAGE, "more than a day"),
        ((*ASKED, "--spread-bps", "1e9"), Exit.USAGE, "price of nothing"),
        (
            (
                ASKED[0],
                "--instruments",
                "spot:BTCUSDT, spot:BTCUSDT",
                "--data",
                "bars.csv,bars.csv",
            ),
            Exit.USAGE,
            "spot:BTCUSDT stands twice",
        ),
        (
            (ASKED[0], "--instruments", "spot:A,spot:B", "--data", "bars.csv,./bars.csv"),
            Exit.USAGE,
            "names bars.csv twice",
        ),
        ((*ASKED, "--params", "fast"), Exit.USAGE, "NAME=VALUE"),
        ((*ASKED, "--bars", "7x"), Exit.USAGE, "--bars"),
        ((*ASKED, "--from", "yesterday"), Exit.USAGE, "--from: expected a time"),
        ((*ASKED, "--from", "2030-01-01"), Exit.CONFIGURATION, "no bars"),
        (("mine.py:Seconds", *ASKED[1:]), Exit.CONFIGURATION, "--frames 1s=1m"),
        ((*ASKED, "--frames", "5s=1m"), Exit.USAGE, "declares no"),
        (("other.py:Cross", *ASKED[1:]), Exit.CONFIGURATION, "no such file"),
        (("ema", *ASKED[1:]), Exit.CONFIGURATION, "plimsoll.toml"),
        ((*ASKED, "--capital", "-1"), Exit.USAGE, "expected a number from 0"),
        ((*ASKED, "--out", "mine.py/x"), Exit.CONFIGURATION, "--out"),
    ],
)
def test_what_cannot_be_is_explained(desk, capsys, words, code, told):
    assert run(*words) == code
    out, error = capsys.readouterr()
    assert told in error
    assert "Traceback" not in out + error
    assert not list(desk.glob("backtests/*"))


def spoil(desk, line, text):
    lines = (desk / "bars.csv").read_text().split("\n")
    lines[line - 1] = text
    (desk / "bars.csv").write_text("\n".join(lines))


def test_a_bad_row_is_told_with_its_line_and_text(desk, capsys):
    spoil(desk, 8, "2025-06-15 15:13:00,1,2,0.5,NaN,1")
    assert run(*ASKED) == Exit.CONFIGURATION
    told = capsys.readouterr().err
    assert "bars.csv:8: number: a cell is empty, NaN" in told
    assert "0.5,NaN,1" in told


@pytest.mark.parametrize(
    ("header", "told"),
    [("a,b,c,d,e,f", "--columns"), ("0,1,2,1,2,5", "--day 2022-12-13")],
)
def test_a_hint_names_no_option_that_a_backtest_does_not_have(desk, capsys, header, told):
    spoil(desk, 1, header)
    assert run(*ASKED) == Exit.CONFIGURATION
    words = capsys.readouterr().err
    assert told in words
    assert "`plimsoll data import` takes it" in words


def test_holes_and_minutes_without_trades_are_told(desk, capsys):
    bars = [(*row[:5], 0.0 if 10 <= n < 25 else 1.0) for n, row in enumerate(walk(3_000))]
    write(desk / "bars.csv", bars[:500] + bars[700:1_000] + bars[1_001:])
    assert run(*ASKED, "--json", "--out", "") == Exit.DONE
    results = json.loads(capsys.readouterr().out)["backtest"]["results"]
    (source,) = results["source"]
    assert source.endswith("bars 2,799, gaps 2")
    gaps, idle = (one for one in results["warnings"] if "missing" in one or "volume" in one)
    assert "bars are missing: 201, gaps: 2, the longest from 2025-06-15 23:27 to" in gaps
    assert "in 15 of 2,799 bars nothing was traded" in idle


def test_instruments_whose_bars_do_not_begin_and_end_together_are_told(desk, capsys):
    write(desk / "short.csv", walk(3_000)[60:2_000])
    words = (ASKED[0], "--instruments", "linear:BTCUSDT,linear:ETHUSDT", "--out", "", "--json")
    assert run(*words, "--data", "bars.csv,short.csv") == Exit.DONE
    told = json.loads(capsys.readouterr().out)["backtest"]["results"]["warnings"]
    assert any("linear:ETHUSDT: its bars begin at 2025-06-15 16:07" in text for text in told)
    assert any("linear:ETHUSDT: its bars end at 2025-06-17 00:27" in text for text in told)
    assert not any("linear:BTCUSDT: its bars" in text for text in told)


def test_what_was_taken_for_granted_of_a_file_is_told(desk, capsys):
    path = desk / "bars.csv"
    path.write_text(path.read_text().rstrip("\n")[:-1])
    assert run(*ASKED, "--json", "--out", "") == Exit.DONE
    words = " ".join(json.loads(capsys.readouterr().out)["backtest"]["results"]["warnings"])
    assert "without a zone" in words
    assert "taken as UTC" in words
    assert "the last line has no newline" in words


def test_one_that_listens_to_books_is_told_that_bars_have_none(desk, capsys):
    books = STRATEGY + "\n\nclass Books(Strategy):\n    def on_book(self, market):\n        pass\n"
    (desk / "mine.py").write_text(books)
    assert run("mine.py:Books", *ASKED[1:], "--json", "--out", "") == Exit.DONE
    warnings = json.loads(capsys.readouterr().out)["backtest"]["results"]["warnings"]
    assert "Books: on_book never called over bars, and it declares no bars" in warnings[0]


def test_a_strategy_that_raises_is_stopped_and_the_report_says_so(desk, capsys):
    broken = STRATEGY.replace("if slow.is_ready:", "if slow.is_ready and 1 / 0:")
    (desk / "mine.py").write_text(broken)
    assert run(*ASKED, "--json", "--out", "") == Exit.DONE
    results = json.loads(capsys.readouterr().out)["backtest"]["results"]
    assert any("ZeroDivisionError" in text for text in results["warnings"])


def swept(*words):
    return main(["sweep", *ASKED, "--workers", "2", *words])


def test_a_sweep_gives_what_single_backtests_give(desk, capsys):
    assert swept("--grid", "fast=5|10,slow=50", "--json", "--by", "total_return") == Exit.DONE
    found = json.loads(capsys.readouterr().out)["sweep"]["outcomes"]
    assert len(found) == 2
    assert found[0]["total_return"] >= found[1]["total_return"]
    for one in found:
        words = ",".join(f"{name}={value}" for name, value in one["params"].items())
        assert run(*ASKED, "--json", "--out", "", "--params", words) == Exit.DONE
        single = json.loads(capsys.readouterr().out)["backtest"]["results"]
        assert single["owners"][0]["stats"]["total_return"] == one["total_return"]


HANGS = """
from plimsoll.core.strategy import Strategy


class Cross(Strategy):
    bars = {"1m": 60}
    fast: int = 5
    heard = 0

    def on_bar(self, bar):
        self.heard += 1
        while self.heard == self.fast:
            pass
"""


@pytest.mark.timeout(60)
def test_a_callback_that_does_not_return_ends_the_run_with_its_place(desk, capsys):
    (desk / "mine.py").write_text(HANGS)
    assert run(*ASKED, "--json", "--callback-limit", "0.2") == Exit.TIMED_OUT
    error = json.loads(capsys.readouterr().err)["error"]
    assert error["code"] == "callback"
    assert "Cross: on_bar did not return, it had used the processor for 0." in error["message"]
    assert f"at {desk / 'mine.py'}:12 in on_bar" in error["message"].replace(":13 ", ":12 ")
    assert "the data was at 20" in error["message"]
    assert "--callback-limit 60" in error["hint"]
    assert not list(desk.glob("backtests/*")), "nothing half written"


@pytest.mark.timeout(120)
def test_a_sweep_goes_on_without_the_run_that_hangs_and_names_it(desk, capsys):
    (desk / "mine.py").write_text(HANGS)
    words = ("--callback-limit", "0.2", "--by", "total_return")
    assert swept("--grid", "fast=5|100000", *words) == Exit.DONE
    told = capsys.readouterr().out
    assert "2 combinations" in told
    assert "failed: fast=5: Cross: on_bar did not return" in told
    assert "mine.py:" in told


@pytest.mark.timeout(120)
def test_a_sweep_in_which_every_run_hangs_says_so(desk, capsys):
    (desk / "mine.py").write_text(HANGS)
    assert swept("--grid", "fast=5|6", "--callback-limit", "0.2") == Exit.CONFIGURATION
    assert "on_bar did not return" in capsys.readouterr().err


def test_the_limit_is_the_one_of_the_guard():
    assert CALLBACK_LIMIT.default == LIMIT_S


def test_a_sweep_walks_forward_and_shows_it(desk, capsys):
    assert swept("--grid", "fast=5|10", "--steps", "2", "--by", "total_return") == Exit.DONE
    told = capsys.readouterr().out
    assert "2 combinations" in told
    assert "walk forward" in told
    assert "-0.00 " not in told, "a return is shown in per cent"
    assert "Afterwards, one stretch after the other:" in told
    assert "no filters stored" in told, "a sweep rests on what a backtest rests on"


def test_a_sweep_says_what_decides_where_nothing_was_measured(desk, capsys):
    assert swept("--grid", "fast=5|10") == Exit.DONE
    assert "Where there is no sharpe (-), the return decides" in capsys.readouterr().out


def outcomes(capsys, *words):
    assert swept(*words, "--json", "--by", "total_return") == Exit.DONE
    return json.loads(capsys.readouterr().out)["sweep"]["outcomes"]


def test_a_search_proposes_and_gives_the_same_again(desk, capsys):
    words = ("--search", "fast=2..10,slow=15..40..5", "--trials", "9")
    found = outcomes(capsys, *words)
    assert 6 < len(found) <= 9
    assert all(2 <= one["params"]["fast"] <= 10 for one in found)
    assert all(one["params"]["slow"] % 5 == 0 for one in found)
    assert found[0]["total_return"] >= found[-1]["total_return"]
    assert outcomes(capsys, *words, "--workers", "1") == found


def test_a_cluster_gives_what_processes_give(desk, capsys):
    from distributed import LocalCluster

    words = ("--grid", "fast=5|10,slow=50")
    found = outcomes(capsys, *words)
    assert outcomes(capsys, *words, "--cluster", "local") == found
    with LocalCluster(n_workers=1, dashboard_address=None) as cluster:
        assert outcomes(capsys, *words, "--cluster", cluster.scheduler_address) == found


def test_a_cluster_without_workers_or_with_another_version_is_refused(desk, capsys, monkeypatch):
    from distributed import LocalCluster

    words = ("--grid", "fast=5|10", "--cluster")
    with LocalCluster(n_workers=0, dashboard_address=None) as cluster:
        assert swept(*words, cluster.scheduler_address) == Exit.CONFIGURATION
        assert "has no workers" in capsys.readouterr().err
    monkeypatch.setattr("plimsoll.cli.runners.__version__", "9.9")
    with LocalCluster(n_workers=1, dashboard_address=None) as cluster:
        assert swept(*words, cluster.scheduler_address) == Exit.CONFIGURATION
        assert "here it is 9.9" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        ((), Exit.USAGE, "--grid"),
        (("--grid", "fast=1|2", "--search", "slow=3..9"), Exit.USAGE, "one of them"),
        (("--search", "fst=1..2"), Exit.USAGE, "did you mean 'fast'"),
        (("--search", "fast"), Exit.USAGE, "no bounds"),
        (("--search", "fast=9..2"), Exit.USAGE, "low end"),
        (("--search", "fast=1..2,fast=1..3"), Exit.USAGE, "twice"),
        (("--search", "fast=1..2", "--trials", "0"), Exit.USAGE, "--trials"),
        (("--grid", "fast=1|2", "--cluster", "127.0.0.1:9"), Exit.CONFIGURATION, "no cluster"),
        (("--grid", "fast"), Exit.USAGE, "NAME=VALUE"),
        (("--grid", "fst=1|2"), Exit.CONFIGURATION, "fast"),
        (("--grid", "fast=1|2", "--by", "luck"), Exit.USAGE, "luck"),
        (("--grid", "fast=1|2,fast=3"), Exit.USAGE, "fast stands there twice"),
        (("--grid", "fast=1|2", "--params", "fast=3"), Exit.USAGE, "in --params and in --grid"),
    ],
)
def test_what_cannot_be_swept_is_explained(desk, capsys, words, code, told):
    assert swept(*words) == code
    assert told in capsys.readouterr().err


def test_a_strategy_of_seconds_runs_over_minutes_where_it_is_told_to(desk, capsys):
    words = ("mine.py:Seconds", *ASKED[1:], "--frames", "1s=1m", "--json", "--out", "")
    assert run(*words) == Exit.DONE
    (owner,) = json.loads(capsys.readouterr().out)["backtest"]["results"]["owners"]
    assert owner["fills_total"] > 10


HOURLY = """
from plimsoll.core.strategy import Strategy


class Hourly(Strategy):
    bars = {"1h": 5}
    qty: float = 0.01

    def on_bar(self, bar):
        up = bar.close > bar.open
        stop = bar.close * (0.997 if up else 1.003)
        self.target(bar.instrument, self.qty if up else -self.qty, stop=stop)
"""


@pytest.fixture
def stored(desk, capsys):
    """The desk with a store: minutes, hours, funding each four hours, mark bars of the minute."""
    (desk / "hourly.py").write_text(HOURLY)
    start_ms = T0_MS // 3_600_000 * 3_600_000
    minutes = walk(6_000, 3, step=0.0008, start_ms=start_ms)
    hours = []
    for place in range(0, 6_000, 60):
        inside = minutes[place : place + 60]
        prices = (inside[0][1], max(r[2] for r in inside), min(r[3] for r in inside), inside[-1][4])
        hours.append((inside[0][0], *prices, 1.0))
    write(desk / "1m.csv", minutes)
    write(desk / "1h.csv", hours)
    write(
        desk / "mark.csv",
        [(at, *(round(p * 1.0001, 1) for p in row[:4]), 0.0) for at, *row in minutes],
    )
    with (desk / "funding.csv").open("w") as file:
        for number in range(25):
            at = datetime.fromtimestamp(start_ms / 1000 + number * 4 * 3_600, UTC)
            file.write(f"{at:%Y%m%d %H:%M:%S},{0.0001 * (number % 3):.6f}\n")
    for words in (
        ("1m.csv", "--bars", "1m"),
        ("1h.csv", "--bars", "1h"),
        ("mark.csv", "--bars", "1m", "--kind", "mark"),
        ("funding.csv", "--kind", "funding", "--columns", "time,rate"),
    ):
        where = ("--instrument", "linear:BTCUSDT", "--store", "data")
        assert main(["data", "import", words[0], *where, *words[1:]]) == Exit.DONE
    capsys.readouterr()
    return desk


def told(capsys, *words):
    code = run("hourly.py:Hourly", "--instruments", "linear:BTCUSDT", "--json", "--out", "", *words)
    assert code == Exit.DONE
    return json.loads(capsys.readouterr().out)["backtest"]["results"]


def test_the_store_brings_funding_mark_and_finer_bars_by_itself(stored, capsys):
    ruled = told(capsys, "--bars", "1h")
    assert "25 rates" in ruled["assumptions"]["funding"]
    assert ruled["owners"][0]["execution"]["fundings"] > 3
    assert ruled["owners"][0]["execution"]["rule_share"] == 1.0
    assert "LAST price" in ruled["assumptions"]["stops"], "there are mark bars of minutes only"
    assert any("1h bars of the mark price" in one for one in ruled["warnings"])
    assert "assumed" in ruled["assumptions"]["margin"]
    finer = told(capsys, "--bars", "1h", "--intrabar", "1m")
    assert "by the mark price" in finer["assumptions"]["stops"]
    assert finer["owners"][0]["execution"]["rule_share"] < 1.0
    minutes = told(capsys, "--bars", "1m")
    both = [
        [(one["ts_ns"], one["price"], one["side"]) for one in each["owners"][0]["fills"]]
        for each in (finer, minutes)
    ]
    assert both[0] == both[1]
    by_file = told(capsys, "--bars", "1h", "--intrabar", "1m=1m.csv")
    assert by_file["owners"][0]["fills"] == finer["owners"][0]["fills"]


def test_what_is_not_stored_is_said(stored, capsys):
    results = told(capsys, "--bars", "1h", "--intrabar", "5m")
    assert any("no 5m bars are stored for --intrabar" in one for one in results["warnings"])


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("--intrabar", "1m"), "are not made of"),
        (("--bars", "1h", "--intrabar", "7x"), "--intrabar"),
        (("--bars", "1h", "--intrabar", "1m=a.csv,b.csv"), "2 files for 1"),
    ],
)
def test_finer_bars_that_cannot_be_are_refused(desk, capsys, words, text):
    (desk / "hourly.py").write_text(HOURLY)
    assert run("hourly.py:Hourly", *ASKED[1:], *words) == Exit.USAGE
    assert text in capsys.readouterr().err
