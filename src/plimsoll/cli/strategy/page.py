"""``docs/reference/strategy.md``, made from the docstrings of what a strategy can do."""

import inspect
from collections.abc import Callable, Iterator
from typing import Any, Final

from plimsoll.cli.strategy.rules import RULES
from plimsoll.core.strategy import Strategy
from plimsoll.core.strategy.indicating import Indicating
from plimsoll.core.strategy.indicators import KINDS
from plimsoll.core.strategy.rehearsal import Rehearsal

_HEAD: Final = """\
# Strategies

Made from the program by `python -m plimsoll.cli.reference docs/reference`.

A strategy is a class that extends `plimsoll.core.strategy.Strategy`. Everything it hears, says and
knows is here; how to write one: [write a strategy](../how-to/write-a-strategy.md).
"""

_SAYS: Final = ("target", "quote", "buy", "sell", "size", "timer")

_PARAMETERS: Final = """\
## Parameters

An annotated attribute with a default, `fast: int = 5`, or with more:
`slow: int = param(20, ge=2, le=500, hot=True, help="bars of the slow average")`. The string below
an attribute does for `help=`. `hot` says that the strategy reads it anew each time:
`plimsoll strategy set` changes it [in a running engine](../how-to/change-a-running-strategy.md).

| type | in `params` |
|---|---|
| `int` | `5`; no `5.0`, no text |
| `float` | `0.5` or `5`; neither nan nor inf |
| `Decimal` | `"0.001"`, `0.001` or `5`; a number without quotes is read by its shortest text |
| `bool` | `true`, `false` |
| `str` | `"text"` |
| `Literal["a", "b"]`, a `StrEnum` | one of the values |
| `tuple[float, ...]`, `list[int]`, `tuple[int, int]` | `[0.5, 0.5]`; bounds hold for each value |

Every mistake is told at once when the configuration is read, with file, key, what would do and the
nearest name; exit code 3. `plimsoll strategy schema CLASS` prints the JSON schema.

## State

`count = state(0)` in the class is saved each minute and at a stop, and there again after a restart:
numbers, text, truths, lists and dicts of these, or one indicator,
`spread = state(StandardDeviation(60))`. Bars, indicators, timers, targets and the random stream are
kept without asking. Anything else on `self` is forgotten; what `on_start` works out is worked out
again.

## Signals

`signal = Alert` in the class, where `class Alert(Signal)` has fields with types: a field without a
default must be there, one that is not declared is refused.
`Annotated[float, msgspec.Meta(ge=0)]` bounds one. `max_age_s: ClassVar[float] = 60.0` and
`most_per_minute: ClassVar[int] = 60` may be set on it.
[How to send them](../how-to/send-signals.md).
"""

_CHECK: Final = """\
## What `strategy check` finds

`plimsoll strategy check` reads a file, and those beside it that it imports, and loads its classes.
An error ends it with exit code 4; an engine and `plimsoll config check` warn of both kinds and go
on. A comment in the line, or alone in the line above, silences one code and must say why:
`# plimsoll: allow(clock) shown to people, never decided on`.
"""


def strategy_page() -> str:
    """Return ``docs/reference/strategy.md``."""
    hears = [name for name in vars(Strategy) if name.startswith("on_")]
    knows = [
        name for name in vars(Strategy) if name[0] != "_" and name not in (*hears, *_SAYS, *_NEEDS)
    ]
    lines = [
        _HEAD,
        *_section("What it hears", Strategy, hears),
        *_section("What it says", Strategy, _SAYS),
        "Refusals are values, never exceptions: `target` and `quote` return one or None; an order",
        "that `buy` or `sell` returned has `state`, `refusal`, `filled_lots`, `is_working`,",
        "`amend()` and `cancel()`; so has `handle_of(order)` of one of `orders(instrument)`.",
        "",
        *_section("What it knows", Strategy, knows),
        *_indicators(),
        _PARAMETERS,
        _CHECK,
        *_rules(),
        *_section("On a stage", Rehearsal, [one for one in vars(Rehearsal) if one[0] != "_"]),
        '`Rehearsal(EmaCross(), "linear:BTCUSDT")` plays to a strategy in its tests: it shows',
        "wishes, matches nothing and refuses nothing. `from plimsoll.core.strategy.rehearsal`.",
    ]
    return "\n".join(lines).rstrip() + "\n"


_NEEDS: Final = ("instruments", "bars", "signal")


def _section(title: str, owner: type, names: Any) -> Iterator[str]:  # noqa: ANN401 - names
    yield from (f"## {title}", "", "| | |", "|---|---|")
    for name in names:
        found = inspect.getattr_static(owner, name)
        text = _words(inspect.getdoc(found) or "")
        call = f"self.{name}" if isinstance(found, property) else f"{name}({_arguments(found)})"
        yield f"| `{call}` | {text} |"
    yield ""


def _indicators() -> Iterator[str]:
    yield from ("## Indicators", "", _words(inspect.getdoc(Indicating) or ""), "")
    yield from ("| | |", "|---|---|")
    for name, method in vars(Indicating).items():
        if name in KINDS:
            text = _words(inspect.getdoc(KINDS[name]) or "")
            yield f"| `self.{name}({_arguments(method)})` | {text} |"
    yield ""


def _rules() -> Iterator[str]:
    yield from ("| code | | why | instead |", "|---|---|---|---|")
    for rule in RULES.values():
        kind = "error" if rule.is_error else "warning"
        yield f"| `{rule.code}` | {kind} | {rule.why} | {rule.fix} |"
    yield ""


def _arguments(method: Callable[..., Any]) -> str:
    words = []
    is_named = False
    for one in list(inspect.signature(method).parameters.values())[1:]:
        if one.kind is one.KEYWORD_ONLY and not is_named:
            is_named = True
            words.append("*")
        default = "" if one.default is one.empty else f"={_default(one.default)}"
        star = "*" if one.kind is one.VAR_POSITIONAL else ""
        words.append(f"{star}{one.name}{default}")
    return ", ".join(words)


def _default(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else repr(value)


def _words(text: str) -> str:
    """Return a docstring as one line of a table; sections about arguments are left out."""
    kept = text.split("\n\nArgs:")[0].split("\n\nRaises:")[0]
    return " ".join(kept.split()).replace("``", "`").replace("|", "\\|")
