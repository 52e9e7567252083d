"""``limits show`` and ``limits set``: the limits in force, and changing one in a running engine."""

from pathlib import Path
from typing import Any, Final

import msgspec

from plimsoll.cli import text
from plimsoll.cli.arguments import usage
from plimsoll.cli.books import replica_of
from plimsoll.cli.exits import Exit
from plimsoll.cli.giving import new_command, no_engine, send
from plimsoll.cli.output import print_json
from plimsoll.cli.passphrase import typed
from plimsoll.config import units
from plimsoll.config.books import load_books
from plimsoll.control import ControlUnreachable
from plimsoll.core.engine import Core
from plimsoll.core.model import cash_text
from plimsoll.core.risk.limits import ACCOUNT, KEYS, Unit, is_wider, prefix_of, refusal_of
from plimsoll.core.settings import NO_LIMIT

_CHANGED: Final = "changed while running"
_READ: Final = {
    Unit.CASH: units.cash,
    Unit.BASE: units.quantity,
    Unit.FRACTION: units.fraction_ppm,
    Unit.MULTIPLE: units.multiple_ppm,
}
_SHOWN: Final = {
    Unit.CASH: cash_text,
    Unit.BASE: cash_text,
    Unit.FRACTION: units.fraction_text,
    Unit.MULTIPLE: units.multiple_text,
    Unit.COUNT: str,
}


def show(project: str, env: str, *, json: bool) -> Exit:
    """Print every limit in force, from the logs."""
    with replica_of(load_books(Path(project), env)) as replica:
        rows = _rows(replica.core)
    if json:
        names = ("key", "value", "changed")
        print_json({"limits": [dict(zip(names, row, strict=True)) for row in rows]})
    else:
        shown = [(key, value, _CHANGED if is_new else "") for key, value, is_new in rows]
        print(text.table(("limit", ">value", ""), shown))
    return Exit.DONE


def change(
    key: str,
    value: str,
    project: str,
    env: str,
    *,
    json: bool,
    strategy: str,
    instrument: str,
    reason: str,
) -> Exit:
    """Change one limit of the running engine; a raise asks for the operator's passphrase.

    Raises:
        Failure: the limit cannot be set, no engine runs, or it refused.
    """
    scope = _scope(strategy, instrument)
    books = load_books(Path(project), env)
    number = _number(key, value)
    with replica_of(books) as replica:
        core = replica.core
    refusal = refusal_of(scope, key, number, core.settings)
    if refusal:
        raise usage(refusal, "plimsoll limits show lists them")
    before = core.state.limits.value(scope, key)
    command = new_command("limits", reason, scope=scope, key=key, value=number)
    if is_wider(key, number, before):
        command = msgspec.structs.replace(command, proof=typed("this raises a limit"))
    try:
        answer = send(books.layout, command)
    except ControlUnreachable as error:
        why = "limits are changed in the engine; while none runs, in plimsoll.toml"
        raise no_engine(books.layout, why, "limits set") from error
    name, was = f"{prefix_of(scope)}.{key}", _text(key, before)
    if json:
        fields = {"key": name, "value": _text(key, number), "before": was}
        print_json({"accepted": True, "seq": answer.seq, "id": command.id, **fields})
    else:
        print(f"{name} is {_text(key, number)} at seq {answer.seq}; it was {was or 'not set'}")
    return Exit.DONE


def _scope(strategy: str, instrument: str) -> str:
    if strategy and instrument:
        raise usage("a limit is of an instance or of an instrument", "leave one of the two out")
    if instrument and ":" not in instrument:
        raise usage(f"{instrument!r} is no instrument", "such as --instrument linear:BTCUSDT")
    return strategy or instrument or ACCOUNT


def _number(key: str, value: str) -> int:
    found = KEYS.get(key)
    if found is None:
        raise usage(f"there is no limit {key!r}", f"known: {', '.join(KEYS)}")
    try:
        read = _READ.get(found.unit)
        return read(value) if read else int(value)
    except ValueError as error:
        expected = error if found.unit in _READ else "a whole number"
        raise usage(f"{key}: expected {expected}, found {value!r}", "") from None


def _rows(core: Core) -> list[tuple[str, str, bool]]:
    limits = core.state.limits
    scopes = (ACCOUNT, *limits.instances, *limits.instruments)
    return [
        (f"{prefix_of(scope)}.{name}", shown, (scope, name) in limits.changes)
        for scope in scopes
        for name in KEYS
        if (shown := _text(name, limits.value(scope, name)))
    ]


def _text(name: str, value: int) -> str:
    """Return a value in the words of the file, empty where it narrows nothing."""
    words: Any = _SHOWN[KEYS[name].unit]
    return words(value) if 0 <= value < NO_LIMIT else ""
