import sys
from typing import Any

import pytest

from plimsoll.cli.strategies import load
from plimsoll.config import ConfigError
from plimsoll.config.code import CodeStore
from plimsoll.config.sources import digest_of
from plimsoll.core.settings import StrategySettings

CODE = """
from plimsoll.core.strategy import Strategy, param
import beside

class Plain(Strategy):
    fast: int = 10
    weight: float = 0.5
    word: str = "a"
    flag: bool = False

class Other(Strategy):
    rows: list = []

class Bound(Strategy):
    slow: int = param(20, ge=2, le=500, help="Bars of the slow average.")
    rows: list[float] = [1.0]

class NoStrategy:
    pass
"""


@pytest.fixture
def home(tmp_path, monkeypatch):
    (tmp_path / "strategies").mkdir()
    (tmp_path / "strategies" / "beside.py").write_text("")
    (tmp_path / "strategies" / "plain.py").write_text(CODE)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield tmp_path
    sys.modules.pop("beside", None)


def settings(source="strategies/plain.py:Plain", **rest):
    return StrategySettings(name="one", source=source, **rest)


def loaded(home, **rest) -> Any:
    return load(settings(**rest), home)


def refusal(home, *args, **rest) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        load(settings(*args, **rest), home)
    return caught.value


def test_parameters_are_set_and_the_others_keep_their_defaults(home):
    strategy = loaded(home, params={"fast": 3, "weight": 2})
    assert (strategy.fast, strategy.weight, strategy.word) == (3, 2.0, "a")
    assert type(strategy.weight) is float


def test_two_instances_do_not_share_parameters(home):
    one, other = loaded(home, params={"fast": 3}), loaded(home)
    assert (one.fast, other.fast) == (3, 10)


def test_two_instances_do_not_share_a_list(home):
    source = "strategies/plain.py:Bound"
    one: Any = load(settings(source), home)
    other: Any = load(settings(source), home)
    one.rows.append(2.0)
    assert other.rows == [1.0]


def test_every_wrong_parameter_is_told_with_where_it_was_written(home):
    where = {"slow": "config/production.toml"}
    with pytest.raises(ConfigError) as caught:
        load(
            settings("strategies/plain.py:Bound", params={"slow": 1, "nix": 1}),
            home,
            lambda instance, name: f"{instance}:{where.get(name, 'plimsoll.toml')}",
        )
    first, (second,) = caught.value, caught.value.others
    assert str(first) == (
        "one:config/production.toml: strategy.one.params.slow: "
        "expected a whole number from 2 up to 500, found 1"
    )
    assert first.hint == "Bars of the slow average."
    assert (second.file, second.key) == ("one:plimsoll.toml", "strategy.one.params.nix")


def test_without_more_they_were_written_in_the_project_file(home):
    assert refusal(home, params={"fast": "3"}).file == str(home / "plimsoll.toml")


def test_an_installed_class_is_loaded(home):
    source = "plimsoll.core.strategy:Strategy"
    assert "is no strategy" in refusal(home, source).expected


@pytest.mark.parametrize(
    ("params", "key", "words"),
    [
        ({"fasst": 1}, "strategy.one.params.fasst", "'fast'"),
        ({"fast": "3"}, "strategy.one.params.fast", "whole number"),
        ({"fast": 3.0}, "strategy.one.params.fast", "whole number"),
        ({"fast": True}, "strategy.one.params.fast", "whole number"),
        ({"weight": "1"}, "strategy.one.params.weight", "a number"),
        ({"word": 1}, "strategy.one.params.word", "text"),
        ({"flag": 1}, "strategy.one.params.flag", "true or false"),
    ],
)
def test_a_wrong_parameter_is_named(home, params, key, words):
    error = refusal(home, params=params)
    assert error.key == key
    assert words in f"{error.expected} {error.hint}"


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("strategies/plain.py:Plane", "Plain"),
        ("strategies/plain.py:NoStrategy", "is no strategy"),
        ("strategies/plain.py:Other", "bool, int, float, str"),
        ("strategies/none.py:Plain", "no such file"),
    ],
)
def test_a_class_that_does_not_do_is_refused(home, source, words):
    error = refusal(home, source)
    assert words in f"{error.expected} {error.hint}"


@pytest.mark.parametrize(
    ("code", "words"),
    [("x = 1 / 0", "(line 1): ZeroDivisionError"), ("\n\ndef f(:", "(line 3): SyntaxError"),
     ("import no_such_module_here", "ModuleNotFoundError")],
)  # fmt: skip
def test_code_that_cannot_be_imported_is_told_with_its_line(home, code, words):
    (home / "strategies" / "bad.py").write_text(code)
    assert words in refusal(home, "strategies/bad.py:X").expected


@pytest.mark.parametrize(
    ("code", "hint"),
    [("from plimsoll import Strategy", "from plimsoll.core.strategy import Strategy"),
     ("import plimsoll.strategies", "from plimsoll.core.strategy import Strategy"),
     ("import helpers.prices", "put helpers.py beside the file, or install helpers"),
     ("from math import no_such_name", ""), ("x = 1 / 0", "")],
)  # fmt: skip
def test_an_import_that_finds_nothing_says_where_it_is_to_be_had(home, code, hint):
    (home / "strategies" / "bad.py").write_text(code)
    found = refusal(home, "strategies/bad.py:X").hint
    assert hint in found
    assert bool(hint) == bool(found)


def test_code_that_changed_since_the_session_began_is_refused(home):
    path = home / "strategies" / "plain.py"
    before = settings(source_hash=digest_of(path))
    load(before, home)
    path.write_text(CODE + "\n# changed\n")
    with pytest.raises(ConfigError, match="as when the session began"):
        load(before, home)


def test_a_changed_file_is_loaded_anew(home):
    path = home / "strategies" / "plain.py"
    assert loaded(home).fast == 10
    path.write_text(CODE.replace("fast: int = 10", "fast: int = 11"))
    assert loaded(home).fast == 11


# ---- code that ran before, and signals ----


def test_code_of_another_hash_is_taken_from_its_copy(home):
    path, kept = home / "strategies" / "plain.py", CodeStore(home)
    before = kept.keep(path.read_bytes())
    path.write_text(CODE.replace("fast: int = 10", "fast: int = 11"))
    old: Any = load(settings(source_hash=before), home, kept=kept)
    new: Any = load(settings(source_hash=digest_of(path)), home, kept=kept)
    assert (old.fast, new.fast) == (10, 11)
    assert type(old) is not type(new)
    with pytest.raises(ConfigError, match="as when the session began"):
        load(settings(source_hash="0" * 64), home, kept=kept)


def test_code_that_ends_the_process_is_refused(home):
    (home / "strategies" / "plain.py").write_text("raise SystemExit(3)")
    assert "SystemExit: 3" in str(refusal(home))


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("signal = 3", "signal = 3: expected a class that extends"),
        ("def on_signal(self, signal): ...", "no `signal` says what it hears"),
        ("class A(Signal):\n        x: object()\n    signal = A", "signal = A: "),
    ],
)
def test_signals_that_nobody_could_hear_are_refused(home, body, words):
    text = f"from plimsoll.core.strategy import Signal, Strategy\nclass S(Strategy):\n    {body}\n"
    (home / "strategies" / "plain.py").write_text(text)
    assert words in str(refusal(home, source="strategies/plain.py:S"))


def test_a_class_that_cannot_be_made_is_refused_with_its_line(home):
    text = CODE + "\nclass Needs(Strategy):\n    def __init__(self):\n        1 / 0\n"
    (home / "strategies" / "plain.py").write_text(text)
    found = str(refusal(home, source="strategies/plain.py:Needs"))
    assert f"cannot be made (line {len(text.splitlines())}): ZeroDivisionError" in found
