"""Parameters of a strategy: annotated class attributes, with bounds where somebody gave some.

    fast: int = 10
    notional: Decimal = param(Decimal(500), ge=10, hot=True)
    side: Literal["long", "short", "both"] = "both"
    weights: tuple[float, ...] = param((0.5, 0.5), ge=0, le=1)

What a configuration says is read strictly, as its own values are: no text for a number, no number
for a truth. ``read_values`` gives every parameter of the class, so that instances share nothing.
"""

import difflib
from collections.abc import Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from math import isfinite
from typing import (
    Any,
    ClassVar,
    Final,
    Literal,
    NamedTuple,
    TypeVar,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)

from plimsoll.core.strategy.keeping import Kept

_Value = TypeVar("_Value")

_WORDS: Final[dict[Any, tuple[str, str]]] = {
    bool: ("true or false", "truths"),
    int: ("a whole number", "whole numbers"),
    float: ("a number", "numbers"),
    Decimal: ("a number", "numbers"),
    str: ("text in quotes", "texts in quotes"),
}
_LEAST: Final = -(1 << 63)
_MOST: Final = (1 << 63) - 1
_BOUNDED: Final = (int, float, Decimal)
_TYPES: Final = (
    "bool, int, float, str, Decimal, Literal or StrEnum, or a tuple or list of one of them"
)

Bound = int | float | Decimal


class Declared:
    """What ``param(...)`` leaves on a class; reads as its default until an instance has another."""

    __slots__ = ("choices", "default", "ge", "help", "hot", "le")

    def __init__(
        self,
        default: object,
        ge: Bound | None = None,
        le: Bound | None = None,
        choices: Sequence[object] = (),
        *,
        hot: bool = False,
        help: str = "",
    ) -> None:
        """Keep what was declared."""
        self.default = default
        self.ge = ge
        self.le = le
        self.choices = tuple(choices)
        self.hot = hot
        self.help = help

    def __get__(self, instance: object, owner: type) -> Any:  # noqa: ANN401 - any parameter
        """Return the default: what is set on an instance is found before this."""
        return list(self.default) if isinstance(self.default, list) else self.default


def param(
    default: _Value,
    *,
    ge: Bound | None = None,
    le: Bound | None = None,
    choices: Sequence[object] = (),
    hot: bool = False,
    help: str = "",
) -> _Value:
    """Declare a parameter with more than a type and a default.

    Args:
        default: Where the configuration says nothing; typed as this.
        ge: Smallest value, of each element where it is a list.
        le: Largest value.
        choices: The only values there are.
        hot: Whether the strategy reads it anew each time, so that it may change while it runs.
        help: What it means; the string below the attribute does as well.
    """
    return cast("_Value", Declared(default, ge, le, choices, hot=hot, help=help))


class Parameter(NamedTuple):
    """One parameter of a class."""

    name: str
    kind: Any
    """Its annotation."""
    default: Any
    ge: Bound | None = None
    le: Bound | None = None
    choices: tuple[Any, ...] = ()
    hot: bool = False
    help: str = ""

    @property
    def element(self) -> Any:  # noqa: ANN401 - a type, or what stands for one
        """Return the type of one value: of an element where there are several."""
        return get_args(self.kind)[0] if self.is_list else self.kind

    @property
    def is_list(self) -> bool:
        """Return whether it takes several values."""
        return get_origin(self.kind) in (tuple, list)

    @property
    def length(self) -> int | None:
        """Return how many values it takes, None where any number will do."""
        parts = get_args(self.kind)
        is_fixed = get_origin(self.kind) is tuple and parts[-1] is not Ellipsis
        return len(parts) if is_fixed else None

    def read(self, value: object) -> Any:  # noqa: ANN401 - of its own type
        """Return a value of the configuration as the class has it.

        Raises:
            ValueError: it will not do.
        """
        if not self.is_list:
            return self._one(value)
        if not isinstance(value, list | tuple) or self.length not in (None, len(value)):
            raise ValueError(self.expected)
        found = [self._one(one) for one in value]
        return found if get_origin(self.kind) is list else tuple(found)

    @property
    def expected(self) -> str:
        """Return in words what will do."""
        if self.is_list:
            count = "" if self.length is None else f" {self.length}"
            return f"a list of{count} {self._words(1)}"
        return self._words(0)

    def _words(self, plural: int) -> str:
        if self.choices:
            return (
                f"{'values out of' if plural else 'one of'} {', '.join(map(shown, self.choices))}"
            )
        bounds = [] if self.ge is None else [f" from {self.ge}"]
        bounds += [] if self.le is None else [f" up to {self.le}"]
        return _WORDS[self.element][plural] + "".join(bounds)

    def _one(self, value: object) -> Any:  # noqa: ANN401 - of the element's type
        found = _typed(self.element, value)
        is_within = found is not None and (
            (not self.choices or found in self.choices)
            and (self.ge is None or found >= self.ge)
            and (self.le is None or found <= self.le)
        )
        if not is_within:
            raise ValueError(self.expected)
        return found


class WrongParameter(NamedTuple):
    """A value of a configuration that will not do."""

    name: str
    expected: str
    found: str
    hint: str


def read_values(
    owner: str, declared: Mapping[str, Parameter], values: Mapping[str, object]
) -> tuple[dict[str, Any], list[WrongParameter]]:
    """Return a value for every parameter, and what is wrong with those that were given.

    Args:
        owner: Name of the class, for the words.
        declared: Its parameters.
        values: What the configuration says.
    """
    found = {name: one.read(one.default) for name, one in declared.items()}
    wrong = []
    for name, value in values.items():
        if name not in declared:
            hint = _near(name, list(declared)) or f"it has: {', '.join(declared) or 'none'}"
            wrong.append(WrongParameter(name, f"{owner} has no such parameter", "", hint))
            continue
        one = declared[name]
        try:
            found[name] = one.read(value)
        except ValueError as error:
            is_word = isinstance(value, str) and not one.is_list
            hint = (_near(value, one.choices) if is_word else "") or one.help
            wrong.append(WrongParameter(name, f"expected {error}", shown(value), hint))
    return found, wrong


def read_hot(
    owner: str, declared: Mapping[str, Parameter], values: Mapping[str, object]
) -> tuple[dict[str, Any], list[WrongParameter]]:
    """Return the values of hot parameters as the class has them, and what is wrong with others."""
    hot = ", ".join(name for name, one in declared.items() if one.hot) or "none"
    found: dict[str, Any] = {}
    wrong: list[WrongParameter] = []
    for name, value in values.items():
        read, faults = read_values(owner, declared, {name: value})
        wrong += faults
        if name in declared and not declared[name].hot:
            text = "it is read at a start only: change the configuration and restart"
            wrong.append(WrongParameter(name, text, "", f"declared hot: {hot}"))
        elif not faults:
            found[name] = read[name]
    return found, wrong


def plain(value: object) -> Any:  # noqa: ANN401 - whatever JSON has
    """Return a value as JSON has it; exact numbers as text."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return str(value) if isinstance(value, str) else value


def declared_by(cls: type, words: Sequence[str]) -> dict[str, Parameter]:
    """Return the parameters a class declares, by name.

    Args:
        cls: The class; its annotations, and those of its bases, are read.
        words: Names that mean something else on it already.

    Raises:
        TypeError: an annotation without default or of another type, a default that will not do.
    """
    found: dict[str, Parameter] = {}
    hints = _hints(cls)
    for name, kind in hints.items():
        if name.startswith("_") or get_origin(kind) is ClassVar or name in _NEEDS:
            continue
        what = f"{cls.__name__}.{name}"
        static = _static(cls, name)
        if isinstance(static, Kept):
            continue
        if not hasattr(cls, name):
            raise TypeError(f"{what}: a parameter needs a default")
        if name in words:
            raise TypeError(f"{what}: this is a word of every strategy; give it another name")
        found[name] = _parameter(what, name, kind, static)
    for base in cls.__mro__:
        for name, value in vars(base).items():
            if isinstance(value, Declared) and name not in hints:
                raise TypeError(
                    f"{cls.__name__}.{name}: a parameter needs a type: {name}: int = param(5)"
                )
    return found


_NEEDS: Final = frozenset({"instruments", "bars", "signal"})


def _static(cls: type, name: str) -> object:
    """Return what stands on the class; a plain ``name = 3`` below a ``param`` keeps its bounds."""
    bases = [base for base in cls.__mro__ if name in vars(base)]
    newest = vars(bases[0])[name] if bases else None
    for base in bases:
        value = vars(base)[name]
        if isinstance(value, Declared):
            more = {field: getattr(value, field) for field in Declared.__slots__}
            return Declared(**more | {"default": newest}) if value is not newest else value
        if name in vars(base).get("__annotations__", {}):
            break
    return newest


def _hints(cls: type) -> dict[str, Any]:
    try:
        return get_type_hints(cls)
    except NameError as error:
        raise TypeError(f"{cls.__name__}: an annotation cannot be read: {error}") from error


def _parameter(what: str, name: str, kind: object, static: object) -> Parameter:
    one = Parameter(name, kind, static)
    if isinstance(static, Declared):
        one = Parameter(
            name,
            kind,
            static.default,
            static.ge,
            static.le,
            static.choices,
            static.hot,
            static.help,
        )
    parts = [part for part in get_args(kind) if part is not Ellipsis] if one.is_list else [kind]
    if not parts or any(part != parts[0] for part in parts):
        raise TypeError(f"{what}: a parameter is {_TYPES}")
    element = parts[0]
    if not one.choices and _choices(element):
        one = one._replace(choices=_choices(element))
    if element not in _WORDS and not _choices(element):
        raise TypeError(f"{what}: a parameter is {_TYPES}")
    if (one.ge is not None or one.le is not None) and element not in _BOUNDED:
        raise TypeError(f"{what}: only numbers have bounds")
    try:
        return one._replace(default=one.read(one.default))
    except ValueError as error:
        text = f"{what}: its default {shown(one.default)} is not {error}"
        raise TypeError(text) from error


def _choices(kind: object) -> tuple[Any, ...]:
    if get_origin(kind) is Literal:
        return get_args(kind)
    return tuple(kind) if isinstance(kind, type) and issubclass(kind, StrEnum) else ()


def _typed(kind: Any, value: object) -> Any:  # noqa: ANN401 - of that type
    """Return the value as this type, None where it is of another."""
    if get_origin(kind) is Literal:
        same = (one for one in get_args(kind) if type(one) is type(value) and one == value)
        return next(same, None)
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return next((one for one in kind if one.value == value), None)
    if kind is Decimal:
        return _decimal(value)
    if type(value) is int and kind in (int, float) and not _LEAST <= value <= _MOST:
        return None  # a record could not hold it
    if kind is float and type(value) is int:
        value = float(value)
    if type(value) is not kind or (kind is float and not isfinite(cast("float", value))):
        return None
    return value


def _decimal(value: object) -> Decimal | None:
    """Return an exact number; a float stands for its shortest text."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        return None
    try:
        found = Decimal(str(value))
    except ArithmeticError:
        return None
    return found if found.is_finite() else None


def shown(value: object) -> str:
    """Return a value as a configuration writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(shown, value))}]"
    return f'"{value}"' if isinstance(value, str) else str(value)


def _near(word: object, known: Sequence[object]) -> str:
    near = difflib.get_close_matches(str(word), [str(one) for one in known], n=1, cutoff=0.5)
    return f"did you mean {near[0]!r}?" if near else ""
