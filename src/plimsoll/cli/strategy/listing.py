"""``strategy list`` and ``strategy schema``: what there is, and what it can be told."""

import difflib
import json as json_text
from pathlib import Path
from typing import Any

from plimsoll.cli import text
from plimsoll.cli.exits import Exit
from plimsoll.cli.failure import Failure
from plimsoll.cli.mode import switched_modes
from plimsoll.cli.output import print_json
from plimsoll.cli.strategies import classes_in
from plimsoll.cli.strategy.describing import parameters, row_of, schema_of, summary
from plimsoll.cli.strategy.finding import class_named, strategy_files
from plimsoll.cli.wiring import loader
from plimsoll.config.errors import ConfigError
from plimsoll.config.project import Project, load_project
from plimsoll.config.translate import core_settings
from plimsoll.core.model import cash_text
from plimsoll.core.settings import StrategySettings
from plimsoll.core.strategy import Strategy
from plimsoll.core.strategy.parameters import plain, shown


def strategies(name: str, project: str, env: str, *, json: bool) -> Exit:
    """Print the instances of a project and the classes in its folder, or one of them whole."""
    found = load_project(Path(project), env)
    load = loader(found)
    entries = [(entry, load(entry)) for entry in core_settings(found).strategies]
    if name:
        return _one(found, name, dict((entry.name, (entry, one)) for entry, one in entries), json)
    classes, switched = _classes(found), switched_modes(found.layout)
    if json:
        instances = [
            _document(entry, strategy) | {"switched": switched.get(entry.name, "")}
            for entry, strategy in entries
        ]
        print_json({"strategies": instances, "classes": classes})
        return Exit.DONE
    if entries:
        titles = ("name", "mode", "class", "instruments", ">capital", "parameters")
        print(text.table(titles, [_row(entry, strategy, switched) for entry, strategy in entries]))
    else:
        print(f"no strategies: add [[strategy]] to {found.layout.main_file}")
    if classes:
        rows = [(one["class"], one.get("summary") or one.get("error", "")) for one in classes]
        print(f"\n{text.table(('class in strategies/', ''), rows)}")
    return Exit.DONE


def schema(name: str, project: str, env: str, *, json: bool) -> Exit:
    """Print the JSON schema of a class's parameters.

    Raises:
        ConfigError: the class cannot be loaded.
        Failure: the word names no class.
    """
    _ = env
    found = class_named(name, Path(project))
    try:
        made = schema_of(found.kind)
    except TypeError as error:
        raise ConfigError(file=found.path, key=found.source, expected=str(error)) from error
    if json:
        print_json({"class": found.source, "params": made})
    else:
        print(json_text.dumps(made, indent=2))
    return Exit.DONE


# ---- one ----


def _one(
    project: Project, name: str, entries: dict[str, tuple[StrategySettings, Strategy]], json: bool
) -> Exit:
    if name in entries:
        entry, strategy = entries[name]
        kind, document = type(strategy), _document(entry, strategy)
        head = f"{name}: {entry.source}, {entry.mode}, capital {text.money(entry.capital)}"
        values = {key: getattr(strategy, key) for key in parameters(kind)}
        instruments = entry.instruments or tuple(strategy.instruments)
    elif ":" in name or name.endswith(".py"):
        found = class_named(name, project.root)
        kind, head = found.kind, found.source
        document = _class_document(found.source, kind)
        values = {key: one.default for key, one in parameters(kind).items()}
        instruments = tuple(kind.instruments)
    else:
        near = difflib.get_close_matches(name, entries, n=1, cutoff=0.5)
        known = f"instances: {', '.join(entries) or 'none'}; a class is written FILE.py:Class"
        hint = f"did you mean {near[0]!r}?" if near else known
        raise Failure(Exit.USAGE, "usage", f"there is no instance {name!r}", hint)
    if json:
        print_json(document | {"parameters": schema_of(kind)})
        return Exit.DONE
    frames = ", ".join(f"{frame} ({keep} kept)" for frame, keep in kind.bars.items())
    print(f"{head}\n{summary(kind)}\n")
    print(f"instruments  {', '.join(instruments) or 'as the configuration says'}")
    print(f"bars         {frames or 'none'}\n")
    rows = [row_of(one, values[key]) for key, one in parameters(kind).items()]
    titles = ("parameter", "value", "default", "takes", "")
    print(text.table(titles, rows) if rows else "no parameters")
    return Exit.DONE


# ---- all ----


def _document(entry: StrategySettings, strategy: Strategy) -> dict[str, Any]:
    return {
        "name": entry.name,
        "class": entry.source,
        "mode": str(entry.mode),
        "instruments": list(entry.instruments or strategy.instruments),
        "capital": cash_text(entry.capital),
        "params": {key: plain(value) for key, value in _values(strategy).items()},
        "sha256": entry.source_hash,
    }


def _row(entry: StrategySettings, strategy: Strategy, switched: dict[str, str]) -> tuple[str, ...]:
    instruments = ", ".join(entry.instruments or strategy.instruments)
    values = ", ".join(f"{name} = {shown(value)}" for name, value in _values(strategy).items())
    capital = text.money(entry.capital)
    mode = str(entry.mode)
    if entry.name in switched:
        mode += f"; switched to {switched[entry.name]}"
    return entry.name, mode, entry.source, instruments, capital, values


def _values(strategy: Strategy) -> dict[str, Any]:
    return {name: getattr(strategy, name) for name in parameters(type(strategy))}


def _classes(project: Project) -> list[dict[str, Any]]:
    """Return every class in the folder; a file that cannot be imported says why."""
    rows: list[dict[str, Any]] = []
    for path in strategy_files(project):
        place = path.relative_to(project.root)
        try:
            kinds = classes_in(path, str(place))
            rows += [_class_document(f"{place}:{name}", kind) for name, kind in kinds.items()]
        except (ConfigError, TypeError) as error:
            rows.append({"class": str(place), "error": str(error)})
    return rows


def _class_document(source: str, kind: type[Strategy]) -> dict[str, Any]:
    defaults = {name: plain(one.default) for name, one in parameters(kind).items()}
    return {
        "class": source,
        "summary": summary(kind),
        "instruments": list(kind.instruments),
        "bars": dict(kind.bars),
        "params": defaults,
    }
