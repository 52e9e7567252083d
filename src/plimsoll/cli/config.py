"""``config check``, ``config show`` and ``strategy list``."""

import json as json_text
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from plimsoll.cli import text
from plimsoll.cli.exits import Exit
from plimsoll.cli.output import print_json
from plimsoll.cli.wiring import loader, passphrase_hash
from plimsoll.config.project import Project, load_project
from plimsoll.config.schema import as_written
from plimsoll.config.secret import read_key
from plimsoll.config.translate import core_settings
from plimsoll.core.settings import StrategySettings
from plimsoll.core.strategy import Strategy, parameters_of


def check(project: str, env: str, *, json: bool) -> Exit:
    """Check everything that can be checked without the venue.

    Raises:
        ConfigError: something cannot be used.
    """
    found = load_project(Path(project), env)
    core = core_settings(found)
    load = loader(found)
    for entry in core.strategies:
        load(entry)
    read_key(found)
    passphrase_hash(found)
    warnings = list(found.warnings())
    if json:
        print_json({"ok": True, "warnings": warnings, "strategies": len(core.strategies)})
        return Exit.DONE
    for warning in warnings:
        print(f"warning  {warning}")
    names = ", ".join(f"{entry.name} ({entry.mode})" for entry in core.strategies) or "none"
    print(f"ok       {found.root}, {found.layout.environment}: strategies {names}")
    return Exit.DONE


def show(project: str, env: str, *, json: bool) -> Exit:
    """Print every value and where it came from."""
    found = load_project(Path(project), env)
    rows = _values(found, found.settings, ())
    if json:
        titles = ("key", "value", "origin")
        print_json({"values": [dict(zip(titles, row, strict=True)) for row in rows]})
    else:
        print(text.table(("key", "value", "from"), rows))
    return Exit.DONE


def strategies(project: str, env: str, *, json: bool) -> Exit:
    """Print each instance with the parameters its class has."""
    found = load_project(Path(project), env)
    load = loader(found)
    entries = [(entry, load(entry)) for entry in core_settings(found).strategies]
    if json:
        print_json({"strategies": [_document(entry, strategy) for entry, strategy in entries]})
    elif entries:
        titles = ("name", "mode", "class", "instruments", "parameters")
        print(text.table(titles, [_row(entry, strategy) for entry, strategy in entries]))
    else:
        print(f"no strategies: add [[strategy]] to {found.layout.main_file}")
    return Exit.DONE


def _document(entry: StrategySettings, strategy: Strategy) -> dict[str, Any]:
    return {
        "name": entry.name,
        "class": entry.source,
        "mode": str(entry.mode),
        "instruments": list(entry.instruments or strategy.instruments),
        "params": _parameters(strategy),
        "sha256": entry.source_hash,
    }


def _row(entry: StrategySettings, strategy: Strategy) -> tuple[str, ...]:
    instruments = ", ".join(entry.instruments or strategy.instruments)
    values = ", ".join(f"{name} = {value}" for name, value in _parameters(strategy).items())
    return entry.name, str(entry.mode), entry.source, instruments, values


def _parameters(strategy: Strategy) -> dict[str, Any]:
    return {name: getattr(strategy, name) for name in parameters_of(type(strategy))}


def _values(
    project: Project, section: BaseModel, path: tuple[str | int, ...]
) -> list[tuple[str, str, str]]:
    rows: list[tuple[str, str, str]] = []
    for name, field in type(section).model_fields.items():
        value, here = getattr(section, name), (*path, field.alias or name)
        key = ".".join(map(str, here))
        if isinstance(value, BaseModel):
            rows += _values(project, value, here)
        elif isinstance(value, dict) and name in ("strategy", "instrument"):
            for child, entry in value.items():
                rows += _values(project, entry, (*here, child))
        elif isinstance(value, tuple) and name == "strategy":
            for place, entry in enumerate(value):
                rows += _values(project, entry, (*here, place))
        else:
            default = as_written(field.metadata, value)
            shown = json_text.dumps(project.written(*here, default=default), default=str)
            rows.append((key, shown, project.origin(*here)))
    return rows
