"""`data`: what is printed, what ends how, and that a refused file leaves no trace."""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from tests.data.conftest import DAY_MS, MINUTE_MS, bar, bars, text_of

from plimsoll.cli.arguments import find, parse
from plimsoll.cli.commands import COMMANDS
from plimsoll.cli.data import fetch as command
from plimsoll.cli.exits import Exit
from plimsoll.data import Progress
from plimsoll.simulator import SimSettings
from plimsoll.simulator.thread import SimulatorThread
from plimsoll.venues.bybit.rates import Holder

BTC = ("--instrument", "linear:BTCUSDT")


@pytest.fixture(scope="module")
def exchange() -> Iterator[SimulatorThread]:
    with SimulatorThread(SimSettings(seed=5)) as found:
        yield found


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "bars.csv"
    path.write_text(text_of([*bars(10), *bars(5, DAY_MS + 12 * MINUTE_MS)]))
    return path


def test_a_file_goes_in_and_is_listed_and_verified(plimsoll, root, file):
    ran = plimsoll("data", "import", file, *BTC, "--project", root)
    assert ran.code == Exit.DONE, ran.err
    assert "15 rows, 2024-01-01 00:00 to 2024-01-01 00:16: 15 new" in ran.out
    assert "times: Unix milliseconds" in ran.out
    assert "gaps: 1, of 2 rows\n    2 from 2024-01-01 00:10 to 2024-01-01 00:12" in ran.out
    assert (root / "data/linear-BTCUSDT/last-1m/2024-01.parquet").is_file()
    listed = plimsoll("data", "list", "--project", root)
    assert "linear:BTCUSDT  last  1m     2024-01-01 00:00  2024-01-01 00:16    15" in listed.out
    (series,) = plimsoll("data", "list", "--project", root, "--json").document["series"]
    assert (series["rows"], series["gaps"], series["missing"]) == (15, 1, 2)
    ran = plimsoll("data", "verify", "linear:BTCUSDT", "--project", root)
    assert ran.code == Exit.FINDINGS
    assert "gap: bars are missing: 2 from 2024-01-01 00:10" in ran.out
    document = plimsoll("data", "verify", "--project", root, "--json").document
    assert (document["sound"], document["counts"]) == (False, {"gap": 1})
    assert document["findings"][0]["how"].startswith("`plimsoll data fetch`")


def test_a_refused_file_is_explained_and_stops_no_other(plimsoll, root, file, tmp_path):
    bad = tmp_path / "bad.csv"
    bad.write_text(text_of([bar(DAY_MS + place * MINUTE_MS, price=-1) for place in range(12)]))
    ran = plimsoll("data", "import", bad, file, *BTC, "--project", root)
    assert ran.code == Exit.CONFIGURATION
    assert f"error: {bad}: expected sound rows, found faults: 12 price" in ran.err
    assert f"{bad}:2: price: a price is zero or below: {bar(DAY_MS, price=-1)}; mend" in ran.err
    assert "and 2 more" in ran.err
    assert "--drop-bad price" in ran.err
    assert "15 new" in ran.out
    ran = plimsoll("data", "import", bad, *BTC, "--project", root, "--json")
    (refused,) = (one["refused"] for one in ran.document["files"])
    assert refused["counts"] == {"price": 12}
    assert [one["row"] for one in refused["findings"]] == list(range(2, 14))
    assert refused["code"] == "bad-rows"


def test_dropped_and_replaced_rows_are_told(plimsoll, root, file, tmp_path):
    plimsoll("data", "import", file, *BTC, "--project", root)
    other = tmp_path / "other.csv"
    other.write_text(text_of([bar(DAY_MS, price=50.0), bar(DAY_MS)]))
    ran = plimsoll("data", "import", other, *BTC, "--project", root, "--drop-bad", "duplicate")
    assert ran.code == Exit.REFUSED
    assert "open 100.0 -> 50.0" in ran.err
    options = ("--project", root, "--drop-bad", "duplicate", "--replace")
    ran = plimsoll("data", "import", other, *BTC, *options)
    assert ran.code == Exit.DONE
    assert "1 replaced" in ran.out
    assert f"left out, as asked:\n    {other}:3: duplicate" in ran.out


def test_the_options_of_a_file_that_needs_a_word(plimsoll, root, tmp_path):
    path = tmp_path / "old.csv"
    rows = [f"x,{minute * MINUTE_MS},1,2,0.5,1.5,9" for minute in (1, 0)]
    path.write_text("\n".join(rows) + "\n")
    refused = plimsoll("data", "import", path, *BTC, "--project", root)
    assert refused.code == Exit.CONFIGURATION
    words = ("--columns", "_,time,open,high,low,close,volume", "--day", "2024-01-01")
    refused = plimsoll("data", "import", path, *BTC, "--project", root, *words)
    assert "--sort" in refused.err
    options = ("--project", root, *words, "--sort", "--zone=-00:00")
    ran = plimsoll("data", "import", path, *BTC, *options)
    assert ran.code == Exit.DONE, ran.err
    assert "2 rows, 2024-01-01 00:00 to 2024-01-01 00:01" in ran.out


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("import", "x.csv"), Exit.USAGE, "--instrument"),
        (("import", "x.csv", *BTC), Exit.CONFIGURATION, "cannot be read"),
        (("import", "x.csv", *BTC, "--bars", "7m"), Exit.CONFIGURATION, "1m, 3m"),
        (("import", "x.csv", *BTC, "--kind", "index"), Exit.CONFIGURATION, "last, mark"),
        (("import", "x.csv", *BTC, "--drop-bad", "all"), Exit.CONFIGURATION, "--drop-bad"),
        (("import",), Exit.USAGE, "required"),
        (("verify",), Exit.CONFIGURATION, "nothing is stored"),
        (("verify", "spot:ETHUSDT"), Exit.CONFIGURATION, "nothing is stored of spot:ETHUSDT"),
        (("fetch", "linear:BTCUSDT"), Exit.USAGE, "--from 2024-01-01"),
        (("fetch", "linear:BTCUSDT", "--from", "soon"), Exit.USAGE, "--from 2024-01-01"),
        (("fetch", "linear:BTCUSDT", "--from", "2024-01-02", "--to", "2024-01-01"), Exit.USAGE,
         "expected --to after --from"),
        (("fetch", "linear:BTCUSDT", "--from", "2024-01-01", "--environment", "moon"), Exit.USAGE,
         "testnet"),
        (("fetch", "linear:BTCUSDT", "--from", "2024-01-01"), Exit.UNREACHABLE, "plimsoll sim"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_says_how_it_could(plimsoll, root, words, code, said):
    ran = plimsoll("data", *words, "--project", root)
    assert ran.code == code, ran.err
    assert said in ran.err


def test_an_empty_store_is_no_failure(plimsoll, root):
    ran = plimsoll("data", "list", "--project", root)
    assert (ran.code, ran.out.startswith("nothing is stored")) == (Exit.DONE, True)


def test_outside_a_project_the_store_must_be_named(plimsoll, tmp_path, file):
    ran = plimsoll("data", "import", file, *BTC, "--project", tmp_path)
    assert ran.code == Exit.CONFIGURATION
    assert "--store" in ran.err
    store = tmp_path / "bars"
    assert plimsoll("data", "import", file, *BTC, "--store", store).code == Exit.DONE
    assert plimsoll("data", "list", "--store", store, "--json").document["series"][0]["rows"] == 15


def test_without_duckdb_it_says_what_to_install(plimsoll, root, file, monkeypatch):
    monkeypatch.setitem(sys.modules, "duckdb", None)
    for words in (("import", file, *BTC), ("list",), ("verify",)):
        ran = plimsoll("data", *words, "--project", root, "--json")
        text = ran.err + ran.out
        assert "pip install" in text or words[0] == "verify"
        assert ran.code == Exit.CONFIGURATION


def test_every_kind_is_fetched_from_the_project_s_venue(plimsoll, project):
    words = ("data", "fetch", "linear:BTCUSDT", "--kind", "last,mark,funding", "--project", project)
    since = _hours_ago(3)
    ran = plimsoll(*words, "--from", since, "--json")
    assert ran.code == Exit.DONE, ran.err
    document = ran.document
    assert document["filters"]["environment"] == "simulator"
    kinds = {one["kind"]: one for one in document["series"]}
    assert kinds["last"]["added"] in (179, 180)
    assert kinds["last"]["gaps"] == []
    again = plimsoll(*words, "--from", since)
    assert again.code == Exit.DONE
    assert "linear:BTCUSDT last 1m: 0 new, 1" in again.out or " 1 new" in again.out
    assert plimsoll("data", "verify", "--project", project).code == Exit.DONE


def test_an_instrument_that_is_none_and_another_environment(plimsoll, project):
    since = ("--from", _hours_ago(1))
    ran = plimsoll("data", "fetch", "linear:NONEUSDT", *since, "--project", project)
    assert ran.code == Exit.CONFIGURATION
    assert "found none of that name" in ran.err
    ran = plimsoll("data", "fetch", "btc", *since, "--project", project)
    assert ran.code == Exit.CONFIGURATION
    kept = project / "data/linear-BTCUSDT/filters.json"
    plimsoll("data", "fetch", "linear:BTCUSDT", *since, "--project", project)
    kept.write_text(kept.read_text().replace('"simulator"', '"mainnet"'))
    ran = plimsoll("data", "fetch", "linear:BTCUSDT", *since, "--project", project)
    assert ran.code == Exit.REFUSED
    assert "--store" in ran.err


def test_without_a_project_an_environment_and_a_store_are_enough(tmp_path):
    name, settings = command._venue(str(tmp_path), "", "demo")
    assert name == "mainnet"  # demo trades at its prices
    assert settings.rest_url == "https://api.bybit.com"
    assert not settings.has_key
    assert settings.holder is Holder.TOOLS


def test_the_bar_of_progress_is_drawn_only_where_somebody_looks(capsys):
    for is_shown in (True, False):
        with command._progress(is_shown=is_shown) as shown:
            shown("linear:BTCUSDT last 1m")(Progress(1, 2))
    assert capsys.readouterr().out == ""


def test_words_that_python_keeps_for_itself_are_options_all_the_same(monkeypatch):
    monkeypatch.setenv("PLIMSOLL_DATA_FETCH_FROM", "2024-01-01")
    command, rest = find(COMMANDS, ["data", "fetch", "linear:BTCUSDT"])
    values = parse(command, rest)
    assert values is not None
    assert values["from_"] == "2024-01-01"
    command, rest = find(COMMANDS, ["data", "import", "a.csv", "b.csv"])
    values = parse(command, rest)
    assert values is not None
    assert values["files"] == ["a.csv", "b.csv"]


def _hours_ago(hours: int) -> str:
    return (datetime.now(UTC) - timedelta(hours=hours)).isoformat()
