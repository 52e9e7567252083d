"""``strategy set`` and ``strategy reload``: an instance changed while the engine runs.

What will not do is refused here, before anything is sent; the engine judges once more.
"""

import signal
import sys
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import msgspec

from plimsoll.cli.arguments import usage
from plimsoll.cli.books import replica_of
from plimsoll.cli.exits import Exit
from plimsoll.cli.failure import Failure
from plimsoll.cli.giving import given, new_command
from plimsoll.cli.output import print_json
from plimsoll.cli.strategy.check import read
from plimsoll.cli.watching import watching
from plimsoll.cli.wiring import loader
from plimsoll.config.errors import ConfigError
from plimsoll.config.project import Project, load_project
from plimsoll.config.sources import digest_of, is_file, locate
from plimsoll.core.model import strategy_of
from plimsoll.core.records import IncidentRaised, ParametersChanged, Record, StrategyReloaded
from plimsoll.core.settings import StrategySettings
from plimsoll.core.strategy import parameters_of
from plimsoll.core.strategy.parameters import read_hot, shown

_WATCH_S: Final = 5.0
_PATIENCE_S: Final = 10.0
_WHY: Final = "an instance is changed in the engine; while none runs, in plimsoll.toml or its file"


def change(name: str, pairs: list[str], project: str, env: str, *, json: bool, reason: str) -> Exit:
    """Change hot parameters of a running strategy in each of its books: all of them or none.

    Raises:
        Failure: no such instance, a value will not do, no engine runs, or it refused.
    """
    found = load_project(Path(project), env)
    entry = _running(found, name)
    values = {key: _value(text) for key, text in map(_pair, pairs)}
    _check(found, entry, values)
    command = new_command("strategy-set", reason, strategy=name, params=values)
    seq = given(found.layout, command, _WHY).seq
    record = _told(found, seq, ParametersChanged)
    kept = ", ".join(f"{key} = {shown(value)}" for key, value in values.items())
    if json:
        fields = {"strategy": name, "values": record.values, "before": record.before}
        print_json({"accepted": True, "seq": seq, "id": command.id, **fields, "keep": kept})
        return Exit.DONE
    for key, value in record.values.items():
        print(f"{name}: {key} is {shown(value)} at seq {seq}; it was {shown(record.before[key])}")
    print(
        f"It holds over restarts until {found.layout.main_file} says something else of it.\n"
        f"To write it down, in the [[strategy]] table of {name}: params = {{ {kept} }}"
    )
    return Exit.DONE


def reload(name: str, project: str, env: str, *, json: bool, orders: str, reason: str) -> Exit:
    """Let a running strategy go on, in each of its books, with the code its file holds now.

    Raises:
        ConfigError: the file cannot be used: nothing was sent.
        Failure: no such instance, no engine runs, or it refused.
    """
    found = load_project(Path(project), env)
    entry = _running(found, name)
    key = f"strategy.{name}.class"
    path = locate(entry.source, found.root, key=key)
    if not is_file(entry.source):
        hint = "restart for it, or name a file of the project: strategies/FILE.py:Class"
        raise ConfigError(
            file=path, key=key, expected="an installed module is loaded once", hint=hint
        )
    sha = digest_of(path)
    for finding in read(path, found.root):
        print(f"warning: {finding.place}: {finding.rule.code}: {finding.what}", file=sys.stderr)
    with _patience(path, key):
        loader(found)(msgspec.structs.replace(entry, source_hash=sha))
    command = new_command("strategy-reload", reason, strategy=name, sha256=sha, orders=orders)
    seq = given(found.layout, command, _WHY).seq
    record = _told(found, seq, StrategyReloaded)
    if json:
        fields = {"strategy": name, "before": record.before, "sha256": record.source_hash}
        state = {"kept": record.kept, "dropped": record.dropped, "fresh": record.fresh}
        print_json(
            {"accepted": True, "seq": seq, **fields, "orders": record.orders, "state": state}
        )
    else:
        print(_reloaded(entry, record))
    return Exit.DONE


def _reloaded(entry: StrategySettings, record: StrategyReloaded) -> str:
    rows = [
        f"{strategy_of(entry.name)} runs {entry.source} {record.source_hash[:12]} from seq "
        f"{record.seq}; it was {record.before[:12]}",
        f"  orders     {'left as they are' if record.orders == 'keep' else 'cancelled'}; "
        "positions and their stops stay",
        f"  state      {', '.join(record.kept) or 'none'} gone over",
    ]
    if record.dropped:
        rows.append(
            f"  dropped    {', '.join(record.dropped)}: not declared any more, or otherwise"
        )
    if record.fresh:
        rows.append(f"  new        {', '.join(record.fresh)}: begun with the default")
    return "\n".join(rows)


# ---- what is there ----


def _running(project: Project, name: str) -> StrategySettings:
    """Return a strategy as it runs: with the code and the parameters of the newest session."""
    with replica_of(project.books) as replica:
        settings = replica.core.settings
    entries = {strategy_of(one.name): one for one in settings.strategies} if settings else {}
    if name in entries:
        return entries[name]
    strategy = strategy_of(name)
    if strategy in entries:
        what = f"{name} is a book of {strategy}: its books change together and never differ"
        raise usage(what, f"did you mean {strategy}?")
    known = ", ".join(entries) or "none"
    raise usage(
        f"no strategy is called {name!r}; running: {known}", "as `plimsoll mode show` has it"
    )


def _check(project: Project, entry: StrategySettings, values: dict[str, Any]) -> None:
    """Refuse what the running code does not take; where that is not at hand the engine does."""
    try:
        kind = type(loader(project)(entry))
    except ConfigError:
        return
    _, wrong = read_hot(kind.__name__, parameters_of(kind), values)
    if wrong:
        lines = [
            f"{one.name}: {one.expected}{f', found {one.found}' if one.found else ''}"
            for one in wrong
        ]
        hints = dict.fromkeys(one.hint for one in wrong if one.hint)
        raise usage("\n       ".join(lines), "\n      ".join(hints))


def _told(project: Project, seq: int, kind: Callable[..., Any]) -> Any:  # noqa: ANN401 - the record
    """Return the record that a command led to.

    Raises:
        Failure: it came to nothing, or its record has not come.
    """
    with watching(project.journal_dir, seq) as watch:

        def found() -> list[Record]:
            return [
                one
                for one in watch.records
                if one.cause == seq and isinstance(one, (kind, IncidentRaised))  # type: ignore[arg-type]
            ]

        watch.until(seq, lambda: bool(found()), _WATCH_S)
        records = found()
    if not records:
        raise Failure(Exit.TIMED_OUT, "unanswered", f"accepted at seq {seq}; see the log")
    for one in records:
        if not isinstance(one, IncidentRaised):
            return one
    first = records[0]
    assert isinstance(first, IncidentRaised)
    raise Failure(Exit.REFUSED, first.code, first.text)


# ---- words ----


def _pair(text: str) -> tuple[str, str]:
    name, mark, value = text.partition("=")
    if not mark or not name.strip():
        raise usage(f"expected KEY=VALUE, found {text!r}", "plimsoll strategy set ema fast=10")
    return name.strip(), value.strip()


def _value(text: str) -> Any:  # noqa: ANN401 - whatever TOML has
    """Return a value as the configuration would read it; a bare word is text."""
    try:
        found = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        return text
    value = found["value"] if list(found) == ["value"] else text
    return value if isinstance(value, bool | int | float | str | list) else text


@contextmanager
def _patience(path: Path, key: str) -> Iterator[None]:
    """Refuse a file whose import does not end."""

    def end(_number: int, _frame: object) -> None:
        what = f"its import does not end within {_PATIENCE_S:g} s"
        hint = "nothing may wait, read or connect while a strategy is imported"
        raise ConfigError(file=path, key=key, expected=what, hint=hint)

    before = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, _PATIENCE_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
