"""How a command is described, and the parser made from it.

The standard parser, because it starts in 10 ms: `halt` must not wait for a framework to load.
Every option may also be given as a variable, PLIMSOLL_<COMMAND>_<OPTION> or, for the shared ones,
PLIMSOLL_<OPTION>; a command imports what it needs only when it runs.
"""

import argparse
import difflib
import keyword
import math
import os
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, Final, NamedTuple, NoReturn

from plimsoll.cli.exits import Exit
from plimsoll.cli.failure import Failure


class Argument(NamedTuple):
    """An option (its name begins with dashes) or a positional argument of a command."""

    name: str
    help: str
    kind: Callable[[str], object] = str
    default: object = None
    choices: tuple[str, ...] = ()
    metavar: str = ""
    is_flag: bool = False
    least: int | None = None
    """Smallest number taken; None where any will do."""

    is_many: bool = False
    """Whether a positional argument is a list of one or more."""

    @property
    def is_option(self) -> bool:
        """Return whether it is written with dashes."""
        return self.name.startswith("-")

    @property
    def key(self) -> str:
        """Return its name as a parameter of the command's function: ``--from`` is ``from_``."""
        name = self.name.lstrip("-").replace("-", "_")
        return f"{name}_" if keyword.iskeyword(name) else name


class Command(NamedTuple):
    """One command: its words, what it says about itself, and the function behind it."""

    words: str
    summary: str
    examples: tuple[str, ...]
    target: str
    """``module:function`` below ``plimsoll.cli``; called with the arguments by keyword."""
    arguments: tuple[Argument, ...] = ()
    details: str = ""

    def variable(self, argument: Argument) -> str:
        """Return the variable that stands in for an option."""
        shared = argument in SHARED
        words = () if shared else self.words.upper().split()
        return "_".join(("PLIMSOLL", *words, argument.key.rstrip("_").upper()))

    def run(self, values: dict[str, Any]) -> Exit:
        """Import the function and call it."""
        module, _, name = self.target.partition(":")
        code: Exit = getattr(import_module(f"plimsoll.cli.{module}"), name)(**values)
        return code


PROJECT: Final = Argument(
    "--project", "project directory, the one that holds plimsoll.toml", default=".", metavar="DIR"
)
ENVIRONMENT: Final = Argument(
    "--env", "environment: config/NAME.toml and var/NAME", default="", metavar="NAME"
)
JSON: Final = Argument("--json", "print JSON, errors on stderr as JSON too", is_flag=True)
SHARED: Final = (PROJECT, ENVIRONMENT, JSON)
CALLBACK_LIMIT: Final = Argument(
    "--callback-limit",
    "seconds of processor time a callback may take before the run ends and names it; 0: any",
    kind=float,
    default=10.0,
    metavar="S",
    least=0,
)
"""Of runs of the past."""


def usage(message: str, hint: str) -> Failure:
    """Return the refusal of a command line."""
    return Failure(Exit.USAGE, "usage", message, hint)


class _Parser(argparse.ArgumentParser):
    """A parser that raises instead of ending the process."""

    def error(self, message: str) -> NoReturn:
        raise usage(message, f"{self.prog} --help shows examples")


def find(commands: Sequence[Command], words: Sequence[str]) -> tuple[Command, list[str]]:
    """Return the command that the arguments begin with, and the arguments left for it.

    Raises:
        Failure: no command has this name.
    """
    for command in sorted(commands, key=lambda one: -len(one.words)):  # `sim compare` before `sim`
        parts = command.words.split()
        if list(words[: len(parts)]) == parts:
            return command, list(words[len(parts) :])
    asked = " ".join(words[:2]) if _is_group(commands, words[0]) else words[0]
    names = [command.words for command in commands]
    near = difflib.get_close_matches(asked, names, n=1, cutoff=0.4)
    hint = f"did you mean `plimsoll {near[0]}`?" if near else "plimsoll --help lists the commands"
    raise usage(f"there is no command {asked!r}", hint)


def parse(command: Command, words: Sequence[str]) -> dict[str, Any] | None:
    """Return the values of a command's arguments, None when its help was asked for.

    Raises:
        Failure: the arguments are not understood.
    """
    if "--help" in words or "-h" in words:
        return None
    parser = _Parser(prog=f"plimsoll {command.words}", add_help=False, allow_abbrev=False)
    for argument in command.arguments:
        _add(parser, command, argument)
    values, rest = parser.parse_known_args(words)
    if rest:
        raise _unknown(command, rest[0])
    return vars(values)


def _add(parser: argparse.ArgumentParser, command: Command, argument: Argument) -> None:
    if argument.is_flag:
        is_set = os.environ.get(command.variable(argument), "") not in ("", "0", "false")
        parser.add_argument(argument.name, action="store_true", default=is_set)
        return
    options: dict[str, Any] = {"type": _typed(argument), "default": argument.default}
    if argument.choices:
        options["choices"] = argument.choices
    if argument.is_option:
        # A text default is parsed as if it had been given.
        options["default"] = os.environ.get(command.variable(argument), argument.default)
        options["dest"] = argument.key
    elif argument.is_many:
        options["nargs"] = "+"
    elif argument.default is not None:
        options["nargs"] = "?"
    parser.add_argument(argument.name, **options)


def _typed(argument: Argument) -> Callable[[str], object]:
    """Return the reader of one argument; what it refuses is told with the argument's own words."""
    kind = "a whole number" if argument.kind is int else "a number"

    def read(text: str) -> object:
        try:
            value = argument.kind(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"expected {kind}, found {text!r}") from None
        if isinstance(value, int | float) and not _is_within(value, argument.least):
            bound = "" if argument.least is None else f" from {argument.least}"
            raise argparse.ArgumentTypeError(f"expected {kind}{bound}, found {text!r}")
        return value

    return read


def _is_within(value: float, least: int | None) -> bool:
    return math.isfinite(value) and (least is None or value >= least)


def _unknown(command: Command, word: str) -> Failure:
    names = [argument.name for argument in command.arguments if argument.is_option]
    near = difflib.get_close_matches(word.partition("=")[0], names, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]}?" if near else f"plimsoll {command.words} --help"
    return usage(f"plimsoll {command.words} has no argument {word!r}", hint)


def _is_group(commands: Sequence[Command], word: str) -> bool:
    return any(command.words.startswith(f"{word} ") for command in commands)


# ---- help ----


def help_of(command: Command) -> str:
    """Return a command's help: examples first, then what it does, then its arguments."""
    lines = ["examples:", *(f"  {example}" for example in command.examples), ""]
    lines += [f"{command.summary[0].upper()}{command.summary[1:]}."]
    lines += [command.details] if command.details else []
    if command.arguments:
        lines += ["", "arguments:"]
        shown = [_shown(argument) for argument in command.arguments]
        width = max(map(len, shown))
        for name, argument in zip(shown, command.arguments, strict=True):
            lines.append(f"  {name:<{width}}  {argument.help}{_default(argument)}")
        first = next((item for item in command.arguments if item.is_option), None)
        if first:
            lines += ["", f"Options may be variables too: {command.variable(first)}."]
    return "\n".join(lines)


def overview(commands: Sequence[Command]) -> str:
    """Return the list of commands, an example first."""
    width = max(len(command.words) for command in commands)
    lines = [
        "example:",
        "  plimsoll demo --duration 30     trade on a simulated exchange, no keys, no network",
        "",
        "commands:",
        *(f"  {command.words:<{width}}  {command.summary}" for command in commands),
        "",
        "plimsoll COMMAND --help shows examples and arguments of a command.",
    ]
    return "\n".join(lines)


def _shown(argument: Argument) -> str:
    if argument.is_flag:
        return argument.name
    value = argument.metavar or "|".join(argument.choices) or argument.key.rstrip("_").upper()
    value += "..." if argument.is_many else ""
    return f"{argument.name} {value}" if argument.is_option else value


def _default(argument: Argument) -> str:
    is_told = argument.default not in (None, "", 0) and not argument.is_flag
    return f" [{argument.default}]" if is_told else ""
