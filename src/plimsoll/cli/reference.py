"""The reference pages about commands, configuration and strategies, made from the program.

``python -m plimsoll.cli.reference DIRECTORY`` writes them; a test holds them against the code.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from plimsoll.cli.arguments import Argument, Command
from plimsoll.cli.commands import COMMANDS
from plimsoll.cli.exits import Exit
from plimsoll.cli.strategy.page import strategy_page
from plimsoll.config.schema import (
    LATER,
    Account,
    BreakerKeys,
    Execution,
    InstrumentLimits,
    Journal,
    Limits,
    Operator,
    StrategyEntry,
    Venue,
    Watchdog,
    as_written,
)

_COMMANDS_HEAD: Final = """\
# Commands

Made from the program by `python -m plimsoll.cli.reference docs/reference`.

stdout holds the result, stderr everything else. With `--json` the result is one JSON document with
`schema` and `version` (one a line where it is a stream), and an error is
`{"error": {"code", "message", "hint"}}` on stderr. Fields are only ever added. Every option may be
a variable: `PLIMSOLL_PROJECT`, `PLIMSOLL_ENV` and `PLIMSOLL_JSON` for all commands, else
`PLIMSOLL_COMMAND_OPTION`.
"""

_CONFIGURATION_HEAD: Final = """\
# Configuration

Made from the program by `python -m plimsoll.cli.reference docs/reference`.

A project directory holds `plimsoll.toml`, may hold `config/ENVIRONMENT.toml`, and its strategies.
Later wins: defaults, `plimsoll.toml`, `config/ENVIRONMENT.toml` (chosen with `--env`, default
`development`), variables such as `PLIMSOLL_LIMITS__OPEN_ORDERS=3` (section and key in capitals, two
underscores between), options of the command. A key nobody knows is refused, with the nearest one
that is known. `plimsoll config check` checks everything, `plimsoll config show` prints every value
and where it came from.

| what | is written |
|---|---|
| duration | `"250 ms"`, `"5 s"`, `"2 min"`, `"1 h"`, `"1 d"` |
| fraction | `"2 %"` or `0.02` |
| money | `500`, `"500 USDT"`, `"2_000 USDT"`; exact to 1e-8 |
| multiple | `2`, `1.5`, `"3x"` |
| size | `"10 GB"` (powers of 1000), `"10 GiB"` (of 1024) |
| key, secret | a reference: `"file:PATH"` (mode 600, from the project directory) or `"env:NAME"` |

What the engine writes is below `var/ENVIRONMENT`: `journal/ACCOUNT` (the logs), `lease` (who may
send, and the epoch), `run` (the control socket, a standing halt).
"""

_SECTIONS: Final[tuple[tuple[str, type[BaseModel]], ...]] = (
    ("[venue]", Venue),
    ("[account]", Account),
    ("[journal]", Journal),
    ("[limits]", Limits),
    ('[limits.instrument."NAME"]', InstrumentLimits),
    ("[breakers]", BreakerKeys),
    ("[operator]", Operator),
    ("[execution]", Execution),
    ("[[strategy]]", StrategyEntry),
    ("[watchdog]", Watchdog),
)


def commands_page() -> str:
    """Return ``docs/reference/commands.md``."""
    lines = [_COMMANDS_HEAD, "## Exit codes", "", "| code | meaning |", "|---|---|"]
    lines += [f"| {int(code)} | {code.meaning} |" for code in Exit]
    for command in COMMANDS:
        lines += _command(command)
    return "\n".join(lines) + "\n"


def configuration_page() -> str:
    """Return ``docs/reference/configuration.md``."""
    lines = [_CONFIGURATION_HEAD]
    for title, section in _SECTIONS:
        lines += _section(title, section)
    lines += [
        "## `[limits.strategy.NAME]`",
        "",
        "The keys of `[limits]` up to `net_exposure`, for one instance, measured on what is its",
        "own: requests, orders and positions in its instruments, its profit since 00:00 UTC and",
        "from its highest, its exposure over its capital and profit. One left out narrows",
        "nothing; none may be wider than the account's, which holds besides. `plimsoll limits",
        "set` changes them while the engine runs.",
        "",
        "## Not yet",
        "",
        "| key | |",
        "|---|---|",
        *(f"| `{key}` | {words} |" for key, words in LATER.items()),
    ]
    return "\n".join(lines) + "\n"


def _command(command: Command) -> list[str]:
    lines = ["", f"## `plimsoll {command.words}`", ""]
    lines += [f"{command.summary[0].upper()}{command.summary[1:]}. {command.details}".strip()]
    lines += ["", *(f"    {example}" for example in command.examples), ""]
    lines += ["| argument | |", "|---|---|"]
    return lines + [_argument(argument) for argument in command.arguments]


def _argument(argument: Argument) -> str:
    value = argument.metavar or " or ".join(argument.choices)
    shown = argument.name if argument.is_flag or not value else f"{argument.name} {value}"
    is_told = argument.default not in (None, "", 0) and not argument.is_flag
    default = f"; default `{argument.default}`" if is_told else ""
    return f"| `{shown}` | {argument.help}{default} |"


def _section(title: str, section: type[BaseModel]) -> Iterator[str]:
    words = (section.__doc__ or "").partition(": ")[2]
    yield from (f"## `{title}`", "", f"{words[0].upper()}{words[1:]}", "")
    yield from ("| key | default | |", "|---|---|---|")
    for name, field in section.model_fields.items():
        key = field.alias or name
        if name in ("strategy", "instrument"):
            continue  # tables of their own
        yield f"| `{key}` | {_default(field)} | {field.description}{_choices(field)} |"
    yield ""


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value: Any = as_written(field.metadata, field.default)
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if value is None or value in ("", (), {}):
        return "none"
    return f'`"{value}"`' if isinstance(value, str) else f"`{value}`"


def _choices(field: FieldInfo) -> str:
    if field.examples:
        example = field.examples[0]
        return f" Such as `{_toml(example)}`."
    words = [word for word in get_args(field.annotation) if isinstance(word, str)]
    return f" One of {', '.join(f'`{word}`' for word in words)}." if len(words) > 1 else ""


def _toml(value: object) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(one)}" for key, one in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return f'"{value}"' if isinstance(value, str) else str(value)


def write(directory: Path) -> None:
    """Write the pages."""
    (directory / "commands.md").write_text(commands_page())
    (directory / "configuration.md").write_text(configuration_page())
    (directory / "strategy.md").write_text(strategy_page())


if __name__ == "__main__":
    write(Path(sys.argv[1]))
