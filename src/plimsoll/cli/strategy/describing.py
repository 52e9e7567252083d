"""A class in words and as a schema: its parameters, what they take, what they mean."""

import ast
import sys
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from plimsoll.core.strategy import Parameter, Strategy, parameters_of
from plimsoll.core.strategy.parameters import plain, shown

_JSON_TYPES: Final = {bool: "boolean", int: "integer", float: "number", str: "string"}


def parameters(kind: type[Strategy]) -> dict[str, Parameter]:
    """Return the parameters of a class; the string below an attribute is its help.

    Raises:
        TypeError: one is declared in a way that cannot be.
    """
    words = _strings_below(kind)
    return {
        name: one if one.help else one._replace(help=words.get(name, ""))
        for name, one in parameters_of(kind).items()
    }


def schema_of(kind: type[Strategy]) -> dict[str, Any]:
    """Return the JSON schema (2020-12) of ``params`` in a configuration.

    ``x-hot`` marks parameters that may change while the strategy runs.
    """
    return {
        "title": kind.__name__,
        "description": summary(kind),
        "type": "object",
        "additionalProperties": False,
        "properties": {name: _property(one) for name, one in parameters(kind).items()},
    }


def summary(kind: type[Strategy]) -> str:
    """Return the first line of a class's docstring."""
    return (kind.__doc__ or "").strip().partition("\n")[0]


def row_of(one: Parameter, value: object) -> tuple[str, str, str, str, str]:
    """Return a parameter's row: name, value, default, what it takes, what it means."""
    takes = f"{one.expected}{', hot' if one.hot else ''}"
    return one.name, shown(value), shown(one.default), takes, one.help


def _property(one: Parameter) -> dict[str, Any]:
    found = _element(one)
    if one.is_list:
        found = {"type": "array", "items": found}
        if one.length is not None:
            found |= {"minItems": one.length, "maxItems": one.length}
    found["default"] = plain(one.default)
    if one.help:
        found["description"] = one.help
    if one.hot:
        found["x-hot"] = True
    return found


def _element(one: Parameter) -> dict[str, Any]:
    if one.choices:
        return {"enum": [plain(choice) for choice in one.choices]}
    types = _JSON_TYPES.get(one.element)
    found: dict[str, Any] = {"type": types or ["number", "string"]}
    for key, bound in (("minimum", one.ge), ("maximum", one.le)):
        if bound is not None:
            found[key] = float(bound) if isinstance(bound, Decimal) else bound
    return found


def _strings_below(kind: type[Strategy]) -> dict[str, str]:
    """Return the strings that stand below annotated attributes, of the class and its bases."""
    found: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        file = getattr(sys.modules.get(base.__module__), "__file__", None)
        if file is None or not issubclass(base, Strategy) or base is Strategy:
            continue
        for node in ast.walk(ast.parse(Path(file).read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef) and node.name == base.__name__:
                found |= dict(_pairs(node.body))
    return found


def _pairs(body: list[ast.stmt]) -> list[tuple[str, str]]:
    return [
        (before.target.id, " ".join(after.value.value.split()))
        for before, after in pairwise(body)
        if isinstance(before, ast.AnnAssign)
        and isinstance(before.target, ast.Name)
        and isinstance(after, ast.Expr)
        and isinstance(after.value, ast.Constant)
        and isinstance(after.value.value, str)
    ]
