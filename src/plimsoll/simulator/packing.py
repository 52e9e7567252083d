"""Turns the objects of the brain into JSON and back, whatever fields they have or will have."""

from collections import deque
from collections.abc import Callable, Mapping
from decimal import Decimal
from enum import Enum
from importlib import import_module
from typing import Any, Final

import msgspec

from plimsoll.simulator.brain.listings import Listing
from plimsoll.simulator.brain.orders import Order

_OURS: Final = ("plimsoll.simulator.brain.", "plimsoll.core.model")
_PLAIN: Final = (bool, int, float, str, type(None))


class Unpackable(Exception):
    """A value that is no state: the text says which."""


def packed(value: object) -> Any:  # noqa: ANN401 - JSON
    """Return a value as JSON; instruments and orders inside it as references.

    Raises:
        Unpackable: it holds something that is neither data nor an object of the brain.
    """
    if isinstance(value, Enum):
        return {"$": _name_of(type(value)), "v": value.name}
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, Decimal):
        return {"$": "decimal", "v": str(value)}
    if isinstance(value, Listing):
        return {"$": "listing", "v": value.name}
    if isinstance(value, Order):
        return {"$": "order", "v": value.order_id}
    if isinstance(value, dict):
        return {"$": "dict", "v": [[packed(key), packed(item)] for key, item in value.items()]}
    if isinstance(value, list):
        return [packed(item) for item in value]
    if isinstance(value, deque):
        return {"$": "deque", "v": [packed(item) for item in value], "most": value.maxlen}
    if isinstance(value, tuple | set | frozenset):
        return {"$": type(value).__name__, "v": [packed(item) for item in value]}
    return {"$": _name_of(type(value)), "v": fields_of(value)}


def fields_of(value: object) -> dict[str, Any]:
    """Return the packed fields of one object, an order included.

    Raises:
        Unpackable: it is no object of the brain.
    """
    _name_of(type(value))
    if isinstance(value, msgspec.Struct):
        return {name: packed(getattr(value, name)) for name in value.__struct_fields__}
    return {name: packed(item) for name, item in vars(value).items()}


class Unpacker:
    """Makes objects of what ``packed`` returned; fields this build does not know are left out."""

    def __init__(
        self, listings: Mapping[str, Listing], order: Callable[[str], Order | None]
    ) -> None:
        """Resolve references with these."""
        self._listings = listings
        self._order = order

    def value(self, found: Any) -> Any:  # noqa: ANN401 - JSON
        """Return the value of packed JSON."""
        if isinstance(found, list):
            return [self.value(item) for item in found]
        if not isinstance(found, dict):
            return found
        kind, inner = found["$"], found["v"]
        match kind:
            case "decimal":
                return Decimal(inner)
            case "listing":
                return self._listings[inner]
            case "order":
                return self._order(inner)
            case "dict":
                return {self.value(key): self.value(item) for key, item in inner}
            case "deque":
                return deque(map(self.value, inner), maxlen=found["most"])
            case "tuple":
                return tuple(map(self.value, inner))
            case "set":
                return set(map(self.value, inner))
            case "frozenset":
                return frozenset(map(self.value, inner))
            case _:
                return self._object(kind, inner)

    def struct(self, cls: type[Any], fields: dict[str, Any]) -> Any:  # noqa: ANN401
        """Return a struct made of its packed fields."""
        known = set(cls.__struct_fields__)
        return cls(**{name: self.value(item) for name, item in fields.items() if name in known})

    def update(self, target: object, fields: dict[str, Any]) -> None:
        """Set the attributes of an object that exists; those not packed keep their values."""
        for name, item in fields.items():
            old = getattr(target, name, None)
            if _is_plain_object(old) and isinstance(item, dict) and item.get("v") is not None:
                self.update(old, item["v"])
            elif hasattr(target, name):
                setattr(target, name, self.value(item))

    def _object(self, kind: str, inner: Any) -> Any:  # noqa: ANN401 - JSON
        module, _, name = kind.partition(":")
        if not module.startswith(_OURS):
            raise Unpackable(f"{kind} is no class of the simulated exchange")
        cls = getattr(import_module(module), name)
        if issubclass(cls, Enum):
            return cls[inner]
        if issubclass(cls, msgspec.Struct):
            return self.struct(cls, inner)
        made = cls.__new__(cls)
        for attribute, item in inner.items():
            setattr(made, attribute, self.value(item))
        return made


def _is_plain_object(value: object) -> bool:
    cls = type(value)
    return cls.__module__.startswith(_OURS) and not issubclass(cls, msgspec.Struct | Enum)


def _name_of(cls: type) -> str:
    if not cls.__module__.startswith(_OURS):
        raise Unpackable(f"{cls.__module__}.{cls.__qualname__} is no state")
    return f"{cls.__module__}:{cls.__qualname__}"
