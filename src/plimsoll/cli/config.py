"""``config check`` and ``config show``."""

import json as json_text
from pathlib import Path

from pydantic import BaseModel

from plimsoll.cli import text
from plimsoll.cli.exits import Exit
from plimsoll.cli.output import print_json
from plimsoll.cli.strategy.check import warnings as strategy_warnings
from plimsoll.cli.wiring import loaded_settings, passphrase_hash
from plimsoll.config.project import Project, load_project
from plimsoll.config.schema import as_written
from plimsoll.config.secret import read_key


def check(project: str, env: str, *, json: bool) -> Exit:
    """Check everything that can be checked without the venue.

    Raises:
        ConfigError: something cannot be used.
    """
    found = load_project(Path(project), env)
    core = loaded_settings(found)
    read_key(found)
    passphrase_hash(found)
    warnings = [*found.warnings(), *strategy_warnings(found)]
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
