"""``strategy list``, ``new``, ``check`` and ``schema`` on the project that the demo makes."""

import subprocess
import sys
from pathlib import Path

import pytest

from plimsoll.cli.exits import Exit
from plimsoll.cli.wiring import loaded_settings
from plimsoll.config.project import load_project

TUNED = '''
from decimal import Decimal
from enum import StrEnum
from typing import Literal
from plimsoll.core.strategy import Strategy, param

class Way(StrEnum):
    UP = "up"
    DOWN = "down"

class Base(Strategy):
    fast: int = 5
    """Bars of the
    fast average."""

class Tuned(Base):
    """Nothing yet."""
    bars = {"1m": 10}
    instruments = ("spot:BTCUSDT",)
    slow: int = param(20, ge=2, le=500, hot=True, help="Bars of the slow average.")
    step: Decimal = param(Decimal("0.01"), ge=Decimal("0.001"))
    how: Literal["maker", "taker"] = "maker"
    way: Way = Way.UP
    pair: tuple[int, int] = (1, 2)
    weights: list[float] = [0.5]
    on: bool = True
'''


@pytest.fixture
def tuned(root):
    (root / "strategies" / "tuned.py").write_text(TUNED)
    return root


# ---- list ----


def test_instances_and_classes_are_listed(plimsoll, root):
    (root / "strategies" / "broken.py").write_text("import nothing_there\nclass X(Strategy): ...")
    (root / "strategies" / "helping.py").write_text("RATE = 1")
    ran = plimsoll("strategy", "list", "--project", root)
    assert ran.code == Exit.DONE
    assert "ema        live   strategies/ema_cross.py:EmaCross" in ran.out
    assert "30,000.00  fast = 2, slow = 5" in ran.out
    assert "strategies/quoter.py:Quoter" in ran.out
    assert "ModuleNotFoundError" in ran.out
    assert "helping" not in ran.out
    document = plimsoll("strategy", "list", "--project", root, "--json").document
    assert document["strategies"][0]["capital"] == "30000"
    classes = {one["class"]: one for one in document["classes"]}
    assert classes["strategies/ema_cross.py:EmaCross"]["bars"] == {"1s": 60}
    assert "cannot be imported" in classes["strategies/broken.py"]["error"]


def test_one_instance_is_shown_with_every_parameter(plimsoll, root):
    ran = plimsoll("strategy", "list", "ema", "--project", root)
    assert ran.out.startswith("ema: strategies/ema_cross.py:EmaCross, live, capital 30,000.00")
    rows = {line.split()[0]: line.split()[1:] for line in ran.out.splitlines() if line}
    assert rows["fast"] == ["2", "5", "a", "whole", "number", "from", "1,", "hot"]
    assert rows["bars"] == ["1s", "(60", "kept)"]


def test_a_class_is_shown_with_what_its_parameters_take_and_mean(plimsoll, tuned):
    ran = plimsoll("strategy", "list", "strategies/tuned.py:Tuned", "--project", tuned)
    rows = {line.split("  ")[0]: line for line in ran.out.splitlines() if line}
    assert "a whole number from 2 up to 500, hot  Bars of the slow average." in rows["slow"]
    assert rows["fast"].endswith("Bars of the fast average.")
    assert 'one of "maker", "taker"' in rows["how"]
    assert "a list of 2 whole numbers" in rows["pair"]
    assert "spot:BTCUSDT" in rows["instruments"]
    shown = plimsoll("strategy", "list", "strategies/tuned.py:Tuned", "--project", tuned, "--json")
    assert shown.document["params"]["step"] == "0.01"
    assert shown.document["parameters"]["properties"]["slow"]["maximum"] == 500


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("em", "did you mean 'ema'?"),
        ("zzz", "instances: ema, quoter, ema-paper"),
        ("strategies/none.py:X", "there is no such file"),
        ("strategies/tuned.py:Tunde", "strategies there: Base, Tuned"),
        ("strategies/tuned.py", "has 2 strategies: Base, Tuned"),
    ],
)
def test_a_name_that_is_none_is_told_with_those_there_are(plimsoll, tuned, name, words):
    ran = plimsoll("strategy", "list", name, "--project", tuned)
    assert ran.code in (Exit.USAGE, Exit.CONFIGURATION)
    assert words in ran.err


# ---- schema ----


def test_the_schema_says_what_may_stand_under_params(plimsoll, tuned):
    made = plimsoll("strategy", "schema", "strategies/tuned.py:Tuned", "--project", tuned, "--json")
    schema = made.document["params"]
    assert schema["properties"] == {
        "fast": {"type": "integer", "default": 5, "description": "Bars of the fast average."},
        "slow": {
            "type": "integer", "minimum": 2, "maximum": 500, "default": 20,
            "description": "Bars of the slow average.", "x-hot": True,
        },
        "step": {"type": ["number", "string"], "minimum": 0.001, "default": "0.01"},
        "how": {"enum": ["maker", "taker"], "default": "maker"},
        "way": {"enum": ["up", "down"], "default": "up"},
        "pair": {
            "type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 2,
            "default": [1, 2],
        },
        "weights": {"type": "array", "items": {"type": "number"}, "default": [0.5]},
        "on": {"type": "boolean", "default": True},
    }  # fmt: skip
    assert schema["additionalProperties"] is False
    ran = plimsoll("strategy", "schema", "strategies/ema_cross.py", "--project", tuned)
    assert '"title": "EmaCross"' in ran.out


@pytest.mark.parametrize(
    ("name", "words"),
    [("ema", "is no class"), ("plimsoll.core.strategy:Desk", "is no strategy"),
     ("nothing_there.x:Y", "cannot be imported")],
)  # fmt: skip
def test_a_schema_of_nothing_is_refused(plimsoll, root, name, words):
    ran = plimsoll("strategy", "schema", name, "--project", root)
    assert ran.code in (Exit.USAGE, Exit.CONFIGURATION)
    assert words in ran.err


# ---- new ----


def test_a_new_strategy_passes_its_check_its_test_and_runs_as_an_instance(plimsoll, root):
    ran = plimsoll("strategy", "new", "mean_rev", "--project", root, "--json")
    assert ran.code == Exit.DONE
    assert ran.document["written"] == ["strategies/mean_rev.py", "tests/test_mean_rev.py"]
    assert plimsoll("strategy", "check", "strategies/mean_rev.py", "--project", root).code == 0
    file = root / "plimsoll.toml"
    instance = ran.document["instance"].replace("BTCUSDT", "XRPUSDT")
    file.write_text(f"{file.read_text()}\n{instance}")
    listed = plimsoll("strategy", "list", "mean_rev", "--project", root)
    assert listed.out.startswith("mean_rev: strategies/mean_rev.py:MeanRev, paper")
    tested = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/test_mean_rev.py"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert tested.returncode == 0, tested.stdout
    assert "3 passed" in tested.stdout


@pytest.mark.parametrize("there", ["strategies/mean_rev.py", "tests/test_mean_rev.py"])
def test_nothing_is_overwritten(plimsoll, root, there):
    (root / "tests").mkdir()
    (root / there).write_text("mine")
    ran = plimsoll("strategy", "new", "mean_rev", "--project", root)
    assert ran.code == Exit.REFUSED
    assert "is there already" in ran.err
    assert (root / there).read_text() == "mine"
    assert len([*root.glob("strategies/mean_rev.py"), *root.glob("tests/*.py")]) == 1


@pytest.mark.parametrize("name", ["MeanRev", "mean-rev", "../x", "2nd", "a" * 40, "class", "json"])
def test_a_name_that_is_no_file_is_refused(plimsoll, root, name):
    ran = plimsoll("strategy", "new", name, "--project", root)
    assert ran.code == Exit.USAGE
    assert not list(root.glob("tests/*"))


def test_a_new_strategy_needs_a_project(plimsoll, tmp_path):
    assert plimsoll("strategy", "new", "x", "--project", tmp_path).code == Exit.CONFIGURATION


# ---- check ----

BAD = """\
import time
from plimsoll.core.strategy import Strategy

class Bad(Strategy):
    bars = {"1m": 10}

    def on_bar(self, bar):
        self.last = time.time()
"""


def test_what_the_examples_need_is_told(plimsoll, root):
    ran = plimsoll("strategy", "check", "--project", root)
    assert ran.code == Exit.DONE
    assert "EmaCross: what the configuration names; bars 1s x 60; hears bar" in ran.out
    assert "0 errors, 0 warnings" in ran.out


def test_findings_have_place_code_reason_and_remedy(plimsoll, root):
    (root / "strategies" / "bad.py").write_text(BAD)
    ran = plimsoll("strategy", "check", "strategies/bad.py", "--project", root)
    assert ran.code == Exit.UNHEALTHY
    assert ran.out.startswith("strategies/bad.py:8: error: clock: time.time\n    why: a replay")
    assert "    fix: use self.now" in ran.out
    assert "strategies/bad.py:8: warning: forgotten: self.last" in ran.out
    assert "1 files, 1 errors, 1 warnings" in ran.out
    ran = plimsoll("strategy", "check", "strategies/bad.py", "--project", root, "--json")
    clock, _forgotten = ran.document["findings"]
    assert (clock["code"], clock["line"], clock["severity"]) == ("clock", 8, "error")
    assert clock["why"]
    assert clock["fix"]
    assert ran.document["needs"] == [
        {"name": "Bad", "instruments": [], "bars": {"1m": 10}, "hears": ["bar"]}
    ]


def test_warnings_alone_are_no_failure(plimsoll, root):
    (root / "strategies" / "bad.py").write_text(BAD.replace("time.time()", "bar.close"))
    ran = plimsoll("strategy", "check", "--project", root)
    assert ran.code == Exit.DONE
    assert "0 errors, 1 warnings" in ran.out


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"1m": 10', '"7s": 10', "time frame '7s' does not divide a minute"),
        ('"1m": 10', '"1x": 10', "must look like 1s, 5m"),
        ('"1m": 10', '"1m": 0', "bars '1m' keep at least 1, found 0"),
        ("import time", "import nothing_there", "ModuleNotFoundError"),
        ("    def", "    now: int = 1\n    def", "this is a word of every strategy"),
    ],
)
def test_what_could_not_be_loaded_is_a_finding(plimsoll, root, old, new, words):
    (root / "strategies" / "bad.py").write_text(BAD.replace(old, new))
    ran = plimsoll("strategy", "check", "strategies/bad.py", "--project", root)
    assert ran.code == Exit.UNHEALTHY
    assert "error: load: " in ran.out
    assert words in ran.out


def test_an_instance_is_checked_with_its_parameters(plimsoll, root):
    file = root / "plimsoll.toml"
    file.write_text(file.read_text().replace("fast = 2,", 'fast = "2", fasst = 1,', 1))
    ran = plimsoll("strategy", "check", "ema", "--project", root)
    assert ran.code == Exit.UNHEALTHY
    assert "plimsoll.toml: strategy.ema.params.fast: expected a whole number" in ran.out
    assert "strategy.ema.params.fasst: EmaCross has no such parameter" in ran.out
    assert plimsoll("strategy", "check", "quoter", "--project", root).code == Exit.DONE


def test_a_file_without_a_project_may_be_checked(plimsoll, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("bad.py").write_text(BAD)
    assert plimsoll("strategy", "check", "bad.py").code == Exit.UNHEALTHY


@pytest.mark.parametrize(
    ("name", "words"),
    [("nix", "there is no instance 'nix'"), ("strategies/nix.py", "there is no such file")],
)
def test_what_is_not_there_cannot_be_checked(plimsoll, root, name, words):
    ran = plimsoll("strategy", "check", name, "--project", root)
    assert ran.code in (Exit.USAGE, Exit.CONFIGURATION)
    assert words in ran.err


def test_a_file_that_is_no_python_is_told_with_its_line(plimsoll, root):
    (root / "strategies" / "bad.py").write_text("x = 1\ndef f(:")
    ran = plimsoll("strategy", "check", "strategies/bad.py", "--project", root)
    assert ran.code == Exit.CONFIGURATION
    assert "(line 2)" in ran.err


def test_the_configuration_check_warns_of_findings_and_does_not_refuse(plimsoll, root):
    path = root / "strategies" / "quoter.py"
    found = path.read_text()
    path.write_text(found.replace("        name, mid", "        self.seen = 1\n        name, mid"))
    ran = plimsoll("config", "check", "--project", root)
    assert ran.code == Exit.DONE
    assert "warning  strategies/quoter.py:" in ran.out
    assert "forgotten: self.seen" in ran.out


# ---- what a class trades where the configuration names nothing ----


def with_instances(root: Path, *modes: str, kind: str = "Tuned") -> Path:
    file, rows = root / "plimsoll.toml", ""
    for place, mode in enumerate(modes):
        rows += f'''
[[strategy]]
name = "t{place}"
class = "strategies/tuned.py:{kind}"
mode = "{mode}"
'''
    file.write_text(file.read_text() + rows)
    return root


def test_an_engine_is_given_the_instruments_that_the_class_names(tuned):
    core = loaded_settings(load_project(with_instances(tuned, "paper", "live")))
    assert [one.instruments for one in core.strategies[-2:]] == [("spot:BTCUSDT",)] * 2


def test_two_live_instances_of_a_class_that_names_an_instrument_are_refused(plimsoll, tuned):
    ran = plimsoll("config", "check", "--project", with_instances(tuned, "live", "live"))
    assert ran.code == Exit.CONFIGURATION
    assert "strategy.t1.instruments: a live instrument belongs to one strategy instance" in ran.err


def test_an_instance_that_trades_nothing_is_refused(plimsoll, tuned):
    root = with_instances(tuned, "paper", kind="Base")
    ran = plimsoll("config", "check", "--project", root)
    assert ran.code == Exit.CONFIGURATION
    assert "strategy.t0.instruments: neither it nor the class names an instrument" in ran.err
