"""From what a person names to classes: an instance, a file, a class of a file or of a package."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from plimsoll.cli.exits import Exit
from plimsoll.cli.failure import Failure
from plimsoll.cli.strategies import class_of, classes_in
from plimsoll.config.errors import ConfigError
from plimsoll.config.project import Project
from plimsoll.config.sources import locate, split
from plimsoll.core.strategy import Strategy


class Found(NamedTuple):
    """A class and where it is."""

    source: str
    """As ``class`` in a configuration names it."""
    path: Path
    kind: type[Strategy]


def class_named(word: str, root: Path) -> Found:
    """Return the one class of ``FILE.py:Class``, ``FILE.py`` or ``package.module:Class``.

    Raises:
        ConfigError: there is no such file or class, or it cannot be imported.
        Failure: the file has several classes and none was named, or the word names nothing.
    """
    if word.endswith(".py"):
        path = file_named(word, root)
        classes = classes_in(path, word)
        if len(classes) != 1:
            raise Failure(
                Exit.USAGE,
                "usage",
                f"{word} has {len(classes) or 'no'} strategies: {', '.join(classes) or 'none'}",
                f"name one: {word}:CLASS",
            )
        ((name, kind),) = classes.items()
        return Found(f"{_within(path, root)}:{name}", path, kind)
    if ":" not in word:
        raise Failure(
            Exit.USAGE,
            "usage",
            f"{word!r} is no class",
            "such as strategies/ema.py:EmaCross or package.module:Class",
        )
    place, name = split(word)
    path = file_named(place, root) if place.endswith(".py") else locate(word, root, key=word)
    source = f"{_within(path, root)}:{name}" if place.endswith(".py") else word
    return Found(source, path, class_of(source, path, word))


def file_named(word: str, root: Path) -> Path:
    """Return a file, named from where one stands or from the project directory.

    Raises:
        ConfigError: there is none.
    """
    for path in (Path(word), root / word):
        if path.is_file():
            return path.resolve()
    raise ConfigError(file=word, expected="there is no such file")


def strategy_files(project: Project) -> Iterator[Path]:
    """Yield the files of the project's folder that have a class with callbacks, by name."""
    for path in sorted(project.layout.strategies_dir.glob("*.py")):
        try:
            tree = ast.parse(path.read_text(encoding="utf-8"))
        except (SyntaxError, UnicodeDecodeError):
            yield path  # whoever loads it tells what is wrong
            continue
        if any(isinstance(node, ast.ClassDef) and node.bases for node in tree.body):
            yield path


def _within(path: Path, root: Path) -> Path:
    whole = root.resolve()
    return path.relative_to(whole) if path.is_relative_to(whole) else path
