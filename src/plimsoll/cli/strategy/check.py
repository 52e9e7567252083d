"""``strategy check``: what stands against a strategy before it runs, by reading and by loading."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from plimsoll.cli.exits import Exit
from plimsoll.cli.failure import Failure
from plimsoll.cli.output import print_json
from plimsoll.cli.strategies import classes_in, load
from plimsoll.cli.strategy.finding import file_named, strategy_files
from plimsoll.cli.strategy.lint import check_file
from plimsoll.cli.strategy.rules import RULES, Finding
from plimsoll.cli.wiring import loader
from plimsoll.config.errors import ConfigError
from plimsoll.config.layout import Layout
from plimsoll.config.project import Project, load_project
from plimsoll.config.sources import locate, split
from plimsoll.config.translate import core_settings
from plimsoll.core.settings import StrategySettings
from plimsoll.core.strategy import Strategy


class Need(NamedTuple):
    """What a class asks for, seen by loading it."""

    name: str
    instruments: tuple[str, ...]
    bars: dict[str, int]
    hears: tuple[str, ...]

    @property
    def text(self) -> str:
        """Return it in one line."""
        frames = ", ".join(f"{frame} x {keep}" for frame, keep in self.bars.items())
        names = ", ".join(self.instruments) or "what the configuration names"
        return f"{names}; bars {frames or 'none'}; hears {', '.join(self.hears) or 'nothing'}"


def check(name: str, project: str, env: str, *, json: bool) -> Exit:
    """Print every finding and what the classes need; 4 when one of them is an error.

    Raises:
        ConfigError: there is no such file, or it is no Python.
        Failure: no instance and no file has this name.
    """
    root = Path(project).absolute()
    paths, needs, findings = [], [], []
    if name and (name.endswith(".py") or ".py:" in name):
        paths = [file_named(name.rpartition(":")[0] if ".py:" in name else name, root)]
    else:
        found = load_project(root, env)
        paths = list(dict.fromkeys(_files_of(found, name)))
    for path in paths:
        findings += read(path, root)
        loaded, trouble = _loaded(path, root)
        needs += loaded
        findings += trouble
    findings += _instances(root, env, name)
    findings = list(dict.fromkeys(findings))
    if json:
        print_json({"findings": list(map(_document, findings)), "needs": list(map(_need, needs))})
    else:
        _print(findings, needs, len(paths))
    return Exit.UNHEALTHY if any(one.rule.is_error for one in findings) else Exit.DONE


def warnings(project: Project) -> Iterator[str]:
    """Yield a line for each finding in the files of a project's instances.

    An engine starts all the same: rules read source and may be wrong, a newer release may know
    more of them, and a strategy with positions must be able to come back after a crash.
    """
    for path in dict.fromkeys(_files_of(project, "", all_files=False)):
        for one in read(path, project.root):
            yield f"{one.place}: {one.rule.code}: {one.what}"


def read(path: Path, root: Path) -> list[Finding]:
    """Return the findings of a file and of those beside it that it imports.

    Raises:
        ConfigError: one of them is no Python.
    """
    try:
        return check_file(path, root)
    except SyntaxError as error:
        where = f"cannot be read as Python (line {error.lineno}): {error.msg}"
        raise ConfigError(file=error.filename or path, expected=where) from error


def _files_of(project: Project, name: str, *, all_files: bool = True) -> Iterator[Path]:
    entries = {entry.name: entry for entry in project.settings.strategy}
    if name and name not in entries:
        raise Failure(
            Exit.USAGE,
            "usage",
            f"there is no instance {name!r}",
            f"instances: {', '.join(entries) or 'none'}; a file is written strategies/FILE.py",
        )
    for entry in [entries[name]] if name else entries.values():
        yield locate(entry.class_, project.root, key=f"strategy.{entry.name}.class").resolve()
    if not name and all_files:
        yield from (path.resolve() for path in strategy_files(project))


def _loaded(path: Path, root: Path) -> tuple[list[Need], list[Finding]]:
    """Load every class of a file as an engine would, without parameters of an instance."""
    place = str(path.relative_to(root.resolve()) if path.is_relative_to(root.resolve()) else path)
    try:
        kinds = classes_in(path, place)
    except ConfigError as error:
        return [], [Finding(place, 1, RULES["load"], str(error))]
    needs, findings = [], []
    for name, kind in kinds.items():
        settings = StrategySettings(name=name, source=f"{place}:{name}")
        try:
            strategy = load(settings, root, path=path)
        except ConfigError as error:
            findings.append(Finding(place, 1, RULES["load"], error.expected))
        else:
            needs.append(Need(name, tuple(strategy.instruments), dict(strategy.bars), _hears(kind)))
    return needs, findings


def _instances(root: Path, env: str, name: str) -> list[Finding]:
    """Return why instances of the configuration cannot be loaded, where there is one."""
    if not Layout(root).main_file.is_file() or ".py" in name:
        return []
    project, findings = load_project(root, env), []
    make = loader(project)
    for entry in core_settings(project).strategies:
        if name in ("", entry.name):
            try:
                make(entry)
            except ConfigError as error:
                what = "; ".join(str(one) for one in (error, *error.others))
                findings.append(Finding(split(entry.source)[0], 1, RULES["load"], what))
    return findings


def _hears(kind: type[Strategy]) -> tuple[str, ...]:
    hooks = [name for name in vars(Strategy) if name.startswith("on_")]
    return tuple(
        name.removeprefix("on_")
        for name in hooks
        if getattr(kind, name) is not getattr(Strategy, name)
    )


def _document(one: Finding) -> dict[str, Any]:
    return {
        "file": one.file,
        "line": one.line,
        "code": one.rule.code,
        "severity": "error" if one.rule.is_error else "warning",
        "what": one.what,
        "why": one.rule.why,
        "fix": one.rule.fix,
    }


def _need(one: Need) -> dict[str, Any]:
    return one._asdict() | {"instruments": list(one.instruments), "hears": list(one.hears)}


def _print(findings: list[Finding], needs: list[Need], files: int) -> None:
    for one in findings:
        kind = "error" if one.rule.is_error else "warning"
        print(f"{one.place}: {kind}: {one.rule.code}: {one.what}")
        print(f"    why: {one.rule.why}\n    fix: {one.rule.fix}")
    for need in needs:
        print(f"{need.name}: {need.text}")
    errors = sum(one.rule.is_error for one in findings)
    print(f"{files} files, {errors} errors, {len(findings) - errors} warnings")
