"""Reading the layers and merging them: later wins, and every value knows where it came from."""

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from plimsoll.config.errors import ConfigError
from plimsoll.config.layout import Layout

ENV_PREFIX: Final = "PLIMSOLL_"
_NESTED: Final = "__"


class Layer(NamedTuple):
    """One source of values, named as messages name it."""

    name: str
    values: dict[str, Any]


def read_layers(
    layout: Layout, environ: Mapping[str, str], options: Mapping[str, Any]
) -> list[Layer]:
    """Return the layers of a project, weakest first: files, variables, command options.

    Args:
        layout: Whose files.
        environ: Variables; those named ``PLIMSOLL_SECTION__KEY`` count.
        options: Values by dotted key, as given on the command line.

    Raises:
        ConfigError: a file is no TOML, or a variable has no place.
    """
    layers = [_file(layout.main_file)]
    if layout.environment_file.is_file():
        layers.append(_file(layout.environment_file))
    layers += _variables(environ)
    for key, value in options.items():
        nested: dict[str, Any] = {}
        _put(nested, key.split("."), value)
        layers.append(Layer("command line", nested))
    return layers


def merge(layers: Iterable[Layer]) -> dict[str, Any]:
    """Return one tree: tables are merged key by key, everything else is replaced."""
    merged: dict[str, Any] = {}
    for layer in layers:
        _merge_into(merged, layer.values)
    return merged


def origin(layers: Iterable[Layer], path: tuple[str | int, ...]) -> str:
    """Return the name of the layer that a value, or where it is missing its table, came from."""
    found, deepest = "", -1
    for layer in layers:
        depth = _depth(layer.values, path)
        if depth >= deepest and (depth > 0 or not found):
            found, deepest = layer.name, depth
    return found


def _file(path: Path) -> Layer:
    try:
        with path.open("rb") as file:
            return Layer(str(path), tomllib.load(file))
    except OSError as error:
        raise ConfigError(file=path, expected=f"cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(
            file=path,
            expected=f"not TOML: {error}",
            hint='text values stand in quotes, tables in [brackets]: name = "main"',
        ) from error


def _variables(environ: Mapping[str, str]) -> list[Layer]:
    layers = []
    for name in sorted(environ):
        if name.startswith(ENV_PREFIX) and _NESTED in name:
            path = name.removeprefix(ENV_PREFIX).lower().split(_NESTED)
            values: dict[str, Any] = {}
            _put(values, path, environ[name])
            layers.append(Layer(name, values))
    return layers


def _put(tree: dict[str, Any], path: list[str], value: object) -> None:
    for key in path[:-1]:
        tree = tree.setdefault(key, {})
    tree[path[-1]] = value


def _merge_into(target: dict[str, Any], values: Mapping[str, Any]) -> None:
    for key, value in values.items():
        if isinstance(value, dict):
            below = target.get(key)
            target[key] = dict(below) if isinstance(below, dict) else {}
            _merge_into(target[key], value)
        else:
            target[key] = value


def _depth(tree: dict[str, Any], path: tuple[str | int, ...]) -> int:
    """Return how many steps of the path exist in the tree."""
    values: Any = tree
    for depth, step in enumerate(path):
        try:
            values = values[step]
        except (KeyError, IndexError, TypeError):
            return depth
    return len(path)
