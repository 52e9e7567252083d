"""``strategy list`` and ``strategy schema``: what there is, and what it can be told."""

import difflib
import json as json_text
from pathlib import Path
from typing import Any, NamedTuple

from plimsoll.cli import text
from plimsoll.cli.books import holder_of
from plimsoll.cli.changed import changed_of, document
from plimsoll.cli.exits import Exit
from plimsoll.cli.failure import Failure
from plimsoll.cli.output import print_json
from plimsoll.cli.strategies import classes_in
from plimsoll.cli.strategy.describing import parameters, row_of, schema_of, summary
from plimsoll.cli.strategy.finding import class_named, strategy_files
from plimsoll.cli.watching import newest_journal, watching
from plimsoll.cli.wiring import loader
from plimsoll.config.errors import ConfigError
from plimsoll.config.project import Project, load_project
from plimsoll.config.translate import core_settings
from plimsoll.core.engine.changes import Change
from plimsoll.core.model import cash_text
from plimsoll.core.settings import StrategySettings
from plimsoll.core.strategy import Strategy
from plimsoll.core.strategy.parameters import plain, shown
from plimsoll.journal import JournalError


class _Logged(NamedTuple):
    """What the newest log says above the configuration, by strategy."""

    modes: dict[str, str]
    params: dict[str, dict[str, Change]]
    is_running: bool


def strategies(name: str, project: str, env: str, *, json: bool) -> Exit:
    """Print the instances of a project and the classes in its folder, or one of them whole."""
    found = load_project(Path(project), env)
    load = loader(found)
    entries = [(entry, load(entry)) for entry in core_settings(found).strategies]
    logged = _logged(found)
    if name:
        by_name = {entry.name: (entry, one) for entry, one in entries}
        return _one(found, name, by_name, logged, json=json)
    classes = _classes(found)
    if json:
        instances = [_document(entry, strategy, logged) for entry, strategy in entries]
        print_json({"strategies": instances, "classes": classes})
        return Exit.DONE
    if entries:
        titles = ("name", "mode", "class", "instruments", ">capital", "parameters")
        print(text.table(titles, [_row(entry, one, logged) for entry, one in entries]))
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
    project: Project,
    name: str,
    entries: dict[str, tuple[StrategySettings, Strategy]],
    logged: _Logged,
    *,
    json: bool,
) -> Exit:
    changes: list[str] = []
    if name in entries:
        entry, strategy = entries[name]
        kind, told = type(strategy), _document(entry, strategy, logged)
        changes = [
            f"{key} is set to {shown(one.value)}, by `strategy set`{_until(entry, key, one)}"
            for key, one in _changed(entry, logged).items()
        ]
        head = f"{name}: {entry.source}, {entry.mode}, capital {text.money(entry.capital)}"
        values = {key: getattr(strategy, key) for key in parameters(kind)}
        instruments = entry.instruments or tuple(strategy.instruments)
    elif ":" in name or name.endswith(".py"):
        found = class_named(name, project.root)
        kind, head = found.kind, found.source
        told = _class_document(found.source, kind)
        values = {key: one.default for key, one in parameters(kind).items()}
        instruments = tuple(kind.instruments)
    else:
        near = difflib.get_close_matches(name, entries, n=1, cutoff=0.5)
        known = f"instances: {', '.join(entries) or 'none'}; a class is written FILE.py:Class"
        hint = f"did you mean {near[0]!r}?" if near else known
        raise Failure(Exit.USAGE, "usage", f"there is no instance {name!r}", hint)
    if json:
        print_json(told | {"parameters": schema_of(kind)})
        return Exit.DONE
    frames = ", ".join(f"{frame} ({keep} kept)" for frame, keep in kind.bars.items())
    print(f"{head}\n{summary(kind)}\n")
    print(f"instruments  {', '.join(instruments) or 'as the configuration says'}")
    print(f"bars         {frames or 'none'}\n")
    rows = [row_of(one, values[key]) for key, one in parameters(kind).items()]
    titles = ("parameter", "value", "default", "takes", "")
    print(text.table(titles, rows) if rows else "no parameters")
    if changes:
        print("\n" + "\n".join(changes))
    return Exit.DONE


def _until(entry: StrategySettings, key: str, one: Change) -> str:
    if entry.params.get(key) == one.configured:
        return ""
    return "; the file was changed since and holds from the next start on"


# ---- all ----


def _logged(project: Project) -> _Logged:
    """Return what the newest log says; nothing where none can be read."""
    folder = newest_journal(project.layout)
    if folder is None:
        return _Logged({}, {}, is_running=False)
    try:
        with watching(folder) as watch:
            modes = watch.core.state.modes.standings.values()
            switched = {one.strategy: one.words for one in modes if one.seq}
            is_running = holder_of(project.books) is not None
            return _Logged(switched, changed_of(watch.core), is_running)
    except JournalError:
        return _Logged({}, {}, is_running=False)


def _changed(entry: StrategySettings, logged: _Logged) -> dict[str, Change]:
    """Return what was changed of a strategy and holds: in the engine that runs, or in the next."""
    changed = logged.params.get(entry.name, {})
    return {
        key: one for key, one in changed.items() if logged.is_running or not _until(entry, key, one)
    }


def _document(entry: StrategySettings, strategy: Strategy, logged: _Logged) -> dict[str, Any]:
    changed = _changed(entry, logged)
    return {
        "name": entry.name,
        "class": entry.source,
        "mode": str(entry.mode),
        "instruments": list(entry.instruments or strategy.instruments),
        "capital": cash_text(entry.capital),
        "params": {key: plain(value) for key, value in _values(strategy).items()},
        "changed": {
            key: {**document(one), "until_next_start": bool(_until(entry, key, one))}
            for key, one in changed.items()
        },
        "switched": logged.modes.get(entry.name, ""),
        "sha256": entry.source_hash,
    }


def _row(entry: StrategySettings, strategy: Strategy, logged: _Logged) -> tuple[str, ...]:
    instruments = ", ".join(entry.instruments or strategy.instruments)
    changed = _changed(entry, logged)
    values = ", ".join(
        f"{name} = {shown(value)}"
        + (f" (set to {shown(changed[name].value)})" if name in changed else "")
        for name, value in _values(strategy).items()
    )
    capital = text.money(entry.capital)
    mode = str(entry.mode)
    if entry.name in logged.modes:
        mode += f"; switched to {logged.modes[entry.name]}"
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
