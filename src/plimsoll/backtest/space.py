"""What a search may choose from: a range or some values for each parameter.

Words are those of a command line: ``fast=5..50``, ``stop=0.5..3..0.5``, ``side=long|short``, and
``fast`` alone where the class declares both bounds or its choices.
"""

import difflib
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from plimsoll.core.strategy.parameters import Parameter

Value = str | int | float | bool


class Range(msgspec.Struct, frozen=True):
    """Numbers from ``low`` to ``high``, both included; ``step`` 0 = any number between."""

    name: str
    low: float
    high: float
    step: float
    is_whole: bool


class Choice(msgspec.Struct, frozen=True):
    """Some values without an order."""

    name: str
    values: tuple[Value, ...]


Dimension = Range | Choice


def dimension_of(
    words: str, declared: Mapping[str, Parameter], value_of: Callable[[str], Value]
) -> Dimension:
    """Return one parameter's part of the space.

    Args:
        words: Such as ``fast=5..50``.
        declared: The parameters of the class.
        value_of: Reads a value as the command line means it.

    Raises:
        ValueError: the words mean nothing, or go beyond what the class takes; says how to mend it.
    """
    name, has_values, text = (part.strip() for part in words.partition("="))
    one = declared.get(name)
    if one is None:
        near = difflib.get_close_matches(name, declared, n=1, cutoff=0.5)
        known = f"did you mean {near[0]!r}?" if near else f"it has: {', '.join(declared)}"
        raise ValueError(f"the strategy has no parameter {name!r}; {known}")
    if one.is_list:
        raise ValueError(f"{name} takes several values: no search chooses them")
    if not has_values:
        return _declared(one)
    if ".." in text:
        return _range(one, [value_of(part.strip()) for part in text.split("..")])
    values = tuple(value_of(part.strip()) for part in text.split("|"))
    for value in values:
        one.read(value)
    return Choice(name, values)


def _declared(one: Parameter) -> Dimension:
    if one.choices:
        return Choice(one.name, one.choices)
    if one.kind is bool:
        return Choice(one.name, (False, True))
    if one.ge is None or one.le is None:
        missing = "no bounds" if one.ge is None and one.le is None else "one bound only"
        raise ValueError(f"{one.name} declares {missing}: write {one.name}=LOW..HIGH")
    return _range(one, [_plain(one.ge), _plain(one.le)])


def _range(one: Parameter, ends: list[Value]) -> Range:
    if len(ends) not in (2, 3) or not all(_is_number(end) for end in ends):
        raise ValueError(f"{one.name}: expected LOW..HIGH or LOW..HIGH..STEP")
    if one.kind not in (int, float, Decimal):
        raise ValueError(f"{one.name} is no number: write {one.name}=this|that")
    low, high, *rest = ends
    is_whole = one.kind is int
    step = rest[0] if rest else int(is_whole)
    assert not isinstance(low, str)
    assert not isinstance(high, str)
    assert not isinstance(step, str)
    if not low < high or step < 0:
        raise ValueError(f"{one.name}: expected a low end below the high one and a step above 0")
    for end in (low, high):
        one.read(end)
    if is_whole and not isinstance(step, int):
        raise ValueError(f"{one.name} takes whole numbers, found the step {step}")
    return Range(one.name, low, high, step, is_whole)


def _is_number(value: Value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _plain(bound: Any) -> Value:  # noqa: ANN401 - int, float or Decimal
    return bound if isinstance(bound, int) else float(bound)
