"""The pages in docs/reference are those the program makes, and they leave nothing out."""

from pathlib import Path

import pytest

from plimsoll.cli.commands import COMMANDS
from plimsoll.cli.exits import Exit
from plimsoll.cli.reference import commands_page, configuration_page
from plimsoll.cli.strategy.page import strategy_page
from plimsoll.cli.strategy.rules import RULES
from plimsoll.config.schema import LimitKeys, Settings, StrategyEntry
from plimsoll.core.strategy import Strategy

REFERENCE = Path(__file__).parents[2] / "docs/reference"


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("commands.md", commands_page),
        ("configuration.md", configuration_page),
        ("strategy.md", strategy_page),
    ],
)
def test_the_page_in_the_repository_is_the_one_made_now(name, make):
    assert (REFERENCE / name).read_text() == make(), (
        "python -m plimsoll.cli.reference docs/reference"
    )


def test_every_command_argument_and_code_is_on_the_page():
    page = commands_page()
    for command in COMMANDS:
        assert f"## `plimsoll {command.words}`" in page
        assert all(f"| `{argument.name}" in page for argument in command.arguments)
    assert all(f"| {int(code)} | {code.meaning} |" in page for code in Exit)


def test_every_section_and_key_is_on_the_page():
    page = configuration_page()
    for name in Settings.model_fields:
        assert f"[{name}]" in page
    for section in (LimitKeys, StrategyEntry):
        for name, field in section.model_fields.items():
            assert f"| `{field.alias or name}` |" in page


def test_everything_a_strategy_can_do_and_every_code_of_the_check_is_on_the_page():
    page = strategy_page()
    for name in dir(Strategy):
        if not name.startswith("_") and name not in ("instruments", "bars", "signal"):
            assert f"`{name}(" in page or f"`self.{name}" in page
    assert all(f"| `{code}` |" in page for code in RULES)
