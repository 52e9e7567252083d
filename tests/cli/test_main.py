"""The command line before any command runs: help, mistakes, the cost of starting."""

import re
import subprocess
import sys
from importlib import import_module
from inspect import Parameter, signature

import pytest

from plimsoll.cli import main as entry
from plimsoll.cli.arguments import find, help_of, parse
from plimsoll.cli.commands import COMMANDS
from plimsoll.cli.exits import Exit
from plimsoll.config import ConfigError, CredentialError

HEAVY = ("aiohttp", "asyncio", "msgspec", "picows", "pydantic", "rich", "uvloop")
by_words = pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.words)


def modules_after(*words: str) -> set[str]:
    code = (
        "import sys; from plimsoll.cli.main import main; code = main(sys.argv[1:]);"
        "print('MODULES', *sys.modules); sys.exit(code)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True, check=False
    )
    return set(ran.stdout.rpartition("MODULES")[2].split())


def test_the_overview_begins_with_an_example_and_names_every_command(plimsoll):
    ran = plimsoll("--help")
    assert ran.code == Exit.DONE
    assert ran.out.startswith("example:\n  plimsoll demo")
    assert all(f"\n  {command.words} " in ran.out for command in COMMANDS)


def test_without_words_the_overview_is_shown_as_a_mistake(plimsoll):
    assert plimsoll().code == Exit.USAGE


@by_words
def test_help_of_a_command_begins_with_examples_that_are_understood(command, plimsoll):
    ran = plimsoll(*command.words.split(), "--help")
    assert ran.code == Exit.DONE
    assert ran.out.startswith(f"examples:\n  plimsoll {command.words}")
    for example in command.examples:
        words = re.sub(r" *[|#].*", "", example).split()[1:]
        found, rest = find(COMMANDS, words)
        assert found is command
        if '"' not in example:
            assert parse(found, rest) is not None


@by_words
def test_a_command_is_behind_its_words_with_the_same_arguments(command):
    module, _, name = command.target.partition(":")
    function = getattr(import_module(f"plimsoll.cli.{module}"), name)
    wanted = {
        key
        for key, one in signature(function).parameters.items()
        if one.kind != Parameter.VAR_KEYWORD
    }
    assert wanted == {argument.key for argument in command.arguments}


@by_words
def test_every_command_can_speak_json(command):
    assert "--json" in help_of(command)


@pytest.mark.parametrize(
    "words", [["--help"], ["demo", "--help"], ["version"], ["status", "--help"]]
)
def test_help_loads_nothing_heavy(words):
    assert modules_after(*words) & set(HEAVY) == set()


def test_a_halt_loads_no_framework(root):
    loaded = modules_after("halt", "--project", str(root))
    assert "plimsoll.control" in loaded
    assert loaded & {"pydantic", "aiohttp", "rich", "picows"} == set()


@pytest.mark.parametrize(
    "words", [["status"], ["orders"], ["positions"], ["journal", "tail"], ["cancel", "none"]]
)
def test_looking_at_an_account_loads_neither_network_nor_checks(root, words):
    loaded = modules_after(*words, "--project", str(root))
    assert "plimsoll.journal" in loaded
    assert loaded & {"pydantic", "aiohttp", "rich", "picows", "uvloop"} == set()


@pytest.mark.parametrize(
    ("words", "near"),
    [
        (["satus"], "plimsoll status"),
        (["journal", "tial"], "plimsoll journal tail"),
        (["journal"], ""),
    ],
)
def test_an_unknown_command_is_told_with_the_nearest(plimsoll, words, near):
    ran = plimsoll(*words)
    assert ran.code == Exit.USAGE
    assert "there is no command" in ran.err
    assert near in ran.err


def test_an_unknown_option_is_told_with_the_nearest(plimsoll):
    ran = plimsoll("run", "--confirm-life", "main")
    assert ran.code == Exit.USAGE
    assert "did you mean --confirm-live?" in ran.err


@pytest.mark.parametrize(
    ("words", "message"),
    [(["sim", "--port", "x"], "whole number"), (["sim", "--speed", "x"], "a number"),
     (["sim", "--market", "x"], "arrivals"), (["sim", "--port"], "expected one argument")],
)  # fmt: skip
def test_a_wrong_value_is_told_with_what_was_expected(plimsoll, words, message):
    ran = plimsoll(*words)
    assert ran.code == Exit.USAGE
    assert message in ran.err


def test_an_option_may_be_a_variable(plimsoll, monkeypatch, root):
    monkeypatch.setenv("PLIMSOLL_PROJECT", str(root))
    monkeypatch.setenv("PLIMSOLL_JSON", "1")
    assert plimsoll("config", "check").document["ok"] is True


def test_an_error_in_json_is_one_object_on_stderr_and_nothing_on_stdout(plimsoll, tmp_path):
    ran = plimsoll("status", "--project", tmp_path, "--json")
    assert ran.code == Exit.CONFIGURATION
    assert ran.out == ""
    assert ran.error["code"] == "config"
    assert "plimsoll.toml" in ran.error["message"]
    assert "plimsoll demo" in ran.error["hint"]


def test_an_error_in_words_has_a_hint_and_no_traceback(plimsoll, tmp_path):
    ran = plimsoll("status", "--project", tmp_path)
    assert ran.err.startswith("error: ")
    assert "\nhint: " in ran.err
    assert "Traceback" not in ran.err


def test_a_bug_ends_with_a_report_file_and_no_traceback(plimsoll, monkeypatch, tmp_path):
    def broken(_words):
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(entry, "_dispatch", broken)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    ran = plimsoll("version")
    assert ran.code == Exit.UNEXPECTED
    assert "Traceback" not in ran.err
    (report,) = tmp_path.glob("plimsoll-report-*.txt")
    assert str(report) in ran.err
    assert "ZeroDivisionError: a bug" in report.read_text()


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError(file="f", key="k", expected="e"), Exit.CONFIGURATION),
        (CredentialError(file="f", key="k", expected="e"), Exit.CREDENTIALS),
        (KeyboardInterrupt(), Exit.INTERRUPTED),
    ],
)
def test_each_kind_of_end_has_its_code(plimsoll, monkeypatch, error, code):
    def end(_words):
        raise error

    monkeypatch.setattr(entry, "_dispatch", end)
    assert plimsoll("version").code == code


def test_all_mistakes_of_a_configuration_are_told(plimsoll, root):
    path = root / "plimsoll.toml"
    path.write_text(
        path.read_text().replace('tag = "demo"', "tag = 1").replace("leverage = 5", "x = 1")
    )
    ran = plimsoll("config", "check", "--project", root)
    assert ran.code == Exit.CONFIGURATION
    assert "account.tag" in ran.err
    assert "limits.x" in ran.err


def test_the_codes_are_those_of_the_table():
    assert {code.name: int(code) for code in Exit} == {
        "DONE": 0, "UNEXPECTED": 1, "USAGE": 2, "CONFIGURATION": 3, "UNHEALTHY": 4,
        "CREDENTIALS": 5, "UNREACHABLE": 6, "REFUSED": 7, "TIMED_OUT": 8, "FINDINGS": 9,
        "ROLLED_BACK": 10, "INTERRUPTED": 130, "TERMINATED": 143,
    }  # fmt: skip
    assert all(code.meaning for code in Exit)
